# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy before a real server that gives some of its answers as another server would."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import typing as t
import urllib.parse

from .http_servers import QuietHandler, end_to_end, serving

# Gets status and body of the server's answer, and returns what the client is to get.
Edit = t.Callable[[int, bytes], tuple[int, bytes]]


@dataclasses.dataclass
class EditingProxy:
    """A running proxy; ``edits`` are by "METHOD path", ``strips`` are headers that it drops.

    A method that ``strips_of`` does not name keeps its headers.
    """

    url: str
    edits: dict[str, Edit] = dataclasses.field(default_factory=dict)
    strips: tuple[str, ...] = ()
    strips_of: tuple[str, ...] = ("GET", "LIST", "POST", "PUT", "DELETE")
    seen: list[str] = dataclasses.field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The variable that sends a run of Ansible through this proxy."""
        return {"HTTP_PROXY": self.url}


def page(status: int) -> Edit:
    """Return the edit that answers with a page of something else."""
    return lambda _status, _body: (status, b"<html><body>There is nothing here.</body></html>")


def rows(edit: t.Callable[[dict[str, t.Any]], None]) -> Edit:
    """Return the edit of the ``data`` of an answer, by a function that changes it."""

    def edited(status: int, body: bytes) -> tuple[int, bytes]:
        answer = json.loads(body)
        edit(answer["data"])
        return status, json.dumps(answer).encode()

    return edited


@contextlib.contextmanager
def editing_proxy() -> t.Iterator[EditingProxy]:
    """Run a proxy on loopback for the length of a ``with`` block."""

    class Handler(QuietHandler):
        def do(self) -> None:
            target = urllib.parse.urlsplit(self.path)
            api_path = target._replace(scheme="", netloc="").geturl()
            line = f"{self.command} {api_path.removeprefix('/v1/')}"
            proxy.seen.append(line)
            dropped = proxy.strips if self.command in proxy.strips_of else ()
            headers = {name: value for name, value in self.headers.items() if name not in dropped}
            upstream = http.client.HTTPConnection(target.netloc)
            try:
                upstream.request(self.command, api_path, self.body(), headers)
                answer = upstream.getresponse()
                status, body = answer.status, answer.read()
                kept = end_to_end(answer.headers)
            finally:
                upstream.close()
            edit = proxy.edits.get(line)
            self.reply(*(edit(status, body) if edit else (status, body)), kept)

    with serving(Handler) as url:
        proxy = EditingProxy(url)
        yield proxy
