# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reload on every node of a cluster: spread by the server, or node by node where it does not."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    OptionError,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._look import Look
from ansible_collections.vaultops.vault.plugins.module_utils._mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._nodes import (
    REDIRECT,
    Node,
    NodeLook,
    Nodes,
    find_nodes,
)
from ansible_collections.vaultops.vault.plugins.module_utils._proof import (
    Aim,
    NodeVerdict,
    judge_node,
    prove,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload import ReloadAnswer
from ansible_collections.vaultops.vault.plugins.module_utils._reports import wait_for_reports
from ansible_collections.vaultops.vault.plugins.module_utils._server import (
    IGNORED,
    NEEDLESS,
    REPORTS,
    Server,
    read_server,
)
from ansible_collections.vaultops.vault.plugins.module_utils._steps import (
    Result,
    judge_mounts,
    look_before,
    outcome,
    raise_for_nodes,
    reload_one,
    send,
    stale_mounts,
    without_reload,
)
from ansible_collections.vaultops.vault.plugins.module_utils._task import Task, Wait
from ansible_collections.vaultops.vault.plugins.module_utils._verdict import is_stale, predicted

# So many seconds a node may take for an answer before the reload: it holds up the others.
PATIENCE = 10.0

_AT_ONCE = Wait(0, 1)
_UNTOUCHED = ReloadAnswer(changed=False, otherwise=False)
_NOBODY = ReloadAnswer(
    changed=False,
    otherwise=False,
    error=VaultError("no node can be asked to reload", next_step="see their errors in nodes"),
)


def reload_cluster(client: VaultClient, task: Task, check_mode: bool) -> Result:
    """Reload with scope=global, as this server understands it; raises VaultError.

    See _server for what it may mean.
    """
    server = read_server(client)
    meaning = server.runs_global
    if task.wait is None:
        result = reload_one(client, task, check_mode)
        # The other nodes were not asked, so nothing is proven of them.
        result["verified"] = result["verified"] and meaning == NEEDLESS
        if meaning == IGNORED:
            result["warnings"].append(
                f"{server.name} ignores scope=global, so only the node that answered was reloaded: "
                "leave wait=false out, and each node is reloaded"
            )
        return result
    if meaning == NEEDLESS:
        return _only_node(client, task, server, check_mode)
    nodes, warnings = find_nodes(client, task.nodes)
    if meaning == REPORTS:
        result = _reported(client, task, nodes, check_mode)
    elif nodes:
        with Nodes(client, nodes, min(task.wait.timeout, PATIENCE)) as open_nodes:
            result = _proven(client, task, server, open_nodes, check_mode)
    elif meaning == IGNORED:
        raise OptionError(
            f"{server.name} ignores scope=global, and {warnings[0]}",
            next_step="nothing was reloaded",
        )
    else:
        result = {**reload_one(client, task, check_mode), "verified": False}
    result["warnings"] += warnings
    return result


def _only_node(client: VaultClient, task: Task, server: Server, check_mode: bool) -> Result:
    """Reload where one node runs all plugins: what is known of it is known of all."""
    result = reload_one(client, task, check_mode)
    address = server.leader or client.connection.url
    mounts = [
        {name: row[name] for name in ("path", "reloaded", "error", "before", "after")}
        for row in result["mounts"]
    ]
    node = {
        "address": address,
        "name": urlsplit(address).netloc,
        "role": "active",
        "ok": None if check_mode else result["verified"],
        "error": None,
        "mounts": mounts,
    }
    return {**result, "nodes": [node]}


def _reported(client: VaultClient, task: Task, nodes: t.Sequence[Node], check_mode: bool) -> Result:
    """Reload where each node reports: wait for what all of them say."""
    result = reload_one(client, task, check_mode)
    if not result["reload_id"] or task.wait is None:
        return result
    rows = wait_for_reports(client, result["reload_id"], nodes, task.wait)
    verified = result["verified"] and bool(nodes) and all(row.ok for row in rows)
    result = {**result, "nodes": [row.as_result() for row in rows], "verified": verified}
    raise_for_nodes(rows, result)
    return result


def _proven(
    client: VaultClient, task: Task, server: Server, nodes: Nodes, check_mode: bool
) -> Result:
    """Reload where nobody reports: ask each node before and after."""
    lead = nodes.active
    leader = nodes.client(lead) if lead else client
    look = look_before(leader, task)
    paths = [mount.path for mount in look.mounts or []]
    before = nodes.look(paths, task.question if task.only_stale else None)
    behind = {there.node: _stale_on(there, look) for there in before}
    meant = look.mounts
    if task.only_stale:
        stale = stale_mounts(leader, task, look)
        elsewhere = {path for paths in behind.values() for path in paths}
        meant = [m for m in look.mounts or [] if m in stale or m.path in elsewhere]
    if check_mode:
        return _foretold(task, server, look, meant, before)
    if meant == []:
        return _nothing_to_do(task, look, before)
    if server.runs_global == IGNORED:
        answers = _reload_each(nodes, task, server, meant, before, behind)
        answer = answers.get(lead, _NOBODY) if lead else next(iter(answers.values()), _NOBODY)
    else:
        answer = send(leader, task, meant)
        answers = {lead: answer} if lead else {}
    verdicts = judge_mounts(leader, task, answer, meant or [])
    if look.mounts is None:  # nobody may look, so nothing can be proven
        return outcome(task, look, answer, verdicts, _foretold_rows(look, before))
    lost = isinstance(answer.error, NoAnswer)
    wait = task.wait if task.wait and (answer.error is None or lost) else _AT_ONCE
    aims = _aims(look, meant)
    rows = prove(nodes, before, aims, answers, task.question, wait)
    return outcome(task, look, answer, verdicts, rows)


def _aims(look: Look, meant: list[Mount] | None) -> list[Aim]:
    return [Aim(mount, look.expected(mount)) for mount in meant or []]


def _nothing_to_do(task: Task, look: Look, before: t.Sequence[NodeLook]) -> Result:
    """Return the result where no node needs a reload, or raise for one that cannot be asked."""
    aims = _aims(look, look.mounts)
    rows = [judge_node(there, there, aims, _UNTOUCHED) for there in before]
    result = without_reload(task, look, [], rows)
    result["verified"] = result["verified"] and all(row.ok for row in rows)
    raise_for_nodes(rows, result)
    return result


def _stale_on(there: NodeLook, look: Look) -> list[str]:
    """Return the paths of the mounts that need a reload on that node."""
    expected = {mount.path: look.expected(mount) for mount in look.mounts or []}
    return [
        path
        for path, mount in there.mounts.items()
        if is_stale(expected[path], mount, there.lives[path])
    ]


def _cannot_follow(there: NodeLook, meant: t.Sequence[Mount]) -> list[str]:
    """Return the mounts whose configured version that node does not know: see facts of 2.6."""
    return [
        mount.path
        for mount in meant
        if mount.path in there.mounts and there.mounts[mount.path].version != mount.version
    ]


def _reload_each(
    nodes: Nodes,
    task: Task,
    server: Server,
    meant: list[Mount] | None,
    before: t.Sequence[NodeLook],
    behind: t.Mapping[Node, list[str]],
) -> dict[Node, ReloadAnswer]:
    """Ask each node to reload itself, the active one first; after a failure no other is touched."""
    answers: dict[Node, ReloadAnswer] = {}
    failed: Node | None = None
    for there in sorted(before, key=lambda look: look.server.role != "active"):
        node = there.node
        mine = [mount for mount in meant or [] if not task.only_stale or mount.path in behind[node]]
        if there.error or there.forwards:
            continue
        if failed:
            answers[node] = _left_out(
                f"was not reloaded, as {failed} failed", "mend that one first"
            )
        elif not server.standbys_learn and _cannot_follow(there, mine):
            answers[node] = _left_out(
                f"keeps its old version of {_cannot_follow(there, mine)[0]}",
                f"restart that node: {server.name} tells its standbys of a new version only when "
                "they start",
            )
        elif mine or meant is None:
            nodes.tell(f"reloads on {node}")
            answers[node] = _sent(nodes.client(node), task, mine if meant else None)
            failed = node if answers[node].error else None
        else:
            answers[node] = _UNTOUCHED
    return answers


def _sent(client: VaultClient, task: Task, meant: list[Mount] | None) -> ReloadAnswer:
    answer = send(client, task, meant)
    if answer.error is None or answer.error.status != REDIRECT:
        return answer
    # OpenBao 2.6: a standby whose plugin is down leaves the reload to the active node.
    error = answer.error.retold(
        "this node leaves the reload to the active one",
        next_step="restart that node: it then starts its plugins anew",
    )
    return answer._replace(error=error)


def _left_out(what: str, next_step: str) -> ReloadAnswer:
    return ReloadAnswer(False, False, error=VaultError(what, next_step=next_step))


def _foretold(
    task: Task,
    server: Server,
    look: Look,
    meant: list[Mount] | None,
    before: t.Sequence[NodeLook],
) -> Result:
    """Return check mode's result, with what stands in the way on each node as warnings."""
    result = without_reload(task, look, meant, _foretold_rows(look, before))
    for there in before:
        if there.error:
            result["warnings"].append(f"node {there.node} {there.error}")
        elif not server.standbys_learn and _cannot_follow(there, meant or []):
            result["warnings"].append(
                f"node {there.node} would keep its old version until it is restarted"
            )
    return result


def _foretold_rows(look: Look, before: t.Sequence[NodeLook]) -> list[NodeVerdict]:
    return [
        NodeVerdict(
            there.node,
            there.server.role,
            None,
            [
                predicted(there.mounts[mount.path], look.expected(mount))
                for mount in look.mounts or []
                if mount.path in there.mounts
            ],
            there.error or None,
        )
        for there in before
    ]
