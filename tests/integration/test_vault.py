# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real Vault does otherwise than OpenBao, and what the modules make of it.

Where a fault is one of both products, its test runs on both.
"""

from __future__ import annotations

import os
import pathlib
import signal
import time
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible, Run
from ansible_collections.vaultops.vault.tests.support.cluster import Cluster
from ansible_collections.vaultops.vault.tests.support.external_plugin import (
    BuiltPlugin,
    build_plugin,
)
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.logins import userpass
from ansible_collections.vaultops.vault.tests.support.proxy import Proxy, counting_proxy
from ansible_collections.vaultops.vault.tests.support.server import (
    Server,
    free_port,
    running_server,
)

RELOAD = "vaultops.vault.plugin_reload"
UPGRADE = "vaultops.vault.plugin_upgrade"
POST = "POST sys/plugins/reload/backend"
OLD, NEW = "v1.0.0", "v1.1.0"

vault_only = pytest.mark.vault_only
openbao_only = pytest.mark.openbao_only
IGNORED = vault_only("Community ignores the header of a namespace")
ALL = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'


def reload(**options: t.Any) -> dict[str, t.Any]:
    """Return a task that reloads."""
    return {"name": "Reload", RELOAD: options}


def row(run: Run, path: str = "a/") -> dict[str, t.Any]:
    """Return the row of a mount."""
    return next(row for row in run.result["mounts"] if row["path"] == path)


def warnings(run: Run) -> str:
    """Return the warnings of the last task."""
    return " ".join(run.result.result.get("warnings", []))


def asked(proxy: Proxy, path: str) -> int:
    """Return how many health checks a mount had."""
    return proxy.seen.count(f"GET {path}?help=1")


class Stage(t.NamedTuple):
    """A server with the mount a, which runs the old version, and a proxy that counts requests."""

    server: Server
    plugin: BuiltPlugin
    ansible: Ansible
    proxy: Proxy

    def run(self, task: dict[str, t.Any], *options: str) -> Run:
        """Run a task, whose requests the proxy counts from now on."""
        self.proxy.seen.clear()
        return self.ansible.playbook(
            {**task, "environment": self.proxy.environment}, options=options
        )


@pytest.fixture
def stage(server: Server, external_plugin: ExternalPlugin, ansible: Ansible) -> t.Iterator[Stage]:
    """One mount that runs the old version."""
    plugin = external_plugin(OLD)
    server.mount("a", PLUGIN, version=OLD)
    with counting_proxy() as proxy:
        yield Stage(server, plugin, ansible, proxy)


@vault_only("its 403 for a file that may not be executed looks like the ACL's")
def test_a_dead_mount_is_not_current(stage: Stage) -> None:
    pid = stage.server.info("a")["pid"]
    stage.plugin.path.chmod(0o644)
    kill(pid)
    run = stage.run(reload(mounts="a", state="current"))
    assert run.result.failed
    assert run.result["verified"] is False
    assert "permission denied" in run.result.message
    assert "fix the plugin" in run.result.message


def kill(pid: int) -> None:
    """End a plugin's process, which this test's server started, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while pathlib.Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def wait_for_mounts(server: Server) -> None:
    """Wait until a server that was just unsealed answers for its mounts."""
    deadline = time.monotonic() + 20
    while not server.request("GET", "sys/mounts").ok and time.monotonic() < deadline:
        time.sleep(0.1)


@pytest.mark.parametrize("scope", ["local", "global"])
def test_check_mode_says_what_is_down(stage: Stage, scope: str) -> None:
    """The question of the night: it is answered without a change, and the diff is that answer."""
    pid = stage.server.info("a")["pid"]
    stage.plugin.fault("exit")
    kill(pid)
    check = stage.run(reload(mounts="a", state="current", scope=scope), "--check", "--diff")
    assert not check.result.failed, check.result.message
    assert (check.result["changed"], check.result["verified"]) == (True, False)
    assert row(check)["error"].startswith("does not answer: ")
    serves = f"a/ {PLUGIN} {OLD} {stage.plugin.sha256[:8]}\n"
    assert check.result["diff"] == {"before": f"a/ {PLUGIN} down\n", "after": serves}
    stage.plugin.heal()
    done = stage.run(reload(mounts="a", state="current", scope=scope), "--diff")
    # The check above may have made the server try: now the plugin starts for whoever asks.
    assert not done.result.failed, done.result.message
    assert stage.server.info("a")["pid"] != pid


def test_an_unknown_health_is_no_proof(stage: Stage) -> None:
    """The token may not read the path of the probe: nothing is known, and nothing is verified."""
    rules = "\n".join(
        f'path "{path}" {{ capabilities = ["read", "list"] }}'
        for path in ("sys/mounts", "sys/mounts/*", "sys/auth", "sys/plugins/*")
    )
    token = stage.server.new_token(rules)
    for check in ([], ["--check"]):
        run = stage.run(reload(mounts="a", state="current", probe="info", token=token), *check)
        assert not run.result.failed, run.result.message
        assert (run.result["changed"], run.result["verified"]) == (False, False)
        assert 'mount "a/" could not be verified: permission denied' in warnings(run)


@IGNORED
@pytest.mark.parametrize("module", ["plugin_reload", "plugin_info", "plugin_upgrade", "plugin"])
def test_a_namespace_that_is_ignored_is_refused(stage: Stage, module: str) -> None:
    options = {
        "plugin_reload": {"mounts": "a"},
        "plugin_info": {},
        "plugin_upgrade": {"plugin": PLUGIN, "version": OLD},
        "plugin": {"name": "x", "type": "secret", "state": "absent"},
    }[module]
    run = stage.run({f"vaultops.vault.{module}": {**options, "namespace": "team"}})
    assert run.result.failed
    assert 'the server ignores namespace "team"' in run.result.message
    assert stage.proxy.seen == ["GET sys/internal/ui/mounts"]


@openbao_only("namespaces are Enterprise's on Vault")
def test_a_namespace_that_a_proxy_drops_is_refused(stage: Stage) -> None:
    stage.server.call("POST", "sys/namespaces/team")
    options = {"plugin": PLUGIN, "namespace": "team"}
    assert "mounted nowhere" in warnings(stage.run(reload(**options)))
    stage.proxy.strips = ("X-Vault-Namespace",)
    run = stage.run(reload(**options))
    assert 'the server ignores namespace "team"' in run.result.message
    assert "drops the header X-Vault-Namespace" in run.result.message
    assert stage.proxy.seen == ["GET sys/internal/ui/mounts"]


@vault_only("it has no inline authentication")
def test_credentials_travel_only_as_the_server_understands_them(stage: Stage) -> None:
    user = userpass(stage.server)
    stage.proxy.seen.clear()
    # userpass() allows nothing of this policy: what counts is what was sent.
    run = stage.run(reload(mounts="a", verify=False, **user))
    assert stage.proxy.seen[0].startswith("GET sys/health")
    assert stage.proxy.seen[1] == "POST auth/userpass/login/bob"
    assert not stage.proxy.sent_headers("X-Vault-Inline-Auth")
    assert run.result.status in ("ok", "failed")
    run = stage.run(reload(mounts="a", auth_mode="inline", **user))
    assert "this server has no inline authentication" in run.result.message
    assert not stage.proxy.sent_headers("X-Vault-Inline-Auth")


def test_a_failed_reload_asks_the_mount_once_at_most(stage: Stage) -> None:
    """What OpenBao names as failed is down; what Vault names may serve: only the mount knows."""
    stage.plugin.fault("exit")
    run = stage.run(reload(mounts="a"))
    assert run.result.failed
    assert run.result["verified"] is False
    assert asked(stage.proxy, "a") == (1 if stage.server.product == "Vault" else 0)
    assert stage.proxy.seen.count(POST) == 1


class Broken(t.NamedTuple):
    """How a plugin's file is broken, and a part of what the server says of it."""

    breaks: t.Callable[[BuiltPlugin], object]
    told: str
    state: str = "reloaded"


BROKEN = {
    "exits": Broken(lambda plugin: plugin.fault("exit"), "cannot reload plugin"),
    "not executable": Broken(lambda plugin: plugin.path.chmod(0o644), "fork/exec"),
    "not executable, if needed": Broken(
        lambda plugin: plugin.path.chmod(0o644), "fork/exec", state="current"
    ),
    "replaced": Broken(lambda plugin: plugin.path.write_text("#!/bin/sh\n"), "checksums"),
    "gone": Broken(lambda plugin: plugin.path.unlink(), "no such file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_mount_that_a_failed_reload_leaves_down_is_named(stage: Stage, name: str) -> None:
    broken = BROKEN[name]
    pid = stage.server.info("a")["pid"]
    broken.breaks(stage.plugin)
    if broken.state == "current":
        kill(pid)
    run = stage.run(reload(mounts="a", state=broken.state), "--diff")
    assert run.result.failed
    assert (run.result["changed"], run.result["verified"]) == (True, False)
    assert not stage.server.request("GET", "a/info").ok
    assert broken.told in run.result.message
    assert "still serves" not in run.output
    assert row(run)["reloaded"] is False
    assert run.result["diff"]["after"] == f"a/ {PLUGIN} down\n"
    down = '; down: "a/"' if stage.server.product == "Vault" else "is down until a reload"
    assert down in run.result.message


@vault_only("it keeps the old version of a mount whose reload failed")
def test_a_failed_reload_says_what_serves(stage: Stage, external_plugin: ExternalPlugin) -> None:
    external_plugin(NEW).fault("exit")
    stage.server.tune_version("a", NEW)
    run = stage.run(reload(mounts="a"))
    assert run.result.failed
    assert "until a reload of it succeeds" not in run.result.message
    assert f"; still serves {OLD} " in run.result.message
    assert row(run)["after"]["version"] == OLD
    assert f"; the mount still serves {OLD} " in row(run)["error"]
    assert stage.server.info("a")["version"] == OLD

    run = stage.run(reload(plugin=PLUGIN))
    assert run.result.failed
    assert f"; unknown whether reloaded, serves {OLD} " in run.result.message
    assert run.result.message.count('"a/"') == 1
    assert stage.server.info("a")["version"] == OLD


@openbao_only("Vault keeps the old version")
def test_a_failed_reload_leaves_the_mount_down(stage: Stage) -> None:
    stage.plugin.fault("exit")
    run = stage.run(reload(mounts="a"))
    assert "down until a reload of it succeeds" in run.result.message


def test_a_rollback_says_what_was_restarted(stage: Stage, external_plugin: ExternalPlugin) -> None:
    external_plugin(NEW).fault("exit")
    before = stage.server.info("a")["pid"]
    run = stage.run({UPGRADE: {"plugin": PLUGIN, "version": NEW}})
    assert run.result.failed
    assert run.result["rolled_back"] is True
    info = stage.server.info("a")
    assert info["version"] == OLD
    assert info["pid"] != before
    assert row(run)["reloaded"] is True
    assert row(run)["error"] is None


@vault_only("OpenBao has no pins")
def test_a_rollback_never_starts_what_a_mount_did_not_run(
    stage: Stage, external_plugin: ExternalPlugin
) -> None:
    """A pin that moved since the last reload says what a rollback would start."""
    external_plugin(NEW)
    external_plugin("v1.2.0").fault("exit")
    pin = {"name": PLUGIN, "type": "secret", "version": NEW}
    assert not stage.run({"vaultops.vault.plugin_pin": pin}).result.failed
    pid = stage.server.info("a")["pid"]
    upgrade = {UPGRADE: {"plugin": PLUGIN, "version": "v1.2.0"}}
    refused = stage.run(upgrade).result
    assert refused.failed
    assert refused["changed"] is False
    assert f"could not be rolled back: it runs {OLD}, and its next start is to run {NEW}" in (
        refused.message
    )
    assert stage.server.info("a")["pid"] == pid
    # The pin was a mistake: what is asked for runs, and only the pin moves.
    back = stage.run({UPGRADE: {"plugin": PLUGIN, "version": OLD}})
    assert (back.result.failed, back.result["changed"]) == (False, True)
    assert row(back)["reloaded"] is False
    assert stage.server.info("a")["pid"] == pid
    assert not stage.run({"vaultops.vault.plugin_pin": pin}).result.failed
    assert not stage.run(reload(mounts="a")).result.failed
    failed = stage.run(upgrade).result
    assert failed["rolled_back"] is True
    assert stage.server.info("a")["version"] == NEW


@vault_only("OpenBao has no pins")
def test_a_mount_that_a_pin_took_down_moves(stage: Stage, external_plugin: ExternalPlugin) -> None:
    """It has nothing to lose, whatever a rollback would start."""
    external_plugin(NEW)
    external_plugin("v1.2.0").fault("exit")
    pin = {"name": PLUGIN, "type": "secret", "version": "v1.2.0"}
    assert not stage.run({"vaultops.vault.plugin_pin": pin}).result.failed
    stage.server.call("PUT", "sys/seal")
    stage.server.unseal()
    wait_for_mounts(stage.server)
    healed = stage.run({UPGRADE: {"plugin": PLUGIN, "version": NEW}}).result
    assert not healed.failed, healed.message
    assert stage.server.info("a")["version"] == NEW


@vault_only("OpenBao has no pins")
def test_a_pin_that_moves_is_shown_with_the_mounts_that_follow(
    stage: Stage, external_plugin: ExternalPlugin
) -> None:
    external_plugin(NEW)
    stage.server.mount("other", PLUGIN, version=OLD)
    upgrade = {UPGRADE: {"plugin": PLUGIN, "version": NEW, "pin": True, "mounts": ["a"]}}
    for mode in (["--check"], []):
        run = stage.run(upgrade, "--diff", *mode)
        assert run.result["changed"] is True
        assert run.result["diff"]["before"].startswith(f"a/ {PLUGIN} {OLD}")
        assert run.result["diff"]["after"].startswith(
            f"secret {PLUGIN} pinned to {NEW}\na/ {PLUGIN} {NEW}"
        )
        assert f'"other/" runs {NEW} after the next start, too' in warnings(run)
    again = stage.run(upgrade, "--diff")
    assert again.result["changed"] is False
    assert again.result["diff"]["before"] == again.result["diff"]["after"]
    assert "after the next start" not in warnings(again)


def test_plugin_type_database_is_not_about_secrets(stage: Stage) -> None:
    run = stage.run(reload(plugin=PLUGIN, plugin_type="database"))
    # OpenBao has no reload by type; Vault knows no database plugin of that name.
    assert run.result.result.get("mounts", []) == []
    assert "a/" not in run.result.message


def test_a_probe_that_the_plugin_does_not_have(stage: Stage) -> None:
    run = stage.run(reload(mounts="a", probe="nothere"))
    assert run.result.failed
    assert (run.result["changed"], run.result["verified"]) == (True, False)
    assert '1 of 1 mounts answer, but not the probe: "a/": ' in run.result.message
    assert "down" not in run.result.message
    assert row(run)["reloaded"] is True
    assert row(run)["error"].startswith("answers, but not the probe: ")
    # What was left alone is not verified either, in any mode.
    for check in ([], ["--check"]):
        run = stage.run(reload(mounts="a", probe="nothere", state="current"), *check)
        assert not run.result.failed, run.result.message
        assert (run.result["changed"], run.result["verified"]) == (False, False)
        assert 'mount "a/" answers, but not the probe: ' in warnings(run)
    run = stage.run(reload(mounts="a", probe="nothere", state="current", scope="global"))
    assert (run.result["changed"], run.result["verified"]) == (False, False)


def test_siblings_that_go_down_too_are_named(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    plugin = external_plugin(OLD, multiplexed=True)
    for path in ("a", "b"):
        server.mount(path, PLUGIN, version=OLD)
    plugin.path.chmod(0o644)
    run = ansible.playbook(reload(mounts="a"))
    assert run.result.failed
    serves_b = server.request("GET", "b/info").ok
    named = 'down too, with the same plugin: "b/"' in run.result.message
    assert named is not serves_b


def test_many_dead_mounts_are_asked_once_each(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    plugin = external_plugin(OLD)
    paths = [f"m{number}" for number in range(6)]
    for path in paths:
        server.mount(path, PLUGIN, version=OLD)
    pids = [server.info(path)["pid"] for path in paths]
    plugin.fault("exit")
    for pid in pids:
        kill(pid)
    with counting_proxy() as proxy:
        task = {**reload(plugin=PLUGIN, state="current"), "environment": proxy.environment}
        run = ansible.playbook(task, options=["--check"])
    assert run.result["changed"] is True
    assert [asked(proxy, path) for path in paths] == [1] * len(paths)


HIDES = "redact_version = true\nredact_addresses = true\nredact_cluster_name = true"


@vault_only("OpenBao's listeners hide nothing")
def test_a_listener_that_hides_the_version(tmp_path: pathlib.Path) -> None:
    """The product shows all the same, and with it what it does not have."""
    port = free_port()
    lines = f'address = "127.0.0.1:{port}"\ntls_disable = true\n{HIDES}'
    with running_server(configuration=f'listener "tcp" {{\n{lines}\n}}\n') as server:
        server.url = f"http://127.0.0.1:{port}"
        server.register(PLUGIN, build_plugin(server.plugin_directory / "ext", version=OLD))
        server.mount("a", PLUGIN, version=OLD)
        user = userpass(server)
        server.call("PUT", "sys/policies/acl/logins", {"policy": ALL})
        ansible = Ansible(tmp_path, server)
        with counting_proxy() as proxy:
            task = {**reload(mounts="a", scope="global", **user), "environment": proxy.environment}
            run = ansible.playbook(task)
        assert not run.result.failed, run.result.message
        assert run.result["verified"] is True
        assert [node["ok"] for node in run.result["nodes"]] == [True]
        assert not proxy.sent_headers("X-Vault-Inline-Auth")
        run = ansible.playbook(reload(mounts="a", namespace="team"))
        assert 'the server ignores namespace "team"' in run.result.message


@pytest.mark.slow
@vault_only("its standbys run no plugins")
def test_only_the_active_node_runs_plugins(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    plugin = cluster.plugin(OLD)
    cluster.mount("a", PLUGIN, version=OLD)
    before = {node.info("a")["pid"] for node in cluster.nodes}
    assert len(before) == 1  # the standbys forward
    for standby in cluster.standbys:
        standby.here(plugin).path.unlink()
    run = Ansible(tmp_path, cluster.standbys[0]).playbook(reload(mounts="a", scope="global"))
    assert not run.result.failed, run.result.message
    assert (run.result["changed"], run.result["verified"]) == (True, True)
    (node,) = run.result["nodes"]
    assert (node["role"], node["ok"]) == ("active", True)
    assert before.isdisjoint({node.info("a")["pid"] for node in cluster.nodes})


@pytest.mark.slow
@vault_only("its standbys redirect to the dead leader for seconds")
def test_a_redirect_to_a_dead_leader_does_not_stick(
    session_cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    """Its reads are sent again; a reload itself would not be, when it is redirected there."""
    session_cluster.reset()
    leader, standby = session_cluster.active, session_cluster.standbys[0]
    session_cluster.mount("k", "kv")
    leader.kill()
    run = Ansible(tmp_path, standby).playbook(reload(mounts="k", retries=12))
    assert not run.result.failed, run.result.message
    assert (run.result["changed"], run.result["verified"]) == (True, True)
    session_cluster.reset()
