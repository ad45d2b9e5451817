# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the tests as a user who is not root, where root runs them.

The user is ``nobody``, can become nobody else (no sudo works), keeps files to itself (umask 077)
and may write in an empty HOME and a temporary folder only, not in the checkout.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import locked, pythons, uv_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import nox

NAME = "nobody"
ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Once, and not in each worker: it compiles the tests.
COLLECT = ("pytest", "-p", "no:cacheprovider", "--collect-only", "-qq")
KEEP_FILES_PRIVATE = ("sh", "-c", 'umask 077; exec "$@"', "sh")


class Place(NamedTuple):
    """A temporary folder with all that the user needs: the rest of the machine may be closed."""

    folder: Path

    def run(self, session: nox.Session, *command: str, **more: str) -> None:
        """Run a program of the virtual environment as the user, in the copy of the checkout."""
        with session.chdir(self.folder / "checkout"):
            session.run(
                *as_user(),
                *command,
                env={
                    "HOME": str(self.folder / "home"),
                    "LANG": "C.UTF-8",
                    "LOGNAME": NAME,
                    "PATH": f"{self.folder}/venv/bin:{SYSTEM_PATH}",
                    "TMPDIR": str(self.folder / "tmp"),
                    "USER": NAME,
                    **more,
                },
                include_outer_env=False,
                external=True,
            )

    def collect(self, session: nox.Session) -> None:
        """Compile the tests, which the user cannot keep."""
        with session.chdir(self.folder / "checkout"):
            program = str(self.folder / "venv" / "bin" / COLLECT[0])
            session.run(program, *COLLECT[1:], silent=True, external=True)

    def with_file(self, source: Path) -> str:
        """Give a file of 180 MB a place that the user can read, and return it."""
        target = Path(tempfile.mkdtemp(dir=self.folder)) / source.name
        target.parent.chmod(0o755)
        try:
            target.hardlink_to(source)
        except OSError:
            shutil.copy(source, target)
        return str(target)

    @contextlib.contextmanager
    def with_folder(self, wanted: str) -> Iterator[str]:
        """Give the user a folder to write into; its files are in ``wanted`` afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        _give(folder)
        yield str(folder)
        shutil.copytree(folder, wanted, dirs_exist_ok=True)


def reason_to_skip(core: str = "") -> str:
    """Why the tests need not or cannot run as another user, nothing where they can.

    ``core`` is the release of ansible-core that they need, if it has to be a certain one.
    """
    if os.getuid() != 0:
        return "the other sessions ran the tests as an ordinary user already"
    if not shutil.which("setpriv"):
        return "setpriv is missing (Debian: apt-get install util-linux)"
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        return f"this machine has no user {NAME}"
    if interpreter(core):
        return ""
    return f"no Python here that {NAME} can run and {f'ansible-core {core}'.strip()} supports"


def as_user() -> list[str]:
    """What runs the command behind it as the user."""
    user = pwd.getpwnam(NAME)
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *ids, "--no-new-privs", "--", *KEEP_FILES_PRIVATE]


class Interpreter(NamedTuple):
    """A Python, and its version: 3.11."""

    path: Path
    version: str


@functools.cache
def interpreter(core: str = "") -> Interpreter | None:
    """The newest Python that the user can run: not those of pyenv in root's home."""
    found = (
        Interpreter(candidate, version)
        for version in reversed(pythons.CORES[core] if core else pythons.VERSIONS)
        for candidate in pythons.candidates(version)
        if pythons.starts(candidate, version, *as_user())
    )
    return next(found, None)


@contextlib.contextmanager
def prepared(*requirements: str, core: str = "") -> Iterator[Place]:
    """Make the place, with the checkout as it is now and what runs the tests, and remove it.

    With ``requirements`` it has them and ansible-core instead.
    """
    before = os.umask(0o022)
    folder = Path(tempfile.mkdtemp(prefix="vaultops-"))
    try:
        folder.chmod(0o755)
        for name in ("home", "tmp"):
            (folder / name).mkdir(mode=0o700)
            _give(folder / name)
        copy_checkout(folder / "checkout")
        make_venv(folder / "venv", *requirements, core=core)
        yield Place(folder)
    finally:
        os.umask(before)
        shutil.rmtree(folder, ignore_errors=True)


def copy_checkout(target: Path) -> None:
    """Copy what git knows or would add, readable for all, whatever the umask of the checkout."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (source := ROOT / name).is_file():  # one that is deleted is still listed
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            copy.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def _give(folder: Path) -> None:
    user = pwd.getpwnam(NAME)
    os.chown(folder, user.pw_uid, user.pw_gid)


def make_venv(venv: Path, *requirements: str, core: str) -> None:
    """Make a virtual environment on the user's Python."""
    python = interpreter(core)
    assert python, reason_to_skip(core)
    subprocess.run([str(python.path), "-m", "venv", "--without-pip", str(venv)], check=True)
    needed = locked.requirements(core) if core else locked.requirements_for(python.version)
    if requirements:
        needed = [pythons.core_for(python.version), *requirements]
    uv_settings.install(venv / "bin/python", *needed)
