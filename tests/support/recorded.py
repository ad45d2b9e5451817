# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of recorded answers: a stand-in for what no server here can do.

For Vault Enterprise's answers and for broken networks only; everything else is tested against a
real server.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import json
import threading
import time
import typing as t


@dataclasses.dataclass(frozen=True)
class Recorded:
    """One recorded answer.  ``hang_up`` ends the connection instead, after ``delay`` seconds."""

    status: int = 200
    body: str | dict[str, t.Any] = ""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    delay: float = 0.0
    hang_up: bool = False


@dataclasses.dataclass(frozen=True)
class SeenRequest:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: t.Any


@dataclasses.dataclass
class RecordedServer:
    """Answers each request by the first row of ``answers`` whose "METHOD path" it begins with."""

    url: str
    answers: dict[str, Recorded]
    seen: list[SeenRequest] = dataclasses.field(default_factory=list)

    def answer(self, request: SeenRequest) -> Recorded:
        """Note the request and return its recorded answer; 404 where there is none."""
        self.seen.append(request)
        line = f"{request.method} {request.path}"
        rows = (answer for start, answer in self.answers.items() if line.startswith(start))
        return next(rows, Recorded(404, {"errors": []}))


@contextlib.contextmanager
def recorded_server(answers: dict[str, Recorded]) -> t.Iterator[RecordedServer]:
    """Serve ``answers`` on loopback for the length of a ``with`` block."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = SeenRequest(
                self.command, self.path, dict(self.headers), json.loads(text) if text else None
            )
            answer = recorded.answer(request)
            time.sleep(answer.delay)
            if answer.hang_up:
                self.close_connection = True
                return
            body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_PUT = do_LIST = do_DELETE = do  # noqa: N815

        def log_message(self, format: str, *args: t.Any) -> None:
            """Keep the tests' output to the tests."""

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recorded = RecordedServer(f"http://127.0.0.1:{httpd.server_address[1]}", answers)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield recorded
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
