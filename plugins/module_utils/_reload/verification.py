# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification that every node runs what it should, some time after a reload."""

from __future__ import annotations

import itertools
import threading
import time
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import Node
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import (
    UNKNOWN_HEALTH,
    Health,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    NOTHING_KNOWN,
    ReloadAnswer,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import pause
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
    evaluate,
    left_alone,
    unverified_reason,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import Nodes, NodeState
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import Wait
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import Preflight
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import NodeResult
from ansible_collections.vaultops.vault.plugins.module_utils._text import and_more

# A node that the server told to reload does so 0.1 to 0.2 s after the answer, and may run the same
# before and after: that it is well says nothing before it answered for so many seconds.
SETTLED_AFTER = 2.0
# A mount that is down for so many seconds after that stays down.
DOWN_AFTER = 5.0

_UNREACHABLE_STEP = (
    "see why the node cannot be asked from here (nodes gives other addresses, wait=false asks "
    "none), then run the task again"
)
# What helps a plugin that does not start on one node.
FIX_PLUGIN_ON_NODE = (
    "fix the plugin on that node (file, sha256; its log has the reason), then run the task again"
)
_RESTART_STEP = (
    "run the task again; if that does not help, restart that node: it then starts the configured "
    "version"
)
_TOO_EARLY = "runs what it did, and the time was up before it was clear whether it reloads"


def verify_nodes(
    nodes: Nodes,
    preflight: Preflight,
    before: t.Sequence[NodeState],
    selected: t.Sequence[Mount],
    answers: t.Mapping[Node, ReloadAnswer],
    probe: str | None,
    wait: Wait,
) -> list[NodeResult]:
    """Ask all nodes at once, each until it runs what it should or ``wait`` is over.

    ``before`` is what they said before the reload of ``selected``.  ``answers`` are of the nodes
    that were asked to reload themselves; any other reloads as one of them spreads it.
    """
    since = time.monotonic()
    states = {state.node: state for state in before}
    paths = [mount.path for mount in selected]
    counter, lock = itertools.count(1), threading.Lock()

    def verify(node: Node) -> NodeResult:
        answer = answers.get(node)
        reached = since
        while True:
            now = time.monotonic()
            timeout = max(since + wait.timeout - now, 1.0)
            state = nodes.inspect_node(node, paths, probe, timeout)
            if state.error:
                reached = time.monotonic()  # it may reload only now
            result = evaluate_node(state, states.get(node), selected, preflight, answer)
            age = time.monotonic() - reached
            settled = node in answers or age > SETTLED_AFTER or _has_changed(result)
            down = age > DOWN_AFTER and any(row.alive is False for row in state.health.values())
            over = time.monotonic() - since >= wait.timeout
            if (result.ok and settled) or down or over or (answer and answer.error):
                if result.ok and not settled:
                    step = (
                        f"give wait_timeout more than {SETTLED_AFTER:.0f} s, and run the task again"
                    )
                    result = result._replace(ok=False, error=_TOO_EARLY, next_step=step)
                outcome = "runs what it should" if result.ok else result.error
                with lock:
                    nodes.progress(f"node {next(counter)}/{len(nodes.all)}: {node}: {outcome}")
                return result
            pause(wait.pause(time.monotonic() - since))

    return nodes.on_each(verify)


def evaluate_node(
    state: NodeState,
    before: NodeState | None,
    selected: t.Sequence[Mount],
    preflight: Preflight,
    answer: ReloadAnswer | None,
) -> NodeResult:
    """Evaluate what a node says now; ``answer`` is its own to a reload that it was asked for."""
    result = NodeResult(state.node, state.server.role, ok=True)
    if state.error:
        step = state.next_step or _UNREACHABLE_STEP
        return result._replace(ok=False, error=state.error, next_step=step)
    if state.forwards:
        return result  # it runs no plugins itself
    mounts = [_evaluate_mount(mount, state, before, answer) for mount in selected]
    result = result._replace(mounts=mounts)
    if answer is not None and answer.error is not None:
        error, step = answer.error.what, answer.error.next_step
        return result._replace(ok=False, error=error, next_step=step)
    failed = [row for row in mounts if row.error is not None]
    if answer is not None and answer.without_effect:
        failed = [row for row in failed if row.failed]  # one that is being removed was left out
    if failed:
        error = f'mount "{failed[0].before.path}"{and_more(failed)} {failed[0].error}'
        return result._replace(ok=False, error=error, next_step=FIX_PLUGIN_ON_NODE)
    reasons = (
        unverified_reason(row, preflight.expectation(mount)) for row, mount in zip(mounts, selected)
    )
    reason = next((reason for reason in reasons if reason is not None), None)
    if reason is None:
        return result
    if answer is not None and answer.without_effect:
        return result._replace(ok=None, error=reason)  # nothing was to be verified but its health
    return result._replace(ok=False, error=reason, next_step=_RESTART_STEP)


def _evaluate_mount(
    mount: Mount, state: NodeState, before: NodeState | None, answer: ReloadAnswer | None
) -> MountResult:
    known = before.mounts.get(mount.path) if before else None
    after = state.mounts.get(mount.path)
    if after is None:
        reason = "is not known to this node"
        return MountResult(known or mount, None, None, reason, Health(None, reason))
    # Of a node that said nothing before, it is not known whether it was reloaded.
    known = known or after
    if answer is not None and answer.without_effect:
        health = state.health[mount.path]
        if health.being_removed:
            return left_alone(known, health)
        return MountResult(known, after, reloaded=False, health=health)
    was = before.health.get(mount.path, UNKNOWN_HEALTH) if before else UNKNOWN_HEALTH
    result = evaluate(answer or NOTHING_KNOWN, known, after, state.health[mount.path])
    return result._replace(was=was)


def _has_changed(result: NodeResult) -> bool:
    return all(row.runs_another for row in result.mounts)
