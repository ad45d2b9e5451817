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
"""Gives this Python's environment the pip whose wheel lies beside this script.

It is unpacked and compiled once for each Python: installing it would take 2.5 s for each venv.
"""
import compileall
import os
import pathlib
import shutil
import sys
import sysconfig
import tempfile
import zipfile

version = next(word[len("pip=="):] for word in sys.argv if word.startswith("pip=="))
cache = pathlib.Path(__file__).resolve().parent
place = cache / ("pip-%s-for-%d.%d" % (version, sys.version_info[0], sys.version_info[1]))
if not place.exists():
    made = tempfile.mkdtemp(dir=str(cache))
    with zipfile.ZipFile(str(cache / ("pip-%s-py3-none-any.whl" % version))) as wheel:
        wheel.extractall(made)
    compileall.compile_dir(made, quiet=2)
    try:
        os.rename(made, str(place))
    except OSError:  # another session was faster
        shutil.rmtree(made)
(pathlib.Path(sysconfig.get_path("purelib")) / "pip.pth").write_text(str(place))
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
