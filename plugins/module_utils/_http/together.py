# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that does not depend on each other, done at the same time by a few threads.

Only the main thread gets signals: when one ends the task, or anything else does, the threads stop
at their next wait, and the call ends after the last of them.
"""

from __future__ import annotations

import contextlib
import itertools
import signal
import socket
import threading
import time
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._http.interruption import SIGNALS

# Requests to one server that do not depend on each other go on so many connections.
MOST_CONNECTIONS = 8

T = t.TypeVar("T")


class Stopped(BaseException):
    """The task ends, and with it this thread.  No error: it passes all handlers."""


class _Shared:
    """What the threads of a task share: whether they are to stop, and the sockets they wait at."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.sockets: dict[int, socket.socket] = {}
        self._busy: dict[int, int] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def threads_for(self, client: object, wanted: int, most: int) -> t.Iterator[int]:
        """Yield how many more threads may work for ``client``, of ``wanted``, this one not counted.

        All that work for it at a time, also in calls inside of others, are at most ``most``.
        """
        own = 0 if _OWN.client is client else 1
        with self._lock:
            busy = self._busy.get(id(client), 0) + own
            more = max(0, min(wanted, most - busy))
            self._busy[id(client)] = busy + more
        try:
            yield more
        finally:
            with self._lock:
                self._busy[id(client)] -= own + more

    def stop(self) -> None:
        """Let each thread end at its next wait, and at once where it waits for an answer."""
        self.stopped.set()
        for sock in list(self.sockets.values()):
            with contextlib.suppress(OSError):
                # Not the method of a TLS socket, which is that thread's own.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _OwnThread(threading.local):
    """What this thread works in: ``client`` is whose requests it sends, ``warnings`` its own."""

    shared: _Shared | None = None
    client: object = None
    warnings: list[str] | None = None
    shielded = False


_OWN = _OwnThread()


class Client(t.Protocol):
    """A client, or what else takes warnings and has threads work for it."""

    @property
    def near(self) -> bool:
        """Whether its server is known to answer sooner than a thread costs."""

    @property
    def untried(self) -> bool:
        """Whether the next request shows whether the server takes any: see together()."""

    def warn(self, *warnings: str) -> None:
        """Take warnings for the user."""


def together(
    client: Client,
    works: t.Sequence[t.Callable[[], T]],
    *,
    most: int = MOST_CONNECTIONS,
    quick: bool = False,
    ends: t.Callable[[T], bool] | None = None,
) -> list[T]:
    """Do ``works``, up to ``most`` at the same time; return what came of them, in their order.

    The warnings of each go to ``client`` in that order, too.  After one for which ``ends`` is true,
    and after one that raises, no other is begun, and those under way are waited for: then the list
    is shorter, or the first exception is raised.  ``quick`` work, which costs the server next to
    nothing, goes one after the other where the server is near.  Credentials and namespaces that are
    still to be tried go with the first one alone: a server counts refusals of a login, and locks
    who has too many.
    """
    if quick and client.near:
        most = 1
    done: list[T] = []
    while client.untried and len(works) - len(done) > 1:
        done += _at_once(client, works[len(done) : len(done) + 1], 1, ends)
        if ends is not None and ends(done[-1]):
            return done
    return done + _at_once(client, works[len(done) :], most, ends)


def _at_once(
    client: Client,
    works: t.Sequence[t.Callable[[], T]],
    most: int,
    ends: t.Callable[[T], bool] | None,
) -> list[T]:
    shared = _OWN.shared or _Shared()
    with shared.threads_for(client, len(works) - 1, most) as more:
        return _Group(shared, client, works, ends).done(more)


def pause(seconds: float) -> None:
    """Sleep; raises Stopped in a thread that is to end."""
    if _OWN.shared is None:
        time.sleep(seconds)
    elif _OWN.shared.stopped.wait(seconds):
        check_stopped()


def check_stopped() -> None:
    """Raise Stopped where this thread is to end, and what it does may be cut short."""
    if _OWN.shared is not None and _OWN.shared.stopped.is_set() and not _OWN.shielded:
        raise Stopped


def waits_at(sock: t.Any) -> None:
    """Note the socket of a connection at which this thread will wait; raises Stopped."""
    if _OWN.shared is None or _OWN.shielded:
        return
    if isinstance(sock, socket.socket):
        _OWN.shared.sockets[threading.get_ident()] = sock
    check_stopped()


def own_warnings() -> list[str] | None:
    """Return the warnings of the work that this thread does, None where it does none."""
    return _OWN.warnings


@contextlib.contextmanager
def shielded() -> t.Iterator[None]:
    """Let the block end in a thread that is to stop: a token that is made has to be known."""
    before = _OWN.shielded
    _OWN.shielded = True
    if _OWN.shared is not None:
        _OWN.shared.sockets.pop(threading.get_ident(), None)
    try:
        yield
    finally:
        _OWN.shielded = before


class _Group(t.Generic[T]):
    """One call of together()."""

    def __init__(
        self,
        shared: _Shared,
        client: Client,
        works: t.Sequence[t.Callable[[], T]],
        ends: t.Callable[[T], bool] | None,
    ) -> None:
        self._client = client
        self._works = works
        self._ends = ends
        self._shared = shared
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._over = False
        self._results: dict[int, T] = {}
        self._errors: dict[int, BaseException] = {}
        self._warnings: dict[int, list[str]] = {}

    def done(self, more: int) -> list[T]:
        """Do the work by this thread and ``more`` others; see together()."""
        threads = [threading.Thread(target=self._run_thread) for _number in range(more)]
        started: list[threading.Thread] = []
        try:
            with _signals_blocked(bool(threads)):
                for thread in threads:
                    thread.start()
                    started.append(thread)
            self._work()
            for thread in started:
                thread.join()
        except BaseException:
            self._over = True
            self._shared.stop()
            raise
        finally:
            for thread in started:
                thread.join()
            for number in sorted(self._warnings):
                if self._warnings[number]:
                    self._client.warn(*self._warnings[number])
        if self._errors:
            raise self._errors[min(self._errors)]
        return [self._results[number] for number in sorted(self._results)]

    def _run_thread(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - the thread that waits raises it
            self._over = True
            self._errors[len(self._works)] = error

    def _work(self) -> None:
        """Do one work after the other, until none is left, or no more is to begin."""
        before = (_OWN.shared, _OWN.client, _OWN.warnings)
        try:
            while True:
                number = self._next()
                if number is None:
                    return
                warnings = self._warnings.setdefault(number, [])
                _OWN.shared, _OWN.client, _OWN.warnings = self._shared, self._client, warnings
                try:
                    result = self._works[number]()
                except Exception as error:  # noqa: BLE001 - raised by done(), in order
                    self._errors[number] = error
                    self._over = True
                    return
                self._results[number] = result
                self._over = self._over or (self._ends is not None and self._ends(result))
        finally:
            self._shared.sockets.pop(threading.get_ident(), None)
            _OWN.shared, _OWN.client, _OWN.warnings = before

    def _next(self) -> int | None:
        with self._lock:
            if self._over or self._shared.stopped.is_set():
                return None
            number = next(self._numbers)
            return number if number < len(self._works) else None


@contextlib.contextmanager
def _signals_blocked(wanted: bool) -> t.Iterator[None]:
    """Let the threads that start here inherit that signals are the main thread's."""
    if not wanted:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
