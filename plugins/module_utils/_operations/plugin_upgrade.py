# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move the mounts of a plugin to another version, prove it, and go back where that fails."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError, VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._moves import (
    SHOWN_MOUNTS,
    Move,
    Plan,
    begin,
    make_plan,
    put_back,
)
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_reload
from ansible_collections.vaultops.vault.plugins.module_utils._server import IGNORED, read_server
from ansible_collections.vaultops.vault.plugins.module_utils._verdict import (
    diff,
    predicted,
    running,
    untouched,
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
    """How far an upgrade got: the last row of each mount by path, and what else is to be told."""

    rows: dict[str, Result]
    warnings: list[str]
    nodes: list[Result] | None = None
    reloaded: bool = False

    def after(self, result: t.Mapping[str, t.Any]) -> Course:
        """Return the course after one more reload."""
        rows = {row["path"]: row for row in result.get("mounts", [])}
        return Course(
            {**self.rows, **rows},
            [*self.warnings, *result.get("warnings", [])],
            result.get("nodes", self.nodes),
            self.reloaded or bool(result.get("changed")),
        )


def run(client: VaultClient, params: t.Mapping[str, t.Any], check_mode: bool) -> Result:
    """Look, move batch by batch, prove each; go back where one fails.  Raises VaultError."""
    plan = make_plan(client, params)
    _refuse_deaf_standbys(client, params)
    if check_mode:
        return _foretold(plan)
    course = Course({}, [])
    begun: list[Move] = []
    configured: list[Move] = []
    for batch in plan.batches:
        begun += batch
        try:
            configured.extend(begin(client, plan, batch))  # keeps what came before an error
            course = course.after(_reload(client, params, batch))
        except VaultError as error:
            course = course.after(error.result)
            if not configured and not course.reloaded:
                told = _result(plan, Course({}, []), changed=False)
                raise _failure(error, f"nothing was changed: {error.what}", told) from None
            raise _rolled_back(client, params, plan, begun, course, error) from None
        client.tell(f"{len(begun)} of {len(plan.moves)} mounts run {plan.entry.version}")
    return _result(plan, course, changed=bool(configured) or course.reloaded)


def _refuse_deaf_standbys(client: VaultClient, params: t.Mapping[str, t.Any]) -> None:
    """Raise OptionError where standbys would not follow, so that all had to go back."""
    if params["scope"] == "local":
        return
    server = read_server(client)
    if server.runs_global == IGNORED and not server.standbys_learn:
        raise OptionError(
            f"{server.name} tells its standbys of a new version only when they start",
            next_step="upgrade with scope=local at the active node, then restart each standby; "
            "nothing was changed",
        )


def _reload(client: VaultClient, params: t.Mapping[str, t.Any], moves: t.Sequence[Move]) -> Result:
    """Reload what does not run what it should, and prove it."""
    options = dict.fromkeys(plugin_reload.SPEC)
    passed_on = {name: params[name] for name in _PASSED_ON}
    paths = [move.mount.path for move in moves]
    chosen = {"mounts": paths, "state": "current", "verify": True}
    return plugin_reload.run(client, {**options, **passed_on, **chosen}, False)


def _rolled_back(
    client: VaultClient,
    params: t.Mapping[str, t.Any],
    plan: Plan,
    begun: t.Sequence[Move],
    course: Course,
    error: VaultError,
) -> VaultError:
    """Put the old version back on all that had begun; return the failure with both stories."""
    client.tell(f"goes back: {error.what}")
    what = f"{plan.entry} does not work: {error.what}"
    # Only an answer tells a mount that is down from one that runs its old version.
    asked = {**params, "probe": params["probe"] if _asks(params["probe"]) else "true"}
    try:
        put_back(client, plan, begun)
        course = course.after(_reload(client, asked, begun))
    except VaultError as second:
        course = course.after(second.result)
        down = [row["path"] for row in course.rows.values() if row["error"]]
        state = f"{_named(down)} DOWN" if down else "it is unknown what serves"
        told = _result(plan, course, changed=True, rolled_back=False)
        both = f"{state}: {what}; going back failed too: {second.what}"
        return _failure(error, both, told, next_step=second.next_step)
    told = _result(plan, course, changed=True, rolled_back=True)
    count = "the mount serves" if len(begun) == 1 else f"all {len(begun)} mounts serve"
    return _failure(error, f"{count} the old version again: {what}", told, next_step=_MEND)


def _failure(error: VaultError, what: str, result: Result, next_step: str = "") -> VaultError:
    """Return ``error`` in the words of the upgrade, and with its result."""
    failure = error.retold(what, next_step=next_step)
    failure.result = result
    return failure


def _asks(probe: str) -> bool:
    return probe.strip().lower() not in ("false", "no", "off", "0", "n", "f")


def _foretold(plan: Plan) -> Result:
    """Return check mode's result."""
    rows = {
        move.mount.path: predicted(move.mount, plan.entry).as_result()
        for move in plan.moves
        if _is_to_move(plan, move)
    }
    return _result(plan, Course(rows, []), changed=bool(rows))


def _is_to_move(plan: Plan, move: Move) -> bool:
    is_set = plan.pinned != plan.entry.version if plan.pins else plan.sets(move)
    return is_set or running(move.mount) != running(plan.entry)


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
        verdicts.append(verdict._replace(error=row["error"]))
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
        "warnings": [*dict.fromkeys(course.warnings), *_shared(plan)],
    }
    return result if course.nodes is None else {**result, "nodes": course.nodes}


def _shared(plan: Plan) -> list[str]:
    if not plan.siblings:
        return []
    told = (
        f"{_named(plan.siblings)} run the same plugin and are not moved: if it is multiplexed, "
        "they are restarted with the others"
    )
    return [told]


def _named(paths: t.Sequence[str]) -> str:
    shown = ", ".join(f'"{path}"' for path in paths[:SHOWN_MOUNTS])
    more = len(paths) - SHOWN_MOUNTS
    return shown + (f" and {more} more" if more > 0 else "")
