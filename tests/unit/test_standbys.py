# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for standbys that start a new version by themselves."""

from __future__ import annotations

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import Node
from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection
from ansible_collections.vaultops.vault.plugins.module_utils._reload import standbys
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import Nodes, NodeState
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import (
    ReloadOptions,
    Wait,
)

NODE = Node("https://n1:8200", "n1")
EXPECTED = {"ext/": CatalogEntry("secret", "ext", "v2", "", builtin=False)}
OPTIONS = ReloadOptions(paths=["ext/"], scope="global", wait=Wait(60, 1))


def state(role: str, version: str) -> NodeState:
    """Return what a node says of its one mount, which runs ``version``."""
    mount = Mount("ext/", "secret", "ext", "x", "v2", version, "")
    return NodeState(NODE, Server(role=role), {"ext/": mount}, {})


ACTIVE, BEHIND, FOLLOWED = state("active", "v1"), state("standby", "v1"), state("standby", "v2")
SILENT = NodeState(NODE, Server(), {}, {}, error="no answer within 10 s")


@pytest.mark.parametrize(
    ("options", "says", "asked"),
    [
        pytest.param(OPTIONS, [[ACTIVE, FOLLOWED]], 1, id="followed"),
        pytest.param(
            OPTIONS, [[ACTIVE, BEHIND], [ACTIVE, FOLLOWED]], 2, id="followed a moment later"
        ),
        pytest.param(OPTIONS, [[BEHIND]] * 99, standbys.TIMES, id="never follows"),
        pytest.param(OPTIONS, [[ACTIVE, SILENT]], 1, id="a node that says nothing"),
        pytest.param(OPTIONS._replace(wait=None), [], 0, id="wait=false: no node is asked"),
    ],
)
def test_how_often_the_standbys_are_asked(
    monkeypatch: pytest.MonkeyPatch,
    options: ReloadOptions,
    says: list[list[NodeState]],
    asked: int,
) -> None:
    left = list(says)
    monkeypatch.setattr(standbys, "PAUSE", 0)
    monkeypatch.setattr(standbys, "find_nodes", lambda *_asked: ([NODE], []))
    monkeypatch.setattr(Nodes, "find_active", lambda _nodes: None)
    monkeypatch.setattr(Nodes, "inspect", lambda *_asked: left.pop(0))
    with VaultClient(Connection("http://fake")) as client:
        standbys.wait_for_standbys(client, options, EXPECTED, Server())
    assert len(says) - len(left) == asked
