# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fault at each request of a task, in turn: what the result says is what the server did.

A real server with real plugins stands behind a proxy that answers one request itself, after it has
passed that request on, or instead of it.  Each result is compared with the server's own state.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._catalog import read_back
from ansible_collections.vaultops.vault.plugins.module_utils._rollout import rollout
from ansible_collections.vaultops.vault.tests.support.external_plugin import (
    BuiltPlugin,
    build_plugin,
)
from ansible_collections.vaultops.vault.tests.support.faults import (
    FAULTS,
    FaultProxy,
    fault_proxy,
)
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import Server, running_server

OLD, NEW = "v1.0.0", "v1.1.0"
UNKNOWN = "unknown"


class Stage(t.NamedTuple):
    """A server with a plugin in two versions, mounted at a and b, behind a proxy."""

    server: Server
    proxy: FaultProxy
    old: BuiltPlugin
    new: BuiltPlugin

    def arrange(self) -> None:
        """Let both mounts run the old version, and the catalog have no further entry."""
        self.server.request("DELETE", "sys/plugins/catalog/secret/other?version=v1.1.0")
        for path in ("a", "b"):
            self.server.tune_version(path, OLD)
        if any(self.version(path) != OLD for path in ("a", "b")):
            self.server.call("POST", "sys/plugins/reload/backend", {"mounts": "a,b"})

    def pid(self, path: str) -> int:
        """Return the process behind a mount."""
        return int(self.server.info(path)["pid"])

    def version(self, path: str) -> str:
        """Return the version that the process behind a mount tells, empty for a dead one."""
        answer = self.server.request("GET", f"{path}/info")
        return str(answer.json()["data"]["version"]) if answer.ok else ""

    def entries(self) -> set[str]:
        """Return the names of the external plugins in the catalog."""
        rows = self.server.call("GET", "sys/plugins/catalog")["detailed"]
        return {f"{row['name']} {row['version']}" for row in rows if not row["builtin"]}

    def run(self, task: Task) -> dict[str, t.Any]:
        """Run a task through the proxy; its result is one clear line, and never a traceback."""
        result = run_task(
            task.operation, task.options, False, proxy=self.proxy.url, token=self.server.token
        )
        if result.get("failed"):
            assert "\n" not in result["msg"]
            assert self.server.token not in result["msg"]
        return result


class Task(t.NamedTuple):
    """A task, and what of the server's state it changes."""

    operation: str
    options: dict[str, t.Any]
    state: t.Callable[[Stage], t.Any]


def _processes(stage: Stage) -> list[int]:
    return [stage.pid(path) for path in ("a", "b")]


def _new_plugin(stage: Stage) -> dict[str, t.Any]:
    return {
        "name": "other",
        "type": "secret",
        "version": NEW,
        "sha256": stage.new.sha256,
        "command": stage.new.path.name,
    }


def tasks(stage: Stage) -> dict[str, Task]:
    """Return the tasks, by name."""
    upgrade = {"plugin": PLUGIN, "version": NEW}
    return {
        "reload mounts": Task("plugin_reload", {"mounts": ["a", "b"]}, _processes),
        "reload a plugin": Task("plugin_reload", {"plugin": PLUGIN}, _processes),
        "current": Task("plugin_reload", {"mounts": ["a"], "state": "current"}, _processes),
        "upgrade": Task("plugin_upgrade", upgrade, _processes),
        "register": Task("plugin", _new_plugin(stage), Stage.entries),
        "info": Task("plugin_info", {"name": PLUGIN}, _processes),
    }


@pytest.fixture(scope="module")
def stage() -> t.Iterator[Stage]:
    """The stage of all tests here: each arranges it anew."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_server())
        proxy = stack.enter_context(fault_proxy(server.url))
        built = [
            build_plugin(server.plugin_directory / f"{PLUGIN}-{version}", version=version)
            for version in (OLD, NEW)
        ]
        for plugin in built:
            server.register(PLUGIN, plugin)
        for path in ("a", "b"):
            server.mount(path, PLUGIN, version=OLD)
        yield Stage(server, proxy, *built)


def check(stage: Stage, task: Task, before: t.Any, result: dict[str, t.Any], what: str) -> None:
    """Compare a result with what the server did."""
    told = f"{what}: {result.get('msg', 'ok')}, {result['warnings']}"
    for path in ("a", "b"):
        if not stage.version(path):
            assert f'"{path}/"' in result.get("msg", ""), f"{told}: {path} is dead and not named"
    did = before != task.state(stage)
    if result["changed"]:
        undone = result.get("rolled_back") and stage.proxy.writes
        assert did or undone, f"{told}: nothing was changed"
    elif did:
        assert UNKNOWN in result["msg"], f"{told}: changed, and not told"
    if result.get("verified"):
        assert not result.get("failed"), told
        wanted = NEW if task.operation == "plugin_upgrade" else OLD
        assert all(stage.version(row["path"][0]) == wanted for row in result["mounts"]), told
    for row in result.get("mounts") or ():
        if row.get("reloaded") is False:
            assert not did or task.operation == "plugin_upgrade", f"{told}: {row}"


def chosen_faults(request: str, position: int, passes_on: bool) -> list[str]:
    """Return the faults to try: all that there are, or at each position some others."""
    if os.environ.get("VAULTOPS_TEST_ALL_FAULTS"):
        return list(FAULTS)
    if not request.startswith("POST"):
        return list(FAULTS)[position % 9 :: 9]
    return list(FAULTS) if passes_on else list(FAULTS)[position % 4 :: 4]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for what does not come."""
    monkeypatch.setattr(read_back, "READS", 3)
    monkeypatch.setattr(rollout, "TRY_PAUSE", 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("passes_on", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize(
    "name", ["reload mounts", "reload a plugin", "current", "upgrade", "register", "info"]
)
def test_each_request_of_a_task_by_each_fault(stage: Stage, name: str, passes_on: bool) -> None:
    task = tasks(stage)[name]
    stage.arrange()
    stage.proxy.arm(None)
    assert not stage.run(task).get("failed")
    requests = list(stage.proxy.seen)
    assert requests
    for position, request in enumerate(requests):
        for fault in chosen_faults(request, position, passes_on):
            stage.arrange()
            before = task.state(stage)
            stage.proxy.arm(FAULTS[fault], position, passes_on=passes_on)
            result = stage.run(task)
            check(stage, task, before, result, f"{fault} at {request}")
            stage.proxy.arm(None)
            again = stage.run(task)
            assert not again.get("failed"), f"{fault} at {request}, again: {again.get('msg')}"
