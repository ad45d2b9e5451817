# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HashiCorp Vault Enterprise, old releases and states that no Vault here can be brought to.

Answers by hand; where a comment names a file, it is of Vault's own source, 1.20.  What a real Vault
answers is in test_recorded.py.
"""

from __future__ import annotations

import contextlib
import pathlib
import types
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible, Run
from ansible_collections.vaultops.vault.tests.support.handwritten import (
    Answer,
    HandwrittenServer,
    handwritten_server,
)

MODULE = "vaultops.vault.plugin_reload"
POST = "POST /v1/sys/plugins/reload/backend"
STATUS = "GET /v1/sys/plugins/reload/backend/status"
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


def data(**content: t.Any) -> Answer:
    """Return a successful answer."""
    return Answer(200, {"request_id": "r", "data": content, "warnings": None})


def reloaded(status: int = 200, *warnings: str) -> Answer:
    """Return the answer to a reload."""
    return Answer(status, {"data": {"reload_id": "an-id"}, "warnings": list(warnings)})


BUILTIN, KV_BUILTIN = "v1.20.0+builtin.vault", "v0.21.0+builtin"
VAULT = {
    "GET /v1/sys/mounts/ext": data(**row("ext", "v1.0.0", "v1.0.0", OLD)),
    "GET /v1/sys/mounts/sys": data(**row("system", "", BUILTIN, "")),
    "GET /v1/sys/mounts": data(
        **{
            "ext/": row("ext", "v1.0.0", "v1.0.0", OLD),
            "kv/": row("kv", "", KV_BUILTIN, ""),
            "sys/": row("system", "", BUILTIN, ""),
        }
    ),
    "GET /v1/sys/auth": data(**{"token/": row("token", "", BUILTIN, "")}),
    "GET /v1/sys/plugins/catalog": data(
        detailed=[
            entry("secret", "ext", "v1.0.0", OLD),
            entry("secret", "ext", "v2.0.0", NEW),
            entry("secret", "kv", KV_BUILTIN),
            entry("secret", "transit", BUILTIN),
            entry("database", "mysql-database-plugin", BUILTIN),
        ]
    ),
    "GET /v1/sys/plugins/pins": data(pinned_versions=[]),
    "GET /v1/ext?help=1": Answer(200, {"help": "…"}),
}


# sdk/logical/error.go, ErrPermissionDenied
DENIED = Answer(403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
# vault/plugin_reload.go; "checksums did not match" is go-plugin's, client.go, of two starts.
CANNOT_RELOAD = (
    '1 error occurred:\n\t* cannot reload plugin on "ext/": invalid backend version: '
    "2 errors occurred:\n\t* checksums did not match\n\t* checksums did not match\n\n\n\n"
)


class Fact(t.NamedTuple):
    """What Vault answers to a task, and what the result must say of it."""

    arguments: str
    answers: dict[str, Answer]
    changed: bool
    told: str = ""
    failed: bool = False


FACTS = {
    # vault/plugin_reload.go, reloadMatchingPlugin: it knows the connections of database mounts.
    "database plugin by name: the server's own word": Fact(
        "plugin=mysql-database-plugin",
        {POST: reloaded()},
        True,
        "only the server knows what it runs",
    ),
    # vault/logical_system_paths.go of 1.15 has no such path.
    "by type, before 1.16": Fact(
        "plugin=ext plugin_type=secret",
        {
            "POST /v1/sys/plugins/reload/secret/ext": Answer(
                404, {"errors": ["1 error occurred:\n\t* unsupported path\n\n"]}
            )
        },
        False,
        "this server has no reload by plugin type",
        True,
    ),
    # No answers of Vault: a proxy's in front of it, or of a server that is something else.
    "404 without a word": Fact(
        "plugin=ext verify=false", {POST: Answer(404, {"errors": []})}, False, "404", True
    ),
    "404 with a warning": Fact(
        "plugin=ext verify=false", {POST: Answer(404, {"warnings": ["w"]})}, False, "404", True
    ),
}


def run_on(server: HandwrittenServer, tmp_path: pathlib.Path, arguments: str) -> Run:
    """Run the module ad hoc against the hand-written answers."""
    return Ansible(tmp_path).adhoc(
        MODULE, arguments, VAULT_ADDR=server.url, VAULT_TOKEN="a-token-of-the-tests"
    )


def test_handwritten_vault(tmp_path: pathlib.Path, subtests: pytest.Subtests) -> None:
    with contextlib.ExitStack() as servers:
        tasks = {}
        for name, fact in FACTS.items():
            server = servers.enter_context(handwritten_server({**VAULT, **fact.answers}))
            arguments = dict(word.split("=", 1) for word in fact.arguments.split())
            tasks[name] = {MODULE: {**arguments, "url": server.url}}
        _run, results = Ansible(tmp_path).cases(tasks, VAULT_TOKEN="a-token-of-the-tests")
    for name, fact in FACTS.items():
        with subtests.test(name):
            result = results[name]
            assert result.failed is fact.failed
            assert result["changed"] is fact.changed
            assert fact.told in " ".join([result.message, *result.result.get("warnings", [])])


# http/sys_health.go, and "ha-status" and "plugins/reload/backend/status" of
# vault/logical_system_paths.go; the latter is Enterprise's, and its answer that of
# https://developer.hashicorp.com/vault/api-docs/system/plugins-reload-backend.
def health(**more: t.Any) -> Answer:
    """Return Vault's answer to sys/health."""
    state = {"initialized": True, "sealed": False, "standby": False, "performance_standby": False}
    return Answer(200, {**state, "cluster_id": "c", **more})


ADDRESSES = {f"vault-{number}": f"https://10.0.0.{number}:8200" for number in (1, 2, 3)}
LEADER = Answer(200, {"ha_enabled": True, "leader_address": ADDRESSES["vault-1"]})
COMMUNITY = {
    **VAULT,
    POST: reloaded(202),
    "GET /v1/sys/health": health(version="1.20.0", enterprise=False),
    "GET /v1/sys/leader": LEADER,
}
ENTERPRISE = {
    **COMMUNITY,
    "GET /v1/sys/health": health(version="1.19.0+ent", enterprise=True),
    "GET /v1/sys/ha-status": data(
        nodes=[
            {"hostname": name, "api_address": address, "cluster_address": f"{address}1"}
            for name, address in ADDRESSES.items()
        ]
    ),
}


def reports(*names: str, **errors: str) -> Answer:
    """Return the reports of the nodes that are done, each with its error."""
    results = {name: {"timestamp": "2026-11-24T16:00:00Z", "error": ""} for name in names}
    results.update({name: {"timestamp": "", "error": error} for name, error in errors.items()})
    return data(reload_id="an-id", results=results)


class Course(t.NamedTuple):
    """A task on a cluster of Vault Enterprise: the reports, question by question, and what is told.

    ``nodes`` says of each node, by name, whether it is ok.
    """

    reports: list[Answer]
    nodes: t.Mapping[str, bool | None]
    changed: bool = True
    verified: bool = True
    told: str = ""
    options: t.Mapping[str, t.Any] = types.MappingProxyType({})
    answers: t.Mapping[str, Answer] = types.MappingProxyType({})
    check_mode: bool = False


ALL: dict[str, bool | None] = dict.fromkeys(ADDRESSES, True)
NONE: dict[str, bool | None] = dict.fromkeys(ADDRESSES)
UUIDS = ("9d2c2b5e", "51f1cf3a", "0c7e64a0")

COURSES = {
    "they report one by one": Course(
        [reports(), reports("vault-2"), reports("vault-2", "vault-1"), reports(*ADDRESSES)], ALL
    ),
    "one reports an error": Course(
        [reports("vault-1", "vault-3", **{"vault-2": "exec format error"})],
        {**ALL, "vault-2": False},
        verified=False,
        told="1 of 3 nodes are not known to run what they should: "
        "vault-2 (https://10.0.0.2:8200): exec format error; fix the plugin on that node",
    ),
    "one never reports": Course(
        [reports("vault-1", "vault-2")],
        {**ALL, "vault-3": False},
        verified=False,
        told="vault-3 (https://10.0.0.3:8200): has not reported the reload; check the health of",
    ),
    "they report under names of their own": Course([reports(*UUIDS)], dict.fromkeys(UUIDS, True)),
    "one of those never reports": Course(
        [reports(*UUIDS[:2])],
        {**dict.fromkeys(UUIDS[:2], True), "1 of vault-1, vault-2, vault-3": False},
        verified=False,
        told="1 of vault-1, vault-2, vault-3: has not reported the reload",
    ),
    "a performance standby answers": Course(
        [reports(*ADDRESSES)],
        ALL,
        answers={
            "GET /v1/sys/health": health(
                version="1.19.0+ent", enterprise=True, standby=True, performance_standby=True
            )
        },
    ),
    "the token may not read the reports": Course(
        [DENIED],
        {},
        verified=False,
        told="the server reloaded, but the reports of its nodes cannot be read: permission denied",
    ),
    "the token may not read who the nodes are": Course(
        [reports("vault-1")],
        {"vault-1": True},
        verified=False,
        told="nodes of the cluster are not known, so a node that does not report goes unnoticed",
        answers={"GET /v1/sys/ha-status": DENIED},
    ),
    "nobody waits": Course([], {}, verified=False, options={"wait": False}),
    "check mode": Course([], NONE, check_mode=True),
    "nothing to do": Course([], NONE, changed=False, verified=False, options={"state": "current"}),
    "one that nodes leaves out never reports": Course(
        [reports("vault-1", "vault-2")],
        {**ALL, "vault-3": False},
        verified=False,
        told="vault-3 (https://10.0.0.3:8200): has not reported the reload",
        options={"nodes": [ADDRESSES["vault-1"], ADDRESSES["vault-2"]]},
    ),
    "the active node fails": Course(
        [],
        {},
        verified=False,
        told='cannot reload plugin on "ext/": invalid backend version: checksums did not match',
        answers={POST: Answer(500, {"errors": [CANNOT_RELOAD]})},
    ),
}
FAILED = (
    "one reports an error",
    "one never reports",
    "one of those never reports",
    "one that nodes leaves out never reports",
    "the token may not read the reports",
    "the active node fails",
)


def one_by_one(server: HandwrittenServer, start: str, answers: list[Answer]) -> None:
    """Answer what begins with ``start`` by each of ``answers``, the last one for good."""
    usual, left = server.answer, list(answers)

    def answer(request: t.Any) -> Answer:
        found = usual(request)
        if not f"{request.method} {request.path}".startswith(start):
            return found
        return left.pop(0) if len(left) > 1 else left[0]

    server.answer = answer  # type: ignore[method-assign]


def test_handwritten_vault_enterprise_nodes_report(
    tmp_path: pathlib.Path, subtests: pytest.Subtests
) -> None:
    seen, tasks = {}, {}
    with contextlib.ExitStack() as servers:
        for name, course in COURSES.items():
            server = servers.enter_context(handwritten_server({**ENTERPRISE, **course.answers}))
            one_by_one(server, STATUS, course.reports)
            seen[name] = server.seen
            wait = {"wait_timeout": "1s", "wait_interval": "0.05"}
            options = {"mounts": "ext", "scope": "global", **wait, **course.options}
            tasks[name] = {
                MODULE: {"url": server.url, **options},
                "check_mode": course.check_mode,
            }
        environment = {"VAULT_TOKEN": "a-token-of-the-tests", "ANSIBLE_VERBOSITY": "1"}
        run, results = Ansible(tmp_path).cases(tasks, **environment)
    for name, course in COURSES.items():
        with subtests.test(name):
            result = results[name]
            assert result.failed is (name in FAILED)
            assert (result["changed"], result["verified"]) == (course.changed, course.verified)
            told = " ".join([result.message, *result.result.get("warnings", [])])
            assert course.told in told
            rows = result.result.get("nodes", [])
            assert {row["name"]: row["ok"] for row in rows} == course.nodes
            asked = [request.path for request in seen[name] if "/status" in request.path]
            assert bool(asked) is bool(course.reports)
            assert all(path.endswith("/backend/status?reload_id=an-id") for path in asked)
            posts = [request for request in seen[name] if request.method == "POST"]
            to_send = course.changed and not course.check_mode
            body = {"mounts": ["ext/"], "scope": "global"}
            assert [post.body for post in posts] == [body] * to_send
    for number in range(4):
        assert f"{MODULE}: node {number}/3 has reported the reload" in run.output


@pytest.mark.parametrize("well", [True, False])
def test_handwritten_vault_community_has_one_node_that_runs_plugins(
    tmp_path: pathlib.Path, well: bool
) -> None:
    refusal = {POST: Answer(500, {"errors": [CANNOT_RELOAD]})}
    with handwritten_server({**COMMUNITY, **({} if well else refusal)}) as server:
        run = run_on(server, tmp_path, "mounts=ext scope=global")
    assert run.result.failed is not well
    assert (run.result["changed"], run.result["verified"]) == (True, well)
    (row,) = run.result["nodes"]
    assert (row["address"], row["role"], row["ok"]) == (ADDRESSES["vault-1"], "active", well)
    assert [mount["reloaded"] for mount in row["mounts"]] == [well]
    # An "enterprise-only feature", as the server would say.
    assert not [request for request in server.seen if "status" in request.path]


def test_handwritten_vault_that_does_not_run_its_pin(tmp_path: pathlib.Path) -> None:
    pins = data(pinned_versions=[{"type": "secret", "name": "ext", "version": "v2.0.0"}])
    answers = {POST: reloaded(), "GET /v1/sys/plugins/pins": pins}
    with handwritten_server({**VAULT, **answers}) as server:
        checked = run_on(server, tmp_path, "mounts=ext state=current")
    assert checked.result["changed"] is True
    (request,) = [request for request in server.seen if request.method == "POST"]
    assert request.body == {"mounts": ["ext/"]}
    # No Vault does so: the mount still runs v1.0.0 after the "reload". That is told, not believed.
    assert checked.result["verified"] is False
    assert 'mount "ext/" runs v1.0.0 aaaaaaaa, where v2.0.0 bbbbbbbb is expected' in checked.output


def test_handwritten_vault_has_the_catalog_in_the_root_namespace_only(
    tmp_path: pathlib.Path,
) -> None:
    answers = {**VAULT, POST: reloaded()}
    with handwritten_server(answers) as server:
        original = server.answer

        def answer(request: t.Any) -> Answer:
            found = original(request)
            child = "X-Vault-Namespace" in request.headers
            unsupported = Answer(404, {"errors": ["unsupported path"]})
            return unsupported if child and "catalog" in request.path else found

        server.answer = answer  # type: ignore[method-assign]
        run = run_on(server, tmp_path, "mounts=ext namespace=team-a")
    assert run.result["verified"] is True
    catalog = [request for request in server.seen if "catalog" in request.path]
    assert [request.headers.get("X-Vault-Namespace") for request in catalog] == ["team-a", None]
