# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a cluster: who they are, and what each of them says when it is asked itself.

API: https://developer.hashicorp.com/vault/api-docs/system/ha-status and
https://openbao.org/api-docs/system/storage/raft/
"""

from __future__ import annotations

import contextlib
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server, read_health
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount, read_mounts
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Life, life_of
from ansible_collections.vaultops.vault.plugins.module_utils._errors import Refused, VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import checked_url

# So many nodes are asked at the same time.
MOST_AT_ONCE = 64
# The pause between two questions that wait for the cluster itself, in seconds.
PAUSE = 0.2
# A standby learns of a new token within a tenth of a second: it is asked again for so many seconds.
LEARNS = 2.0

REDIRECT = 307
# Where a node runs plugins, it answers this itself, whatever it is about to become.
_OWN = "sys/in-flight-req"
_WORKING = ("active", "standby", "performance standby")
# Statuses of a list that this token, or this server, does not give.
_NO_LIST = (400, 403, 404, 405)
_STRANGER = "leaves this token to the active node"
_CHANGING = "is about to become a standby, or the cluster has no active node"
_NO_LEADER = "active cluster node not found"
_LIMITED = (
    "repeat the task; a token with a limited number of uses, or one that is not valid any more, "
    "never works at a standby"
)


class Node(t.NamedTuple):
    """A node: ``address`` is the URL of its API, empty where the cluster does not know it now."""

    address: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.address else self.name


class NodeLook(t.NamedTuple):
    """What a node said of itself and its mounts; ``error`` is why it said less.

    ``forwards`` says that it runs no plugins and leaves all requests to the active node.
    ``next_step`` is what helps against the error, where that is known.
    """

    node: Node
    server: Server
    mounts: t.Mapping[str, Mount]
    lives: t.Mapping[str, Life]
    forwards: bool = False
    error: str = ""
    next_step: str = ""


class Nodes:
    """The nodes of one cluster, by name, each with a connection of its own; a context manager.

    A node is asked with the identity that ``client`` has by then, and never forwards.  ``active``
    is the one that said it is.  ``patience`` (seconds) bounds the wait for each answer before the
    reload.  A node whose cluster is not ``cluster_id`` is told apart, and sees no identity.
    """

    def __init__(
        self, client: VaultClient, nodes: t.Sequence[Node], patience: float, cluster_id: str
    ) -> None:
        self._open = contextlib.ExitStack()
        self._clients: dict[Node, VaultClient] = {}
        for node in nodes:
            if node.address:
                self._clients[node] = self._open.enter_context(_connection_to(client, node))
        self._cluster_id = cluster_id
        self.tell = client.tell
        self.all = sorted(nodes, key=lambda node: (node.name, node.address))
        self._patience = patience
        self._dead: dict[Node, NodeLook] = {}
        first = self.look([], None)
        self._dead = {look.node: look for look in first if look.error}
        active = [look for look in first if look.server.role == "active" and not look.error]
        self.active = active[0].node if active else None
        self._cluster_id = cluster_id or (active[0].server.cluster_id if active else "")

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
            if node in self._dead:  # it did not answer a moment ago, and is not waited for again
                return self._dead[node]
            since = time.monotonic()
            while True:
                found = self.look_at(node, paths, question, self._patience)
                passes = {_STRANGER: LEARNS, _CHANGING: self._patience}.get(found.error, 0.0)
                if time.monotonic() - since >= passes:
                    return found
                time.sleep(PAUSE)

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
                return _left_to_the_active(client, look)
            return look._replace(error=_CHANGING if _NO_LEADER in error.what else error.what)
        except VaultError as error:
            return look._replace(error=error.what)
        finally:
            client.longest_wait = None
        return look._replace(lives=lives)


T = t.TypeVar("T")


def find_nodes(
    client: VaultClient, given: t.Sequence[str], patience: float
) -> tuple[list[Node], list[Node]]:
    """Return the nodes to ask, and those that were left out.

    The nodes are those ``given`` by their URLs, which may be fewer than the cluster has, else all
    that are known.  The cluster's own lists need a token that may read them; where it may read none
    of them, there are no nodes.  A member of which the cluster has not heard yet is waited for, up
    to ``patience`` seconds: after an election it takes three, after a start up to five.  Raises
    VaultError.
    """
    if given:
        return _given(client, given)
    until = time.monotonic() + patience
    while True:
        nodes = _known_nodes(client)
        if all(node.address for node in nodes) or time.monotonic() >= until:
            return nodes, []
        time.sleep(PAUSE)


def _given(client: VaultClient, given: t.Sequence[str]) -> tuple[list[Node], list[Node]]:
    """Return the nodes at the URLs ``given``, and those that the cluster has beyond them."""
    urls = list(dict.fromkeys(checked_url(url.strip().rstrip("/")) for url in given))
    try:
        known = _all_nodes(_heard_of(client), _members(client))
    except VaultError:
        known = []  # nothing but names depends on them
    named = {node.address: node for node in known}
    nodes = [named.get(url) or Node(url, urlsplit(url).netloc) for url in urls]
    left_out = [node for node in known if node.address not in urls]
    count = len(known) - len(urls)
    if count < len(left_out):
        # Some were given by other addresses than they advertise: which, nobody knows.
        names = ", ".join(node.name for node in left_out)
        left_out = [Node("", f"{count} of {names}")] if count > 0 else []
    return nodes, left_out


def _known_nodes(client: VaultClient) -> list[Node]:
    known, members = _heard_of(client), _members(client)
    return _all_nodes(known, members) if known else _guessed(client, members)


def _all_nodes(known: t.Mapping[str, Node], members: t.Mapping[str, str]) -> list[Node]:
    """Return those that are known, and the other members: one that is down leaves the one list."""
    nodes = [node._replace(name=members.get(at) or node.name) for at, node in known.items()]
    return nodes + [Node("", name) for at, name in members.items() if at not in known]


def _connection_to(client: VaultClient, node: Node) -> VaultClient:
    """Return a client for ``node`` itself: what the user says of TLS and namespace holds for it."""
    there = VaultClient(client.connection._replace(url=node.address, socket_path="", retries=0))
    there.token, there.inline_headers = client.token, client.inline_headers
    there.forwarding = False
    return there


def _left_to_the_active(client: VaultClient, look: NodeLook) -> NodeLook:
    """Return ``look`` at a node that leaves a question to the active one, with the reason.

    It runs no plugins, or it is not ready to, or it does not know the token.
    """
    if _status(client, _OWN) == REDIRECT:
        return look._replace(forwards=True)
    if _status(client, "sys/internal/ui/mounts") != 200:  # which needs no token
        return look._replace(error=_CHANGING)
    return look._replace(error=_STRANGER, next_step=_LIMITED)


def _status(client: VaultClient, path: str) -> int | None:
    """Return the status of the answer to a question without a token, None for no answer."""
    try:
        client.request("GET", path, namespace="", anonymous=True)
    except VaultError as error:
        return error.status
    return 200


def _heard_of(client: VaultClient) -> dict[str, Node]:
    """Return the nodes that the active one hears of, by cluster address."""
    rows = _list(client, "sys/ha-status").get("nodes") or []
    return {
        urlsplit(row.get("cluster_address") or "").netloc: Node(
            str(row.get("api_address") or "").rstrip("/"), str(row.get("hostname") or "")
        )
        for row in rows
    }


def _members(client: VaultClient) -> dict[str, str]:
    """Return the names of the members of a raft cluster, by cluster address."""
    data = _list(client, "sys/storage/raft/configuration")
    servers = (data.get("config") or {}).get("servers") or []
    return {str(row.get("address")): str(row.get("node_id")) for row in servers}


def _list(client: VaultClient, path: str) -> dict[str, t.Any]:
    """Return what is at ``path``, nothing where that is not for this token; raises VaultError."""
    try:
        return client.request("GET", path, namespace="").data
    except Refused as error:
        if error.status not in _NO_LIST:
            raise
        return {}


def _guessed(client: VaultClient, members: t.Mapping[str, str]) -> list[Node]:
    """Return the members at the hosts of the cluster addresses, and the API port of the URL.

    Where several share a host, or the URL is a socket, there is nothing to guess by.
    """
    url = urlsplit(client.connection.url)
    port = f":{url.port}" if url.port else ""
    hosts = {where.rpartition(":")[0]: name for where, name in members.items()}
    if len(hosts) < len(members) or client.connection.socket_path:
        return []
    return [Node(f"{url.scheme}://{host}{port}", name) for host, name in hosts.items()]
