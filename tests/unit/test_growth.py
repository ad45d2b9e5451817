# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own time grows with the number of mounts, not with its square.

Ratios only: no machine is slow enough to fail.
"""

from __future__ import annotations

import gc
import time
import types
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import Node
from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Health
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    reload_mounts,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import Catalog
from ansible_collections.vaultops.vault.plugins.module_utils._errors import Refused
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection
from ansible_collections.vaultops.vault.plugins.module_utils._operations import (
    plugin_info,
    plugin_reload,
    plugin_upgrade,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload import (
    all_nodes,
    each_node,
    verification,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import NodeState
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import (
    ReloadOptions,
    Wait,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import (
    Preflight,
    Selection,
)

pytestmark = pytest.mark.slow

FEW, MANY = 1_000, 8_000
# Linear is 8, the square is 64.
MOST = 18.0
NODES = [Node(f"http://n{number}", f"n{number}") for number in range(3)]
ALL = Server("OpenBao", "2.7.1", role="active")


def entry(version: str) -> CatalogEntry:
    """Return an entry of the plugin."""
    return CatalogEntry("secret", "ext", version, version, builtin=False)


CATALOG = Catalog([entry("v1.0.0"), entry("v1.1.0")], {})


def mounts(count: int) -> list[Mount]:
    """Return so many mounts of the plugin, each second one stale."""
    return [
        Mount(f"m{n:05}/", "secret", "ext", f"ext_{n}", "v1.1.0", v, v)
        for n, v in ((n, ("v1.0.0", "v1.1.0")[n % 2]) for n in range(count))
    ]


class FakeServer(VaultClient):
    """A server with so many mounts, which reloads them; ``failing`` says that half of them fail."""

    def __init__(self, count: int, failing: bool = False) -> None:
        super().__init__(Connection("http://fake"))
        self.failing = failing
        row = {"type": "ext", "plugin_version": "v1.1.0"}
        self.rows = {
            m.path: {
                **row,
                "accessor": m.accessor,
                "running_plugin_version": m.running_version,
                "running_sha256": m.running_version,
            }
            for m in mounts(count)
        }

    def request(
        self, method: str, path: str, body: t.Mapping[str, t.Any] | None = None, **_more: t.Any
    ) -> Answer:
        if method == "POST" and path.endswith("backend"):
            return self.reload((body or {})["mounts"])
        if path == "sys/mounts":
            system = {"type": "system", "accessor": "system_1"}
            return self.answer({**self.rows, "sys/": system})
        if path == "sys/plugins/catalog":
            detailed = [
                {"type": e.kind, "name": e.name, "version": e.version, "sha256": e.sha256}
                for e in CATALOG.entries
            ]
            builtin = {"type": "secret", "name": "kv", "version": "v2+builtin.bao", "builtin": True}
            return self.answer({"detailed": [*detailed, builtin]})
        if path == "sys/auth":
            return self.answer({"token/": {"type": "token", "accessor": "token_1"}})
        return self.answer({})

    def reload(self, named: str | list[str]) -> Answer:
        paths = named.split(",") if isinstance(named, str) else named
        if self.failing:
            words = [f'* cannot reload plugin on "{path}": it exits' for path in paths[::2]]
            text = f"{len(words)} errors occurred:\n\t" + "\n\t".join(words)
            raise Refused(text, status=500, errors=[text])
        for path in paths:
            self.rows[path].update(running_plugin_version="v1.1.0", running_sha256="v1.1.0")
        return self.answer({"reload_id": "an-id"})

    @staticmethod
    def answer(data: dict[str, t.Any]) -> Answer:
        return Answer(200, {"request_id": "1", "data": data, "warnings": None}, "it")


def run(
    operation: types.ModuleType, check_mode: bool = False, **options: t.Any
) -> t.Callable[[int], object]:
    """Return what runs a task with so many mounts."""
    params = {name: spec.get("default") for name, spec in operation.SPEC.items()}
    params.update(options, **({"probe": "false"} if "probe" in params else {}))

    def task(count: int) -> object:
        named = [m.path for m in mounts(count)] if params.get("mounts") else params.get("mounts")
        return operation.run(FakeServer(count), {**params, "mounts": named}, check_mode)

    return task


class Progress:
    """In the place of the nodes, for what only tells them of its progress."""

    def __init__(self, count: int) -> None:
        self.active = NODES[0]
        self.all = NODES
        self.progress = print
        self.clients = {node: FakeServer(count) for node in NODES}

    def client(self, node: Node) -> VaultClient:
        return self.clients[node]


def states(count: int) -> list[NodeState]:
    """Return what three nodes say of so many mounts."""
    rows = {m.path: m for m in mounts(count)}
    return [NodeState(node, ALL, rows, dict.fromkeys(rows, Health(True))) for node in NODES]


def situation(count: int) -> all_nodes.Situation:
    """Return what is known of three nodes before a reload."""
    preflight = Preflight(mounts(count), CATALOG)
    before = states(count)
    stale = {state.node: all_nodes._stale_on(state, preflight) for state in before}
    selection = Selection(mounts(count)[::2])
    return all_nodes.Situation(ALL, preflight, selection, before, stale)


def predicted_nodes(count: int) -> object:
    """Predict a reload on three nodes."""
    return all_nodes._predicted(ReloadOptions(only_stale=True, wait=Wait(1, 1)), situation(count))


def reloaded_nodes(count: int) -> object:
    """Reload on three nodes, and evaluate what they say."""
    known = situation(count)
    options = ReloadOptions(paths=("some",), only_stale=True)
    nodes: t.Any = Progress(count)
    selected = mounts(count)
    answers = each_node.reload_each(nodes, options, ALL, selected, known.before, known.stale)
    return [
        verification.evaluate_node(s, s, selected, known.preflight, answers[s.node])
        for s in known.before
    ]


def failing(count: int) -> object:
    """Reload mounts of which half fail, and take the server's words apart."""
    return reload_mounts(FakeServer(count, failing=True), [m.path for m in mounts(count)], "local")


WORK: dict[str, t.Callable[[int], object]] = {
    "reload": run(plugin_reload, mounts=True),
    "check mode": run(plugin_reload, check_mode=True, mounts=True),
    "current": run(plugin_reload, mounts=True, state="current"),
    "current by plugin": run(plugin_reload, plugin="ext", state="current"),
    "upgrade": run(plugin_upgrade, plugin="ext", version="v1.1.0"),
    "upgrade of named mounts": run(plugin_upgrade, plugin="ext", version="v1.1.0", mounts=True),
    "info": run(plugin_info),
    "info of named mounts": run(plugin_info, mounts=True),
    "a failed reload": failing,
    "nodes, check mode": predicted_nodes,
    "nodes": reloaded_nodes,
}


def seconds(work: t.Callable[[int], object], count: int) -> float:
    """Return the least time of this thread of a few runs, without what others' garbage takes."""
    times = []
    for _run in range(3):
        gc.collect()
        gc.disable()
        begin = time.thread_time()
        work(count)
        times.append(time.thread_time() - begin)
        gc.enable()
    return min(times)


@pytest.mark.parametrize("name", WORK)
def test_mocked_server_with_eight_times_the_mounts(name: str) -> None:
    work = WORK[name]
    ratio = seconds(work, MANY) / seconds(work, FEW)
    assert ratio < MOST, f"{name}: {MANY} mounts cost {ratio:.0f} times what {FEW} cost"
