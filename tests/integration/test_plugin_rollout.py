# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role plugin_rollout on three real nodes, each a host with a plugin directory of its own."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import shutil
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible, Run
from ansible_collections.vaultops.vault.tests.support.cluster import Cluster
from ansible_collections.vaultops.vault.tests.support.external_plugin import build_plugin
from ansible_collections.vaultops.vault.tests.support.nodes import write_inventory

ROLE = "vaultops.vault.plugin_rollout"
NAME = "ext-v1.0.0"  # of the file of v1.0.0 on each node

pytestmark = pytest.mark.each_core


class Fleet:
    """Three nodes, and three versions of a plugin on the controller."""

    def __init__(self, directory: pathlib.Path, cluster: Cluster) -> None:
        self.cluster = cluster
        self.ansible = Ansible(directory, cluster.active)
        self.inventory = write_inventory(directory / "inventory", cluster)
        self.files = {
            version: build_plugin(directory / f"built-{version}", version=version)
            for version in ("v1.0.0", "v1.1.0", "v1.2.0")
        }
        policy = REPOSITORY / "docs" / "policies" / "plugin_rollout.hcl"
        self.token = cluster.new_token(policy.read_text(encoding="utf-8"))

    def roll_out(
        self,
        version: str,
        *options: str,
        play: t.Mapping[str, t.Any] | None = None,
        **values: t.Any,
    ) -> Run:
        """Run the role for ``version``, with the token of its minimal policy."""
        variables = {
            "plugin_rollout_name": "ext",
            "plugin_rollout_version": version,
            "plugin_rollout_src": str(self.files[version].path),
            **values,
        }
        plays = [
            {
                "hosts": "vault",
                "gather_facts": False,
                "roles": [{"role": ROLE}],
                "vars": variables,
                **(play or {}),
            }
        ]
        path = self.ansible.directory / "rollout.json"
        path.write_text(json.dumps(plays))
        everything = ["-i", str(self.inventory), *options]
        return self.ansible.play_file(path, options=everything, BAO_TOKEN=self.token)

    def mount(self) -> None:
        """Mount v1.0.0 twice."""
        for path in ("ext", "ext2"):
            self.cluster.mount(path, "ext", version="v1.0.0")

    def runs(self, mount: str = "ext") -> set[str]:
        """Return the versions that the nodes' own processes tell."""
        return {node.info(mount)["version"] for node in self.cluster.nodes}

    def names(self) -> set[str]:
        """Return the names of the files in the plugin directories, which are alike on all nodes."""
        found = {
            frozenset(path.name for path in node.plugin_directory.iterdir())
            for node in self.cluster.nodes
        }
        (names,) = found
        return set(names)


@pytest.fixture
def bare_fleet(cluster: Cluster, tmp_path: pathlib.Path) -> Fleet:
    """The nodes without a plugin."""
    return Fleet(tmp_path, cluster)


@pytest.fixture
def fleet(bare_fleet: Fleet) -> Fleet:
    """The nodes as the role sets them up, but without its time, and two mounts."""
    plugin = bare_fleet.files["v1.0.0"]
    for node in bare_fleet.cluster.nodes:
        shutil.copy2(plugin.path, node.plugin_directory / NAME)
    registered = dataclasses.replace(plugin, path=plugin.path.with_name(NAME))
    bare_fleet.cluster.register("ext", registered)
    bare_fleet.mount()
    return bare_fleet


def changes(run: Run) -> int:
    """Return how many tasks changed something, on all hosts together."""
    return sum(bool(task.result.get("changed")) for task in run.tasks)


def failure(run: Run) -> str:
    """Return the message of the first task that failed."""
    assert run.returncode != 0
    return next(task.message for task in run.tasks if task.failed)


def test_up_and_again_and_cleaned_up(bare_fleet: Fleet) -> None:
    fleet = bare_fleet
    first = fleet.roll_out("v1.0.0")
    assert first.returncode == 0, first.output
    assert fleet.names() == {NAME}
    fleet.mount()

    checked = fleet.roll_out("v1.1.0", "--check", "--diff")
    assert checked.returncode == 0, checked.output
    assert fleet.names() == {NAME}

    up = fleet.roll_out("v1.1.0", plugin_rollout_canary="ext2")
    assert up.returncode == 0, up.output
    assert fleet.runs("ext") == fleet.runs("ext2") == {"v1.1.0"}
    assert changes(up) == 3 + 1 + 1  # a file on each node, the catalog, the mounts
    again = fleet.roll_out("v1.1.0", plugin_rollout_canary="ext2")
    assert (again.returncode, changes(again)) == (0, 0)

    serial = fleet.roll_out("v1.2.0", play={"serial": 1}, plugin_rollout_cleanup=True)
    assert serial.returncode == 0, serial.output
    assert fleet.runs() == {"v1.2.0"}
    assert fleet.names() == {"ext-v1.1.0", "ext-v1.2.0"}
    back = fleet.roll_out("v1.1.0", plugin_rollout_cleanup=True)
    assert back.returncode == 0, back.output
    assert fleet.runs() == {"v1.1.0"}


def test_a_version_in_use_is_never_removed(fleet: Fleet) -> None:
    up = fleet.roll_out(
        "v1.1.0",
        plugin_rollout_mounts=["ext"],
        plugin_rollout_cleanup=True,
        plugin_rollout_keep=0,
    )
    assert up.returncode == 0, up.output
    assert (fleet.runs("ext"), fleet.runs("ext2")) == ({"v1.1.0"}, {"v1.0.0"})
    assert fleet.names() == {"ext-v1.0.0", "ext-v1.1.0"}


def test_what_is_refused(fleet: Fleet, subtests: pytest.Subtests) -> None:
    with subtests.test("a file that is not the one that was meant"):
        run = fleet.roll_out("v1.1.0", plugin_rollout_sha256="0" * 64)
        assert "has sha256" in failure(run)
    with subtests.test("a file that is not there"):
        run = fleet.roll_out("v1.1.0", plugin_rollout_src="/nowhere")
        assert "/nowhere on the controller is not there" in failure(run)
    with subtests.test("another file of the same version"):
        run = fleet.roll_out("v1.0.0", plugin_rollout_src=str(fleet.files["v1.1.0"].path))
        assert "Give the new file a version of its own" in failure(run)
    with subtests.test("a node that does not get the file"):
        inventory = fleet.inventory.read_text()
        directory = str(fleet.cluster.nodes[0].plugin_directory)
        fleet.inventory.write_text(inventory.replace(directory, "/nowhere"))
        run = fleet.roll_out("v1.1.0")
        told = [task.message for task in run.tasks if task.failed]
        assert "/nowhere" in told[0]
        assert told[1].startswith("n1 without the file of ext v1.1.0, so no mount was moved")
        fleet.inventory.write_text(inventory)
    with subtests.test("a type that has no mounts"):
        run = fleet.roll_out("v1.1.0", plugin_rollout_type="database")
        assert "plugin_rollout_type" in failure(run)
    assert fleet.runs() == {"v1.0.0"}


@pytest.mark.openbao_only("a standby of Vault runs no plugins, and this one is broken on a standby")
def test_a_broken_version_is_rolled_back(fleet: Fleet) -> None:
    (fleet.cluster.standbys[0].plugin_directory / "ext-v1.1.0.fault").write_text("exit")
    run = fleet.roll_out("v1.1.0")
    assert "the old version again" in failure(run)
    assert fleet.runs("ext") == fleet.runs("ext2") == {"v1.0.0"}
