# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy between the collection and a real server that answers one request itself.

Whether it passes that request on before, is the fault's own: what comes back says nothing of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
import urllib.parse

from .balancer import passed_on
from .http_servers import QuietHandler, serving


@dataclasses.dataclass(frozen=True)
class Fault:
    """An answer that is not the server's own; ``status`` 0 is a connection that breaks."""

    status: int
    body: bytes = b""
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)


FAULTS = {
    "hang-up": Fault(0),
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
            mine = proxy.fault if len(proxy.seen) == proxy.position else None
            proxy.seen.append(f"{self.command} {path.removeprefix('/v1/')}")
            if mine is None or proxy.passes_on:
                proxy.writes += [self.path] if self.command not in ("GET", "LIST") else []
                answer = passed_on(server_url, self.command, path, body, self.headers)
            if mine is None:
                self.reply(*answer)
            elif mine.status == 0:
                self.close_connection = True
            else:
                self.reply(mine.status, mine.body, mine.headers)

    with serving(Handler) as url:
        proxy = FaultProxy(url)
        yield proxy
