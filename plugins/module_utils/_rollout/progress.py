# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a rollout got, and what is known of its mounts."""

from __future__ import annotations

import types
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import (
    NodeResult,
    ReloadResult,
)
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.configure import Configured
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.plan import Plan, Step
from ansible_collections.vaultops.vault.plugins.module_utils._text import quoted

_NONE: t.Mapping[str, MountResult] = types.MappingProxyType({})


class Progress(t.NamedTuple):
    """How far a rollout got.

    ``started`` are the steps of all batches so far.  ``configured`` are those whose mounts were
    configured for the new version, and ``doubtful`` those that may be; those ``not_seen`` are
    doubtful, and were not when they were read again.  ``mounts`` are the last results, by path, and
    ``nodes`` the last ones of the nodes.  ``touched`` says that a reload did something, or a mount
    was configured for its previous version again.  ``pin`` is the version that the plugin is pinned
    to, empty for none, None for unknown.  ``warnings`` are those of all reloads.
    """

    started: t.Sequence[Step] = ()
    configured: t.Sequence[Step] = ()
    doubtful: t.Sequence[Step] = ()
    not_seen: t.Sequence[Step] = ()
    mounts: t.Mapping[str, MountResult] = _NONE
    nodes: t.Sequence[NodeResult] | None = None
    touched: bool = False
    pin: str | None = ""
    warnings: t.Sequence[str] = ()

    def with_started(self, batch: t.Sequence[Step]) -> Progress:
        """Return the progress with one more batch."""
        return self._replace(started=[*self.started, *batch])

    def with_configured(self, plan: Plan, done: Configured) -> Progress:
        """Return the progress with more mounts that are, or may be, configured."""
        pin = self.pin
        if plan.by_pin and (done.steps or done.doubtful):
            pin = plan.entry.version if done.steps else None
        return self._replace(
            configured=[*self.configured, *done.steps],
            doubtful=[*self.doubtful, *done.doubtful],
            not_seen=[*self.not_seen, *done.not_seen],
            pin=pin,
        )

    def with_reload(self, done: ReloadResult) -> Progress:
        """Return the progress after one more reload."""
        mounts = {
            mount.before.path: _after(self.mounts.get(mount.before.path), mount)
            for mount in done.mounts
        }
        return self._replace(
            mounts={**self.mounts, **mounts},
            nodes=self.nodes if done.nodes is None else self._nodes_after(done.nodes),
            touched=self.touched or done.changed,
            warnings=[*self.warnings, *done.warnings],
        )

    def _nodes_after(self, nodes: t.Sequence[NodeResult]) -> list[NodeResult]:
        earlier = {row.node: row.mounts for row in self.nodes or ()}
        return [_node_after(earlier.get(row.node, ()), row) for row in nodes]

    def with_last(self, rows: t.Iterable[MountResult]) -> Progress:
        """Return the progress with what was found in the end of some mounts.

        No node says anything of one that is not there any more.
        """
        last = {row.before.path: row for row in rows}
        gone = {path for path, row in last.items() if row.after is None}
        nodes = [
            row._replace(mounts=[m for m in row.mounts if m.before.path not in gone])
            for row in self.nodes or ()
        ]
        return self._replace(mounts={**self.mounts, **last}, nodes=nodes if self.nodes else None)

    def with_restored(self, plan: Plan, steps: t.Sequence[Step]) -> Progress:
        """Return the progress after ``steps`` are configured for their previous version again."""
        if not steps:
            return self
        # What was not there is not taken away: then this has changed nothing.
        not_seen = {step.path for step in self.not_seen}
        real = [step for step in steps if step.path not in not_seen]
        pin = plan.pinned_back if plan.by_pin else self.pin
        return self._replace(touched=self.touched or bool(real), pin=pin)

    @property
    def changed(self) -> bool:
        """Whether anything is known to have been changed."""
        return bool(self.configured) or self.touched

    @property
    def may_have_changed(self) -> bool:
        """Whether anything was changed, or is left in a state that is not known, or down."""
        unknown = any(mount.reloaded is None for mount in self.mounts.values())
        return bool(self.changed or self.doubtful or self.down or unknown)

    @property
    def down(self) -> list[str]:
        """What is known to be down, mount by mount, in words."""
        if not self.nodes:
            return [
                quoted([path])
                for path, mount in self.mounts.items()
                if mount.down and not mount.being_removed
            ]
        return [
            f"{quoted([mount.before.path])} on {node.node.name}"
            for node in self.nodes
            for mount in node.mounts
            if mount.down and not mount.being_removed
        ]

    def to_roll_back(self, plan: Plan) -> list[Step]:
        """Return the steps that are to be undone, and can be."""
        possible = [step for step in self.started if step.previous is not None]
        if plan.by_pin:
            return possible if plan.pinned_back != plan.entry.version else []
        configured = {step.path for step in (*self.configured, *self.doubtful)}
        moved = [s for s in possible if s.path in configured or not plan.configures(s)]
        return [s for s in moved if s.previous and s.previous.version != plan.entry.version]


def _node_after(earlier: t.Sequence[MountResult], row: NodeResult) -> NodeResult:
    """Return the last ``row`` of a node, with mounts that only an ``earlier`` reload was for."""
    if not row.mounts:
        return row  # it could not be asked, or runs no plugins
    before = {mount.before.path: mount for mount in earlier}
    last = {m.before.path: _after(before.get(m.before.path), m) for m in row.mounts}
    failed = [mount for path, mount in before.items() if mount.failed and path not in last]
    if row.ok and failed:
        row = row._replace(ok=False, error=f'mount "{failed[0].before.path}" {failed[0].error}')
    return row._replace(mounts=[*{**before, **last}.values()])


def _after(earlier: MountResult | None, last: MountResult) -> MountResult:
    """Return the ``last`` result of a mount: one that an ``earlier`` reload stopped was restarted.

    A rollback need not reload it: Vault starts the old version with the next request.  That it
    serves does not tell whether a reload without an answer was done.  What it ran before, and
    whether it was down, is known from before the rollout.
    """
    if earlier is None:
        return last
    last = last._replace(before=earlier.before, was=earlier.was)
    if last.reloaded is not False or last.error is not None:
        return last
    stopped = earlier.error is not None
    return last._replace(reloaded=(last.health.alive or None) if stopped else earlier.reloaded)
