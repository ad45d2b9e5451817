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
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t

from ..support.ansible_runs import Ansible
from ..support.server import Server, bao_binary, running_server

MODULE = "vaultops.vault.plugin_reload"
# A builtin plugin with the one mount that a new server has: its reload takes the server 1 ms, so
# that the figures are of the clients.
PLUGIN = "kv"
MOUNT_COUNTS = (1, 100, 1000, 5000)


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much is done: tasks in a row, rounds of a loop, hosts by forks, repeats of everything."""

    tasks: int
    hosts: int
    forks: tuple[int, ...]
    rounds: int


QUICK = Plan(tasks=20, hosts=0, forks=(), rounds=5)
FULL = Plan(tasks=50, hosts=200, forks=(10, 50), rounds=5)


def contenders(server: Server) -> dict[str, dict[str, t.Any]]:
    """Return the task of each contender by its name."""
    ours = {"url": server.url, "token": server.token, "plugin": PLUGIN}
    as_module = {"vars": {"vaultops_in_process": False}}
    address = f"{server.url}/v1/sys/plugins/reload/backend"
    found: dict[str, dict[str, t.Any]] = {
        "plugin_reload, in process, bare POST": {MODULE: {**ours, "verify": False}},
        "plugin_reload, in process, verified": {MODULE: ours},
        "plugin_reload, as a module, bare POST": {MODULE: {**ours, "verify": False}, **as_module},
        "plugin_reload, as a module, verified": {MODULE: ours, **as_module},
        "ansible.builtin.debug": {"ansible.builtin.debug": {"msg": "hello"}},
        "ansible.builtin.ping": {"ansible.builtin.ping": {}},
        "ansible.builtin.uri": {
            "ansible.builtin.uri": {
                "url": address,
                "method": "POST",
                "headers": {"X-Vault-Token": server.token},
                "body_format": "json",
                "body": {"plugin": PLUGIN},
            }
        },
        "command: bao plugin reload": {
            "ansible.builtin.command": {
                "argv": [bao_binary(), "plugin", "reload", f"-plugin={PLUGIN}"]
            },
            "environment": {"BAO_ADDR": server.url, "BAO_TOKEN": server.token},
        },
    }
    peer = "community.hashi_vault.vault_write"
    if _is_installed(peer):
        found[peer] = {
            peer: {
                "url": server.url,
                "token": server.token,
                "path": "sys/plugins/reload/backend",
                "data": {"plugin": PLUGIN},
            }
        }
    return found


def _is_installed(module: str) -> bool:
    program = pathlib.Path(sys.executable).with_name("ansible-doc")
    done = subprocess.run([str(program), "-j", module], capture_output=True, check=False)
    return done.returncode == 0 and module.encode() in done.stdout


def shapes(plan: Plan) -> dict[str, tuple[int, t.Callable[[dict[str, t.Any]], t.Any], list[str]]]:
    """Return each shape of work: how many tasks it is, its play for a task, and options."""

    def play(hosts: str, tasks: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
        return [{"hosts": hosts, "gather_facts": False, "tasks": tasks}]

    found: dict[str, tuple[int, t.Callable[[dict[str, t.Any]], t.Any], list[str]]] = {
        f"{plan.tasks} in a row": (
            plan.tasks,
            lambda task: play("localhost", [task] * plan.tasks),
            [],
        ),
        f"loop of {plan.tasks}": (
            plan.tasks,
            lambda task: play("localhost", [{**task, "loop": list(range(plan.tasks))}]),
            [],
        ),
    }
    for forks in plan.forks:
        found[f"{plan.hosts} hosts, {forks} forks"] = (
            plan.hosts,
            lambda task: play("farm", [task]),
            ["-f", str(forks), "-i", "farm.ini"],
        )
    return found


def measure(plan: Plan, ansible: Ansible, server: Server) -> dict[str, dict[str, list[float]]]:
    """Return the seconds of each run, empty playbooks among them, by shape and contender."""
    local = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
    hosts = "".join(f"h{number} {local}\n" for number in range(plan.hosts))
    (ansible.directory / "farm.ini").write_text(f"localhost {local}\n[farm]\n{hosts}")
    entries: dict[str, dict[str, t.Any]] = {
        "empty": {"ansible.builtin.meta": "noop"},
        **contenders(server),
    }
    seconds: dict[str, dict[str, list[float]]] = {}
    for shape, (_count, play, options) in shapes(plan).items():
        for _round in range(plan.rounds):
            for name, task in entries.items():
                playbook = play(task)
                if name == "empty":
                    playbook[0]["tasks"] = [task]
                seconds.setdefault(shape, {}).setdefault(name, []).append(
                    _run(ansible, playbook, options)
                )
        print(f"measured: {shape}", file=sys.stderr, flush=True)
    return seconds


def _run(ansible: Ansible, playbook: t.Any, options: list[str]) -> float:
    path = ansible.directory / "bench.json"
    path.write_text(json.dumps(playbook))
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    environment = {**ansible.environment(), "ANSIBLE_STDOUT_CALLBACK": "minimal"}
    started = time.perf_counter()
    done = subprocess.run(
        [str(program), str(path), *options],
        cwd=ansible.directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    taken = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"a contender failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return taken


def growth(ansible: Ansible) -> dict[str, dict[str, list[float]]]:
    """Return the seconds of one verified task, and of the same by curl, by number of mounts."""
    seconds: dict[str, dict[str, list[float]]] = {}
    for count in MOUNT_COUNTS:
        with running_server() as server:
            for number in range(count):
                server.mount(f"m{number}", "transit")
            arguments = {"url": server.url, "token": server.token, "plugin": "transit"}
            play = [
                {
                    "hosts": "localhost",
                    "gather_facts": False,
                    "tasks": [{MODULE: arguments, "register": "reload"}],
                }
            ]
            empty = [{"hosts": "localhost", "gather_facts": False, "tasks": []}]
            rows = seconds.setdefault(str(count), {})
            for _round in range(5):
                rows.setdefault("empty", []).append(_run(ansible, empty, []))
                rows.setdefault("task", []).append(_run(ansible, play, []))
                rows.setdefault("curl", []).append(_curl(server))
        print(f"measured: {count} mounts", file=sys.stderr, flush=True)
    return seconds


def _curl(server: Server) -> float:
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


def per_task(plan: Plan, seconds: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    """Return the milliseconds of a task, by shape and contender."""
    found: dict[str, dict[str, float]] = {}
    for shape, (count, _play, _options) in shapes(plan).items():
        medians = {name: statistics.median(runs) for name, runs in seconds[shape].items()}
        found[shape] = {
            name: (median - medians["empty"]) / count * 1000
            for name, median in medians.items()
            if name != "empty"
        }
    return found


def report(figures: dict[str, dict[str, float]], grown: dict[str, dict[str, list[float]]]) -> str:
    """Return the ratios as Markdown tables, ratios first."""
    lines: list[str] = []
    for shape, row in figures.items():
        lines += [
            f"### {shape}",
            "",
            "| Contender | x `uri` | x `ping` | x `debug` | ms a task |",
            "|---|---|---|---|---|",
        ]
        bases = [row[f"ansible.builtin.{name}"] for name in ("uri", "ping", "debug")]
        for name, value in row.items():
            ratios = " | ".join(f"{value / base:.3f}" for base in bases)
            lines.append(f"| {name} | {ratios} | {value:.1f} |")
        lines.append("")
    if grown:
        lines += [
            "### mounts in one task, verified, in process",
            "",
            "| Mounts | x one GET of sys/mounts and the POST, by curl | ms |",
            "|---|---|---|",
        ]
        for count, rows in grown.items():
            medians = {name: statistics.median(runs) for name, runs in rows.items()}
            taken = medians["task"] - medians["empty"]
            lines.append(f"| {count} | {taken / medians['curl']:.2f} | {taken * 1000:.0f} |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    """Run the benchmark; prints the report and writes the raw data."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="50 tasks, 200 hosts, up to 5,000 mounts"
    )
    parser.add_argument("--json", type=pathlib.Path, help="write the raw seconds there")
    options = parser.parse_args()
    plan = FULL if options.full else QUICK
    with running_server() as server, tempfile.TemporaryDirectory(prefix="bench-") as work:
        ansible = Ansible(pathlib.Path(work), server)
        seconds = measure(plan, ansible, server)
        grown = growth(ansible) if options.full else {}
        version = server.call("GET", "sys/health")["version"]
    print(report(per_task(plan, seconds), grown))
    if options.json:
        machine = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "openbao": version,
            "plan": dataclasses.asdict(plan),
        }
        raw = {"machine": machine, "seconds": seconds, "growth": grown}
        options.json.write_text(json.dumps(raw, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
