# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start the noxfile on a machine that has Python and pip, and nothing else.

On Debian pip refuses to install beside the system's packages, and `python3 -m venv` lacks
ensurepip. A venv without pip, filled by the system's pip from outside, needs neither.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The kernel reads so many bytes of the line #!, and splits it at spaces.
SHEBANG_LIMIT = 255 - len("#! -I")
LONGEST_PYTHON = ".nox/3.11/ansible-test-sanity-2.16/bin/python"
HELP = "noxfile: this takes Python 3.11, pip 22.3 (Debian: apt-get install python3-pip) and PyPI"


def ensure_requirements(noxfile: Path) -> None:
    """Return if what the noxfile's header asks for is here; else run the noxfile where it is."""
    if sys.version_info < (3, 11):
        sys.exit(HELP)
    check_path(noxfile.parent)
    wanted = requirements_of(noxfile)
    if not all(is_met(requirement) for requirement in wanted):
        python = bootstrap(noxfile.parent / ".nox", wanted)
        os.execv(python, [str(python), str(noxfile), *sys.argv[1:]])


def check_path(checkout: Path) -> None:
    """Exit where scripts could not name a Python below the checkout in their first line."""
    python = str(checkout / LONGEST_PYTHON)
    if len(python.split()) > 1 or len(python.encode()) > SHEBANG_LIMIT:
        sys.exit(
            f'noxfile: no script can start a Python below "{checkout}": move the checkout to a '
            f"path without spaces, of at most {SHEBANG_LIMIT - len(LONGEST_PYTHON)} bytes"
        )


def requirements_of(script: Path) -> list[str]:
    """The dependencies in a script's PEP 723 header, which nox, uv and pipx read too."""
    header = re.search(r"^# dependencies = \[\n(.*?)^# \]", script.read_text(), re.DOTALL | re.M)
    assert header, f"{script} has no PEP 723 dependencies"
    return re.findall(r'"([^"]+)"', header[1])


def is_met(requirement: str) -> bool:
    """Whether this Python has what a requirement of the form `name>=low,<high` asks for."""
    name, low, high = re.split(">=|,<", requirement)
    try:
        return numbers(low) <= numbers(importlib.metadata.version(name)) < numbers(high)
    except importlib.metadata.PackageNotFoundError:
        return False


def numbers(version: str) -> list[int]:
    """The numbers of a version, to compare."""
    return [int(number) for number in re.findall(r"\d+", version)]


def bootstrap(place: Path, requirements: list[str]) -> Path:
    """The Python of a venv with the requirements, made anew when they or this Python changed."""
    venv, stamp = place / "bootstrap", place / "bootstrap.json"
    python = venv / "bin/python"
    content = json.dumps({"for": [sys.executable, sys.version], "has": requirements}, indent=1)
    place.mkdir(exist_ok=True)
    with (place / "bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs may start at once
        if not (python.exists() and stamp.exists() and stamp.read_text() == content):
            print(
                f"noxfile: making {venv} once: {', '.join(requirements)} and what they need, 30 MB",
                file=sys.stderr,
                flush=True,
            )
            stamp.unlink(missing_ok=True)
            shutil.rmtree(venv, ignore_errors=True)
            run("venv", "--without-pip", str(venv))
            run("pip", "--python", str(python), "install", "--quiet", *requirements)
            stamp.write_text(content)
    return python


def run(module: str, *arguments: str) -> None:
    """Run a module of this Python's; if it fails, say what it takes."""
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    command = [sys.executable, "-m", module, *arguments]
    if subprocess.run(command, env={**os.environ, **quiet}, check=False).returncode != 0:
        sys.exit(HELP)
