# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let ansible-test take pip from the package index, not from a host that CI may not reach."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path("~/.ansible/test/cache")

GET_PIP = '''\
"""Installs pip from the wheel that lies beside this script."""
import pathlib
import runpy
import sys

arguments = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
version = next(word[len("pip=="):] for word in arguments if word.startswith("pip=="))
wheel = pathlib.Path(__file__).resolve().parent / ("pip-%s-py3-none-any.whl" % version)
sys.path.insert(0, str(wheel))
sys.argv[1:] = ["install"] + arguments
runpy.run_module("pip", run_name="__main__")
'''


def pip_of(core: str) -> str:
    """The release of pip that an ansible-core's ansible-test asks for."""
    minor = int(core.split(".")[1])
    if minor >= 20:
        return "25.2"
    return "24.2" if minor >= 18 else "23.1.2"


def seed_get_pip(core: str) -> None:
    """Put the script and the wheel where ansible-test keeps what it has downloaded."""
    cache, version = CACHE.expanduser(), pip_of(core)
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / f"pip-{version}-py3-none-any.whl").exists():
        download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(cache)]
        subprocess.run([*download, f"pip=={version}"], check=True)
    (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP)


def remove_venvs() -> None:
    """Remove the venvs among ansible-test's output, whose links antsibull-nox cannot copy back."""
    shutil.rmtree("tests/output/.tmp", ignore_errors=True)
