# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounts that a reload was not for, on a standby where it failed: all are set up anew there."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import UNREPORTED, Server
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount, list_mounts
from ansible_collections.vaultops.vault.plugins.module_utils._errors import VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import (
    NODE_TIMEOUT,
    Nodes,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import NodeResult
from ansible_collections.vaultops.vault.plugins.module_utils._text import quoted

_ANEW = "a reload that fails there sets up all mounts of the node anew"
_HEAL = (
    "fix their plugins, then run plugin_reload for them with state=current and scope=global, in "
    "each namespace"
)


def warn_of_bystanders(
    client: VaultClient,
    nodes: Nodes,
    server: Server,
    rows: t.Sequence[NodeResult],
    selected: t.Sequence[Mount],
) -> None:
    """Warn of mounts beside ``selected`` that are down on a standby where the reload failed.

    OpenBao from 2.7.2 on: what ran there, and cannot start again, is down without a word.
    """
    failed = [
        row
        for row in rows
        if row.node != nodes.active and any(m.down and not m.being_removed for m in row.mounts)
    ]
    if server.global_scope != UNREPORTED or not failed:
        return
    paths = {mount.path for mount in selected}
    try:
        listed = list_mounts(client).values()
    except VaultError as error:
        names = ", ".join(row.node.name for row in failed)
        client.warn(
            f"{names}: {_ANEW}, and which others are down is not known: {error.what}; {_HEAL}"
        )
        return
    others = [m.path for m in listed if m.path not in paths and not m.builtin and not m.singleton]
    for row in failed:
        state = nodes.inspect_node(row.node, others, "", NODE_TIMEOUT)
        down = [path for path, health in state.health.items() if health.alive is False]
        if down:
            client.warn(f"{quoted(down)} DOWN on {row.node.name}, too: {_ANEW}; {_HEAL}")
