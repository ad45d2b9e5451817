# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mounts move, in which order, and what each of them could go back to."""

from __future__ import annotations

import threading
import time
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import Node
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Health
from ansible_collections.vaultops.vault.plugins.module_utils._catalog import read_back
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    OptionError,
    Refused,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_upgrade
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
    left_alone,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import (
    NodeResult,
    ReloadResult,
)
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.configure import (
    configure,
    restore,
)
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.options import RolloutOptions
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.plan import (
    Plan,
    Step,
    make_plan,
)
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.progress import Progress

OLD, NEW = "v1.0.0", "v1.1.0"
OPENBAO, VAULT = "v2.7.2+builtin.bao", "v1.20.0+builtin.vault"

Row = dict[str, t.Any]


def entry(version: str, sha256: str, name: str = "ext", kind: str = "secret") -> Row:
    """Return a row of the catalog."""
    return {"type": kind, "name": name, "version": version, "sha256": sha256}


def row(version: str = OLD, running: str = OLD, sha256: str = "old", plugin: str = "ext") -> Row:
    """Return a row of the mounts: what it is configured for, and what it runs."""
    return {
        "type": plugin,
        "accessor": f"{plugin}_12345678",
        "plugin_version": version,
        "running_plugin_version": running,
        "running_sha256": sha256,
    }


PINS = "sys/plugins/pins/"


class FakeClient(VaultClient):
    """A server of so many mounts, which notes what it is told; ``fails`` by the path told."""

    def __init__(
        self,
        mounts: t.Mapping[str, Row] | None = None,
        *entries: Row,
        builtin: str = OPENBAO,
        pins: str | None = None,
        fails: t.Mapping[str, VaultError] | None = None,
        together: int = 0,
    ) -> None:
        """With ``together``, so many tunes after the first wait until all of them were sent."""
        self.connection = Connection("http://fake")
        self.meeting = threading.Barrier(together) if together else None
        rows = {f"{name}/": row() for name in "abcd"} if mounts is None else mounts
        registered = entries or (entry(OLD, "old"), entry(NEW, "new"))
        pinned = [{"type": "secret", "name": "ext", "version": pins}] if pins else []
        self.answers: dict[str, Row] = {
            "sys/mounts": {
                "sys/": row(plugin="system"),
                **{p: r for p, r in rows.items() if not p.startswith("auth/")},
            },
            "sys/auth": {
                "token/": row(plugin="token"),
                **{p[5:]: r for p, r in rows.items() if p.startswith("auth/")},
            },
            "sys/plugins/catalog": {
                "detailed": [{**entry(builtin, "", "kv"), "builtin": True}, *registered]
            },
            "sys/plugins/pins": {"pinned_versions": pinned},
            **{f"sys/mounts/{p.rstrip('/')}": r for p, r in rows.items()},
        }
        self.fails = dict(fails or {})
        self.told: list[tuple[str, str]] = []

    def request(
        self,
        method: str,
        path: str,
        body: t.Mapping[str, t.Any] | None = None,
        **_more: t.Any,
    ) -> Answer:
        if method in ("POST", "DELETE"):
            version = (body or {}).get("plugin_version") or (body or {}).get("version") or ""
            self.told.append((path, version))
            if path.startswith(PINS):
                pins = [{"type": "secret", "name": "ext", "version": version}] if version else []
                self.answers["sys/plugins/pins"] = {"pinned_versions": pins}
            if self.meeting is not None and len(self.told) > 1:
                self.meeting.wait(10)
        if path in self.fails:
            raise self.fails[path]
        return Answer(200, {"data": self.answers.get(path, {})}, path)


def plan(client: FakeClient, **options: t.Any) -> Plan:
    """Return the plan of a task that moves the plugin to the new version."""
    defaults = {name: spec.get("default") for name, spec in plugin_upgrade.SPEC.items()}
    params = {**defaults, "plugin": "ext", "version": NEW, **options}
    return make_plan(client, RolloutOptions.from_params(params))


@pytest.mark.parametrize(
    ("options", "batches"),
    [
        ({}, ["abcd"]),
        ({"batch": 3}, ["abc", "d"]),
        ({"batch": 9}, ["abcd"]),
        ({"canary": "c"}, ["c", "abd"]),
        ({"canary": "c", "batch": 2}, ["c", "ab", "d"]),
        ({"canary": "c", "mounts": ["d", "c", "d/"]}, ["c", "d"]),
        ({"canary": "c", "mounts": ["d"]}, ["c", "d"]),
        ({"canary": "c", "mounts": ["c"]}, ["c"]),
        ({"mounts": ["d", "/b"], "batch": 1}, ["d", "b"]),
    ],
    ids=str,
)
def test_the_order(options: dict[str, t.Any], batches: list[str]) -> None:
    made = plan(FakeClient(), **options)
    assert ["".join(step.path[0] for step in batch) for batch in made.batches] == batches
    assert made.siblings == [f"{n}/" for n in "abcd" if n not in "".join(batches)]


def test_nothing_is_mounted() -> None:
    made = plan(FakeClient({}))
    assert (made.batches, made.steps, made.siblings) == ([], [], [])


def test_siblings_run_one_of_the_versions() -> None:
    mounts = {
        "a/": row(),
        "old/": row(),
        "new/": row(NEW, NEW, "new"),
        "older/": row("v0.9.0", "v0.9.0", "older"),
        "other/": row(plugin="other"),
        "auth/mine/": row(),
    }
    entries = [entry(NEW, "new"), entry(OLD, "old"), entry(NEW, "auth", kind="auth")]
    made = plan(FakeClient(mounts, *entries), type="secret", mounts=["a"])
    assert made.siblings == ["old/", "new/"]


@pytest.mark.parametrize(
    ("runs", "entries", "previous"),
    [
        (row(), [entry(OLD, "old")], OLD),
        (row(NEW), [entry(OLD, "old")], OLD),
        (row(NEW, NEW, "new"), [], NEW),
        # A file says more than the version under which it was registered.
        (row("", "", "old"), [entry("", "old"), entry(OLD, "old")], OLD),
        (row("", "", "old"), [entry("", "old"), entry(OLD, "another")], None),
        (row(), [entry(OLD, "another"), entry("v0.9.0", "old")], "v0.9.0"),
        (row(), [entry(OLD, "another")], OLD),
        (row(), [], None),
        # The new version itself, with another file, is not a previous version.
        (row(NEW, NEW, "another"), [entry(OLD, "old")], None),
        (row("", OPENBAO, ""), [{**entry(OPENBAO, ""), "builtin": True}], OPENBAO),
    ],
    ids=str,
)
def test_the_previous_version(runs: Row, entries: list[Row], previous: str | None) -> None:
    client = FakeClient({"a/": runs}, entry(NEW, "new"), *entries)
    if previous is None:
        with pytest.raises(OptionError, match="could not be rolled back") as raised:
            plan(client)
        assert "or set force=true" in str(raised.value)
    (step,) = plan(client, force=True).steps
    assert (step.previous.version if step.previous else None) == previous


def test_a_mount_that_runs_nothing_has_nothing_to_lose() -> None:
    client = FakeClient({"a/": row(NEW, NEW, "")})
    with pytest.raises(OptionError, match="could not be rolled back"):
        plan(client)  # OpenBao 2.6 has such a row for one that serves again, too
    client.fails["a"] = DOWN
    (step,) = plan(client).steps
    assert step.previous is None
    with pytest.raises(OptionError, match="could not be rolled back"):
        plan(
            FakeClient({"a/": row("", "", "old")}, entry(NEW, "new"), fails={"a": DOWN}),
            scope="global",
        )


@pytest.mark.parametrize(
    ("mounts", "entries", "kind"),
    [
        ({}, [entry(NEW, "new", kind="auth")], "auth"),
        ({}, [entry(NEW, "new"), entry(NEW, "new", kind="database")], "secret"),
        (
            {"auth/a/": row(NEW, NEW, "new")},
            [entry(NEW, "new", kind="auth"), entry(NEW, "x")],
            "auth",
        ),
    ],
)
def test_the_type_is_that_of_the_mounts(
    mounts: dict[str, Row], entries: list[Row], kind: str
) -> None:
    assert plan(FakeClient(mounts, *entries)).entry.kind == kind


def test_a_type_that_cannot_be_known() -> None:
    entries = [entry(NEW, "new"), entry(NEW, "new", kind="auth")]
    with pytest.raises(OptionError, match="give type"):
        plan(FakeClient({}, *entries))
    assert plan(FakeClient({}, *entries), type="auth").entry.kind == "auth"


def paths(steps: t.Iterable[Step]) -> str:
    """Return the mounts of steps."""
    return "".join(step.path[0] for step in steps)


def configured(client: FakeClient, made: Plan) -> tuple[Progress, VaultError | None]:
    """Configure all batches, up to the first that fails."""
    progress = Progress()
    for batch in made.batches:
        done = configure(client, made, batch)
        progress = progress.with_started(batch).with_configured(made, done)
        if done.error is not None:
            return progress, done.error
    return progress, None


TUNES = {name: f"sys/mounts/{name}/tune" for name in "abcd"}
DOWN = Refused("down", errors=["backend is nil"], status=404)
DENIED = Refused("permission denied", status=403)
LOST = NoAnswer("no answer", next_step="look")


REFUSED = 'cannot configure mount "c/" for v1.1.0: permission denied'
UNKNOWN = (
    'it is unknown whether mount "c/" was configured for v1.1.0: no answer; read again, it was not'
)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between reads."""
    monkeypatch.setattr(read_back, "PAUSE", 0.0)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("failure", "told", "done", "undone"),
    [
        (None, "", "abcd", "abcd"),
        (DENIED, REFUSED, "abd", "abd"),
        (LOST, UNKNOWN, "abd", "abcd"),
    ],
    ids=["all well", "the third is refused", "of the third nothing is known"],
)
def test_what_is_rolled_back(failure: VaultError | None, told: str, done: str, undone: str) -> None:
    """All but the first are under way together; what was begun is known, and is undone."""
    client = FakeClient(fails={TUNES["c"]: failure} if failure else {}, together=3)
    made = plan(client)
    progress, error = configured(client, made)
    assert paths(progress.configured) == done
    assert (error.what if error else "") == told
    assert error is None or isinstance(error, type(failure))
    assert paths(progress.not_seen) == ("c" if failure is LOST else "")
    client.told, client.fails, client.meeting = [], {}, None
    assert restore(client, made, progress.to_roll_back(made)) == {}
    assert sorted(client.told) == [(TUNES[name], OLD) for name in undone]


def test_what_keeps_the_first_mount_from_a_version_keeps_the_others_from_being_asked() -> None:
    client = FakeClient(fails={TUNES["a"]: DENIED})
    progress, error = configured(client, plan(client))
    assert (progress.configured, type(error)) == ([], Refused)
    assert client.told == [(TUNES["a"], NEW)]


class SlowClient(FakeClient):
    """Takes a moment for each answer."""

    def request(self, *args: t.Any, **more: t.Any) -> Answer:
        time.sleep(0.02)
        return super().request(*args, **more)


def test_after_a_failure_no_tune_is_begun() -> None:
    names = [f"m{number:02}" for number in range(40)]
    client = SlowClient(
        {f"{name}/": row() for name in names}, fails={"sys/mounts/m03/tune": DENIED}
    )
    progress, error = configured(client, plan(client))
    assert error is not None
    assert 'cannot configure mount "m03/"' in error.what
    sent = {path.split("/")[2] for path, _version in client.told}
    assert {step.path.rstrip("/") for step in progress.configured} == sent - {"m03"}
    assert len(sent) < len(names)


def test_a_lost_answer_of_a_mount_that_is_configured_is_a_warning() -> None:
    client = FakeClient({"a/": row()}, fails={TUNES["a"]: LOST})
    made = plan(client)
    client.warnings = []
    client.answers["sys/mounts/a"] = row(NEW)
    progress, error = configured(client, made)
    assert (paths(progress.configured), error) == ("a", None)
    assert client.warnings == [
        'it is unknown whether mount "a/" was configured for v1.1.0: no answer; read again, it was'
    ]


def test_each_mount_is_rolled_back_by_itself() -> None:
    client = FakeClient()
    made = plan(client)
    client.fails = {TUNES["b"]: DENIED}
    errors = restore(client, made, made.steps)
    assert [*errors] == ["b/"]
    assert 'cannot configure mount "b/" for v1.0.0: permission denied' in errors["b/"].what
    assert sorted(client.told) == [(TUNES[name], OLD) for name in "abcd"]


def test_one_that_was_configured_before_is_rolled_back_to_what_it_ran() -> None:
    client = FakeClient({"a/": row(NEW), "b/": row(NEW, NEW, "new")})
    made = plan(client)
    assert [made.changes(step) for step in made.steps] == [True, False]
    progress, error = configured(client, made)
    assert (progress.configured, error) == ([], None)
    restore(client, made, progress.to_roll_back(made))
    assert client.told == [(TUNES["a"], OLD)]


def test_nothing_is_rolled_back_where_nothing_moved() -> None:
    mounts = {"a/": row(NEW, NEW, "new"), "b/": row(NEW, NEW, "")}
    made = plan(FakeClient(mounts, fails={"b": DOWN}))
    assert Progress().with_started(made.steps).to_roll_back(made) == []


def on_node(path: str, error: str | None = None, before: str = NEW, after: str = NEW) -> NodeResult:
    """Return what a node says after the reload of one mount."""
    mount = Mount(path, "secret", "ext", f"ext_{path}", after, after, after)
    earlier = mount._replace(running_version=before)
    result = MountResult(earlier, mount, True, error, Health(error is None))
    return NodeResult(Node("https://n1:8200", "n1"), ok=error is None, mounts=[result])


def test_a_node_keeps_the_mounts_of_earlier_reloads() -> None:
    """Each reload is of one batch; a rollback may not reach the mounts that are down."""
    well = ReloadResult("global", True, True, nodes=[on_node("b/")])
    broken = well._replace(nodes=[on_node("a/", "does not answer")])
    progress = Progress().with_reload(broken).with_reload(well)
    (node,) = progress.nodes or ()
    assert [mount.before.path for mount in node.mounts] == ["a/", "b/"]
    assert (node.ok, node.error) == (False, 'mount "a/" does not answer')
    assert progress.down == ['"a/" on n1']
    (healed,) = progress.with_reload(well._replace(nodes=[on_node("a/")])).nodes or ()
    assert (healed.ok, len(healed.mounts)) == (True, 2)


def test_after_a_rollback_a_node_says_what_it_ran_before_the_task() -> None:
    moved = ReloadResult("global", True, False, nodes=[on_node("a/", "it exits", OLD, NEW)])
    back = ReloadResult("global", True, True, nodes=[on_node("a/", None, NEW, OLD)])
    (node,) = Progress().with_reload(moved).with_reload(back).nodes or ()
    (mount,) = node.mounts
    assert mount.after is not None
    assert (mount.before.running_version, mount.after.running_version) == (OLD, OLD)


@pytest.mark.parametrize(
    ("reloaded", "error", "told"),
    [(None, None, None), (True, None, True), (False, "it exits", True), (False, None, False)],
)
def test_what_a_rollback_that_leaves_a_mount_alone_says_of_the_reload_before(
    reloaded: bool | None, error: str | None, told: bool | None
) -> None:
    mount = plan(FakeClient()).steps[0].mount
    rows = [MountResult(mount, mount, reloaded, error), left_alone(mount, Health(True))]
    progress = Progress()
    for result in rows:
        progress = progress.with_reload(ReloadResult("local", True, False, [result]))
    assert progress.mounts[mount.path].reloaded is told


PIN = f"{PINS}secret/ext"


@pytest.mark.parametrize(
    ("pinned", "options", "undone"),
    [(OLD, {}, (PIN, OLD)), (OLD, {"pin": True}, (PIN, OLD)), (None, {"pin": True}, (PIN, ""))],
    ids=str,
)
def test_mocked_vault_moves_its_pin_once(
    pinned: str | None, options: dict[str, t.Any], undone: tuple[str, str]
) -> None:
    client = FakeClient(builtin=VAULT, pins=pinned)
    made = plan(client, canary="c", batch=1, **options)
    progress, _error = configured(client, made)
    assert paths(progress.configured) == "c"
    assert client.told == [(PIN, NEW)]
    restore(client, made, progress.to_roll_back(made))
    assert client.told[1:] == [undone]


OTHER = "v1.2.0"
ENTRIES = (entry(OLD, "old"), entry(NEW, "new"), entry(OTHER, "other"))


@pytest.mark.parametrize(
    ("pinned", "options"), [(OTHER, {}), (None, {"pin": True})], ids=["pinned", "configured"]
)
def test_mocked_vault_is_not_rolled_back_to_what_a_mount_never_ran(
    pinned: str | None, options: dict[str, t.Any]
) -> None:
    mounts = {"a/": row(OTHER, OTHER, "other"), "b/": row(pinned or OTHER, OLD)}
    client = FakeClient(mounts, *ENTRIES, builtin=VAULT, pins=pinned)
    said = f"it runs {OLD}, and its next start is to run {OTHER}; pin the plugin to {OLD}, and run"
    with pytest.raises(OptionError, match=f'mount "b/" could not be rolled back: {said}'):
        plan(client, **options)
    forced = plan(client, force=True, **options)
    assert [step.path for step in forced.steps if step.previous is None] == ["b/"]


def test_mocked_vault_takes_a_wrong_pin_back() -> None:
    """What runs is what is asked for: no mount has to move, and none to be rolled back."""
    client = FakeClient({"a/": row(NEW, OLD), "b/": row(NEW, NEW, "new")}, builtin=VAULT, pins=NEW)
    steps = {step.path: step for step in plan(client, version=OLD).steps}
    previous = {path: step.previous.version for path, step in steps.items() if step.previous}
    assert previous == {"a/": OLD, "b/": NEW}


def test_mocked_vault_heals_a_mount_that_a_pin_took_down() -> None:
    """A mount that is down has nothing to lose, whatever a rollback would start."""
    client = FakeClient({"a/": row(OTHER, OLD)}, *ENTRIES, builtin=VAULT, pins=OTHER)
    client.fails["a"] = DOWN
    (step,) = plan(client).steps
    assert step.previous is not None
    assert step.previous.version == OTHER


def test_mocked_vault_with_that_pin_already_is_pinned_back_to_what_runs() -> None:
    client = FakeClient(builtin=VAULT, pins=NEW)
    made = plan(client)
    progress, error = configured(client, made)
    assert (progress.configured, error, client.told) == ([], None, [])
    steps = progress.to_roll_back(made)
    assert paths(steps) == "abcd"
    assert restore(client, made, steps) == {}
    assert client.told == [(PIN, OLD)]


def test_mocked_vault_with_that_pin_already_undoes_nothing_where_it_runs() -> None:
    client = FakeClient({"a/": row(NEW, NEW, "new")}, builtin=VAULT, pins=NEW)
    made = plan(client)
    progress, _error = configured(client, made)
    assert (client.told, progress.to_roll_back(made)) == ([], [])


def test_mocked_vault_with_that_pin_already_and_mounts_of_two_versions() -> None:
    """One pin is one version: the second could not be rolled back."""
    mounts = {"a/": row(NEW, OLD), "b/": row(NEW, OTHER, "other")}
    client = FakeClient(mounts, *ENTRIES, builtin=VAULT, pins=NEW)
    with pytest.raises(OptionError, match=f'mount "b/" could not be rolled back: it runs {OTHER}'):
        plan(client)
    gone = FakeClient({"a/": row(NEW, OLD)}, entry(NEW, "new"), builtin=VAULT, pins=NEW)
    with pytest.raises(OptionError, match=f"what it runs as {OLD} is no longer registered"):
        plan(gone)


def test_mocked_vault_without_a_version_is_rolled_back_by_the_pin() -> None:
    client = FakeClient(
        {"a/": row("", "", "old")}, entry("", "old"), entry(NEW, "new"), builtin=VAULT
    )
    with pytest.raises(OptionError, match="could not be rolled back"):
        plan(client)
    (step,) = plan(client, pin=True).steps
    assert step.previous is not None
    assert step.previous == step.current


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (FakeClient(), "this server has no pins: it is OpenBao"),
        (
            FakeClient(builtin=VAULT, fails={"sys/plugins/pins": Refused("", status=404)}),
            "this server has no pins, which HashiCorp Vault has from 1.16 on",
        ),
        (
            FakeClient(builtin=VAULT, fails={"sys/plugins/pins": DENIED}),
            "permission denied",
        ),
    ],
    ids=["OpenBao", "Vault before 1.16", "a token that may not read them"],
)
def test_mocked_pins_that_cannot_be(client: FakeClient, told: str) -> None:
    with pytest.raises(VaultError, match=told):
        plan(client, pin=True)
    assert client.told == []
