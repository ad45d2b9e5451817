# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests at the same time: bounded, in order, and with an end.

The servers here are handwritten bytes on loopback.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import typing as t
from functools import partial

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._errors import Refused
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection
from ansible_collections.vaultops.vault.plugins.module_utils._http.interruption import (
    Interrupted,
    Interruption,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import (
    MOST_CONNECTIONS,
    pause,
    shielded,
    together,
)
from ansible_collections.vaultops.vault.tests.support.http_servers import serving_bytes

DONE = b'HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{"request_id":"","data":{}}'


@pytest.fixture(autouse=True)
def no_thread_is_left() -> t.Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert {thread.name for thread in set(threading.enumerate()) - before if not thread.daemon} == (
        set()
    )


def fake_client() -> VaultClient:
    """Return a client that only takes warnings here."""
    return VaultClient(Connection("http://fake"))


def test_results_and_warnings_are_in_order_and_few_work_at_a_time() -> None:
    client, at_work, most, lock = fake_client(), 0, 0, threading.Lock()

    def work(number: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.002 * (number % 5))
        client.warn(f"warning {number}")
        with lock:
            at_work -= 1
        return number

    numbers = list(range(50))
    assert together(client, [partial(work, number) for number in numbers]) == numbers
    assert client.warnings == [f"warning {number}" for number in numbers]
    assert 1 < most <= MOST_CONNECTIONS


def test_calls_inside_of_others_share_the_bound() -> None:
    client, names, lock = fake_client(), set(), threading.Lock()

    def inner(number: int) -> int:
        with lock:
            names.add(threading.get_ident())
        time.sleep(0.01)
        return number

    def outer(number: int) -> list[int]:
        return together(client, [partial(inner, 10 * number + each) for each in range(10)])

    found = together(client, [partial(outer, number) for number in range(4)])
    assert [each for part in found for each in part] == list(range(40))
    assert len(names) > 4
    # Other clients have other servers.
    assert together(client, [lambda: together(fake_client(), [lambda: 1, lambda: 2])]) == [[1, 2]]


def test_the_first_error_counts_and_nothing_more_is_begun() -> None:
    client, begun = fake_client(), []

    def work(number: int) -> None:
        begun.append(number)
        time.sleep(0.05 if number == 1 else 0.02)
        if number in (1, 2):
            raise Refused(f"number {number}")

    with pytest.raises(Refused, match="number 1"):
        together(client, [partial(work, number) for number in range(60)])
    assert len(begun) <= 3 * MOST_CONNECTIONS


def test_one_that_ends_it_lets_those_under_way_end() -> None:
    def work(number: int) -> int:
        time.sleep(0.02)
        return number

    works = [partial(work, number) for number in range(60)]
    found = together(fake_client(), works, ends=lambda number: number == 3)
    assert found == list(range(len(found)))
    assert 4 <= len(found) <= 3 * MOST_CONNECTIONS


def hangs(connection: socket.socket, _request: bytes) -> None:
    """Answer nothing, until the client hangs up."""
    while connection.recv(100):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
def test_a_signal_ends_reads_at_once_and_leaves_no_thread(number: int) -> None:
    with serving_bytes(hangs) as (url, seen):

        def interrupt() -> None:
            while len(seen) < MOST_CONNECTIONS:
                time.sleep(0.01)
            os.kill(os.getpid(), number)

        threading.Thread(target=interrupt, daemon=True).start()
        since = time.monotonic()
        with VaultClient(Connection(url, timeout=60, retries=2)) as client:
            reads = [partial(client.request, "GET", f"m{each}") for each in range(40)]
            with Interruption(lambda _line: None), pytest.raises(Interrupted):
                together(client, reads)
        assert time.monotonic() - since < 10
    assert len(seen) == MOST_CONNECTIONS


def test_a_signal_lets_a_login_end_and_ends_what_only_waits() -> None:
    begun, ended = threading.Event(), []

    def login() -> None:
        with shielded():
            begun.set()
            pause(0.3)
        ended.append("login")

    def waits() -> None:
        begun.wait(10)
        if threading.current_thread() is threading.main_thread():
            os.kill(os.getpid(), signal.SIGTERM)
        pause(60)

    since = time.monotonic()
    with Interruption(lambda _line: None), pytest.raises(Interrupted):
        together(fake_client(), [waits, login, waits])
    assert time.monotonic() - since < 10
    assert ended == ["login"]


class Untried(VaultClient):
    """A client whose server takes the credentials with the request after so many."""

    def __init__(self, left: int) -> None:
        super().__init__(Connection("http://fake"))
        self.left = left

    @property
    def untried(self) -> bool:
        return self.left > 0

    def work(self) -> bool:
        """Do some work; return whether it was one that tries the credentials."""
        self.left -= 1
        return self.left >= 0


@pytest.mark.parametrize("left", [0, 1, 2_000, 5_000])
def test_credentials_are_tried_one_by_one_whatever_the_number(left: int) -> None:
    client = Untried(left)
    assert together(client, [client.work] * 3_000) == [True] * min(left, 3_000) + [False] * max(
        0, 3_000 - left
    )


def test_a_rate_limit_holds_for_all() -> None:
    """After the first 429 nothing is sent before its Retry-After is over."""
    limited, times, lock = [], [], threading.Lock()

    def answer(connection: socket.socket, _request: bytes) -> None:
        with lock:
            times.append(time.monotonic())
            refuse = len(times) == 1
            if refuse:
                limited.append(times[0])
        if refuse:
            body = b'{"errors":["rate limit quota exceeded"]}'
            head = f"HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
        else:
            time.sleep(0.2)
            connection.sendall(DONE)

    with serving_bytes(answer) as (url, _seen):
        client = VaultClient(Connection(url))
        with client:
            together(client, [partial(client.request, "GET", f"m{number}") for number in range(30)])
    assert len(times) == 31
    under_way = [at for at in times if at - limited[0] < 0.15]
    assert len(under_way) <= MOST_CONNECTIONS
    assert not [at for at in times if 0.15 <= at - limited[0] < 0.95]
    assert sum("rate limit quota" in words for words in client.warnings) == 1
