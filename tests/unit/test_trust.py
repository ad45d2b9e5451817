# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS contexts that are made once, and connections that a loop keeps.

The servers here are handwritten, on loopback.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pathlib
import socket
import ssl
import threading
import time
import typing as t

import pytest
import trustme
from urllib3.util.ssl_ import create_urllib3_context

from ansible_collections.vaultops.vault.plugins.module_utils._errors import NotSent
from ansible_collections.vaultops.vault.plugins.module_utils._http import exchange, transport, trust
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import (
    CONNECTION_SPEC,
    Connection,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.trust import (
    NOTICE,
    TlsSettings,
    context_for,
)
from ansible_collections.vaultops.vault.plugins.plugin_utils._in_process import (
    InProcessAction,
    prepare_trust,
)
from ansible_collections.vaultops.vault.tests.support.http_servers import QuietHandler, serving

DONE = b'{"request_id":"","data":{}}'


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """Begin and end as a new process does."""
    monkeypatch.setattr(trust, "_contexts", {})
    monkeypatch.setattr(transport, "_kept", {})
    yield
    for adapter in transport._kept.values():
        adapter.close()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[TlsSettings]:
    """The settings of each context that is made."""
    seen: list[TlsSettings] = []
    make = trust._made

    def counted(settings: TlsSettings) -> ssl.SSLContext:
        seen.append(settings)
        return make(settings)

    monkeypatch.setattr(trust, "_made", counted)
    return seen


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def ca_file(ca: trustme.CA, path: pathlib.Path) -> str:
    ca.cert_pem.write_to_path(path)
    return str(path)


class Seen(t.NamedTuple):
    """A server: the source port of each request, in order, and those of connections."""

    url: str
    ports: list[int]


@contextlib.contextmanager
def counting(
    ca: trustme.CA | None = None, host: str = "127.0.0.1", **settings: t.Any
) -> t.Iterator[Seen]:
    """Run a server that answers everything, with a certificate of ``ca`` where one is given."""
    tls = None
    if ca is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ca.issue_cert(host).configure_cert(tls)
        for name, value in settings.items():
            setattr(tls, name, value)
        if tls.verify_mode == ssl.CERT_REQUIRED:
            ca.configure_trust(tls)
    ports: list[int] = []

    class Handler(QuietHandler):
        def do(self) -> None:
            self.body()
            ports.append(self.client_address[1])
            self.reply(200, DONE, {})

    with serving(Handler, tls) as url:
        yield Seen(url, ports)


def ask(method: str = "GET", **options: t.Any) -> None:
    """Send one request as a task of its own."""
    connection = Connection.from_params({**dict.fromkeys(CONNECTION_SPEC), "retries": 0, **options})
    with VaultClient(connection) as client:
        client.request(method, "sys/x")


def test_a_loop_makes_one_context_and_one_connection(
    ca: trustme.CA, tmp_path: pathlib.Path, made: list[TlsSettings]
) -> None:
    file = ca_file(ca, tmp_path / "ca.pem")
    with counting(ca) as server:
        for _turn in range(5):
            ask("POST", url=server.url, ca_cert=file)
    assert len(made) == 1
    assert len(server.ports) == 5
    assert len(set(server.ports)) == 1


def test_over_http_no_context_is_made(made: list[TlsSettings]) -> None:
    with counting() as server:
        ask(url=server.url)
    assert not made


def test_without_validation_nothing_is_loaded(
    ca: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise OSError("loads certificates")

    def context(**more: t.Any) -> ssl.SSLContext:
        made: t.Any = create_urllib3_context(**more)
        made.load_verify_locations = made.load_default_certs = refuse
        return t.cast("ssl.SSLContext", made)

    monkeypatch.setattr(trust, "create_urllib3_context", context)
    with counting(ca) as server:
        ask(url=server.url, validate_certs=False)
        with pytest.raises(NotSent, match="loads certificates"):
            ask(url=server.url)  # so it would be seen
    assert len(server.ports) == 1


def test_each_setting_has_its_own_trust(
    ca: trustme.CA, tmp_path: pathlib.Path, made: list[TlsSettings]
) -> None:
    """One after the other in one process: no connection and no context serves another setting."""
    own = ca_file(ca, tmp_path / "own.pem")
    other = ca_file(trustme.CA(), tmp_path / "other.pem")
    (tmp_path / "folder").mkdir()
    ca_file(ca, tmp_path / "folder" / "ca.pem")
    with counting(ca) as server, counting(ca, "vault.example.com") as named:
        ask(url=server.url, ca_cert=own)
        ask(url=server.url, validate_certs=False)
        for options in (
            {"ca_cert": other},
            {},
            {"ca_cert": own, "tls_server_name": "vault.example.com"},
        ):
            with pytest.raises(NotSent):
                ask(url=server.url, **options)
        ask(url=server.url, ca_cert=str(tmp_path / "folder"))
        ask(url=named.url, ca_cert=own, tls_server_name="vault.example.com")
        with pytest.raises(NotSent):
            ask(url=named.url, ca_cert=own)
        ask(url=server.url, ca_cert=own)
    assert len(set(server.ports)) == 3
    assert len(made) == 6


def test_a_file_that_changed_between_two_tasks(ca: trustme.CA, tmp_path: pathlib.Path) -> None:
    """Neither the context nor the connection of the old file goes on, either way."""
    path = tmp_path / "ca.pem"
    with counting(ca) as server:
        ask(url=server.url, ca_cert=ca_file(ca, path))
        with pytest.raises(NotSent):
            ask(url=server.url, ca_cert=ca_file(trustme.CA(), path))
        ask(url=server.url, ca_cert=ca_file(ca, path))
    assert len(server.ports) == 2


def test_requests_ca_bundle(
    ca: trustme.CA, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counting(ca) as server:
        with pytest.raises(NotSent):
            ask(url=server.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file(ca, tmp_path / "ca.pem"))
        ask(url=server.url)
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        with pytest.raises(NotSent):
            ask(url=server.url)


def test_a_client_certificate_is_that_of_its_task(ca: trustme.CA, tmp_path: pathlib.Path) -> None:
    trusted = ca_file(ca, tmp_path / "ca.pem")
    cert = ca.issue_cert("me@example.com")
    cert.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    cert.private_key_pem.write_to_path(tmp_path / "key.pem")
    own = {
        "client_cert": str(tmp_path / "cert.pem"),
        "client_key": str(tmp_path / "key.pem"),
        "ca_cert": trusted,
    }
    with counting(ca, verify_mode=ssl.CERT_REQUIRED) as server:
        ask(url=server.url, **own)
        with pytest.raises(Exception, match="client_cert if the server demands one"):
            ask(url=server.url, ca_cert=trusted)
        ask(url=server.url, **own)
    assert len(server.ports) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the test's own old server
def test_the_oldest_tls_version_is_that_of_urllib3(ca: trustme.CA, tmp_path: pathlib.Path) -> None:
    usual = create_urllib3_context()
    context = context_for(TlsSettings(ca_file(ca, tmp_path / "ca.pem")))
    for name in ("minimum_version", "maximum_version", "options", "check_hostname", "verify_mode"):
        assert getattr(context, name) == getattr(usual, name), name
    with counting(ca, maximum_version=ssl.TLSVersion.TLSv1_1) as server, pytest.raises(NotSent):
        ask(url=server.url, ca_cert=str(tmp_path / "ca.pem"))


def in_a_fork(work: t.Callable[[], None]) -> None:
    """Run ``work`` as Ansible runs a worker; a failure there fails here."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(30)
    assert process.exitcode == 0


def test_what_a_worker_had_to_make_is_there_for_the_next(
    ca: trustme.CA,
    tmp_path: pathlib.Path,
    made: list[TlsSettings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(NOTICE, "_memory", None)
    NOTICE.open()
    file = ca_file(ca, tmp_path / "ca.pem")

    def makes(count: int) -> t.Callable[[], None]:
        def work() -> None:
            ask(url=server.url, ca_cert=file)
            os._exit(0 if len(made) == count else 1)

        return work

    with counting(ca) as server:
        NOTICE.take()
        assert not made
        in_a_fork(makes(1))
        NOTICE.take()
        NOTICE.take()
        assert [settings.verify for settings in made] == [file]
        in_a_fork(makes(1))  # none but its parent's
        NOTICE.take()
    assert len(made) == 1


@pytest.mark.parametrize(
    ("variables", "count"),
    [
        ({"BAO_ADDR": "https://vault.example.com"}, 1),
        ({"VAULT_ADDR": "HTTPS://vault.example.com", "VAULT_SKIP_VERIFY": "true"}, 1),
        ({"BAO_ADDR": "http://vault.example.com"}, 0),
        ({"BAO_ADDR": "https://vault.example.com", "BAO_CACERT": "/nope"}, 0),
        ({}, 0),
    ],
)
def test_what_the_environment_names_is_made_before_the_fork(
    made: list[TlsSettings],
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    count: int,
) -> None:
    for name in os.environ:
        if name.startswith(("BAO_", "VAULT_")):
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    prepare_trust()
    assert len(made) == count


def test_ansible_asks_before_each_fork(
    made: list[TlsSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its strategies do: that is when the main process makes what a worker had to make."""
    monkeypatch.setattr(NOTICE, "_memory", None)
    NOTICE.open()
    NOTICE.leave(TlsSettings(False))
    assert InProcessAction.BYPASS_HOST_LOOP is False
    assert made == [TlsSettings(False)]


def test_no_connection_crosses_a_fork(ca: trustme.CA, tmp_path: pathlib.Path) -> None:
    file = ca_file(ca, tmp_path / "ca.pem")
    with counting(ca) as server:
        ask(url=server.url, ca_cert=file)
        in_a_fork(lambda: ask(url=server.url, ca_cert=file))
        ask(url=server.url, ca_cert=file)
    first, other, again = server.ports
    assert first == again != other


@contextlib.contextmanager
def closing_when_idle(seconds: float) -> t.Iterator[tuple[str, list[str]]]:
    """Run a server that closes each connection on which nothing came for so many seconds.

    It does so without a word, and what comes at that moment is lost.  Yields its address, and what
    came on which connection.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[str] = []
    over = threading.Event()

    def serve(connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(seconds)
            while not over.is_set():
                request = connection.recv(65536)
                if not request:
                    return
                seen.append(f"{number} {request.split()[0].decode()}")
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(DONE)}\r\n\r\n"
                connection.sendall(head.encode() + DONE)

    def accept() -> None:
        numbers = iter(range(1000))
        with contextlib.suppress(OSError):
            while not over.is_set():
                connection = listener.accept()[0]
                threading.Thread(
                    target=serve, args=(connection, next(numbers)), daemon=True
                ).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        over.set()
        listener.close()


@pytest.mark.parametrize("idle", [0.2, exchange.IDLE_SECONDS + 0.1])
def test_a_connection_that_the_server_closed_costs_no_outcome(idle: float) -> None:
    with closing_when_idle(idle) as (url, seen):
        for number in range(4):
            time.sleep(idle + 0.1 if number else 0)
            ask("POST", url=url)
    assert seen == [f"{number} POST" for number in range(4)]


def test_a_write_takes_no_connection_that_was_idle_for_long() -> None:
    """The server may be about to close it; a read goes on with it."""
    with closing_when_idle(30) as (url, seen):
        ask("GET", url=url)
        time.sleep(exchange.IDLE_SECONDS + 0.1)
        ask("GET", url=url)
        ask("POST", url=url)
        time.sleep(exchange.IDLE_SECONDS + 0.1)
        ask("POST", url=url)
    assert seen == ["0 GET", "0 GET", "0 POST", "1 POST"]


def test_few_connections_are_kept() -> None:
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(counting()) for _number in range(12)]
        for server in servers:
            ask(url=server.url)
        assert len(transport._kept) == transport._MOST_KEPT
