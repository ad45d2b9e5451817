# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs the tests, each file by its hash: one list for each release of ansible-core."""

from __future__ import annotations

import subprocess
from pathlib import Path

from . import pythons

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "locked"
# Where the ranges are that the lists are made from.
SOURCES = ("requirements.txt", "tests/support/requirements.txt", "tests/requirements.txt")
RANGES = tuple(word for file in SOURCES for word in ("-r", file))
# The oldest Python that runs all of the tests' own requirements.
OLDEST_PYTHON = (3, 11)
HEAD = "".join(Path(__file__).read_text(encoding="utf-8").splitlines(keepends=True)[:3])
NOTE = f"{HEAD}\n# Made by `python3 noxfile.py -s lock`.\n"


def path(core: str) -> Path:
    """Return the list of a release of ansible-core."""
    return FOLDER / f"core-{core}.txt"


def requirements(core: str) -> list[str]:
    """Return what pip is to install for the tests on a release of ansible-core."""
    return ["--require-hashes", "-r", str(path(core))]


def requirements_for(python: str) -> list[str]:
    """Return the same for the newest release that a version of Python runs."""
    if core := pythons.newest_core_on(python):
        return requirements(core)
    return [pythons.core_for(python), *RANGES]


def lock(core: str, uv: str) -> None:
    """Write the list of a release of ansible-core, with the newest releases of all."""
    oldest = max(OLDEST_PYTHON, min(pythons.numbers(version) for version in pythons.CORES[core]))
    options = ["--universal", "--generate-hashes", "--no-annotate", "--no-header", "--upgrade"]
    python = ["--python-version", ".".join(map(str, oldest))]
    made = subprocess.run(
        [uv, "pip", "compile", "--quiet", *options, *python, *SOURCES, "-"],
        input=pythons.core_requirement(core),
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    path(core).write_text(NOTE + made, encoding="utf-8")
