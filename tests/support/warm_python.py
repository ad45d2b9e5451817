# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python that has imported what modules begin with: most of the time that they take.

What the program of ``interpreter`` runs, is a fork of one process. It compiles no file of the
collection: that is done once. A signal to the program ends the wait for the module, and not the
module: a test of signals takes a real Python.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import os
import pathlib
import runpy
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import typing as t

from .warm_ansible import REPOSITORY, become, compiled_files, end_as_a_program

LONGEST_SECONDS = 120
# What the modules of ansible-core and ours begin with.
IMPORTED = ("ansible.module_utils.basic", "requests")
# For a module, it leaves its pid, and takes the exit status: who it is, stands in /proc.
PROGRAM = f"""\
#!/bin/bash
case $1 in
  */AnsiballZ_*) ;;
  *) exec {shlex.quote(sys.executable)} "$@" ;;
esac
mkfifo -m 600 "$0.$$" && exec 3<>"$0.$$" && (echo $$ 1<>"$0.requests")
read -r -t {LONGEST_SECONDS} -u 3 status
rm -f "$0.$$"
exit "${{status:-1}}"
"""


@functools.cache
def interpreter() -> str:
    """Return the path of a Python for ``ansible_python_interpreter``, until this process ends."""
    # No TemporaryDirectory: a fork of this process, which forgets it, would remove the folder.
    folder = tempfile.mkdtemp(prefix="vaultops-python-")
    program = pathlib.Path(folder, "python")
    program.write_text(PROGRAM)
    program.chmod(0o755)
    os.mkfifo(f"{program}.requests", 0o600)
    requests = os.open(f"{program}.requests", os.O_RDWR)  # open before the first client comes
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.warm_python", str(program), str(requests)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,  # it ends when this end is closed, by whatever
        pass_fds=[requests],
    )
    os.close(requests)

    def end() -> None:
        process.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    return str(program)


def serve(program: str, requests: int) -> None:
    """Run what each client of ``program`` was called for, until standard input ends."""
    library = _library(pathlib.Path(program).parent)
    sys.path[0] = str(library)
    for name in IMPORTED:
        importlib.import_module(name)
    _compile_ours()
    gc.freeze()
    os.set_inheritable(requests, False)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    while requests in select.select([requests, sys.stdin], [], [])[0]:
        for client in os.read(requests, select.PIPE_BUF).decode().split():
            if os.fork() == 0:
                _answer(f"{program}.{client}", client)


def _library(folder: pathlib.Path) -> pathlib.Path:
    """Return a folder with the part of ansible-core that a target has, with compiled files."""
    (installed,) = importlib.import_module("ansible").__path__
    del sys.modules["ansible"]
    library = folder / "library"
    for part in ("module_utils", "modules"):
        shutil.copytree(pathlib.Path(installed, part), library / "ansible" / part)
    (library / "ansible" / "__init__.py").touch()
    return library


def _compile_ours() -> None:
    """Let the loader of zip files, in which Ansible sends modules, find what is compiled."""
    zipimport: t.Any = importlib.import_module("zipimport")
    compiled, compile_source = compiled_files(), zipimport._compile_source
    zipimport._compile_source = lambda path, source: (
        compiled.get(source) or compile_source(path, source)
    )


def _answer(where: str, client: str) -> t.NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if (child := os.fork()) == 0:
        _take_the_place_of(pathlib.Path("/proc", client))
        end_as_a_program(_run)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):  # the client is gone
        os.write(os.open(where, os.O_RDWR), b"%d\n" % (status if status >= 0 else 128 - status))
    os._exit(0)


def _take_the_place_of(client: pathlib.Path) -> None:
    """Make this process what a new Python in the place of ``client`` would be."""
    variables, command = (
        os.fsdecode((client / name).read_bytes()).split("\0")[:-1]
        for name in ("environ", "cmdline")
    )
    environment = {name: value for name, _equals, value in (v.partition("=") for v in variables)}
    streams = [str(client / "fd" / str(descriptor)) for descriptor in range(3)]
    become(environment, str(client / "cwd"), streams, command[2:])  # behind bash and the program


def _run() -> None:
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
