# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reload the mounts of a plugin, or the mounts named, and tell what happened to each."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.one_node import (
    Result,
    reload_one,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import Task

if t.TYPE_CHECKING:
    from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server

SPEC: dict[str, dict[str, t.Any]] = {
    "plugin": {"type": "str"},
    "mounts": {"type": "list", "elements": "str"},
    "plugin_type": {"type": "str", "choices": ["auth", "secret", "database", "unknown"]},
    "scope": {"type": "str", "choices": ["local", "global"], "default": "local"},
    "state": {"type": "str", "choices": ["reloaded", "current"], "default": "reloaded"},
    "verify": {"type": "bool", "default": True},
    "probe": {"type": "str", "default": "true"},
    "reload_timeout": {"type": "str"},
    "wait": {"type": "bool"},
    "wait_timeout": {"type": "str", "default": "60"},
    "wait_interval": {"type": "str", "default": "0.5"},
    "nodes": {"type": "list", "elements": "str", "default": []},
}

CONSTRAINTS: dict[str, t.Any] = {
    "mutually_exclusive": [("plugin", "mounts"), ("mounts", "plugin_type")],
    "required_one_of": [("plugin", "mounts")],
}


def run(
    client: VaultClient,
    params: t.Mapping[str, t.Any],
    check_mode: bool,
    server: Server | None = None,
) -> Result:
    """Look, reload, look again; in check mode only look.  Raises VaultError with what is known.

    ``server`` is which one it is, for a task that has asked already.
    """
    task = Task.from_params(params, client.connection.namespace)
    if task.scope == "local" or not task.verify:
        return reload_one(client, task, check_mode)
    # Imported here: a module compiles what it imports, and most tasks are of one node.
    from ansible_collections.vaultops.vault.plugins.module_utils._reload import all_nodes

    return all_nodes.reload_cluster(client, task, check_mode, server)
