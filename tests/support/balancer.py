# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a user and the nodes of a cluster: a load balancer, a slow line."""

from __future__ import annotations

import contextlib
import email.message
import http.client
import itertools
import threading
import time
import typing as t
import urllib.parse

from .http_servers import QuietHandler, end_to_end, serving


@contextlib.contextmanager
def round_robin(urls: t.Sequence[str]) -> t.Iterator[str]:
    """Pass each request to the next of ``urls`` for the length of a ``with`` block."""
    turns = itertools.cycle(urls)
    lock = threading.Lock()

    def next_url() -> str:
        with lock:
            return next(turns)

    with serving(_forwarder(next_url)) as url:
        yield url


@contextlib.contextmanager
def delaying_proxy(url: str, seconds: float) -> t.Iterator[str]:
    """Pass each request to ``url`` after ``seconds``, for the length of a ``with`` block."""

    def late_url() -> str:
        time.sleep(seconds)
        return url

    with serving(_forwarder(late_url)) as own_url:
        yield own_url


def _forwarder(upstream_url: t.Callable[[], str]) -> type[QuietHandler]:
    class Handler(QuietHandler):
        def do(self) -> None:
            body = self.body()
            try:
                answer = passed_on(upstream_url(), self.command, self.path, body, self.headers)
            except (OSError, http.client.HTTPException):
                # What a load balancer says of a node that is down.
                answer = (502, b"", {})
            self.reply(*answer)

    return Handler


def passed_on(
    server_url: str, method: str, path: str, body: bytes, headers: email.message.Message
) -> tuple[int, bytes, dict[str, str]]:
    """Send a request on to a server; return status, body and headers of its answer."""
    upstream = http.client.HTTPConnection(urllib.parse.urlsplit(server_url).netloc)
    with contextlib.closing(upstream):
        upstream.request(method, path, body, end_to_end(headers))
        answer = upstream.getresponse()
        return answer.status, answer.read(), end_to_end(answer.headers)
