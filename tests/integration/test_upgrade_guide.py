# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/upgrade.md shows is what happens."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible
from ansible_collections.vaultops.vault.tests.support.awx import Job
from ansible_collections.vaultops.vault.tests.support.cluster import Cluster
from ansible_collections.vaultops.vault.tests.support.documents import (
    blocks,
    comparable,
    run_console,
    with_programs,
    write_files,
)
from ansible_collections.vaultops.vault.tests.support.external_plugin import build_plugin
from ansible_collections.vaultops.vault.tests.support.fixtures import ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.nodes import write_inventory
from ansible_collections.vaultops.vault.tests.support.server import Server
from ansible_collections.vaultops.vault.tests.support.warm_python import interpreter

GUIDE = "docs/upgrade.md"

pytestmark = pytest.mark.slow


def in_any_order(text: str) -> list[str]:
    """Return the lines of an output; hosts of one task come as they are ready."""
    tasks = re.split(r"\n\n", "\n".join(comparable(text)))
    return ["\n".join(sorted(task.splitlines())) for task in tasks]


@pytest.mark.openbao_only("the guide shows OpenBao")
def test_the_demo() -> None:
    command = [sys.executable, "-m", "tests.support.demo_upgrade", interpreter()]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert comparable(run.stdout) == comparable(blocks(GUIDE, "demo")[0])


def test_one_server(server: Server, external_plugin: ExternalPlugin, ansible: Ansible) -> None:
    external_plugin("v1.0.0", name="weather")
    server.mount("weather", "weather", version="v1.0.0")
    server.mount("weather-eu", "weather", version="v1.0.0")
    build_plugin(server.plugin_directory / "weather-v1.1.0", version="v1.1.0")
    (ansible.directory / "plugins").symlink_to(server.plugin_directory)
    write_files(GUIDE, ["info.yml", "upgrade.yml"], ansible.directory)
    checked = ansible.play_file(ansible.directory / "upgrade.yml", options=["--check"])
    assert [task.status for task in checked.tasks] == ["ok", "skipped"]
    for name, version in (("look", "v1.0.0"), ("upgrade", "v1.1.0"), ("back", "v1.0.0")):
        output, expected = run_console(blocks(GUIDE, f"console {name}")[0], ansible)
        assert comparable(output) == comparable(expected)
        assert server.info("weather")["version"] == version
    run = ansible.play_file(ansible.directory / "upgrade.yml")
    again = ansible.play_file(ansible.directory / "upgrade.yml")
    assert [task["changed"] for task in run.tasks] == [False, True]
    assert [task["changed"] for task in again.tasks] == [False, False]


@pytest.fixture
def fleet(cluster: Cluster, tmp_path: pathlib.Path) -> Ansible:
    """The cluster of the guide: weather/ runs v1.0.0, and v1.1.0 lies on the controller."""
    cluster.plugin("v1.0.0", name="weather")
    cluster.mount("weather", "weather", version="v1.0.0")
    build_plugin(tmp_path / "weather-v1.1.0", version="v1.1.0")
    write_inventory(tmp_path / "inventory", cluster, interpreter())
    write_files(GUIDE, ["rollout.yml", "awx.yml"], tmp_path)
    # On loopback each node has a directory of its own, which the inventory tells.
    rollout = yaml.safe_load((tmp_path / "rollout.yml").read_text())
    del rollout["plugin_rollout_directory"]
    (tmp_path / "rollout.yml").write_text(yaml.safe_dump(rollout))
    return Ansible(tmp_path, cluster.active)


def running_nodes(cluster: Cluster) -> str:
    """Return the nodes that run plugins: those of the guide, on Vault only the active one."""
    if cluster.active.product == "OpenBao":
        return "n1, n2, n3"
    return cluster.active.url.partition("//")[2]


def test_a_cluster(cluster: Cluster, fleet: Ansible) -> None:
    output, expected = run_console(blocks(GUIDE, "console rollout")[0], fleet)
    expected = expected.replace("n1, n2, n3", running_nodes(cluster))
    assert in_any_order(output) == in_any_order(expected)
    assert {node.info("weather")["version"] for node in cluster.nodes} == {"v1.1.0"}


def test_the_awx_job(cluster: Cluster, fleet: Ansible) -> None:
    """As AWX has it: files/ beside a playbook, in a folder of the project, and nothing to help."""
    survey = json.loads(blocks(GUIDE, "survey")[0])
    asked = [question["variable"] for question in survey["spec"]]
    answers = dict(zip(asked, ["weather", "v1.1.0 ", ""], strict=True))
    job = Job(fleet.directory / "job", with_programs(fleet.environment()))
    files = job.project / "rollouts" / "files"
    files.mkdir(parents=True)
    (fleet.directory / "awx.yml").rename(files.parent / "awx.yml")
    (fleet.directory / "weather-v1.1.0").rename(files / "weather-v1.1.0")
    # No ansible_connection: without our help Ansible would look for an SSH server there.
    localhost = f"[all]\nlocalhost ansible_python_interpreter={sys.executable}\n"
    job.inventory((fleet.directory / "inventory").read_text() + localhost)
    done = job.launch("rollouts/awx.yml", answers)
    assert done.rc == 0, done.output
    assert cluster.token not in done.everything
    assert {node.info("weather")["version"] for node in cluster.nodes} == {"v1.1.0"}
    running = running_nodes(cluster)
    line = f"weather: weather/ ran v1.0.0, runs v1.1.0 on {running}"
    assert done.last_result["msg"] == line
    handed_on = done.artifacts["plugin_rollout_result"]
    assert {node["name"] for node in handed_on["nodes"] if node["mounts"]} == {*running.split(", ")}
    for node in (node for node in handed_on["nodes"] if node["mounts"]):
        (mount,) = node["mounts"]
        versions = (mount["before"]["version"], mount["after"]["version"])
        assert (node["ok"], *versions) == (True, "v1.0.0", "v1.1.0")
