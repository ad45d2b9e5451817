# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process is killed in the middle of a task on a cluster: the result is true, and a rerun heals.

What is killed, at which request of the task, and whether before or after the server got it, is
chosen by chance: five times by default, always the same; a hundred times with $VAULTOPS_TEST_TRUST.
"""

from __future__ import annotations

import collections
import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import typing as t
import urllib.parse

import pytest
import requests

from ansible_collections.vaultops.vault.tests.support import one_task, trust
from ansible_collections.vaultops.vault.tests.support.ansible_runs import Run
from ansible_collections.vaultops.vault.tests.support.balancer import passed_on
from ansible_collections.vaultops.vault.tests.support.cluster import Cluster, Node
from ansible_collections.vaultops.vault.tests.support.fleet import ROLE, Fleet
from ansible_collections.vaultops.vault.tests.support.http_servers import QuietHandler, serving
from ansible_collections.vaultops.vault.tests.support.recordings import URL, run_task
from ansible_collections.vaultops.vault.tests.support.server import ServerError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.openbao_only("standbys of Vault Community run no plugins that could be killed"),
]
RUNS, ALL_RUNS = 5, 100
RUNS_OF_THE_ROLE, ALL_RUNS_OF_THE_ROLE = 1, 20
OLD, NEW = "v1.0.0", "v1.1.0"
VICTIMS = ("active node", "standby", "plugin", "task")
COMMON: dict[str, t.Any] = {
    "scope": "global",
    "wait_timeout": "40s",
    "timeout": "20s",
    "reload_timeout": "40s",
}
TASKS: dict[str, tuple[str, dict[str, t.Any]]] = {
    "reload": ("plugin_reload", {"plugin": "ext", **COMMON}),
    "current": ("plugin_reload", {"mounts": ["a"], "state": "current", **COMMON}),
    "upgrade": ("plugin_upgrade", {"plugin": "ext", **COMMON}),
}
SECONDS = 200.0


class Accident(t.NamedTuple):
    """``victim`` is killed at the request with the number ``position``."""

    task: str
    victim: str
    position: int
    before: bool


def accidents() -> list[Accident]:
    """Return the accidents of this run: each kind of victim in turn."""
    chance = trust.chance()
    count = ALL_RUNS if trust.is_full() else RUNS
    return [
        Accident(
            chance.choice(sorted(TASKS)),
            VICTIMS[number % len(VICTIMS)],
            chance.randrange(16),
            chance.random() < 0.5,
        )
        for number in range(count)
    ]


@contextlib.contextmanager
def proxy_with(kill: t.Callable[[], None], accident: Accident, door: str) -> t.Iterator[str]:
    """Pass requests on to the nodes that they are for, or to ``door``; kill at one of them."""
    seen: list[str] = []

    class Handler(QuietHandler):
        def do(self) -> None:
            target = urllib.parse.urlsplit(self.path)
            base = door if self.path.startswith(URL) else f"http://{target.netloc}"
            path = target._replace(scheme="", netloc="").geturl()
            mine = len(seen) == accident.position
            seen.append(path)
            body = self.body()
            if mine and accident.before:
                kill()
            try:
                answer = passed_on(base, self.command, path, body, self.headers)
            except (OSError, http.client.HTTPException):
                self.close_connection = True
                return
            if mine and not accident.before:
                kill()
            self.reply(*answer)

    with serving(Handler) as url:
        yield url


def processes(cluster: Cluster) -> dict[str, tuple[int, str]]:
    """Return process and version behind the mount on each node, 0 for one that does not serve."""
    found = {}
    for node in cluster.nodes:
        try:
            data = node.info("a")
            found[node.name] = (int(data["pid"]), str(data["version"]))
        except (requests.RequestException, ServerError):
            found[node.name] = (0, "")
    return found


def go_back(cluster: Cluster) -> None:
    """Let all nodes run the old version."""
    if {version for _pid, version in processes(cluster).values()} != {OLD}:
        cluster.tune_version("a", OLD)
        for node in cluster.nodes:
            node.call("POST", "sys/plugins/reload/backend", {"mounts": "a"})


def killer(
    cluster: Cluster, victim: str, kill_task: t.Callable[[], None]
) -> tuple[Node | None, t.Callable[[], None]]:
    """Return the node that goes down, if one does, and what kills the victim."""
    active, standby = cluster.active, cluster.standbys[0]
    pid = int(active.info("a")["pid"])

    def kill_plugin() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    ways: dict[str, tuple[Node | None, t.Callable[[], None]]] = {
        "active node": (active, active.kill),
        "standby": (standby, standby.kill),
        "plugin": (None, kill_plugin),
        "task": (None, kill_task),
    }
    return ways[victim]


def check(
    accident: Accident,
    down: Node | None,
    result: dict[str, t.Any] | None,
    before: dict[str, tuple[int, str]],
    after: dict[str, tuple[int, str]],
) -> None:
    """Compare what a task says with what runs on the nodes."""
    if result is None:
        assert accident.victim == "task", accident
        return
    told = f"{accident}: {result.get('msg', 'ok')}, {result['warnings']}, {before} -> {after}"
    others = [name for name in before if down is None or name != down.name]
    if not result.get("failed"):
        assert all(pid for pid, _version in after.values()), told
        if accident.task != "reload":
            assert {version for _pid, version in after.values()} == {NEW}, told
    if result["changed"]:
        assert before != after, told
    elif not result.get("failed") and accident.victim != "plugin":
        assert all(before[name] == after[name] for name in others), told
    shown = [str(result.get("msg")), *(str(row) for row in result.get("nodes") or ())]
    for name in others:
        if not after[name][0] and accident.victim != "plugin":
            assert '"a/"' in " ".join(shown) or name in " ".join(shown), f"{told}: {name} is dead"


def one_run(cluster: Cluster, accident: Accident) -> None:
    """Run a task and kill in the middle; check the result, and that a rerun heals."""
    operation, options = TASKS[accident.task]
    if operation == "plugin_upgrade":
        options = {**options, "version": NEW}
    if accident.task == "current":
        cluster.tune_version("a", NEW)
    before, door = processes(cluster), cluster.active
    started: list[subprocess.Popen[str]] = []

    def kill_task() -> None:
        started[0].kill()

    down, kill = killer(cluster, accident.victim, kill_task)
    with proxy_with(kill, accident, door.url) as proxy:
        process = one_task.start(operation, options, proxy=proxy, token=cluster.token)
        started.append(process)
        result = one_task.read_result(process, SECONDS)
    if down is not None and down.process.poll() is not None:
        down.start()
    cluster.await_all()
    check(accident, down, result, before, processes(cluster))
    nobody = accident._replace(position=-1)
    with proxy_with(lambda: None, nobody, cluster.active.url) as proxy:
        again = run_task(operation, options, False, proxy=proxy, token=cluster.token)
    assert not again.get("failed"), f"{accident}, again: {again.get('msg')}"
    versions = {version for _pid, version in processes(cluster).values()}
    assert versions == {OLD if accident.task == "reload" else NEW}, f"{accident}, again"


def test_what_is_killed_in_the_middle_of_a_task(cluster: Cluster) -> None:
    cluster.plugin(OLD)
    cluster.plugin(NEW)
    cluster.mount("a", "ext", version=OLD)
    counts: collections.Counter[str] = collections.Counter()
    for accident in accidents():
        go_back(cluster)
        one_run(cluster, accident)
        counts[f"{accident.task}, {accident.victim} killed"] += 1
    trust.note("chaos", runs=counts)


def accidents_of_the_role() -> list[Accident]:
    """Return the accidents of this run: the role sends some 30 requests."""
    chance = trust.chance()
    count = ALL_RUNS_OF_THE_ROLE if trust.is_full() else RUNS_OF_THE_ROLE
    return [
        Accident(
            "role", VICTIMS[number % len(VICTIMS)], chance.randrange(30), chance.random() < 0.5
        )
        for number in range(count)
    ]


def roll_out(fleet: Fleet, proxy: str, process: pathlib.Path) -> Run:
    """Run the role through ``proxy``; the file ``process`` tells the process that runs it."""
    play = {
        "hosts": "vault",
        "gather_facts": False,
        "roles": [{"role": ROLE}],
        "vars": {**fleet.variables(NEW), "plugin_rollout_wait_timeout": "40s"},
    }
    path = process.with_name("chaos.json")
    path.write_text(json.dumps([play]))
    return fleet.ansible.play_file(
        path,
        options=["-i", str(fleet.inventory)],
        by=["sh", "-c", f'echo $$ > {process}; exec "$@"', "sh"],
        BAO_ADDR=URL,
        BAO_TOKEN=fleet.cluster.token,
        HTTP_PROXY=proxy,
    )


def one_run_of_the_role(cluster: Cluster, fleet: Fleet, accident: Accident) -> None:
    """Run the role and kill in the middle: what is dead is named, and a rerun heals."""
    process = fleet.ansible.directory / "process"
    door = cluster.active

    def kill_task() -> None:
        os.kill(int(process.read_text()), signal.SIGKILL)

    down, kill = killer(cluster, accident.victim, kill_task)
    with proxy_with(kill, accident, door.url) as proxy:
        run = roll_out(fleet, proxy, process)
    if down is not None and down.process.poll() is not None:
        down.start()
    cluster.await_all()
    after = processes(cluster)
    told = f"{accident}: {after}, {run.output}"
    if run.returncode == 0:
        assert {version for _pid, version in after.values()} == {NEW}, told
    elif run.returncode > 0 and accident.victim != "plugin":
        for name, (pid, _version) in after.items():
            if not pid and (down is None or name != down.name):
                assert '\\"a/\\"' in run.output or name in run.output, f"{told}: {name} is dead"
    with proxy_with(lambda: None, accident._replace(position=-1), cluster.active.url) as proxy:
        again = roll_out(fleet, proxy, process)
    assert again.returncode == 0, f"{accident}, again: {again.output}"
    assert {version for _pid, version in processes(cluster).values()} == {NEW}, accident


def test_what_is_killed_in_the_middle_of_the_role(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    fleet = Fleet(tmp_path, cluster)
    fleet.set_up("a")
    counts: collections.Counter[str] = collections.Counter()
    for accident in accidents_of_the_role():
        go_back(cluster)
        one_run_of_the_role(cluster, fleet, accident)
        counts[f"{accident.victim} killed"] += 1
    trust.note("chaos_role", runs=counts)
