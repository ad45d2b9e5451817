# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Standbys that start a new version by themselves."""

from __future__ import annotations

import time

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import (
    NODE_TIMEOUT,
    Nodes,
    NodeState,
    find_nodes,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import Expected

# So often the standbys are asked, and so many seconds between two times.
TIMES, PAUSE = 10, 0.5


def wait_for_standbys(
    client: VaultClient, options: ReloadOptions, expected: Expected, server: Server
) -> None:
    """Give the standbys a moment to run what is ``expected``; raises VaultError.

    Those of OpenBao 2.7.0 and 2.7.1 start it when a mount is configured for it, and a reload
    meanwhile breaks that off.
    """
    if options.wait is None:
        return  # no node is to be asked
    timeout = min(options.wait.timeout, NODE_TIMEOUT)
    known, _left_out = find_nodes(client, options.nodes, timeout)
    if not known:
        return
    with Nodes(client, known, timeout, server.cluster_id) as nodes:
        nodes.find_active()
        for _time in range(TIMES):
            states = nodes.inspect(options.paths, None)
            if all(has_followed(state, expected) for state in states):
                return
            time.sleep(PAUSE)


def has_followed(state: NodeState, expected: Expected) -> bool:
    """Tell whether nothing is to be waited for: the node is active, or runs what is expected."""
    return state.server.role == "active" or all(
        mount.running == expected[path].running for path, mount in state.mounts.items()
    )
