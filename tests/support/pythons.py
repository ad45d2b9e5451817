# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which releases of ansible-core are tested, and which Pythons are here to run them."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

CORES = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}
"""The supported releases of ansible-core, oldest first, with the Pythons that a controller has."""

VERSIONS = sorted({version for pythons in CORES.values() for version in pythons})
RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"
PROBE = "import ctypes, ssl, sys, zlib; print('%d.%d' % sys.version_info[:2])"


def python_for(core: str) -> Path | None:
    """The newest Python on this machine that runs a release of ansible-core."""
    here = [version for version in CORES[core] if version in interpreters()]
    return interpreters()[here[-1]] if here else None


def newest_core() -> str:
    """The newest release of ansible-core that a Python on this machine runs."""
    return next(core for core in reversed(CORES) if python_for(core) or core == oldest_core())


def oldest_core() -> str:
    """The oldest release of ansible-core that is supported."""
    return next(iter(CORES))


def core_for_this_python() -> str:
    """What to install to get the newest ansible-core that the running Python runs."""
    return core_for(RUNNING)


def core_for(python: str) -> str:
    """What to install to get the newest ansible-core that a version of Python runs."""
    core = newest_core_on(python)
    return core_requirement(core) if core else "ansible-core>=2.16"


def newest_core_on(python: str) -> str:
    """The newest release of ansible-core that a version of Python runs, empty for none."""
    return next((core for core in reversed(CORES) if python in CORES[core]), "")


def core_requirement(core: str) -> str:
    """A requirement for the newest patch release."""
    return f"ansible-core~={core}.0"


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version: 3.11 is 3 and 11."""
    return tuple(map(int, version.split(".")))


@functools.cache
def interpreters() -> dict[str, Path]:
    """The first Python on PATH of each version that starts: a shim may stand for an absent one."""
    found: dict[str, Path] = {}
    for version in VERSIONS:
        if python := next(
            (python for python in candidates(version) if starts(python, version)), None
        ):
            found[version] = python
    return found


def candidates(version: str) -> list[Path]:
    """Where a Python of a version may be, in the order of PATH."""
    return [Path(folder, f"python{version}") for folder in os.environ["PATH"].split(os.pathsep)]


def starts(candidate: Path, version: str, *behind: str) -> bool:
    """Whether an interpreter runs, is what its name says, and has what pip needs.

    ``behind`` is the command that runs it, such as one that changes the user.
    """
    if not candidate.exists():
        return False
    command = [*behind, str(candidate), "-c", PROBE]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and answer.stdout.strip() == version


def path_behind_shims(path: str) -> str:
    """PATH with pyenv's Pythons at its end instead of the shims, which ansible-test trips over."""
    folders = [Path(folder) for folder in path.split(os.pathsep)]
    kept = [folder for folder in folders if folder.name != "shims"]
    roots = [folder.parent for folder in folders if folder.name == "shims"]
    behind = [bins for root in roots for bins in sorted(root.glob("versions/3.*/bin"))]
    return os.pathsep.join(str(folder) for folder in kept + behind)
