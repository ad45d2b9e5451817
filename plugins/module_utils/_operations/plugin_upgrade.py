# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move the mounts of a plugin to another version, prove it, and go back where that fails."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import (
    IGNORED,
    Server,
    read_server,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Life
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    NotSent,
    OptionError,
    VaultError,
    first_few,
    named,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_reload
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    diff,
    predicted,
    running,
    untouched,
)
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.plan import (
    Move,
    Plan,
    begin,
    make_plan,
    put_back,
    returning,
)

Result = t.Dict[str, t.Any]

_PASSED_ON = (
    "scope",
    "wait",
    "wait_timeout",
    "wait_interval",
    "nodes",
    "probe",
    "reload_timeout",
)

_MEND = (
    "mend the new version (its file and sha256 on each node; the server's log tells), then repeat "
    "the task"
)

# So often a way back is tried where the server itself is not able to, and the pause between two.
TRIES, TRY_PAUSE = 3, 5.0
# So many looks at the standbys, and so many seconds between two.
FOLLOW_LOOKS, FOLLOW_PAUSE = 10, 0.5

SPEC: dict[str, dict[str, t.Any]] = {
    "plugin": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["auth", "secret"]},
    "version": {"type": "str", "required": True},
    "mounts": {"type": "list", "elements": "str"},
    "canary": {"type": "str"},
    "batch": {"type": "int", "default": 0},
    "pin": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    **{name: plugin_reload.SPEC[name] for name in _PASSED_ON},
}

CONSTRAINTS: dict[str, t.Any] = {}


class Course(t.NamedTuple):
    """How far an upgrade got: the last row of each mount by path, and what else is to be told.

    ``server`` is which one it is, where the task is of all nodes.
    ``begun`` are the moves of all batches so far, and ``configured`` those whose mounts were, or
    may be, configured for the new version.  ``touched`` says that a reload did, or may have done,
    something.
    """

    server: Server
    begun: list[Move]
    configured: list[Move]
    rows: dict[str, Result]
    warnings: list[str]
    nodes: list[Result] | None = None
    touched: bool = False

    def after(self, result: t.Mapping[str, t.Any]) -> Course:
        """Return the course after one more reload."""
        rows = {row["path"]: row for row in result.get("mounts", [])}
        unknown = any(row["reloaded"] is None for row in rows.values())
        return self._replace(
            rows={**self.rows, **rows},
            warnings=[*self.warnings, *result.get("warnings", [])],
            nodes=result.get("nodes", self.nodes),
            touched=self.touched or bool(result.get("changed")) or unknown,
        )

    @property
    def down(self) -> list[str]:
        """What is known to be down, mount by mount, in words."""
        if not self.nodes:
            return [named([row["path"]]) for row in self.rows.values() if row["error"]]
        return [
            f"{named([row['path']])} on {node['name']}"
            for node in self.nodes
            for row in node["mounts"]
            if row["error"]
        ]


def run(client: VaultClient, params: t.Mapping[str, t.Any], check_mode: bool) -> Result:
    """Look, move batch by batch, prove each; go back where one fails.  Raises VaultError."""
    plan = make_plan(client, params)
    server = Server() if params["scope"] == "local" else read_server(client)
    start = Course(server, [], [], {}, [])
    try:
        _refuse_deaf_standbys(server, plan)
        ahead = _look_ahead(client, params, plan, server, check_mode)
    except VaultError as error:
        raise _unchanged(plan, start, error) from None
    if check_mode:
        return _foretold(plan, start, ahead)
    course = start
    for batch in plan.batches:
        course.begun.extend(batch)
        try:
            course.configured.extend(begin(client, plan, batch))  # keeps what came before an error
            course = course.after(_move(client, params, plan, course.server, batch))
        except VaultError as error:
            course = course.after(error.result)
            if not course.configured and not course.touched:
                raise _unchanged(plan, course, error) from None
            raise _rolled_back(client, params, plan, course, error) from None
        client.tell(f"{len(course.begun)} of {len(plan.moves)} mounts run {plan.entry.version}")
    return _result(plan, course, changed=bool(course.configured) or course.touched)


def _look_ahead(
    client: VaultClient,
    params: t.Mapping[str, t.Any],
    plan: Plan,
    server: Server,
    check_mode: bool,
) -> Result:
    """Ask what the proof will ask: what is in its way shows before anything is changed."""
    moves = [move for move in plan.moves if move.now is not None]
    if not moves:
        return {}
    asked = params if check_mode else {**params, "probe": "false"}
    result = _reload(client, asked, server, moves, check_mode=True)
    silent = [node for node in result.get("nodes", []) if node["error"]]
    if silent:
        raise VaultError(
            f"node {silent[0]['name']} {silent[0]['error']}",
            # It starts with what it knew when it stopped, and learns what is configured later.
            next_step="bring it back; or name the others in nodes, and when it is back, repeat the "
            "task with all",
        )
    return result


def _refuse_deaf_standbys(server: Server, plan: Plan) -> None:
    """Raise OptionError where standbys would not follow, so that all had to go back."""
    deaf = server.runs_global == IGNORED and not server.standbys_learn
    if deaf and any(plan.sets(move) for move in plan.moves):
        raise OptionError(
            f"{server.name} tells its standbys of a new version only when they start",
            next_step="upgrade with scope=local at the active node, then restart each standby",
        )


def _move(
    client: VaultClient,
    params: t.Mapping[str, t.Any],
    plan: Plan,
    server: Server,
    batch: t.Sequence[Move],
) -> Result:
    """Let ``batch`` run what it is configured for, and prove it; raises VaultError."""
    try:
        return _prove(client, params, server, batch)
    except VaultError as error:
        if isinstance(error, NoAnswer) or not error.result.get("changed"):
            raise  # that says nothing against the version
        words = f"{plan.entry} does not work: {error.what}"
        raise error.retold(words, next_step=_MEND) from error


def _prove(
    client: VaultClient, params: t.Mapping[str, t.Any], server: Server, moves: t.Sequence[Move]
) -> Result:
    """Reload what does not run what it should; raises VaultError where a doubt is left."""
    if server.runs_global == IGNORED:
        _let_follow(client, params, server, moves)
    result = _reload(client, params, server, moves)
    # That nobody may ask the nodes, or one of them, or is to ask, is no doubt.
    asked = [node["ok"] is not None for node in result.get("nodes", [])]
    if not result["verified"] and (params["scope"] == "local" or (asked and all(asked))):
        raise VaultError("; ".join(result["warnings"]), result=result)
    return result


def _let_follow(
    client: VaultClient, params: t.Mapping[str, t.Any], server: Server, moves: t.Sequence[Move]
) -> None:
    """Give the standbys a moment to run what the mounts are configured for.

    Those of OpenBao 2.7.0 and 2.7.1 start it by themselves, and a reload meanwhile breaks that off.
    """
    for _look in range(FOLLOW_LOOKS):
        ahead = _reload(client, {**params, "probe": "false"}, server, moves, check_mode=True)
        # With wait=false no node is asked, so there is none to wait for.
        standbys = (node for node in ahead.get("nodes", []) if node["role"] != "active")
        if all(row["before"] == row["after"] for node in standbys for row in node["mounts"]):
            return
        time.sleep(FOLLOW_PAUSE)


def _reload(
    client: VaultClient,
    params: t.Mapping[str, t.Any],
    server: Server,
    moves: t.Sequence[Move],
    check_mode: bool = False,
) -> Result:
    options = dict.fromkeys(plugin_reload.SPEC)
    passed_on = {name: params[name] for name in _PASSED_ON}
    paths = [move.mount.path for move in moves]
    chosen = {"mounts": paths, "state": "current", "verify": True}
    return plugin_reload.run(client, {**options, **passed_on, **chosen}, check_mode, server)


def _rolled_back(
    client: VaultClient,
    params: t.Mapping[str, t.Any],
    plan: Plan,
    course: Course,
    error: VaultError,
) -> VaultError:
    """Put the old version back on all that had begun; return the failure with both stories."""
    stuck = [move.mount.path for move in course.begun if move.back is None]
    undone = returning(plan, course.begun, course.configured)
    second = None
    if undone:
        client.tell(f"goes back: {error.what}")
        course, second = _go_back(client, params, plan, course, undone)
    what, next_step = error.what, ""
    if second is not None:
        what, next_step = f"{what}; going back failed too: {second.what}", second.next_step
    is_back = bool(undone) and second is None and not stuck
    told = _result(plan, course, changed=True, rolled_back=is_back)
    return _failure(error, f"{_state(course, undone, stuck, is_back)}{what}", told, next_step)


def _state(course: Course, undone: t.Sequence[Move], stuck: t.Sequence[str], is_back: bool) -> str:
    """Return what serves in the end, as the beginning of a message."""
    if is_back:
        count = len(course.begun)
        serve = "the mount serves" if count == 1 else f"all {count} mounts serve"
        return f"{serve} the old version again: "
    if course.down:
        return f"{first_few(course.down)} DOWN: "
    if stuck:
        return f"{named(stuck)} cannot go back: "
    # Where nothing had to be undone, the failure says it all.
    return "it is unknown what serves: " if undone else ""


def _go_back(
    client: VaultClient,
    params: t.Mapping[str, t.Any],
    plan: Plan,
    course: Course,
    undone: t.Sequence[Move],
) -> tuple[Course, VaultError | None]:
    """Undo these moves, prove all that had begun, and return what is left against it in the end."""
    back = [move for move in course.begun if move.back is not None]
    # The old version need not know what the new one is asked: path help does for any.
    asked = {**params, "probe": "true"}
    failure: VaultError | None = None
    for attempt in range(TRIES):
        time.sleep(TRY_PAUSE if attempt else 0)
        try:
            put_back(client, plan, undone)
            course = course.after(_prove(client, asked, course.server, back))
        except VaultError as error:
            course = course.after(error.result)
            failure = error
            if not _may_pass(error):
                break
        else:
            return course, None
    return course, failure


def _may_pass(error: VaultError) -> bool:
    """Tell whether the server may do in a moment what it did not do: an election ends."""
    if isinstance(error, (NoAnswer, NotSent)):
        return True
    is_plugins_own = any("cannot reload plugin" in words for words in error.errors)
    return (error.status or 0) >= 500 and not is_plugins_own


def _unchanged(plan: Plan, course: Course, error: VaultError) -> VaultError:
    told = _result(plan, course, changed=False)
    return _failure(error, f"nothing was changed: {error.what}", told)


def _failure(error: VaultError, what: str, result: Result, next_step: str = "") -> VaultError:
    """Return ``error`` in the words of the upgrade, and with its result."""
    failure = error.retold(what, next_step=next_step)
    failure.result = result
    return failure


def _foretold(plan: Plan, start: Course, ahead: t.Mapping[str, t.Any]) -> Result:
    """Return check mode's result; ``ahead`` knows what would be reloaded as it is."""
    stale = {row["path"] for row in ahead.get("mounts", []) if row["reloaded"]}
    rows = {
        move.mount.path: predicted(move.mount, plan.entry).as_result()
        for move in plan.moves
        if plan.is_to_move(move) or move.mount.path in stale
    }
    return _result(plan, start._replace(rows=rows), changed=bool(rows))


def _result(
    plan: Plan, course: Course, *, changed: bool, rolled_back: bool | None = None
) -> Result:
    rows = []
    verdicts = []
    for move in plan.moves:
        verdict = untouched(move.mount)
        row = course.rows.get(move.mount.path) or verdict.as_result()
        # What it ran before the first of the reloads.
        rows.append({**row, "before": running(move.mount)})
        after = row["after"]
        if after is not None:
            now = move.mount._replace(
                running_version=after["version"], running_sha256=after["sha256"]
            )
            verdict = verdict._replace(after=now)
        verdicts.append(verdict._replace(life=Life(False) if row["error"] else verdict.life))
    result = {
        "changed": changed,
        "plugin": plan.entry.name,
        "type": plan.entry.kind,
        "version": plan.entry.version,
        "sha256": plan.entry.sha256,
        "mounts": rows,
        "siblings": plan.siblings,
        "rolled_back": rolled_back,
        "diff": diff(verdicts),
        "warnings": [*dict.fromkeys(course.warnings), *_remarks(plan, changed)],
    }
    return result if course.nodes is None else {**result, "nodes": course.nodes}


def _remarks(plan: Plan, changed: bool) -> list[str]:
    if not plan.moves:
        return [f'plugin "{plan.entry.name}" is mounted nowhere here: nothing to move']
    if not plan.siblings or not changed:
        return []
    told = (
        f"{named(plan.siblings)} run the same plugin and are not moved: if it is multiplexed, "
        "they are restarted with the others"
    )
    return [told]
