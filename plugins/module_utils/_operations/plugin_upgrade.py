# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move mounts to another version of their plugin, and verify it; roll back where that fails."""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._catalog.set_pin import pin_line
from ansible_collections.vaultops.vault.plugins.module_utils._errors import NotInCatalog, VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._operations.rows import (
    diff_of_nodes,
    mount_row,
    node_row,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
    left_alone,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import COMMON_SPEC
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.options import RolloutOptions
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.plan import Plan, make_plan
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.progress import Progress
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.rollout import (
    RolloutResult,
    roll_out,
)
from ansible_collections.vaultops.vault.plugins.module_utils._text import quoted
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params, Result, Spec

SPEC: Spec = {
    "plugin": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["auth", "secret"]},
    "version": {"type": "str", "required": True},
    "mounts": {"type": "list", "elements": "str"},
    "canary": {"type": "str"},
    "batch": {"type": "int", "default": 0},
    "pin": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    **COMMON_SPEC,
}

CONSTRAINTS: dict[str, t.Any] = {}

_CHECK_MODE = (
    "in check mode no earlier task has registered it: skip this task there if one would, with "
    "when: not (ansible_check_mode and the_registration is changed)"
)


def run(client: VaultClient, params: Params, check_mode: bool) -> Result:
    """Plan, move batch by batch, verify each; roll back where one fails.  Raises VaultError."""
    try:
        options = RolloutOptions.from_params(params)
        plan = make_plan(client, options)
    except NotInCatalog as error:
        outcome = f"{_CHECK_MODE}; nothing was changed" if check_mode else "nothing was changed"
        raise error.without_effect(outcome) from error
    except VaultError as error:
        raise error.without_effect("nothing was changed") from error
    done = roll_out(client, options, plan, check_mode)
    _warn(client, plan, done)
    if done.error is not None:
        raise done.error.with_context(result=_as_result(done))
    return _as_result(done)


def _as_result(done: RolloutResult) -> Result:
    entry = done.plan.entry
    mounts = _mounts(done.plan, done.progress)
    result: Result = {
        "changed": done.changed,
        "plugin": entry.name,
        "type": entry.kind,
        "version": entry.version,
        "sha256": entry.sha256,
        "mounts": [mount_row(mount) for mount in mounts],
        "siblings": list(done.plan.siblings),
        "rolled_back": done.rolled_back,
        "diff": _diff(done, mounts),
    }
    if done.progress.nodes is not None:
        result["nodes"] = [node_row(node) for node in done.progress.nodes]
    return result


def _diff(done: RolloutResult, mounts: t.Sequence[MountResult]) -> dict[str, str]:
    """Return the diff: a line for the pin where it is to be moved, and one a mount, or two."""
    plan, diff = done.plan, diff_of_nodes(mounts, done.progress.nodes)
    for step, row in zip(plan.steps, mounts):
        # What it runs already does not show that its configuration moves.
        if done.error is None and plan.configures(step) and not row.runs_another:
            line = f"{step.path} {plan.entry.name} configured for "
            diff["before"] += f"{line}{step.mount.version or 'no version'}\n"
            diff["after"] += f"{line}{plan.entry.version}\n"
    if done.progress.pin == plan.pinned and (not plan.moves_pin or not plan.steps):
        return diff
    now = "unknown" if done.progress.pin is None else done.progress.pin
    pin = partial(pin_line, plan.entry.kind, plan.entry.name)
    return {"before": pin(plan.pinned) + diff["before"], "after": pin(now) + diff["after"]}


def _mounts(plan: Plan, progress: Progress) -> list[MountResult]:
    """Return the last result of each mount, with what it ran before the first of the reloads."""
    return [
        (progress.mounts.get(step.path) or left_alone(step.mount))._replace(before=step.mount)
        for step in plan.steps
    ]


def _warn(client: VaultClient, plan: Plan, done: RolloutResult) -> None:
    client.warn(*dict.fromkeys(done.progress.warnings))
    if not plan.steps:
        client.warn(f'plugin "{plan.entry.name}" is mounted nowhere here: nothing to move')
        return
    if plan.moves_pin and plan.follow and done.progress.pin == plan.entry.version:
        run = "runs" if len(plan.follow) == 1 else "run"
        client.warn(
            "the pin is that of all mounts of the plugin, in all namespaces: "
            f"{quoted(plan.follow)} {run} {plan.entry.version} after the next start, too"
        )
    if plan.siblings and done.changed:
        one = len(plan.siblings) == 1
        are = "runs the same plugin and is" if one else "run the same plugin and are"
        client.warn(
            f"{quoted(plan.siblings)} {are} not moved: if it is multiplexed, "
            f"{'it is' if one else 'they are'} restarted with the others"
        )
