# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client and a network that misbehaves: what is certain, bounded, and shown.

The servers here are handwritten bytes on loopback.
"""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import socket
import ssl
import threading
import time
import tracemalloc
import typing as t
import zlib

import pytest
import trustme

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    NothingThere,
    NotSent,
    Refused,
    Unreachable,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http import transport
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import (
    CONNECTION_SPEC,
    Connection,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.transport_errors import (
    transport_error,
)
from ansible_collections.vaultops.vault.tests.support.http_servers import (
    connect_proxy,
    serving_bytes,
)
from ansible_collections.vaultops.vault.tests.support.server import free_port

OK = b"HTTP/1.1 200 OK\r\n"
DONE = OK + b'Content-Length: 27\r\n\r\n{"request_id":"","data":{}}'
Answer = t.Callable[[socket.socket, bytes], None]


def says(*parts: bytes) -> Answer:
    """Return what sends ``parts`` and hangs up."""

    def answer(connection: socket.socket, _request: bytes) -> None:
        for part in parts:
            connection.sendall(part)

    return answer


def drips(start: bytes, drop: bytes = b"x") -> Answer:
    """Return what sends ``start``, and then ``drop`` for ever, ten times a second."""

    def answer(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(drop)
            time.sleep(0.1)

    return answer


def failure(connection: Connection, method: str = "POST") -> VaultError:
    """Send one request and return the error that it ends with."""
    with VaultClient(connection) as client, pytest.raises(VaultError) as raised:
        client.request(method, "sys/x", {} if method == "POST" else None)
    return raised.value


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: pathlib.Path) -> str:
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


# What was sent, and what was certainly not.


def test_an_error_that_somebody_handles_is_not_the_cause_of_the_next() -> None:
    """A rollback runs inside ``except``: its lost answer is not the refusal before it."""
    refused = Connection(f"http://127.0.0.1:{free_port()}", retries=0)
    error: VaultError | None = None
    with serving_bytes(says()) as (url, seen):
        try:
            with VaultClient(refused) as client:
                client.request("POST", "sys/x")
        except Unreachable:
            error = failure(Connection(url, retries=2))
    assert isinstance(error, NoAnswer)
    assert "refused" not in str(error)
    assert len(seen) == 1


def test_the_reason_is_of_the_chain_of_the_error_alone() -> None:
    """Neither of an outer error, nor urllib3 1.26's words with an object in them."""
    outer, inner = ConnectionRefusedError(111, "Connection refused"), ValueError("the inner words")
    inner.__context__ = outer
    old = OSError(
        "<urllib3.X object at 0x7f>: Failed to establish a new connection: [Errno 111] No"
    )
    words = [
        str(transport_error(error, "http://h", "GET http://h/v1/x", (1.0, 1.0), sent, {}, spoke))
        for error, sent, spoke in ((inner, True, False), (old, False, False), (inner, True, True))
    ]
    assert "before the answer: the inner words (GET" in words[0]
    assert words[1].startswith("cannot connect to http://h: no (")
    # An address that has answered in plain does not speak TLS.
    assert ["https://" in each for each in words] == [True, False, False]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"this is no record of TLS at all", id="bad record"),
        pytest.param(b"", id="end"),
    ],
)
@pytest.mark.parametrize("start", [b"", OK + b"Content-Length: 99\r\n\r\n{"])
def test_a_tls_error_after_the_request_is_no_proof(
    tls: ssl.SSLContext, ca_file: str, broken: bytes, start: bytes
) -> None:
    def answer(connection: socket.socket, _request: bytes) -> None:
        if start:
            connection.sendall(start)
        os.write(connection.fileno(), broken)

    with serving_bytes(answer, tls) as (url, seen):
        error = failure(Connection(url, verify=ca_file, retries=2))
    assert isinstance(error, NoAnswer)
    assert len(seen) == 1


def test_a_tls_error_before_the_request_is_certain(tls: ssl.SSLContext) -> None:
    with serving_bytes(says(DONE), tls) as (url, seen):
        error = failure(Connection(url, retries=2))
    assert isinstance(error, NotSent)
    assert not isinstance(error, Unreachable)
    assert "was not sent" in str(error)
    assert not seen


def test_a_server_that_hangs_up_in_the_handshake_got_nothing(ca_file: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def hang_up() -> None:
            listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        port = listener.getsockname()[1]
        error = failure(Connection(f"https://127.0.0.1:{port}", verify=ca_file, retries=0))
        thread.join()
    assert isinstance(error, Unreachable)


def test_a_file_that_vanishes_is_no_unknown_outcome() -> None:
    error = failure(Connection("https://127.0.0.1:1", verify="/nope/ca.pem"))
    assert not isinstance(error, NoAnswer)
    assert "was not sent" in str(error)
    assert "/nope/ca.pem" in str(error)


# An answer is bounded in time and in size.

TRICKLES = {
    "status line": b"HTTP/1.1 200 ",
    "headers": OK + b"X-Header: ",
    "body": OK + b"Content-Length: 9999\r\n\r\n",
    "body without an end": OK + b"Connection: close\r\n\r\n",
    "chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n",
    "length of a chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("name", TRICKLES)
def test_a_trickle_ends_with_the_timeout(name: str) -> None:
    since = time.monotonic()
    drop = b"0" if name == "length of a chunk" else b"x"
    with serving_bytes(drips(TRICKLES[name], drop)) as (url, _seen):
        error = failure(Connection(url, timeout=1, retries=0))
        assert time.monotonic() - since < 3
    assert isinstance(error, NoAnswer)
    assert "no answer within 1 s" in str(error)


def test_answers_that_only_promise_end_too() -> None:
    since = time.monotonic()
    early = b"HTTP/1.1 100 Continue\r\n\r\n"
    with serving_bytes(drips(b"", early)) as (url, _seen):
        error = failure(Connection(url, timeout=1, retries=0))
        assert time.monotonic() - since < 3
    assert "no answer within 1 s" in str(error)


def test_a_proxy_that_trickles(ca_file: str) -> None:
    since = time.monotonic()
    with serving_bytes(drips(b"HTTP/1.1 200 ")) as (url, _seen):
        proxies = {"https": url}
        error = failure(
            Connection("https://h.example", verify=ca_file, proxies=proxies, timeout=1, retries=0)
        )
        assert time.monotonic() - since < 3
    assert isinstance(error, NotSent)


def chunks(size: int, count: int) -> Answer:
    """Return what sends ``count`` chunks of ``size`` bytes."""
    chunk = b"%x\r\n%s\r\n" % (size, b" " * size)
    return says(OK + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * count)


def packed(content: bytes, encoding: bytes = b"gzip") -> Answer:
    """Return what sends ``content``, said to be packed."""
    head = b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding, len(content))
    return says(OK + head, content)


def bomb(size: int) -> bytes:
    """Return ``size`` spaces, packed."""
    packing = zlib.compressobj(9, wbits=31)
    piece = b" " * 1_000_000
    return (
        b"".join(packing.compress(piece) for _number in range(size // len(piece))) + packing.flush()
    )


LARGE: dict[str, t.Callable[[], Answer]] = {
    "chunked": lambda: chunks(1_000_000, 300),
    "plain": lambda: says(OK + b"Content-Length: 300000000\r\n\r\n", *[b" " * 1_000_000] * 300),
    "gzip bomb": lambda: packed(bomb(200_000_000)),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_answer_is_not_kept(name: str) -> None:
    answer = LARGE[name]()
    tracemalloc.start()
    try:
        with serving_bytes(answer) as (url, seen):
            error = failure(Connection(url, retries=2), "GET")
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, NoAnswer)
    assert "the answer is larger than 32 MB" in str(error)
    assert peak < 3 * transport.LARGEST_ANSWER
    assert len(seen) == 1


def mounts(count: int) -> bytes:
    """Return the list of ``count`` mounts."""
    row = {"accessor": "x" * 30, "config": {"a": 1}, "description": "d" * 300, "uuid": "u" * 36}
    data = {f"mount-{number}/": row for number in range(count)}
    return json.dumps({"request_id": "an-id", "data": data}).encode()


@pytest.mark.parametrize("packs", [False, True])
def test_a_long_list_fits(packs: bool) -> None:
    content = mounts(8000)
    plain = says(OK + b"Content-Length: %d\r\n\r\n" % len(content), content)
    answer = packed(gzip.compress(content)) if packs else plain
    with serving_bytes(answer) as served, VaultClient(Connection(served[0])) as client:
        assert len(client.request("GET", "sys/mounts").body["data"]) == 8000


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (packed(gzip.compress(b"{}" * 999)[:-20]), "ends too early"),
        (packed(b"nothing of the kind"), "incorrect header check"),
        (packed(b"{}", b"br"), "packed in a way that was not asked for"),
        (says(OK + b"Content-Length: 99\r\n\r\n{"), "before the answer"),
    ],
)
def test_an_answer_that_is_cut_or_packed_in_another_way(answer: Answer, words: str) -> None:
    with serving_bytes(answer) as (url, _seen):
        error = failure(Connection(url, retries=0))
    assert isinstance(error, NoAnswer)
    assert words in str(error)


# Answers with which no library can cope.

ODD = {
    "charset that does not exist": b"Content-Type: application/json; charset=nope\r\n",
    "charset that is none of text": b"Content-Type: text/html; charset=punycode\r\n",
    "charset that is undefined": b"Content-Type: text/html; charset=undefined\r\n",
    "Retry-After that looks like a number": b"Retry-After: \xb2\r\n",
    "Retry-After of 400 digits": b"Retry-After: " + b"9" * 400 + b"\r\n",
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("body", [b'{"errors":["words"]}', b"<html>\xff words"])
def test_odd_headers(name: str, body: bytes) -> None:
    head = b"HTTP/1.1 400 Bad\r\n" + ODD[name] + b"Content-Length: %d\r\n\r\n" % len(body)
    with serving_bytes(says(head + body)) as (url, _seen):
        assert "words" in str(failure(Connection(url, retries=0)))


def as_json(status: int, body: str) -> Answer:
    """Return what answers with ``body``."""
    head = b"HTTP/1.1 %d S\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    return says(head % (status, len(body)) + body.encode())


# What a server never says of a write, or says where it may have done it.
NO_OUTCOMES = {
    **{f"{status} without a word": (status, '{"errors": []}') for status in (400, 403, 404, 500)},
    "503 with an empty word": (503, '{"errors": [""]}'),
    "404 with data": (404, '{"request_id": "1", "data": null}'),
    "nothing, with a length": (204, '{"request_id": "1"}'),
    "an error beside data": (200, '{"request_id": "1", "data": null, "errors": ["no"]}'),
    "after the request": (500, '{"errors": ["internal error"]}'),
    "a standby without its leader": (
        500,
        '{"errors": ["local node not active but active cluster node not found"]}',
    ),
}


@pytest.mark.parametrize("name", NO_OUTCOMES)
def test_a_write_whose_outcome_nobody_told(name: str) -> None:
    with serving_bytes(as_json(*NO_OUTCOMES[name])) as (url, _seen):
        assert isinstance(failure(Connection(url, retries=0)), NoAnswer)


@pytest.mark.parametrize("name", ["404 without a word", "404 with data"])
def test_a_read_of_what_is_not_there(name: str) -> None:
    with serving_bytes(as_json(*NO_OUTCOMES[name])) as (url, _seen):
        assert isinstance(failure(Connection(url, retries=0), "GET"), NothingThere)


def test_what_a_redirect_led_to_is_no_server() -> None:
    """The next request goes to the address of the user again."""
    closed = b"Connection: close\r\nContent-Length: 0\r\n\r\n"
    there = b"HTTP/1.1 307 S\r\nLocation: /other/v1/sys/x\r\n" + closed
    answers = [says(there), as_json(200, "<html>"), says(DONE)]

    def answer(connection: socket.socket, request: bytes) -> None:
        answers.pop(0)(connection, request)

    with serving_bytes(answer) as (url, seen):
        connection = Connection(url, retries=0)
        with VaultClient(connection) as client:
            with pytest.raises(NoAnswer):
                client.request("GET", "sys/x")
            client.request("GET", "sys/x")
    paths = [request.split()[1].decode() for request in seen]
    assert paths == ["/v1/sys/x", "/other/v1/sys/x", "/v1/sys/x"]


@pytest.mark.parametrize("location", [b"http://[", b"https://other.example/v1/sys/x", b"/other"])
@pytest.mark.parametrize(
    ("method", "repeatable"), [("POST", True), ("DELETE", True), ("POST", False)]
)
def test_a_write_that_is_redirected_to_nowhere_may_be_done(
    location: bytes, method: str, repeatable: bool
) -> None:
    """Whoever answers other requests may have passed it on before; a read changes nothing."""
    closed = b"Connection: close\r\nContent-Length: 0\r\n\r\n"

    def answer(connection: socket.socket, request: bytes) -> None:
        is_asked = b" /v1/sys/x " in request
        redirect = b"HTTP/1.1 307 S\r\nLocation: %s\r\n" % location + closed
        says(redirect if is_asked else b"HTTP/1.1 200 S\r\n" + closed)(connection, request)

    with serving_bytes(answer) as (url, _seen):
        connection = Connection(url, retries=0)
        with VaultClient(connection) as client:
            with pytest.raises(NoAnswer, match="may have been forwarded before"):
                client.request(method, "sys/x", repeatable=repeatable)
            with pytest.raises(Refused):
                client.request("GET", "sys/x")


@pytest.mark.parametrize("status", [b"200 OK", b"400 Bad"])
def test_deep_json(status: bytes) -> None:
    body = b"[" * 100_000
    head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    with serving_bytes(says(head + body)) as (url, _seen):
        assert isinstance(failure(Connection(url, retries=0)), VaultError)


# Secrets are masked before anything is cut.

SECRETS = ["correct horse battery staple", 'quo"te\\d', "line\nbreak and more", "s.token"]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("as_json", [True, False])
def test_a_secret_across_the_cut(secret: str, as_json: bool) -> None:
    for start in range(150, 210, 3):
        words = "w " * (start // 2) + secret + " end" * 9
        body = json.dumps({"errors": [words]}).encode() if as_json else words.encode()
        head = b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n" % len(body)
        with (
            serving_bytes(says(head + body)) as (url, _seen),
            VaultClient(Connection(url)) as client,
        ):
            client.secrets.add(secret)
            with pytest.raises(Refused if as_json else NoAnswer) as raised:
                client.request("POST", "sys/x")
        told = str(raised.value) + str(raised.value.errors)
        assert not any(word in told for word in secret.split() if len(word) > 4)


@pytest.mark.parametrize(
    "body", [b'{"auth": {"client_token": "canary"}}', b'{"auth": {"client_token": "canary']
)
def test_a_login_whose_answer_is_odd_shows_no_token(body: bytes) -> None:
    head = OK + b"Content-Length: %d\r\n\r\n" % len(body)
    with serving_bytes(says(head + body)) as (url, _seen):
        error = failure(Connection(url, retries=0))
    assert isinstance(error, NoAnswer)
    assert "canary" not in str(error)


# Names and ways.


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
@pytest.mark.parametrize("through", [False, True])
def test_the_server_name_holds_everywhere(
    ca: trustme.CA, ca_file: str, scheme: str, through: bool
) -> None:
    asked: list[str | None] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("vault.example.com").configure_cert(context)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with serving_bytes(says(DONE), context) as (url, _seen), connect_proxy() as (proxy, tunnels):
        params = {
            **dict.fromkeys(CONNECTION_SPEC),
            "url": url.replace("https", scheme),
            "ca_cert": ca_file,
            "tls_server_name": "vault.example.com",
            "proxies": proxy if through else None,
        }
        with VaultClient(Connection.from_params(params)) as client:
            assert client.request("GET", "sys/x").status == 200
        error = failure(Connection.from_params({**params, "tls_server_name": ""}), "GET")
        assert isinstance(error, NotSent)
    assert asked[0] == "vault.example.com"
    assert bool(tunnels) is through
