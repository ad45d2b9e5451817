# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The child namespaces of a namespace.

API: https://openbao.org/api-docs/system/namespaces/
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import read_health
from ansible_collections.vaultops.vault.plugins.module_utils._api.lists import list_with_info
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import OPEN_LISTING
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError, Refused
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient

# A namespace that no server has.
_NO_SUCH = "vaultops-no-such-namespace"


# Words of servers that have no namespaces: Vault Community, and OpenBao before 2.3.
_NO_NAMESPACES = ("enterprise-only feature", "unsupported path")


def child_namespaces(client: VaultClient, namespace: str | None = None) -> dict[str, str]:
    """Return the id of each child by its path, which has a slash at its end; raises VaultError.

    ``namespace`` (default: the client's) is the parent.  An id is empty where the server does not
    tell it.  A server without namespaces has none.
    """
    try:
        children = list_with_info(client, "sys/namespaces", namespace)
    except Refused as error:
        if error.status != 404 or not any(words in error.what for words in _NO_NAMESPACES):
            raise
        return {}
    return {path: info.text("id") for path, info in children.items()}


def require_namespace(client: VaultClient, option: str, namespace: str) -> None:
    """Raise OptionError where the server ignores ``namespace`` of ``option``; raises VaultError.

    HashiCorp Vault Community does, and a proxy may drop the header: then all that is asked of the
    namespace is done in the root namespace.  A server that honours the header has no answer for a
    namespace that does not exist.
    """
    if namespace in ("", "root"):
        return
    try:
        client.request("GET", OPEN_LISTING, namespace=_NO_SUCH, anonymous=True)
    except Refused as error:
        if error.status == 404 or not _has_none(client):
            return
    raise OptionError(
        f'the server ignores {option} "{namespace}", and would work in the root namespace',
        next_step=f"leave {option} out on HashiCorp Vault Community, which has no namespaces; else "
        "see whether a proxy drops the header X-Vault-Namespace",
    )


def _has_none(client: VaultClient) -> bool:
    """Tell whether the server is a Vault Community, which has no namespaces."""
    server = read_health(client)
    return server.product == "Vault" and not server.enterprise
