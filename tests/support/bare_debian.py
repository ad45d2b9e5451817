# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare Debian, made by debootstrap, in which an ordinary user takes the first steps.

It has Python, pip, git and an SSH client beside what each Debian has, and its mounts are gone with
the last process in it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from . import ordinary_user, pythons

if TYPE_CHECKING:
    import nox

PLACE = ordinary_user.ROOT / ".nox" / "debian"
SUITES = {"bookworm": "3.11", "trixie": "3.13"}
"""The releases of Debian, each with its Python."""

MIRROR = "http://deb.debian.org/debian"
PACKAGES = "python3,python3-venv,python3-pip,git,openssh-client,ca-certificates"
USER = "newcomer"
# What it needs of this machine to reach the package index.
OF_THE_NETWORK = ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt")
IN_A_ROOM_OF_ITS_OWN = (
    *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
    *("sh", "-c", 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec "$@"'),
)
STEPS = """\
set -e
cd ~/checkout
python3 noxfile.py -s demo
cd ~
python3 -m venv venv
cd checkout
../venv/bin/pip install --quiet '{core}' -r requirements.txt -r tests/support/requirements.txt
../venv/bin/python -m tests.support.first_steps ~/{tarball}
"""


def reason_to_skip() -> str:
    """Why none can be made here, nothing where one can."""
    if os.getuid() != 0:
        return "only root can make a Debian"
    missing = [name for name in ("debootstrap", "unshare", "setpriv") if not shutil.which(name)]
    return f"missing here: {', '.join(missing)} (apt-get install them)" if missing else ""


def make(session: nox.Session, suite: str) -> Path:
    """Return the root of a Debian, which is made where it is not there."""
    root = PLACE / suite
    if not (root / "home" / USER).is_dir():
        shutil.rmtree(root, ignore_errors=True)
        packages = ("--variant=minbase", f"--include={PACKAGES}")
        session.run("debootstrap", *packages, suite, str(root), MIRROR, external=True, silent=True)
        session.run("chroot", str(root), "useradd", "--create-home", USER, external=True)
    for path in map(Path, OF_THE_NETWORK):
        shutil.copy(path, root / path.relative_to("/"))
    return root


def first_steps(session: nox.Session, suite: str, tarball: Path) -> None:
    """Run the demo from a checkout, and README's commands from ``tarball``, as an ordinary user."""
    root = make(session, suite)
    home = root / "home" / USER
    shutil.rmtree(home)
    home.mkdir()
    ordinary_user.copy_checkout(home / "checkout")
    shutil.copy(tarball, home)
    steps = STEPS.format(core=pythons.core_for(SUITES[suite]), tarball=tarball.name)
    (home / "steps.sh").write_text(steps, encoding="utf-8")
    session.run("chroot", str(root), "chown", "-R", USER, f"/home/{USER}", external=True)
    become = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
    session.run(
        *IN_A_ROOM_OF_ITS_OWN,
        str(root),
        *("chroot", str(root), *become, "bash", f"/home/{USER}/steps.sh"),
        env={"HOME": f"/home/{USER}", "LANG": "C.UTF-8", "PATH": ordinary_user.SYSTEM_PATH},
        include_outer_env=False,
        external=True,
    )
