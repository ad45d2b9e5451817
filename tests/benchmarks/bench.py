# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task costs: the same reload by this collection and by its peers, in one run.

All contenders send the same request to the same server, in turn, several rounds; each figure is a
median over the rounds, with the cost of an empty playbook taken off.  Only ratios travel from one
machine to another.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from importlib.metadata import version

from ..support.ansible_runs import RUN_SECONDS, Ansible
from ..support.server import Server, bao_binary, running_server
from . import peers, plot, profile_task

MODULE = "vaultops.vault.plugin_reload"
# A builtin plugin with the one mount that a new server has: its reload takes the server 1 ms, so
# that the figures are of the clients.
PLUGIN = "kv"

ROUNDS = 5
TASKS = 50
HOSTS = 200
FORKS = (10, 50)
MOUNT_COUNTS = (1, 100, 1000, 5000)

BARE = "plugin_reload, in process, bare POST"
VERIFIED = "plugin_reload, in process, verified"
MODULE_BARE = "plugin_reload, as a module, bare POST"
MODULE_VERIFIED = "plugin_reload, as a module, verified"
OURS = (BARE, VERIFIED, MODULE_BARE, MODULE_VERIFIED)
DEBUG, PING, URI = (f"ansible.builtin.{name}" for name in ("debug", "ping", "uri"))
VAULT_WRITE = "community.hashi_vault.vault_write"

ROW = f"{TASKS} in a row"
LOOP = f"loop of {TASKS}"

# What we want to reach: a contender costs at most so many times what another one does.
REACH = (
    (BARE, ROW, URI, 0.065),
    (BARE, ROW, PING, 0.09),
    (BARE, ROW, DEBUG, 1.5),
    (BARE, LOOP, URI, 0.02),
    (BARE, f"{HOSTS} hosts, {FORKS[0]} forks", URI, 0.07),
    (VERIFIED, ROW, URI, 0.09),
    (VERIFIED, LOOP, URI, 0.04),
    (MODULE_VERIFIED, ROW, URI, 0.95),
)
REACH_GROWTH = 3.0

Task = dict[str, t.Any]
Seconds = dict[str, dict[str, list[float]]]
Figures = dict[str, dict[str, float]]


@dataclasses.dataclass(frozen=True)
class Playbooks:
    """Runs playbooks and takes their time; ``peers`` is a collections path, if there is one."""

    ansible: Ansible
    peers: pathlib.Path | None

    def seconds(self, hosts: str, tasks: list[Task], options: t.Sequence[str] = ()) -> float:
        """Return how long ``ansible-playbook`` takes for ``tasks`` on ``hosts``."""
        path = self.ansible.directory / "bench.json"
        path.write_text(json.dumps([{"hosts": hosts, "gather_facts": False, "tasks": tasks}]))
        environment = self.ansible.environment()
        if self.peers is not None:
            environment["ANSIBLE_COLLECTIONS_PATH"] += f"{os.pathsep}{self.peers}"
        program = pathlib.Path(sys.executable).with_name("ansible-playbook")
        started = time.perf_counter()
        done = subprocess.run(
            [str(program), str(path), *options],
            cwd=self.ansible.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        taken = time.perf_counter() - started
        if done.returncode:
            raise SystemExit(f"a contender failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return taken


def contenders(server: Server, *, with_peer: bool) -> dict[str, Task]:
    """Return the task of each contender by its name."""
    ours = {"url": server.url, "token": server.token, "plugin": PLUGIN}
    as_module = {"vars": {"vaultops_in_process": False}}
    path, body = "sys/plugins/reload/backend", {"plugin": PLUGIN}
    uri = {
        "url": f"{server.url}/v1/{path}",
        "method": "POST",
        "headers": {"X-Vault-Token": server.token},
        "body_format": "json",
        "body": body,
    }
    bao = [bao_binary(), "plugin", "reload", f"-plugin={PLUGIN}"]
    write = {"url": server.url, "token": server.token, "path": path, "data": body}
    found: dict[str, Task] = {
        BARE: {MODULE: {**ours, "verify": False}},
        VERIFIED: {MODULE: ours},
        MODULE_BARE: {MODULE: {**ours, "verify": False}, **as_module},
        MODULE_VERIFIED: {MODULE: ours, **as_module},
        DEBUG: {DEBUG: {"msg": "hello"}},
        PING: {PING: {}},
        URI: {URI: uri},
        "command: bao plugin reload": {
            "ansible.builtin.command": {"argv": bao},
            "environment": {"BAO_ADDR": server.url, "BAO_TOKEN": server.token},
        },
    }
    return {**found, VAULT_WRITE: {VAULT_WRITE: write}} if with_peer else found


@dataclasses.dataclass(frozen=True)
class Shape:
    """Work of ``count`` tasks: who runs what for a contender's task."""

    count: int
    hosts: str
    tasks: t.Callable[[Task], list[Task]]
    options: tuple[str, ...] = ()


def shapes(*, full: bool) -> dict[str, Shape]:
    """Return each shape of work by its name."""
    found = {
        ROW: Shape(TASKS, "localhost", lambda task: [task] * TASKS),
        LOOP: Shape(TASKS, "localhost", lambda task: [{**task, "loop": list(range(TASKS))}]),
    }
    for forks in FORKS if full else ():
        options = ("-f", str(forks), "-i", "farm.ini")
        name = f"{HOSTS} hosts, {forks} forks"
        found[name] = Shape(HOSTS, "farm", lambda task: [task], options)
    return found


def measure(playbooks: Playbooks, server: Server, *, full: bool, reach: bool) -> Seconds:
    """Return the seconds of each run, empty playbooks among them, by shape and contender.

    With ``reach`` only what a row of REACH compares.
    """
    local = "ansible_connection=local ansible_python_interpreter='{{ ansible_playbook_python }}'"
    farm = "".join(f"h{number} {local}\n" for number in range(HOSTS))
    (playbooks.ansible.directory / "farm.ini").write_text(f"[farm]\n{farm}")
    entries = contenders(server, with_peer=playbooks.peers is not None)
    seconds: Seconds = {}
    compared = {name for what, _shape, base, _limit in REACH for name in (what, base)}
    wanted = {shape for _what, shape, _base, _limit in REACH}
    for name, shape in shapes(full=full or reach).items():
        if reach and name not in wanted:
            continue
        rows = seconds.setdefault(name, {})
        for _round in range(ROUNDS):
            noop: Task = {"ansible.builtin.meta": "noop"}
            taken = playbooks.seconds(shape.hosts, [noop], shape.options)
            rows.setdefault("empty", []).append(taken)
            for contender, task in entries.items():
                if shape.hosts == "farm" and contender == MODULE_BARE:
                    continue  # minutes for a figure between two others
                if reach and contender not in compared:
                    continue
                taken = playbooks.seconds(shape.hosts, shape.tasks(task), shape.options)
                rows.setdefault(contender, []).append(taken)
        print(f"measured: {name}", file=sys.stderr, flush=True)
    return seconds


def growth(playbooks: Playbooks) -> Seconds:
    """Return the seconds of one verified task, and of its core by curl, by number of mounts."""
    seconds: Seconds = {}
    with running_server() as server:
        task = {MODULE: {"url": server.url, "token": server.token, "plugin": "transit"}}
        made = 0
        for count in MOUNT_COUNTS:
            for number in range(made, count):
                server.mount(f"m{number}", "transit")
            made = count
            rows = seconds.setdefault(str(count), {})
            for _round in range(ROUNDS):
                rows.setdefault("empty", []).append(playbooks.seconds("localhost", []))
                rows.setdefault("task", []).append(playbooks.seconds("localhost", [task]))
                rows.setdefault("curl", []).append(_curl(server))
            print(f"measured: {count} mounts", file=sys.stderr, flush=True)
    return seconds


def _curl(server: Server) -> float:
    """Return the seconds of one GET of sys/mounts and of the bare POST."""
    token = f"X-Vault-Token: {server.token}"
    api = f"{server.url}/v1/sys"
    body = '{"plugin": "transit"}'
    started = time.perf_counter()
    for words in (
        [f"{api}/mounts"],
        ["-X", "POST", "-d", body, f"{api}/plugins/reload/backend"],
    ):
        subprocess.run(["curl", "-sf", "-H", token, *words], capture_output=True, check=True)
    return time.perf_counter() - started


def per_task(seconds: Seconds) -> Figures:
    """Return the milliseconds of a task, by shape and contender."""
    found: Figures = {}
    for name, shape in shapes(full=True).items():
        medians = _medians(seconds.get(name, {}))
        empty = medians.pop("empty", 0.0)
        if medians:
            found[name] = {
                contender: (median - empty) / shape.count * 1000
                for contender, median in medians.items()
            }
    return found


def _medians(rows: t.Mapping[str, t.Sequence[float]]) -> dict[str, float]:
    return {name: statistics.median(runs) for name, runs in rows.items()}


def report(figures: Figures, grown: Seconds) -> str:
    """Return the ratios as Markdown tables, and what is reached of REACH."""
    lines: list[str] = []
    for shape, row in figures.items():
        bases = [row[name] for name in (URI, PING, DEBUG)]
        lines += _table(
            shape,
            ["Contender", "x `uri`", "x `ping`", "x `debug`", "ms a task"],
            [
                [name, *(f"{value / base:.3f}" for base in bases), f"{value:.1f}"]
                for name, value in row.items()
            ],
        )
        if VAULT_WRITE not in row:
            lines[-1:] = [f"| {VAULT_WRITE} | absent, or left out | | | |", ""]
    reached = [
        [
            what,
            shape,
            f"{limit} x {base}",
            *_judged(figures[shape][what] / figures[shape][base], limit),
        ]
        for what, shape, base, limit in REACH
        if shape in figures
    ]
    if grown:
        rows = {count: _medians(runs) for count, runs in grown.items()}
        taken = {count: row["task"] - row["empty"] for count, row in rows.items()}
        ratios = {count: taken[count] / row["curl"] for count, row in rows.items()}
        lines += _table(
            "Mounts of one verified task, in process",
            ["Mounts", "x one GET of sys/mounts and the POST, by curl", "ms"],
            [[count, f"{ratios[count]:.2f}", f"{taken[count] * 1000:.0f}"] for count in rows],
        )
        most = str(MOUNT_COUNTS[-1])
        judged = _judged(ratios[most], REACH_GROWTH)
        reached.append([VERIFIED, f"{most} mounts", f"{REACH_GROWTH} x curl", *judged])
    lines += _table("Reach", ["Contender", "Shape", "At most", "Measured", ""], reached)
    return "\n".join(lines)


def _table(title: str, columns: list[str], rows: list[list[str]]) -> list[str]:
    cells = [columns, ["---"] * len(columns), *rows]
    return [f"### {title}", "", *(f"| {' | '.join(row)} |" for row in cells), ""]


def _judged(ratio: float, limit: float) -> list[str]:
    return [f"{ratio:.3f}", "reached" if ratio <= limit else "missed"]


def picture(figures: Figures) -> str:
    """Return the plot of what a task costs, times `uri`."""
    ratios = {
        shape: {name: value / row[URI] for name, value in row.items()}
        for shape, row in figures.items()
    }
    return plot.bars("Wall time of a task, times ansible.builtin.uri", ratios, OURS)


def main() -> int:
    """Run the benchmark; prints the report and writes the raw data and the plot."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "--full",
        action="store_true",
        help=f"add {HOSTS} hosts, and up to {MOUNT_COUNTS[-1]} mounts",
    )
    parser.add_argument("--reach", action="store_true", help="only what a reach is set for")
    parser.add_argument("--profile", action="store_true", help="only show where the time goes")
    parser.add_argument("--json", type=pathlib.Path, help="write the raw seconds there")
    parser.add_argument("--svg", type=pathlib.Path, help="write a plot of the ratios there")
    parser.add_argument("--peers", type=pathlib.Path, help=f"folder to keep {VAULT_WRITE} in")
    options = parser.parse_args()
    if options.profile:
        print(profile_task.report())
        return 0
    if options.full and shutil.which("curl") is None:
        parser.error("--full compares with curl, which is not here")
    peer = peers.collections_path(options.peers.resolve()) if options.peers else None
    with running_server() as server, tempfile.TemporaryDirectory(prefix="bench-") as work:
        playbooks = Playbooks(Ansible(pathlib.Path(work), server), peer)
        grown = growth(playbooks) if options.full else {}
        seconds = measure(playbooks, server, full=options.full, reach=options.reach)
        openbao = server.call("GET", "sys/health")["version"]
    figures = per_task(seconds)
    print(report(figures, grown))
    if options.json:
        machine = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "ansible-core": version("ansible-core"),
            "openbao": openbao,
        }
        raw = {"machine": machine, "seconds": seconds, "growth": grown}
        options.json.write_text(json.dumps(raw, indent=1) + "\n")
    if options.svg:
        options.svg.write_text(picture(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
