# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real Vault answered, replayed: the tasks send the same requests, and conclude the truth.

tests/support/recorder.py made the files in tests/recorded, and makes them anew; truths.py has by
hand what must come of each scenario.  On a real Vault the scenarios themselves are run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import typing as t
import urllib.parse

import pytest

from ansible_collections.vaultops.vault.tests.support.http_servers import QuietHandler, serving
from ansible_collections.vaultops.vault.tests.support.recorder import record
from ansible_collections.vaultops.vault.tests.support.recordings import (
    TOKEN,
    Exchange,
    Recording,
    recorded_files,
    run_task,
)
from ansible_collections.vaultops.vault.tests.support.scenarios import SCENARIOS
from ansible_collections.vaultops.vault.tests.support.truths import TRUTHS, differences


class Replay:
    """The answers to one task: to each request in its order, the last one for good."""

    def __init__(self, exchanges: t.Iterable[Exchange]) -> None:
        """Sort the exchanges by their requests."""
        self.left: dict[str, list[Exchange]] = {}
        for exchange in exchanges:
            self.left.setdefault(exchange.request, []).append(exchange)
        self.never_sent = set(self.left)
        self.unknown: list[str] = []

    def answer(self, request: str) -> Exchange | None:
        """Return the next answer, None where there is none."""
        answers = self.left.get(request)
        if answers is None:
            self.unknown.append(request)
            return None
        self.never_sent.discard(request)
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextlib.contextmanager
def replaying(replay: Replay) -> t.Iterator[str]:
    """Serve ``replay`` as a proxy on loopback, whatever host is asked for; yields its address."""

    class Handler(QuietHandler):
        def do(self) -> None:
            target = urllib.parse.urlsplit(self.path)
            path = target._replace(scheme="", netloc="").geturl().removeprefix("/v1/")
            text = self.body()
            body = json.loads(text) if text else None
            found = replay.answer(Exchange(0, self.command, path, body, 0, {}, None).request)
            if found is None:
                self.reply(501, b'{"errors": ["not recorded"]}', {})
                return
            content = b"" if found.answer is None else json.dumps(found.answer).encode()
            self.reply(found.status, content, found.headers)

    with serving(Handler) as url:
        yield url


def assert_true(recording: Recording, scenario: str) -> None:
    """Hold the results of a recording against what is true."""
    found = []
    for number, (task, truth) in enumerate(zip(recording.tasks, TRUTHS[scenario], strict=True)):
        exchanges = [row for row in recording.exchanges if row.task == number]
        which = f"task {number}, {task.operation} {task.options}"
        found += [f"{which}: {words}" for words in differences(truth, task, exchanges)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=f"{path.parent.name}-{path.stem}") for path in recorded_files()]
)
def test_recorded(path: pathlib.Path) -> None:
    recording = Recording.read(path)
    results = []
    for number, task in enumerate(recording.tasks):
        replay = Replay(row for row in recording.exchanges if row.task == number)
        with replaying(replay) as proxy:
            result = run_task(
                task.operation, task.options, task.check_mode, proxy=proxy, token=TOKEN
            )
        results.append(dataclasses.replace(task, result=result))
        which = f"task {number}, {task.operation} {task.options}"
        unknown, unsent = ", ".join(replay.unknown), ", ".join(replay.never_sent)
        assert not unknown, f"{which}: the recording does not have {unknown}"
        assert result == task.result, which
        assert not unsent, f"{which}: the recording has what is no longer sent, {unsent}"
    assert_true(dataclasses.replace(recording, tasks=results), path.stem)


@pytest.mark.vault_only("the scenarios are about Vault, and replayed in any run")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenarios_on_a_real_vault(scenario: str) -> None:
    assert_true(record(scenario), scenario)


def test_recorded_scenarios_have_truths() -> None:
    assert set(TRUTHS) == set(SCENARIOS)


def test_recorded_are_there() -> None:
    """A folder that is not found would replay nothing, and pass."""
    assert recorded_files()


def test_recorded_requests_that_are_missing_are_named() -> None:
    replay = Replay([])
    with replaying(replay) as proxy:
        run_task("plugin_reload", {"mounts": ["a"]}, False, proxy=proxy, token=TOKEN)
    assert "GET sys/mounts/a" in replay.unknown
