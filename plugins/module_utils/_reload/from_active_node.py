# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reload where the active node tells the others, and none reports."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import REDIRECT, Node
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import ReloadAnswer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.answering_node import (
    send_reload,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.each_node import left_out_after
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import Nodes
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions


def send_to_all(
    leader: VaultClient, options: ReloadOptions, selected: t.Sequence[Mount] | None
) -> ReloadAnswer:
    """Ask the active node to reload, and to tell the others."""
    answer = send_reload(leader, options, selected)
    if answer.error is None or answer.error.status != REDIRECT:
        return answer
    error = answer.error.with_context(
        "the node that was active is not active any more, or nodes names a load balancer",
        next_step="run the task again, with the own address of each node in nodes",
    )
    return answer._replace(error=error)


def answers_of_nodes(nodes: Nodes, answer: ReloadAnswer) -> dict[Node, ReloadAnswer]:
    """Return what is known of each node from the ``answer`` of the one that tells the others."""
    active = nodes.active
    if active is None:
        return {}
    if answer.error is None or answer.lost:
        return {active: answer}
    # The server tells the others only after it has succeeded itself.
    others = [node for node in nodes.all if node != active]
    return {active: answer, **dict.fromkeys(others, left_out_after(active))}
