# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of hand-written answers: a stand-in for what no server here can do.

For the answers of Vault Enterprise and of old releases, and for broken networks; the test's name
says so, and the source of each answer stands beside it.  All else is tested against a real server,
or against what one answered (recordings.py).
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
import typing as t

from .http_servers import OF_A_SERVER, QuietHandler, serving


@dataclasses.dataclass(frozen=True)
class Answer:
    """One answer.  ``hang_up`` ends the connection instead, after ``delay`` seconds."""

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
class HandwrittenServer:
    """Answers each request by the first row of ``answers`` whose "METHOD path" it begins with.

    A row of ``once`` goes first, one time.
    """

    url: str
    answers: dict[str, Answer]
    once: dict[str, Answer] = dataclasses.field(default_factory=dict)
    seen: list[SeenRequest] = dataclasses.field(default_factory=list)

    def answer(self, request: SeenRequest) -> Answer:
        """Note the request and return its answer; 404 where there is none."""
        self.seen.append(request)
        line = f"{request.method} {request.path}"
        for start in self.once:
            if line.startswith(start):
                return self.once.pop(start)
        rows = (answer for start, answer in self.answers.items() if line.startswith(start))
        return next(rows, Answer(404, {"errors": []}))


def _as_sent(body: str | dict[str, t.Any]) -> str:
    """Return a body as a server sends it: each answer with data or a token has a request_id."""
    if isinstance(body, str):
        return body
    envelope = {"request_id": "0", "data": None} if {"data", "auth"} & body.keys() else {}
    return json.dumps({**envelope, **body})


@contextlib.contextmanager
def handwritten_server(
    answers: dict[str, Answer], *, once: dict[str, Answer] | None = None
) -> t.Iterator[HandwrittenServer]:
    """Serve ``answers`` on loopback for the length of a ``with`` block."""

    class Handler(QuietHandler):
        def do(self) -> None:
            text = self.body()
            request = SeenRequest(
                self.command, self.path, dict(self.headers), json.loads(text) if text else None
            )
            answer = server.answer(request)
            time.sleep(answer.delay)
            if answer.hang_up:
                self.close_connection = True
                return
            headers = {**OF_A_SERVER, **answer.headers}
            self.reply(answer.status, _as_sent(answer.body).encode(), headers)

    with serving(Handler) as url:
        server = HandwrittenServer(url, answers, dict(once or {}))
        yield server
