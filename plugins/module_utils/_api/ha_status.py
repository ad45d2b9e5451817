# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a cluster, as its active node and its storage list them, and what a node answers.

API: https://developer.hashicorp.com/vault/api-docs/system/ha-status and
https://openbao.org/api-docs/system/storage/raft/
"""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import OPEN_LISTING
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    Refused,
    TokenNotAccepted,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.fields import Fields

# Statuses of a list that this token may not read, or that this server does not have.
_NO_LIST = (400, 403, 404, 405)
# A node that runs plugins answers this itself, whatever its next role is.
_OWN_PATH = "sys/in-flight-req"
# The status by which a node that must not forward leaves a request to the active node.
REDIRECT = 307


class Node(t.NamedTuple):
    """A node: ``address`` is the URL of its API, empty where the cluster does not know it now.

    ``refused`` is why no request may go there.
    """

    address: str
    name: str
    refused: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.address else self.name


def list_ha_nodes(client: VaultClient) -> dict[str, Node]:
    """Return the nodes that the active node hears from, by cluster address; raises VaultError.

    One without a cluster address is a node all the same, by what else is known of it.
    """
    data = _read_list(client, "sys/ha-status")
    rows = data.required_objects("nodes") if data else []
    nodes = {}
    for row in rows:
        node = Node(row.text("api_address").rstrip("/"), row.text("hostname"))
        nodes[_cluster_address(row.text("cluster_address")) or str(node)] = node
    return nodes


def list_raft_members(client: VaultClient) -> dict[str, str]:
    """Return the names of the members of a raft cluster, by cluster address; raises VaultError."""
    data = _read_list(client, "sys/storage/raft/configuration")
    rows = data.object("config").required_objects("servers") if data else []
    return {row.required_text("address"): row.required_text("node_id") for row in rows}


def _cluster_address(url: str) -> str:
    """Return host and port of a node's cluster address, empty where it is no address."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def forwards_everything(client: VaultClient) -> bool:
    """Tell whether the node runs no plugins, and leaves all requests to the active node."""
    return _status(client, _OWN_PATH) == REDIRECT


def serves_requests(client: VaultClient) -> bool:
    """Tell whether the node answers a request that needs no token."""
    return _status(client, OPEN_LISTING) == 200


def _status(client: VaultClient, path: str) -> int | None:
    """Return the status of the answer to a request without a token, None for no answer."""
    try:
        client.request("GET", path, namespace="", anonymous=True)
    except VaultError as error:
        return error.status
    return 200


def _read_list(client: VaultClient, path: str) -> Fields | None:
    """Return what is at ``path``, None where that is not for this token; raises VaultError."""
    try:
        return client.request("GET", path, namespace="").data
    except Refused as error:
        if error.status not in _NO_LIST or isinstance(error, TokenNotAccepted):
            raise
        return None
