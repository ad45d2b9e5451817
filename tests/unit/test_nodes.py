# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who the nodes of a cluster are, from the lists that a token may read."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import Node
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    OptionError,
    Refused,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import (
    Connection,
    checked_urls,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload import nodes
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import (
    Nodes,
    find_nodes,
)

HEARD, MEMBERS = "sys/ha-status", "sys/storage/raft/configuration"
DENIED = Refused("permission denied", status=403)
URL = "https://balancer.example.com:8200"


class FakeClient(VaultClient):
    """Answers each path by its data, by the next of several data, or by its error."""

    def __init__(self, answers: t.Mapping[str, t.Any], url: str = URL, socket: str = "") -> None:
        self.connection = Connection(url, namespace="team", socket_path=socket)
        self.answers = dict(answers)

    def request(self, method: str, path: str, *args: t.Any, **more: t.Any) -> Answer:
        assert (method, more["namespace"]) == ("GET", "")
        answer = self.answers[path]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, VaultError):
            raise answer
        return Answer(200, {"data": answer}, path)


def heard(*numbers: int) -> dict[str, t.Any]:
    """Return the list of the nodes that the active one hears of."""
    return {
        "nodes": [
            {
                "hostname": f"host-{number}",
                "api_address": f"https://n{number}.example.com:8200",
                "cluster_address": f"https://n{number}.example.com:8201",
            }
            for number in numbers
        ]
    }


def members(*numbers: int, address: str = "n{}.example.com:8201") -> dict[str, t.Any]:
    """Return the list of the members of a raft cluster."""
    servers = [
        {"node_id": f"node-{number}", "address": address.format(number)} for number in numbers
    ]
    return {"config": {"servers": servers}}


def node(number: int, name: str = "node-{}", port: str = ":8200") -> Node:
    """Return a node with the address that it advertises."""
    return Node(f"https://n{number}.example.com{port}", name.format(number))


class Case(t.NamedTuple):
    """What the two lists say, and the nodes that are found."""

    heard: t.Any
    members: t.Any
    nodes: list[Node]
    url: str = URL
    socket: str = ""


CASES = {
    "both lists": Case(heard(1, 2), members(1, 2), [node(1), node(2)]),
    "a member that is down": Case(
        heard(1, 3), members(1, 2, 3), [node(1), node(3), Node("", "node-2")]
    ),
    "no names": Case(heard(1, 2), DENIED, [node(1, "host-{}"), node(2, "host-{}")]),
    "no raft": Case(
        heard(1), Refused("raft storage is not in use", status=400), [node(1, "host-{}")]
    ),
    "names only: the port of the URL": Case(
        DENIED, members(1, 2), [node(1, port=":8200"), node(2, port=":8200")]
    ),
    "names only: no port in the URL": Case(
        DENIED, members(1), [node(1, port="")], "https://balancer.example.com"
    ),
    "names only, and all at one host": Case(DENIED, members(1, 2, address="10.0.0.1:820{}"), []),
    "names only, and a socket": Case(
        DENIED, members(1, 2), [], "unix:///run/a.sock", "/run/a.sock"
    ),
    "nodes without a cluster address": Case(
        {"nodes": [{**row, "cluster_address": ""} for row in heard(1, 2)["nodes"]]},
        DENIED,
        [node(1, "host-{}"), node(2, "host-{}")],
    ),
    "nothing": Case(DENIED, DENIED, []),
    "an old server": Case(Refused("unsupported path", status=404), DENIED, []),
}


@pytest.mark.parametrize("name", CASES)
def test_the_lists_are_merged(name: str) -> None:
    case = CASES[name]
    client = FakeClient({HEARD: case.heard, MEMBERS: case.members}, case.url, case.socket)
    assert find_nodes(client, [], 0) == (case.nodes, [])


def test_a_member_is_waited_for_until_it_is_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "PAUSE", 0.0)
    client = FakeClient({HEARD: [heard(1), heard(1), heard(1, 2)], MEMBERS: members(1, 2)})
    assert find_nodes(client, [], 60)[0] == [node(1), node(2)]


@pytest.mark.parametrize(
    "error", [Refused("no active node", status=500), NoAnswer("no answer within 10 s")]
)
def test_a_list_that_fails_is_not_one_that_is_hidden(error: VaultError) -> None:
    with pytest.raises(type(error), match=error.what):
        find_nodes(FakeClient({HEARD: error, MEMBERS: members(1)}), [], 0)


class Given(t.NamedTuple):
    """The option nodes, and what is made of it."""

    urls: list[str]
    nodes: list[Node]
    left_out: list[Node]
    heard: t.Any = heard(1, 2, 3)


OTHER = Node("https://10.0.0.7:8200", "10.0.0.7:8200")
ONE_OF_TWO = Node("", "1 of node-2, node-3")

GIVEN = {
    "known ones have names": Given(
        [node(1).address, node(2).address, f" {OTHER.address}/ "], [node(1), node(2), OTHER], []
    ),
    "fewer than there are": Given(
        [node(1).address, node(3).address], [node(1), node(3)], [node(2)]
    ),
    "fewer, one by another address": Given(
        [node(1).address, OTHER.address], [node(1), OTHER], [ONE_OF_TWO]
    ),
    "one twice": Given(
        [OTHER.address, node(1).address, f"{OTHER.address}/"], [OTHER, node(1)], [ONE_OF_TWO]
    ),
    "without one that is down": Given(
        [node(1).address], [node(1)], [node(2), Node("", "node-3")], heard(1, 2)
    ),
    "names that cannot be read": Given(
        [OTHER.address], [OTHER], [], Refused("no active node", status=500)
    ),
}


@pytest.mark.parametrize("name", GIVEN)
def test_given_nodes(name: str) -> None:
    case = GIVEN[name]
    client = FakeClient({HEARD: case.heard, MEMBERS: members(1, 2, 3)})
    assert find_nodes(client, checked_urls(case.urls, "nodes"), 60) == (case.nodes, case.left_out)


def test_a_namespace_that_is_ignored_is_no_list_that_is_hidden() -> None:
    """What refuses the whole task is raised where a list that fails would only cost names."""
    ignored = OptionError('the server ignores namespace "team"')
    with pytest.raises(OptionError, match="ignores namespace"):
        find_nodes(FakeClient({HEARD: ignored, MEMBERS: ignored}), [OTHER.address], 0)


PLAIN = Node("http://n2.example.com:8200", "node-2")


def plain(*numbers: int) -> dict[str, t.Any]:
    """Return the list of the nodes, as they advertise addresses that are not encrypted."""
    rows = heard(*numbers)["nodes"]
    return {
        "nodes": [
            {**row, "api_address": row["api_address"].replace("https", "http")} for row in rows
        ]
    }


def test_a_node_that_advertises_http_gets_no_token() -> None:
    """Nothing goes there: the client has no such server to talk to, and is not asked for one."""
    client = FakeClient({HEARD: plain(2), MEMBERS: members(2)})
    found, _left_out = find_nodes(client, [], 60)
    assert [node.address for node in found] == [PLAIN.address]
    with_everything(client)
    with Nodes(client, found, 1.0, "") as asked:
        state = asked.inspect_node(found[0], [], None, 1.0)
        with pytest.raises(KeyError):
            asked.client(found[0])
    assert "not encrypted" in state.error
    assert "or give the addresses of all nodes in nodes" in state.next_step


@pytest.mark.parametrize(
    ("url", "given"), [(URL, [PLAIN.address]), ("http://balancer.example.com", [])]
)
def test_a_node_by_http_that_the_user_wants(url: str, given: list[str]) -> None:
    client = FakeClient({HEARD: plain(2), MEMBERS: members(2)}, url)
    assert find_nodes(client, given, 60)[0] == [PLAIN]


def with_everything(client: FakeClient) -> None:
    """Give the fake what a client has."""
    client.token, client.inline_headers, client.warnings = "a-token", {}, []
    client.progress = print
