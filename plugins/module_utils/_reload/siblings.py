# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounts that share a process with one whose reload failed, as those of a multiplexed plugin do."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import list_mounts
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import check_all
from ansible_collections.vaultops.vault.plugins.module_utils._errors import VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
)
from ansible_collections.vaultops.vault.plugins.module_utils._text import quoted

# A health check may start a broken plugin once more: so many are made.
MOST_CHECKED = 20


def with_siblings(
    client: VaultClient, error: VaultError, mounts: t.Sequence[MountResult]
) -> VaultError:
    """Return ``error`` of a reload of ``mounts`` with the other mounts that went down with them."""
    down = siblings_down(client, mounts)
    if not down:
        return error
    return error.with_context(f"{error.what}; down too, with the same plugin: {quoted(down)}")


def siblings_down(client: VaultClient, mounts: t.Sequence[MountResult]) -> list[str]:
    """Return the paths of other mounts of the same plugin and version that do not answer."""
    failed = {
        (row.before.kind, row.before.plugin, row.before.running_version)
        for row in mounts
        if row.error is not None and not row.health.alive
    }
    if not failed:
        return []
    try:
        listed = list_mounts(client)
    except VaultError:
        return []
    paths = {row.before.path for row in mounts}
    others = [
        mount
        for mount in listed.values()
        if mount.path not in paths and (mount.kind, mount.plugin, mount.running_version) in failed
    ]
    health = check_all(client, others[:MOST_CHECKED], "")
    return [path for path, found in health.items() if found.alive is False]
