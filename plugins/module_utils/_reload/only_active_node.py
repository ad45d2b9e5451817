# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reload with scope=global where only one node runs plugins."""

from __future__ import annotations

from urllib.parse import urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import Node
from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.answering_node import (
    reload_on_answering_node,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import Expected
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import (
    NodeResult,
    ReloadResult,
)


def reload_on_only_active_node(
    client: VaultClient,
    options: ReloadOptions,
    expected: Expected,
    check_mode: bool,
    server: Server,
) -> ReloadResult:
    """Reload on the active node; raises VaultError where nothing was sent."""
    address = server.leader or client.connection.url
    result = reload_on_answering_node(client, options, expected, check_mode)
    node = NodeResult(
        Node(address, urlsplit(address).netloc),
        role="active",
        ok=None if check_mode else _ok(result),
        mounts=result.mounts,
        error=None if result.error is None else result.error.what,
    )
    return result._replace(nodes=[node])


def _ok(result: ReloadResult) -> bool | None:
    """Return whether the node is verified, None where it is not known what it should run."""
    if result.error is not None or result.unverified:
        return False
    return result.verified or None
