# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reload with scope=global, in the way that this server needs; see health.py for the ways."""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import (
    IGNORED,
    NEEDLESS,
    REPORTED,
    Server,
    read_server,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.all_nodes import (
    reload_on_all_nodes,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.answering_node import (
    reload_on_answering_node,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import (
    NODE_TIMEOUT,
    find_nodes,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.only_active_node import (
    reload_on_only_active_node,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import Expected
from ansible_collections.vaultops.vault.plugins.module_utils._reload.reported import (
    reload_with_reports,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import ReloadResult

_NODES_UNKNOWN = "the nodes of the cluster are not known"
_MAKE_KNOWN = "give the token the capability read on sys/ha-status, or set nodes"


def reload_globally(
    client: VaultClient,
    options: ReloadOptions,
    expected: Expected,
    check_mode: bool,
    server: Server | None,
) -> ReloadResult:
    """Reload with scope=global, as this server understands it.

    ``server`` is asked which one it is, where that is not known.  Raises VaultError where nothing
    was sent.
    """
    server = server or read_server(client)
    if options.wait is None:
        return _without_asking(client, options, expected, check_mode, server)
    if server.global_scope == NEEDLESS:
        return reload_on_only_active_node(client, options, expected, check_mode, server)
    timeout = min(options.wait.timeout, NODE_TIMEOUT)
    nodes, left_out = find_nodes(client, options.nodes, timeout)
    if server.global_scope == REPORTED:  # the server has a report of each node that is left out too
        every = [*nodes, *left_out]
        result = reload_with_reports(client, options, expected, check_mode, every, options.wait)
        if every:
            return result
        return result.with_warnings(
            f"{_NODES_UNKNOWN}, so a node that does not report goes unnoticed: {_MAKE_KNOWN}"
        )
    if nodes:
        return reload_on_all_nodes(
            client, options, expected, check_mode, server, nodes, left_out, timeout
        )
    if server.global_scope == IGNORED:
        raise OptionError(
            f"{server.name} ignores scope=global, and {_NODES_UNKNOWN}", next_step=_MAKE_KNOWN
        )
    result = reload_on_answering_node(client, options, expected, check_mode)
    return result._replace(verified=False).with_warnings(
        f"{_NODES_UNKNOWN}, so only the node that answers was inspected: {_MAKE_KNOWN}"
    )


def _without_asking(
    client: VaultClient,
    options: ReloadOptions,
    expected: Expected,
    check_mode: bool,
    server: Server,
) -> ReloadResult:
    """Reload where no node is to be asked: nothing is verified of any other node."""
    result = reload_on_answering_node(client, options, expected, check_mode)
    if server.global_scope == IGNORED:
        result = result.with_warnings(
            f"{server.name} ignores scope=global, so only the node that answers is reloaded: "
            "leave wait=false out, and each node is reloaded"
        )
    return result._replace(verified=result.verified and server.global_scope == NEEDLESS)
