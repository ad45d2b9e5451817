# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to a server: TLS in all its forms, proxies, sockets, repeats and redirects."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import socket
import ssl
import typing as t

import pytest
import trustme

from ansible_collections.vaultops.vault.plugins.module_utils._http import client as http_client
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection
from ansible_collections.vaultops.vault.tests.support.agents import running_agent
from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible, Cases
from ansible_collections.vaultops.vault.tests.support.handwritten import Answer, handwritten_server
from ansible_collections.vaultops.vault.tests.support.proxy import counting_proxy, tls_front
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import (
    Server,
    free_port,
    start_server,
)

MODULE = "vaultops.vault.plugin_reload"
POST = "POST /v1/sys/plugins/reload/backend"
OPEN = "GET /v1/sys/internal/ui/mounts"
DONE = Answer(200, {"data": {"reload_id": "an-id"}})


def bare(url: str, **options: t.Any) -> dict[str, t.Any]:
    """Return a task that sends the bare reload to ``url``."""
    variables = options.pop("environment", {})
    arguments = {"plugin": "kv", "verify": False, "url": url, "retries": 0, **options}
    return {MODULE: arguments, "environment": variables}


def told(cases: Cases, subtests: pytest.Subtests, expected: dict[str, str]) -> None:
    """Each case succeeded, where nothing is expected of its message, or failed with these words."""
    for name, words in expected.items():
        with subtests.test(name):
            result = cases.results[name]
            assert result.failed is bool(words), result.message
            assert words in result.message


def server_side(certificate: trustme.LeafCert, client_ca: trustme.CA | None) -> ssl.SSLContext:
    """Return the TLS side of a server, which insists on a client certificate of ``client_ca``."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    if client_ca is not None:
        client_ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_tls(server: Server, tmp_path: pathlib.Path, subtests: pytest.Subtests) -> None:
    ca, other_ca = trustme.CA(), trustme.CA()
    long_ago = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    ca_file, other_file = tmp_path / "ca.pem", tmp_path / "other.pem"
    ca.cert_pem.write_to_path(ca_file)
    other_ca.cert_pem.write_to_path(other_file)
    folder = tmp_path / "folder"
    folder.mkdir()
    ca.cert_pem.write_to_path(folder / "some-ca.pem")
    (folder / "README").write_text("no certificate")
    client = ca.issue_cert("client@example.com")
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    client.private_key_pem.write_to_path(tmp_path / "client.key")
    cert, key = str(tmp_path / "client.pem"), str(tmp_path / "client.key")
    (tmp_path / "locked.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    asked: list[str | None] = []

    good = server_side(ca.issue_cert("127.0.0.1"), None)
    named = server_side(ca.issue_cert("vault.example.com"), None)
    named.sni_callback = lambda _socket, name, _context: asked.append(name)
    expired = server_side(ca.issue_cert("127.0.0.1", not_before=long_ago, not_after=long_ago), None)
    mutual = server_side(ca.issue_cert("127.0.0.1"), ca)
    with contextlib.ExitStack() as fronts:
        urls = {
            name: fronts.enter_context(tls_front(server.url, context)).url
            for name, context in (
                ("good", good),
                ("named", named),
                ("expired", expired),
                ("mutual", mutual),
            )
        }
        trust = {"ca_cert": str(ca_file)}
        pem = ca.cert_pem.bytes().decode()
        rows: dict[str, tuple[dict[str, t.Any], str]] = {
            "right CA": (bare(urls["good"], **trust), ""),
            "CA folder": (bare(urls["good"], ca_cert=str(folder)), ""),
            "CA text": (bare(urls["good"], environment={"VAULT_CACERT_BYTES": pem}), ""),
            "CA text in one line": (
                bare(urls["good"], environment={"BAO_CACERT_BYTES": pem.replace("\n", "\\n")}),
                "",
            ),
            "CA folder by variable": (
                bare(urls["good"], environment={"BAO_CAPATH": str(folder)}),
                "",
            ),
            "a file beats text": (
                bare(
                    urls["good"],
                    environment={"VAULT_CACERT": str(ca_file), "VAULT_CACERT_BYTES": "x"},
                ),
                "",
            ),
            "text that is none": (
                bare(urls["good"], environment={"BAO_CACERT_BYTES": "x"}),
                "the variable holds one line only, and no CA certificate (from the variable",
            ),
            "wrong CA": (bare(urls["good"], ca_cert=str(other_file)), "no trusted TLS connection"),
            "wrong name": (bare(urls["named"], **trust), "no trusted TLS connection"),
            "server name": (bare(urls["named"], **trust, tls_server_name="vault.example.com"), ""),
            "server name by variable": (
                bare(
                    urls["named"],
                    **trust,
                    environment={"VAULT_TLS_SERVER_NAME": "vault.example.com"},
                ),
                "",
            ),
            "another server name": (
                bare(urls["named"], **trust, tls_server_name="other.example.com"),
                "no trusted TLS connection",
            ),
            "expired": (bare(urls["expired"], **trust), "certificate has expired"),
            "client certificate": (
                bare(urls["mutual"], **trust, client_cert=cert, client_key=key),
                "",
            ),
            "client certificate by variables": (
                bare(
                    urls["mutual"],
                    **trust,
                    environment={"BAO_CLIENT_CERT": cert, "BAO_CLIENT_KEY": key},
                ),
                "",
            ),
            "no client certificate": (
                bare(urls["mutual"], **trust),
                "client_cert if the server demands one",
            ),
            "half a client certificate": (
                bare(urls["mutual"], **trust, client_cert=cert),
                "client_cert and client_key come together",
            ),
            "encrypted key": (
                bare(
                    urls["mutual"],
                    **trust,
                    client_cert=cert,
                    client_key=str(tmp_path / "locked.key"),
                ),
                "is encrypted",
            ),
        }
        tasks = {name: task for name, (task, _words) in rows.items()}
        cases = Ansible(tmp_path, server).cases(tasks)
    told(cases, subtests, {name: words for name, (_task, words) in rows.items()})
    assert "vault.example.com" in asked


def test_proxies(server: Server, tmp_path: pathlib.Path, subtests: pytest.Subtests) -> None:
    with counting_proxy() as proxy:
        nowhere = "http://me:canary-word@127.0.0.1:1"
        rows: dict[str, tuple[dict[str, t.Any], str]] = {
            "one for all": (bare(server.url, proxies=proxy.url), ""),
            "by scheme": (bare(server.url, proxies={"http": proxy.url}), ""),
            "as JSON": (bare(server.url, proxies=f'{{"http": "{proxy.url}"}}'), ""),
            "BAO_PROXY_ADDR": (bare(server.url, environment={"BAO_PROXY_ADDR": proxy.url}), ""),
            "VAULT_HTTP_PROXY": (bare(server.url, environment={"VAULT_HTTP_PROXY": proxy.url}), ""),
            "HTTP_PROXY": (bare(server.url, environment={"HTTP_PROXY": proxy.url}), ""),
            "NO_PROXY": (
                bare(server.url, environment={"HTTP_PROXY": nowhere, "NO_PROXY": "127.0.0.1"}),
                "",
            ),
            "a dead one": (bare(server.url, proxies=nowhere), "the proxy for"),
            "none at all": (bare(server.url, proxies="no-address"), "not the address of a proxy"),
        }
        tasks = {name: task for name, (task, _words) in rows.items()}
        cases = Ansible(tmp_path, server).cases(tasks)
    told(cases, subtests, {name: words for name, (_task, words) in rows.items()})
    assert len(proxy.posts) == 6
    assert "canary-word" not in cases.run.output
    assert "canary-word" not in str(cases.results["a dead one"].result)


def test_the_socket_of_an_agent(server: Server, ansible: Ansible) -> None:
    socket = server.directory / "agent.sock"
    token_file = server.directory / "agent-token"
    token_file.write_text(server.token)
    configuration = (
        f'vault {{ address = "{server.url}" }}\n'
        f'listener "unix" {{\n address = "{socket}"\n tls_disable = true\n'
        " require_request_header = true\n}\n"
        "api_proxy { use_auto_auth_token = true }\n"
        'auto_auth { method { type = "token_file"\n'
        f' config = {{ token_file_path = "{token_file}" }} }} }}\n'
    )
    with running_agent(server, configuration, socket.exists):
        run = ansible.adhoc(MODULE, f"plugin=kv url=unix://{socket} auth_method=none", BAO_TOKEN="")
    assert run.result["changed"] is True, run.output
    assert run.result["verified"] is True
    gone = ansible.adhoc(MODULE, f"plugin=kv url=unix://{socket}-not")
    assert "is not the path of a unix socket" in gone.result.message


def test_mocked_failures_that_pass_are_repeated(
    tmp_path: pathlib.Path, subtests: pytest.Subtests
) -> None:
    """A read is repeated after an error of the server, a reload only where it was not executed."""
    # https://developer.hashicorp.com/vault/api-docs#http-status-codes
    busy = Answer(429, {"errors": ["quota"]}, headers={"Retry-After": "0"})
    sick = Answer(500, {"errors": ["storage is slow"]})
    kv = {"type": "kv", "accessor": "kv_1", "running_plugin_version": "v1+builtin.bao"}
    row = Answer(200, {"data": kv})
    entry = {"type": "secret", "name": "kv", "version": "v1+builtin.bao", "builtin": True}
    catalog = Answer(200, {"data": {"detailed": [entry]}})
    healthy = {"GET /v1/sys/mounts/kv": row, "GET /v1/sys/plugins/catalog": catalog, POST: DONE}
    with contextlib.ExitStack() as servers:

        def answering(once: dict[str, Answer]) -> t.Any:
            return servers.enter_context(handwritten_server(healthy, once=once))

        rows = {
            "a read after 500": (answering({"GET /v1/sys/mounts/kv": sick}), True),
            "a read after 412": (
                answering({"GET /v1/sys/mounts/kv": Answer(412, {"errors": ["required index"]})}),
                True,
            ),
            "a read after a hang-up": (
                answering({"GET /v1/sys/mounts/kv": Answer(hang_up=True)}),
                True,
            ),
            "a reload after 429": (answering({POST: busy}), True),
            "a reload after 500": (answering({POST: sick}), False),
            "a reload after a hang-up": (answering({POST: Answer(hang_up=True)}), False),
        }
        tasks = {
            name: {MODULE: {"mounts": "kv", "url": server.url, "retries": 2}}
            for name, (server, _repeated) in rows.items()
        }
        _run, results = Ansible(tmp_path).cases(tasks, BAO_TOKEN="a-token-of-the-tests")
    for name, (server, repeated) in rows.items():
        with subtests.test(name):
            result = results[name]
            assert result.failed is not repeated
            posts = [request for request in server.seen if request.method == "POST"]
            assert len(posts) == (2 if repeated and "reload" in name else 1)
            if repeated:
                assert "was retried once: " in " ".join(result["warnings"])


def test_mocked_redirects(tmp_path: pathlib.Path, subtests: pytest.Subtests) -> None:
    """One hop, to the same host or to the leader that the server names; else nothing is sent."""
    token = "canary-of-a-token"
    with contextlib.ExitStack() as servers:

        def answering(answers: dict[str, Answer]) -> t.Any:
            return servers.enter_context(handwritten_server(answers))

        def to(location: str, leader: str = "") -> t.Any:
            answers = {
                POST: Answer(307, headers={"Location": location}),
                OPEN: Answer(307, headers={"Location": location}),
                "GET /v1/sys/leader": Answer(200, {"leader_address": leader}),
            }
            return answering(answers)

        active = answering({POST: DONE})
        there = f"{active.url}/v1/sys/plugins/reload/backend"
        elsewhere = there.replace("127.0.0.1", "localhost")
        loop = to("/v1/sys/plugins/reload/backend")
        rows = {
            "same host": (to(there), ""),
            "named as the leader": (
                to(elsewhere, active.url.replace("127.0.0.1", "localhost")),
                "",
            ),
            "another host": (to(elsewhere), "does not name as its leader"),
            "another host than the leader": (to(elsewhere, "http://n3.example"), "not name as its"),
            "another path": (to(f"{active.url}/ui/"), "which is another path"),
            "a second hop": (loop, "after a first redirect"),
            "no location": (
                answering({POST: Answer(307), OPEN: Answer(307)}),
                "after a first redirect",
            ),
            "escaped as Go does": (to(f"{active.url}/v1/sys/plugins/reload%2Fbackend"), ""),
            "no URL": (to("http://["), "which is not the address of a server"),
            "no port": (to("http://127.0.0.1:99999/v1/x"), "which is not the address of a server"),
            "no host name": (to("http://a..b/v1/x"), "which is not the address of a server"),
            "a longer path": (to(f"{there}/more"), "which is another path"),
            "with a password": (to(there.replace("//", "//me:canary-word@")), ""),
            "with a password elsewhere": (
                to("http://me:canary?word@n3.example/v1/sys"),
                "redirects to http://…",
            ),
        }
        tasks = {name: bare(server.url) for name, (server, _words) in rows.items()}
        cases = Ansible(tmp_path).cases(tasks, BAO_TOKEN=token)
    told(cases, subtests, {name: words for name, (_server, words) in rows.items()})
    assert "canary-word" not in cases.run.output
    assert "?word" not in cases.run.output
    assert [request.body for request in active.seen] == [{"plugin": "kv"}] * 4
    assert all(request.headers["X-Vault-Token"] == token for request in active.seen)
    questions = [
        request
        for server, _words in rows.values()
        for request in server.seen
        if request.path.endswith("leader")
    ]
    assert questions
    assert not any("X-Vault-Token" in request.headers for request in questions)


def test_mocked_redirect_from_https_to_http_is_refused(tmp_path: pathlib.Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    answer = Answer(307, headers={"Location": f"http://127.0.0.1:1{POST.split()[1]}"})
    with (
        handwritten_server({POST: answer}) as server,
        tls_front(server.url, server_side(ca.issue_cert("127.0.0.1"), None)) as front,
    ):
        task = bare(front.url, ca_cert=str(tmp_path / "ca.pem"))
        run = Ansible(tmp_path).playbook(task, BAO_TOKEN="a-token-of-the-tests")
    assert run.result.failed
    assert "redirects to http://127.0.0.1:1, which is not encrypted" in run.result.message


def test_a_server_that_starts_a_moment_later(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It starts while the task waits before its second try."""
    port, token = free_port(), "root-of-the-tests"
    options = {"plugin": "kv", "verify": False, "url": f"http://127.0.0.1:{port}", "retries": 2}
    with contextlib.ExitStack() as stack:

        def start(_seconds: float) -> None:
            server = start_server(tmp_path / "server", port=port, token=token)
            stack.callback(server.stop)
            monkeypatch.undo()

        monkeypatch.setattr(http_client, "pause", start)
        result = run_task("plugin_reload", options, False, proxy="", token=token)
    assert result["changed"] is True, result
    (warning,) = result["warnings"]
    assert "POST sys/plugins/reload/backend was retried once: " in warning
    assert "refused" in warning


def test_a_host_that_takes_no_connection(tmp_path: pathlib.Path) -> None:
    """A queue that is full drops what comes: only the timeout ends that."""
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _number in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        run = Ansible(tmp_path).adhoc(
            MODULE, f"plugin=kv url={url} connect_timeout=1s retries=0", BAO_TOKEN="a-token"
        )
    assert run.result.failed
    assert f"no connection to {url} within 1 s" in run.result.message
    assert "was not sent" in run.result.message


def test_mocked_redirect_to_a_leader_that_is_gone() -> None:
    """It certainly got nothing: the request goes to the user's own address again."""
    path = "GET /v1/sys/plugins/runtimes/catalog"
    gone = f"http://127.0.0.1:{free_port()}{path.split()[1]}"
    redirect = Answer(307, headers={"Location": gone})
    well = Answer(200, {"data": {"runtimes": []}, "warnings": []})
    with (
        handwritten_server({"GET /v1/": well}, once={"GET /v1/": redirect}) as server,
        VaultClient(Connection(server.url, retries=1)) as client,
    ):
        assert client.request("GET", path.partition("/v1/")[2]).status == 200
    assert len(server.seen) == 2


def test_mocked_write_and_a_leader_that_is_gone(tmp_path: pathlib.Path) -> None:
    """It may have been there when the standby forwarded: the reload is not sent again."""
    gone = f"http://127.0.0.1:{free_port()}"
    redirects = {
        line: Answer(307, headers={"Location": gone + line.split()[1]}) for line in (POST, OPEN)
    }
    with handwritten_server(redirects) as server:
        run = Ansible(tmp_path).playbook(
            {MODULE: {"plugin": "kv", "verify": False, "url": server.url, "retries": 1}},
            BAO_TOKEN="a-token-of-the-tests",
        )
    assert run.result.failed
    assert "the outcome of the reload is unknown: cannot connect" in run.result.message
    assert [request.method for request in server.seen].count("POST") == 1
