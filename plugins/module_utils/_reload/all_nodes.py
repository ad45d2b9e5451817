# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reload with scope=global where the server has no reports: each node is asked itself."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import Node
from ansible_collections.vaultops.vault.plugins.module_utils._api.health import IGNORED, Server
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import (
    UNKNOWN_HEALTH,
    Health,
    request_path_help,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    NOTHING_DONE,
    ReloadAnswer,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError, Refused
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload import (
    each_node,
    from_active_node,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.answering_node import (
    verify_mounts,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.bystanders import (
    warn_of_bystanders,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
    evaluate,
    is_stale,
    left_alone,
    predicted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import Nodes, NodeState
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import (
    ReloadOptions,
    Wait,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import (
    Expected,
    Preflight,
    Selection,
    asks_in_check_mode,
    inspect,
    select,
    stale_mounts,
    warn_of_left_out,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import (
    NodeResult,
    ReloadResult,
    as_far_as_known,
    node_error,
    result_of,
    result_without_reload,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.verification import (
    evaluate_node,
    verify_nodes,
)

_NO_WAIT = Wait(0, 1)


class Situation(t.NamedTuple):
    """What is known before the reload.

    ``selection`` are the mounts to reload on some node; ``before`` is the state of each node, and
    ``stale`` the paths to reload on each node, where only those that are stale are reloaded.
    """

    server: Server
    preflight: Preflight
    selection: Selection
    before: t.Sequence[NodeState]
    stale: t.Mapping[Node, t.AbstractSet[str]]


def reload_on_all_nodes(
    client: VaultClient,
    options: ReloadOptions,
    expected: Expected,
    check_mode: bool,
    server: Server,
    known: t.Sequence[Node],
    left_out: t.Sequence[Node],
    timeout: float,
) -> ReloadResult:
    """Reload on the nodes ``known``, and verify each; of those ``left_out`` nothing is known.

    ``timeout`` (seconds) bounds the wait for each node before the reload.  Raises VaultError where
    nothing was sent.
    """
    _ensure_token(client, options)
    with Nodes(client, known, timeout, server.cluster_id) as nodes:
        nodes.find_active()
        leader = nodes.client(nodes.active) if nodes.active else client
        situation = _inspect_all(leader, options, expected, server, nodes, check_mode)
        if check_mode:
            result = _predicted(options, situation)
        elif situation.selection.empty:
            result = _nothing_to_do(options, situation)
        else:
            result = _reloaded(client, leader, options, situation, nodes)
    if not left_out:
        return result
    names = ", ".join(node.name for node in left_out)
    rows = [*(result.nodes or ()), *(NodeResult(node) for node in left_out)]
    return result._replace(nodes=rows, verified=False).with_warnings(
        f"the option nodes leaves out {names}: nothing is verified of it"
    )


def _ensure_token(client: VaultClient, options: ReloadOptions) -> None:
    """See that the nodes can be asked for path help, which takes no inline authentication."""
    if options.probe != "" or not client.inline_headers:
        return
    try:
        request_path_help(client, "sys")  # a session that may log in does so now
    except Refused:
        if not client.inline_headers:
            return  # it has logged in, and the node that answers does not know the token yet
        raise OptionError(
            "auth_mode=inline has no token, which the path help of the nodes needs",
            next_step="give a path as probe, or auth_mode=login",
        ) from None


def _inspect_all(
    leader: VaultClient,
    options: ReloadOptions,
    expected: Expected,
    server: Server,
    nodes: Nodes,
    check_mode: bool,
) -> Situation:
    preflight = inspect(leader, options, expected)
    paths = [mount.path for mount in preflight.mounts or ()]
    asks = options.only_stale or (check_mode and asks_in_check_mode(options, preflight))
    before = nodes.inspect(paths, options.probe if asks else None)
    stale = {state.node: _stale_on(state, preflight) for state in before}
    if not options.only_stale:
        selection = select(leader, options, preflight, check_mode)
    else:
        here = stale_mounts(leader, options, preflight)
        anywhere = {path for paths in stale.values() for path in paths}
        anywhere.update(mount.path for mount in here.mounts or ())
        selected = [mount for mount in preflight.mounts or () if mount.path in anywhere]
        selection = here._replace(mounts=selected)
    return Situation(server, preflight, selection, before, stale)


def _stale_on(state: NodeState, preflight: Preflight) -> set[str]:
    """Return the paths of the mounts that need a reload on that node."""
    return {
        mount.path
        for mount in preflight.mounts or ()
        if mount.path in state.mounts
        and not state.health[mount.path].being_removed
        and is_stale(
            state.mounts[mount.path], preflight.expectation(mount), state.health[mount.path]
        )
    }


def _reloaded(
    client: VaultClient,
    leader: VaultClient,
    options: ReloadOptions,
    situation: Situation,
    nodes: Nodes,
) -> ReloadResult:
    preflight, before = situation.preflight, situation.before
    selected = situation.selection.mounts or ()
    if situation.server.global_scope == IGNORED:
        answers = each_node.reload_each(
            nodes, options, situation.server, situation.selection.mounts, before, situation.stale
        )
        answer = each_node.answer_of_all(nodes.active, answers)
    else:
        answer = from_active_node.send_to_all(leader, options, situation.selection.mounts)
        answers = from_active_node.answers_of_nodes(nodes, answer)
    if preflight.mounts is None:  # the token may read nothing, so nothing can be verified
        rows = [NodeResult(s.node, s.server.role, error=s.error or None) for s in before]
        return result_of(options, preflight, answer, [], rows)
    worth_it = answer.error is None or answer.lost
    wait = options.wait if options.wait and worth_it else _NO_WAIT
    rows = verify_nodes(nodes, preflight, before, selected, answers, options.probe, wait)
    removed = {m.before.path: m.health for row in rows for m in row.mounts if m.being_removed}
    with_removed: t.Sequence[NodeResult] = ()
    if removed and options.leaves_out_removed:
        with_removed = rows
        warn_of_left_out(client, sorted(removed))
        selected = [mount for mount in selected if mount.path not in removed]
        answer = answer.without(removed)
        answers = {node: each.without(removed) for node, each in answers.items()}
        rows = verify_nodes(nodes, preflight, before, selected, answers, options.probe, wait)
    rows = as_far_as_known(rows, preflight)
    warn_of_bystanders(client, nodes, situation.server, rows, preflight.mounts)
    active = [row for row in rows if row.node == nodes.active]
    if active:
        mounts = as_on_active_node(active[0], answer, selected)
    else:
        mounts = verify_mounts(client, options, answer, selected)
    health = {**situation.selection.health, **removed}
    if with_removed:
        rows = _with_left_out(rows, with_removed, preflight.mounts)
    return result_of(options, preflight, answer, mounts, rows, health)


def _with_left_out(
    rows: t.Sequence[NodeResult], found: t.Sequence[NodeResult], mounts: t.Sequence[Mount]
) -> list[NodeResult]:
    """Return ``rows`` with what was ``found`` of mounts that are being removed, in one order."""
    order = {mount.path: number for number, mount in enumerate(mounts)}
    left_out = {
        row.node: [left_alone(m.before, m.health) for m in row.mounts if m.being_removed]
        for row in found
    }
    return [
        row._replace(
            mounts=sorted([*row.mounts, *left_out[row.node]], key=lambda m: order[m.before.path])
        )
        for row in rows
    ]


def as_on_active_node(
    active: NodeResult, answer: ReloadAnswer, selected: t.Sequence[Mount]
) -> t.Sequence[MountResult]:
    """Return the result of each mount where it counts: on the active node."""
    if active.mounts:
        return active.mounts
    if answer.changed is False:
        return [left_alone(mount) for mount in selected]
    return [evaluate(answer, mount, None, Health(None, active.error or "")) for mount in selected]


def _nothing_to_do(options: ReloadOptions, situation: Situation) -> ReloadResult:
    """Return the result where no node needs a reload; a node that cannot be asked is its error."""
    preflight = situation.preflight
    mounts = preflight.mounts or ()
    rows = [
        evaluate_node(state, state, mounts, preflight, NOTHING_DONE) for state in situation.before
    ]
    rows = as_far_as_known(rows, preflight)
    result = result_without_reload(options, preflight, situation.selection, rows)
    verified = result.verified and all(row.ok for row in rows)
    return result._replace(verified=verified, error=node_error(rows))


def _predicted(options: ReloadOptions, situation: Situation) -> ReloadResult:
    """Return check mode's result, with what stands in the way on each node as warnings."""
    selected = situation.selection.mounts or ()
    each = options.only_stale and situation.server.global_scope == IGNORED
    rows = [
        _predicted_node(
            state,
            situation.preflight,
            situation.stale[state.node] if each else {mount.path for mount in selected},
        )
        for state in situation.before
    ]
    result = result_without_reload(options, situation.preflight, situation.selection, rows)
    if any(m.was_down and not m.being_removed for row in rows for m in row.mounts):
        result = result._replace(verified=False)
    for state in situation.before:
        if state.error:
            result = result._replace(verified=False)
            result = result.with_warnings(f"node {state.node}: {state.error}")
        elif each_node.needs_restart(state, situation.server, selected):
            result = result.with_warnings(
                f"node {state.node} would keep its old version until it is restarted"
            )
    return result


def _predicted_node(
    state: NodeState, preflight: Preflight, paths: t.AbstractSet[str]
) -> NodeResult:
    """Return what a reload of the mounts at ``paths`` would do on a node."""
    mounts = [
        predicted(
            state.mounts[mount.path],
            preflight.expectation(mount),
            state.health.get(mount.path, UNKNOWN_HEALTH),
        )
        if mount.path in paths
        else left_alone(state.mounts[mount.path], state.health.get(mount.path, UNKNOWN_HEALTH))
        for mount in preflight.mounts or ()
        if mount.path in state.mounts
    ]
    return NodeResult(state.node, state.server.role, mounts=mounts, error=state.error or None)
