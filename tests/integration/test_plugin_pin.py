# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pinned versions: what HashiCorp Vault does, by recorded answers, and OpenBao's plain no."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

import pytest
import yaml

from ansible_collections.vaultops.vault.plugins.modules import plugin_pin
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible
from ansible_collections.vaultops.vault.tests.support.fixtures import ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.proxy import counting_proxy
from ansible_collections.vaultops.vault.tests.support.recorded import (
    Recorded,
    RecordedServer,
    SeenRequest,
    recorded_server,
)
from ansible_collections.vaultops.vault.tests.support.server import Server

MODULE = "vaultops.vault.plugin_pin"
FRONTS = {"in process": True, "as a module": False}
TOKEN = {"VAULT_TOKEN": "a-token-of-the-tests"}
NOTHING_PINNED = "nothing was pinned"

Options = dict[str, t.Any]


def data(**content: t.Any) -> Recorded:
    """Return a successful answer."""
    return Recorded(200, {"request_id": "r", "data": content, "warnings": None})


def entry(name: str, version: str, kind: str = "secret") -> dict[str, t.Any]:
    """Return a row of Vault's catalog."""
    builtin = "+builtin" in version
    sha256 = {} if builtin else {"sha256": "a" * 64}
    return {"type": kind, "name": name, "version": version, "builtin": builtin, **sha256}


CATALOG = data(
    detailed=[
        entry("my-plugin", "v1.0.0"),
        entry("my-plugin", "v1.1.0"),
        entry("kv", "v0.25.0+builtin"),
        entry("login", "v1.0.0", "auth"),
    ]
)
MOUNT = {
    "type": "my-plugin",
    "accessor": "my-plugin_12345678",
    "plugin_version": "v1.0.0",
    "running_plugin_version": "v1.1.0",
    "running_sha256": "a" * 64,
}


# As recorded in tests/recorded/vault-1.20.0-beta1/pins.json.
DONE = Recorded(200, {"request_id": "r", "data": None, "warnings": None})


@contextlib.contextmanager
def recorded_vault(**pins: str) -> t.Iterator[RecordedServer]:
    """A recorded Vault that keeps the pins of secrets plugins, which begin with ``pins``."""
    kept = {("secret", name.replace("_", "-")): version for name, version in pins.items()}

    def answer(request: SeenRequest) -> Recorded:
        path = request.path.removeprefix("/v1/sys/plugins/pins").strip("/")
        if not request.path.startswith("/v1/sys/plugins/pins"):
            return original(request)
        server.seen.append(request)
        kind, _slash, name = path.partition("/")
        if request.method == "POST":
            kept[kind, name] = request.body["version"]
            return DONE
        if request.method == "DELETE":
            kept.pop((kind, name), None)
            return DONE
        rows = [{"type": k, "name": n, "version": version} for (k, n), version in kept.items()]
        return data(pinned_versions=rows)

    answers = {
        "GET /v1/sys/plugins/catalog": CATALOG,
        "GET /v1/sys/mounts": data(**{"my-secrets/": MOUNT}),
        "GET /v1/sys/auth": data(),
        "GET /v1/my-secrets?help=1": Recorded(200, {"help": "…"}),
    }
    with recorded_server(answers) as server:
        original = server.answer
        server.answer = answer  # type: ignore[method-assign]
        yield server


def task(options: Options, url: str, **more: t.Any) -> dict[str, t.Any]:
    """Return a task of the module under test, about ``my-plugin`` if nothing else."""
    return {MODULE: {"name": "my-plugin", "type": "secret", "url": url, **options}, **more}


def writes(server: RecordedServer) -> list[tuple[str, str, t.Any]]:
    """Return the requests that change something."""
    return [
        (seen.method, seen.path.removeprefix("/v1/sys/plugins/pins/"), seen.body)
        for seen in server.seen
        if seen.method != "GET"
    ]


def pin(version: str) -> dict[str, str]:
    """Return a pin as the result shows it."""
    return {"type": "secret", "name": "my-plugin", "version": version}


def test_recorded_vault_pins_and_unpins(tmp_path: pathlib.Path) -> None:
    steps: dict[str, tuple[Options, dict[str, t.Any]]] = {
        "would pin": ({"version": "v1.0.0"}, {"check_mode": True, "diff": True}),
        "pins": ({"version": "1.0.0"}, {"diff": True}),
        "is pinned": ({"version": "v1.0.0"}, {}),
        "pins another": ({"version": "v1.1.0"}, {"diff": True}),
        "another is pinned": ({"version": "v1.0.0", "state": "absent"}, {}),
        "would unpin": ({"state": "absent"}, {"check_mode": True}),
        "unpins": ({"version": "v1.1.0", "state": "absent"}, {"diff": True}),
        "is unpinned": ({"state": "absent"}, {}),
    }
    with recorded_vault() as server:
        cases = Ansible(tmp_path).cases(
            {name: task(options, server.url, **more) for name, (options, more) in steps.items()},
            **TOKEN,
        )
    one, two = pin("v1.0.0"), pin("v1.1.0")
    assert {
        name: (result["changed"], result["before"], result["pin"])
        for name, result in cases.results.items()
    } == {
        "would pin": (True, None, one),
        "pins": (True, None, one),
        "is pinned": (False, one, one),
        "pins another": (True, one, two),
        "another is pinned": (False, two, two),
        "would unpin": (True, two, None),
        "unpins": (True, two, None),
        "is unpinned": (False, None, None),
    }
    assert cases.results["pins another"]["diff"] == {
        "before": "secret my-plugin pinned to v1.0.0\n",
        "after": "secret my-plugin pinned to v1.1.0\n",
    }
    assert writes(server) == [
        ("POST", "secret/my-plugin", {"version": "v1.0.0"}),
        ("POST", "secret/my-plugin", {"version": "v1.1.0"}),
        ("DELETE", "secret/my-plugin", None),
    ]
    assert not any("X-Vault-Namespace" in seen.headers for seen in server.seen)


REFUSED: dict[str, tuple[Options, str]] = {
    "not registered": (
        {"version": "v2.0.0"},
        'secret plugin "my-plugin" v2.0.0 is not in the catalog; registered are v1.0.0, v1.1.0',
    ),
    "no such name": (
        {"name": "my-plugni", "version": "v1.0.0"},
        'is not in the catalog (did you mean "my-plugin"?)',
    ),
    "another type": ({"name": "login", "version": "v1.0.0"}, NOTHING_PINNED),
    "a builtin plugin": ({"name": "kv", "version": "v0.25.0"}, NOTHING_PINNED),
    "a builtin version": (
        {"name": "kv", "version": "v0.25.0+builtin"},
        "is that of a builtin plugin",
    ),
    "no version": ({}, "state is present but all of the following are missing: version"),
    "half a version": ({"version": "1.1"}, "is not a semantic version"),
    "an empty version": ({"version": ""}, "version is empty"),
}


@pytest.mark.slow
def test_recorded_vault_and_what_cannot_be_pinned(
    tmp_path: pathlib.Path, subtests: pytest.Subtests
) -> None:
    with recorded_vault(my_plugin="v1.0.0") as server:
        cases = Ansible(tmp_path).cases(
            {
                f"{name} | {front}": task(
                    options, server.url, vars={"vaultops_in_process": in_process}
                )
                for name, (options, _told) in REFUSED.items()
                for front, in_process in FRONTS.items()
            },
            **TOKEN,
        )
    for name, (_options, told) in REFUSED.items():
        with subtests.test(name):
            both = [cases.results[f"{name} | {front}"] for front in FRONTS]
            assert all(result.failed and told in result.message for result in both)
            assert both[0].message == both[1].message
    assert writes(server) == []


@pytest.mark.each_core
def test_recorded_vault_and_both_fronts(tmp_path: pathlib.Path) -> None:
    results = []
    for in_process in FRONTS.values():
        with recorded_vault(my_plugin="v1.0.0") as server:
            steps = {
                "pin": task({"version": "v1.1.0"}, server.url, diff=True),
                "again": task({"version": "v1.1.0"}, server.url),
                "namespace": task({"state": "absent", "namespace": "team"}, server.url, diff=True),
                "again absent": task({"state": "absent"}, server.url),
            }
            cases = Ansible(tmp_path).cases(
                {
                    name: {**step, "vars": {"vaultops_in_process": in_process}}
                    for name, step in steps.items()
                },
                ANSIBLE_INJECT_INVOCATION="False",
                **TOKEN,
            )
        shown = [dict(result.result) for result in cases.results.values()]
        for result in shown:
            result.pop("invocation", None)
        results.append(shown)
        assert len(writes(server)) == 2
        # But for the check whether a namespace is honoured at all.
        asked = [seen for seen in server.seen if not seen.path.endswith("internal/ui/mounts")]
        assert [seen.headers.get("X-Vault-Namespace") for seen in asked] == [None] * 8
    assert results[0] == results[1]
    assert [result["changed"] for result in results[0]] == [True, False, True, False]


@pytest.mark.slow
def test_recorded_vault_and_a_token_that_may_not(tmp_path: pathlib.Path) -> None:
    denied = Recorded(403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
    one = {"type": "secret", "name": "my-plugin", "version": "v1.0.0"}
    pins = {"GET /v1/sys/plugins/pins": data(pinned_versions=[one])}
    catalog = {"GET /v1/sys/plugins/catalog": CATALOG}
    cases: dict[str, tuple[dict[str, Recorded], Options, str]] = {
        "read the pins": (catalog, {"version": "v1.1.0"}, '"read" on "sys/plugins/pins"'),
        "pin": (
            {**catalog, **pins},
            {"version": "v1.1.0"},
            '"update" on "sys/plugins/pins/secret/my-plugin"',
        ),
        "unpin": (
            pins,
            {"state": "absent"},
            '"delete" on "sys/plugins/pins/secret/my-plugin"',
        ),
        "read the catalog": (pins, {"version": "v1.1.0"}, '"read" on "sys/plugins/catalog"'),
    }
    with contextlib.ExitStack() as servers:
        tasks = {}
        for name, (answers, options, _told) in cases.items():
            rest = {f"{method} /": denied for method in ("GET", "POST", "DELETE")}
            server = servers.enter_context(recorded_server({**answers, **rest}))
            tasks[name] = task(options, server.url)
        done = Ansible(tmp_path).cases(tasks, **TOKEN)
    for name, (_answers, _options, told) in cases.items():
        result = done.results[name]
        assert (result.failed, result["changed"], result["status"]) == (True, False, 403)
        assert told in result.message


@pytest.mark.slow
def test_recorded_vault_before_1_16_has_no_pins(tmp_path: pathlib.Path) -> None:
    answers = {"GET /v1/sys/plugins/catalog": CATALOG}
    with recorded_server(answers) as server:
        options: list[Options] = [{"version": "v1.0.0"}, {"state": "absent"}]
        cases = Ansible(tmp_path).cases(
            {str(each): task(each, server.url) for each in options}, **TOKEN
        )
    for result in cases.results.values():
        assert "this server has no pins, which HashiCorp Vault has from 1.16 on" in result.message
        assert "set the version of each mount instead" in result.message


@pytest.mark.slow
@pytest.mark.openbao_only("Vault has them")
def test_openbao_has_no_pins(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin("v1.0.0", name="my-plugin")
    policy = (REPOSITORY / "docs" / "policies" / "plugin_pin.hcl").read_text(encoding="utf-8")
    token = {"BAO_TOKEN": server.new_token(policy)}
    states: list[Options] = [{"version": "v1.0.0"}, {"state": "absent"}]
    tasks = {
        f"{options} {mode}": task(options, server.url, check_mode=mode)
        for options in states
        for mode in (True, False)
    }
    with counting_proxy() as proxy:
        cases = ansible.cases(tasks, **token, **proxy.environment)
    for result in cases.results.values():
        assert result.failed
        assert result["changed"] is False
        assert "this server has no pins" in result.message
        assert (
            "set the version of each mount instead: with the module plugin_upgrade"
            in result.message
        )
    assert proxy.posts == []


@pytest.mark.each_core
def test_recorded_vault_and_every_example_of_the_documentation(tmp_path: pathlib.Path) -> None:
    with recorded_vault() as server:
        text = plugin_pin.EXAMPLES.replace("https://vault.example.com:8200", server.url)
        tasks = yaml.safe_load(text)
        options = ["-e", "vault_token=a-token-of-the-tests"]
        run = Ansible(tmp_path).playbook(*tasks, options=options)
    assert run.returncode == 0, run.output
    # The recorded mount runs the pinned version already.
    assert [result["changed"] for result in run.tasks] == [True, False, True]
