# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of keys, as many paths of the API give them."""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._errors import NoAnswer, NothingThere
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.fields import (
    CHECK_URL,
    Fields,
)


def list_keys(client: VaultClient, path: str, namespace: str | None = None) -> list[str]:
    """Return the keys below ``path``, none where there is nothing; raises VaultError."""
    return list(list_with_info(client, path, namespace))


def list_with_info(
    client: VaultClient, path: str, namespace: str | None = None
) -> dict[str, Fields]:
    """Return what the server says of each key below ``path``, by key; raises VaultError."""
    try:
        answer = client.request("LIST", path, namespace=namespace)
    except NothingThere:
        return {}
    keys, info = answer.data.required_texts("keys"), answer.data.object("key_info")
    if not keys:
        raise NoAnswer(
            "the answer lists nothing, for which a server has 404",
            where=answer.where,
            next_step=CHECK_URL,
        )
    return {key: info.object(key) for key in keys}
