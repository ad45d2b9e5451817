# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HashiCorp Vault where it differs from OpenBao: recorded answers, since no Vault runs here.

They follow Vault's source (1.19, 1.20) and documentation; one row of a table for each fact.
"""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible, Run
from ansible_collections.vaultops.vault.tests.support.recorded import (
    Recorded,
    RecordedServer,
    recorded_server,
)

MODULE = "vaultops.vault.plugin_reload"
POST = "POST /v1/sys/plugins/reload/backend"
OLD, NEW = "a" * 64, "b" * 64


def row(plugin: str, version: str, running: str, sha256: str) -> dict[str, t.Any]:
    """Return a row of Vault's sys/mounts."""
    return {
        "type": plugin,
        "accessor": f"{plugin}_12345678",
        "plugin_version": version,
        "running_plugin_version": running,
        "running_sha256": sha256,
    }


def entry(kind: str, name: str, version: str, sha256: str = "") -> dict[str, t.Any]:
    """Return a row of Vault's catalog."""
    builtin = "+builtin" in version
    return {"type": kind, "name": name, "version": version, "builtin": builtin, "sha256": sha256}


def data(**content: t.Any) -> Recorded:
    """Return a successful answer."""
    return Recorded(200, {"request_id": "r", "data": content, "warnings": None})


def reloaded(status: int = 200, *warnings: str) -> Recorded:
    """Return the answer to a reload."""
    return Recorded(status, {"data": {"reload_id": "an-id"}, "warnings": list(warnings)})


BUILTIN = "v1.20.0+builtin.vault"
VAULT = {
    "GET /v1/sys/mounts/ext": data(**row("ext", "v1.0.0", "v1.0.0", OLD)),
    "GET /v1/sys/mounts/sys": data(**row("system", "", BUILTIN, "")),
    "GET /v1/sys/mounts": data(
        **{
            "ext/": row("ext", "v1.0.0", "v1.0.0", OLD),
            "kv/": row("kv", "", BUILTIN, ""),
            "sys/": row("system", "", BUILTIN, ""),
        }
    ),
    "GET /v1/sys/auth": data(**{"token/": row("token", "", BUILTIN, "")}),
    "GET /v1/sys/plugins/catalog": data(
        detailed=[
            entry("secret", "ext", "v1.0.0", OLD),
            entry("secret", "ext", "v2.0.0", NEW),
            entry("secret", "kv", BUILTIN),
            entry("secret", "transit", BUILTIN),
            entry("database", "mysql-database-plugin", BUILTIN),
        ]
    ),
    "GET /v1/sys/plugins/pins": Recorded(404, {"errors": []}),
    "GET /v1/ext?help=1": Recorded(200, {"help": "…"}),
}

NOTHING = "no plugins were reloaded"


class Fact(t.NamedTuple):
    """What Vault answers to a task, and what the result must say of it."""

    arguments: str
    answers: dict[str, Recorded]
    changed: bool
    told: str = ""
    failed: bool = False


FACTS = {
    "unknown plugin: 200 and a warning": Fact(
        "plugin=nope verify=false", {POST: reloaded(200, NOTHING)}, False, NOTHING
    ),
    "unknown plugin: the look knows": Fact("plugin=nope", {}, False, "not in the catalog", True),
    "known plugin, mounted nowhere": Fact("plugin=transit", {}, False, "mounted nowhere"),
    "one bad mount among good ones: 500": Fact(
        "mounts=ext,gone verify=false",
        {
            POST: Recorded(
                500, {"errors": ['1 error occurred:\n\t* cannot fetch mount entry on "gone/"']}
            )
        },
        True,
        "cannot reload 1 of 2 mounts",
        True,
    ),
    "by plugin, one mount fails: 500": Fact(
        "plugin=ext",
        {POST: Recorded(500, {"errors": ['cannot reload plugin on "ext/": exec format error']})},
        True,
        "down until a reload of it succeeds",
        True,
    ),
    "singleton: counted by the server, refused by the look": Fact(
        "mounts=sys/", {}, False, "part of the server itself", True
    ),
    "database plugin by name: the server's own word": Fact(
        "plugin=mysql-database-plugin", {POST: reloaded()}, True, "the server alone has the word"
    ),
    "global: 202": Fact("plugin=ext scope=global", {POST: reloaded(202)}, True),
    "by type, in all namespaces": Fact(
        "plugin=ext plugin_type=secret",
        {"POST /v1/sys/plugins/reload/secret/ext": reloaded()},
        True,
    ),
    "by type, before 1.16": Fact(
        "plugin=ext plugin_type=secret",
        {"POST /v1/sys/plugins/reload/secret/ext": Recorded(404, {"errors": []})},
        False,
        "this server has no reload by plugin type",
        True,
    ),
    "404 without a word": Fact(
        "plugin=ext verify=false", {POST: Recorded(404, {"errors": []})}, False, "404", True
    ),
    "404 with a warning": Fact(
        "plugin=ext verify=false", {POST: Recorded(404, {"warnings": ["w"]})}, False, "404", True
    ),
    "dead after the server's 200": Fact(
        "mounts=ext",
        {
            POST: reloaded(),
            "GET /v1/ext?help=1": Recorded(500, {"errors": ["plugin is shut down"]}),
        },
        True,
        '"ext/" does not serve: plugin is shut down',
        True,
    ),
    "pins that the token may not read": Fact(
        "mounts=ext",
        {POST: reloaded(), "GET /v1/sys/plugins/pins": Recorded(403, {"errors": ["denied"]})},
        True,
        "a pinned version would not be known",
    ),
    "a sealed node after the reload is no proof of death": Fact(
        "mounts=ext",
        {POST: reloaded(), "GET /v1/ext?help=1": Recorded(503, {"errors": ["Vault is sealed"]})},
        True,
        'mount "ext/" could not be looked at again: Vault is sealed',
    ),
}


def run_on(recorded: RecordedServer, tmp_path: pathlib.Path, arguments: str) -> Run:
    """Run the module ad hoc against the recorded answers."""
    return Ansible(tmp_path).adhoc(
        MODULE, arguments, VAULT_ADDR=recorded.url, VAULT_TOKEN="a-token-of-the-tests"
    )


def test_recorded_vault(tmp_path: pathlib.Path, subtests: pytest.Subtests) -> None:
    with contextlib.ExitStack() as servers:
        tasks = {}
        for name, fact in FACTS.items():
            recorded = servers.enter_context(recorded_server({**VAULT, **fact.answers}))
            arguments = dict(word.split("=", 1) for word in fact.arguments.split())
            tasks[name] = {MODULE: {**arguments, "url": recorded.url}}
        _run, results = Ansible(tmp_path).cases(tasks, VAULT_TOKEN="a-token-of-the-tests")
    for name, fact in FACTS.items():
        with subtests.test(name):
            result = results[name]
            assert result.failed is fact.failed
            assert result["changed"] is fact.changed
            assert fact.told in " ".join([result.message, *result.result.get("warnings", [])])


def test_recorded_vault_enterprise_pins_decide_what_is_current(tmp_path: pathlib.Path) -> None:
    pins = data(pinned_versions=[{"type": "secret", "name": "ext", "version": "v2.0.0"}])
    answers = {POST: reloaded(), "GET /v1/sys/plugins/pins": pins}
    with recorded_server({**VAULT, **answers}) as recorded:
        checked = run_on(recorded, tmp_path, "mounts=ext state=current")
    assert checked.result["changed"] is True
    (request,) = [request for request in recorded.seen if request.method == "POST"]
    assert request.body == {"mounts": ["ext/"]}
    # The recorded mount still runs v1.0.0 after the "reload": that is told, not believed.
    assert checked.result["verified"] is False
    assert 'mount "ext/" runs v1.0.0 aaaaaaaa, where v2.0.0 bbbbbbbb is expected' in checked.output


def test_recorded_vault_has_the_catalog_in_the_root_namespace_only(tmp_path: pathlib.Path) -> None:
    answers = {**VAULT, POST: reloaded()}
    with recorded_server(answers) as recorded:
        original = recorded.answer

        def answer(request: t.Any) -> Recorded:
            found = original(request)
            child = "X-Vault-Namespace" in request.headers
            unsupported = Recorded(404, {"errors": ["unsupported path"]})
            return unsupported if child and "catalog" in request.path else found

        recorded.answer = answer  # type: ignore[method-assign]
        run = run_on(recorded, tmp_path, "mounts=ext namespace=team-a")
    assert run.result["verified"] is True
    catalog = [request for request in recorded.seen if "catalog" in request.path]
    assert [request.headers.get("X-Vault-Namespace") for request in catalog] == ["team-a", None]
