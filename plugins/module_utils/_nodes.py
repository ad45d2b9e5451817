# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a cluster: who they are, and what each of them says when it is asked itself.

API: https://developer.hashicorp.com/vault/api-docs/system/ha-status and
https://openbao.org/api-docs/system/storage/raft/
"""

from __future__ import annotations

import contextlib
import typing as t
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._errors import Refused, VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._mounts import Mount, read_mounts
from ansible_collections.vaultops.vault.plugins.module_utils._options import checked_url
from ansible_collections.vaultops.vault.plugins.module_utils._probe import Life, life_of
from ansible_collections.vaultops.vault.plugins.module_utils._server import Server, read_health

# So many nodes are asked at the same time.
MOST_AT_ONCE = 64

_NOT_KNOWN = (
    "the nodes of the cluster are not known, so only the node that answered was looked at: give "
    "the token the capability read on sys/ha-status, or set nodes"
)
_WORKING = ("active", "standby", "performance standby")
REDIRECT = 307


class Node(t.NamedTuple):
    """A node: ``address`` is the URL of its API, empty where the cluster does not know it now."""

    address: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.address else self.name


class NodeLook(t.NamedTuple):
    """What a node said of itself and its mounts; ``error`` is why it said less.

    ``forwards`` says that it runs no plugins and leaves all requests to the active node.
    """

    node: Node
    server: Server
    mounts: t.Mapping[str, Mount]
    lives: t.Mapping[str, Life]
    forwards: bool = False
    error: str = ""


class Nodes:
    """The nodes of one cluster, by name, each with a connection of its own; a context manager.

    A node is asked with the identity that ``client`` has by then, and never forwards.  ``active``
    is the one that said it is.  ``patience`` (seconds) bounds the wait for each answer before the
    reload.
    """

    def __init__(self, client: VaultClient, nodes: t.Sequence[Node], patience: float) -> None:
        self._open = contextlib.ExitStack()
        self._clients: dict[Node, VaultClient] = {}
        for node in nodes:
            if node.address:
                self._clients[node] = self._open.enter_context(_connection_to(client, node))
        self._cluster_id = ""
        self.tell = client.tell
        self.all = sorted(nodes, key=lambda node: (node.name, node.address))
        self._patience = patience
        self._dead: dict[Node, NodeLook] = {}
        first = self.look([], None)
        self._dead = {look.node: look for look in first if look.error}
        active = [look for look in first if look.server.role == "active" and not look.error]
        self.active = active[0].node if active else None
        self._cluster_id = active[0].server.cluster_id if active else ""

    def __enter__(self) -> Nodes:
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def client(self, node: Node) -> VaultClient:
        """Return the connection to ``node``; raises KeyError for one without an address."""
        return self._clients[node]

    def look(self, paths: t.Sequence[str], question: str | None) -> list[NodeLook]:
        """Ask all nodes at once for the mounts at ``paths``, and whether their plugins answer."""

        def look(node: Node) -> NodeLook:
            # One that did not answer a moment ago is not waited for again.
            return self._dead.get(node) or self.look_at(node, paths, question, self._patience)

        return self.on_each(look)

    def on_each(self, work: t.Callable[[Node], T]) -> list[T]:
        """Do ``work`` for all nodes at once; return what comes back, in their order."""
        with ThreadPoolExecutor(min(len(self.all), MOST_AT_ONCE) or 1) as pool:
            return list(pool.map(work, self.all))

    def look_at(
        self,
        node: Node,
        paths: t.Sequence[str],
        question: str | None,
        patience: float,
    ) -> NodeLook:
        """Ask ``node`` itself; ``patience`` bounds the wait for each answer, in seconds."""
        look = NodeLook(node, Server(), {}, {})
        if node not in self._clients:
            return look._replace(error="the cluster has not heard of it lately")
        client = self._clients[node]
        client.longest_wait = patience
        try:
            look = look._replace(server=read_health(client))
            if look.server.role not in _WORKING:
                return look._replace(error=f"is {look.server.role}")
            if self._cluster_id and look.server.cluster_id != self._cluster_id:
                return look._replace(error="belongs to another cluster")
            look = look._replace(mounts=read_mounts(client, paths))
            lives = {path: life_of(client, mount, question) for path, mount in look.mounts.items()}
        except Refused as error:
            if error.status == REDIRECT:
                return look._replace(forwards=True)
            return look._replace(error=error.what)
        except VaultError as error:
            return look._replace(error=error.what)
        finally:
            client.longest_wait = None
        return look._replace(lives=lives)


T = t.TypeVar("T")


def find_nodes(client: VaultClient, given: t.Sequence[str]) -> tuple[list[Node], list[str]]:
    """Return the nodes, and warnings: those ``given`` by their URLs, else all that are known.

    The cluster's own lists need a token that may read them; where it may read none of them, there
    are no nodes.
    """
    known = _heard_of(client)
    members = _members(client)
    if given:
        named = {node.address: node for node in known.values()}
        urls = [checked_url(url.strip().rstrip("/")) for url in given]
        missing = len({*known, *members}) - len(urls)
        unasked = [f"the cluster has {missing} more nodes than the option nodes"]
        found = [named.get(url) or Node(url, urlsplit(url).netloc) for url in urls]
        return found, unasked if missing > 0 else []
    if not known and not members:
        return [], [_NOT_KNOWN]
    nodes = [
        Node(node.address, members.pop(where, "") or node.name) for where, node in known.items()
    ]
    # A node that is down leaves the one list, but stays a member of the cluster.
    guess = _guesser(client) if not known else _unknown
    return nodes + [Node(guess(where), name) for where, name in members.items()], []


def _connection_to(client: VaultClient, node: Node) -> VaultClient:
    """Return a client for ``node`` itself: what the user says of TLS and namespace holds for it."""
    there = VaultClient(client.connection._replace(url=node.address, socket_path="", retries=0))
    there.token, there.inline_headers = client.token, client.inline_headers
    there.forwarding = False
    return there


def _heard_of(client: VaultClient) -> dict[str, Node]:
    """Return the nodes that the active one hears of, by cluster address."""
    try:
        rows = client.request("GET", "sys/ha-status", namespace="").data.get("nodes") or []
    except VaultError:
        return {}
    return {
        urlsplit(row.get("cluster_address") or "").netloc: Node(
            str(row.get("api_address") or "").rstrip("/"), str(row.get("hostname") or "")
        )
        for row in rows
    }


def _members(client: VaultClient) -> dict[str, str]:
    """Return the names of the members of a raft cluster, by cluster address."""
    try:
        data = client.request("GET", "sys/storage/raft/configuration", namespace="").data
    except VaultError:
        return {}
    servers = (data.get("config") or {}).get("servers") or []
    return {str(row.get("address")): str(row.get("node_id")) for row in servers}


def _guesser(client: VaultClient) -> t.Callable[[str], str]:
    """Return what makes an API address of a cluster address: all nodes have the same API port."""
    url = urlsplit(client.connection.url)
    port = f":{url.port}" if url.port else ""
    return lambda where: f"{url.scheme}://{where.rpartition(':')[0]}{port}"


def _unknown(_where: str) -> str:
    return ""
