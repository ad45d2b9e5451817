# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one reload of a whole cluster costs, by its number of nodes: requests and seconds.

Three real nodes first; then simulated ones, small servers of this process that answer as OpenBao
does, a reload after as long as a real one takes.  The task is a real one, in process, that moves a
mount to another version; the cost of an empty playbook is taken off, and each figure is a median.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import pathlib
import statistics
import sys
import tempfile
import threading
import time
import typing as t

from ..support.ansible_runs import Ansible
from ..support.cluster import running_cluster
from ..support.http_servers import QuietHandler, serving
from ..support.proxy import counting_proxy
from .bench import MODULE, Playbooks

FEW, MANY = 3, 50
ROUNDS = 5
# Of an external plugin, measured; and how long after it the others of OpenBao 2.7.2 begin.
RELOAD_SECONDS, SPREAD_SECONDS = 0.06, 0.15
# Releases, and whether the active node passes scope=global on.
RELEASES = {"2.7.2": True, "2.7.1": False}
SHA256 = {"v1.0.0": "a" * 64, "v1.1.0": "b" * 64}

Body = dict[str, t.Any]


@dataclasses.dataclass
class Simulation:
    """A cluster whose mount ext/ is configured for v1.1.0; the first of ``urls`` is active."""

    release: str
    urls: list[str] = dataclasses.field(default_factory=list)
    running: list[str] = dataclasses.field(default_factory=list)
    seen: list[str] = dataclasses.field(default_factory=list)

    def reset(self) -> None:
        """Let all nodes run the old version again."""
        self.running = ["v1.0.0"] * len(self.urls)
        self.seen.clear()

    def answer(self, number: int, method: str, path: str) -> Body:
        """Return what node ``number`` answers."""
        self.seen.append(path)
        if method == "POST":
            self._reload(number)
            return {"request_id": "an-id", "data": {"reload_id": "an-id"}}
        answers = {
            "sys/health": self._health(number),
            "sys/leader": {"ha_enabled": True, "leader_address": self.urls[0]},
            "sys/ha-status": {"data": {"nodes": [self._member(n) for n in range(len(self.urls))]}},
            "sys/storage/raft/configuration": {"data": {"config": {"servers": self._voters()}}},
            "sys/mounts": {"data": {"ext/": self._mount(number)}},
            "sys/mounts/ext": {"data": self._mount(number)},
            "sys/auth": {"data": {"token/": {"type": "token"}}},
            "sys/plugins/catalog": {"data": {"detailed": self._catalog()}},
            "ext": {"help": "a plugin"},
        }
        return answers[path.removeprefix("/v1/").partition("?")[0]]

    def _reload(self, number: int) -> None:
        time.sleep(RELOAD_SECONDS)
        self.running[number] = "v1.1.0"
        if RELEASES[self.release]:
            others = threading.Timer(SPREAD_SECONDS + RELOAD_SECONDS, self._reload_all)
            others.daemon = True
            others.start()

    def _reload_all(self) -> None:
        self.running = ["v1.1.0"] * len(self.urls)

    def _health(self, number: int) -> Body:
        state = {"initialized": True, "sealed": False, "standby": number > 0, "cluster_id": "one"}
        return {**state, "version": self.release}

    def _member(self, number: int) -> Body:
        url = self.urls[number]
        where = {"api_address": url, "cluster_address": f"{url}1"}
        return {"hostname": f"n{number}", "active_node": number == 0, **where}

    def _voters(self) -> list[Body]:
        return [
            {"node_id": f"n{number}", "address": f"{url.removeprefix('http://')}1"}
            for number, url in enumerate(self.urls)
        ]

    def _mount(self, number: int) -> Body:
        runs = self.running[number]
        version = {"running_plugin_version": runs, "running_sha256": SHA256[runs]}
        return {"type": "ext", "accessor": "ext_1", "plugin_version": "v1.1.0", **version}

    def _catalog(self) -> list[Body]:
        rows = [("kv", "v0.1.0+builtin.bao", ""), *(("ext", *pair) for pair in SHA256.items())]
        return [
            {
                "type": "secret",
                "name": name,
                "version": version,
                "builtin": not sha256,
                "sha256": sha256,
            }
            for name, version, sha256 in rows
        ]


@contextlib.contextmanager
def simulated(release: str, count: int) -> t.Iterator[Simulation]:
    """Run ``count`` nodes on loopback for the length of a ``with`` block."""
    simulation = Simulation(release)

    def handler(number: int) -> type[QuietHandler]:
        class Handler(QuietHandler):
            disable_nagle_algorithm = True  # else each answer waits 40 ms for the client's word

            def do(self) -> None:
                self.body()
                body = simulation.answer(number, self.command, self.path)
                self.reply(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

        return Handler

    with contextlib.ExitStack() as servers:
        for number in range(count):
            simulation.urls.append(servers.enter_context(serving(handler(number))))
        yield simulation


class Cost(t.NamedTuple):
    """What one task costs."""

    requests: int
    seconds: float


def reload(url: str, token: str, **options: t.Any) -> Body:
    """Return a task that reloads a cluster."""
    return {MODULE: {"url": url, "token": token, "plugin": "ext", "scope": "global", **options}}


def measured(playbooks: Playbooks, task: Body, prepare: t.Callable[[], None]) -> float:
    """Return the seconds of ``task``, each time after ``prepare``."""
    seconds = []
    for _round in range(ROUNDS):
        prepare()
        empty = playbooks.seconds("localhost", [])
        seconds.append(playbooks.seconds("localhost", [task]) - empty)
    return statistics.median(seconds)


def cost_of_simulated(playbooks: Playbooks, release: str, count: int) -> Cost:
    """Return the cost on ``count`` simulated nodes."""
    with simulated(release, count) as simulation:
        task = reload(simulation.urls[0], "a-token-of-the-benchmark")
        seconds = measured(playbooks, task, simulation.reset)
        if set(simulation.running) != {"v1.1.0"}:
            raise SystemExit("not all nodes were reloaded")
        return Cost(len(simulation.seen), seconds)


def cost_of_real(playbooks: Playbooks) -> tuple[str, Cost]:
    """Return the release of OpenBao, and the cost on three real nodes."""
    with running_cluster() as cluster, counting_proxy() as proxy:
        versions = itertools.cycle([cluster.plugin(version).version for version in SHA256])
        cluster.mount("ext", "ext", version=next(versions))
        url, token = cluster.active.url, cluster.token

        def prepare() -> None:
            cluster.tune_version("ext", next(versions))

        seconds = measured(playbooks, reload(url, token), prepare)
        prepare()
        playbooks.seconds("localhost", [reload(url, token, proxies=proxy.url)])
        release = cluster.active.call("GET", "sys/health")["version"]
        return release, Cost(len(proxy.seen), seconds)


def main() -> int:
    """Run the benchmark, and print a Markdown table."""
    rows = ["| OpenBao | nodes | requests | seconds | x 3 nodes |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory(prefix="many-nodes-") as work:
        playbooks = Playbooks(Ansible(pathlib.Path(work)), None)
        real, cost = cost_of_real(playbooks)
        rows.append(f"| {real}, real | 3 | {cost.requests} | {cost.seconds:.2f} | |")
        for release in RELEASES:
            few = cost_of_simulated(playbooks, release, FEW)
            many = cost_of_simulated(playbooks, release, MANY)
            for count, (requests, seconds) in ((FEW, few), (MANY, many)):
                shown = f"{requests} | {seconds:.2f} | {seconds / few.seconds:.1f}"
                rows.append(f"| {release}, simulated | {count} | {shown} |")
    print("\n".join(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
