# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of the plugin catalog: written where they differ, removed where nobody needs them."""

from __future__ import annotations

import contextlib
import json
import pathlib
import sys
import time
import typing as t

import pytest
import yaml

from ansible_collections.vaultops.vault.plugins.modules import plugin
from ansible_collections.vaultops.vault.tests.support.ansible_runs import (
    REPOSITORY,
    Ansible,
    Cases,
    TaskResult,
)
from ansible_collections.vaultops.vault.tests.support.cluster import Cluster
from ansible_collections.vaultops.vault.tests.support.external_plugin import (
    BuiltPlugin,
    build_plugin,
)
from ansible_collections.vaultops.vault.tests.support.fixtures import ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.handwritten import Answer, handwritten_server
from ansible_collections.vaultops.vault.tests.support.proxy import by_rounds, counting_proxy
from ansible_collections.vaultops.vault.tests.support.server import (
    Server,
    bao_binary,
    running_server,
    start_server,
)

MODULE = "vaultops.vault.plugin"
FRONTS = {"in process": True, "as a module": False}
LIST = "GET sys/plugins/catalog"

Options = dict[str, t.Any]


def task(options: Options, **more: t.Any) -> dict[str, t.Any]:
    """Return a task of the module under test, about the secrets plugin ``ext`` if nothing else."""
    return {MODULE: {"name": "ext", "type": "secret", **options}, **more}


def build(server: Server, name: str = "ext", version: str = "") -> BuiltPlugin:
    """Return a plugin in the server's directory that is not registered."""
    return build_plugin(server.plugin_directory / f"{name}-{version or 'plain'}", version=version)


def entry(server: Server, name: str = "ext", version: str = "", kind: str = "secret") -> t.Any:
    """Return what the server says of an entry, None where there is none."""
    query = f"?version={version}" if version else ""
    answer = server.request("GET", f"sys/plugins/catalog/{kind}/{name}{query}")
    return answer.json()["data"] if answer.ok else None


def changes(cases: Cases) -> dict[str, bool]:
    """Return which of the cases changed something; none has failed."""
    for result in cases.results.values():
        assert not result.failed, f"{result.name}: {result.message}"
    return {name: result["changed"] for name, result in cases.results.items()}


def warnings(result: TaskResult) -> str:
    """Return what the user is warned of."""
    return "\n".join(result.result.get("warnings", []))


def test_there_and_gone_each_once(server: Server, ansible: Ansible) -> None:
    built = build(server, version="v1.0.0")
    there = task({"version": "1.0.0", "src": str(built.path)})
    gone = task({"version": "v1.0.0", "state": "absent"})
    cases = ansible.cases(
        {
            "would register": {**there, "check_mode": True, "diff": True},
            "registers": {**there, "diff": True},
            "is there": there,
            "would remove": {**gone, "check_mode": True},
            "removes": {**gone, "diff": True},
            "is gone": gone,
        }
    )
    assert changes(cases) == {
        "would register": True,
        "registers": True,
        "is there": False,
        "would remove": True,
        "removes": True,
        "is gone": False,
    }
    results = cases.results
    made = {
        "type": "secret",
        "name": "ext",
        "version": "v1.0.0",
        "sha256": built.sha256,
        "command": "ext-v1.0.0",
        "arguments": [],
        "oci_image": "",
        "runtime": "",
        "builtin": False,
        "declarative": False,
    }
    line = f"secret ext v1.0.0 {built.sha256[:8]} ext-v1.0.0\n"
    for name in ("would register", "registers"):
        assert (results[name]["before"], results[name]["plugin"]) == (None, made)
        assert results[name]["diff"] == {"before": "", "after": line}
    assert results["is there"]["before"] == results["is there"]["plugin"] == made
    assert (results["removes"]["before"], results["removes"]["plugin"]) == (made, None)
    assert results["removes"]["diff"] == {"before": line, "after": ""}
    assert entry(server, version="v1.0.0") is None
    assert "WARNING" not in cases.run.output


@pytest.mark.slow
@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_spellings_of_the_same_entry(
    server: Server, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    plain, versioned = build(server, "plain"), build(server, "versioned", "v1.2.0")
    by_hash: Options = {"sha256": plain.sha256.upper(), "command": plain.path.name}
    ways: dict[str, tuple[Options, Options]] = {
        "src": (
            {"src": str(versioned.path), "version": "1.2.0"},
            {"command": "versioned-v1.2.0", "version": "v1.2.0", "sha256": versioned.sha256},
        ),
        "a plugin that tells its version": (
            {"src": str(versioned.path)},
            {"command": "versioned-v1.2.0", "version": "v1.2.0", "sha256": versioned.sha256},
        ),
        "a plugin that tells none": (by_hash, {"version": "", "sha256": plain.sha256}),
        "a version for a plugin that tells none": (
            {**by_hash, "version": "2.0.0-rc1"},
            {"version": "v2.0.0-rc1"},
        ),
        "arguments": ({**by_hash, "arguments": ["-a", "b c"]}, {"args": ["-a", "b c"]}),
        "arguments in the command": (
            {**by_hash, "command": f"{plain.path.name} -a b"},
            {"command": plain.path.name, "args": ["-a", "b"]},
        ),
        "another type": ({**by_hash, "type": "auth"}, {"sha256": plain.sha256}),
        "a namespace": ({**by_hash, "namespace": "team"}, {"sha256": plain.sha256}),
    }
    server.call("POST", "sys/namespaces/team")
    names = dict(zip(ways, "abcdefgh", strict=True))
    tasks = {way: task({"name": names[way], **options}) for way, (options, _made) in ways.items()}

    cases = ansible.cases(tasks)

    assert set(changes(cases).values()) == {True}
    for way, (options, expected) in ways.items():
        with subtests.test(way):
            kind = options.get("type", "secret")
            made = entry(server, names[way], expected.get("version", ""), kind)
            assert {**made, **expected} == made
            shown = cases.results[way]["plugin"]
            assert [shown[name] for name in ("version", "sha256", "command", "arguments")] == [
                made[name] for name in ("version", "sha256", "command", "args")
            ]
    with counting_proxy() as proxy:
        again = ansible.cases(tasks, **proxy.environment)
    assert set(changes(again).values()) == {False}
    assert proxy.posts == []
    assert "WARNING" not in again.run.output


@pytest.mark.slow
def test_what_differs_is_written_and_told(server: Server, ansible: Ansible) -> None:
    old, new = build(server, "old", "v1.0.0"), build(server, "new", "v1.0.0")
    plain = build(server, "plain")
    first: Options = {"version": "v1.0.0", "src": str(old.path)}
    steps: dict[str, Options] = {
        "first": first,
        "another build": {"version": "v1.0.0", "src": str(new.path)},
        "another name of the file": {**first, "sha256": new.sha256, "command": "old-v1.0.0"},
        "arguments": {**first, "arguments": ["-x"]},
        "without arguments": first,
        "without a version, as the plugin tells it": {"src": str(new.path)},
        "with no version at all": {"src": str(plain.path)},
        "beside it": {"sha256": new.sha256, "command": "new-v1.0.0"},
    }
    del steps["another name of the file"]["src"]
    cases = ansible.cases({name: task(options) for name, options in steps.items()})
    shown = {
        name: [
            each and (each["version"], each["sha256"], each["arguments"])
            for each in (result["before"], result["plugin"])
        ]
        for name, result in cases.results.items()
    }
    one: t.Any = ("v1.0.0", old.sha256, [])
    two: t.Any = ("v1.0.0", new.sha256, [])
    assert shown == {
        "first": [None, one],
        "another build": [one, two],
        "another name of the file": [two, two],
        "arguments": [two, ("v1.0.0", old.sha256, ["-x"])],
        "without arguments": [("v1.0.0", old.sha256, ["-x"]), one],
        "without a version, as the plugin tells it": [one, two],
        "with no version at all": [None, ("", plain.sha256, [])],
        "beside it": [two, two],
    }
    assert [*changes(cases).values()] == [True] * 7 + [False]


@pytest.mark.each_core
@pytest.mark.long
def test_both_fronts_tell_the_same(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    built = build(server, "file", "v1.0.0")
    src: Options = {"src": str(built.path)}
    scenarios: dict[str, dict[str, t.Any]] = {
        "check mode": task(src, check_mode=True, diff=True),
        "present": task(src, diff=True),
        "again": task(src),
        "environment": task({**src, "env": {"A": "canary-one"}}),
        "environment always": task({**src, "env": ["A=canary-two"], "update_env": "always"}),
        "arguments": task({**src, "arguments": "a,b"}, diff=True),
        "wrong version": task({**src, "version": "v9.0.0"}),
        "no version at all": task({**src, "version": "one"}),
        "nothing": task({}),
        "both": task({**src, "sha256": built.sha256}),
        "unknown option": task({**src, "args_": "a"}),
        "runtime alone": task({**src, "runtime": "r"}),
        "env missing": task({**src, "update_env": "always"}),
        "a container": task({"oci_image": "registry/ext", "runtime": "r", "sha256": built.sha256}),
        "a container without sha256": task({"oci_image": "registry/ext"}),
        "builtin": task({**src, "name": "kv"}),
        "in use": task({"name": "used", "state": "absent"}),
        "in use, by force, in check mode": task(
            {"name": "used", "state": "absent", "force": True}, check_mode=True, diff=True
        ),
        "others are left": task({"state": "absent"}),
        "wrong token": task({**src, "token": "not-this-token"}),
        "absent": task({**src, "state": "absent"}, diff=True),
        "absent again": task({"version": "1.0.0", "state": "absent"}),
    }
    external_plugin(name="used")
    server.mount("used", "used")
    results = {}
    for front, in_process in FRONTS.items():
        tasks = {
            name: {**scenario, "vars": {"vaultops_in_process": in_process}}
            for name, scenario in scenarios.items()
        }
        cases = ansible.cases(tasks, ANSIBLE_INJECT_INVOCATION="True")
        assert "canary" not in cases.run.output
        assert "canary" not in str(cases.results)
        results[front] = cases.results
    for name in scenarios:
        with subtests.test(name):
            both = [results[front][name] for front in FRONTS]
            shown = [
                (each.status, {k: v for k, v in each.result.items() if k != "exception"})
                for each in both
            ]
            assert shown[0] == shown[1]
    statuses = {name: result.status for name, result in results["in process"].items()}
    assert statuses["others are left"] == statuses["in use, by force, in check mode"] == "ok"
    assert [name for name, status in statuses.items() if status == "failed"] == [
        "wrong version",
        "no version at all",
        "nothing",
        "both",
        "unknown option",
        "runtime alone",
        "env missing",
        "a container",
        "a container without sha256",
        "builtin",
        "in use",
        "wrong token",
    ]


@pytest.mark.slow
def test_the_environment_of_a_plugin(server: Server, ansible: Ansible) -> None:
    # A Python of its own: /proc does not know the environment of a fork.
    built = build_plugin(server.plugin_directory / "ext-plain", python=sys.executable)

    def with_env(value: str, **more: t.Any) -> dict[str, t.Any]:
        return task({"src": str(built.path), "env": {"SETTING": value}, **more})

    def setting() -> str:
        server.call("POST", "sys/plugins/reload/backend", {"plugin": "ext"})
        process = pathlib.Path(f"/proc/{server.info('ext')['pid']}/environ").read_text()
        return next(line for line in process.split("\0") if line.startswith("SETTING="))

    first = ansible.cases({"create": with_env("canary-1"), "not alone": with_env("canary-2")})
    assert changes(first) == {"create": True, "not alone": False}
    server.mount("ext", "ext")
    assert setting() == "SETTING=canary-1"
    second = ansible.cases({"with others": with_env("canary-3", arguments=["-x"])})
    assert changes(second) == {"with others": True}
    assert setting() == "SETTING=canary-3"
    always = with_env("canary-4", arguments=["-x"], update_env="always")
    third = ansible.cases({"always": always, "check mode": {**always, "check_mode": True}})
    assert changes(third) == {"always": True, "check mode": True}
    assert setting() == "SETTING=canary-4"
    for cases in (first, second, third):
        assert "canary" not in cases.run.output


@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
def test_a_short_value_of_the_environment_masks_nothing_else(
    server: Server, ansible: Ansible, in_process: bool
) -> None:
    built = build(server)
    options = {"src": str(built.path), "env": {"LEVEL": "e", "DEBUG": 1, "ON": True, "OFF": "0"}}
    run = ansible.playbook(task(options), ANSIBLE_VAULTOPS_IN_PROCESS=str(in_process))
    assert run.result["plugin"]["sha256"] == built.sha256
    assert "****" not in str(run.result)
    assert "LEVEL=e" not in run.output


@pytest.mark.slow
@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
def test_values_of_the_environment_are_never_shown(
    server: Server, ansible: Ansible, tmp_path: pathlib.Path, in_process: bool
) -> None:
    built = build(server)
    extra = tmp_path / "canary.json"
    extra.write_text(json.dumps({"canary": "canary-5f2c9e"}))
    src = {"src": str(built.path)}
    forms: list[t.Any] = [{"A": "{{ canary }}"}, ["A={{ canary }}"], "A={{ canary }}"]
    wrong: list[t.Any] = [["{{ canary }}"], {"A": ["{{ canary }}"]}, "{{ canary }}"]
    tasks = [task({**src, "env": env, "update_env": "always"}) for env in [*forms, *wrong]]
    tasks.append(task({**src, "env": forms[1], "version": "v9", "update_env": "always"}))
    same = {**src, "command": "canary-5f2c9e", "arguments": "a"}
    tasks += [task({**same, "env": env}) for env in forms[:2]]
    run = ansible.playbook(
        *({**each, "ignore_errors": True} for each in tasks),
        options=["-vvvv", "--diff", "-e", f"@{extra}", "-e", f"vaultops_in_process={in_process}"],
        ANSIBLE_LOG_PATH=str(tmp_path / "ansible.log"),
    )
    statuses = [result.status for result in run.tasks]
    assert statuses == ["ok"] * 3 + ["failed"] * 6
    assert "canary-5f2c9e" not in run.output
    assert "canary-5f2c9e" not in str(run.tasks)
    assert "canary-5f2c9e" not in (tmp_path / "ansible.log").read_text()


class Refusal(t.NamedTuple):
    """Options that cannot be carried out, what the user is told, and what the server answered."""

    options: Options
    told: str
    status: int | None = None


@pytest.mark.slow
@pytest.mark.openbao_only("what Vault says of images is in test_plugin_runtime.py")
def test_what_cannot_be_registered(
    server: Server, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    built = build(server, version="v1.0.0")
    src: Options = {"src": str(built.path)}
    refusals = {
        "a version that the plugin does not tell": Refusal(
            {**src, "version": "v1.1.0"},
            "ext reported version (v1.0.0) did not match requested version (v1.1.0) (400 from POST",
            400,
        ),
        "a file that is not there": Refusal(
            {"sha256": built.sha256, "command": "nope"},
            "put the file into the plugin_directory of each node first",
            500,
        ),
        "a path": Refusal({**src, "command": "../nope"}, "command is the name of a file", 500),
        "a builtin plugin": Refusal(
            {**src, "name": "kv"},
            "give version, so that each mount keeps what it is configured for",
        ),
        "the version of a builtin plugin": Refusal(
            {**src, "version": "v2.7.2+builtin.bao"}, "is that of a builtin plugin"
        ),
        "a container": Refusal(
            {"oci_image": "registry/ext", "version": "v1.0.0", "sha256": built.sha256},
            "OpenBao does not run plugins in containers, and would ignore oci_image",
        ),
    }
    cases = ansible.cases({name: task(refusal.options) for name, refusal in refusals.items()})
    for name, refusal in refusals.items():
        with subtests.test(name):
            result = cases.results[name]
            assert result.failed
            assert refusal.told in result.message
            assert (result["changed"], result["status"]) == (False, refusal.status)
    assert entry(server, version="v1.0.0") is None
    assert entry(server, "kv")["builtin"] is True


@pytest.mark.slow
@pytest.mark.openbao_only("the builtin versions of Vault are other ones")
def test_a_version_beside_a_builtin_plugin(server: Server, ansible: Ansible) -> None:
    built = build(server, "kv", "v1.0.0")
    there = task({"name": "kv", "src": str(built.path), "version": "v1.0.0"})
    gone = {"name": "kv", "state": "absent"}
    cases = ansible.cases(
        {
            "present": there,
            "again": there,
            "absent, no version": task(gone),
            "absent": task({**gone, "version": "v1.0.0"}),
        }
    )
    assert [*changes(cases).values()] == [True, False, False, True]
    assert 'secret plugin "kv" is in the catalog with v1.0.0, v2.' in warnings(
        cases.results["absent, no version"]
    )
    assert entry(server, "kv")["builtin"] is True


@pytest.mark.slow
@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_what_is_needed_stays(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    for version in ("v1.0.0", "v1.1.0", "v1.2.0"):
        external_plugin(version)
    external_plugin(name="plain")
    external_plugin(name="login", kind="auth")
    for namespace in ("team", "team/inner"):
        parent, _slash, name = namespace.rpartition("/")
        server.call("POST", f"sys/namespaces/{name}", namespace=parent)
    server.mount("running", "ext", version="v1.0.0")
    server.tune_version("running", "v1.1.0")
    server.mount("plain", "plain")
    server.mount("login", "login", kind="auth")
    server.mount("deep", "plain", namespace="team/inner")
    server.mount("deep", "login", kind="auth", namespace="team")
    server.mount("database", "database")
    connection = {"plugin_name": "mysql-database-plugin", "verify_connection": False}
    details = {"connection_url": "{{username}}:{{password}}@tcp(127.0.0.1:1)/", "username": "u"}
    server.call("POST", "database/config/mine", {**connection, **details, "password": "p"})
    built = build(server, "mysql")
    body = {"command": built.path.name, "sha256": built.sha256}
    for name in ("mysql-database-plugin", "other-database-plugin"):
        server.call("POST", f"sys/plugins/catalog/database/{name}", body)
    needed: dict[str, tuple[Options, list[str]]] = {
        "running": ({"version": "v1.0.0"}, ["running/"]),
        "configured": ({"version": "v1.1.0"}, ["running/"]),
        "nobody": ({"version": "v1.2.0"}, []),
        "expected": ({"name": "plain"}, ["plain/", "team/inner/deep/"]),
        "auth": ({"name": "login", "type": "auth"}, ["auth/login/", "team/auth/deep/"]),
        "database": (
            {"name": "mysql-database-plugin", "type": "database"},
            ["database/config/mine"],
        ),
        "other database": ({"name": "other-database-plugin", "type": "database"}, []),
    }

    def removals(**more: t.Any) -> dict[str, dict[str, t.Any]]:
        return {
            name: task({**options, "state": "absent", **more})
            for name, (options, _users) in needed.items()
        }

    with counting_proxy() as proxy:
        checked = ansible.cases(
            {name: {**each, "check_mode": True} for name, each in removals().items()},
            **proxy.environment,
        )
    assert [line for line in proxy.posts if not line.startswith("LIST")] == []
    real = ansible.cases(removals())
    forced = ansible.cases(removals(force=True))
    for name, (_options, users) in needed.items():
        with subtests.test(name):
            for cases in (checked, real):
                result = cases.results[name]
                assert result.failed is bool(users)
                assert result["changed"] is not bool(users)
                if users:
                    named = ", ".join(f'"{path}"' for path in users)
                    assert f"is needed by {named}; move them to another" in result.message
                    assert result["users"] == users
                    assert result["plugin"]["name"] == _options.get("name", "ext")
            result = forced.results[name]
            assert result["changed"] is bool(users)
            assert ("may not start again after a reload" in warnings(result)) is bool(users)
    assert entry(server, "plain") is None
    assert entry(server, version="v1.1.0") is None


def policy(name: str) -> str:
    """Return the text of a policy of the documentation."""
    return (REPOSITORY / "docs" / "policies" / f"{name}.hcl").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_the_documented_policy(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    built = build(server, "mine", "v1.0.0")
    external_plugin(name="used")
    server.call("POST", "sys/namespaces/team")
    server.mount("used", "used", namespace="team")
    there = task({"name": "mine", "src": str(built.path), "arguments": ["-a"]})
    tasks = {
        "present": there,
        "again": there,
        "update": task({"name": "mine", "src": str(built.path)}),
        "absent": task({"name": "mine", "version": "v1.0.0", "state": "absent"}),
        "in use": task({"name": "used", "state": "absent"}),
    }
    cases = ansible.cases(tasks, BAO_TOKEN=server.new_token(policy("plugin")))
    assert [result.status for result in cases.results.values()] == ["ok"] * 4 + ["failed"]
    assert [result["changed"] for result in cases.results.values()] == [
        True,
        False,
        True,
        True,
        False,
    ]
    assert 'is needed by "team/used/"' in cases.results["in use"].message
    assert "WARNING" not in cases.run.output


@pytest.mark.slow
@pytest.mark.openbao_only("declared entries are OpenBao's")
def test_a_token_that_may_read_less(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    built = external_plugin("v1.0.0")
    other = build(server, "other", "v1.0.0")
    may_list = 'path "sys/plugins/catalog" { capabilities = ["read"] }\n'
    may_write = (
        may_list
        + """path "sys/plugins/catalog/*" { capabilities = ["update", "delete", "sudo"] }"""
    )
    same: Options = {"version": "v1.0.0", "src": str(built.path)}
    differs: Options = {"version": "v1.0.0", "src": str(other.path)}
    new: Options = {"name": "new", "src": str(other.path)}
    gone: Options = {"version": "v1.0.0", "state": "absent"}
    lists, writes = ({"token": server.new_token(text)} for text in (may_list, may_write))
    nothing = {"token": server.new_token('path "sys/x" { capabilities = ["read"] }')}
    cases = ansible.cases(
        {
            "lists, the same": task({**same, **lists}),
            "lists, differs": task({**differs, **lists}),
            "lists, new": task({**new, **lists}),
            "writes, differs": task({**differs, **writes}),
            "writes, differs by force": task({**differs, **writes, "force": True}),
            "writes, new": task({**new, **writes}),
            "writes, gone": task({**gone, **writes}),
            "writes, gone by force": task({**gone, **writes, "force": True}),
            "nothing": task({**same, **nothing}),
        }
    )
    results = cases.results
    told = {name: result.message or warnings(result) for name, result in results.items()}
    assert {name: (result.failed, result["changed"]) for name, result in results.items()} == {
        "lists, the same": (False, False),
        "lists, differs": (True, False),
        "lists, new": (True, False),
        "writes, differs": (True, False),
        "writes, differs by force": (False, True),
        "writes, new": (False, True),
        "writes, gone": (True, False),
        "writes, gone by force": (False, True),
        "nothing": (True, False),
    }
    assert "skipped the check of its command and arguments" in told["lists, the same"]
    assert results["lists, the same"]["plugin"]["command"] is None
    assert (
        'capabilities "update" and "sudo" on "sys/plugins/catalog/secret/new"' in told["lists, new"]
    )
    for name in ("lists, differs", "writes, differs", "writes, gone"):
        assert "the server's configuration may declare it" in told[name]
    for name in ("writes, differs by force", "writes, gone by force"):
        assert "skipped the check whether the server's configuration declares" in told[name]
    assert results["writes, new"]["plugin"]["command"] == "other-v1.0.0"
    assert "permission denied reading who needs" in told["writes, gone by force"]
    assert '"read" on "sys/plugins/catalog"' in told["nothing"]


@pytest.mark.slow
@pytest.mark.openbao_only("declared entries are OpenBao's")
def test_what_the_configuration_of_the_server_declares(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "server"
    (directory / "plugins").mkdir(parents=True)
    # A dev server registers each file that it finds, under the file's name.
    built = build_plugin(directory / "plugins" / "declared", version="v1.0.0")
    other = build_plugin(directory / "plugins" / "other", version="v1.0.0")
    configuration = tmp_path / "declares.hcl"
    configuration.write_text(
        f"""
        plugin_auto_register = true
        plugin "secret" "ext" {{
          command   = "declared"
          version   = "v1.0.0"
          sha256sum = "{built.sha256}"
        }}
        """
    )
    wrapper = tmp_path / "bao"
    wrapper.write_text(f'#!/bin/sh\nexec {bao_binary()} "$@" -config={configuration}\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("VAULTOPS_TEST_BAO", str(wrapper))
    server = start_server(directory)
    try:
        while entry(server, version="v1.0.0") is None:
            time.sleep(0.05)  # it is declared a moment after the server's start
        cases = Ansible(tmp_path, server).cases(
            {
                "the same": task({"version": "v1.0.0", "src": str(built.path)}),
                "differs": task({"version": "v1.0.0", "src": str(other.path)}),
                "may land there": task({"src": str(other.path)}),
                "gone": task({"version": "v1.0.0", "state": "absent"}),
                "gone by force": task({"version": "v1.0.0", "state": "absent", "force": True}),
            }
        )
        there = entry(server, version="v1.0.0")
    finally:
        server.stop()
    assert (there["declarative"], there["sha256"]) == (True, built.sha256)
    (same, *others) = cases.results.values()
    assert (same["changed"], same["plugin"]["declarative"]) == (False, True)
    for result in others:
        assert result.failed
        assert "is declared in the server's configuration" in result.message
    assert "or give version" in cases.results["may land there"].message


@pytest.mark.slow
@pytest.mark.openbao_only("Vault has one more request, for pins")
def test_the_number_of_requests(
    server: Server, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    built = build(server, version="v1.0.0")
    own = "sys/plugins/catalog/secret/ext"
    read = f"GET {own}?version=v1.0.0"
    there: Options = {"version": "v1.0.0", "src": str(built.path)}
    gone: Options = {"version": "v1.0.0", "state": "absent"}
    usage = ["GET sys/mounts", "LIST sys/namespaces"]
    steps: dict[str, tuple[Options, list[str]]] = {
        "create": (there, [LIST, f"POST {own}", LIST, read]),
        "nothing to do": (there, [LIST, read]),
        "update": ({**there, "arguments": ["-x"]}, [LIST, read, f"POST {own}", LIST, read]),
        "remove": (gone, [LIST, read, *usage, f"DELETE {own}?version=v1.0.0", LIST]),
        "nothing to remove": (gone, [LIST]),
    }
    with contextlib.ExitStack() as stack:
        proxies = {name: stack.enter_context(counting_proxy()) for name in steps}
        cases = ansible.cases(
            {
                name: {**task(options), "environment": proxies[name].environment}
                for name, (options, _requests) in steps.items()
            }
        )
    for name, (_options, requests) in steps.items():
        with subtests.test(name):
            assert not cases.results[name].failed, cases.results[name].message
            assert by_rounds(proxies[name].seen) == by_rounds(requests)


@pytest.mark.slow
def test_through_a_standby_that_learns_a_moment_later(
    cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    built = cluster.plugin("v1.0.0")
    there = task({"name": "mine", "version": "v1.0.0", "src": str(built.path)})
    there[MODULE]["command"] = built.path.name
    changed = {MODULE: {**there[MODULE], "arguments": ["-x"]}}
    gone = task({"name": "mine", "version": "v1.0.0", "state": "absent"})
    cases = Ansible(tmp_path, cluster.standbys[0]).cases(
        {
            "register": there,
            "is there": there,
            "change": changed,
            "is changed": changed,
            "remove": gone,
            "is gone": gone,
            "register again": there,
        }
    )
    assert [*changes(cases).values()] == [True, False, True, False, True, False, True]
    assert "WARNING" not in cases.run.output


@pytest.mark.slow
def test_a_plugin_that_does_not_start_is_registered_all_the_same(
    server: Server, ansible: Ansible
) -> None:
    built = build(server, version="v1.0.0")
    built.fault("exit")
    wrong = task({"name": "wrong", "sha256": "0" * 64, "command": built.path.name})
    cases = ansible.cases({"broken": task({"src": str(built.path)}), "wrong sha256": wrong})
    assert set(changes(cases).values()) == {True}
    assert {result["plugin"]["version"] for result in cases.results.values()} == {""}
    built.heal()
    # It is there already: what the plugin would tell now is not asked again.
    again = ansible.cases({"healed": task({"src": str(built.path)})})
    assert changes(again) == {"healed": False}


@pytest.mark.slow
@pytest.mark.waits
def test_a_plugin_that_hangs_at_its_start(server: Server, ansible: Ansible) -> None:
    built = build(server)
    built.fault("sleep 300")
    cases = ansible.cases({"hangs": task({"src": str(built.path), "timeout": "5s"})})
    result = cases.results["hangs"]  # the server gives up after 120 s
    assert result.failed
    assert "cannot register secret plugin" in result.message
    assert "the plugin did not start in time" in result.message


@pytest.mark.each_core
def test_every_example_of_the_documentation_runs(tmp_path: pathlib.Path) -> None:
    with running_server(tls=True) as server:
        (tmp_path / "dist").mkdir()
        for version in ("v1.0.0", "v1.1.0"):
            built = build_plugin(server.plugin_directory / f"my-plugin-{version}", version=version)
            (tmp_path / "dist" / built.path.name).write_bytes(built.path.read_bytes())
        old = {"command": "my-plugin-v1.0.0", "sha256": "0" * 64, "version": "v1.0.0"}
        server.call("POST", "sys/plugins/catalog/secret/my-plugin", old)
        login = build_plugin(server.plugin_directory / "my-login", kind="auth")
        text = plugin.EXAMPLES.replace("https://vault.example.com:8200", server.url)
        variables = {
            "vault_token": server.token,
            "my_login_sha256": login.sha256,
            "api_key": "canary-of-an-example",
        }
        tasks = yaml.safe_load(text)
        run = Ansible(tmp_path, server).playbook(
            *tasks, options=["-v", "-e", json.dumps(variables)], BAO_ADDR="", BAO_TOKEN=""
        )
    assert run.returncode == 0, run.output
    assert [task["changed"] for task in run.tasks] == [True] * len(tasks)
    assert "canary" not in run.output


BUILTIN = "v1.20.0+builtin.vault"
OWN = "/v1/sys/plugins/catalog/secret/ext"
IMAGE: Options = {"oci_image": "registry/ext", "runtime": "runsc", "version": "v1.0.0"}


# The rows are those of plugin_registered_and_removed.json in tests/recorded; runtime and oci_image
# are those of https://developer.hashicorp.com/vault/api-docs/system/plugins-catalog.
def vault(**extra: Answer) -> dict[str, Answer]:
    """Return what HashiCorp Vault answers, with an entry for ``ext`` where ``extra`` has one."""
    rows: list[dict[str, t.Any]] = [
        {"type": "secret", "name": "kv", "version": BUILTIN, "builtin": True}
    ]
    listed = Answer(200, {"data": {"detailed": rows}})
    pins = [{"type": "secret", "name": "pinned", "version": "v1.0.0"}]
    return {
        "GET /v1/sys/plugins/pins": Answer(200, {"data": {"pinned_versions": pins}}),
        "GET /v1/sys/plugins/catalog/secret/": Answer(404, {"errors": []}),
        "GET /v1/sys/plugins/catalog": listed,
        f"POST {OWN}": Answer(204),
        **extra,
    }


def row(name: str = "ext", **fields: t.Any) -> dict[str, t.Any]:
    """Return a row of Vault's catalog."""
    return {"type": "secret", "name": name, "version": "v1.0.0", "builtin": False, **fields}


@pytest.mark.slow
def test_handwritten_vault_runs_plugins_in_containers(tmp_path: pathlib.Path) -> None:
    made = row(sha256="a" * 64, oci_image="registry/ext", runtime="runsc")
    once = {"GET /v1/sys/plugins/catalog": vault()["GET /v1/sys/plugins/catalog"]}
    own = Answer(200, {"data": {**made, "command": "", "args": None}})
    answers = {
        f"GET {OWN}": own,
        **vault(),
        "GET /v1/sys/plugins/catalog": Answer(200, {"data": {"detailed": [made]}}),
    }
    image = {**IMAGE, "sha256": "A" * 64}
    with handwritten_server(answers, once=once) as server:
        cases = Ansible(tmp_path).cases(
            {name: task({**image, "url": server.url}) for name in ("present", "again")},
            VAULT_TOKEN="a-token-of-the-tests",
        )
    assert [*changes(cases).values()] == [True, False]
    assert cases.results["present"]["plugin"]["oci_image"] == "registry/ext"
    (post,) = [seen for seen in server.seen if seen.method == "POST"]
    assert post.body == {
        "version": "v1.0.0",
        "sha256": "a" * 64,
        "oci_image": "registry/ext",
        "runtime": "runsc",
    }


@pytest.mark.slow
def test_handwritten_vault_that_ignores_an_option(tmp_path: pathlib.Path) -> None:
    """Before 1.15 Vault takes a registration with an image, and forgets the image."""
    made = row(sha256="a" * 64)
    once = {"GET /v1/sys/plugins/catalog": vault()["GET /v1/sys/plugins/catalog"]}
    answers = {
        f"GET {OWN}": Answer(200, {"data": {**made, "command": "ext", "args": []}}),
        **vault(),
        "GET /v1/sys/plugins/catalog": Answer(200, {"data": {"detailed": [made]}}),
    }
    options = {**IMAGE, "sha256": "a" * 64, "command": "ext"}
    with handwritten_server(answers, once=once) as server:
        cases = Ansible(tmp_path).cases(
            {"ignored": task({**options, "url": server.url})},
            VAULT_TOKEN="a-token-of-the-tests",
        )
    result = cases.results["ignored"]
    assert result.failed
    assert result["changed"] is True
    assert "but its entry differs in oci_image, runtime; see whether this version" in result.message


@pytest.mark.slow
def test_mocked_server_that_hangs_up_on_a_registration(tmp_path: pathlib.Path) -> None:
    answers = {**vault(), f"POST {OWN}": Answer(hang_up=True)}
    options = {"version": "v1.0.0", "sha256": "a" * 64}
    with handwritten_server(answers) as server:
        cases = Ansible(tmp_path).cases(
            {"lost": task({**options, "url": server.url})}, VAULT_TOKEN="a-token-of-the-tests"
        )
    message = cases.results["lost"].message
    assert 'it is unknown whether secret plugin "ext" is registered' in message
    assert "then run the task again: it reads before it writes" in message
    methods = [seen.method for seen in server.seen]
    assert methods[:3] == ["GET", "GET", "POST"]
    # Then the catalog is read again, until it has the entry or the time is up.
    assert set(methods[3:]) == {"GET"}
