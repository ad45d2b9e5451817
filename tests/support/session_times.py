# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run nox, and show at the end how many seconds each session took."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path

import nox

REPORT = Path(__file__).resolve().parents[2] / ".nox" / "sessions.json"


def main(*options: str) -> None:
    """Run nox as it is run from its command line, with some options more."""
    REPORT.unlink(missing_ok=True)
    # In front of a -- and of the user's own --report.
    sys.argv[1:1] = ["--report", str(REPORT), *options]
    begin = time.monotonic()
    try:
        nox.main()
    finally:
        with contextlib.suppress(FileNotFoundError):
            report = json.loads(REPORT.read_text())
            if len(report["sessions"]) > 1:  # nox itself says how long one took
                print(table(report, time.monotonic() - begin), flush=True)


def table(report: dict[str, list[dict[str, object]]], total: float) -> str:
    """The rows of a table in Markdown, in the order in which the sessions ran."""
    rows = ["| Session | Seconds |", "|---|---:|"]
    for session in report["sessions"]:
        took = f"{session['duration']:.0f}" if session["result"] == "success" else session["result"]
        rows.append(f"| {session['name']} | {took} |")
    return "\n".join([*rows, f"| all | {total:.0f} |"])
