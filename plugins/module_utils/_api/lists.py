# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of keys, as many paths of the API give them."""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._errors import NothingThere
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.fields import Fields


def list_keys(client: VaultClient, path: str, namespace: str | None = None) -> list[str]:
    """Return the keys below ``path``, none where there is nothing; raises VaultError."""
    return list(list_with_info(client, path, namespace))


def list_with_info(
    client: VaultClient, path: str, namespace: str | None = None
) -> dict[str, Fields]:
    """Return what the server says of each key below ``path``, by key; raises VaultError."""
    try:
        data = client.request("LIST", path, namespace=namespace).data
    except NothingThere:
        return {}
    info = data.object("key_info")
    return {key: info.object(key) for key in data.required_texts("keys")}
