# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows and the diff of a result, for the operations that reload."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.running import Running
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import NodeResult
from ansible_collections.vaultops.vault.plugins.module_utils._types import Result

# What is the same on all nodes is left out of the rows of a node.
_OF_A_NODE = ("path", "reloaded", "alive", "error", "before", "after")


def running_row(running: Running) -> dict[str, str]:
    """Return what runs as ``before``, ``after`` and the like have it."""
    return running._asdict()


def mount_row(mount: MountResult) -> Result:
    """Return the row of the result's ``mounts``."""
    return {
        "path": mount.before.path,
        "type": mount.before.kind,
        "plugin": mount.before.plugin,
        "accessor": mount.before.accessor,
        "reloaded": mount.reloaded,
        "alive": mount.health.alive,
        "error": mount.error,
        "before": running_row(mount.before.running),
        "after": running_row(mount.after.running) if mount.after else None,
    }


def node_row(node: NodeResult) -> Result:
    """Return the row of the result's ``nodes``."""
    mounts = (mount_row(mount) for mount in node.mounts)
    return {
        "address": node.node.address or None,
        "name": node.node.name,
        "role": node.role or None,
        "ok": node.ok,
        "error": node.error,
        "mounts": [{name: row[name] for name in _OF_A_NODE} for row in mounts],
    }


def diff_of_mounts(mounts: t.Iterable[MountResult]) -> dict[str, str]:
    """Return the diff: one line a mount, with path, plugin, version and short sha256."""
    before, after = "", ""
    for mount in mounts:
        title = f"{mount.before.path} {mount.before.plugin}"
        before += f"{title} {'down' if mount.was_down else mount.before.running}\n"
        after += f"{title} {mount.runs_now}\n"
    return {"before": before, "after": after}


def diff_of_nodes(
    mounts: t.Sequence[MountResult], nodes: t.Sequence[NodeResult] | None
) -> dict[str, str]:
    """Return the diff of ``mounts`` where all ``nodes`` are alike, else one for each node.

    A node may have fewer mounts: an upgrade that failed has not come to all of them.
    """
    whole = diff_of_mounts(mounts)
    parts = [(row.node.name, diff_of_mounts(row.mounts)) for row in nodes or () if row.mounts]
    lines = {side: set(text.splitlines()) for side, text in whole.items()}
    if all(
        set(text.splitlines()) <= lines[side] for _n, part in parts for side, text in part.items()
    ):
        return whole
    return {
        side: "".join(
            f"{name}: {line}\n" for name, part in parts for line in part[side].splitlines()
        )
        for side in ("before", "after")
    }
