# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every failure is one clear line: what, where, what next; no traceback, no secret, no harm."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import platform
import subprocess
import sys
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import (
    Ansible,
    Run,
    TaskResult,
)
from ansible_collections.vaultops.vault.tests.support.external_plugin import build_plugin
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN
from ansible_collections.vaultops.vault.tests.support.handwritten import Answer, handwritten_server
from ansible_collections.vaultops.vault.tests.support.proxy import counting_proxy
from ansible_collections.vaultops.vault.tests.support.server import (
    Server,
    free_port,
    running_server,
)

MODULE = "vaultops.vault.plugin_reload"
UNKNOWN = "the outcome of the reload is unknown"
RELOAD = "/v1/sys/plugins/reload/backend"


def assert_told(
    run: Run | TaskResult, *parts: str, changed: bool = False, secret: str = ""
) -> None:
    """The task failed with a message of one line that has all ``parts``, and nothing leaked."""
    result = run.result if isinstance(run, Run) else run
    assert result.failed
    for part in parts:
        assert part in result.message
    assert "\n" not in result.message
    assert result["changed"] is changed
    if isinstance(run, Run):
        assert run.returncode != 0
        assert_clean(run, secret)


def assert_clean(run: Run, secret: str) -> None:
    """Nothing that a user sees has a traceback or the secret in it."""
    assert "Traceback" not in run.output
    assert not secret or secret not in run.output


@dataclasses.dataclass(frozen=True)
class Case:
    """What the user writes, and what the message must say."""

    arguments: dict[str, t.Any]
    told: tuple[str, ...]
    changed: bool = False

    def task(self, **more: t.Any) -> dict[str, t.Any]:
        """Return the task of the case, with ``more`` arguments."""
        return {MODULE: {**self.arguments, **more}}


REFUSED_BY_THE_LOOK = {
    "unknown plugin": Case({"plugin": "nope"}, ('plugin "nope"', "not in the catalog", "register")),
    "nearly a plugin": Case({"plugin": "trnsit"}, ('(did you mean "transit"?)',)),
    "unknown mount": Case({"mounts": "nope"}, ('mount "nope/" does not exist', "bao secrets list")),
    "unknown auth mount": Case(
        {"mounts": "auth/nope"}, ('"auth/nope/" does not exist', "auth list")
    ),
    "nearly a mount": Case(
        {"mounts": "secrets"}, ('"secrets/" does not exist (did you mean "secret/"',)
    ),
    "like a part of the server": Case({"mounts": "sis"}, ('"sis/" does not exist; see "bao',)),
    "namespace as a mount": Case(
        {"mounts": "team-a"},
        ('this is a namespace: set namespace to "team-a", and name a mount inside',),
    ),
    "a path inside a mount": Case({"mounts": "secret/typo"}, ('(did you mean "secret/"?)',)),
    "API path of a mount": Case({"mounts": "sys/mounts/secret"}, ('(did you mean "secret/"?)',)),
    "one bad mount among good ones": Case({"mounts": "secret,nope"}, ('mount "nope/"',)),
    "singleton mount": Case(
        {"mounts": "sys/"}, ('mount "sys/" is a part of the server', "leave it out")
    ),
    "singleton auth mount": Case(
        {"mounts": "auth/token"}, ('"auth/token/" is a part of the server',)
    ),
    "singleton plugin": Case({"plugin": "token"}, ("part of the server itself", "leave it out")),
    "child namespace": Case(
        {"mounts": "team-a/ext"}, ('set namespace to "team-a" for the mount "ext/"',)
    ),
    "a child of a namespace": Case(
        {"mounts": "app/ext", "namespace": "team-a"},
        ('in namespace "team-a" (set namespace to "team-a/app" for the mount "ext/")',),
    ),
    "child of a namespace as a mount": Case(
        {"mounts": "app", "namespace": "team-a/"}, ('set namespace to "team-a/app", and name a',)
    ),
    "child of root": Case(
        {"mounts": "team-a/ext", "namespace": "root"}, ('set namespace to "team-a" for the mount',)
    ),
    "unknown namespace": Case(
        {"plugin": "kv", "namespace": "nope"},
        ("404", "namespace not found", 'check namespace "nope" (from the option namespace)'),
    ),
    "database plugin": Case(
        {"plugin": "postgresql-database-plugin"}, ("auth and secret", "mounts")
    ),
}

REFUSED_BY_THE_SERVER = {
    "unknown plugin": Case(
        {"plugin": "nope"}, ('plugin "nope"', "not found in the catalog", "register")
    ),
    "unknown mount": Case({"mounts": "nope"}, ("1 of 1 mounts", '"nope/"', "bao secrets list")),
    "unknown auth mount": Case({"mounts": "auth/nope"}, ('"auth/nope/"', "bao auth list")),
    "one bad mount among good ones": Case(
        {"mounts": "secret,nope"}, ("1 of 2 mounts", '"nope/"'), changed=True
    ),
    "several bad mounts": Case({"mounts": "x,y"}, ("2 of 2 mounts", '"x/"', '"y/"')),
    "singleton mount": Case({"mounts": "sys/"}, ('"sys/"', "singleton", "leave it out")),
    "singleton plugin": Case({"plugin": "token"}, ("singleton", "leave it out")),
    "database plugin": Case(
        {"plugin": "postgresql-database-plugin"}, ("auth and secret", "mounts")
    ),
    "unknown namespace": Case(
        {"plugin": "kv", "namespace": "nope"},
        ("404", "namespace not found", 'check namespace "nope" (from the option namespace)'),
    ),
}

BAD_OPTIONS = {
    "both": Case({"plugin": "kv", "mounts": "secret"}, ("mutually exclusive",)),
    "neither": Case({}, ("one of the following is required: plugin, mounts",)),
    "unknown scope": Case(
        {"plugin": "kv", "scope": "all"}, ("scope must be one of: local, global",)
    ),
    "empty plugin": Case({"plugin": " "}, ("one of the following is required: plugin, mounts",)),
    "empty mount": Case({"mounts": ["a", "", "b"]}, ("does not name a mount",)),
    "only empty mounts": Case({"plugin": "kv", "mounts": [""]}, ("mutually exclusive",)),
    "a comma alone": Case({"mounts": " , "}, ("does not name a mount",)),
    "current without a look": Case(
        {"plugin": "kv", "state": "current", "verify": False}, ("verify=false",)
    ),
    "type in a namespace": Case(
        {"plugin": "a", "plugin_type": "auth", "namespace": "b"}, ("root namespace only",)
    ),
    "mounts with a type": Case({"mounts": "a", "plugin_type": "auth"}, ("mutually exclusive",)),
    "no address": Case(
        {"plugin": "kv", "url": "vault.example.com"}, ("url", "not the address of a server")
    ),
    "bad timeout": Case({"plugin": "kv", "timeout": "5x"}, ("timeout", "'5x'", "1m30s")),
    "no CA file": Case(
        {"plugin": "kv", "ca_cert": "/nope.pem"}, ("ca_cert", "/nope.pem", "cannot be read")
    ),
}


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_what_a_look_refuses(server: Server, ansible: Ansible, subtests: pytest.Subtests) -> None:
    server.call("POST", "sys/namespaces/team-a")
    server.call("POST", "sys/namespaces/app", namespace="team-a")
    tasks = {name: case.task() for name, case in REFUSED_BY_THE_LOOK.items()}
    with counting_proxy() as proxy:
        run, results = ansible.cases(tasks, **proxy.environment)
    for name, case in REFUSED_BY_THE_LOOK.items():
        with subtests.test(name):
            assert_told(results[name], *case.told, changed=case.changed)
    assert_clean(run, server.token)
    # About a database plugin the server itself has the word; nothing else was sent.
    assert [post for post in proxy.posts if post.startswith("POST")] == [
        "POST sys/plugins/reload/backend"
    ]


@pytest.mark.openbao_only(
    "namespaces are Enterprise's on Vault, and its own words are in the recordings"
)
def test_what_the_server_refuses(
    server: Server, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    tasks = {name: case.task(verify=False) for name, case in REFUSED_BY_THE_SERVER.items()}
    run, results = ansible.cases(tasks)
    address = f"from POST {server.url}{RELOAD}"
    for name, case in REFUSED_BY_THE_SERVER.items():
        with subtests.test(name):
            assert_told(results[name], *case.told, address, changed=case.changed)
            assert results[name]["status"] in (400, 404)
            assert results[name]["errors"]
    assert_clean(run, server.token)


def test_a_bad_option_is_told_before_any_request(
    tmp_path: pathlib.Path, subtests: pytest.Subtests
) -> None:
    tasks = {name: case.task() for name, case in BAD_OPTIONS.items()}
    secret = "canary-of-a-token"
    with handwritten_server({}) as server:
        run, results = Ansible(tmp_path).cases(tasks, BAO_ADDR=server.url, BAO_TOKEN=secret)
    for name, case in BAD_OPTIONS.items():
        with subtests.test(name):
            assert_told(results[name], *case.told)
    assert_clean(run, secret)
    assert not server.seen


def test_the_password_in_an_address_is_not_repeated(tmp_path: pathlib.Path) -> None:
    run = Ansible(tmp_path).adhoc(MODULE, "plugin=kv", BAO_ADDR="http://me:canary-word@127.0.0.1:1")
    assert_told(run, "url contains a user name or password", secret="canary-word")


def test_a_token_that_may_not(server: Server, ansible: Ansible) -> None:
    token = server.new_token('path "secret/*" { capabilities = ["read"] }')
    run = ansible.adhoc(MODULE, "plugin=kv", BAO_TOKEN=token)
    assert_told(run, "403", 'capability "update" on "sys/plugins/reload/backend"', secret=token)
    assert run.result["status"] == 403


def test_a_token_that_may_look_but_not_reload(server: Server, ansible: Ansible) -> None:
    looks = "".join(
        f'path "{path}" {{ capabilities = ["read"] }}\n'
        for path in (
            "sys/mounts",
            "sys/mounts/*",
            "sys/auth",
            "sys/plugins/catalog",
            "sys/plugins/pins",
        )
    )
    run = ansible.adhoc(MODULE, "mounts=secret", BAO_TOKEN=server.new_token(looks))
    assert_told(run, "403", 'capability "update" on "sys/plugins/reload/backend"')
    (mount,) = run.result["mounts"]
    assert (mount["reloaded"], mount["error"]) == (False, None)
    assert "warnings" not in run.result.result


def test_no_token(server: Server, ansible: Ansible) -> None:
    run = ansible.adhoc(MODULE, "plugin=kv", BAO_TOKEN="")
    assert_told(run, "no token", "BAO_TOKEN", "home/.vault-token", "auth_method")


def test_a_token_with_a_line_break_in_it(server: Server, ansible: Ansible) -> None:
    run = ansible.adhoc(MODULE, "plugin=kv", BAO_TOKEN="canary-one\ncanary-two")
    assert_told(run, "token contains characters", "line break", secret="canary-two")


def test_a_dead_server(tmp_path: pathlib.Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    run = Ansible(tmp_path).adhoc(MODULE, f"plugin=kv url={url}", BAO_TOKEN="canary-of-a-token")
    assert_told(run, f"cannot connect to {url}", "was not sent", "refused", secret="canary-of")
    assert run.result["status"] is None


def test_a_name_that_does_not_resolve(tmp_path: pathlib.Path) -> None:
    url = "https://vault.invalid:8200"
    run = Ansible(tmp_path).adhoc(MODULE, f"plugin=kv url={url}", BAO_TOKEN="canary-of-a-token")
    assert_told(run, f"cannot connect to {url}", "was not sent", "check url")


def test_a_sealed_server(server: Server, ansible: Ansible) -> None:
    server.call("PUT", "sys/seal")
    run = ansible.adhoc(MODULE, "plugin=kv")
    assert_told(run, "503", "sealed", "unseal the server", secret=server.token)


def test_tls_by_another_certificate_authority(tls_server: Server, tmp_path: pathlib.Path) -> None:
    run = Ansible(tmp_path, tls_server).adhoc(MODULE, "plugin=kv", BAO_CACERT="")
    assert_told(run, "no trusted TLS connection", "certificate", "check ca_cert", "not sent")


def test_plain_http_to_a_tls_server(tls_server: Server, tmp_path: pathlib.Path) -> None:
    url = tls_server.url.replace("https://", "http://")
    run = Ansible(tmp_path, tls_server).adhoc(MODULE, f"plugin=kv url={url}")
    assert_told(run, "start", "url", "https://")


def test_tls_to_a_server_without_it(server: Server, ansible: Ansible) -> None:
    run = ansible.adhoc(MODULE, f"plugin=kv url={server.url.replace('http', 'https')}")
    assert_told(run, "answers without TLS", "start it with http:// if the server has no TLS")


@pytest.mark.parametrize("tls", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_server_that_dies_during_the_reload(tmp_path: pathlib.Path, tls: bool) -> None:
    with running_server(tls=tls) as server, ThreadPoolExecutor() as threads:
        plugin = build_plugin(server.plugin_directory / PLUGIN)
        server.register(PLUGIN, plugin)
        server.mount("ext", PLUGIN)
        old_process = pathlib.Path(f"/proc/{server.info('ext')['pid']}")
        plugin.fault("sleep 60")
        running = threads.submit(Ansible(tmp_path, server).adhoc, MODULE, "mounts=ext")
        deadline = time.monotonic() + 60
        while old_process.exists() and time.monotonic() < deadline:
            time.sleep(0.05)  # the reload begins with the end of the old process
        server.process.kill()
        run = running.result()
    assert_told(
        run,
        UNKNOWN,
        "broke before the answer",
        'unknown whether reloaded: "ext/"',
        "run the task again",
        secret=server.token,
    )
    (mount,) = run.result["mounts"]
    assert (mount["reloaded"], mount["after"]) == (None, None)


class Network(t.NamedTuple):
    """A broken network: what arrives instead of an answer, and what the message must say."""

    answer: Answer
    told: tuple[str, ...]


# No server's answers: those of gateways, of other web servers, and of HTTP itself.
BROKEN_NETWORKS = {
    "redirect": Network(
        Answer(307, headers={"Location": "https://canary:pw@n2.example:8200/v1/x?canary"}),
        ("redirects to https://n2.example:8200", "set url to the address of the active node"),
    ),
    "body that is not JSON": Network(
        Answer(200, "<html>"), ("is not one of Vault", "address of the API", UNKNOWN)
    ),
    "JSON that is no object": Network(
        Answer(200, "[]"), ("is not one of Vault or OpenBao", UNKNOWN)
    ),
    "error page": Network(
        Answer(404, "<h1>not here</h1>"), ("404", "not here", "check that url", UNKNOWN)
    ),
    "bad gateway": Network(Answer(502, "<html>"), ("gateway", "502", UNKNOWN)),
    "empty bad gateway": Network(Answer(502, ""), ("gateway", "502", UNKNOWN)),
    "gateway that speaks JSON": Network(
        Answer(504, {"message": "timeout"}), ("gateway", "504", UNKNOWN)
    ),
    "gateway with errors that are no texts": Network(
        Answer(500, {"errors": [{"code": 7}]}), ("gateway", "500", UNKNOWN)
    ),
    "gateway with a status that no server has": Network(
        Answer(504, {"errors": ["upstream"]}), ("gateway", "504", UNKNOWN)
    ),
    "rate limit of a gateway": Network(Answer(429, "slow down"), ("429", "slow down", UNKNOWN)),
    "login page": Network(
        Answer(303, headers={"Location": "/login"}), ("(303)", "is not one of", UNKNOWN)
    ),
    "health of something else": Network(
        Answer(200, {"status": "ok"}), ("is not one of Vault", UNKNOWN)
    ),
    "header that was cut": Network(Answer(200, ""), ("is not one of Vault", UNKNOWN)),
    "no content": Network(Answer(204, ""), ("(204)", "is not one of Vault", UNKNOWN)),
    "answer of another shape": Network(
        Answer(200, {"data": {"reload_id": 7}}), ('"reload_id" as the API has it', UNKNOWN)
    ),
    "agent that lost the server": Network(
        Answer(500, {"errors": ["failed to get the response: Post: EOF"]}), ("EOF", UNKNOWN)
    ),
    "hang-up after the request": Network(
        Answer(hang_up=True), ("broke before the answer", UNKNOWN, "run the task again")
    ),
    "rate limit: certainly not executed": Network(
        Answer(429, {"errors": ["quota"]}), ("429", "quota", "run the task again later")
    ),
    "error that may have been executed": Network(
        Answer(500, {"errors": ['cannot fetch mount entry on "x/"']}), ("500", '"x/"')
    ),
    "no API": Network(Answer(405, ""), ("405", "check that url", UNKNOWN)),
    "unknown API": Network(Answer(405, {"errors": []}), ("405", "check that url", UNKNOWN)),
    "sealed by nobody": Network(Answer(503, {"errors": []}), ("gateway", "503", UNKNOWN)),
    "a failure after the reload": Network(
        Answer(500, {"errors": ["internal error"]}), ("500", "internal error", UNKNOWN)
    ),
}


def test_mocked_broken_network(tmp_path: pathlib.Path, subtests: pytest.Subtests) -> None:
    with contextlib.ExitStack() as servers:
        mocked = {
            name: servers.enter_context(handwritten_server({"POST /v1/": network.answer}))
            for name, network in BROKEN_NETWORKS.items()
        }
        tasks = {
            name: {MODULE: {"plugin": "kv", "url": server.url, "verify": False}}
            for name, server in mocked.items()
        }
        run, results = Ansible(tmp_path).cases(tasks, BAO_TOKEN="canary-of-a-token")
    for name, network in BROKEN_NETWORKS.items():
        with subtests.test(name):
            assert_told(results[name], *network.told)
            posts = [request for request in mocked[name].seen if request.method == "POST"]
            assert len(posts) == 1
    assert_clean(run, "canary")


def test_mocked_proxy_that_fails(tmp_path: pathlib.Path) -> None:
    proxy = f"http://me:canary-word@127.0.0.1:{free_port()}"
    run = Ansible(tmp_path).adhoc(
        MODULE,
        "plugin=kv url=http://vault.example:8200",
        BAO_TOKEN="canary-of-a-token",
        HTTP_PROXY=proxy,
    )
    assert_told(run, "proxy", "refused", "HTTP_PROXY", secret="canary")


def test_requests_is_missing_on_the_target(
    server: Server, ansible: Ansible, tmp_path: pathlib.Path
) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    interpreter = f"ansible_python_interpreter={bare}/bin/python"
    run = ansible.adhoc(MODULE, "plugin=kv", options=["-e", interpreter])
    assert run.result.failed
    assert "Failed to import the required Python library (requests)" in run.result.message
    # Which Python on which host, and what to do about it.
    assert f'{bare}/bin/python, on host "{platform.node()}"; install it' in run.result.message
    assert "apt install python3-requests" in run.result.message
    assert "{{ ansible_playbook_python }}" in run.result.message
