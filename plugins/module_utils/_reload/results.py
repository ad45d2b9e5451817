# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a reload: what is known of each mount and each node, and what failed."""

from __future__ import annotations

import types
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import (
    UNKNOWN_HEALTH,
    Health,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    FINISH_REMOVAL,
    FIX_PLUGIN,
    ReloadAnswer,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
    left_alone,
    predicted,
    unverified_reason,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import (
    Preflight,
    Selection,
)
from ansible_collections.vaultops.vault.plugins.module_utils._text import SHOWN, and_more, quoted

if t.TYPE_CHECKING:
    from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import Node


NOT_ASKED: t.Mapping[str, Health] = types.MappingProxyType({})


class NodeResult(t.NamedTuple):
    """What is known of a node: ``ok`` is None where nothing was to be verified.

    ``error`` is why it is not well, and ``next_step`` what helps.
    """

    node: Node
    role: str = ""
    ok: bool | None = None
    mounts: t.Sequence[MountResult] = ()
    error: str | None = None
    next_step: str = ""


class ReloadResult(t.NamedTuple):
    """All that is known of a reload, or in check mode of what it would do.

    ``verified``: all mounts, and all nodes where they were asked, run what is expected.
    ``unverified`` are reasons why that is not so, or not known.  ``nodes`` is None where no node
    was asked.  ``error`` is why the reload failed, None where it did not.
    """

    scope: str
    changed: bool
    verified: bool
    mounts: t.Sequence[MountResult] = ()
    reload_id: str | None = None
    nodes: t.Sequence[NodeResult] | None = None
    unverified: t.Sequence[str] = ()
    warnings: t.Sequence[str] = ()
    error: VaultError | None = None

    def with_warnings(self, *warnings: str) -> ReloadResult:
        """Return the result with more warnings for the user."""
        return self._replace(warnings=[*self.warnings, *warnings])


def result_without_reload(
    options: ReloadOptions,
    preflight: Preflight,
    selection: Selection,
    nodes: t.Sequence[NodeResult] | None = None,
) -> ReloadResult:
    """Return the result where nothing is sent: nothing to do, or check mode's prediction."""
    warnings = list(preflight.skipped)
    if preflight.mounts is not None and not preflight.mounts:
        warnings.append(f'plugin "{options.plugin}" is mounted nowhere here: nothing to reload')
    expected = [
        predicted(m, preflight.expectation(m), selection.health.get(m.path, UNKNOWN_HEALTH))
        for m in selection.mounts or ()
    ]
    mounts = _with_others(preflight, expected, selection.health)
    # A probe that fails before a reload fails after it, too.
    asked = [mount for mount in mounts if not mount.reloaded or mount.health.probe_failed]
    unverified = _unverified(preflight, asked)
    return ReloadResult(
        scope=options.scope,
        changed=not selection.empty,
        verified=preflight.complete
        and not unverified
        and not any(m.was_down and not m.being_removed for m in mounts),
        mounts=mounts,
        nodes=nodes,
        unverified=unverified,
        warnings=[*warnings, *unverified[:SHOWN]],
    )


def result_of(
    options: ReloadOptions,
    preflight: Preflight,
    answer: ReloadAnswer,
    mounts: t.Sequence[MountResult],
    nodes: t.Sequence[NodeResult] | None = None,
    health: t.Mapping[str, Health] = NOT_ASKED,
) -> ReloadResult:
    """Return the result of a reload of ``mounts``; ``nodes`` is None where none was asked.

    ``health`` is that before the reload, where it was asked for, by path.
    """
    mounts = [row._replace(was=health.get(row.before.path, row.was)) for row in mounts]
    every = _with_others(preflight, mounts, health)
    unverified = _unverified(preflight, every if preflight.mounts is not None else mounts)
    rows = nodes or ()
    return ReloadResult(
        scope=options.scope,
        changed=_changed(answer, [*mounts, *(mount for row in rows for mount in row.mounts)]),
        verified=bool(mounts)
        and preflight.complete
        and answer.error is None
        and not unverified
        and not any(mount.error for mount in mounts)
        and all(row.ok for row in rows),
        mounts=every,
        reload_id=answer.reload_id,
        nodes=nodes,
        unverified=unverified,
        warnings=[*answer.warnings, *preflight.skipped, *unverified[:SHOWN]],
        error=_error(answer, mounts) or node_error(rows),
    )


def _changed(answer: ReloadAnswer, mounts: t.Sequence[MountResult]) -> bool:
    """Tell whether a reload is known to have done something, by the server's words or by a mount.

    The server's words of a failed reload do not tell whether the mount was down before.
    """
    if any(mount.touched for mount in mounts):
        return True
    left_as_it_was = bool(mounts) and all(mount.stayed_down for mount in mounts)
    return bool(answer.changed) and not left_as_it_was


def as_far_as_known(nodes: t.Sequence[NodeResult], preflight: Preflight) -> list[NodeResult]:
    """Return ``nodes``; where it is not known what mounts should run, no node is verified."""
    return [
        row._replace(ok=None) if row.ok and row.mounts and not preflight.complete else row
        for row in nodes
    ]


def node_error(nodes: t.Sequence[NodeResult]) -> VaultError | None:
    """Return the error for nodes that are not verified to be well; it names the first."""
    failed = [row for row in nodes if row.ok is False]
    if not failed:
        return None
    # A node that could not be inspected may be well all the same.
    run = "do not run" if all(row.mounts for row in failed) else "are not known to run"
    return VaultError(
        f"{len(failed)} of {len(nodes)} nodes {run} what they should: "
        f"{failed[0].node}{and_more(failed)}: {failed[0].error}",
        next_step=failed[0].next_step,
    )


def _error(answer: ReloadAnswer, mounts: t.Sequence[MountResult]) -> VaultError | None:
    if answer.error is not None:
        return answer.error.with_context(answer.error.what + _outcome(answer, mounts))
    failed = [mount for mount in mounts if mount.error is not None]
    if not failed:
        return None
    down = [mount for mount in failed if mount.down]
    if not down:
        return VaultError(
            f"{len(failed)} of {len(mounts)} mounts answer, but not the probe: "
            f"{quoted(_paths(failed))}: {failed[0].health.reason}",
            next_step="give a path below each mount that the plugin answers as probe",
        )
    words = down[0].error if len(down) == 1 else f"do not answer: {down[0].health.reason}"
    return VaultError(
        f"{len(down)} of {len(mounts)} mounts are down after a reload that the server "
        f"reported as done: {quoted(_paths(down))} {words}",
        next_step=FINISH_REMOVAL if down[0].being_removed else FIX_PLUGIN,
    )


def _outcome(answer: ReloadAnswer, mounts: t.Sequence[MountResult]) -> str:
    """Return what the verification adds to the server's words, for the message of a failure."""
    if answer.changed is False:
        return ""
    if not mounts and answer.changed is None and not answer.lost:
        return "; it is unknown whether anything was reloaded"
    groups: dict[str, list[str]] = {"down": []}
    for row in mounts:
        # The server's own words, in the same message, name what it has left down.
        if not answer.left_down(row.before.path):
            groups.setdefault(_now(row), []).append(row.before.path)
    return "".join(f"; {words}: {quoted(paths)}" for words, paths in groups.items() if paths)


def _now(row: MountResult) -> str:
    """Return what is known of a mount after a reload that failed."""
    if row.down:
        return "down"
    if row.reloaded:
        return "reloaded"
    running = (row.after or row.before).running
    if row.reloaded is None:
        serves = f", serves {running}" if row.health.alive else ""
        return f"unknown whether reloaded{serves}"
    return (
        f"still serves {running}" if row.health.alive else "not reloaded, unknown whether it serves"
    )


def _unverified(preflight: Preflight, mounts: t.Sequence[MountResult]) -> list[str]:
    reasons = (unverified_reason(mount, preflight.expectation(mount.before)) for mount in mounts)
    return [reason for reason in reasons if reason is not None]


def _with_others(
    preflight: Preflight, mounts: t.Sequence[MountResult], health: t.Mapping[str, Health]
) -> t.Sequence[MountResult]:
    """Return a result for each mount that the options name, those left alone among them."""
    by_path = {row.before.path: row for row in mounts}
    return [
        by_path.get(mount.path) or left_alone(mount, health.get(mount.path, UNKNOWN_HEALTH))
        for mount in preflight.mounts or ()
    ]


def _paths(mounts: t.Sequence[MountResult]) -> list[str]:
    return [row.before.path for row in mounts]
