# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""More than one at a time: operators on a mount, clients of it, hosts of a play, tasks in turn."""

from __future__ import annotations

import collections
import dataclasses
import gc
import json
import os
import pathlib
import resource
import threading
import time
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support import one_task, trust
from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN
from ansible_collections.vaultops.vault.tests.support.stage import (
    NEW,
    OLD,
    Stage,
    running_stage,
    tasks,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
ROUNDS, ALL_ROUNDS = 3, 100
SOAK_TASKS, ALL_SOAK_SECONDS = 60, 1200.0
SECONDS = 200.0


@pytest.fixture(scope="module")
def stage() -> t.Iterator[Stage]:
    """A server with an external plugin at a, behind a proxy."""
    with running_stage() as running:
        running.proxy.arm(None)
        yield running


def operators() -> list[tuple[str, dict[str, t.Any]]]:
    """Return what two operators do at once."""
    chance = trust.chance()
    ways: list[tuple[str, dict[str, t.Any]]] = [
        ("plugin_upgrade", {"plugin": PLUGIN, "version": OLD}),
        ("plugin_upgrade", {"plugin": PLUGIN, "version": NEW}),
        ("plugin_reload", {"mounts": ["a"]}),
        ("plugin_reload", {"mounts": ["a"], "state": "current"}),
    ]
    return [*ways[:2], *(chance.choice(ways) for _number in range(2 * ALL_ROUNDS))]


def test_two_operators_at_once(stage: Stage) -> None:
    """Whatever the order: what a result says was so, and no mount is dead without being named."""
    ways = operators()
    told: collections.Counter[str] = collections.Counter()
    for number in range(ALL_ROUNDS if trust.is_full() else ROUNDS):
        both = ways[2 * number : 2 * number + 2]
        started = [
            one_task.start(name, options, proxy=stage.proxy.url, token=stage.server.token)
            for name, options in both
        ]
        results = [one_task.read_result(process, SECONDS) or {} for process in started]
        pid, version = stage.serves()
        shown = f"{both}: {[(row['changed'], row.get('msg')) for row in results]}"
        assert pid or any('"a/"' in row.get("msg", "") for row in results), shown
        asked = {options["version"] for _name, options in both if "version" in options}
        verified = [row for row in results if not row.get("failed")]
        if asked and len(verified) == len(results):
            assert version in asked, shown
        for row in results:
            told["failed, and said why" if row.get("failed") else "succeeded"] += 1
        again = stage.run(tasks()["upgrade"](stage))
        assert not again.get("failed"), again.get("msg")
    trust.note("operators", tasks=told)


@pytest.mark.parametrize("way", ["mounts", "plugin"])
def test_a_reload_under_the_traffic_of_others(stage: Stage, way: str) -> None:
    """Counted for docs/reliability.md: how many of the others' requests failed, for how long."""
    done = threading.Event()
    failed: list[float] = []
    count = 0

    def read() -> None:
        nonlocal count
        while not done.is_set():
            since = time.monotonic()
            answer = stage.server.request("GET", "a/info")
            count += 1
            if not answer.ok:
                failed.append(since)

    readers = [threading.Thread(target=read) for _number in range(2)]
    for reader in readers:
        reader.start()
    options = {"mounts": ["a"]} if way == "mounts" else {"plugin": PLUGIN}
    task = tasks()["reload a mount"](stage)
    try:
        result = stage.run(dataclasses.replace(task, options=options))
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not result.get("failed"), result.get("msg")
    assert result["verified"]
    longest = round(failed[-1] - failed[0], 1) if failed else 0.0
    trust.note(f"traffic_{way}", requests=count, failed=len(failed), seconds=longest)


def test_many_hosts_at_once(stage: Stage, tmp_path: pathlib.Path) -> None:
    """Each logs in and reloads the same mount: as often as told, and no token is left."""
    hosts, forks = (500, 50) if trust.is_full() else (20, 5)
    inventory = tmp_path / "hosts"
    inventory.write_text(f"[all]\nh[1:{hosts}] ansible_connection=local\n")
    options = {"mounts": ["k"], "auth_mode": "login", **stage.login}
    task = {"vaultops.vault.plugin_reload": options}
    play = {"hosts": "all", "gather_facts": False, "strategy": "free", "tasks": [task]}
    (tmp_path / "play.json").write_text(json.dumps([play]))
    tokens, reloads = stage.tokens(), stage.reloads()["k"]
    run = Ansible(tmp_path, stage.server).play_file(
        tmp_path / "play.json", options=["-i", str(inventory), "--forks", str(forks)], BAO_TOKEN=""
    )
    assert run.returncode == 0, run.output
    assert len(run.tasks) == hosts
    assert all(result["changed"] and result["verified"] for result in run.tasks)
    assert stage.reloads()["k"] - reloads == hosts
    assert stage.tokens() <= tokens
    trust.note("hosts", hosts=hosts, forks=forks)


def test_many_tasks_leave_nothing_behind(stage: Stage) -> None:
    """No growth of memory, descriptors, threads or tokens."""
    build = tasks()["reload with a login"]

    def burden() -> tuple[int, int, int]:
        gc.collect()
        descriptors = len(list(pathlib.Path(f"/proc/{os.getpid()}/fd").iterdir()))
        return descriptors, threading.active_count(), len(stage.tokens())

    for _number in range(10):
        assert not stage.run(build(stage)).get("failed")
    before, memory, count = burden(), _peak(), 0
    end = time.monotonic() + ALL_SOAK_SECONDS
    while time.monotonic() < end if trust.is_full() else count < SOAK_TASKS:
        stage.proxy.arm(None)  # it keeps what it has seen: 28 MB in all
        assert not stage.run(build(stage)).get("failed")
        count += 1
    after = burden()
    # The proxy's own connections end a moment later than the task.
    assert all(new <= old + 4 for old, new in zip(before, after, strict=True)), (before, after)
    assert after[2] <= before[2]
    assert _peak() - memory < 16 * 1024**2
    trust.note("soak", tasks=count, before=list(before), after=list(after))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
