# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reload for everybody: on one node, or on all nodes in the way that the server needs.

API: https://openbao.org/api-docs/system/plugins-reload/ and
https://developer.hashicorp.com/vault/api-docs/system/plugins-reload
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.answering_node import (
    reload_on_answering_node,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import (
    BY_THE_CATALOG,
    Expected,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import ReloadResult

if t.TYPE_CHECKING:
    from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server


def reload(
    client: VaultClient,
    options: ReloadOptions,
    *,
    expected: Expected = BY_THE_CATALOG,
    check_mode: bool = False,
    server: Server | None = None,
) -> ReloadResult:
    """Reload, and verify what runs; in check mode predict it.

    ``expected`` are the catalog entries that the caller wants to see running, by the path of the
    mount; else a mount is expected to run what catalog and pins say.  ``server`` is which one it
    is, where the caller knows it already.

    Raises VaultError only where nothing was sent; all later failures are in the result.
    """
    if options.scope == "local" or not options.verify:
        return reload_on_answering_node(client, options, expected, check_mode)
    # Imported here: a module compiles what it imports, and most tasks are of one node.
    from ansible_collections.vaultops.vault.plugins.module_utils._reload.scope_global import (
        reload_globally,
    )

    return reload_globally(client, options, expected, check_mode, server)
