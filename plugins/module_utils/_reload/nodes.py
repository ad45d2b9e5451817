# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a cluster, each asked itself: its role, what it runs, its health."""

from __future__ import annotations

import contextlib
import time
import typing as t
from functools import partial
from urllib.parse import urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import (
    REDIRECT,
    Node,
    forwards_everything,
    list_ha_nodes,
    list_raft_members,
    serves_requests,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server, read_health
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount, read_mounts
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Health, check_all
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    NotSent,
    PermissionDenied,
    Refused,
    TokenNotAccepted,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import (
    pause,
    together,
)

# So many seconds a node may take for an answer before the reload: it holds up the others.
NODE_TIMEOUT = 10.0
# So many nodes are asked at the same time.
MOST_AT_ONCE = 64
# The pause between two requests that wait for the cluster itself, in seconds.
PAUSE = 0.2
# A standby learns of a new token within a tenth of a second: it is asked again for so many seconds.
TOKEN_ARRIVES_WITHIN = 2.0

_WORKING = ("active", "standby", "performance standby")
_UNIDENTIFIED = "leaves this token to the active node"
_STRANGER = "take it out of nodes, or correct its address, then run the task again"
_CHANGING = "is about to become a standby, or the cluster has no active node"
_NO_LEADER = "active cluster node not found"
_NOT_ENCRYPTED = "advertises an address that is not encrypted, so it was not asked"
_ENCRYPT = (
    "set api_addr of that node to an https:// address, or give the addresses of all nodes in nodes"
)
_USE_ANOTHER_LOGIN = (
    "run the task again; a token with a limited number of uses, or one that is not valid any more, "
    "never works at a standby"
)


class NodeState(t.NamedTuple):
    """What a node said of itself and its mounts; ``error`` is why it said less.

    ``forwards`` says that it runs no plugins and leaves all requests to the active node.
    ``next_step`` is what helps against the error, where that is known.
    """

    node: Node
    server: Server
    mounts: t.Mapping[str, Mount]
    health: t.Mapping[str, Health]
    forwards: bool = False
    error: str = ""
    next_step: str = ""


class _NodeClient(VaultClient):
    """A client for a node: whether its token is still valid, the one of the task asks."""

    def __init__(self, connection: Connection, of_task: VaultClient) -> None:
        super().__init__(connection)
        self._of_task = of_task

    def request(self, *args: t.Any, **more: t.Any) -> Answer:
        """Send a request as VaultClient does."""
        try:
            return super().request(*args, **more)
        except PermissionDenied as error:
            raise self._of_task.explained(error) from None


class Nodes:
    """The nodes of one cluster, by name, each with a connection of its own; a context manager.

    A node is asked with the identity that ``client`` has by then, and never forwards.  ``timeout``
    (seconds) bounds the wait for each answer before the reload.  A node whose cluster is not
    ``cluster_id`` gets no identity.  ``active`` is the one that said it is, once find_active() has
    asked; one that did not answer then is not asked again before the reload.
    """

    # For together(): each node is another server, and gets no credentials that it may refuse.
    near = untried = False

    def __init__(
        self, client: VaultClient, nodes: t.Sequence[Node], timeout: float, cluster_id: str
    ) -> None:
        self.all = sorted(nodes, key=lambda node: (node.name, node.address))
        self.active: Node | None = None
        self.progress = client.progress
        self.warn = client.warn
        self._clients = {
            node: _client_for(client, node) for node in nodes if node.address and not node.refused
        }
        self._timeout = timeout
        self._cluster_id = cluster_id
        self._failed: dict[Node, NodeState] = {}

    def __enter__(self) -> Nodes:
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.ExitStack() as stack:
            for client in self._clients.values():
                stack.push(client)

    def client(self, node: Node) -> VaultClient:
        """Return the connection to ``node``; raises KeyError for one without an address."""
        return self._clients[node]

    def find_active(self) -> None:
        """Ask all nodes at once what they are, and note which one is active."""
        states = self.inspect([], None)
        self._failed = {state.node: state for state in states if state.error}
        active = [state for state in states if state.server.role == "active" and not state.error]
        if active:
            self.active = active[0].node
            self._cluster_id = self._cluster_id or active[0].server.cluster_id

    def inspect(self, paths: t.Sequence[str], probe: str | None) -> list[NodeState]:
        """Ask all nodes at once for the mounts at ``paths``, and for their health by ``probe``."""

        def inspect(node: Node) -> NodeState:
            if node in self._failed:
                return self._failed[node]
            since = time.monotonic()
            while True:
                state = self.inspect_node(node, paths, probe, self._timeout)
                within = {_UNIDENTIFIED: TOKEN_ARRIVES_WITHIN, _CHANGING: self._timeout}
                if time.monotonic() - since >= within.get(state.error, 0.0):
                    return state
                pause(PAUSE)

        return self.on_each(inspect)

    def on_each(self, work: t.Callable[[Node], T]) -> list[T]:
        """Do ``work`` for all nodes at once; return what comes back, in their order."""
        return together(self, [partial(work, node) for node in self.all], most=MOST_AT_ONCE)

    def inspect_node(
        self, node: Node, paths: t.Sequence[str], probe: str | None, timeout: float
    ) -> NodeState:
        """Ask ``node`` itself; ``timeout`` (seconds) bounds the wait for each answer."""
        state = NodeState(node, Server(), {}, {})
        if node.refused:
            return state._replace(error=node.refused, next_step=_ENCRYPT)
        if node not in self._clients:
            return state._replace(error="the cluster has not heard from it lately")
        client = self._clients[node]
        try:
            with client.time_limit(timeout):
                state = state._replace(server=read_health(client))
                if state.server.role not in _WORKING:
                    return state._replace(error=f"is {state.server.role}")
                if self._cluster_id and state.server.cluster_id != self._cluster_id:
                    return state._replace(error="belongs to another cluster", next_step=_STRANGER)
                state = state._replace(mounts=read_mounts(client, paths))
                return state._replace(health=check_all(client, state.mounts.values(), probe))
        except TokenNotAccepted as error:
            return state._replace(error=error.what, next_step=error.next_step)
        except Refused as error:
            if error.status == REDIRECT:
                with client.time_limit(timeout):
                    return _of_redirect(client, state)
            return state._replace(error=_CHANGING if _NO_LEADER in error.what else error.what)
        except VaultError as error:
            return state._replace(error=error.what)


T = t.TypeVar("T")


def find_nodes(
    client: VaultClient, urls: t.Sequence[str], timeout: float
) -> tuple[list[Node], list[Node]]:
    """Return the nodes to ask, and those that were left out.

    The nodes are those at ``urls``, which may be fewer than the cluster has, else all that are
    known.  The cluster's own lists need a token that may read them; where it may read none of them,
    there are no nodes.  A member from which the cluster has not heard yet is waited for, up to
    ``timeout`` seconds: after an election it takes three, after a start up to five.  Raises
    VaultError.
    """
    if urls:
        return _nodes_at(client, urls)
    until = time.monotonic() + timeout
    while True:
        nodes = [_checked(client, node) for node in _known_nodes(client)]
        if all(node.address for node in nodes) or time.monotonic() >= until:
            return nodes, []
        time.sleep(PAUSE)


def _nodes_at(client: VaultClient, urls: t.Sequence[str]) -> tuple[list[Node], list[Node]]:
    """Return the nodes at ``urls``, and those that the cluster has beyond them."""
    try:
        known = _merged(*_lists(client))
    except (Refused, NoAnswer, NotSent):
        known = []  # only names depend on them
    by_address = {node.address: node for node in known}
    nodes = [by_address.get(url) or Node(url, urlsplit(url).netloc) for url in urls]
    left_out = [node for node in known if node.address not in urls]
    count = len(known) - len(urls)
    if count < len(left_out):
        # Some are given by other addresses than they advertise: which ones is not known.
        names = ", ".join(node.name for node in left_out)
        left_out = [Node("", f"{count} of {names}")] if count > 0 else []
    return nodes, left_out


def _known_nodes(client: VaultClient) -> list[Node]:
    nodes, members = _lists(client)
    return _merged(nodes, members) if nodes else _guessed(client, members)


def _lists(client: VaultClient) -> tuple[dict[str, Node], dict[str, str]]:
    """Return the nodes and the members of the cluster, by cluster address; raises VaultError."""
    reads: list[t.Callable[[], t.Any]] = [
        partial(list_ha_nodes, client),
        partial(list_raft_members, client),
    ]
    nodes, members = together(client, reads, quick=True)
    return nodes, members


def _checked(client: VaultClient, node: Node) -> Node:
    """Return the node, refused where the token would go there in clear text, unlike to the url."""
    encrypted = client.connection.url.startswith("https://")
    if encrypted and node.address and not node.address.lower().startswith("https://"):
        return node._replace(refused=_NOT_ENCRYPTED)
    return node


def _merged(nodes: t.Mapping[str, Node], members: t.Mapping[str, str]) -> list[Node]:
    """Return the nodes, and the other members: one that is down is in the list of members only."""
    named = [node._replace(name=members.get(at) or node.name) for at, node in nodes.items()]
    return named + [Node("", name) for at, name in members.items() if at not in nodes]


def _guessed(client: VaultClient, members: t.Mapping[str, str]) -> list[Node]:
    """Return the members at the hosts of the cluster addresses, and the API port of the URL.

    Where several share a host, or the URL is a socket, the addresses cannot be guessed.
    """
    url = urlsplit(client.connection.url)
    port = f":{url.port}" if url.port else ""
    hosts = {where.rpartition(":")[0]: name for where, name in members.items()}
    if len(hosts) < len(members) or client.connection.socket_path:
        return []
    return [Node(f"{url.scheme}://{host}{port}", name) for host, name in hosts.items()]


def _client_for(client: VaultClient, node: Node) -> VaultClient:
    """Return a client for ``node`` itself: the options of TLS and namespace hold for it too."""
    origins = {**client.connection.origins, "url": "the address of the node"}
    connection = client.connection._replace(
        url=node.address, socket_path="", retries=0, origins=origins
    )
    own = _NodeClient(connection, client)
    own.token, own.inline_headers = client.token, client.inline_headers
    own.announce = client.announce
    own.identity, own.forwarding = client.identity, False
    own.secrets = client.secrets
    own.warnings = client.warnings  # all warnings of the task are one list
    return own


def _of_redirect(client: VaultClient, state: NodeState) -> NodeState:
    """Return ``state`` of a node that leaves a request to the active one, with the reason.

    It runs no plugins, or it is not ready to, or it does not know the token.
    """
    if forwards_everything(client):
        return state._replace(forwards=True)
    if not serves_requests(client):
        return state._replace(error=_CHANGING)
    return state._replace(error=_UNIDENTIFIED, next_step=_USE_ANOTHER_LOGIN)
