# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals that end a task, and the requests that they must not cut short.

A signal belongs to the process, not to a client: so there is one Interruption at a time, and
uninterrupted() finds it.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import types
import typing as t

# Ctrl-C; a cancelled job; a terminal or connection that is gone; the task keyword timeout.
SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM")
    if hasattr(signal, name)
)

_NAMES = {
    "SIGINT": "SIGINT (Ctrl-C)",
    "SIGHUP": "SIGHUP (Ansible, its terminal or its connection is gone)",
    "SIGALRM": "the task's timeout (keyword timeout)",
}


class Interrupted(BaseException):
    """A signal ends the task.  No error of it: like KeyboardInterrupt, it passes all handlers."""


class Interruption:
    """While it is entered, a signal raises Interrupted, or waits for what is uninterrupted().

    ``say`` takes the line that tells why it waits.  It is called inside a signal handler, so it
    must not take a lock.  ``signal`` is the one that ends the task; ``writes`` are the requests
    that have, or may have, changed something.  ``ends_itself`` says that the operation first finds
    out, or undoes, what it did.
    """

    def __init__(self, say: t.Callable[[str], None]) -> None:
        self.signal: int | None = None
        self.writes: list[str] = []
        self._say = say
        self._waits: list[_Wait] = []
        self.ends_itself = False
        self._raised = False
        # Whether a Ctrl-C is another one, and not that whose SIGTERM by Ansible arrived before it.
        self._next_is_another = False
        self._before: dict[int, t.Any] = {}

    @property
    def by_timeout(self) -> bool:
        """Whether it was the task keyword timeout."""
        return self.signal is not None and self.signal_name == "SIGALRM"

    @property
    def signal_name(self) -> str:
        """The name of the signal that came."""
        return signal.Signals(self.signal or 0).name

    @property
    def reason(self) -> str:
        """The signal that came, in words."""
        return _NAMES.get(self.signal_name, self.signal_name)

    def __enter__(self) -> Interruption:
        global _current  # noqa: PLW0603 - signal handlers are the process's own too
        if not _in_main_thread():
            return self
        _current = self
        for number in SIGNALS:
            before = signal.getsignal(number)
            if before not in (None, signal.SIG_IGN):  # an ignored one stays so, as with nohup
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *exception: object) -> None:
        global _current  # noqa: PLW0603
        for number, before in self._before.items():
            signal.signal(number, before)
        if self._before:
            _current = None

    @contextlib.contextmanager
    def wait(self, wait: _Wait) -> t.Iterator[None]:
        """Let signals wait for the block; see uninterrupted()."""
        self._waits.append(wait)
        try:
            yield
        except Interrupted:
            if wait.changes and self._waits[0] is wait:
                self.writes.append(f"hanging up before {wait.what}")
            raise
        except BaseException:
            # The operation ends by itself, after it has found out, or has undone, what it did.
            self.ends_itself = self.signal is not None
            raise
        else:
            if wait.changes and self._waits[0] is wait:
                self.writes.append(wait.what)
        finally:
            self._waits.remove(wait)
        if self.signal is not None and not (self._waits or self.ends_itself or self._raised):
            self._raise()

    def let_end(self, wait: _Wait) -> None:
        """From now on, let signals wait for the end of the operation."""
        self._waits.insert(0, wait)
        self.ends_itself = True

    def _on_signal(self, number: int, _frame: types.FrameType | None) -> None:
        if self._raised:
            return  # on the way out already: only the token's revocation may be left
        first, again = self.signal is None, self._next_is_another and number == signal.SIGINT
        self._next_is_another = self._next_is_another or number in (signal.SIGINT, signal.SIGALRM)
        if first:
            self.signal = number
        elif not again:
            return  # after Ctrl-C, Ansible itself sends SIGTERM, and either may arrive first
        if not self._waits:
            self._raise()
        wait = self._waits[0]
        if first and wait.seconds is None:
            return
        if first:
            self._say(f"interrupted by {self.reason}: {wait.reason}")
        elif wait.cost:
            self.signal, self._raised = number, True
            self._say(f"interrupted again, so the task ends at once; {wait.cost}")
            self._raise()

    def _raise(self) -> t.NoReturn:
        self._raised = True
        raise Interrupted(self.reason)


class _Wait(t.NamedTuple):
    """What signals wait for; ``cost`` is what ending at once would cost, empty where none may.

    ``seconds`` is its timeout; without one it is short, and needs no words.
    """

    what: str
    cost: str = ""
    seconds: float | None = None
    changes: bool = True

    @property
    def reason(self) -> str:
        """Why it waits, in words."""
        limit = f"up to {self.seconds:.0f} s " if self.seconds else ""
        words = f"waiting {limit}for {self.what}, then the task ends"
        return f"{words}. Another Ctrl-C does not wait; {self.cost}" if self.cost else words


_current: Interruption | None = None


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def uninterrupted(
    what: str, cost: str = "", seconds: float | None = None, *, changes: bool = True
) -> t.ContextManager[None]:
    """Let signals wait for the block; after it, a signal that came raises Interrupted.

    It does not where the block raises: then the operation finds out, or undoes, what was done, and
    ends by itself.  A second Ctrl-C does not wait, unless ``cost`` is empty.
    """
    if _current is None or not _in_main_thread():
        return contextlib.nullcontext()
    return _current.wait(_Wait(what, cost, seconds, changes))


def is_interrupted() -> bool:
    """Tell whether a signal came that ends the task."""
    return _current is not None and _current.signal is not None


def ends_soon() -> bool:
    """Tell whether a signal came that ends the task after what is under way."""
    return is_interrupted() and _current is not None and not _current.ends_itself


def let_end(what: str, cost: str) -> None:
    """Let signals wait for the end of the operation, such as a rollback."""
    if _current is not None and _in_main_thread():
        _current.let_end(_Wait(what, cost, 0.0))
