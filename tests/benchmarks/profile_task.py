# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time of a task goes: in Ansible's worker, and in the process of a module."""

from __future__ import annotations

import base64
import functools
import gc
import http.client
import importlib
import json
import multiprocessing
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.parse
from unittest import mock

from ..support.ansible_runs import Ansible, collection_tree
from ..support.server import running_server
from . import module_steps

if t.TYPE_CHECKING:
    from ansible_collections.vaultops.vault.plugins.module_utils._http.transport import Outgoing

RUNS = 15
MODULE = "vaultops.vault.plugin_reload"
COLLECTION = "ansible_collections.vaultops.vault.plugins"
# What a worker inherits from Ansible's main process.
INHERITED = (
    "ansible.cli.playbook",
    "ansible.executor.task_executor",
    f"{COLLECTION}.plugin_utils._in_process",
    f"{COLLECTION}.module_utils._operations.plugin_reload",
)

Options = dict[str, t.Any]
# Milliseconds and minor page faults of each step.
Steps = dict[str, tuple[float, float]]


def report() -> str:
    """Return the steps as Markdown tables: medians of RUNS processes."""
    with running_server() as server, tempfile.TemporaryDirectory(prefix="profile-") as work:
        ansible = Ansible(pathlib.Path(work), server)
        options = {"url": server.url, "token": server.token, "plugin": "kv"}
        lines = ["### In a process just forked", "", "| Step | ms | page faults |", "|---|---|---|"]
        for name, (milliseconds, faults) in _in_forks(ansible, options).items():
            lines.append(f"| {name} | {milliseconds:.2f} | {faults:.0f} |")
        lines += ["", "### In one process, after the first turn of a loop", ""]
        lines += ["| Turn | ms |", "|---|---|"]
        for name, milliseconds in _in_a_loop(options).items():
            lines.append(f"| {name} | {milliseconds:.1f} |")
        lines += ["", "### In the process of a module", "", "| Step | ms |", "|---|---|"]
        for name, milliseconds in _in_modules(ansible, options).items():
            lines.append(f"| {name} | {milliseconds:.1f} |")
    return "\n".join(lines)


def _in_forks(ansible: Ansible, options: Options) -> Steps:
    sys.path.insert(0, str(collection_tree(ansible.directory / "collections")))
    for module in INHERITED:
        importlib.import_module(module)
    steps = functools.partial(_steps, options)
    verified = functools.partial(_whole, "a verified task", options)
    bare = {**options, "verify": False}
    warm_up = functools.partial(_whole, "", bare)
    works: list[t.Callable[[], Steps]] = [steps, verified]
    for name, prepare in (
        ("a bare task", _nothing),
        ("a bare task, after one before the fork", warm_up),
        ("a bare task, after gc.freeze() before the fork", gc.freeze),
    ):
        works.append(functools.partial(_after, prepare, functools.partial(_whole, name, bare)))
    # In turn, and not counting the server's own first requests.
    runs = [[_in_a_fork(work) for work in works] for _run in range(RUNS + 1)][1:]
    return {
        name: (
            statistics.median(run[number][name][0] for run in runs),
            statistics.median(run[number][name][1] for run in runs),
        )
        for number, steps_of_work in enumerate(runs[0])
        for name in steps_of_work
    }


def _nothing() -> None:
    """Prepare nothing."""


def _after(prepare: t.Callable[[], object], work: t.Callable[[], Steps]) -> Steps:
    prepare()
    return _in_a_fork(work)


def _in_a_fork(work: t.Callable[[], Steps]) -> Steps:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(work()))
    process.start()
    sender.close()
    try:
        found: Steps = receiver.recv()
    except EOFError:
        raise SystemExit("a step has failed, as shown above") from None
    finally:
        process.join()
    return found


class _Clock:
    """Takes what each step costs."""

    def __init__(self) -> None:
        self.steps: Steps = {}
        self._before = self._now()
        # Its own first use is none of the steps'.
        self.took("nothing")
        del self.steps["nothing"]

    def took(self, step: str) -> None:
        """Note the cost of ``step``, which began where the last one ended."""
        before, now = self._before, self._now()
        self.steps[step] = (now[0] - before[0], now[1] - before[1])
        self._before = self._now()

    @staticmethod
    def _now() -> tuple[float, int]:
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        return time.perf_counter() * 1000, faults


def _steps(options: Options) -> Steps:
    from ansible_collections.vaultops.vault.plugins.module_utils._auth.methods import (
        chosen_identity,
    )
    from ansible_collections.vaultops.vault.plugins.module_utils._auth.session import Session
    from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection

    clock = _Clock()
    params = _validated(options)
    clock.took("argument validation")
    connection = Connection.from_params(params)
    clock.took("Connection.from_params()")
    client = Session(connection, params["auth_mode"])
    clock.took("Session()")
    with client:
        client.adopt(chosen_identity(params))
        client.request("GET", "sys/health", plain=True)
        clock.took("first request")
        client.request("GET", "sys/health", plain=True)
        clock.took("second request")
    return clock.steps


def _in_a_loop(options: Options) -> dict[str, float]:
    """Return what a turn costs, and its requests alone by Python's own client, kept alive."""
    bare = {**options, "verify": False}
    requests = {"bare": _requests(bare), "verified": _requests(options)}
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(options["url"]).netloc)
    turns: dict[str, t.Callable[[], object]] = {
        "a bare turn": functools.partial(_whole, "", bare),
        "a verified turn": functools.partial(_whole, "", options),
    }
    for name, sent in requests.items():
        one = "its request" if len(sent) == 1 else f"its {len(sent)} requests"
        turns[f"{one} by http.client ({name})"] = functools.partial(_send, connection, sent)
    took: dict[str, list[float]] = {name: [] for name in turns}
    for _run in range(RUNS * 4):
        for name, turn in turns.items():
            since = time.perf_counter()
            turn()
            took[name].append((time.perf_counter() - since) * 1000)
    connection.close()
    return {name: statistics.median(times) for name, times in took.items()}


def _requests(options: Options) -> list[Outgoing]:
    """Return the requests of a task, which is run."""
    from ansible_collections.vaultops.vault.plugins.module_utils._http.transport import Transport

    sent: list[Outgoing] = []
    send = Transport.send

    def noting(self: Transport, request: Outgoing, base: str) -> t.Any:
        sent.append(request)
        return send(self, request, base)

    with mock.patch.object(Transport, "send", noting):
        _whole("", options)
    return sent


def _send(connection: http.client.HTTPConnection, requests: t.Sequence[Outgoing]) -> None:
    for request in requests:
        query = f"?{urllib.parse.urlencode(request.query)}" if request.query else ""
        headers = dict(request.headers)
        connection.request(request.method, request.api_path + query, request.content, headers)
        connection.getresponse().read()


def _whole(name: str, options: Options) -> Steps:
    from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import perform
    from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_reload

    clock = _Clock()
    perform(plugin_reload, _validated(options), False)
    clock.took(name)
    return clock.steps


def _validated(options: Options) -> Options:
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import argument_spec
    from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_reload

    validator = ArgumentSpecValidator(argument_spec(plugin_reload), **plugin_reload.CONSTRAINTS)
    params: Options = validator.validate(options).validated_parameters
    return params


def _in_modules(ansible: Ansible, options: Options) -> dict[str, float]:
    """Return the medians of the steps of module_steps, and of the process around them."""
    payload = ansible.directory / "payload.zip"
    payload.write_bytes(_payload(ansible))
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": options})
    command = [sys.executable, module_steps.__file__, str(payload), arguments]
    runs: list[dict[str, float]] = []
    for _run in range(RUNS):
        started = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        taken = (time.perf_counter() - started) * 1000
        steps: dict[str, float] = json.loads(done.stdout)
        runs.append({"start and end of Python": taken - sum(steps.values()), **steps})
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def _payload(ansible: Ansible) -> bytes:
    """Return the zip that Ansible sends to a target: sources without compiled code."""
    remote = ansible.directory / "remote"
    task = {MODULE: {"plugin": "kv"}, "vars": {"vaultops_in_process": False}}
    ansible.playbook(task, ANSIBLE_KEEP_REMOTE_FILES="true", ANSIBLE_REMOTE_TMP=str(remote))
    (sent,) = remote.rglob("AnsiballZ_*.py")
    return base64.b64decode(max(re.findall(r"[\w+/=]{1000,}", sent.read_text()), key=len))
