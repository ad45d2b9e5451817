# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One exchange on a connection: it ends at its deadline, and knows whether anything was sent.

A timeout of a socket bounds each read of it: a server that sends a byte now and then would hold a
task for ever.  And no exception of the libraries says for certain whether the request went out.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
import threading
import time
import typing as t


class Exchange(threading.local):
    """The exchange of this thread.

    ``deadline`` is when it has to be over, by time.monotonic().  ``sent`` says whether a part of
    the request went out; None as long as nothing even tried to connect.
    """

    deadline: float = 0.0
    sent: bool | None = None

    def begin(self, timeout: float) -> None:
        """Note that a new one begins, which may take ``timeout`` seconds."""
        self.deadline = time.monotonic() + timeout
        self.sent = None


EXCHANGE = Exchange()


class _UntilDeadline(io.RawIOBase):
    """Reads from ``sock`` through its file ``raw``, no longer than until the deadline."""

    def __init__(self, raw: t.Any, sock: t.Any) -> None:
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        left = EXCHANGE.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    """A response whose headers and body arrive before the deadline, or not at all."""

    def __init__(self, sock: t.Any, *args: t.Any, **more: t.Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp = io.BufferedReader(_UntilDeadline(self.fp.detach(), sock))


class BoundedConnection(http.client.HTTPConnection):
    """What makes a connection of `urllib3` a part of an exchange, put before its class."""

    response_class = BoundedResponse

    def connect(self) -> None:
        EXCHANGE.sent = False
        try:
            super().connect()
        finally:
            EXCHANGE.sent = False  # what went out so far was for the proxy

    def send(self, data: t.Any) -> None:
        if self.sock is None:
            self.connect()
        EXCHANGE.sent = True
        super().send(data)


@functools.lru_cache(maxsize=None)
def bounded(pool: type) -> type:
    """Return the class of pools whose connections are bounded, made of a class of `urllib3`."""
    own: t.Any = pool
    if issubclass(own.ConnectionCls, BoundedConnection):
        return pool
    connection = type("Connection", (BoundedConnection, own.ConnectionCls), {})
    return type("Pool", (pool,), {"ConnectionCls": connection})
