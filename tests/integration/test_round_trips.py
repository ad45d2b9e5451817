# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many round trips a task takes: the table in docs/performance.md."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._http.together import MOST_CONNECTIONS
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.rounds import Rounds, rounds_proxy
from ansible_collections.vaultops.vault.tests.support.server import Server

OLD, NEW = "v1.0.0", "v1.1.0"
# More than two rounds of them.
MANY = 2 * MOST_CONNECTIONS + 1


class Row(t.NamedTuple):
    """A row of the table: in words, the operation and its options, and the round trips.

    ``one`` are those for one mount, ``many`` those for MANY mounts; on HashiCorp Vault there are
    ``vault`` more, as pins are read after the catalog, and plugin runtimes.
    """

    words: str
    operation: str
    options: dict[str, t.Any]
    one: int
    many: int | None = None
    vault: int = 1
    check_mode: bool = False


BY_PLUGIN: dict[str, t.Any] = {"plugin": PLUGIN}

# In this order, as each begins with what the one before left.
ROWS = (
    Row(
        "plugin_reload, verify: false",
        "plugin_reload",
        {**BY_PLUGIN, "verify": False},
        1,
        1,
        vault=0,
    ),
    Row("plugin_reload of an external plugin", "plugin_reload", BY_PLUGIN, 4, 6),
    Row("plugin_reload of a builtin plugin", "plugin_reload", {"plugin": "kv"}, 3),
    # With many mounts more on OpenBao only, which does not list those that are being removed.
    Row("plugin_reload, check mode", "plugin_reload", BY_PLUGIN, 2, vault=0, check_mode=True),
    Row(
        "plugin_reload, state: current, nothing to do",
        "plugin_reload",
        {**BY_PLUGIN, "state": "current"},
        2,
        4,
    ),
    Row(
        "plugin_upgrade, check mode",
        "plugin_upgrade",
        {**BY_PLUGIN, "version": NEW},
        3,
        5,
        vault=2,
        check_mode=True,
    ),
    Row("plugin_upgrade", "plugin_upgrade", {**BY_PLUGIN, "version": NEW}, 8, 14, vault=3),
    Row(
        "plugin_upgrade, nothing to do",
        "plugin_upgrade",
        {**BY_PLUGIN, "version": NEW},
        4,
        6,
        vault=3,
    ),
    Row("plugin_info", "plugin_info", {}, 1, 1, vault=2),
    Row("plugin_info, health: true", "plugin_info", {"health": True}, 2, 4, vault=2),
    Row("plugin_info, commands: true", "plugin_info", {"commands": True}, 2, 2, vault=2),
)


def run(server: Server, row: Row, proxy: Rounds) -> dict[str, t.Any]:
    """Run the task of a row."""
    proxy.rounds.clear()
    options = {"url": server.url, **row.options}
    return run_task(row.operation, options, row.check_mode, proxy=proxy.url, token=server.token)


@pytest.mark.parametrize("count", [1, MANY])
def test_round_trips(
    server: Server, external_plugin: ExternalPlugin, count: int, subtests: pytest.Subtests
) -> None:
    external_plugin(OLD, multiplexed=True)
    for number in range(count):
        server.mount(f"m{number:02}", PLUGIN, version=OLD)
    external_plugin(NEW, multiplexed=True)
    for row in ROWS:
        expected = row.one if count == 1 else row.many
        if expected is None:
            continue
        with subtests.test(row.words), rounds_proxy() as proxy:
            result = run(server, row, proxy)
            assert not result.get("failed"), result
            shown = "\n".join(map(str, proxy.rounds))
            more = row.vault if server.product == "Vault" else 0
            assert proxy.count == expected + more, shown
            assert proxy.widest <= MOST_CONNECTIONS, shown


@pytest.mark.openbao_only("namespaces are Enterprise's there")
@pytest.mark.parametrize(("count", "expected"), [(1, 6), (MANY, 10)])
def test_round_trips_of_a_removal_by_its_namespaces(
    server: Server, external_plugin: ExternalPlugin, count: int, expected: int
) -> None:
    external_plugin(OLD, multiplexed=True)
    for number in range(count):
        server.call("POST", f"sys/namespaces/n{number:02}")
    options = {"url": server.url, "name": PLUGIN, "type": "secret", "version": OLD}
    with rounds_proxy() as proxy:
        removal = {**options, "state": "absent"}
        result = run_task("plugin", removal, False, proxy=proxy.url, token=server.token)
    assert result["changed"], result
    assert proxy.count == expected, "\n".join(map(str, proxy.rounds))
    assert proxy.widest <= MOST_CONNECTIONS


def test_the_table_of_the_documentation() -> None:
    text = (REPOSITORY / "docs" / "performance.md").read_text(encoding="utf-8")
    for row in ROWS:
        many = "" if row.many is None else row.many
        assert f"| {row.words} | {row.one} | {many} | {row.vault} |" in text
