# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job, on a real server: a reload starts the version that the mount is configured for."""

from __future__ import annotations

import json
import pathlib
import time
import typing as t

import pytest
import yaml

from ansible_collections.vaultops.vault.plugins.modules import plugin_reload
from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible
from ansible_collections.vaultops.vault.tests.support.external_plugin import Kind, build_plugin
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.server import Server, running_server

MODULE = "vaultops.vault.plugin_reload"


def reload(**arguments: t.Any) -> dict[str, t.Any]:
    """Return a task of the module under test."""
    return {"name": "Reload", MODULE: arguments}


def pids(server: Server, *paths: str, namespace: str = "") -> list[int]:
    """Return the process that answers behind each mount."""
    return [server.info(path, namespace=namespace)["pid"] for path in paths]


def test_a_reload_starts_the_configured_version(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin(version="v1.0.0")
    server.mount("ext", PLUGIN)
    before = server.info("ext")
    external_plugin(version="v1.1.0")
    server.tune_version("ext", "v1.1.0")
    assert server.info("ext")["pid"] == before["pid"]

    run = ansible.playbook(reload(plugin=PLUGIN))

    after = server.info("ext")
    assert run.returncode == 0
    assert (before["version"], after["version"]) == ("v1.0.0", "v1.1.0")
    assert after["pid"] != before["pid"]
    assert run.result["changed"] is True
    assert run.result["scope"] == "local"
    assert len(run.result["reload_id"]) == 36


def test_by_plugin_all_its_mounts_are_reloaded(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin()
    external_plugin(name="other")
    for path, plugin in (("a", PLUGIN), ("b", PLUGIN), ("c", "other")):
        server.mount(path, plugin)
    before = pids(server, "a", "b", "c")
    run = ansible.adhoc(MODULE, f"plugin={PLUGIN}")
    after = pids(server, "a", "b", "c")
    assert run.result["changed"] is True
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, False, True]


@pytest.mark.parametrize(
    ("mounts", "reloaded", "multiplexed"),
    [
        (["a"], ["a"], False),
        ("a", ["a"], True),
        (["/a/", "a", "sys/auth/c"], ["a", "auth/c"], False),
        ("a/, auth/c/", ["a", "auth/c"], True),
    ],
    ids=str,
)
def test_by_mounts_only_the_named_ones_are_reloaded(
    server: Server,
    external_plugin: ExternalPlugin,
    ansible: Ansible,
    mounts: str | list[str],
    reloaded: list[str],
    multiplexed: bool,
) -> None:
    external_plugin(multiplexed=multiplexed)
    external_plugin(name="other")
    external_plugin(name="login", kind="auth", multiplexed=multiplexed)
    server.mount("a", PLUGIN)
    server.mount("b", "other")
    server.mount("c", "login", kind="auth")
    paths = ["a", "b", "auth/c"]
    before = dict(zip(paths, pids(server, *paths), strict=True))

    run = ansible.playbook(reload(mounts=mounts))

    after = dict(zip(paths, pids(server, *paths), strict=True))
    assert run.result["changed"] is True
    assert [path for path in paths if after[path] != before[path]] == reloaded


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_only_the_namespace_asked_for_is_reloaded(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin()
    server.call("POST", "sys/namespaces/team-a")
    server.mount("ext", PLUGIN)
    server.mount("ext", PLUGIN, namespace="team-a")
    root, team = pids(server, "ext"), pids(server, "ext", namespace="team-a")
    run = ansible.adhoc(MODULE, f"plugin={PLUGIN} namespace=/team-a/")
    assert run.result["changed"] is True
    assert pids(server, "ext") == root
    assert pids(server, "ext", namespace="team-a") != team
    run = ansible.adhoc(MODULE, "mounts=ext namespace=''", VAULT_NAMESPACE="team-a")
    assert run.result["changed"] is True
    assert pids(server, "ext") != root


def test_scope_global_is_passed_on(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin()
    server.mount("ext", PLUGIN)
    before = pids(server, "ext")
    run = ansible.adhoc(MODULE, f"plugin={PLUGIN} scope=global")
    assert (run.result["changed"], run.result["scope"]) == (True, "global")
    assert pids(server, "ext") != before


def test_check_mode_sends_nothing(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin()
    server.mount("ext", PLUGIN)
    before = pids(server, "ext")
    run = ansible.playbook(reload(plugin=PLUGIN), options=["--check", "--diff"])
    assert (run.result["changed"], run.result["reload_id"]) == (True, None)
    assert pids(server, "ext") == before


def test_a_short_timeout_does_not_kill_a_plugin_that_starts_slowly(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    plugin = external_plugin()
    for path in ("a", "b"):
        server.mount(path, PLUGIN)
    before = pids(server, "a", "b")
    plugin.fault("sleep 0.8")
    started = time.monotonic()
    run = ansible.adhoc(MODULE, "mounts=a,b timeout=500ms")
    assert time.monotonic() - started > 0.8  # the wait was longer than the timeout
    assert run.result["changed"] is True
    assert not set(pids(server, "a", "b")) & set(before)


@pytest.mark.slow
def test_more_mounts_than_the_server_takes_in_a_list(server: Server, ansible: Ansible) -> None:
    paths = [f"kv-{number}/" for number in range(1005)]
    for path in paths:
        server.mount(path.rstrip("/"), "kv")
    server.mount("with,comma", "kv")

    assert ansible.playbook(reload(mounts=paths)).result["changed"] is True
    assert ansible.playbook(reload(mounts=[*paths, "with,comma"])).result["changed"] is True

    run = ansible.playbook(reload(mounts=[*paths, "nope"], verify=False))
    assert run.result.failed
    assert (
        'cannot reload 1 of 1006 mounts: cannot fetch mount entry on "nope/"' in run.result.message
    )
    assert run.result["changed"] is True


def test_module_defaults_of_the_action_group(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin()
    server.mount("ext", PLUGIN)
    before = pids(server, "ext")
    block = {
        "module_defaults": {
            "group/vaultops.vault.vault": {"url": server.url, "token": server.token}
        },
        "block": [reload(plugin=PLUGIN)],
    }
    run = ansible.playbook(block, BAO_ADDR="", BAO_TOKEN="")
    assert run.result["changed"] is True
    assert pids(server, "ext") != before


@pytest.mark.parametrize(
    "source",
    ["option", *(pytest.param(way, marks=pytest.mark.each_core) for way in ("variable", "file"))],
)
def test_the_token_is_never_shown(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, source: str
) -> None:
    external_plugin()
    server.mount("ext", PLUGIN)
    option = {"token": "{{ canary }}"} if source == "option" else {}
    variable = server.token if source == "variable" else ""
    if source == "file":
        ansible.environment()
        (ansible.directory / "home" / ".vault-token").write_text(server.token + "\n")
    extra = ansible.directory / "canary.json"
    extra.write_text(json.dumps({"canary": server.token}))
    run = ansible.playbook(
        reload(plugin=PLUGIN, **option),
        reload(plugin="nope", **option),
        options=["-vvvv", "--diff", "-e", f"@{extra}"],
        BAO_TOKEN=variable,
    )
    assert [task.failed for task in run.tasks] == [False, True]
    assert server.token not in run.output
    assert server.token not in str(run.tasks)


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_every_example_of_the_documentation_runs(tmp_path: pathlib.Path) -> None:
    kinds: dict[str, Kind] = {"my-plugin": "secret", "my-login": "auth"}
    with running_server(tls=True) as server:
        for name, kind in kinds.items():
            server.register(name, build_plugin(server.plugin_directory / name, kind=kind))
        server.call("POST", "sys/namespaces/team-a")
        server.mount("my-secrets", "my-plugin")
        server.mount("my-login", "my-login", kind="auth")
        server.mount("team-secrets", "my-plugin", namespace="team-a")
        text = plugin_reload.EXAMPLES.replace("https://vault.example.com:8200", server.url)
        tasks = yaml.safe_load(text)
        extra = ["-e", f"vault_token={server.token}"]
        run = Ansible(tmp_path, server).playbook(*tasks, options=extra, BAO_ADDR="", BAO_TOKEN="")
    assert run.returncode == 0, run.output
    assert len(run.tasks) == len(tasks)
    for task, ran in zip(tasks, run.tasks, strict=True):
        assert ran["changed"] is ("current" not in str(task))
