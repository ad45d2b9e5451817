# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a reload: look, choose, send, look again, and tell what became of each mount."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount, read_mounts
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Life, life_of
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    ASSUMED_MOUNTS,
    MEND,
    ReloadAnswer,
    reload_mounts,
    reload_plugin,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    SHOWN,
    NoAnswer,
    OptionError,
    VaultError,
    named,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    Verdict,
    diff,
    doubt,
    is_stale,
    judge,
    predicted,
    untouched,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import Task
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import (
    Look,
    look_at_mounts,
    look_at_plugin,
)

if t.TYPE_CHECKING:
    from ansible_collections.vaultops.vault.plugins.module_utils._reload.verification import (
        NodeVerdict,
    )

Result = t.Dict[str, t.Any]

# After a lost answer the server may be starting again: so often we look, a second apart, and each
# look has its own retries.
LOOKS_AFTER_NO_ANSWER = 2


def reload_one(client: VaultClient, task: Task, check_mode: bool) -> Result:
    """Reload on the node that answers, or on those that it spreads it to without a word of ours."""
    look = look_before(client, task)
    meant = stale_mounts(client, task, look) if task.only_stale else look.mounts
    if meant == [] or check_mode:
        return without_reload(task, look, meant)
    answer = send(client, task, meant)
    return outcome(task, look, answer, judge_mounts(client, task, answer, meant or []))


def look_before(client: VaultClient, task: Task) -> Look:
    """Return what can be seen; raises OptionError for what cannot be reloaded."""
    if not task.verify:
        return Look(None, None, [])
    if task.paths:
        return look_at_mounts(client, task.paths)
    kind = task.plugin_type if task.plugin_type in ("auth", "secret") else None
    return look_at_plugin(client, task.plugin, kind)


def stale_mounts(client: VaultClient, task: Task, look: Look) -> list[Mount]:
    """Return the mounts that do not run what they are expected to run, or that do not serve."""
    if look.mounts is None or look.catalog is None:
        raise OptionError(
            f"state=current must see mounts and catalog, and {'; '.join(look.warnings)}",
            next_step="give the token the rights that the documentation lists, or reload always, "
            "with state=reloaded",
        )
    return [
        mount
        for mount in look.mounts
        if is_stale(look.expected(mount), mount, life_of(client, mount, task.question))
    ]


def send(client: VaultClient, task: Task, meant: list[Mount] | None) -> ReloadAnswer:
    """Reload what is ``meant``, in the fewest requests; None is what the server makes of it."""
    paths = task.paths
    if task.only_stale:
        # Those of a plugin's mounts that are stale can only be reloaded by their paths.
        paths = [mount.path for mount in meant or []]
    if paths:
        return reload_mounts(client, paths, task.scope, patience=task.patience)
    return reload_plugin(
        client,
        task.plugin,
        task.scope,
        plugin_type=task.plugin_type,
        mount_count=len(meant) if meant and not task.plugin_type else ASSUMED_MOUNTS,
        patience=task.patience,
    )


def judge_mounts(
    client: VaultClient, task: Task, answer: ReloadAnswer, meant: list[Mount]
) -> list[Verdict]:
    """Look again and judge each mount; a look that fails leaves what it would tell unknown."""
    if answer.changed is False and not answer.failed:
        return [untouched(mount) for mount in meant]
    after, words = _look_again(client, [mount.path for mount in meant], answer)
    if after is None:
        return [judge(answer, mount, None, Life(None, words)) for mount in meant]
    return [
        judge(answer, mount, after.get(mount.path), life_of(client, mount, task.question))
        for mount in meant
    ]


def _look_again(
    client: VaultClient, paths: list[str], answer: ReloadAnswer
) -> tuple[dict[str, Mount] | None, str]:
    """Return the mounts as they are now, or None and why they cannot be read."""
    looks = LOOKS_AFTER_NO_ANSWER if isinstance(answer.error, NoAnswer) else 1
    words = ""
    for look in range(looks):
        time.sleep(1 if look else 0)
        try:
            return read_mounts(client, paths), ""
        except VaultError as error:
            words = error.what
    return None, words


def without_reload(
    task: Task, look: Look, meant: list[Mount] | None, nodes: list[NodeVerdict] | None = None
) -> Result:
    """Return the result where nothing is sent: nothing to do, or check mode's prediction."""
    warnings = list(look.warnings)
    if look.mounts == []:
        warnings.append(f'plugin "{task.plugin}" is mounted nowhere here: nothing to reload')
    rows = [predicted(mount, look.expected(mount)) for mount in meant or []]
    return {
        **_result(task, look, rows, nodes),
        "changed": meant != [],
        "reload_id": None,
        "verified": look.mounts is not None and look.catalog is not None,
        "warnings": warnings,
    }


def outcome(
    task: Task,
    look: Look,
    answer: ReloadAnswer,
    verdicts: list[Verdict],
    nodes: list[NodeVerdict] | None = None,
) -> Result:
    """Return the result of a reload, or raise it as a failure; ``nodes`` are None if not asked."""
    possible = (doubt(verdict, look.expected(verdict.before)) for verdict in verdicts)
    doubts = [text for text in possible if text is not None]
    result = {
        **_result(task, look, verdicts, nodes),
        "changed": bool(answer.changed)
        or any(verdict.reloaded or verdict.life.serves is False for verdict in verdicts)
        or any(row.reloaded for row in nodes or []),
        "reload_id": answer.reload_id,
        "verified": bool(verdicts)
        and answer.error is None
        and not doubts
        and all(row.ok for row in nodes or []),
        "warnings": [*answer.warnings, *look.warnings, *doubts[:SHOWN]],
    }
    failed = [verdict for verdict in verdicts if verdict.error is not None]
    if answer.error is not None:
        raise answer.error.retold(answer.error.what + _known(answer, verdicts), **result)
    if failed:
        raise VaultError(
            f"{len(failed)} of {len(verdicts)} mounts are down after a reload that the server "
            f"reported as done: {named(_paths(failed))} {failed[0].error}",
            next_step=MEND,
            result=result,
        )
    raise_for_nodes(nodes or [], result)
    return result


def raise_for_nodes(nodes: t.Sequence[NodeVerdict], result: Result) -> None:
    """Raise VaultError where a node is not proven to be well; its message names the first."""
    failed = [row for row in nodes if row.ok is False]
    if failed:
        others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        # One that could not be asked may be well all the same.
        run = "do not run" if all(row.verdicts for row in failed) else "are not known to run"
        raise VaultError(
            f"{len(failed)} of {len(nodes)} nodes {run} what they should: "
            f"{failed[0].node}{others}: {failed[0].error}",
            next_step=failed[0].next_step,
            result=result,
        )


def _result(
    task: Task, look: Look, verdicts: list[Verdict], nodes: list[NodeVerdict] | None
) -> Result:
    """Return the part of the result that lists the mounts, those left alone among them."""
    judged = {verdict.before.path: verdict for verdict in verdicts}
    rows = [judged.get(mount.path) or untouched(mount) for mount in look.mounts or []]
    result = {"scope": task.scope, "mounts": [row.as_result() for row in rows], "diff": diff(rows)}
    if nodes is not None:
        result["nodes"] = [node.as_result() for node in nodes]
        # Imported here: a module compiles what it imports, and most tasks are of one node.
        from ansible_collections.vaultops.vault.plugins.module_utils._reload import verification

        result["diff"] = verification.diff_of_nodes(diff(rows), nodes)
    return result


def _known(answer: ReloadAnswer, verdicts: list[Verdict]) -> str:
    """Return what the second look adds to the server's words, for the message of a failure."""
    groups = {
        "down": [
            v for v in verdicts if v.life.serves is False and v.before.path not in answer.failed
        ],
        "reloaded": [v for v in verdicts if v.reloaded],
        "unknown whether reloaded": [v for v in verdicts if v.reloaded is None],
    }
    if answer.changed is False:
        return ""
    return "".join(f"; {words}: {named(_paths(some))}" for words, some in groups.items() if some)


def _paths(verdicts: list[Verdict]) -> list[str]:
    return [verdict.before.path for verdict in verdicts]
