# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task in a process of its own that can be killed: options on stdin, its result on stdout."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t

from .recordings import run_task


def start(
    operation: str, options: dict[str, t.Any], *, proxy: str, token: str
) -> subprocess.Popen[str]:
    """Start a task; its result is for read_result()."""
    tree = next(path for path in sys.path if (pathlib.Path(path) / "ansible_collections").is_dir())
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": tree, "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
    )
    stdin = t.cast("t.IO[str]", process.stdin)
    stdin.write(json.dumps([operation, options, proxy, token]))
    stdin.close()
    process.stdin = None
    return process


def read_result(process: subprocess.Popen[str], seconds: float) -> dict[str, t.Any] | None:
    """Return the result of a task, None where it was killed."""
    output, _errors = process.communicate(timeout=seconds)
    result: dict[str, t.Any] | None = json.loads(output) if process.returncode == 0 else None
    return result


def main() -> None:
    """Run the task."""
    operation, options, proxy, token = json.load(sys.stdin)
    print(json.dumps(run_task(operation, options, False, proxy=proxy, token=token)))


if __name__ == "__main__":
    main()
