# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fork of a process that has imported Ansible, or its modules, does what one of its own does."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible, TaskResult
from ansible_collections.vaultops.vault.tests.support.server import clean_environment
from ansible_collections.vaultops.vault.tests.support.warm_ansible import Request, Warm
from ansible_collections.vaultops.vault.tests.support.warm_python import interpreter

SHOW = {
    "ansible.builtin.debug": {
        "msg": [
            "{{ lookup('env', 'HOME') }}, {{ lookup('env', 'SOME') }}, {{ playbook_dir }}",
            "{{ lookup('config', 'COLLECTIONS_PATHS', 'DEFAULT_REMOTE_TMP', wantlist=true) }}",
            "{{ ansible_playbook_python }}, {{ lookup('pipe', 'cat; id -u; pwd') }}",
        ]
    }
}
DIFFERS = ("delta", "start", "end", "src", "exception", "module_stderr", "invocation")
PLAYBOOKS: dict[str, list[dict[str, t.Any]]] = {
    "success": [SHOW],
    "failure": [SHOW, {"ansible.builtin.fail": {"msg": "as told"}}],
    "as a module": [{"ansible.builtin.command": "/bin/sh -c 'echo $SOME; pwd'"}],
    "no such module": [{"no.such.module": {}}],
}


@pytest.mark.parametrize("tasks", PLAYBOOKS.values(), ids=PLAYBOOKS)
def test_the_same_as_a_process_of_its_own(
    tasks: list[dict[str, t.Any]], tmp_path: pathlib.Path
) -> None:
    ansible = Ansible(tmp_path)
    forked, own = (ansible.playbook(*tasks, by=by, SOME="value") for by in ((), ("env",)))
    assert (forked.returncode, _text(forked.output)) == (own.returncode, _text(own.output))
    assert [(task.name, task.status) for task in forked.tasks] == [
        (task.name, task.status) for task in own.tasks
    ]


def test_ad_hoc(tmp_path: pathlib.Path) -> None:
    run = Ansible(tmp_path).adhoc("ansible.builtin.debug", "msg=hello")
    assert run.returncode == 0
    assert run.result["msg"] == "hello"


@pytest.fixture
def sleeping(tmp_path: pathlib.Path) -> Request:
    """A playbook that takes long, with files of its own for what it prints."""
    playbook = tmp_path / "sleeps.yml"
    # Its worker ends with it; one that pauses would wait for ever for an Ansible that was killed.
    task = "ansible.builtin.command: sleep 20"
    playbook.write_text(f"[{{hosts: localhost, gather_facts: false, tasks: [{task}]}}]")
    for stream in ("stdout", "stderr"):
        (tmp_path / stream).touch()
    return {
        "command": ["ansible-playbook", str(playbook)],
        "environment": Ansible(tmp_path).environment(),
        "directory": str(tmp_path),
        "python": sys.executable,
        "stdout": str(tmp_path / "stdout"),
        "stderr": str(tmp_path / "stderr"),
        "from_a_shell": False,
    }


@pytest.fixture
def own_warm(tmp_path: pathlib.Path) -> t.Iterator[Warm]:
    """A process that no other test uses, started where SIGINT and SIGHUP are ignored."""
    ignored = (signal.SIGINT, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in ignored]
    warm = Warm(clean_environment(tmp_path))
    for number, handler in zip(ignored, before, strict=True):
        signal.signal(number, handler)
    yield warm
    warm.end()


def test_a_command_that_does_not_end_is_ended(own_warm: Warm, sleeping: Request) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        own_warm.run(sleeping, 3)
    with pytest.raises(ProcessLookupError):
        os.kill(own_warm.pid, 0)


def test_signals_do_what_they_do_to_a_command_from_a_shell(
    own_warm: Warm, sleeping: Request
) -> None:
    pid = own_warm.start({**sleeping, "from_a_shell": True})
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    deadline = time.monotonic() + 60
    while not children.read_text():  # it has begun with the task
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert os.getsid(pid) == pid
    os.kill(pid, signal.SIGHUP)
    assert own_warm.wait(60) == -signal.SIGHUP


def test_what_a_failed_test_has_left_is_ended(own_warm: Warm, sleeping: Request) -> None:
    left = own_warm.start({**sleeping, "from_a_shell": True})
    own_warm.start({**sleeping, "from_a_shell": True})
    with pytest.raises(ProcessLookupError):
        os.kill(left, 0)


MODULES: dict[str, dict[str, t.Any]] = {
    "success": {"ansible.builtin.command": "/bin/sh -c 'echo $SOME; pwd; umask; cat; id -u'"},
    "failure": {"ansible.builtin.command": "/bin/sh -c 'echo out; echo err >&2; exit 3'"},
    "a file": {"ansible.builtin.copy": {"content": "text", "dest": "file", "mode": "0640"}},
    "its state": {"ansible.builtin.stat": {"path": "file", "checksum_algorithm": "sha256"}},
    "the end of Python": {"ansible.builtin.command": "/bin/sh -c 'kill -KILL $PPID'"},
    "our own": {"vaultops.vault.plugin_reload": {"plugin": "x", "url": "http://127.0.0.1:1"}},
}


def test_modules_do_the_same_on_a_python_of_their_own(tmp_path: pathlib.Path) -> None:
    tasks = [
        {"name": name, "ignore_errors": True, "environment": {"SOME": "value"}, **task}
        for name, task in MODULES.items()
    ]
    runs = []
    for python in (interpreter(), sys.executable):
        variables = {"ansible_python_interpreter": python, "vaultops_in_process": False}
        play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}
        runs.append(Ansible(tmp_path).plays(play).tasks)
        (tmp_path / "file").unlink()
    forked, own = runs
    assert [task.status for task in own] == ["ok", "failed"] + 2 * ["ok"] + 2 * ["failed"]
    for one, other in zip(forked, own, strict=True):
        assert (one.name, one.status, _told(one)) == (other.name, other.status, _told(other))


def _told(task: TaskResult) -> dict[str, t.Any]:
    """Return the result without what differs from run to run."""
    told = {key: value for key, value in task.result.items() if key not in DIFFERS}
    told["stat"] = {key: told.get("stat", {}).get(key) for key in ("checksum", "mode", "size")}
    return told


def _text(output: str) -> str:
    """Return the output without what differs from run to run."""
    lines = output.splitlines()
    return "\n".join(line for line in lines if "delta" not in line and "playbook.json" not in line)
