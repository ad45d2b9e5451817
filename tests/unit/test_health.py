# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server it is, and what scope=global means to it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import (
    IGNORED,
    NEEDLESS,
    REPORTED,
    UNKNOWN,
    UNREPORTED,
    Server,
    read_server,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import Refused
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection

OPENBAO = {"initialized": True, "sealed": False, "standby": False, "cluster_id": "c"}
VAULT = {**OPENBAO, "performance_standby": False}


class Fact(t.NamedTuple):
    """What a server tells of itself, and what that means."""

    health: dict[str, t.Any]
    leader: dict[str, t.Any]
    name: str
    meaning: str
    role: str = "active"


CLUSTER: dict[str, t.Any] = {"ha_enabled": True, "leader_address": "https://n1:8200/"}
ALONE = {"ha_enabled": False}

FACTS = {
    "OpenBao 2.7.2": Fact({**OPENBAO, "version": "2.7.2"}, CLUSTER, "OpenBao 2.7.2", UNREPORTED),
    "OpenBao 2.10": Fact({**OPENBAO, "version": "2.10.0"}, CLUSTER, "OpenBao 2.10.0", UNREPORTED),
    "OpenBao 3": Fact(
        {**OPENBAO, "version": "3.0.0-beta1"}, CLUSTER, "OpenBao 3.0.0-beta1", UNREPORTED
    ),
    "OpenBao 2.7.1": Fact({**OPENBAO, "version": "2.7.1"}, CLUSTER, "OpenBao 2.7.1", IGNORED),
    "OpenBao 2.5.0": Fact({**OPENBAO, "version": "2.5.0"}, CLUSTER, "OpenBao 2.5.0", IGNORED),
    "OpenBao 2.4": Fact({**OPENBAO, "version": "2.4.4"}, CLUSTER, "OpenBao 2.4.4", NEEDLESS),
    "OpenBao, one node": Fact({**OPENBAO, "version": "2.7.2"}, ALONE, "OpenBao 2.7.2", NEEDLESS),
    "Vault Community": Fact(
        {**VAULT, "version": "1.20.0", "enterprise": False}, CLUSTER, "Vault 1.20.0", NEEDLESS
    ),
    "Vault Enterprise": Fact(
        {**VAULT, "version": "1.19.0+ent", "enterprise": True},
        CLUSTER,
        "Vault Enterprise 1.19.0",
        REPORTED,
    ),
    "Vault Enterprise, before it says so": Fact(
        {**VAULT, "version": "1.15.4+ent.hsm"}, CLUSTER, "Vault Enterprise 1.15.4", REPORTED
    ),
    "Vault Enterprise, one node": Fact(
        {**VAULT, "version": "1.19.0+ent", "enterprise": True},
        ALONE,
        "Vault Enterprise 1.19.0",
        NEEDLESS,
    ),
    "a performance standby": Fact(
        {**VAULT, "version": "1.19.0+ent", "standby": True, "performance_standby": True},
        CLUSTER,
        "Vault Enterprise 1.19.0",
        REPORTED,
        "performance standby",
    ),
    "a standby": Fact(
        {**OPENBAO, "version": "2.7.2", "standby": True},
        CLUSTER,
        "OpenBao 2.7.2",
        UNREPORTED,
        "standby",
    ),
    "sealed": Fact(
        {**OPENBAO, "version": "2.7.2", "sealed": True, "standby": True},
        CLUSTER,
        "OpenBao 2.7.2",
        UNREPORTED,
        "sealed",
    ),
    "new": Fact(
        {**OPENBAO, "version": "2.7.2", "sealed": True, "initialized": False},
        CLUSTER,
        "OpenBao 2.7.2",
        UNREPORTED,
        "not initialized",
    ),
    "Vault Community, which hides its version": Fact(
        {**VAULT, "version": "", "enterprise": False}, CLUSTER, "Vault", NEEDLESS
    ),
    "Vault Enterprise, which hides its version": Fact(
        {**VAULT, "version": "", "enterprise": True}, CLUSTER, "Vault Enterprise", REPORTED
    ),
    "it hides its version": Fact({**OPENBAO, "version": ""}, CLUSTER, "this server", UNKNOWN),
    "it hides all but HA": Fact(
        {"initialized": True, "sealed": False, "standby": False}, ALONE, "this server", NEEDLESS
    ),
}


class FakeClient(VaultClient):
    """Answers sys/health and sys/leader."""

    def __init__(self, answers: t.Mapping[str, dict[str, t.Any]]) -> None:
        self.connection = Connection("http://fake")
        self.answers = answers

    def request(self, method: str, path: str, *args: t.Any, **more: t.Any) -> Answer:
        assert (method, more["namespace"], more["anonymous"]) == ("GET", "", True)
        if path not in self.answers:
            raise Refused("no", status=403)
        return Answer(200, self.answers[path], path)


@pytest.mark.parametrize("name", FACTS)
def test_what_global_means(name: str) -> None:
    fact = FACTS[name]
    server = read_server(FakeClient({"sys/health": fact.health, "sys/leader": fact.leader}))
    assert (server.name, server.global_scope) == (fact.name, fact.meaning)
    assert server.role == fact.role
    assert server.ha is fact.leader["ha_enabled"]
    assert server.leader == ("https://n1:8200" if server.ha else "")


@pytest.mark.parametrize("hidden", ["sys/health", "sys/leader"])
def test_what_is_hidden_is_unknown(hidden: str) -> None:
    answers = {"sys/health": {**OPENBAO, "version": "2.7.2"}, "sys/leader": CLUSTER}
    del answers[hidden]
    server = read_server(FakeClient(answers))
    assert (server, server.global_scope) == (Server(), UNKNOWN)


@pytest.mark.parametrize(
    ("product", "version", "learns"),
    [("OpenBao", "2.6.2", False), ("OpenBao", "2.7.0", True), ("Vault", "1.19.0", True)],
)
def test_whether_a_standby_learns_of_a_new_version(
    product: str, version: str, learns: bool
) -> None:
    assert Server(product, version).standbys_learn is learns
