# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python that has imported what modules and test plugins begin with: most of their time.

What the program of ``interpreter`` runs, is a fork of one process. It compiles no file of the
collection: that is done once. A signal that ends the program, kills the fork: a test of what a
module does with signals takes a real Python.
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

LONGEST_SECONDS = 3600  # a plugin runs as long as its server
# What the modules of ansible-core and ours begin with, and then our external plugin.
IMPORTED = ("ansible.module_utils.basic", "requests", "h2.connection", "json", "ssl", "threading")
# For a module or a plugin, it leaves its pid, and takes the exit status by a pipe to itself: who
# it is, stands in /proc. A plugin leaves Ctrl-C to its server.
PROGRAM = f"""\
#!/bin/bash
case $1 in
  -I) trap '' INT ;;
  */AnsiballZ_*) ;;
  *) exec {shlex.quote(sys.executable)} "$@" ;;
esac
exec 3<> <(:)
(echo $$ 1<>"$0.requests")  # a shell of its own: our standard output is the fork's, too
read -r -t {LONGEST_SECONDS} -u 3 status
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
        [sys.executable, "-m", "tests.support.warm_python", folder, str(requests)],
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


class Fork(t.NamedTuple):
    """What runs for a client, and the descriptors that say which of the two has ended."""

    pid: int
    client: int
    ended: int
    left: int


def serve(folder: pathlib.Path, requests: int) -> None:
    """Run what each client was called for, until standard input ends."""
    sys.path[0] = str(_library(folder))
    for name in IMPORTED:
        importlib.import_module(name)
    _compile_ours()
    gc.freeze()
    os.set_inheritable(requests, False)
    forks: dict[int, Fork] = {}
    while 0 not in (ready := select.select([0, requests, *forks], [], [])[0]):
        for descriptor in ready:
            if fork := forks.get(descriptor):
                _end(fork)
                del forks[fork.ended], forks[fork.left]
            elif descriptor == requests:
                for client in os.read(requests, select.PIPE_BUF).split():
                    forks |= _start(int(client))
    for fork in set(forks.values()):
        _end(fork)


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


def _start(client: int) -> dict[int, Fork]:
    """Return the fork by each of its descriptors; nothing if the client is gone."""
    try:
        left = os.pidfd_open(client)
    except ProcessLookupError:
        return {}
    if (pid := os.fork()) == 0:
        end_as_a_program(functools.partial(_run_for, pathlib.Path("/proc", str(client))))
    fork = Fork(pid, client, os.pidfd_open(pid), left)
    return {fork.ended: fork, fork.left: fork}


def _end(fork: Fork) -> None:
    """Give the client the exit status; end the fork whose client has left."""
    os.kill(fork.pid, signal.SIGKILL)  # nothing to one that has ended
    status = os.waitstatus_to_exitcode(os.waitpid(fork.pid, 0)[1])
    with contextlib.suppress(OSError):  # the client is gone
        answer = os.open(f"/proc/{fork.client}/fd/3", os.O_WRONLY)
        os.write(answer, b"%d\n" % (status if status >= 0 else 128 - status))
        os.close(answer)
    os.close(fork.ended)
    os.close(fork.left)


def _run_for(client: pathlib.Path) -> None:
    """Make this process what a new Python in the place of ``client`` would be, and run its file."""
    variables, command = (
        os.fsdecode((client / name).read_bytes()).split("\0")[:-1]
        for name in ("environ", "cmdline")
    )
    environment = {name: value for name, _equals, value in (v.partition("=") for v in variables)}
    streams = [str(client / "fd" / str(descriptor)) for descriptor in range(3)]
    # Behind bash and the program.
    arguments = command[3:] if command[2] == "-I" else command[2:]
    become(environment, str(client / "cwd"), streams, arguments)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    serve(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
