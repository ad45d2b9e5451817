# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reload of many nodes: who is asked, in which order, and what is told of the others."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import Node
from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Health
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import ReloadAnswer
from ansible_collections.vaultops.vault.plugins.module_utils._errors import NoAnswer, Refused
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection
from ansible_collections.vaultops.vault.plugins.module_utils._reload import (
    all_nodes,
    each_node,
    from_active_node,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import Nodes, NodeState
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import NodeResult

N1, N2, N3 = (Node(f"https://n{number}:8200", f"n{number}") for number in (1, 2, 3))
PATHS = ("a/", "b/")
SELECTED = [Mount(path, "secret", "ext", "x", "v2", "v1", "") for path in PATHS]
OPTIONS = ReloadOptions("ext", scope="global")
OPENBAO_26, OPENBAO_27 = (Server("OpenBao", version) for version in ("2.6.1", "2.7.1"))

WELL = Answer(200, {"data": {"reload_id": "an-id"}}, "POST")
BROKEN = Refused("exec format error", status=400, errors=["exec format error"])
DENIED = Refused("permission denied", status=403)
ELSEWHERE = Refused("the server redirects to https://n1:8200", status=307)
LOST = NoAnswer("no answer within 130 s")
Reply = Answer | Refused | NoAnswer


class FakeClient(VaultClient):
    """Answers each reload alike, and notes it."""

    def __init__(self, name: str, reply: Reply, asked: list[tuple[str, t.Any]]) -> None:
        self.connection = Connection("http://fake")
        self.name, self.reply, self.asked = name, reply, asked
        self.announce = print

    def request(self, method: str, path: str, body: t.Any = None, **_more: t.Any) -> Answer:
        if path == "sys/health":
            return Answer(
                200,
                {"initialized": True, "sealed": False, "standby": False, "version": "2.7.2"},
                path,
            )
        assert (method, path) == ("POST", "sys/plugins/reload/backend")
        self.asked.append((self.name, body.get("mounts")))
        if isinstance(self.reply, Answer):
            return self.reply
        raise self.reply


class FakeNodes(Nodes):
    """Three nodes with ready replies; ``asked`` are the reloads that came to them, in order."""

    def __init__(self, replies: t.Mapping[Node, Reply], active: Node | None) -> None:
        self.all = [N1, N2, N3]
        self.asked: list[tuple[str, t.Any]] = []
        self.active = active
        self.progress = lambda _line: None
        self._clients = {
            node: FakeClient(node.name, replies.get(node, WELL), self.asked) for node in self.all
        }


def state(node: Node, role: str = "standby", version: str = "v2", **more: t.Any) -> NodeState:
    """Return what a node says before the reload, of mounts configured for ``version``."""
    mounts = {each.path: each._replace(version=version) for each in SELECTED}
    return NodeState(node, Server(role=role), mounts, {}, **more)


def said(*roles: str, **more: t.Any) -> list[NodeState]:
    """Return what the nodes say before, one role each."""
    return [state(node, role, **more) for node, role in zip((N1, N2, N3), roles, strict=False)]


USUAL = said("active", "standby", "standby")
NO_WORD = "no answer within 10 s"


class Case(t.NamedTuple):
    """What the nodes said before and reply, who is asked, and the errors of the answers."""

    before: list[NodeState]
    replies: dict[Node, Reply]
    asked: list[str]
    errors: dict[Node, str]
    server: Server = OPENBAO_27


AFTER_N1 = f"was not reloaded, as {N1} failed"

CASES = {
    "all well": Case(USUAL, {}, ["n1", "n2", "n3"], {}),
    "the active one is first": Case(
        said("standby", "standby", "active"), {}, ["n3", "n1", "n2"], {}
    ),
    "the active one fails": Case(
        USUAL, {N1: BROKEN}, ["n1"], {N1: "exec format error", N2: AFTER_N1, N3: AFTER_N1}
    ),
    "its answer is lost": Case(
        USUAL,
        {N1: LOST},
        ["n1"],
        {N1: "outcome of the reload is unknown", N2: AFTER_N1, N3: AFTER_N1},
    ),
    "a standby fails": Case(
        USUAL,
        {N2: DENIED},
        ["n1", "n2"],
        {N2: "permission denied", N3: f"was not reloaded, as {N2} failed"},
    ),
    "a standby says nothing": Case(
        [USUAL[0], state(N2, "", error=NO_WORD), USUAL[2]],
        {},
        ["n1", "n3"],
        {N2: f"was not reloaded: {NO_WORD}"},
    ),
    "the active one says nothing any more": Case(
        [state(N1, "active", error=NO_WORD), *USUAL[1:]],
        {},
        [],
        {N1: f"was not reloaded: {NO_WORD}", N2: AFTER_N1, N3: AFTER_N1},
    ),
    "the one that says nothing may be active": Case(
        [state(N1, "", error=NO_WORD), *USUAL[1:]],
        {},
        [],
        {N1: f"was not reloaded: {NO_WORD}", N2: AFTER_N1, N3: AFTER_N1},
    ),
    "only standbys are given": Case(said("standby", "standby"), {}, ["n1", "n2"], {}),
    "standbys that run no plugins": Case(
        [USUAL[0], *said("", "standby", "standby", forwards=True)[1:]], {}, ["n1"], {}
    ),
    "a standby has reloaded, and cannot write that down": Case(
        USUAL, {N2: ELSEWHERE}, ["n1", "n2", "n3"], {}
    ),
    "a standby that does not know the new version": Case(
        [USUAL[0], state(N2, version="v1"), USUAL[2]],
        {},
        ["n1", "n3"],
        {N2: "keeps its old version of a/"},
        OPENBAO_26,
    ),
    "a standby that learns of it in a moment": Case(
        [USUAL[0], state(N2, version="v1"), USUAL[2]], {}, ["n1", "n2", "n3"], {}
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_node_is_asked_itself(name: str) -> None:
    case = CASES[name]
    active = [there.node for there in case.before if there.server.role == "active"]
    nodes = FakeNodes(case.replies, active[0] if active else None)
    answers = each_node.reload_each(nodes, OPTIONS, case.server, SELECTED, case.before, {})
    assert [name for name, _mounts in nodes.asked] == case.asked
    errors = {node: str(answer.error) for node, answer in answers.items() if answer.error}
    assert set(errors) == set(case.errors)
    assert all(case.errors[node] in words for node, words in errors.items())


def test_only_what_is_stale_on_a_node_is_reloaded_there() -> None:
    options = OPTIONS._replace(only_stale=True)
    behind: dict[Node, set[str]] = {N1: set(), N2: {"b/"}, N3: {"a/", "b/"}}
    nodes = FakeNodes({}, N1)
    answers = each_node.reload_each(nodes, options, OPENBAO_27, SELECTED, USUAL, behind)
    assert nodes.asked == [("n2", ["b/"]), ("n3", ["a/", "b/"])]
    told = {node: [answers[node].was_reloaded(path) for path in PATHS] for node in answers}
    assert told == {N1: [False, False], N2: [False, True], N3: [True, True]}


@pytest.mark.parametrize(
    ("replies", "before", "changed", "error"),
    [
        ({}, USUAL, True, None),
        ({N1: DENIED}, USUAL, False, "permission denied"),
        ({N2: DENIED}, USUAL, True, None),
        ({}, [state(N1, "", error=NO_WORD), *USUAL[1:]], False, None),
        ({}, said("standby", "standby"), True, None),
    ],
)
def test_the_answer_of_the_active_node_is_that_of_the_task(
    replies: dict[Node, Reply], before: list[NodeState], changed: bool, error: str | None
) -> None:
    active = N1 if before[0].server.role == "active" else None
    nodes = FakeNodes(replies, active)
    answers = each_node.reload_each(nodes, OPTIONS, OPENBAO_27, SELECTED, before, {})
    answer = each_node.answer_of_all(active, answers)
    assert answer.changed is changed
    assert answer.reload_id == ("an-id" if changed else None)
    assert (answer.error is None) is (error is None)
    assert error is None or error in str(answer.error)


@pytest.mark.parametrize(
    ("reply", "others"), [(WELL, None), (LOST, None), (BROKEN, AFTER_N1), (ELSEWHERE, AFTER_N1)]
)
def test_what_the_answer_to_all_says_of_the_others(reply: Reply, others: str | None) -> None:
    nodes = FakeNodes({N1: reply}, N1)
    answer = from_active_node.send_to_all(nodes.client(N1), OPTIONS, SELECTED)
    answers = from_active_node.answers_of_nodes(nodes, answer)
    assert nodes.asked == [("n1", None)]
    assert answers[N1] is answer
    assert {
        node: told.error and told.error.what for node, told in answers.items() if node != N1
    } == ({} if others is None else {N2: others, N3: others})


def test_a_node_that_was_active_a_moment_ago() -> None:
    nodes = FakeNodes({N1: ELSEWHERE}, N1)
    answer = from_active_node.send_to_all(nodes.client(N1), OPTIONS, SELECTED)
    assert answer.changed is False
    assert "the node that was active is not active any more" in str(answer.error)


ROW = NodeResult(N1, "active", False, error=NO_WORD)
UNKNOWN = ReloadAnswer(None, None, error=LOST)
SEEN = MountResult(SELECTED[0], SELECTED[0], True, None, Health(True))


@pytest.mark.parametrize(
    ("row", "answer", "reloaded"),
    [
        (ROW._replace(mounts=[SEEN]), UNKNOWN, [True]),
        (ROW, UNKNOWN, [None, None]),
        (ROW, ReloadAnswer(False, False, error=DENIED), [False, False]),
    ],
)
def test_the_mounts_are_reported_as_on_the_active_node(
    row: NodeResult, answer: ReloadAnswer, reloaded: list[bool | None]
) -> None:
    mounts = all_nodes.as_on_active_node(row, answer, SELECTED)
    assert [mount.reloaded for mount in mounts] == reloaded
    # Nothing says that they are down.
    assert [mount.error for mount in mounts] == [None] * len(reloaded)
