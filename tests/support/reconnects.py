# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTPS front of a real server that ends each connection after one answer.

So each request of a task looks its name up and checks the certificate anew, and one of them may
meet what the others did not: another certificate, or no address.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import socket
import ssl
import typing as t

import trustme

from .balancer import passed_on
from .http_servers import QuietHandler, serving, tls_side

HOST = "localhost"


@dataclasses.dataclass
class ReconnectingFront:
    """A running front; ``met`` counts the connections, or the look-ups, since ``arm``.

    The one with the number ``position``, from 0 on, meets the fault, and no other.
    """

    url: str
    ca_cert: str
    position: int = -1
    met: int = 0

    def arm(self, position: int = -1) -> None:
        """Let the request at ``position`` of the next task meet the fault; -1 for none."""
        self.position, self.met = position, 0

    def is_due(self) -> bool:
        """Count a connection or look-up; tell whether it is the one to spoil."""
        self.met += 1
        return self.met == self.position + 1

    def look_up(self, host: str, *more: t.Any, **options: t.Any) -> t.Any:
        """Be socket.getaddrinfo: without an address where the fault is due."""
        if host == HOST and self.is_due():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return _look_up(host, *more, **options)


_look_up = socket.getaddrinfo


@contextlib.contextmanager
def reconnecting_front(
    server_url: str, folder: pathlib.Path, *, certificates: bool
) -> t.Iterator[ReconnectingFront]:
    """Run a front of ``server_url`` for the length of a ``with`` block.

    With ``certificates`` its fault is one of another authority; else look_up() has it.
    """
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    tls, other = tls_side(ca, HOST), tls_side(trustme.CA(), HOST)

    def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        if certificates and front.is_due():
            connection.context = other

    tls.sni_callback = choose

    class Handler(QuietHandler):
        def do(self) -> None:
            self.close_connection = True
            answer = passed_on(server_url, self.command, self.path, self.body(), self.headers)
            status, content, headers = answer
            self.reply(status, content, {**headers, "Connection": "close"})

    with serving(Handler, tls) as url:
        front = ReconnectingFront(url.replace("127.0.0.1", HOST), str(folder / "ca.pem"))
        yield front
