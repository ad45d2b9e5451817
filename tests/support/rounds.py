# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy that counts round trips: how many times a task waits for the server, one after the other.

It delays each request until no other has come for a moment, and then passes all on at once: what is
sent at the same time is one round.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import threading
import time
import typing as t
import urllib.parse

from .http_servers import QuietHandler, end_to_end, serving

# A round is complete when nothing has come for so many seconds.
QUIET = 0.6


@dataclasses.dataclass
class Rounds:
    """The rounds so far: the lines of their requests, sorted."""

    url: str = ""
    rounds: list[list[str]] = dataclasses.field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of round trips."""
        return len(self.rounds)

    @property
    def widest(self) -> int:
        """The most requests that were under way at a time."""
        return max(map(len, self.rounds), default=0)


class _Gate:
    """Holds requests back, and lets all of a round go on."""

    def __init__(self, seen: Rounds) -> None:
        self._seen = seen
        self._changed = threading.Condition()
        self._held: list[str] = []
        self._last = 0.0
        self._round = 0
        self._over = False

    def wait(self, line: str) -> None:
        """Wait until the round of this request is complete."""
        with self._changed:
            self._held.append(line)
            self._last = time.monotonic()
            own = self._round
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._round > own or self._over, timeout=60)

    def run(self) -> None:
        """Complete one round after the other."""
        with self._changed:
            while not self._over:
                if not self._held:
                    self._changed.wait(1)
                    continue
                left = self._last + QUIET - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                self._seen.rounds.append(sorted(self._held))
                self._held.clear()
                self._round += 1
                self._changed.notify_all()

    def close(self) -> None:
        """Let everything go."""
        with self._changed:
            self._over = True
            self._changed.notify_all()


@contextlib.contextmanager
def rounds_proxy() -> t.Iterator[Rounds]:
    """Run the proxy on loopback for the length of a ``with`` block."""
    seen = Rounds()
    gate = _Gate(seen)

    class Handler(QuietHandler):
        def do(self) -> None:
            target = urllib.parse.urlsplit(self.path)
            path = target._replace(scheme="", netloc="").geturl()
            body = self.body()
            gate.wait(f"{self.command} {path.removeprefix('/v1/')}")
            upstream = http.client.HTTPConnection(target.netloc, timeout=120)
            with contextlib.closing(upstream):
                upstream.request(self.command, path, body, dict(self.headers))
                answer = upstream.getresponse()
                self.reply(answer.status, answer.read(), end_to_end(answer.headers))

    thread = threading.Thread(target=gate.run)
    thread.start()
    try:
        with serving(Handler) as url:
            seen.url = url
            yield seen
    finally:
        gate.close()
        thread.join()
