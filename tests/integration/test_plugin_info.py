# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is registered, configured and running, side by side."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import typing as t

import pytest
import yaml

from ansible_collections.vaultops.vault.plugins.modules import plugin_info
from ansible_collections.vaultops.vault.tests.support.ansible_runs import (
    REPOSITORY,
    Ansible,
    TaskResult,
)
from ansible_collections.vaultops.vault.tests.support.external_plugin import build_plugin
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.handwritten import Answer, handwritten_server
from ansible_collections.vaultops.vault.tests.support.proxy import by_rounds, counting_proxy
from ansible_collections.vaultops.vault.tests.support.server import Server, running_server

MODULE = "vaultops.vault.plugin_info"
RELOAD = "vaultops.vault.plugin_reload"
FRONTS = {"in process": True, "as a module": False}
LISTS = ["GET sys/plugins/catalog", "GET sys/mounts", "GET sys/auth"]

Options = dict[str, t.Any]


def names(result: TaskResult) -> list[str]:
    """Return the plugins of a result as type/name."""
    assert result["changed"] is False
    return [f"{row['type']}/{row['name']}" for row in result["plugins"]]


def current(result: TaskResult) -> dict[str, bool | None]:
    """Return what a result says of each mount."""
    rows = [row for plugin in result["plugins"] for row in plugin["mounts"] or []]
    return {row["path"]: row["current"] for row in rows}


def test_a_mount_that_waits_for_its_reload(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    old = external_plugin("v1.0.0")
    server.mount("ext", PLUGIN)
    new = external_plugin("v1.1.0")
    server.mount("new", PLUGIN)
    server.tune_version("ext", "v1.1.0")
    cases = ansible.cases(
        {
            "before": {MODULE: {}},
            "reload": {RELOAD: {"plugin": PLUGIN, "state": "current"}},
            "after": {MODULE: {}, "check_mode": True},
        }
    )
    before, after = cases.results["before"], cases.results["after"]
    one = {"version": "v1.0.0", "sha256": old.sha256}
    two = {"version": "v1.1.0", "sha256": new.sha256}
    (plugin,) = before["plugins"]
    mounts = {row.pop("path"): row for row in plugin.pop("mounts")}
    assert plugin == {
        "type": "secret",
        "name": PLUGIN,
        "versions": [{**one, "builtin": False}, {**two, "builtin": False}],
        "pin": None,
    }
    assert mounts["ext/"].pop("accessor").startswith("ext_")
    assert mounts["ext/"] == {
        "configured": two,
        "expected": two,
        "running": one,
        "current": False,
    }
    assert mounts["new/"]["current"] is True
    assert before["summary"] == [
        "ext secret v1.0.0: no mounts",
        "ext secret v1.1.0: 2 mounts, 1 not current (ext/ runs v1.0.0)",
    ]
    assert current(after) == {"ext/": True, "new/": True}
    assert after["summary"] == ["ext secret v1.0.0: no mounts", "ext secret v1.1.0: 2 mounts"]
    assert "WARNING" not in cases.run.output


CHOICES: dict[str, tuple[Options, list[str], list[str]]] = {
    "all": ({}, ["auth/login", "database/mine", "secret/ext", "secret/kv"], LISTS),
    "name": ({"name": "ext"}, ["secret/ext"], LISTS),
    "builtin by name": ({"name": "transit"}, ["secret/transit"], LISTS),
    "type": ({"type": "auth"}, ["auth/login"], [LISTS[0], LISTS[2]]),
    "database": ({"type": "database"}, ["database/mine"], LISTS[:1]),
    "name and type": ({"name": "login", "type": "secret"}, [], LISTS[:2]),
    "mounts": ({"mounts": ["/ext", "sys/auth/login"]}, ["auth/login", "secret/ext"], LISTS),
    "mounts as text": ({"mounts": "ext/, secret"}, ["secret/ext", "secret/kv"], LISTS[:2]),
    "mounts and name": ({"mounts": "ext,secret", "name": "ext"}, ["secret/ext"], LISTS[:2]),
    "builtin mount": ({"mounts": "transit"}, ["secret/transit"], LISTS[:2]),
    "nobody": ({"name": "exd"}, [], LISTS),
    "no mount": ({"mounts": "exd"}, [], LISTS[:2]),
    "part of the server": ({"mounts": "sys"}, [], LISTS[:2]),
}
MISSES = {
    "name and type": 'no plugin "login" of this kind is registered or mounted here',
    "nobody": 'no plugin "exd" of this kind is registered or mounted here (did you mean "ext"?)',
    "no mount": 'there is no mount "exd/" (did you mean "ext/"?)',
    "part of the server": 'mount "sys/" is a part of the server itself, with no plugin',
}


@pytest.mark.slow
@pytest.mark.openbao_only("Vault has two more requests, for pins and runtimes")
def test_what_is_chosen(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    built = external_plugin()
    external_plugin(name="login", kind="auth")
    for kind, name in (("database", "mine"), ("secret", "kv")):
        body = {"command": built.path.name, "sha256": built.sha256, "version": "v1.0.0"}
        server.call("POST", f"sys/plugins/catalog/{kind}/{name}", body)
    server.mount("ext", PLUGIN)
    server.mount("other", PLUGIN)
    server.mount("login", "login", kind="auth")
    server.mount("transit", "transit")
    with contextlib.ExitStack() as stack:
        proxies = {name: stack.enter_context(counting_proxy()) for name in CHOICES}
        tasks = {
            name: {MODULE: options, "environment": proxies[name].environment}
            for name, (options, _names, _requests) in CHOICES.items()
        }
        results = ansible.cases({**tasks, "builtin": {MODULE: {"builtin": True}}}).results
    for name, (_options, expected, requests) in CHOICES.items():
        with subtests.test(name):
            assert by_rounds(proxies[name].seen) == by_rounds(requests)
            assert names(results[name]) == expected
            miss = [MISSES[name]] if name in MISSES else []
            assert results[name].result.get("warnings", []) == miss
    assert current(results["mounts"]) == {"ext/": True, "auth/login/": True}
    everything = names(results["builtin"])
    assert {"secret/transit", "auth/approle", "secret/ext"} < set(everything)
    assert "secret/system" not in everything


@pytest.mark.each_core
def test_both_fronts_tell_the_same(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    external_plugin("v1.0.0")
    server.mount("ext", PLUGIN)
    scenarios: dict[str, dict[str, t.Any]] = {
        "all": {MODULE: {}},
        "check mode and diff": {MODULE: {}, "check_mode": True, "diff": True},
        "misses": {MODULE: {"mounts": "exd"}},
        "wrong type": {MODULE: {"type": "kms"}},
        "wrong name": {MODULE: {"name": "a/b"}},
        "no mount": {MODULE: {"mounts": "/"}},
        "wrong token": {MODULE: {"token": "not-this-token"}},
    }
    cases = ansible.cases(
        {
            f"{name} | {front}": {**scenario, "vars": {"vaultops_in_process": in_process}}
            for name, scenario in scenarios.items()
            for front, in_process in FRONTS.items()
        }
    )
    for name in scenarios:
        with subtests.test(name):
            both = [cases.results[f"{name} | {front}"] for front in FRONTS]
            shown = [
                (each.status, {k: v for k, v in each.result.items() if k != "exception"})
                for each in both
            ]
            assert shown[0] == shown[1]


@pytest.mark.slow
def test_what_reload_calls_current_is_what_is_told(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin("v1.0.0")
    external_plugin(name="built-again")
    external_plugin(name="killed")
    for path, plugin in (("moved", PLUGIN), ("same", PLUGIN)):
        server.mount(path, plugin)
    for plugin in ("built-again", "killed"):
        server.mount(plugin, plugin)
    external_plugin("v1.1.0")
    server.tune_version("moved", "v1.1.0")
    external_plugin(name="built-again")
    paths = ["moved", "same", "built-again", "killed", "secret"]
    cases = ansible.cases(
        {
            "info": {MODULE: {"mounts": paths}},
            "reload": {RELOAD: {"mounts": paths, "state": "current"}, "check_mode": True},
        }
    )
    reloads = {row["path"]: row["reloaded"] for row in cases.results["reload"]["mounts"]}
    assert current(cases.results["info"]) == {path: not due for path, due in reloads.items()}
    assert [path for path, due in reloads.items() if due] == ["moved/", "built-again/"]


@pytest.mark.slow
def test_a_mount_whose_plugin_is_no_longer_registered(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin("v1.0.0")
    server.mount("ext", PLUGIN)
    server.call("DELETE", f"sys/plugins/catalog/secret/{PLUGIN}?version=v1.0.0")
    result = ansible.cases({"info": {MODULE: {}}}).results["info"]
    (plugin,) = result["plugins"]
    assert plugin["versions"] == []
    (mount,) = plugin["mounts"]
    assert mount["configured"] == {"version": "v1.0.0", "sha256": None}
    assert (mount["expected"], mount["current"]) == (None, False)
    assert result["summary"] == [
        "ext secret v1.0.0, not registered: 1 mount, 1 not current (ext/ runs v1.0.0)"
    ]


@pytest.mark.slow
@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_in_a_namespace(server: Server, external_plugin: ExternalPlugin, ansible: Ansible) -> None:
    external_plugin("v1.0.0")
    server.call("POST", "sys/namespaces/team")
    server.mount("ext", PLUGIN)
    server.mount("theirs", PLUGIN, namespace="team")
    result = ansible.cases({"info": {MODULE: {"namespace": "team"}}}).results["info"]
    assert names(result) == ["secret/ext"]
    assert current(result) == {"theirs/": True}


def read(*paths: str) -> str:
    """Return a policy that may read just these paths."""
    return "\n".join(f'path "{path}" {{ capabilities = ["read"] }}' for path in paths)


LOOKING_POLICIES = (
    "plugin_info",
    "plugin_reload-verified",
    "plugin_reload-probe",
    "plugin_reload-cluster",
    "plugin_upgrade",
    "plugin_rollout",
)


def test_who_may_reload_may_look(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    """The guides look first, with the policy of what comes next."""
    external_plugin("v1.0.0")
    server.mount("ext", PLUGIN)
    folder = REPOSITORY / "docs" / "policies"
    tasks: dict[str, dict[str, t.Any]] = {}
    for name in LOOKING_POLICIES:
        token = server.new_token((folder / f"{name}.hcl").read_text(encoding="utf-8"))
        tasks[name] = {MODULE: {"token": token, "health": True}}
    for name, result in ansible.cases(tasks).results.items():
        with subtests.test(name):
            assert result.result.get("warnings", []) == []
            assert current(result) == {"ext/": True}


@pytest.mark.slow
@pytest.mark.openbao_only("Vault has pins and runtimes too, in test_handwritten_vault.py")
def test_a_token_that_may_read_a_part(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin("v1.0.0")
    external_plugin(name="login", kind="auth")
    server.mount("ext", PLUGIN)
    server.mount("login", "login", kind="auth")
    documented = (REPOSITORY / "docs" / "policies" / "plugin_info.hcl").read_text(encoding="utf-8")
    catalog, mounts, auth = (line.removeprefix("GET ") for line in LISTS)
    policies = {
        "documented": documented,
        "no catalog": read(mounts, auth),
        "no mounts": read(catalog, auth),
        "catalog only": read(catalog),
        "nothing": read("sys/x"),
    }
    tokens = {name: server.new_token(policy) for name, policy in policies.items()}
    tasks: dict[str, dict[str, t.Any]] = {
        name: {MODULE: {"token": token}} for name, token in tokens.items()
    }
    tasks["a mount, no mounts"] = {MODULE: {"token": tokens["no mounts"], "mounts": "ext"}}
    tasks["a mount, no catalog"] = {MODULE: {"token": tokens["no catalog"], "mounts": "ext"}}
    results = ansible.cases(tasks).results

    def rows(name: str) -> dict[str, t.Any]:
        return {row["name"]: row for row in results[name]["plugins"]}

    assert results["documented"].result.get("warnings", []) == []
    assert current(results["documented"]) == {"ext/": True, "auth/login/": True}

    assert rows("no catalog")["ext"]["versions"] is None
    (mount,) = rows("no catalog")["ext"]["mounts"]
    assert mount["configured"] == {"version": "v1.0.0", "sha256": None}
    assert (mount["expected"], mount["current"]) == (None, None)
    assert results["no catalog"]["summary"] == [
        f"login auth: 1 mount (auth/login/ runs {short(rows('no catalog')['login'])})",
        "ext secret: 1 mount (ext/ runs v1.0.0)",
    ]

    assert rows("no mounts")["ext"]["mounts"] is None
    assert [row["path"] for row in rows("no mounts")["login"]["mounts"]] == ["auth/login/"]
    assert results["no mounts"]["summary"] == [
        "login auth without version: 1 mount",
        "ext secret v1.0.0",
    ]
    assert len(results["catalog only"]["warnings"]) == 2
    for name in ("no catalog", "no mounts"):
        (warning,) = results[name]["warnings"]
        assert "permission denied: 403 from GET" in warning
    for name in ("nothing", "a mount, no mounts"):
        assert results[name].failed
        assert "permission denied (403 from GET" in results[name].message
    assert current(results["a mount, no catalog"]) == {"ext/": None}


def short(row: dict[str, t.Any]) -> str:
    """Return the first digits of what the only mount of a plugin runs."""
    return str(row["mounts"][0]["running"]["sha256"][:8])


@pytest.mark.each_core
def test_every_example_of_the_documentation_runs(tmp_path: pathlib.Path) -> None:
    with running_server(tls=True) as server:
        built = build_plugin(server.plugin_directory / "my-plugin")
        server.register("my-plugin", built)
        server.mount("my-secrets", "my-plugin")
        text = plugin_info.EXAMPLES.replace("https://vault.example.com:8200", server.url)
        tasks = yaml.safe_load(text)
        extra = ["-e", f"vault_token={server.token}"]
        run = Ansible(tmp_path, server).playbook(*tasks, options=extra, BAO_ADDR="", BAO_TOKEN="")
    assert run.returncode == 0, run.output
    assert len(run.tasks) == len(tasks)
    assert run.tasks[1]["plugins.summary"] == ["my-plugin secret without version: 1 mount"]


BUILTIN = "v1.20.0+builtin.vault"
OLD, NEW = "a" * 64, "b" * 64
# The rows are those of plugin_info.json in tests/recorded.  vault/logical_system_paths.go of 1.15
# has no sys/plugins/pins; unknown_api_paths.json there has what is answered to such a path.
UNKNOWN_PATH = Answer(404, {"errors": ["1 error occurred:\n\t* unsupported path\n\n"]})
VAULT = {
    "GET /v1/sys/plugins/pins": UNKNOWN_PATH,
    "GET /v1/sys/plugins/runtimes/catalog": UNKNOWN_PATH,
    "GET /v1/sys/plugins/catalog": Answer(
        200,
        {
            "data": {
                "detailed": [
                    {"type": "secret", "name": "ext", "version": "v1.0.0", "sha256": OLD},
                    {"type": "secret", "name": "ext", "version": "v2.0.0", "sha256": NEW},
                    {"type": "secret", "name": "kv", "version": BUILTIN, "builtin": True},
                ]
            }
        },
    ),
    "GET /v1/sys/mounts": Answer(
        200,
        {
            "data": {
                "sys/": {"type": "system", "accessor": "system_12345678"},
                "ext/": {
                    "type": "ext",
                    "accessor": "ext_12345678",
                    "plugin_version": "v1.0.0",
                    "running_plugin_version": "v1.0.0",
                    "running_sha256": OLD,
                },
            }
        },
    ),
    "GET /v1/sys/auth": Answer(
        200, {"data": {"token/": {"type": "token", "accessor": "auth_token_12345678"}}}
    ),
}


def test_handwritten_vault_before_1_16_has_no_pins(tmp_path: pathlib.Path) -> None:
    """Where there are pins, or they are hidden, is recorded: plugin_info, tokens_that_may_less."""
    with handwritten_server(VAULT) as server:
        cases = Ansible(tmp_path).cases(
            {"before": {MODULE: {"url": server.url}}}, VAULT_TOKEN="a-token-of-the-tests"
        )
    result = cases.results["before"]
    (plugin,) = result["plugins"]
    assert plugin["pin"] is None
    assert current(result) == {"ext/": True}
    assert not result.result.get("warnings")
    assert result["runtimes"] == []
    assert len(server.seen) == 5


def test_what_is_down(server: Server, external_plugin: ExternalPlugin, ansible: Ansible) -> None:
    """The server still lists what it loaded last; only the mount itself knows."""
    plugin = external_plugin("v1.0.0")
    for path in ("a", "b"):
        server.mount(path, PLUGIN, version="v1.0.0")
    server.mount("tr", "transit")
    plugin.fault("exit")
    os.kill(server.info("a")["pid"], signal.SIGKILL)
    without = ansible.playbook({MODULE: {"name": PLUGIN}}).result
    assert "alive" not in without["plugins"][0]["mounts"][0]
    run = ansible.playbook({MODULE: {"mounts": "a,b,tr", "health": True}})
    rows = {row["path"]: row for one in run.result["plugins"] for row in one["mounts"]}
    assert {path: row["alive"] for path, row in rows.items()} == {
        "a/": False,
        "b/": True,
        "tr/": True,
    }
    assert rows["a/"]["current"] is False
    assert rows["a/"]["error"]
    assert rows["b/"]["error"] is None
    assert f"{PLUGIN} secret v1.0.0: 2 mounts, 1 down (a/)" in run.result["summary"]
    assert any(line.startswith('down: "a/": ') for line in run.result["warnings"])
