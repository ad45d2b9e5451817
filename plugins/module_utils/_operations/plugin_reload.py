# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reload the mounts of a plugin, or the mounts named."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._mounts import mount_paths
from ansible_collections.vaultops.vault.plugins.module_utils._reload import (
    ReloadAnswer,
    reload_mounts,
    reload_plugin,
)

SPEC: dict[str, dict[str, t.Any]] = {
    "plugin": {"type": "str"},
    "mounts": {"type": "list", "elements": "str"},
    "scope": {"type": "str", "choices": ["local", "global"], "default": "local"},
}

CONSTRAINTS: dict[str, t.Any] = {
    "mutually_exclusive": [("plugin", "mounts")],
    "required_one_of": [("plugin", "mounts")],
}


def run(client: VaultClient, params: t.Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Reload; in check mode nothing is sent.  Raises VaultError, with what was done so far."""
    reload = _chosen_reload(params)
    scope = params["scope"]
    if check_mode:
        return {"changed": True, "scope": scope, "reload_id": None}
    answer = reload(client, scope)
    result = {
        "changed": bool(answer.changed),
        "scope": scope,
        "reload_id": answer.reload_id,
        "warnings": answer.warnings,
    }
    if answer.error is not None:
        raise answer.error.retold(str(answer.error.what), **result)
    return result


def _chosen_reload(
    params: t.Mapping[str, t.Any],
) -> t.Callable[[VaultClient, str], ReloadAnswer]:
    """Return the reload that the options name; raises OptionError."""
    if params["mounts"] is not None:
        paths = mount_paths(params["mounts"])
        if not paths:
            raise OptionError("mounts is empty", next_step="name at least one mount, or a plugin")
        return lambda client, scope: reload_mounts(client, paths, scope)
    plugin = params["plugin"].strip()
    if not plugin:
        raise OptionError("plugin is empty", next_step="name a plugin, or mounts")
    return lambda client, scope: reload_plugin(client, plugin, scope)
