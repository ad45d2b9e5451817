# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fault at each request of a task, in turn: what the result says is what the server did.

A real server with real plugins stands behind a proxy that spoils one answer, after it has passed
the request on, or instead of it.  Each result is compared with the server's own state.  By default
some of the tries are made, always the same; with $VAULTOPS_TEST_TRUST all.
"""

from __future__ import annotations

import contextlib
import itertools
import pathlib
import random
import resource
import socket
import struct
import threading
import time
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api import plugins_catalog
from ansible_collections.vaultops.vault.plugins.module_utils._catalog import read_back
from ansible_collections.vaultops.vault.plugins.module_utils._rollout import rollout
from ansible_collections.vaultops.vault.tests.support import trust
from ansible_collections.vaultops.vault.tests.support.external_plugin import build_plugin
from ansible_collections.vaultops.vault.tests.support.faults import (
    FAULTS,
    SLOW,
    STATUSES,
    Answer,
    Fault,
)
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN
from ansible_collections.vaultops.vault.tests.support.http_servers import QuietHandler
from ansible_collections.vaultops.vault.tests.support.reconnects import reconnecting_front
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import running_server
from ansible_collections.vaultops.vault.tests.support.stage import (
    COSTLY,
    NEW,
    OLD,
    TIMEOUT,
    Stage,
    Try,
    running_stage,
    tasks,
)

UNKNOWN = "unknown"
ALL = {**FAULTS, **STATUSES}
# How many tries each task gets by default: most start no plugin.
FEW, SOME = 16, 48
# The timeout where no answer comes; bounds of one task: seconds, and bytes that it may grow.
QUICK, LONGEST, MOST_MEMORY = 4.0, 120.0, 160 * 1024**2
# What is tried by default where each request has a connection of its own.
ON_NEW_CONNECTIONS = ("reload builtin mounts", "reload with a login", "register", "info of health")

# The position of a request, the name of a fault, and whether the server got the request.
Place: t.TypeAlias = tuple[int, str, bool]


@pytest.fixture(scope="module")
def stage() -> t.Iterator[Stage]:
    """The stage of all tests here: each task arranges what it needs."""
    with running_stage() as running:
        yield running


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for what does not come."""
    monkeypatch.setattr(read_back, "READS", 3)
    monkeypatch.setattr(rollout, "TRY_PAUSE", 0.1)


class Before(t.NamedTuple):
    """What there was before a task."""

    state: t.Any
    marks: dict[str, t.Any]
    tokens: set[str]


def look(stage: Stage, task: Try) -> Before:
    """Return what the task may change."""
    marks = task.reloaded(stage) if task.reloaded else {}
    state = marks if task.reloaded is task.state else task.state(stage)
    return Before(state, marks, stage.tokens())


def check(stage: Stage, task: Try, before: Before, result: dict[str, t.Any], what: str) -> None:
    """Compare a result with what the server did."""
    after = look(stage, task)
    message = result.get("msg", "")
    told = f"{what}: {message or 'ok'}, {result['warnings']}, {before.state} -> {after.state}"
    assert message.isprintable(), told
    assert stage.server.token not in message, told
    did = before.state != after.state
    if result["changed"]:
        undone = result.get("rolled_back") and stage.proxy.writes
        assert did or undone, f"{told}: nothing was changed"
    elif did:
        assert result.get("failed"), f"{told}: changed, and not told"
        assert UNKNOWN in message, f"{told}: changed, and not told"
    check_rows(task, before, after, result, told)
    if task.operation != "login" and after.tokens - before.tokens:
        shown = " ".join([message, *result["warnings"]])
        assert "token" in shown, f"{told}: a token is left, and not told"


def check_rows(
    task: Try, before: Before, after: Before, result: dict[str, t.Any], told: str
) -> None:
    """Compare what the result says of mounts with what became of them."""
    if "a" in after.marks and not after.marks["a"][0]:
        assert '"a/"' in result.get("msg", ""), f"{told}: dead, and not named"
    if result.get("verified"):
        assert not result.get("failed"), told
        assert not task.version or after.marks["a"][1] == task.version, told
    for row in result.get("mounts") or ():
        path = str(row.get("path", "")).rstrip("/")
        if path in before.marks and row.get("reloaded") is not None:
            reloaded = before.marks[path] != after.marks[path]
            undone = result.get("rolled_back") and reloaded
            assert row["reloaded"] == reloaded or undone, f"{told}: {row}"


def places(requests: list[str]) -> list[Place]:
    """Return all that can be tried on a task: each fault at each request, each status once."""
    found: list[Place] = []
    for position, request in enumerate(requests):
        # Whether the server got a read makes no difference to it.
        ways = [True] if request.startswith(("GET", "LIST")) else [True, False]
        found += [(position, fault, way) for way in ways for fault in FAULTS]
    turns = itertools.cycle([(n, way) for way in (True, False) for n in range(len(requests))])
    found += [
        (position, status, way) for status, (position, way) in zip(STATUSES, turns, strict=False)
    ]
    return found


def chosen(name: str, requests: list[str]) -> list[Place]:
    """Return what this run tries: by default some, half of them at requests that write."""
    whole = places(requests)
    if trust.is_full():
        return whole
    count = FEW if name in COSTLY else SOME
    chance = random.Random(f"{trust.seed()} {name}")
    quick = [place for place in whole if place[1] not in SLOW]
    writes = [place for place in quick if not requests[place[0]].startswith(("GET", "LIST"))]
    some = chance.sample(writes, count // 2) if writes else []
    return some + chance.sample(quick, count - len(some))


def peak() -> int:
    """Return the most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def try_out(stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str, place: Place) -> None:
    """Run a task with a fault, check its result, and repeat it where something is left."""
    position, fault, passes_on = place
    task = tasks()[name](stage)
    before, memory, since = look(stage, task), peak(), time.monotonic()
    stage.proxy.arm(ALL[fault], position, passes_on=passes_on)
    what = f"{name}, {fault} at {position}, {'done' if passes_on else 'not done'}"
    timeout = QUICK if fault in SLOW else TIMEOUT
    with monkeypatch.context() as patch:
        patch.setattr(plugins_catalog, "_REGISTER_TIMEOUT", timeout)
        result = stage.run(task, timeout)
    assert time.monotonic() - since < LONGEST, what
    assert peak() - memory < MOST_MEMORY, what
    check(stage, task, before, result, what)
    stage.proxy.arm(None)
    if result.get("failed") or trust.is_full():
        again = stage.run(task)
        assert not again.get("failed"), f"{what}, again: {again.get('msg')}"
        assert stage.serves()[0], f"{what}, again: dead"
        assert not task.version or stage.serves()[1] == task.version, f"{what}, again"


def group(name: str) -> pytest.MarkDecorator:
    """Return who shares a stage: all tests here, but in full each task takes minutes."""
    return pytest.mark.xdist_group(f"faults, {name}" if trust.is_full() else "faults")


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(name, marks=group(name)) for name in tasks()])
def test_each_request_of_a_task_by_each_fault(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    task = tasks()[name](stage)
    stage.proxy.arm(None)
    assert not stage.run(task).get("failed")
    requests = list(stage.proxy.seen)
    assert requests
    these = chosen(name, requests)
    failures = []
    for place in these:
        try:
            try_out(stage, monkeypatch, name, place)
        except AssertionError as error:
            failures.append(str(error).splitlines()[0])
    assert not failures, "\n".join([f"{len(failures)} of {len(these)} tries failed:", *failures])
    row = {"requests": len(requests), "tries": len(these)}
    trust.note("faults", name, faults=len(ALL), tasks={name: row})


@pytest.mark.slow
@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("fault", SLOW)
def test_a_reload_whose_answer_does_not_come_in_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    stage.proxy.arm(None)
    stage.run(tasks()["reload a mount"](stage))
    position = next(n for n, line in enumerate(stage.proxy.seen) if line.startswith("POST"))
    try_out(stage, monkeypatch, "reload a mount", (position, fault, True))


@pytest.mark.slow
@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize(
    ("name", "method", "fault", "passes_on"),
    [
        ("register", "POST", "no content", False),
        ("remove", "DELETE", "no content", False),
        ("revoke", "POST", "no content", False),
        ("revoke", "POST", "no content", True),
        ("revoke", "POST", "hang-up", True),
        ("revoke", "POST", "504 empty", True),
    ],
)
def test_what_was_found_once(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    method: str,
    fault: str,
    passes_on: bool,
) -> None:
    stage.proxy.arm(None)
    stage.run(tasks()[name](stage))
    position = next(n for n, line in enumerate(stage.proxy.seen) if line.startswith(method))
    try_out(stage, monkeypatch, name, (position, fault, passes_on))


@pytest.mark.slow
@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize(
    ("does", "told"),
    [("tunes", "configured for v1.0.0 meanwhile"), ("disables", "is not there any more")],
)
def test_another_operator_after_the_reload_of_an_upgrade(
    stage: Stage, does: str, told: str
) -> None:
    for version in (NEW, OLD):
        stage.proxy.arm(None)
        options = {"plugin": PLUGIN, "version": version}
        stage.run(Try("plugin_upgrade", options, Stage.entries))
    position = next(n for n, line in enumerate(stage.proxy.seen) if "plugins/reload" in line)

    def act(handler: QuietHandler, answer: Answer) -> None:
        if does == "tunes":
            stage.server.tune_version("a", OLD)
        else:
            stage.server.call("DELETE", "sys/mounts/a")
        handler.reply(*answer)

    stage.proxy.arm(Fault(act=act), position)
    result = stage.run(Try("plugin_upgrade", {"plugin": PLUGIN, "version": NEW}, Stage.entries))
    stage.proxy.arm(None)
    if does == "disables":
        stage.server.mount("a", PLUGIN, version=OLD)
    (row,) = result["mounts"]
    assert told in " ".join([result.get("msg", ""), *result["warnings"]])
    assert "DOWN" not in result.get("msg", "")
    assert result["changed"] is row["reloaded"] is True
    assert row["alive"] is (True if does == "tunes" else None)


@contextlib.contextmanager
def audit_log_that_ends_with(request: str) -> t.Iterator[int]:
    """Take an audit log on a port, until it has a ``request``: not the response any more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def read(connection: socket.socket) -> None:
            with connection, connection.makefile("rb") as lines:
                for line in lines:
                    if request.encode() in line:
                        # For the server to know at once, and to find nobody again.
                        listener.shutdown(socket.SHUT_RDWR)
                        listener.close()
                        linger = struct.pack("ii", 1, 0)
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                        break

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listener.accept()
                    threading.Thread(target=read, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.mark.slow
@pytest.mark.openbao_only("its configuration declares audit devices")
def test_a_server_that_cannot_log_what_it_did() -> None:
    """It answers "internal error", and has done it: its log ends while the plugin starts."""
    options: dict[str, t.Any] = {"mounts": ["k"], "verify": False}
    with audit_log_that_ends_with("sys/plugins/reload/backend") as port:
        address = f'address = "127.0.0.1:{port}"'
        audit = f'audit "socket" "s" {{ options {{ {address} \n socket_type = "tcp" }} }}'
        with running_server(configuration=audit) as server:
            plugin = build_plugin(server.plugin_directory / "ext")
            server.register("ext", plugin)
            server.mount("k", "ext")
            plugin.fault("sleep 1")
            options["url"] = server.url
            result = run_task("plugin_reload", options, False, proxy="", token=server.token)
            assert "successfully reloaded plugin" in server.log
    assert (result["status"], result["errors"]) == (500, ["internal error"])
    assert "the outcome of the reload is unknown: internal error" in result["msg"]


@pytest.mark.slow
@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("certificates", [True, False], ids=["certificate", "mocked name"])
def test_each_request_of_a_task_on_a_connection_that_cannot_be_made(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, certificates: bool
) -> None:
    """Another authority has signed the certificate, or the name has no address any more."""
    failures = []
    stage.proxy.arm(None)
    with reconnecting_front(stage.proxy.url, tmp_path, certificates=certificates) as front:
        by = {"url": front.url, "ca_cert": front.ca_cert}
        if not certificates:
            monkeypatch.setattr(socket, "getaddrinfo", front.look_up)
        for name in tasks() if trust.is_full() else ON_NEW_CONNECTIONS:
            front.arm()
            assert not stage.run(tasks()[name](stage), TIMEOUT, **by).get("failed")
            count, failed = front.met, 0
            for position in range(count):
                task = tasks()[name](stage)
                before = look(stage, task)
                front.arm(position)
                result = stage.run(task, TIMEOUT, **by)
                try:
                    told = f"{name}, {position} of {count}"
                    assert front.met > position, f"{told}: not met"
                    check(stage, task, before, result, told)
                except AssertionError as error:
                    failures.append(str(error).splitlines()[0])
                failed += bool(result.get("failed") or result["warnings"])
            # But for a look that decides nothing, such as the health of what is reloaded anyway.
            assert failed >= count - 1, f"{name}: {failed} of {count}"
    assert not failures, "\n".join(failures)
