# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The child namespaces of a namespace.

API: https://openbao.org/api-docs/system/namespaces/
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._api.lists import list_keys
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient


def child_namespaces(client: VaultClient, namespace: str | None = None) -> list[str]:
    """Return the paths of the children, each with a slash at its end; raises VaultError.

    ``namespace`` (default: the client's) is the parent.  A server without namespaces has none.
    """
    return list_keys(client, "sys/namespaces", namespace)
