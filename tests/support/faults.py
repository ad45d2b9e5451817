# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy between the collection and a real server that spoils one request of a task.

Whether it passes that request on before, is the fault's own: what comes back says nothing of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gzip
import socket
import struct
import time
import typing as t
import urllib.parse
import zlib

from .balancer import passed_on
from .http_servers import QuietHandler, serving

# What a server answers: status, body, headers.
Answer: t.TypeAlias = tuple[int, bytes, t.Mapping[str, str]]
Act: t.TypeAlias = t.Callable[[QuietHandler, Answer], None]
# What there is to spoil where the server did not get the request: no word in its own form.
NO_ANSWER: Answer = (200, b'{"status": "accepted", "detail": "by something on the way"}', {})
# No proxy goes on for ever: so long, and so many bytes.
LONGEST_SECONDS, LARGEST_BODY = 20.0, 300_000_000


@functools.lru_cache
def _gzip_bomb() -> bytes:
    packing = zlib.compressobj(1, wbits=31)
    # In pieces: the tests look at the memory of this process.
    pieces = [packing.compress(b" " * 1_000_000) for _number in range(200)]
    return b"".join([*pieces, packing.flush()])


def _hang_up(handler: QuietHandler, _answer: Answer) -> None:
    handler.close_connection = True


def _reset(handler: QuietHandler, _answer: Answer) -> None:
    # No waiting for what was not sent: the other side gets a reset.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def _write(handler: QuietHandler, content: bytes) -> None:
    handler.wfile.write(content)
    handler.close_connection = True


def _bytes(content: bytes) -> Act:
    return lambda handler, _answer: _write(handler, content)


def _head(answer: Answer, length: int | None = None) -> bytes:
    status, body, headers = answer
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([f"HTTP/1.1 {status} Status", *lines, "", ""]).encode("latin-1")


def _in_parts(sent: t.Callable[[bytes, bytes], bytes]) -> Act:
    return lambda handler, answer: _write(handler, sent(_head(answer), answer[1]))


def _told_length(more: int) -> Act:
    def act(handler: QuietHandler, answer: Answer) -> None:
        length = max(len(answer[1]) + more, 0)
        _write(handler, _head(answer, length) + answer[1])

    return act


def _half_a_json(handler: QuietHandler, answer: Answer) -> None:
    status, body, headers = answer
    handler.reply(status, body[: len(body) // 2], headers)


def _packed(pack: t.Callable[[bytes], bytes]) -> Act:
    def act(handler: QuietHandler, answer: Answer) -> None:
        status, body, headers = answer
        handler.reply(status, pack(body), {**headers, "Content-Encoding": "gzip"})

    return act


def _with_headers(lines: bytes) -> Act:
    return _in_parts(lambda head, body: head.replace(b"\r\n", b"\r\n" + lines, 1) + body)


def _after(first: bytes) -> Act:
    return _in_parts(lambda head, body: first + head + body)


def _endless(handler: QuietHandler, _answer: Answer) -> None:
    _write(handler, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    block = b" " * 1_000_000
    for _number in range(LARGEST_BODY // len(block)):
        handler.wfile.write(b"%x\r\n" % len(block) + block + b"\r\n")


def _trickle(handler: QuietHandler, answer: Answer) -> None:
    end = time.monotonic() + LONGEST_SECONDS
    for byte in _head(answer) + answer[1]:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.2)
        if time.monotonic() > end:
            break
    handler.close_connection = True


def _late(handler: QuietHandler, _answer: Answer) -> None:
    end = time.monotonic() + LONGEST_SECONDS
    handler.connection.settimeout(0.1)
    while time.monotonic() < end:
        # Until the task gives up.
        with contextlib.suppress(TimeoutError):
            if not handler.connection.recv(1):
                break
    handler.close_connection = True


@dataclasses.dataclass(frozen=True)
class Fault:
    """An answer that is not the server's own, or ``act``, which does something to it."""

    status: int = 0
    body: bytes = b""
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    act: Act | None = None

    def answer(self, handler: QuietHandler, of_server: Answer | None) -> None:
        """Answer a request to which the server said ``of_server``, None where it did not get it."""
        if self.act is not None:
            self.act(handler, of_server or NO_ANSWER)
        else:
            handler.reply(self.status, self.body, self.headers)


FAULTS = {
    "hang-up": Fault(act=_hang_up),
    "empty 502": Fault(502),
    "page 502": Fault(502, b"<html>Bad Gateway</html>"),
    "JSON 504": Fault(504, b'{"message": "Endpoint request timed out"}'),
    "504 with errors": Fault(504, b'{"errors": ["upstream request timeout"]}'),
    "503 of a mesh": Fault(503, b"upstream connect error or disconnect/reset before headers"),
    "429 of a gateway": Fault(429, b'{"message": "API rate limit exceeded"}'),
    "403 of a firewall": Fault(403, b"<html>Request blocked</html>"),
    "404 page": Fault(404, b"<html>Not Found</html>"),
    "empty 400": Fault(400),
    "errors of another kind": Fault(500, b'{"errors": [{"code": 17}]}'),
    "errors that are a number": Fault(500, b'{"errors": 5}'),
    "errors without a word": Fault(500, b'{"errors": []}'),
    "403 without a word": Fault(403, b'{"errors": [""]}'),
    "errors beside data": Fault(200, b'{"request_id": "1", "data": null, "errors": ["no"]}'),
    # A server's own words, and an outcome all the same that nobody knows.
    "internal error": Fault(500, b'{"errors": ["internal error"]}'),
    "agent": Fault(500, b'{"errors": ["failed to get the response: Post: EOF"]}'),
    "cut header": Fault(200),
    "health of another": Fault(200, b'{"status": "ok"}'),
    "null": Fault(200, b"null"),
    "empty object": Fault(200, b"{}"),
    "data with nothing in it": Fault(200, b'{"request_id": "1", "data": {}}'),
    "data of another kind": Fault(200, b'{"request_id": "1", "data": [1]}'),
    "rows of another kind": Fault(200, b'{"request_id": "1", "data": {"a/": 7, "keys": 7}}'),
    "deep": Fault(200, b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "no content": Fault(204),
    "login page": Fault(303, headers={"Location": "/login"}),
    "not modified": Fault(304),
    "odd address": Fault(307, headers={"Location": "http://["}),
    "odd charset": Fault(200, b"{}", {"Content-Type": "application/json; charset=no-such"}),
    "reset": Fault(act=_reset),
    "cut in the headers": Fault(act=_in_parts(lambda head, body: head[: len(head) // 2])),
    "cut in the body": Fault(act=_in_parts(lambda head, body: head + body[: len(body) // 2])),
    "longer than told": Fault(act=_told_length(-1)),
    "shorter than told": Fault(act=_told_length(1)),
    "half a JSON": Fault(act=_half_a_json),
    "not packed": Fault(act=_packed(lambda body: body)),
    "packed, cut": Fault(act=_packed(lambda body: gzip.compress(body)[:-9])),
    "gzip bomb": Fault(act=_packed(lambda body: _gzip_bomb())),
    "60 kB of headers": Fault(act=_with_headers(b"X-Large: " + b"x" * 60_000 + b"\r\n")),
    "1 MB of headers": Fault(act=_with_headers(b"X-Large: " + b"x" * 1_000_000 + b"\r\n")),
    "2,000 headers": Fault(act=_with_headers(b"X-Many: 1\r\n" * 2_000)),
    "continue": Fault(act=_after(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "early hints": Fault(act=_after(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")),
    "early hints only": Fault(act=_bytes(b"HTTP/1.1 103 Early Hints\r\n\r\n")),
    "switching protocols": Fault(act=_bytes(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")),
    "a TLS alert": Fault(act=_bytes(b"\x15\x03\x03\x00\x02\x02\x28")),
    "no HTTP": Fault(act=_bytes(b"SSH-2.0-OpenSSH_9.9\r\n")),
    "HTTP/0.9": Fault(act=_bytes(b"hello\n")),
    "two answers": Fault(act=_in_parts(lambda head, body: (head + body) * 2)),
    "endless": Fault(act=_endless),
    "a byte now and then": Fault(act=_trickle),
    "no answer in time": Fault(act=_late),
}
# They take as long as a task waits for an answer, and the others no time at all.
SLOW = ("a byte now and then", "no answer in time")
BODIES = {
    "empty": (b"", "text/plain"),
    "text": (b"upstream request timeout", "text/plain"),
    "page": (b"<html><body>Error</body></html>", "text/html"),
    "JSON": (b'{"message": "from a gateway"}', "application/json"),
}
# What a proxy may say of its own accord.
STATUSES = {
    f"{status} {name}": Fault(status, body, {"Content-Type": content_type})
    for status in range(300, 600)
    for name, (body, content_type) in BODIES.items()
}


@dataclasses.dataclass
class FaultProxy:
    """A running proxy; ``fault`` answers the request with the number ``position``, from 0 on.

    ``writes`` are those that the server got.
    """

    url: str
    fault: Fault | None = None
    position: int = 0
    passes_on: bool = True
    seen: list[str] = dataclasses.field(default_factory=list)
    writes: list[str] = dataclasses.field(default_factory=list)

    def arm(self, fault: Fault | None, position: int = 0, *, passes_on: bool = True) -> None:
        """Answer the request at ``position`` of the next task by ``fault``."""
        self.fault, self.position, self.passes_on = fault, position, passes_on
        self.seen, self.writes = [], []


@contextlib.contextmanager
def fault_proxy(server_url: str) -> t.Iterator[FaultProxy]:
    """Run a proxy to ``server_url`` on loopback for the length of a ``with`` block."""

    class Handler(QuietHandler):
        def do(self) -> None:
            target = urllib.parse.urlsplit(self.path)
            path = target._replace(scheme="", netloc="").geturl()
            body = self.body()
            answer: Answer | None = None
            mine = proxy.fault if len(proxy.seen) == proxy.position else None
            proxy.seen.append(f"{self.command} {path.removeprefix('/v1/')}")
            if mine is None or proxy.passes_on:
                proxy.writes += [self.path] if self.command not in ("GET", "LIST") else []
                answer = passed_on(server_url, self.command, path, body, self.headers)
            if mine is not None:
                mine.answer(self, answer)
            elif answer is not None:
                self.reply(*answer)

    with serving(Handler) as url:
        proxy = FaultProxy(url)
        yield proxy
