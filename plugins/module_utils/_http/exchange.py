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
import ssl
import threading
import time
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._http.together import (
    check_stopped,
    waits_at,
)


class Exchange(threading.local):
    """The exchange of this thread.

    ``deadline`` is when it has to be over, by time.monotonic().  ``sent`` says whether a part of
    the request went out; None as long as nothing even tried to connect.  ``is_read`` says that it
    changes nothing, and ``connected`` that it made a connection.
    """

    deadline: float = 0.0
    sent: bool | None = None
    is_read: bool = True
    connected: bool = False

    def begin(self, timeout: float, *, is_read: bool) -> None:
        """Note that a new one begins, which may take ``timeout`` seconds."""
        check_stopped()
        self.deadline = time.monotonic() + timeout
        self.sent = None
        self.is_read = is_read
        self.connected = False


EXCHANGE = Exchange()

# A connection that was silent for so many seconds may be closed by the server at any moment: what
# became of a write that crosses that is unknown.  A read is sent on it, if it is open.
IDLE_SECONDS = 0.5


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
    # What makes the TLS context, None without TLS; and since when the connection is silent.
    trust: t.Callable[[], ssl.SSLContext] | None = None
    silent_since = 0.0

    def connect(self) -> None:
        EXCHANGE.sent, EXCHANGE.connected = False, True
        if self.trust is not None:
            self.ssl_context = self.trust()
        try:
            super().connect()
        finally:
            EXCHANGE.sent = False  # what went out so far was for the proxy

    def send(self, data: t.Any) -> None:
        if self.sock is None:
            self.connect()
        waits_at(self.sock)
        EXCHANGE.sent = True
        super().send(data)


class BoundedPool:
    """What makes the connections of a pool of `urllib3` a part of an exchange, as above."""

    trust: t.Callable[[], ssl.SSLContext] | None = None

    def _new_conn(self) -> t.Any:
        connection = super()._new_conn()  # type: ignore[misc]
        connection.trust = self.trust
        return connection

    def _get_conn(self, timeout: float | None = None) -> t.Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        silent = time.monotonic() - connection.silent_since
        if connection.sock is not None and silent > IDLE_SECONDS and not EXCHANGE.is_read:
            connection.close()  # it opens again when it is used
        return connection

    def _put_conn(self, connection: t.Any) -> None:
        if connection is not None:
            connection.silent_since = time.monotonic()
        super()._put_conn(connection)  # type: ignore[misc]


@functools.lru_cache(maxsize=None)
def bounded(pool: type) -> type:
    """Return the class of pools whose connections are bounded, made of a class of `urllib3`."""
    own: t.Any = pool
    if issubclass(own, BoundedPool):
        return pool
    connection = type("Connection", (BoundedConnection, own.ConnectionCls), {})
    return type("Pool", (BoundedPool, pool), {"ConnectionCls": connection})
