# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of keys, as many paths of the API give them."""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._errors import NothingThere
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient


def list_keys(client: VaultClient, path: str, namespace: str | None = None) -> list[str]:
    """Return the keys below ``path``, none where there is nothing; raises VaultError."""
    try:
        return client.request("LIST", path, namespace=namespace).data.required_texts("keys")
    except NothingThere:
        return []
