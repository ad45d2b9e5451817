# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster that other tests run on is one, and comes back to order."""

from __future__ import annotations

import pytest
import requests

from ansible_collections.vaultops.vault.tests.support.balancer import delaying_proxy, round_robin
from ansible_collections.vaultops.vault.tests.support.cluster import Cluster, running_cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.each_openbao,
    pytest.mark.openbao_only("it shows the cluster of OpenBao"),
]


def mount_external(cluster: Cluster) -> None:
    """Mount an external plugin at ext/."""
    cluster.plugin("v1.0.0")
    cluster.mount("ext", "ext", version="v1.0.0")


def test_each_node_runs_its_own_plugin(cluster: Cluster) -> None:
    mount_external(cluster)
    assert len({node.info("ext")["pid"] for node in cluster.nodes}) == 3


def test_one_worker_has_the_cluster(cluster: Cluster, request: pytest.FixtureRequest) -> None:
    """Else each worker would start one of its own, for minutes of all cores."""
    grouped = request.config.getoption("loadgroup", default=False)
    assert request.node.nodeid.endswith("@cluster") is grouped


def test_reset_leaves_nothing(cluster: Cluster) -> None:
    mount_external(cluster)
    cluster.reset()
    for node in cluster.nodes:
        assert "ext/" not in node.call("GET", "sys/mounts")
        catalog = node.call("GET", "sys/plugins/catalog")["detailed"]
        assert [entry for entry in catalog if not entry["builtin"]] == []
        assert list(node.plugin_directory.iterdir()) == []


@pytest.mark.parametrize("harm", ["stop", "kill", "pause"])
@pytest.mark.parametrize("which", ["active", "standby"])
def test_reset_brings_back(cluster: Cluster, which: str, harm: str) -> None:
    mount_external(cluster)
    node = cluster.active if which == "active" else cluster.standbys[0]
    getattr(node, harm)()
    # A process stops a moment after it was told to.
    cluster.until(lambda: node.role == "down", "the node is down")
    assert cluster.active is not node
    cluster.reset()
    assert node.role in {"active", "standby"}


def test_reset_unseals(cluster: Cluster) -> None:
    node = cluster.active
    node.call("PUT", "sys/seal")
    assert node.role == "sealed"
    cluster.reset()
    assert node.role in {"active", "standby"}


def test_step_down_makes_another_node_active(cluster: Cluster) -> None:
    before = cluster.active
    cluster.step_down()
    assert cluster.active is not before
    assert before.role == "standby"


def test_without_standby_reads_one_node_runs_plugins() -> None:
    with running_cluster(standby_reads=False) as cluster:
        mount_external(cluster)
        assert len({node.info("ext")["pid"] for node in cluster.nodes}) == 1


def test_a_balancer_takes_the_nodes_in_turn(cluster: Cluster) -> None:
    mount_external(cluster)
    with round_robin([node.url for node in cluster.nodes]) as url:
        answers = [
            requests.get(f"{url}/v1/ext/info", headers={"X-Vault-Token": cluster.token}, timeout=10)
            for _turn in range(6)
        ]
    pids = [answer.json()["data"]["pid"] for answer in answers]
    assert pids == [node.info("ext")["pid"] for node in cluster.nodes] * 2


def test_a_slow_way_to_a_node(cluster: Cluster) -> None:
    with delaying_proxy(cluster.nodes[0].url, 1) as url:
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{url}/v1/sys/health", timeout=0.3)
        assert requests.get(f"{url}/v1/sys/health", timeout=10).status_code in {200, 429}
