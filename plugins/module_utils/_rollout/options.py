# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a rollout, checked."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import (
    mount_path,
    mount_paths,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.wanted import any_version
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params


class RolloutOptions(t.NamedTuple):
    """Which mounts move to which version, and how.

    ``kind`` is empty where the mounts decide it; ``paths`` is None for all mounts of the plugin;
    ``canary`` is the path of the mount that moves first, empty for none; ``batch`` is how many move
    at a time, 0 for all; ``pin`` asks for the pin of the plugin to be moved.  ``reload`` is how
    they are reloaded.
    """

    plugin: str
    kind: str
    version: str
    paths: t.Sequence[str] | None
    canary: str
    batch: int
    pin: bool
    force: bool
    reload: ReloadOptions

    @classmethod
    def from_params(cls, params: Params) -> RolloutOptions:
        """Check the options of the module plugin_upgrade; raises OptionError."""
        version = any_version(params["version"])
        if not version:
            raise OptionError("version is empty", next_step="name the version to move to")
        if params["batch"] < 0:
            raise OptionError(
                f"batch is negative: {params['batch']}",
                next_step="give the number of mounts to move at a time, or 0",
            )
        return cls(
            plugin=params["plugin"].strip(),
            kind=params["type"] or "",
            version=version,
            paths=mount_paths(params["mounts"]) if params["mounts"] else None,
            canary=mount_path(params["canary"], "canary") if params["canary"] else "",
            batch=params["batch"],
            pin=params["pin"],
            force=params["force"],
            reload=ReloadOptions(only_stale=True, all_mounts=not params["mounts"]).with_common(
                params
            ),
        )
