# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy between the module and a real server: it counts requests, and can cut one off."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import itertools
import re
import ssl
import time
import typing as t
import urllib.parse

from .http_servers import QuietHandler, end_to_end, serving


@dataclasses.dataclass
class Proxy:
    """A running proxy; ``cut_posts`` hangs up on a POST after so many seconds, on both sides.

    ``delays`` are how many seconds a request waits before it is passed on, by its line, and
    ``before`` is what is done then; ``strips`` are beginnings of headers that do not get through.
    """

    url: str
    seen: list[str] = dataclasses.field(default_factory=list)
    headers: set[str] = dataclasses.field(default_factory=set)
    cut_posts: float | None = None
    delays: dict[str, float] = dataclasses.field(default_factory=dict)
    before: dict[str, t.Callable[[], object]] = dataclasses.field(default_factory=dict)
    strips: tuple[str, ...] = ()

    def sent_headers(self, start: str) -> set[str]:
        """Return the names of headers that came, of those that begin so."""
        return {name for name in self.headers if name.startswith(start)}

    @property
    def environment(self) -> dict[str, str]:
        """The variable that sends a run of Ansible through this proxy."""
        return {"HTTP_PROXY": self.url}

    @property
    def posts(self) -> list[str]:
        """The requests that could change something."""
        return [line for line in self.seen if not line.startswith("GET ")]


# What a task sends at the same time, as it does not depend on each other.
_TOGETHER = (
    re.compile(r"GET sys/(mounts|auth|plugins/(catalog|pins))\b|LIST sys/namespaces"),
    re.compile(r"POST sys/mounts/.*/tune"),
)


def by_rounds(lines: t.Iterable[str]) -> list[str]:
    """Return the requests, sorted where those next to each other may go at the same time."""

    def kind(line: str) -> object:
        return next((each for each in _TOGETHER if each.match(line)), line)

    return [line for _kind, group in itertools.groupby(lines, kind) for line in sorted(group)]


def counting_proxy() -> contextlib.AbstractContextManager[Proxy]:
    """Run a proxy on loopback for the length of a ``with`` block."""
    return _forwarding("", None)


def tls_front(server_url: str, tls: ssl.SSLContext) -> contextlib.AbstractContextManager[Proxy]:
    """Run an HTTPS front of the server at ``server_url`` for the length of a ``with`` block."""
    return _forwarding(server_url, tls)


def plain_front(server_url: str) -> contextlib.AbstractContextManager[Proxy]:
    """Run an HTTP front of the server at ``server_url`` for the length of a ``with`` block."""
    return _forwarding(server_url, None)


@contextlib.contextmanager
def standby_front(leader_url: str, *, forwards: bool) -> t.Iterator[Proxy]:
    """Run what answers as a standby of the server at ``leader_url``.

    It forwards reads; of a write it loses the answer, and then redirects to the leader, as one of
    Vault does.  One that does not forward redirects everything.
    """

    class Handler(QuietHandler):
        def do(self) -> None:
            proxy.seen.append(f"{self.command} {self.path.removeprefix('/v1/')}")
            upstream = http.client.HTTPConnection(urllib.parse.urlsplit(leader_url).netloc)
            with contextlib.closing(upstream):
                body = self.body()
                if forwards:
                    upstream.request(self.command, self.path, body, dict(self.headers))
                    answer = upstream.getresponse()
                    content = answer.read()
                if forwards and self.command == "GET":
                    self.reply(answer.status, content, end_to_end(answer.headers))
                else:
                    self.reply(307, b"", {"Location": f"{leader_url}{self.path}"})

    with serving(Handler) as url:
        proxy = Proxy(url)
        yield proxy


@contextlib.contextmanager
def _forwarding(upstream_url: str, tls: ssl.SSLContext | None) -> t.Iterator[Proxy]:
    class Handler(QuietHandler):
        def do(self) -> None:
            # A proxy gets the whole address, a front just the path.
            target = urllib.parse.urlsplit(urllib.parse.urljoin(upstream_url, self.path))
            api_path = target._replace(scheme="", netloc="").geturl()
            proxy.seen.append(f"{self.command} {api_path.removeprefix('/v1/')}")
            proxy.headers.update(self.headers)
            time.sleep(proxy.delays.get(proxy.seen[-1], 0.0))
            proxy.before.get(proxy.seen[-1], lambda: None)()
            timeout = proxy.cut_posts if self.command == "POST" else None
            headers = {
                name: value
                for name, value in self.headers.items()
                if not name.startswith(proxy.strips)
            }
            upstream = http.client.HTTPConnection(target.netloc, timeout=timeout)
            try:
                upstream.request(self.command, api_path, self.body(), headers)
                answer = upstream.getresponse()
                self.reply(answer.status, answer.read(), end_to_end(answer.headers))
            except TimeoutError:
                self.close_connection = True
            finally:
                upstream.close()

    with serving(Handler, tls) as url:
        proxy = Proxy(url)
        yield proxy
