# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task makes of a network that misbehaves in front of a real server."""

from __future__ import annotations

import pathlib
import time
import typing as t

import pytest
import trustme

from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible
from ansible_collections.vaultops.vault.tests.support.cluster import Cluster
from ansible_collections.vaultops.vault.tests.support.external_plugin import build_plugin
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.handwritten import Answer, handwritten_server
from ansible_collections.vaultops.vault.tests.support.http_servers import tls_side
from ansible_collections.vaultops.vault.tests.support.proxy import (
    Proxy,
    plain_front,
    standby_front,
    tls_front,
)
from ansible_collections.vaultops.vault.tests.support.server import Server

RELOAD = "vaultops.vault.plugin_reload"
UNKNOWN = "the outcome of the reload is unknown"


def writes(front: Proxy) -> list[str]:
    """Return the requests that could change something, without those that list."""
    return [line for line in front.posts if not line.startswith("LIST ")]


@pytest.mark.parametrize("verify", [True, False])
def test_a_reload_whose_forward_broke_is_not_sent_to_the_leader(
    server: Server, ansible: Ansible, external_plugin: ExternalPlugin, verify: bool
) -> None:
    external_plugin()
    server.mount("ext", PLUGIN)
    old = server.info("ext")["pid"]
    with (
        plain_front(server.url) as leader,
        standby_front(leader.url, forwards=True) as standby,
    ):
        task = {"mounts": "ext", "url": standby.url, "retries": 2, "verify": verify}
        run = ansible.playbook({RELOAD: task})
    assert writes(leader) == ["POST sys/plugins/reload/backend"]
    assert server.info("ext")["pid"] != old
    assert run.result.failed
    assert UNKNOWN in run.result.message
    assert f"redirects to {leader.url}" in run.result.message
    assert "may have been forwarded before" in run.result.message
    assert "nothing was reloaded" not in run.result.message
    # The look that follows goes to the leader at once.
    assert standby.seen[-1] == leader.posts[-1] or not verify


def test_a_registration_whose_forward_broke_is_sent_once(server: Server, ansible: Ansible) -> None:
    plugin = build_plugin(server.plugin_directory / PLUGIN)
    with (
        plain_front(server.url) as leader,
        standby_front(leader.url, forwards=True) as standby,
    ):
        arguments = f"name={PLUGIN} type=secret sha256={plugin.sha256} command={PLUGIN}"
        ansible.adhoc("vaultops.vault.plugin", f"{arguments} url={standby.url}")
    assert len(writes(leader)) == 1


@pytest.mark.parametrize("verify", [True, False])
def test_a_standby_that_forwards_nothing_is_followed(
    server: Server, ansible: Ansible, verify: bool
) -> None:
    with (
        plain_front(server.url) as leader,
        standby_front(leader.url, forwards=False) as standby,
    ):
        task = {"plugin": "kv", "url": standby.url, "verify": verify}
        run = ansible.playbook({RELOAD: task})
    assert run.result["changed"] is True, run.output
    assert writes(leader) == ["POST sys/plugins/reload/backend"]
    # What it read first told it where the leader is.
    assert len(writes(standby)) == (0 if verify else 1)


@pytest.mark.slow
@pytest.mark.vault_only("a standby of OpenBao runs plugins, and reloads itself")
def test_a_real_standby_redirects_what_it_forwarded(
    cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    """The leader stops with the request in its queue, and another is elected."""
    leader, standby = cluster.active, cluster.standbys[0]
    leader.call("POST", "sys/mounts/k", {"type": "kv"})
    with plain_front(standby.url) as front:
        # Not before Ansible starts, which may take as long as the election.
        front.before["POST sys/plugins/reload/backend"] = leader.pause
        try:
            task = {"plugin": "kv", "url": front.url, "verify": False, "retries": 2}
            run = Ansible(tmp_path, standby).playbook({RELOAD: task})
        finally:
            leader.resume()
    assert run.result.failed
    assert UNKNOWN in run.result.message
    assert "may have been forwarded before" in run.result.message


@pytest.mark.slow
@pytest.mark.openbao_only("of Vault only the active node runs plugins, and url leads there")
@pytest.mark.parametrize("given", [False, True])
def test_nodes_that_advertise_http_behind_https(
    cluster: Cluster, tmp_path: pathlib.Path, given: bool
) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    with tls_front(cluster.active.url, tls_side(ca)) as front:
        task: dict[str, t.Any] = {
            "plugin": "kv",
            "scope": "global",
            "url": front.url,
            "ca_cert": str(tmp_path / "ca.pem"),
            "wait_timeout": "10s",
        }
        if given:
            task["nodes"] = [node.url for node in cluster.nodes]
        run = Ansible(tmp_path, cluster.active).playbook({RELOAD: task})
    told = [row["error"] or "" for row in run.result["nodes"]]
    if given:
        assert not run.result.failed, run.output
        assert told == [""] * 3
    else:
        assert run.result.failed
        assert "is not encrypted, so it was not asked" in run.result.message
        assert "set api_addr of that node to an https:// address" in run.result.message
        assert all("is not encrypted" in error for error in told)


def test_mocked_answers_without_an_end(tmp_path: pathlib.Path) -> None:
    """A write whose answer is too large, or never ends, may have been done."""
    post = "POST /v1/sys/plugins/reload/backend"
    large = Answer(200, '{"data": {}}' + " " * 34_000_000)
    with handwritten_server({post: large}) as server:
        since = time.monotonic()
        run = Ansible(tmp_path).adhoc(
            RELOAD,
            f"plugin=kv verify=false url={server.url}",
            BAO_TOKEN="a-token-of-the-tests",
            BAO_MAX_RETRIES="2",
        )
    assert f"{UNKNOWN}: the answer is larger than 32 MB" in run.result.message
    assert len(server.seen) == 1
    assert time.monotonic() - since < 60
