# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that every node runs what it should: each is asked until it does, or until time is up."""

from __future__ import annotations

import itertools
import threading
import time
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Life
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    UNTOLD,
    ReloadAnswer,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    Verdict,
    diff,
    doubt,
    judge,
    running,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import (
    Node,
    NodeLook,
    Nodes,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import Wait

# A node that the server told to reload does so 0.1 to 0.2 s after the answer, and may run the same
# before and after: that it looks well proves nothing before it was heard for so many seconds.
SETTLED = 2.0
# A mount that is down for so many seconds after that stays down.
LOST = 5.0

_UNHEARD = (
    "see why the node cannot be asked from here (nodes gives other addresses, wait=false asks "
    "none), then repeat the task"
)
# What helps a plugin that does not start on one node.
BROKEN = (
    "mend the plugin on that node (its file and sha256 there; the node's log tells), then repeat "
    "the task"
)
_OTHER = "repeat the task; if that does not help, restart that node: it then loads what is set"
_HASTY = "runs what it did, and time was up before it was clear whether it reloads"


class Aim(t.NamedTuple):
    """What each node should run: a mount, and the entry that it should have loaded, if known."""

    mount: Mount
    entry: CatalogEntry | None


class NodeVerdict(t.NamedTuple):
    """What is proven of a node: ``ok`` is None where nothing was to be proven.

    ``error`` is why it is not well, and ``next_step`` what helps.
    """

    node: Node
    role: str
    ok: bool | None
    verdicts: t.Sequence[Verdict] = ()
    error: str | None = None
    next_step: str = ""

    @property
    def reloaded(self) -> bool:
        """Whether a mount there is known to have been reloaded, or stopped by a reload."""
        return any(row.reloaded or row.life.serves is False for row in self.verdicts)

    def as_result(self) -> dict[str, t.Any]:
        """Return the row of the result's ``nodes``."""
        return {
            "address": self.node.address or None,
            "name": self.node.name,
            "role": self.role or None,
            "ok": self.ok,
            "error": self.error,
            "mounts": of_node([verdict.as_result() for verdict in self.verdicts]),
        }


def of_node(rows: t.Sequence[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return rows of the result's ``mounts`` without what is the same on all nodes."""
    shown = ("path", "reloaded", "error", "before", "after")
    return [{name: row[name] for name in shown} for row in rows]


def diff_of_nodes(whole: dict[str, str], nodes: t.Sequence[NodeVerdict]) -> dict[str, str]:
    """Return the diff of the task: ``whole`` where all nodes are alike, else one for each node."""
    parts = [(row.node.name, diff(row.verdicts)) for row in nodes if row.verdicts]
    if all(part == whole for _name, part in parts):
        return whole
    return {
        side: "".join(
            f"{name}: {line}\n" for name, part in parts for line in part[side].splitlines()
        )
        for side in ("before", "after")
    }


def prove(
    nodes: Nodes,
    before: t.Sequence[NodeLook],
    aims: t.Sequence[Aim],
    answers: t.Mapping[Node, ReloadAnswer],
    question: str | None,
    wait: Wait,
) -> list[NodeVerdict]:
    """Ask all nodes at once, each until it runs what it should or ``wait`` is over.

    ``before`` is what they said before the reload.  ``answers`` are of the nodes that were asked to
    reload themselves; any other was told to by one of them.  ``question`` is that of _probe.
    """
    since = time.monotonic()
    past = {look.node: look for look in before}
    paths = [aim.mount.path for aim in aims]
    counter, telling = itertools.count(1), threading.Lock()

    def prove_one(node: Node) -> NodeVerdict:
        answer = answers.get(node)
        heard = since
        while True:
            now = time.monotonic()
            look = nodes.look_at(node, paths, question, max(since + wait.timeout - now, 1.0))
            if look.error:
                heard = time.monotonic()  # what it was told meanwhile it may do only now
            verdict = judge_node(look, past.get(node), aims, answer)
            age = time.monotonic() - heard
            settled = node in answers or age > SETTLED or _has_changed(verdict)
            lost = age > LOST and any(life.serves is False for life in look.lives.values())
            over = time.monotonic() - since >= wait.timeout
            if (verdict.ok and settled) or lost or over or (answer and answer.error):
                if verdict.ok and not settled:
                    step = f"give wait_timeout more than {SETTLED:.0f} s, and repeat the task"
                    verdict = verdict._replace(ok=False, error=_HASTY, next_step=step)
                told = "runs what it should" if verdict.ok else verdict.error
                with telling:
                    nodes.tell(f"node {next(counter)}/{len(nodes.all)}: {node}: {told}")
                return verdict
            time.sleep(wait.interval)

    return nodes.on_each(prove_one)


def judge_node(
    look: NodeLook, before: NodeLook | None, aims: t.Sequence[Aim], answer: ReloadAnswer | None
) -> NodeVerdict:
    """Judge what a node says now; ``answer`` is its own to a reload that it was asked for."""
    verdict = NodeVerdict(look.node, look.server.role, True)
    if look.error:
        step = look.next_step or _UNHEARD
        return verdict._replace(ok=False, error=look.error, next_step=step)
    if look.forwards:
        return verdict  # it runs no plugins itself
    rows = [_judge_mount(aim, look, before, answer or UNTOLD) for aim in aims]
    verdict = verdict._replace(verdicts=rows)
    broken = [row for row in rows if row.error is not None]
    doubts = [words for words in (doubt(row, aim.entry) for row, aim in zip(rows, aims)) if words]
    if answer is not None and answer.error is not None:
        return verdict._replace(ok=False, error=answer.error.what, next_step=answer.error.next_step)
    if broken:
        others = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        error = f'mount "{broken[0].before.path}"{others} {broken[0].error}'
        return verdict._replace(ok=False, error=error, next_step=BROKEN)
    if doubts:
        return verdict._replace(ok=False, error=doubts[0], next_step=_OTHER)
    return verdict


def _judge_mount(
    aim: Aim, look: NodeLook, before: NodeLook | None, answer: ReloadAnswer
) -> Verdict:
    path = aim.mount.path
    known = before.mounts.get(path) if before else None
    after = look.mounts.get(path)
    if after is None:
        words = "is not known to this node"
        return Verdict(known or aim.mount, None, None, words, Life(None, words))
    # Of a node that said nothing before, whether it was reloaded cannot be told.
    known = known or after
    if answer.changed is False and not answer.failed:
        return Verdict(known, after, False, None, Life(None))
    return judge(answer, known, after, look.lives[path])


def _has_changed(verdict: NodeVerdict) -> bool:
    return all(
        row.after is not None and running(row.before) != running(row.after)
        for row in verdict.verdicts
    )
