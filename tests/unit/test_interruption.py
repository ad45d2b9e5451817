# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which signals end a task at once, and which wait, by real signals to this process."""

from __future__ import annotations

import contextlib
import signal
import threading
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._errors import VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.interruption import (
    SIGNALS,
    Interrupted,
    Interruption,
    is_interrupted,
    let_end,
    uninterrupted,
)

COST = "it costs something"


@pytest.fixture(autouse=True)
def handlers() -> t.Iterator[None]:
    """Whatever a test does, each handler is as before; by default each signal ends the process."""
    before = [signal.signal(number, signal.SIG_DFL) for number in SIGNALS]
    yield
    after = [signal.signal(number, old) for number, old in zip(SIGNALS, before, strict=True)]
    assert after == [signal.SIG_DFL] * len(SIGNALS)


class Ran(t.NamedTuple):
    """What became of a block: ``ended`` says that Interrupted ended it."""

    interruption: Interruption
    lines: list[str]
    ended: bool


def run(block: t.Callable[[], None]) -> Ran:
    """Run ``block`` as a front runs an operation."""
    lines: list[str] = []
    with Interruption(lines.append) as interruption:
        try:
            block()
        except Interrupted:
            return Ran(interruption, lines, ended=True)
    return Ran(interruption, lines, ended=False)


def refused_write(number: int | None = None) -> None:
    """Send a write that the server refuses, while a signal comes."""
    with contextlib.suppress(VaultError), uninterrupted("the write", COST, 130):
        if number is not None:
            signal.raise_signal(number)
        raise VaultError("refused")


@pytest.mark.parametrize("number", SIGNALS)
def test_what_may_be_cut_short_is(number: int) -> None:
    ran = run(lambda: signal.raise_signal(number))
    assert ran.ended
    assert ran.interruption.signal == number
    assert ran.lines == ran.interruption.writes == []


@pytest.mark.parametrize("number", SIGNALS)
def test_a_write_is_waited_for(number: int) -> None:
    done = []

    def block() -> None:
        with uninterrupted("the write", COST, 130):
            with uninterrupted("a part of it", COST, 60):
                signal.raise_signal(number)
                assert is_interrupted()
            done.append("the write")
        done.append("more")

    ran = run(block)
    assert ran.ended
    assert done == ran.interruption.writes == ["the write"]
    assert "".join(ran.lines) == (
        f"interrupted by {ran.interruption.reason}: waiting up to 130 s for the write, then the "
        f"task ends. Another Ctrl-C does not wait; {COST}"
    )


def test_what_follows_a_failed_write_is_waited_for() -> None:
    """Such as its rollback, whose writes succeed."""

    def block() -> None:
        refused_write(signal.SIGTERM)
        with uninterrupted("its rollback", COST, 130):
            pass

    ran = run(block)
    assert not ran.ended
    assert ran.interruption.signal == signal.SIGTERM
    assert ran.interruption.writes == ["its rollback"]


def test_after_a_refusal_of_long_ago_a_write_is_no_rollback() -> None:
    def block() -> None:
        refused_write()
        with uninterrupted("another", COST, 130):
            signal.raise_signal(signal.SIGTERM)

    assert run(block).ended


def test_a_rollback_ends_before_the_task() -> None:
    def block() -> None:
        let_end("the rollback", COST)
        signal.raise_signal(signal.SIGTERM)
        with uninterrupted("a write of it", COST, 130):
            signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGALRM)

    ran = run(block)
    assert not ran.ended
    assert ran.interruption.signal == signal.SIGTERM
    assert "".join(ran.lines) == (
        "interrupted by SIGTERM: waiting for the rollback, then the task ends. "
        f"Another Ctrl-C does not wait; {COST}"
    )


@pytest.mark.parametrize("first", SIGNALS)
def test_a_second_ctrl_c_does_not_wait(first: int) -> None:
    lines_after_the_first = []

    def block() -> None:
        with uninterrupted("the write", COST, 130):
            signal.raise_signal(first)
            signal.raise_signal(signal.SIGTERM)  # Ansible itself sends it a while after Ctrl-C
            if first in (signal.SIGTERM, signal.SIGHUP):
                signal.raise_signal(signal.SIGINT)  # or it arrives before the Ctrl-C
            lines_after_the_first.append(True)
            signal.raise_signal(signal.SIGINT)
            lines_after_the_first.append(False)

    ran = run(block)
    assert ran.ended
    assert lines_after_the_first == [True]
    assert ran.lines[1:] == [f"interrupted again, so the task ends at once; {COST}"]
    assert ran.interruption.signal == signal.SIGINT
    assert ran.interruption.writes == ["hanging up before the write"]


def press_often() -> None:
    """Press Ctrl-C three times."""
    for _turn in range(3):
        signal.raise_signal(signal.SIGINT)


def test_nothing_cuts_the_revocation_of_a_token_short() -> None:
    revoked = []

    def revoke() -> None:
        with uninterrupted("the revocation", changes=False):
            press_often()
            revoked.append(True)

    def block() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            press_often()
            revoke()

    for each in (block, revoke):
        ran = run(each)
        assert ran.ended
        assert ran.lines == ran.interruption.writes == []
    assert len(revoked) == 2


def test_an_ignored_signal_stays_ignored() -> None:
    """As with nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert run(lambda: signal.raise_signal(signal.SIGHUP)).interruption.signal is None
    assert signal.signal(signal.SIGHUP, signal.SIG_DFL) == signal.SIG_IGN


def test_a_thread_leaves_signals_alone() -> None:
    """Only the main thread gets them."""
    seen: list[object] = []

    def block() -> None:
        with uninterrupted("the write", COST, 130):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run, args=[block])
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]
