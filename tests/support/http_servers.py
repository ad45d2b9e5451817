# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP servers of the tests' own on loopback."""

from __future__ import annotations

import contextlib
import http.server
import ssl
import threading
import typing as t


class QuietHandler(http.server.BaseHTTPRequestHandler):
    """A handler that keeps connections alive and the tests' output to the tests.

    Each method of the API goes to do(), which a server defines.
    """

    protocol_version = "HTTP/1.1"

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
