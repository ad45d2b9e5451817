# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pinned versions: both fronts by hand-written answers, and OpenBao's plain no.

What a real Vault does with them is in test_recorded.py.
"""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

import pytest
import yaml

from ansible_collections.vaultops.vault.plugins.modules import plugin_pin
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible
from ansible_collections.vaultops.vault.tests.support.fixtures import ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.handwritten import (
    Answer,
    HandwrittenServer,
    SeenRequest,
    handwritten_server,
)
from ansible_collections.vaultops.vault.tests.support.proxy import counting_proxy
from ansible_collections.vaultops.vault.tests.support.server import Server

MODULE = "vaultops.vault.plugin_pin"
FRONTS = {"in process": True, "as a module": False}
TOKEN = {"VAULT_TOKEN": "a-token-of-the-tests"}
NOTHING_PINNED = "nothing was pinned"

Options = dict[str, t.Any]


def data(**content: t.Any) -> Answer:
    """Return a successful answer."""
    return Answer(200, {"request_id": "r", "data": content, "warnings": None})


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


# These answers, and the list of pins, are those of tests/recorded/vault-1.20.0-beta1/pins.json.
DONE = Answer(200, {"request_id": "r", "data": None, "warnings": None})


@contextlib.contextmanager
def handwritten_vault(**pins: str) -> t.Iterator[HandwrittenServer]:
    """A Vault that keeps the pins of secrets plugins, which begin with ``pins``."""
    kept = {("secret", name.replace("_", "-")): version for name, version in pins.items()}

    def answer(request: SeenRequest) -> Answer:
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

    system = {"type": "system", "accessor": "system_1"}
    answers = {
        "GET /v1/sys/plugins/catalog": CATALOG,
        "GET /v1/sys/mounts": data(**{"my-secrets/": MOUNT, "sys/": system}),
        "GET /v1/sys/auth": data(**{"token/": {"type": "token", "accessor": "auth_token_1"}}),
        "GET /v1/my-secrets?help=1": Answer(200, {"help": "…"}),
    }
    with handwritten_server(answers) as server:
        original = server.answer
        server.answer = answer  # type: ignore[method-assign]
        yield server


def task(options: Options, url: str, **more: t.Any) -> dict[str, t.Any]:
    """Return a task of the module under test, about ``my-plugin`` if nothing else."""
    return {MODULE: {"name": "my-plugin", "type": "secret", "url": url, **options}, **more}


def writes(server: HandwrittenServer) -> list[tuple[str, str, t.Any]]:
    """Return the requests that change something."""
    return [
        (seen.method, seen.path.removeprefix("/v1/sys/plugins/pins/"), seen.body)
        for seen in server.seen
        if seen.method != "GET"
    ]


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
def test_handwritten_vault_and_what_cannot_be_pinned(
    tmp_path: pathlib.Path, subtests: pytest.Subtests
) -> None:
    with handwritten_vault(my_plugin="v1.0.0") as server:
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
def test_handwritten_vault_and_both_fronts(tmp_path: pathlib.Path) -> None:
    results = []
    for in_process in FRONTS.values():
        with handwritten_vault(my_plugin="v1.0.0") as server:
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
        assert [seen.headers.get("X-Vault-Namespace") for seen in asked] == [None] * 10
    assert results[0] == results[1]
    assert [result["changed"] for result in results[0]] == [True, False, True, False]


@pytest.mark.slow
def test_handwritten_vault_before_1_16_has_no_pins(tmp_path: pathlib.Path) -> None:
    # vault/logical_system_paths.go of 1.15 has no such path; the answer is that of a recorded one,
    # unknown_api_paths.json.
    unknown = Answer(404, {"errors": ["1 error occurred:\n\t* unsupported path\n\n"]})
    answers = {"GET /v1/sys/plugins/catalog": CATALOG, "GET /v1/sys/plugins/pins": unknown}
    with handwritten_server(answers) as server:
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
def test_handwritten_vault_and_every_example_of_the_documentation(tmp_path: pathlib.Path) -> None:
    with handwritten_vault() as server:
        text = plugin_pin.EXAMPLES.replace("https://vault.example.com:8200", server.url)
        tasks = yaml.safe_load(text)
        options = ["-e", "vault_token=a-token-of-the-tests"]
        run = Ansible(tmp_path).playbook(*tasks, options=options)
    assert run.returncode == 0, run.output
    # The hand-written mount runs the pinned version already.
    assert [result["changed"] for result in run.tasks] == [True, False, True]
