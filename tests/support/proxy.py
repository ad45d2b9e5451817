# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy between the module and a real server: it counts requests, and can cut one off."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import typing as t
import urllib.parse

from .http_servers import QuietHandler, serving


@dataclasses.dataclass
class Proxy:
    """A running proxy; ``cut_posts`` hangs up on a POST after so many seconds, on both sides."""

    url: str
    seen: list[str] = dataclasses.field(default_factory=list)
    cut_posts: float | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variable that sends a run of Ansible through this proxy."""
        return {"HTTP_PROXY": self.url}

    @property
    def posts(self) -> list[str]:
        """The requests that could change something."""
        return [line for line in self.seen if not line.startswith("GET ")]


@contextlib.contextmanager
def counting_proxy() -> t.Iterator[Proxy]:
    """Run a proxy on loopback for the length of a ``with`` block."""

    class Handler(QuietHandler):
        def do(self) -> None:
            target = urllib.parse.urlsplit(self.path)
            api_path = target._replace(scheme="", netloc="").geturl()
            proxy.seen.append(f"{self.command} {api_path.removeprefix('/v1/')}")
            patience = proxy.cut_posts if self.command == "POST" else None
            upstream = http.client.HTTPConnection(target.netloc, timeout=patience)
            try:
                upstream.request(self.command, api_path, self.body(), dict(self.headers))
                answer = upstream.getresponse()
                self.reply(answer.status, answer.read(), {})
            except TimeoutError:
                self.close_connection = True
            finally:
                upstream.close()

    with serving(Handler) as url:
        proxy = Proxy(url)
        yield proxy
