# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role plugin_rollout on three real nodes, each a host with a plugin directory of its own."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.cluster import Cluster
from ansible_collections.vaultops.vault.tests.support.fleet import Fleet, changes, failure

NAME = "ext-v1.0.0"  # of the file of v1.0.0 on each node
# As a survey leaves them; mounts may be an empty list too.
MAY_BE_EMPTY = [
    f"plugin_rollout_{name}"
    for name in (
        *("type", "sha256", "command", "owner", "group", "mode", "arguments", "env", "mounts"),
        *("canary", "batch", "scope", "wait_timeout", "cleanup", "keep", "nodes", "delegate_to"),
    )
]

pytestmark = pytest.mark.each_core


@pytest.fixture
def bare_fleet(cluster: Cluster, tmp_path: pathlib.Path) -> Fleet:
    """The nodes without a plugin."""
    return Fleet(tmp_path, cluster)


@pytest.fixture
def fleet(bare_fleet: Fleet) -> Fleet:
    """The nodes as the role sets them up, but without its time, and two mounts."""
    bare_fleet.set_up("ext", "ext2")
    return bare_fleet


def test_up_and_again(bare_fleet: Fleet) -> None:
    fleet = bare_fleet
    empty: dict[str, t.Any] = dict.fromkeys(MAY_BE_EMPTY, "")
    first = fleet.roll_out("v1.0.0", **empty)
    assert first.returncode == 0, first.output
    assert '"msg": "ext: mounted nowhere"' in first.output
    assert fleet.names() == {NAME}
    fleet.mount("ext", "ext2")
    blanks: dict[str, t.Any] = {
        "plugin_rollout_name": " ext",
        "plugin_rollout_version": " v1.1.0\n",
        "plugin_rollout_canary": "ext2 ",
        "plugin_rollout_nodes": "n1, n2\nn3\n",
        "plugin_rollout_wait_timeout": " 60 ",
        "plugin_rollout_scope": "",
        "plugin_rollout_mounts": [],
    }
    up = fleet.roll_out("v1.1.0", **blanks)
    assert up.returncode == 0, up.output
    assert [task for task in up.tasks if "nodes" in task.result]  # the scope is global
    assert fleet.runs("ext") == fleet.runs("ext2") == {"v1.1.0"}
    assert changes(up) == 3 + 1 + 1  # a file on each node, the catalog, the mounts
    for mount in ("ext/", "ext2/"):  # also the one that moved before the last reload
        assert f"{mount} ran v1.0.0, runs v1.1.0" in up.output
    again = fleet.roll_out("v1.1.0", plugin_rollout_canary="ext2")
    assert (again.returncode, changes(again)) == (0, 0)


@pytest.mark.long
def test_checked_then_one_by_one_and_cleaned_up(fleet: Fleet) -> None:
    checked = fleet.roll_out("v1.1.0", "--check", "--diff")
    assert checked.returncode == 0, checked.output
    # The plugin is a script, and may be one with a key in it.
    assert "#!" in fleet.files["v1.1.0"].path.read_text()
    assert "#!" not in checked.output
    assert fleet.names() == {NAME}

    serial = fleet.roll_out("v1.1.0", play={"serial": 1}, plugin_rollout_cleanup=True)
    assert serial.returncode == 0, serial.output
    assert fleet.runs() == {"v1.1.0"}
    up = fleet.roll_out("v1.2.0", plugin_rollout_cleanup=True)
    assert up.returncode == 0, up.output
    assert fleet.runs() == {"v1.2.0"}
    assert fleet.names() == {"ext-v1.1.0", "ext-v1.2.0"}
    none: dict[str, t.Any] = {"plugin_rollout_cleanup": True, "plugin_rollout_keep": 0}
    predicted = fleet.roll_out("v1.2.0", "--check", **none)
    assert fleet.names() == {"ext-v1.1.0", "ext-v1.2.0"}
    assert changes(predicted) == changes(fleet.roll_out("v1.2.0", **none)) > 1
    assert fleet.names() == {"ext-v1.2.0"}
    back = fleet.roll_out("v1.1.0", plugin_rollout_cleanup=True)
    assert back.returncode == 0, back.output
    assert fleet.runs() == {"v1.1.0"}


@pytest.mark.long
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


@pytest.mark.long
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
    upgrade = next(task for task in run.tasks if task.failed)
    told = {
        (mount["before"]["version"], mount["after"]["version"])
        for node in upgrade["nodes"]
        for mount in node["mounts"]
    }
    assert told == {("v1.0.0", "v1.0.0")}
    assert fleet.runs("ext") == fleet.runs("ext2") == {"v1.0.0"}
