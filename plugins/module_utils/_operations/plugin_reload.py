# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reload a plugin or mounts, and verify it."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._operations.rows import (
    diff_of_nodes,
    mount_row,
    node_row,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import (
    COMMON_SPEC,
    ReloadOptions,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import NotInspected
from ansible_collections.vaultops.vault.plugins.module_utils._reload.reload import reload
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import ReloadResult
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params, Result, Spec

SPEC: Spec = {
    "plugin": {"type": "str"},
    "mounts": {"type": "list", "elements": "str"},
    "plugin_type": {"type": "str", "choices": ["auth", "secret", "database", "unknown"]},
    "state": {"type": "str", "choices": ["reloaded", "current"], "default": "reloaded"},
    "verify": {"type": "bool", "default": True},
    **COMMON_SPEC,
}

CONSTRAINTS: dict[str, t.Any] = {
    "mutually_exclusive": [("plugin", "mounts"), ("mounts", "plugin_type")],
    "required_one_of": [("plugin", "mounts")],
}

_NOTHING = "nothing was reloaded"


def run(client: VaultClient, params: Params, check_mode: bool) -> Result:
    """Inspect, reload, verify; in check mode predict.  Raises VaultError with what is known."""
    options = ReloadOptions.from_params(params, client.connection.namespace)
    try:
        done = reload(client, options, check_mode=check_mode)
    except NotInspected as error:
        step = f"{error.next_step}, or reload without this check, with state=reloaded"
        raise error.with_context(next_step=step).without_effect(_NOTHING) from error
    except VaultError as error:
        raise error.without_effect(_NOTHING) from error
    client.warn(*done.warnings)
    failure = done.error
    if failure is not None:
        if options.verify:
            # Imported here: only a failure needs it.
            from ansible_collections.vaultops.vault.plugins.module_utils._reload.siblings import (
                with_siblings,
            )

            failure = with_siblings(client, failure, done.mounts)
        raise failure.with_context(result=_as_result(done))
    return _as_result(done)


def _as_result(done: ReloadResult) -> Result:
    result: Result = {
        "scope": done.scope,
        "mounts": [mount_row(mount) for mount in done.mounts],
        "diff": diff_of_nodes(done.mounts, done.nodes),
        "changed": done.changed,
        "reload_id": done.reload_id,
        "verified": done.verified,
    }
    if done.nodes is not None:
        result["nodes"] = [node_row(node) for node in done.nodes]
    return result
