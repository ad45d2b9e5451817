# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reload on every node of a cluster: spread by the server, or node by node where it does not."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import (
    IGNORED,
    NEEDLESS,
    REPORTS,
    Server,
    read_server,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Life
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    UNTOLD,
    UNTOUCHED,
    ReloadAnswer,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    OptionError,
    Refused,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    Verdict,
    is_stale,
    judge,
    predicted,
    untouched,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import (
    REDIRECT,
    Node,
    NodeLook,
    Nodes,
    find_nodes,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.one_node import (
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
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import Task, Wait
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import Look
from ansible_collections.vaultops.vault.plugins.module_utils._reload.reported import (
    wait_for_reports,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.verification import (
    Aim,
    NodeVerdict,
    judge_node,
    of_node,
    prove,
)

# So many seconds a node may take for an answer before the reload: it holds up the others.
PATIENCE = 10.0

_AT_ONCE = Wait(0, 1)
_NOT_KNOWN = "the nodes of the cluster are not known"
_MAKE_KNOWN = "give the token the capability read on sys/ha-status, or set nodes"


class _LeftOut(VaultError):
    """A node was not asked to reload."""


def reload_cluster(
    client: VaultClient, task: Task, check_mode: bool, server: Server | None = None
) -> Result:
    """Reload with scope=global, as this server understands it; raises VaultError.

    See _server for what it may mean; ``server`` is asked which one it is where that is not known.
    """
    server = server or read_server(client)
    meaning = server.runs_global
    if task.wait is None:
        result = reload_one(client, task, check_mode)
        # The other nodes were not asked, so nothing is proven of them.
        result["verified"] = result["verified"] and meaning == NEEDLESS
        if meaning == IGNORED:
            result["warnings"].append(
                f"{server.name} ignores scope=global, so only the node that answers is reloaded: "
                "leave wait=false out, and each node is reloaded"
            )
        return result
    if meaning == NEEDLESS:
        return _only_node(client, task, server, check_mode)
    patience = min(task.wait.timeout, PATIENCE)
    nodes, left_out = find_nodes(client, task.nodes, patience)
    if meaning == REPORTS:  # of one that is left out, too, the server tells
        return _reported(client, task, [*nodes, *left_out], check_mode)
    if nodes:
        _see_to_a_token(client, task)
        with Nodes(client, nodes, patience, server.cluster_id) as open_nodes:
            result = _proven(client, task, server, open_nodes, check_mode)
        return _with_left_out(client, result, left_out)
    if meaning == IGNORED:
        raise OptionError(
            f"{server.name} ignores scope=global, and {_NOT_KNOWN}",
            next_step=f"{_MAKE_KNOWN}; nothing was reloaded",
        )
    client.warnings.append(
        f"{_NOT_KNOWN}, so only the node that answers was looked at: {_MAKE_KNOWN}"
    )
    return {**reload_one(client, task, check_mode), "verified": False}


def _with_left_out(client: VaultClient, result: Result, left_out: t.Sequence[Node]) -> Result:
    """Return ``result`` with the nodes that nobody asked, of which nothing is known."""
    if not left_out:
        return result
    names = ", ".join(node.name for node in left_out)
    client.warnings.append(f"nodes leaves out {names}, of which nothing is proven")
    return {**result, "nodes": [*result["nodes"], *_not_known(left_out)], "verified": False}


def _not_known(nodes: t.Sequence[Node]) -> list[Result]:
    """Return the rows of nodes that were not asked, and told nothing."""
    return [NodeVerdict(node, "", None).as_result() for node in nodes]


def _see_to_a_token(client: VaultClient, task: Task) -> None:
    """See that the nodes can be asked for path help, which takes no login inline."""
    if task.question != "" or not client.inline_headers:
        return
    try:
        client.request("GET", "sys", query={"help": "1"})  # a session that may log in does so now
    except Refused:
        if not client.inline_headers:
            return  # it has logged in, and the node that answers does not know the token yet
        raise OptionError(
            "auth_mode=inline has no token, which the path help of the nodes needs",
            next_step="give a path as probe, or auth_mode=login; nothing was reloaded",
        ) from None


def _only_node(client: VaultClient, task: Task, server: Server, check_mode: bool) -> Result:
    """Reload where one node runs all plugins: what is known of it is known of all."""
    address = server.leader or client.connection.url
    known = NodeVerdict(Node(address, urlsplit(address).netloc), "active", None)
    try:
        result = reload_one(client, task, check_mode)
    except VaultError as error:
        if "mounts" not in error.result:
            raise  # nothing was begun
        row = known._replace(ok=False, error=error.what)
        raise error.retold(error.what, nodes=[_with_mounts(row, error.result)]) from error
    row = known._replace(ok=None if check_mode else result["verified"])
    return {**result, "nodes": [_with_mounts(row, result)]}


def _with_mounts(row: NodeVerdict, result: Result) -> Result:
    return {**row.as_result(), "mounts": of_node(result["mounts"])}


def _reported(client: VaultClient, task: Task, nodes: t.Sequence[Node], check_mode: bool) -> Result:
    """Reload where each node reports: wait for what all of them say."""
    if not nodes:
        client.warnings.append(
            f"{_NOT_KNOWN}, so one that does not report is not missed: {_MAKE_KNOWN}"
        )
    result = reload_one(client, task, check_mode)
    if not result["reload_id"] or task.wait is None:
        # Nobody was told to reload, so nobody reports: of the others nothing is known.
        verified = result["verified"] and check_mode
        return {**result, "nodes": _not_known(nodes), "verified": verified}
    try:
        rows = wait_for_reports(client, result["reload_id"], nodes, task.wait)
    except VaultError as error:
        words = f"the server reloaded, but the reports of its nodes cannot be read: {error.what}"
        raise error.retold(words, **{**result, "verified": False}) from error
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
        return _foretold(task, server, look, meant, before, behind)
    if meant == []:
        return _nothing_to_do(task, look, before)
    if server.runs_global == IGNORED:
        answers = _reload_each(nodes, task, server, meant, before, behind)
        answer = _answer_of_task(lead, answers)
    else:
        answer = _sent_to_all(leader, task, meant)
        answers = _answers_of_all(nodes, lead, answer)
    if look.mounts is None:  # nobody may look, so nothing can be proven
        return outcome(task, look, answer, [], _foretold_rows(look, before, [], None))
    lost = isinstance(answer.error, NoAnswer)
    wait = task.wait if task.wait and (answer.error is None or lost) else _AT_ONCE
    rows = prove(nodes, before, _aims(look, meant), answers, task.question, wait)
    led = [row for row in rows if row.node == lead]
    if led:
        verdicts = _as_seen_there(led[0], answer, meant or [])
    else:
        verdicts = judge_mounts(client, task, answer, meant or [])
    return outcome(task, look, answer, verdicts, rows)


def _as_seen_there(row: NodeVerdict, answer: ReloadAnswer, meant: list[Mount]) -> list[Verdict]:
    """Return the verdict on each mount where it leads: on the active node."""
    if row.verdicts:
        return list(row.verdicts)
    if answer.changed is False:
        return [untouched(mount) for mount in meant]
    return [judge(answer, mount, None, Life(None, row.error or "")) for mount in meant]


def _sent_to_all(leader: VaultClient, task: Task, meant: list[Mount] | None) -> ReloadAnswer:
    """Ask the active node to reload, and to tell the others."""
    answer = send(leader, task, meant)
    if answer.error is None or answer.error.status != REDIRECT:
        return answer
    error = answer.error.retold(
        "the node that was active is so no more, or nodes names a load balancer",
        next_step="repeat the task, with the own address of each node in nodes",
    )
    return answer._replace(error=error)


def _answers_of_all(
    nodes: Nodes, lead: Node | None, answer: ReloadAnswer
) -> dict[Node, ReloadAnswer]:
    """Return what is known of each node from the answer of the one that was to tell the others."""
    answers = {lead: answer} if lead else {}
    if lead and answer.error is not None and not isinstance(answer.error, NoAnswer):
        # The server tells the others only after it has succeeded itself.
        others = (node for node in nodes.all if node != lead)
        answers.update(dict.fromkeys(others, _left_out_after(lead)))
    return answers


def _answer_of_task(lead: Node | None, answers: t.Mapping[Node, ReloadAnswer]) -> ReloadAnswer:
    """Return the answer of the active node, else what those of the others add up to."""
    sent = {node: told for node, told in answers.items() if not isinstance(told.error, _LeftOut)}
    if lead in sent:
        return sent[lead]
    ids = [told.reload_id for told in sent.values() if told.reload_id]
    changed = any(told.changed for told in sent.values())
    return ReloadAnswer(changed, None, reload_id=ids[0] if ids else None)


def _aims(look: Look, meant: list[Mount] | None) -> list[Aim]:
    return [Aim(mount, look.expected(mount)) for mount in meant or []]


def _nothing_to_do(task: Task, look: Look, before: t.Sequence[NodeLook]) -> Result:
    """Return the result where no node needs a reload, or raise for one that cannot be asked."""
    aims = _aims(look, look.mounts)
    rows = [judge_node(there, there, aims, UNTOUCHED) for there in before]
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
    silent = [there.node for there in before if there.error]
    # Where nobody says that it is active, one that says nothing may be.
    failed = silent[0] if silent and not nodes.active else None
    for there in sorted(before, key=lambda look: look.server.role != "active"):
        node = there.node
        mine = [mount for mount in meant or [] if not task.only_stale or mount.path in behind[node]]
        if there.forwards:
            continue
        if there.error:
            answers[node] = _left_out(f"was not reloaded: {there.error}", "repeat the task")
            failed = node if node == nodes.active else failed
        elif failed:
            answers[node] = _left_out_after(failed)
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
            answers[node] = UNTOUCHED
    return answers


def _sent(client: VaultClient, task: Task, meant: list[Mount] | None) -> ReloadAnswer:
    """Ask a node to reload itself."""
    answer = send(client, task, meant)
    if answer.error is not None and answer.error.status == REDIRECT:
        # OpenBao 2.6: a standby whose plugin was down has started it, cannot write that down, and
        # so leaves the request to the active node, as one does that runs no plugins. Looks tell.
        return UNTOLD
    if task.only_stale:
        # Its answer is of those that were stale here, not of those that are so elsewhere.
        return answer._replace(otherwise=False)
    return answer


def _left_out_after(failed: Node) -> ReloadAnswer:
    return _left_out(f"was not reloaded, as {failed} failed", "mend that one first")


def _left_out(what: str, next_step: str) -> ReloadAnswer:
    return ReloadAnswer(False, False, error=_LeftOut(what, next_step=next_step))


def _foretold(
    task: Task,
    server: Server,
    look: Look,
    meant: list[Mount] | None,
    before: t.Sequence[NodeLook],
    behind: t.Mapping[Node, list[str]],
) -> Result:
    """Return check mode's result, with what stands in the way on each node as warnings."""
    each = behind if task.only_stale and server.runs_global == IGNORED else None
    result = without_reload(task, look, meant, _foretold_rows(look, before, meant or [], each))
    for there in before:
        if there.error:
            result["verified"] = False
            result["warnings"].append(f"node {there.node}: {there.error}")
        elif not server.standbys_learn and _cannot_follow(there, meant or []):
            result["warnings"].append(
                f"node {there.node} would keep its old version until it is restarted"
            )
    return result


def _foretold_rows(
    look: Look,
    before: t.Sequence[NodeLook],
    meant: t.Sequence[Mount],
    behind: t.Mapping[Node, list[str]] | None,
) -> list[NodeVerdict]:
    """Return what a reload of ``meant`` would do on each node; ``behind`` is what each reloads."""
    paths = [mount.path for mount in meant]
    return [
        NodeVerdict(
            there.node,
            there.server.role,
            None,
            [
                predicted(there.mounts[mount.path], look.expected(mount))
                if mount.path in (paths if behind is None else behind[there.node])
                else untouched(there.mounts[mount.path])
                for mount in look.mounts or []
                if mount.path in there.mounts
            ],
            there.error or None,
        )
        for there in before
    ]
