# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade in twenty lines: three real nodes, a good version, and one that fails on a node."""

from __future__ import annotations

import json
import pathlib
import sys
import tempfile
import textwrap

from .ansible_runs import REPOSITORY, Ansible, Run
from .cluster import Cluster, running_cluster
from .demo import until_interrupted
from .external_plugin import build_plugin
from .nodes import write_inventory

PLAYBOOK = REPOSITORY / "playbooks" / "plugin_rollout.yml"
COMMAND = "ansible-playbook vaultops.vault.plugin_rollout -i inventory -e @rollout.yml"
VERSIONS = ("v1.0.0", "v1.1.0", "v1.2.0")
STEPS = (
    "Put the file into the plugin directory",
    "Register the version",
    "Move the mounts, and verify it on every node",
)


def main(python: str = sys.executable) -> int:
    """Run the demo, with a Python for modules and plugins on nodes; returns the exit status."""
    with running_cluster() as cluster, tempfile.TemporaryDirectory(prefix="vaultops-demo-") as work:
        return 0 if _demo(cluster, pathlib.Path(work), python) else 1


def _demo(cluster: Cluster, work: pathlib.Path, python: str) -> bool:
    for version in VERSIONS:
        build_plugin(work / f"weather-{version}", version=version, python=python)
    version = cluster.active.call("GET", "sys/health")["version"]
    roles = ", ".join(f"{node.name} {node.role}" for node in cluster.nodes)
    _say("cluster", f"OpenBao {version} on loopback: {roles}")
    _roll_out(cluster, work, "v1.0.0", python)
    cluster.mount("weather", "weather", version="v1.0.0")
    _say_running("before", _running(cluster))

    print(f"\n$ {COMMAND} -e plugin_rollout_version=v1.1.0")
    good = _roll_out(cluster, work, "v1.1.0", python)
    changed = [t.name.rpartition(" : ")[2] for t in good.tasks if t.result.get("changed")]
    for step in STEPS:
        _say("changed", f"{step} ({changed.count(step)})")
    moved = _running(cluster)
    _say_running("after", moved)

    broken = cluster.standbys[-1]
    (broken.plugin_directory / "weather-v1.2.0.fault").write_text("exit")
    print(f"\n$ {COMMAND} -e plugin_rollout_version=v1.2.0   # does not start on {broken.name}")
    bad = _roll_out(cluster, work, "v1.2.0", python)
    failed = next((task for task in bad.tasks if task.failed), bad.result)
    told = textwrap.shorten(failed.message, 260, placeholder=" …")
    for number, line in enumerate(textwrap.wrap(told, 88)):
        _say("" if number else "failed", line)
    after = _running(cluster)
    _say_running("after", after)

    worked = (
        set(moved.values()) == {"v1.1.0"}
        and after == moved
        and failed.result.get("rolled_back") is True
    )
    _say("proof", "the broken version is gone from every node" if worked else "FAILED")
    if not worked:
        print(good.output, bad.output)
    return worked


def _roll_out(cluster: Cluster, work: pathlib.Path, version: str, python: str) -> Run:
    inventory = write_inventory(work / "inventory", cluster, python)
    values = {
        "plugin_rollout_name": "weather",
        "plugin_rollout_version": version,
        "plugin_rollout_src": str(work / f"weather-{version}"),
    }
    options = ["-i", str(inventory), "-e", json.dumps(values)]
    return Ansible(work, cluster.active).play_file(PLAYBOOK, options=options)


def _running(cluster: Cluster) -> dict[str, str]:
    """Return the version that runs on each node, as the plugin's own process tells it."""
    answers = {node.name: node.request("GET", "weather/info") for node in cluster.nodes}
    return {
        name: answer.json()["data"]["version"] if answer.ok else "NOTHING"
        for name, answer in answers.items()
    }


def _say_running(when: str, versions: dict[str, str]) -> None:
    told = ", ".join(f"{version} on {name}" for name, version in versions.items())
    _say(when, f"weather/ runs {told}")


def _say(what: str, text: str) -> None:
    print(f"{what:>9}  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(until_interrupted(lambda: main(*sys.argv[1:])))
