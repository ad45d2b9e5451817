# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is proven of a node, and when."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Life
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import ReloadAnswer
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    Refused,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload import verification
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import (
    Node,
    NodeLook,
    Nodes,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import Wait
from ansible_collections.vaultops.vault.plugins.module_utils._reload.verification import (
    Aim,
    diff_of_nodes,
    judge_node,
    prove,
)

NODE = Node("https://n2:8200", "n2")
SERVES = Life(True)
STANDBY = Server("OpenBao", "2.7.2", role="standby")
OLD, NEW = "a" * 64, "b" * 64


def mount(version: str = "v1.0.0", sha256: str = OLD, path: str = "ext/") -> Mount:
    """Return a mount that runs a version."""
    return Mount(path, "secret", "ext", "ext_1", version, version, sha256)


def entry(version: str = "v1.0.0", sha256: str = OLD) -> CatalogEntry:
    """Return what a mount should run."""
    return CatalogEntry("secret", "ext", version, sha256, builtin=False)


def look(*mounts: Mount, life: Life = SERVES, error: str = "", forwards: bool = False) -> NodeLook:
    """Return what a node says of its mounts."""
    return NodeLook(
        NODE,
        STANDBY,
        {each.path: each for each in mounts},
        {each.path: life for each in mounts},
        forwards,
        error,
    )


DOWN = Life(False, "no handler for route")
SUCCESS = ReloadAnswer(changed=True, otherwise=True)
REFUSED = ReloadAnswer(False, False, error=Refused("permission denied", next_step="x", status=403))
LEFT_OUT = ReloadAnswer(False, False, error=VaultError("was not reloaded", next_step="do that"))
LOST = ReloadAnswer(
    None, None, error=NoAnswer("the outcome of the reload is unknown", next_step="x")
)


class Case(t.NamedTuple):
    """What a node said after and before, its own answer if it was asked, and what that proves.

    ``touched``: it is known that something was reloaded or stopped there.
    """

    after: NodeLook
    before: NodeLook | None
    answer: ReloadAnswer | None
    ok: bool
    reloaded: bool | None
    error: str | None = None
    aim: CatalogEntry | None = entry()
    touched: bool = False


CASES = {
    "told by another, and the same as before": Case(look(mount()), look(mount()), None, True, None),
    "told by another, and another version": Case(
        look(mount("v1.1.0", NEW)),
        look(mount()),
        None,
        True,
        True,
        aim=entry("v1.1.0", NEW),
        touched=True,
    ),
    "told by another, and the old version": Case(
        look(mount()),
        look(mount()),
        None,
        False,
        None,
        'mount "ext/" runs v1.0.0 aaaaaaaa, where v1.1.0 bbbbbbbb is expected',
        entry("v1.1.0", NEW),
    ),
    "told by another, and down": Case(
        look(mount("", ""), life=DOWN),
        look(mount()),
        None,
        False,
        False,
        'mount "ext/" does not serve: no handler for route',
        touched=True,
    ),
    "asked itself": Case(look(mount()), look(mount()), SUCCESS, True, True, touched=True),
    "it refused": Case(look(mount()), look(mount()), REFUSED, False, False, "permission denied"),
    "it refused, and was down before": Case(
        look(mount(), life=DOWN), look(mount()), REFUSED, False, False, "permission denied"
    ),
    "left out": Case(look(mount()), look(mount()), LEFT_OUT, False, False, "was not reloaded"),
    "its answer was lost": Case(
        look(mount()), look(mount()), LOST, False, None, "the outcome of the reload is unknown"
    ),
    "it said nothing before": Case(look(mount()), None, None, True, None),
    "nobody knows what it should run": Case(
        look(mount()), look(mount()), None, True, None, aim=None
    ),
    "it was not asked whether it serves": Case(
        look(mount(), life=Life(None, "no answer within 5 s")),
        look(mount()),
        None,
        False,
        None,
        'mount "ext/" could not be looked at again: no answer within 5 s',
    ),
    "it does not know the mount": Case(
        look(), look(), None, False, None, 'mount "ext/" is not known to this node'
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_node(name: str) -> None:
    case = CASES[name]
    verdict = judge_node(case.after, case.before, [Aim(mount(), case.aim)], case.answer)
    assert (verdict.ok, verdict.error) == (case.ok, case.error)
    assert bool(verdict.next_step) is not case.ok
    (row,) = verdict.as_result()["mounts"]
    assert row["reloaded"] is case.reloaded
    assert verdict.reloaded is case.touched


def test_a_node_that_cannot_be_asked() -> None:
    verdict = judge_node(
        look(error="no answer within 5 s"), look(mount()), [Aim(mount(), None)], None
    )
    assert verdict.as_result() == {
        "address": "https://n2:8200",
        "name": "n2",
        "role": "standby",
        "ok": False,
        "error": "no answer within 5 s",
        "mounts": [],
    }
    assert "nodes gives other addresses" in verdict.next_step


def test_a_node_that_runs_no_plugins() -> None:
    verdict = judge_node(look(forwards=True), look(forwards=True), [Aim(mount(), entry())], None)
    assert (verdict.ok, verdict.verdicts) == (True, ())


def test_many_mounts_that_are_down_are_counted() -> None:
    paths = [f"m{number}/" for number in range(61)]
    after = look(*(mount(path=path) for path in paths), life=DOWN)
    aims = [Aim(mount(path=path), entry()) for path in paths]
    assert judge_node(after, after, aims, None).error == (
        'mount "m0/" (and 60 more) does not serve: no handler for route'
    )


def test_a_diff_for_each_node_where_they_differ() -> None:
    aims = [Aim(mount(), entry("v1.1.0", NEW))]
    good = judge_node(look(mount("v1.1.0", NEW)), look(mount()), aims, None)
    dead = judge_node(look(mount("", ""), life=DOWN), look(mount()), aims, None)
    idle = judge_node(look(forwards=True), None, aims, None)
    before, after = "ext/ ext v1.0.0 aaaaaaaa", "ext/ ext v1.1.0 bbbbbbbb"
    whole = {"before": f"{before}\n", "after": f"{after}\n"}
    assert diff_of_nodes(whole, [good, good, idle]) == whole
    # Nodes that share a name, as those of one host without names of raft, lose no line.
    assert diff_of_nodes(whole, [good, dead, idle]) == {
        "before": f"n2: {before}\nn2: {before}\n",
        "after": f"n2: {after}\nn2: ext/ ext down\n",
    }


class FakeNodes(Nodes):
    """One node that says one thing after the other, the last one for good."""

    def __init__(self, *says: NodeLook) -> None:
        self.all = [NODE]
        self.says = list(says)
        self.asked = 0
        self.lines: list[str] = []
        self.tell = self.lines.append

    def look_at(self, *_question: t.Any) -> NodeLook:
        self.asked += 1
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes by the pauses only."""
    now = [1000.0]
    time = types.SimpleNamespace(
        monotonic=lambda: now[0], sleep=lambda seconds: now.append(now.pop() + seconds)
    )
    monkeypatch.setattr(verification, "time", time)


SAME, DEAD, DEAF = look(mount()), look(mount(), life=DOWN), look(error="no answer")
CHANGED = look(mount("v1.1.0", NEW))


class Course(t.NamedTuple):
    """What a node says, question by question, how often it is asked, and what is proven."""

    says: list[NodeLook]
    asked: range
    ok: bool
    error: str | None = None
    answer: ReloadAnswer | None = None
    aim: CatalogEntry = entry()
    timeout: float = 60.0


COURSES = {
    "the same as before proves nothing at once": Course([SAME], range(20, 23), True),
    "another version does": Course([SAME, CHANGED], range(2, 3), True, aim=entry("v1.1.0", NEW)),
    "its own answer does": Course([SAME], range(1, 2), True, answer=SUCCESS),
    "down for a moment": Course([DEAD] * 10 + [SAME], range(20, 23), True),
    "down for good": Course(
        [DEAD], range(50, 53), False, 'mount "ext/" does not serve: no handler for route'
    ),
    "it is back late: then it is watched as long": Course(
        [DEAF] * 100 + [SAME], range(120, 123), True
    ),
    "it is back late, and down soon": Course(
        [DEAF] * 100 + [SAME] * 5 + [DEAD],
        range(149, 153),
        False,
        'mount "ext/" does not serve: no handler for route',
    ),
    "it never answers": Course([DEAF], range(600, 603), False, "no answer"),
    "it refused: nothing more is to come": Course(
        [SAME], range(1, 2), False, "permission denied", REFUSED
    ),
    "its answer was lost: nothing more is to come": Course(
        [SAME], range(1, 2), False, "the outcome of the reload is unknown", LOST
    ),
    "no time to see whether it reloads": Course(
        [SAME],
        range(10, 13),
        False,
        "runs what it did, and time was up before it was clear whether it reloads",
        timeout=1,
    ),
}


@pytest.mark.parametrize("name", COURSES)
def test_when_a_node_is_proven(name: str, clock: None) -> None:
    course = COURSES[name]
    nodes = FakeNodes(*course.says)
    answers = {NODE: course.answer} if course.answer else {}
    aims = [Aim(mount(), course.aim)]
    (verdict,) = prove(nodes, [look(mount())], aims, answers, "", Wait(course.timeout, 0.1))
    assert (verdict.ok, verdict.error) == (course.ok, course.error)
    assert nodes.asked in course.asked
    assert nodes.lines == [f"node 1/1: {NODE}: {course.error or 'runs what it should'}"]
