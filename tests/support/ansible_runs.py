# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible as a user runs it: ``ansible-playbook`` and ``ansible`` as processes of their own.

Where nothing depends on how the process came to be, it is a fork of one that has imported Ansible.
"""

from __future__ import annotations

import atexit
import dataclasses
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import typing as t

from .server import Server, clean_environment
from .warm_ansible import Request, Warm
from .warm_python import interpreter

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SUPPORT = pathlib.Path(__file__).resolve().parent
RUN_SECONDS = 500
# What was interrupted ends in less.
END_SECONDS = 60
RECORDER = {
    "ANSIBLE_CALLBACK_PLUGINS": str(SUPPORT / "callback"),
    "ANSIBLE_CALLBACKS_ENABLED": "record",
    "ANSIBLE_LOAD_CALLBACK_PLUGINS": "True",
}
# What Ansible or Python reads when it is imported.
READ_AT_THE_START = ("ANSIBLE_", "PYTHON", "LANG", "LC_", "TMPDIR")
# What it reads when a task needs it.
READ_BY_TASKS = (
    "ANSIBLE_ASYNC_DIR",
    "ANSIBLE_HASHI_VAULT_",
    "ANSIBLE_INJECT_INVOCATION",
    "ANSIBLE_VAULTOPS_IN_PROCESS",
)


@functools.cache
def warm() -> Warm:
    """The process that has imported Ansible, until this one ends."""
    home = tempfile.mkdtemp(prefix="vaultops-warm-")
    atexit.register(shutil.rmtree, home)
    process = Warm({**clean_environment(pathlib.Path(home)), **RECORDER})
    atexit.register(process.end)
    return process


def in_a_process_of_its_own(request: Request, by: t.Sequence[str] = ()) -> int:
    """Run a command from its beginning; return its exit status."""
    with (
        pathlib.Path(request["stdout"]).open("wb") as stdout,
        pathlib.Path(request["stderr"]).open("wb") as stderr,
    ):
        return subprocess.run(
            [*by, *request["command"]],
            env=request["environment"],
            cwd=request["directory"],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            timeout=RUN_SECONDS,
            check=False,
        ).returncode


def _is_read_at_the_start(variable: str) -> bool:
    return variable.startswith(READ_AT_THE_START) and not variable.startswith(READ_BY_TASKS)


def _program(name: str) -> str:
    return str(pathlib.Path(sys.executable).with_name(name))


def collection_tree(base: pathlib.Path) -> pathlib.Path:
    """Make a collections path below ``base`` in which this repository is ``vaultops.vault``."""
    link = base / "ansible_collections" / "vaultops" / "vault"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(REPOSITORY)
    return base


@dataclasses.dataclass(frozen=True)
class TaskResult:
    """The result of one task on one host: ``status`` is ok, failed, skipped or unreachable."""

    name: str
    status: str
    result: dict[str, t.Any]

    def __getitem__(self, key: str) -> t.Any:
        return self.result[key]

    @property
    def failed(self) -> bool:
        """Whether Ansible counts the task as failed."""
        return self.status == "failed"

    @property
    def message(self) -> str:
        """The ``msg`` of the result."""
        return str(self.result.get("msg", ""))


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of Ansible: what it printed, and each task's result in order."""

    returncode: int
    stdout: str
    stderr: str
    tasks: list[TaskResult]

    @property
    def result(self) -> TaskResult:
        """The result of the last task."""
        return self.tasks[-1]

    @property
    def output(self) -> str:
        """All that a user sees."""
        return self.stdout + self.stderr


class Cases(t.NamedTuple):
    """One run of many cases: all that was printed, and the result of each case by its name."""

    run: Run
    results: dict[str, TaskResult]


class Started(t.NamedTuple):
    """Ansible on its way; it may have ended when the next run begins."""

    pid: int
    log: pathlib.Path

    def output(self) -> str:
        """All that it has printed so far."""
        return self.log.read_text(encoding="utf-8")

    def status(self, seconds: float = END_SECONDS) -> int:
        """Wait for its end, and return its exit status, below 0 the signal that ended it."""
        return warm().wait(seconds)


@dataclasses.dataclass(frozen=True)
class Ansible:
    """Runs Ansible in ``directory``, with the collection and, by default, ``server``'s address."""

    directory: pathlib.Path
    server: Server | None = None

    def playbook(
        self,
        *tasks: dict[str, t.Any],
        options: t.Sequence[str] = (),
        by: t.Sequence[str] = (),
        **environment: str,
    ) -> Run:
        """Run ``tasks`` on localhost by ``ansible-playbook``.

        ``environment`` is added to that of the process; an empty string stays an empty variable.
        ``by`` is a command that runs it, such as ``env``.
        """
        play = {"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}
        return self.plays(play, options=options, by=by, **environment)

    def plays(
        self,
        *plays: dict[str, t.Any],
        options: t.Sequence[str] = (),
        by: t.Sequence[str] = (),
        **environment: str,
    ) -> Run:
        """Run a playbook of some plays."""
        path = self._file("playbook.json", plays)
        return self.play_file(path, options=options, by=by, **environment)

    def cases(self, tasks: t.Mapping[str, dict[str, t.Any]], **environment: str) -> Cases:
        """Run the tasks in one playbook, each whatever became of the others; results by name."""
        named = [{"name": name, **task, "ignore_errors": True} for name, task in tasks.items()]
        run = self.playbook(*named, **environment)
        results = {result.name: result for result in run.tasks}
        assert list(results) == list(tasks), run.output
        return Cases(run, results)

    def play_file(
        self,
        path: pathlib.Path,
        *,
        options: t.Sequence[str] = (),
        by: t.Sequence[str] = (),
        **environment: str,
    ) -> Run:
        """Run the playbook at ``path``."""
        return self._run(["ansible-playbook", str(path), *options], environment, by)

    def adhoc(
        self, module: str, arguments: str = "", *, options: t.Sequence[str] = (), **environment: str
    ) -> Run:
        """Run ``ansible localhost -m module -a arguments``."""
        command = ["ansible", "localhost", "-m", module, "-a", arguments, *options]
        return self._run(command, environment)

    def start(self, *command: str, **environment: str) -> Started:
        """Start ``ansible`` or ``ansible-playbook`` as a terminal does, for signals; no events."""
        log = self._file("output", None)
        request: Request = {
            "command": [_program(command[0]), *command[1:]],
            "environment": {**self.environment(), **environment},
            "directory": str(self.directory),
            "python": sys.executable,
            "stdout": str(log),
            "stderr": str(log),
            "from_a_shell": True,
        }
        return Started(warm().start(request), log)

    def environment(self) -> dict[str, str]:
        """Return the environment in which Ansible runs."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        connection = {}
        if self.server is not None:
            connection = {"BAO_ADDR": self.server.url, "BAO_TOKEN": self.server.token}
            if self.server.ca_cert is not None:
                connection["BAO_CACERT"] = str(self.server.ca_cert)
        return {
            **clean_environment(home),
            "ANSIBLE_COLLECTIONS_PATH": str(collection_tree(self.directory / "collections")),
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
            # Else it takes the home in /etc/passwd for modules, whatever HOME says.
            "ANSIBLE_REMOTE_TMP": str(home / ".ansible" / "tmp"),
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_NOCOLOR": "1",
            # Failures are told at once; what is repeated has tests of its own.
            "BAO_MAX_RETRIES": "0",
            **connection,
        }

    def _run(
        self, command: list[str], environment: t.Mapping[str, str], by: t.Sequence[str] = ()
    ) -> Run:
        events = self._file("events.jsonl", None)
        request: Request = {
            "command": [_program(command[0]), *command[1:]],
            "environment": {
                **self.environment(),
                **RECORDER,
                "VAULTOPS_TEST_EVENTS": str(events),
                **environment,
            },
            "directory": str(self.directory),
            "python": interpreter(),
            "stdout": str(self._file("stdout", None)),
            "stderr": str(self._file("stderr", None)),
            "from_a_shell": False,
        }
        if by or any(map(_is_read_at_the_start, environment)):
            status = in_a_process_of_its_own(request, by)
        else:
            status = warm().run(request, RUN_SECONDS)
        return Run(
            status,
            pathlib.Path(request["stdout"]).read_text(encoding="utf-8"),
            pathlib.Path(request["stderr"]).read_text(encoding="utf-8"),
            [TaskResult(**json.loads(line)) for line in events.read_text("utf-8").splitlines()],
        )

    def _file(self, name: str, content: t.Any) -> pathlib.Path:
        descriptor, path = tempfile.mkstemp(suffix=f"-{name}", dir=self.directory)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if content is not None:
                json.dump(content, file)
        return pathlib.Path(path)
