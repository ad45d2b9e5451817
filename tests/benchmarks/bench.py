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
import contextlib
import dataclasses
import itertools
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

import requests

from ..support.ansible_runs import Ansible
from ..support.distance import far_away
from ..support.external_plugin import build_plugin
from ..support.server import Server, bao_binary, running_server
from . import peers, plot, profile_task

MODULE = "vaultops.vault.plugin_reload"
UPGRADE = "vaultops.vault.plugin_upgrade"
# A builtin plugin with the one mount that a new server has: its reload takes the server 1 ms, so
# that the figures are of the clients.
PLUGIN = "kv"

# How often, and how much of it, by default and with --full.
ROUNDS, TASKS = (3, 5), (10, 50)
# As many of what starts no process: less would drown in what two starts of Ansible differ by.
QUICK_TASKS = 100
HOSTS = 200
FORKS = (10, 50)
MOUNT_COUNTS = (1, 100, 1000, 5000)
# External mounts of one multiplexed plugin, and the round trip to their server.
FAR_MOUNTS, FAR_SECONDS = (200, 1000), 0.02

BARE = "plugin_reload, in process, bare POST"
VERIFIED = "plugin_reload, in process, verified"
MODULE_BARE = "plugin_reload, as a module, bare POST"
MODULE_VERIFIED = "plugin_reload, as a module, verified"
HTTPS_BARE = "plugin_reload, in process, bare POST, https"
HTTPS_VERIFIED = "plugin_reload, in process, verified, https"
UNVALIDATED = "plugin_reload, in process, verified, https, validate_certs: false"
OURS = (
    BARE,
    VERIFIED,
    MODULE_BARE,
    MODULE_VERIFIED,
    HTTPS_BARE,
    HTTPS_VERIFIED,
    UNVALIDATED,
)
DEBUG, PING, URI = (f"ansible.builtin.{name}" for name in ("debug", "ping", "uri"))
# They start no process.
QUICK = (BARE, VERIFIED, HTTPS_BARE, HTTPS_VERIFIED, UNVALIDATED, DEBUG)
HTTPS_URI = f"{URI}, https"
WORK = "a verified reload by five tasks of uri"
VAULT_WRITE = "community.hashi_vault.vault_write"

ROW, LOOP = "in a row", "in a loop"
HOSTS_10 = f"{HOSTS} hosts, {FORKS[0]} forks"

# What we want to reach: a contender costs at most so many times what another one does.
REACH = (
    (HTTPS_VERIFIED, ROW, VERIFIED, 1.20),
    (HTTPS_VERIFIED, LOOP, VERIFIED, 1.15),
    (UNVALIDATED, ROW, HTTPS_VERIFIED, 1.0),
    (UNVALIDATED, LOOP, HTTPS_VERIFIED, 1.0),
    (BARE, ROW, URI, 0.070),
    (BARE, LOOP, URI, 0.020),
    (BARE, ROW, PING, 0.09),
    (BARE, ROW, DEBUG, 1.5),
    (BARE, HOSTS_10, URI, 0.07),
    (VERIFIED, ROW, URI, 0.085),
    (VERIFIED, LOOP, URI, 0.030),
    (MODULE_VERIFIED, ROW, URI, 1.0),
    (MODULE_BARE, ROW, URI, 0.95),
    (MODULE_VERIFIED, ROW, WORK, 0.25),
)
# Of the far tasks beside those of another checkout (--against), and of many mounts beside fewer.
REACH_FAR = {"plugin_reload": 0.25, "state: current": 0.2, "plugin_upgrade": 0.2}
REACH_FAR_GROWTH = 5.0
# How much more memory than uri's controller ours may have at its peak, in MB.
REACH_MEMORY = 10.0
REACH_GROWTH = 3.0

Task = dict[str, t.Any]
Seconds = dict[str, dict[str, list[float]]]
Figures = dict[str, dict[str, float]]
# What a contender does for one unit of work.
Contenders = dict[str, list[Task]]


@dataclasses.dataclass
class Playbooks:
    """Runs playbooks and takes their time; ``peers`` is a collections path, if there is one.

    ``peak`` is the memory of the largest process of the last run, in MB.
    """

    ansible: Ansible
    peers: pathlib.Path | None
    peak: float = 0.0

    def seconds(
        self,
        hosts: str,
        tasks: list[Task],
        options: t.Sequence[str] = (),
        collections: pathlib.Path | None = None,
    ) -> float:
        """Return how long ``ansible-playbook`` takes for ``tasks`` on ``hosts``.

        ``collections`` is a collections path with another checkout of this collection.
        """
        # Not beside the folder "collections", which Ansible would prefer to the collections path.
        path = self.ansible.directory / "bench" / "bench.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps([{"hosts": hosts, "gather_facts": False, "tasks": tasks}]))
        environment = self.ansible.environment()
        if collections is not None:
            environment["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
        if self.peers is not None:
            environment["ANSIBLE_COLLECTIONS_PATH"] += f"{os.pathsep}{self.peers}"
        program = pathlib.Path(sys.executable).with_name("ansible-playbook")
        log = self.ansible.directory / "bench.log"
        started = time.perf_counter()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(program), str(path), *options],
                cwd=self.ansible.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        taken = time.perf_counter() - started
        self.peak = usage.ru_maxrss / 1024
        if process.returncode:
            raise SystemExit(f"a contender failed:\n{log.read_text()[-3000:]}")
        return taken


class Servers(t.NamedTuple):
    """The servers: one of HTTP, and one of HTTPS with the ``bundle`` that trusts it.

    The bundle has the usual certificate authorities too, as that of a distribution with one added.
    """

    plain: Server
    encrypted: Server
    bundle: pathlib.Path


def contenders(servers: Servers, *, with_peer: bool) -> Contenders:
    """Return the tasks of each contender by its name."""
    server = servers.plain
    ours = {"url": server.url, "token": server.token, "plugin": PLUGIN}
    there = {"url": servers.encrypted.url, "token": servers.encrypted.token}
    encrypted = {**ours, **there, "ca_cert": str(servers.bundle)}
    as_module = {"vars": {"vaultops_in_process": False}}
    path, body = "sys/plugins/reload/backend", {"plugin": PLUGIN}
    bao = [bao_binary(), "plugin", "reload", f"-plugin={PLUGIN}"]
    write = {"url": server.url, "token": server.token, "path": path, "data": body}
    found: Contenders = {
        BARE: [{MODULE: {**ours, "verify": False}}],
        VERIFIED: [{MODULE: ours}],
        MODULE_BARE: [{MODULE: {**ours, "verify": False}, **as_module}],
        MODULE_VERIFIED: [{MODULE: ours, **as_module}],
        HTTPS_BARE: [{MODULE: {**encrypted, "verify": False}}],
        HTTPS_VERIFIED: [{MODULE: encrypted}],
        UNVALIDATED: [{MODULE: {**ours, **there, "validate_certs": False}}],
        DEBUG: [{DEBUG: {"msg": "hello"}}],
        PING: [{PING: {}}],
        URI: [_uri(server, path, body)],
        HTTPS_URI: [_uri(servers.encrypted, path, body, ca_path=str(servers.bundle))],
        WORK: [
            _uri(server, "sys/mounts"),
            _uri(server, "sys/plugins/catalog"),
            _uri(server, path, body),
            _uri(server, "sys/mounts"),
            _uri(server, "secret?help=1"),
        ],
        "command: bao plugin reload": [
            {
                "ansible.builtin.command": {"argv": bao},
                "environment": {"BAO_ADDR": server.url, "BAO_TOKEN": server.token},
            }
        ],
    }
    return {**found, VAULT_WRITE: [{VAULT_WRITE: write}]} if with_peer else found


def _uri(server: Server, path: str, body: t.Any = None, **more: str) -> Task:
    """Return the task of uri that sends one request."""
    options = {
        "url": f"{server.url}/v1/{path}",
        "method": "GET" if body is None else "POST",
        "headers": {"X-Vault-Token": server.token},
        **more,
    }
    if body is not None:
        options.update(body_format="json", body=body)
    return {URI: options}


@dataclasses.dataclass(frozen=True)
class Shape:
    """Work of ``count`` units, or ``quick`` of a contender that starts no process.

    ``tasks`` makes the tasks of so many.  Those of ``without`` are left out: they take minutes for
    a figure that others show.
    """

    count: int
    quick: int
    hosts: str
    tasks: t.Callable[[list[Task], int], list[Task]]
    options: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def count_of(self, contender: str) -> int:
        """Return how many units a contender works on."""
        return self.quick if contender in QUICK else self.count


def shapes(*, full: bool) -> dict[str, Shape]:
    """Return each shape of work by its name."""
    count = TASKS[full]
    found = {
        ROW: Shape(count, QUICK_TASKS, "localhost", lambda tasks, units: tasks * units),
        LOOP: Shape(
            count,
            QUICK_TASKS,
            "localhost",
            lambda tasks, units: [{**task, "loop": list(range(units))} for task in tasks],
            without=(WORK,),
        ),
    }
    for forks in FORKS if full else ():
        options = ("-f", str(forks), "-i", "farm.ini")
        name, without = f"{HOSTS} hosts, {forks} forks", (MODULE_BARE, WORK)
        found[name] = Shape(HOSTS, HOSTS, "farm", lambda tasks, _units: tasks, options, without)
    return found


def measure(
    playbooks: Playbooks, servers: Servers, *, full: bool, reach: bool
) -> tuple[Seconds, dict[str, float]]:
    """Return the seconds of each run, by shape and contender, and the peak memory of each.

    Empty playbooks are among them.  With ``reach`` only what a row of REACH compares.
    """
    local = "ansible_connection=local ansible_python_interpreter='{{ ansible_playbook_python }}'"
    farm = "".join(f"h{number} {local}\n" for number in range(HOSTS))
    (playbooks.ansible.directory / "farm.ini").write_text(f"[farm]\n{farm}")
    entries = contenders(servers, with_peer=playbooks.peers is not None)
    seconds: Seconds = {}
    memory: dict[str, float] = {}
    compared = {name for what, _shape, base, _limit in REACH for name in (what, base)}
    wanted = {shape for _what, shape, _base, _limit in REACH}
    for name, shape in shapes(full=full).items():
        if reach and name not in wanted:
            continue
        rows = seconds.setdefault(name, {})
        for _round in range(ROUNDS[full]):
            noop: Task = {"ansible.builtin.meta": "noop"}
            taken = playbooks.seconds(shape.hosts, [noop], shape.options)
            rows.setdefault("empty", []).append(taken)
            for contender, tasks in entries.items():
                if contender in shape.without or (reach and contender not in compared):
                    continue
                all_tasks = shape.tasks(tasks, shape.count_of(contender))
                taken = playbooks.seconds(shape.hosts, all_tasks, shape.options)
                rows.setdefault(contender, []).append(taken)
                memory[contender] = max(memory.get(contender, 0.0), playbooks.peak)
        print(f"measured: {name}", file=sys.stderr, flush=True)
    return seconds, memory


def far(work: pathlib.Path, *, full: bool, against: pathlib.Path | None) -> Seconds:
    """Return the seconds of tasks whose server is far, by their mounts and names.

    Those of another checkout, ``against``, are measured in turn.
    """
    seconds: Seconds = {}
    other = _collections(work, against) if against else None
    counts = FAR_MOUNTS if full else FAR_MOUNTS[:1]
    for count in counts:
        rows = seconds.setdefault(f"{count} mounts", {})
        with running_server() as server, far_away(server.url, FAR_SECONDS) as url:
            versions = ("v1.0.0", "v1.1.0")
            for version in versions:
                out = server.plugin_directory / version
                plugin = build_plugin(out, version=version, multiplexed=True, python=sys.executable)
                server.register("ext", plugin)
            for number in range(count):
                server.mount(f"m{number}", "ext", version=versions[0])
            playbooks = Playbooks(Ansible(work, server), None)
            options = {"url": url, "token": server.token, "plugin": "ext"}
            contestants = [("", None), *([(", before", other)] if other else [])]
            targets = itertools.cycle(reversed(versions))
            for _round in range(ROUNDS[full]):
                rows.setdefault("empty", []).append(playbooks.seconds("localhost", []))
                for name, collections in contestants:
                    tasks: Contenders = {
                        "plugin_reload": [{MODULE: options}],
                        "state: current": [{MODULE: {**options, "state": "current"}}],
                        "plugin_upgrade": [{UPGRADE: {**options, "version": next(targets)}}],
                    }
                    for task, each in tasks.items():
                        taken = playbooks.seconds("localhost", each, collections=collections)
                        rows.setdefault(f"{task}{name}", []).append(taken)
        print(f"measured: {count} mounts, far away", file=sys.stderr, flush=True)
    return seconds


def _collections(work: pathlib.Path, checkout: pathlib.Path) -> pathlib.Path:
    """Return a collections path in which ``checkout`` is this collection."""
    link = work / "against" / "ansible_collections" / "vaultops" / "vault"
    link.parent.mkdir(parents=True)
    link.symlink_to(checkout.resolve())
    return work / "against"


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
            for _round in range(ROUNDS[True]):
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


def per_task(seconds: Seconds, *, full: bool) -> Figures:
    """Return the milliseconds of a unit of work, by shape and contender."""
    found: Figures = {}
    for name, shape in shapes(full=full).items():
        medians = _medians(seconds.get(name, {}))
        empty = medians.pop("empty", 0.0)
        if medians:
            found[name] = {
                contender: (median - empty) / shape.count_of(contender) * 1000
                for contender, median in medians.items()
            }
    return found


def bundle(work: pathlib.Path, server: Server) -> pathlib.Path:
    """Return a file with the usual certificate authorities, and that of ``server``."""
    if server.ca_cert is None:
        raise AssertionError("a server without TLS")
    path = work / "bundle.pem"
    usual = pathlib.Path(requests.utils.DEFAULT_CA_BUNDLE_PATH)
    path.write_text(usual.read_text(encoding="utf-8") + server.ca_cert.read_text(encoding="utf-8"))
    return path


def _medians(rows: t.Mapping[str, t.Sequence[float]]) -> dict[str, float]:
    return {name: statistics.median(runs) for name, runs in rows.items()}


def report(
    figures: Figures, grown: Seconds, distant: Seconds, memory: t.Mapping[str, float]
) -> str:
    """Return the ratios as Markdown tables, and what is reached of what we want to reach."""
    lines: list[str] = []
    for shape, row in figures.items():
        bases = (URI, PING, DEBUG)
        lines += _table(
            shape,
            ["Contender", *(f"x `{name.rpartition('.')[2]}`" for name in bases), "ms a task"],
            [
                [name, *(f"{value / row[base]:.3f}" for base in bases), f"{value:.1f}"]
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
        if what in figures.get(shape, {}) and base in figures[shape]
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
    more, judged_far = _far_tables(distant)
    lines += more
    reached += judged_far
    if memory:
        peaks = {name: memory[name] for name in (VERIFIED, HTTPS_VERIFIED, URI) if name in memory}
        lines += _table(
            "Peak memory of Ansible",
            ["Contender", "MB"],
            [[name, f"{peak:.0f}"] for name, peak in peaks.items()],
        )
        above = peaks.get(HTTPS_VERIFIED, 0.0) - peaks.get(URI, 0.0)
        ok = "reached" if above <= REACH_MEMORY else "missed"
        reached.append(
            [HTTPS_VERIFIED, "memory", f"{REACH_MEMORY:.0f} MB above {URI}", f"{above:.1f}", ok]
        )
    lines += _table("Reach", ["Contender", "Shape", "At most", "Measured", ""], reached)
    return "\n".join(lines)


def _far_tables(distant: Seconds) -> tuple[list[str], list[list[str]]]:
    """Return the tables of the tasks whose server is far, and what is reached there."""
    lines: list[str] = []
    reached: list[list[str]] = []
    taken: dict[str, dict[str, float]] = {}
    for mounts, runs in distant.items():
        medians = _medians(runs)
        empty = medians.pop("empty")
        taken[mounts] = {name: median - empty for name, median in medians.items()}
        rows = [
            [name, f"{taken[mounts][name]:.2f}", *_beside(taken[mounts], name)]
            for name in REACH_FAR
        ]
        title = f"{mounts}, round trip of {FAR_SECONDS * 1000:.0f} ms"
        lines += _table(title, ["Task", "seconds", "before", "ratio"], rows)
        for name, limit in REACH_FAR.items():
            before = taken[mounts].get(f"{name}, before")
            if before:
                judged = _judged(taken[mounts][name] / before, limit)
                reached.append([name, title, f"{limit} x before", *judged])
    few, many = (f"{count} mounts" for count in FAR_MOUNTS)
    for name in REACH_FAR if many in taken else ():
        judged = _judged(taken[many][name] / taken[few][name], REACH_FAR_GROWTH)
        reached.append([name, many, f"{REACH_FAR_GROWTH} x {few}", *judged])
    return lines, reached


def _beside(taken: t.Mapping[str, float], name: str) -> list[str]:
    before = taken.get(f"{name}, before")
    return ["", ""] if not before else [f"{before:.2f}", f"{taken[name] / before:.2f}"]


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
        help=f"more rounds; add {HOSTS} hosts, and up to {MOUNT_COUNTS[-1]} mounts",
    )
    parser.add_argument("--reach", action="store_true", help="only what a reach is set for")
    parser.add_argument("--far", action="store_true", help="only what is far away")
    parser.add_argument(
        "--against", type=pathlib.Path, help="a checkout whose far tasks are measured beside ours"
    )
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
    peer = peers.collections_path(options.peers) if options.peers else None
    grown: Seconds = {}
    seconds: Seconds = {}
    memory: dict[str, float] = {}
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(running_server())
        playbooks = Playbooks(Ansible(work, server), peer)
        if not options.far:
            encrypted = stack.enter_context(running_server(tls=True))
            servers = Servers(server, encrypted, bundle(work, encrypted))
            grown = growth(playbooks) if options.full else {}
            seconds, memory = measure(playbooks, servers, full=options.full, reach=options.reach)
        distant = far(work, full=options.full, against=options.against)
        openbao = server.call("GET", "sys/health")["version"]
    figures = per_task(seconds, full=options.full)
    print(report(figures, grown, distant, memory))
    if options.json:
        machine = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "ansible-core": version("ansible-core"),
            "openbao": openbao,
        }
        raw = {
            "machine": machine,
            "seconds": seconds,
            "growth": grown,
            "far": distant,
            "memory": memory,
        }
        options.json.write_text(json.dumps(raw, indent=1) + "\n")
    if options.svg:
        options.svg.write_text(picture(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
