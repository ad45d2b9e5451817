# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reload where the server ignores scope=global: each node is asked to reload itself."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import REDIRECT, Node
from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    NOTHING_DONE,
    NOTHING_KNOWN,
    ReloadAnswer,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.answering_node import (
    send_reload,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import Nodes, NodeState
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions


class _LeftOut(VaultError):
    """A node was not asked to reload."""


def reload_each(
    nodes: Nodes,
    options: ReloadOptions,
    server: Server,
    selected: t.Sequence[Mount] | None,
    before: t.Sequence[NodeState],
    stale: t.Mapping[Node, t.AbstractSet[str]],
) -> dict[Node, ReloadAnswer]:
    """Ask each node to reload itself, the active one first; after a failure no other is touched."""
    answers: dict[Node, ReloadAnswer] = {}
    unreachable = [state.node for state in before if state.error]
    # Where no node says that it is active, an unreachable one may be the active one.
    failed = unreachable[0] if unreachable and not nodes.active else None
    for state in sorted(before, key=lambda state: state.server.role != "active"):
        node = state.node
        mounts = [
            mount for mount in selected or () if not options.only_stale or mount.path in stale[node]
        ]
        old = needs_restart(state, server, mounts)
        if state.forwards:
            continue
        if state.error:
            answers[node] = _left_out(f"was not reloaded: {state.error}", "run the task again")
            failed = node if node == nodes.active else failed
        elif failed:
            answers[node] = left_out_after(failed)
        elif old:
            answers[node] = _left_out(
                f"keeps its old version of {old[0]}",
                f"restart that node: {server.name} tells its standbys of a new version only when "
                "they start",
            )
        elif mounts or selected is None:
            nodes.progress(f"reloads on {node}")
            answers[node] = _send(nodes.client(node), options, mounts if selected else None)
            failed = node if answers[node].error else None
        else:
            answers[node] = NOTHING_DONE
    return answers


def needs_restart(state: NodeState, server: Server, selected: t.Sequence[Mount]) -> list[str]:
    """Return the mounts whose configured version a standby of OpenBao 2.6 learns at its start."""
    if server.standbys_learn:
        return []
    return [
        mount.path
        for mount in selected
        if mount.path in state.mounts and state.mounts[mount.path].version != mount.version
    ]


def answer_of_all(active: Node | None, answers: t.Mapping[Node, ReloadAnswer]) -> ReloadAnswer:
    """Return the answer of the active node, else what those of the others add up to."""
    sent = {node: a for node, a in answers.items() if not isinstance(a.error, _LeftOut)}
    if active in sent:
        return sent[active]
    ids = [answer.reload_id for answer in sent.values() if answer.reload_id]
    changed = any(answer.changed for answer in sent.values())
    return ReloadAnswer(changed, None, reload_id=ids[0] if ids else None)


def left_out_after(failed: Node) -> ReloadAnswer:
    """Return the answer of a node that was not asked, as ``failed`` failed before it."""
    return _left_out(f"was not reloaded, as {failed} failed", "fix that node first")


def _left_out(what: str, next_step: str) -> ReloadAnswer:
    return NOTHING_DONE._replace(error=_LeftOut(what, next_step=next_step))


def _send(
    client: VaultClient, options: ReloadOptions, selected: t.Sequence[Mount] | None
) -> ReloadAnswer:
    """Ask a node to reload itself."""
    answer = send_reload(client, options, selected)
    if answer.error is not None and answer.error.status == REDIRECT:
        # OpenBao 2.6: a standby whose plugin was down has started it, cannot write that down, and
        # so leaves the request to the active node, as one does that runs no plugins. The
        # verification shows which.
        return NOTHING_KNOWN
    if options.only_stale:
        # Its answer is of those that were stale here, not of those that are so elsewhere.
        return answer._replace(others=False)
    return answer
