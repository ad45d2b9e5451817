# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is verified of a node, and when."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import Node
from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Health
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    NOTHING_DONE,
    ReloadAnswer,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    Refused,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._operations.rows import (
    diff_of_mounts,
    diff_of_nodes,
    node_row,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload import verification
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import Nodes, NodeState
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import Wait
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import Preflight
from ansible_collections.vaultops.vault.plugins.module_utils._reload.verification import (
    evaluate_node,
    verify_nodes,
)

NODE = Node("https://n2:8200", "n2")
ALIVE = Health(True)
STANDBY = Server("OpenBao", "2.7.2", role="standby")
OLD, NEW = "a" * 64, "b" * 64


def mount(version: str = "v1.0.0", sha256: str = OLD, path: str = "ext/") -> Mount:
    """Return a mount that runs a version."""
    return Mount(path, "secret", "ext", "ext_1", version, version, sha256)


def entry(version: str = "v1.0.0", sha256: str = OLD) -> CatalogEntry:
    """Return what a mount should run."""
    return CatalogEntry("secret", "ext", version, sha256, builtin=False)


def state(
    *mounts: Mount, health: Health = ALIVE, error: str = "", forwards: bool = False
) -> NodeState:
    """Return what a node says of its mounts."""
    return NodeState(
        NODE,
        STANDBY,
        {each.path: each for each in mounts},
        {each.path: health for each in mounts},
        forwards,
        error,
    )


DOWN = Health(False, "no handler for route")
SUCCESS = ReloadAnswer(changed=True, others=True)
REFUSED = ReloadAnswer(False, False, error=Refused("permission denied", next_step="x", status=403))
LEFT_OUT = ReloadAnswer(False, False, error=VaultError("was not reloaded", next_step="do that"))
LOST = ReloadAnswer(
    None, None, error=NoAnswer("the outcome of the reload is unknown", next_step="x")
)


class Case(t.NamedTuple):
    """What a node said after and before, its own answer if it was asked, and what that shows.

    ``touched``: it is known that something was reloaded or stopped there.
    """

    after: NodeState
    before: NodeState | None
    answer: ReloadAnswer | None
    ok: bool
    reloaded: bool | None
    error: str | None = None
    expected: CatalogEntry | None = entry()
    touched: bool = False


CASES = {
    "told by another, and the same as before": Case(
        state(mount()), state(mount()), None, True, None
    ),
    "told by another, and another version": Case(
        state(mount("v1.1.0", NEW)),
        state(mount()),
        None,
        True,
        True,
        expected=entry("v1.1.0", NEW),
        touched=True,
    ),
    "told by another, and the old version": Case(
        state(mount()),
        state(mount()),
        None,
        False,
        None,
        'mount "ext/" runs v1.0.0 aaaaaaaa, where v1.1.0 bbbbbbbb is expected',
        entry("v1.1.0", NEW),
    ),
    "told by another, and down": Case(
        state(mount("", ""), health=DOWN),
        state(mount()),
        None,
        False,
        False,
        'mount "ext/" does not answer: no handler for route',
        touched=True,
    ),
    "told by another, and down as before": Case(
        state(mount("", ""), health=DOWN),
        state(mount(), health=DOWN),
        None,
        False,
        False,
        'mount "ext/" does not answer: no handler for route',
    ),
    "told by another, and down after its process had ended": Case(
        state(mount("", ""), health=DOWN),
        state(mount(), health=Health(False, "fork/exec /p: permission denied")),
        None,
        False,
        False,
        'mount "ext/" does not answer: no handler for route',
        touched=True,
    ),
    "asked itself": Case(state(mount()), state(mount()), SUCCESS, True, True, touched=True),
    "it refused": Case(state(mount()), state(mount()), REFUSED, False, False, "permission denied"),
    "it refused, and was down before": Case(
        state(mount(), health=DOWN), state(mount()), REFUSED, False, False, "permission denied"
    ),
    "left out": Case(state(mount()), state(mount()), LEFT_OUT, False, False, "was not reloaded"),
    "its answer was lost": Case(
        state(mount()), state(mount()), LOST, False, None, "the outcome of the reload is unknown"
    ),
    "it said nothing before": Case(state(mount()), None, None, True, None),
    "nobody knows what it should run": Case(
        state(mount()), state(mount()), None, True, None, expected=None
    ),
    "it was not asked whether it serves": Case(
        state(mount(), health=Health(None, "no answer within 5 s")),
        state(mount()),
        None,
        False,
        None,
        'mount "ext/" could not be verified: no answer within 5 s',
    ),
    "it does not know the mount": Case(
        state(), state(), None, False, None, 'mount "ext/" is not known to this node'
    ),
}


def preflight(entry: CatalogEntry | None, *paths: str) -> Preflight:
    """Return a preflight that expects ``entry`` on the mounts at ``paths``, or knows nothing."""
    return Preflight(expected=dict.fromkeys(paths or ("ext/",), entry) if entry else {})


@pytest.mark.parametrize("name", CASES)
def test_a_node(name: str) -> None:
    case = CASES[name]
    result = evaluate_node(
        case.after, case.before, [mount()], preflight(case.expected), case.answer
    )
    assert (result.ok, result.error) == (case.ok, case.error)
    assert bool(result.next_step) is not case.ok
    (row,) = result.mounts
    assert row.reloaded is case.reloaded
    assert row.touched is case.touched


def test_a_node_that_cannot_be_asked() -> None:
    unreachable = state(error="no answer within 5 s")
    result = evaluate_node(unreachable, state(mount()), [mount()], preflight(None), None)
    assert node_row(result) == {
        "address": "https://n2:8200",
        "name": "n2",
        "role": "standby",
        "ok": False,
        "error": "no answer within 5 s",
        "mounts": [],
    }
    assert "nodes gives other addresses" in result.next_step


def test_a_node_that_runs_no_plugins() -> None:
    forwarding = state(forwards=True)
    result = evaluate_node(forwarding, forwarding, [mount()], preflight(entry()), None)
    assert (result.ok, result.mounts) == (True, ())


def test_a_mount_that_is_being_removed_is_told_and_no_fault_of_the_node() -> None:
    tainted = Health(False, 'no handler for route "ext/". route entry or namespace is tainted.')
    now = state(mount(), health=tainted)
    result = evaluate_node(now, now, [mount()], preflight(entry()), NOTHING_DONE)
    (row,) = result.mounts
    assert (result.ok, result.error, row.touched) == (True, None, False)
    assert (row.reloaded, "is tainted" in (row.error or "")) == (False, True)
    same = "ext/ ext down\n"
    assert diff_of_mounts([row]) == {"before": same, "after": same}


def test_many_mounts_that_are_down_are_counted() -> None:
    mounts = [mount(path=f"m{number}/") for number in range(61)]
    after = state(*mounts, health=DOWN)
    expected = preflight(entry(), *(each.path for each in mounts))
    assert evaluate_node(after, after, mounts, expected, None).error == (
        'mount "m0/" (and 60 more) does not answer: no handler for route'
    )


def test_a_diff_for_each_node_where_they_differ() -> None:
    before, after, selected = state(mount()), mount("v1.1.0", NEW), [mount()]
    expected = preflight(entry("v1.1.0", NEW))
    good = evaluate_node(state(after), before, selected, expected, None)
    down = evaluate_node(state(mount("", ""), health=DOWN), before, selected, expected, None)
    idle = evaluate_node(state(forwards=True), None, selected, expected, None)
    was, now = "ext/ ext v1.0.0 aaaaaaaa", "ext/ ext v1.1.0 bbbbbbbb"
    mounts = [MountResult(mount(), after, True, None, ALIVE)]
    assert diff_of_nodes(mounts, [good, good, idle]) == {
        "before": f"{was}\n",
        "after": f"{now}\n",
    }
    # Nodes that share a name, as those of one host without names of raft, lose no line.
    assert diff_of_nodes(mounts, [good, down, idle]) == {
        "before": f"n2: {was}\nn2: {was}\n",
        "after": f"n2: {now}\nn2: ext/ ext down\n",
    }


def test_a_diff_says_down_only_of_what_is_known_to_be_down() -> None:
    now = mount("v1.1.0", NEW)
    cases = {
        "ext v1.1.0 bbbbbbbb": MountResult(mount(), now, True, "not the probe", ALIVE),
        "ext down": MountResult(mount(), now, False, "does not answer", DOWN),
        "ext unknown": MountResult(mount(), now, False, "no answer", Health(None)),
    }
    for told, row in cases.items():
        assert diff_of_mounts([row])["after"] == f"ext/ {told}\n"


class FakeNodes(Nodes):
    """One node that says one thing after the other, the last one for good."""

    def __init__(self, *says: NodeState) -> None:
        self.all = [NODE]
        self.says = list(says)
        self.asked = 0
        self.lines: list[str] = []
        self.progress = self.lines.append

    def inspect_node(self, *_asked: t.Any) -> NodeState:
        self.asked += 1
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes by the pauses only."""
    now = [1000.0]
    time = types.SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr(verification, "time", time)
    monkeypatch.setattr(verification, "pause", lambda seconds: now.append(now.pop() + seconds))


SAME, DEAD, SILENT = state(mount()), state(mount(), health=DOWN), state(error="no answer")
CHANGED = state(mount("v1.1.0", NEW))


class Story(t.NamedTuple):
    """What a node says, one time after the other, how often it is asked, and what is verified."""

    says: list[NodeState]
    asked: range
    ok: bool
    error: str | None = None
    answer: ReloadAnswer | None = None
    expected: CatalogEntry = entry()
    timeout: float = 60.0


STORIES = {
    "the same as before proves nothing at once": Story([SAME], range(20, 23), True),
    "another version does": Story(
        [SAME, CHANGED], range(2, 3), True, expected=entry("v1.1.0", NEW)
    ),
    "its own answer does": Story([SAME], range(1, 2), True, answer=SUCCESS),
    "down for a moment": Story([DEAD] * 10 + [SAME], range(20, 23), True),
    "down for good": Story(
        [DEAD], range(50, 53), False, 'mount "ext/" does not answer: no handler for route'
    ),
    "it is back late: then it is watched as long": Story(
        [SILENT] * 100 + [SAME], range(120, 123), True
    ),
    "it is back late, and down soon": Story(
        [SILENT] * 100 + [SAME] * 5 + [DEAD],
        range(149, 153),
        False,
        'mount "ext/" does not answer: no handler for route',
    ),
    "it never answers": Story([SILENT], range(600, 603), False, "no answer"),
    "it refused: nothing more is to come": Story(
        [SAME], range(1, 2), False, "permission denied", REFUSED
    ),
    "its answer was lost: nothing more is to come": Story(
        [SAME], range(1, 2), False, "the outcome of the reload is unknown", LOST
    ),
    "no time to see whether it reloads": Story(
        [SAME],
        range(10, 13),
        False,
        "runs what it did, and the time was up before it was clear whether it reloads",
        timeout=1,
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_when_a_node_is_verified(name: str, clock: None) -> None:
    story = STORIES[name]
    nodes = FakeNodes(*story.says)
    answers = {NODE: story.answer} if story.answer else {}
    (result,) = verify_nodes(
        nodes,
        preflight(story.expected),
        [state(mount())],
        [mount()],
        answers,
        "",
        Wait(story.timeout, 0.1),
    )
    assert (result.ok, result.error) == (story.ok, story.error)
    assert nodes.asked in story.asked
    assert nodes.lines == [f"node 1/1: {NODE}: {story.error or 'runs what it should'}"]


@pytest.mark.parametrize(("age", "pause"), [(0.0, 5.0), (8.0, 2.0), (20.0, 0.0)])
def test_a_pause_never_outlives_the_wait(age: float, pause: float) -> None:
    assert Wait(10.0, 5.0).pause(age) == pause
