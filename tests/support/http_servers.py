# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP servers of the tests' own on loopback."""

from __future__ import annotations

import contextlib
import email.message
import http.server
import socket
import socketserver
import ssl
import threading
import typing as t
import urllib.parse

import trustme

# What both servers send with each answer.
OF_A_SERVER = {"Cache-Control": "no-store"}
# Of the connection, not of the request or the answer; reply() writes its own.
HOP_HEADERS = {"connection", "content-length", "date", "server", "transfer-encoding"}


class QuietHandler(http.server.BaseHTTPRequestHandler):
    """A handler that keeps connections alive and the tests' output to the tests.

    Each method of the API goes to do(), which a server defines.
    """

    protocol_version = "HTTP/1.1"
    # Headers and body go out as two parts: the second must not wait 40 ms for the first's receipt.
    disable_nagle_algorithm = True

    def do(self) -> None:
        """Answer one request."""
        raise NotImplementedError

    def body(self) -> bytes:
        """Read the body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, status: int, content: bytes, headers: t.Mapping[str, str]) -> None:
        """Send one whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def __getattr__(self, name: str) -> t.Callable[[], None]:
        if name.startswith("do_"):
            return self.do
        raise AttributeError(name)

    def handle(self) -> None:
        """Serve a connection; one that the client gives up is no news."""
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, format: str, *args: t.Any) -> None:
        """Say nothing."""


def end_to_end(headers: email.message.Message) -> dict[str, str]:
    """Return the headers of a request or an answer without those of the connection."""
    return {name: value for name, value in headers.items() if name.lower() not in HOP_HEADERS}


def tls_side(ca: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """Return the TLS side of a server on loopback, whose certificate is of ``ca``."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(name).configure_cert(context)
    return context


@contextlib.contextmanager
def serving(handler: type[QuietHandler], tls: ssl.SSLContext | None = None) -> t.Iterator[str]:
    """Serve by ``handler`` for the length of a ``with`` block; yields the address."""
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        # Not the handshake of each connection, which would block the next one: the handler's.
        httpd.socket = tls.wrap_socket(
            httpd.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{httpd.server_address[1]}"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@contextlib.contextmanager
def serving_bytes(
    answer: t.Callable[[socket.socket, bytes], None], tls: ssl.SSLContext | None = None
) -> t.Iterator[tuple[str, list[bytes]]]:
    """Serve by ``answer``, which gets each connection with the head and body of its request.

    Yields the address and the list of the requests.  What ``answer`` raises of the network ends the
    connection.
    """
    seen: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection = self.request
            with contextlib.suppress(OSError):
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                request = _one_request(connection)
                if request:
                    seen.append(request)
                    answer(connection, request)
                connection.close()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


def _one_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _end, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0].split(b":")[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def connect_proxy() -> t.Iterator[tuple[str, list[str]]]:
    """Run a proxy that tunnels by CONNECT; yields its address, and what it was asked for."""
    seen: list[str] = []

    def tunnel(client: socket.socket, request: bytes) -> None:
        method, target, _version = request.split(b"\r\n")[0].decode().split()
        seen.append(f"{method} {target}")
        to = urllib.parse.urlsplit(f"//{target}")
        with socket.create_connection((to.hostname or "", to.port or 443)) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            _pass_on(client, server)
            back.join(5)

    with serving_bytes(tunnel) as (url, _requests):
        yield url, seen


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
