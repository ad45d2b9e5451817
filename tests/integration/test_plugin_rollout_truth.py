# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role plugin_rollout takes away what nobody needs, and nothing else, on three real nodes."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import shutil
import time
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY
from ansible_collections.vaultops.vault.tests.support.cluster import Cluster
from ansible_collections.vaultops.vault.tests.support.fleet import ROLE, Fleet, failure

pytestmark = pytest.mark.slow

Namespaces = t.Callable[..., None]
# Variables of a host that cannot be reached.
NOWHERE = "ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1"


@pytest.fixture
def fleet(cluster: Cluster, tmp_path: pathlib.Path) -> Fleet:
    """The nodes as the role sets them up: ``ext`` runs v1.0.0."""
    ready = Fleet(tmp_path, cluster)
    ready.set_up("ext")
    return ready


@pytest.fixture
def namespaces(cluster: Cluster) -> t.Iterator[Namespaces]:
    """Make namespaces, the outer ones first, and remove them."""
    made: list[str] = []

    def make(*paths: str) -> None:
        for path in paths:
            outer, _slash, name = path.rpartition("/")
            cluster.active.call("POST", f"sys/namespaces/{name}", namespace=outer)
            made.append(path)

    yield make
    deadline = time.monotonic() + 20
    for path in reversed(made):
        outer, _slash, name = path.rpartition("/")
        # It is refused while the child that was deleted before is still on its way out.
        while not cluster.active.request("DELETE", f"sys/namespaces/{name}", namespace=outer).ok:
            assert time.monotonic() < deadline, f"namespace {path} cannot be deleted"
            time.sleep(0.2)


def place(fleet: Fleet, *names: str) -> None:
    """Put copies of the file that runs into the plugin directories, under other names."""
    for node in fleet.cluster.nodes:
        for name in names:
            shutil.copy2(node.plugin_directory / "ext-v1.0.0", node.plugin_directory / name)


def register(fleet: Fleet, plugin: str, command: str, version: str = "") -> None:
    """Write an entry for a file that does not start: its sha256 is another."""
    body = {"command": command, "sha256": "0" * 64, "version": version}
    fleet.cluster.active.call("POST", f"sys/plugins/catalog/{plugin}", body)


def versions(fleet: Fleet) -> set[str]:
    """Return the registered versions of the plugin."""
    entries = fleet.cluster.active.call("GET", "sys/plugins/catalog")["detailed"]
    return {e["version"] for e in entries if (e["type"], e["name"]) == ("secret", "ext")}


def test_files_that_other_entries_need_stay(fleet: Fleet) -> None:
    old = [f"v0.{number}.0" for number in range(1, 7)]
    place(fleet, *(f"ext-{version}" for version in old), "lost")
    for version in old:
        register(fleet, "secret/ext", f"ext-{version}", version)
    register(fleet, "auth/ext", "ext-v0.1.0")
    register(fleet, "secret/other", "ext-v0.2.0", "v7.0.0")
    register(fleet, "secret/ext", "ext-v0.3.0", "v9.0.0")
    register(fleet, "database/ext", "ext-v0.4.0", "v1.0.0")
    register(fleet, "secret/lost", "lost")
    for node in fleet.cluster.nodes:
        (node.plugin_directory / "lost").unlink()
        (node.plugin_directory / "link").symlink_to("ext-v0.5.0")
    register(fleet, "auth/linked", "link")
    # As texts, which variables of the command line are.
    texts = ["plugin_rollout_keep=1", "plugin_rollout_batch=1", "plugin_rollout_cleanup=true"]
    run = fleet.roll_out("v1.1.0", *(word for text in texts for word in ("-e", text)))
    assert run.returncode == 0, run.output
    assert versions(fleet) == {"v1.0.0", "v1.1.0", "v9.0.0"}
    needed = {f"ext-{version}" for version in old[:-1]}
    assert fleet.names() == needed | {"link", "ext-v1.0.0", "ext-v1.1.0"}


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_versions_that_namespaces_need_stay_and_others_go(
    fleet: Fleet, namespaces: Namespaces
) -> None:
    namespaces("team", "team/inner", "team/inner/deep", "team/inner/deep/deeper")
    active = fleet.cluster.active
    active.mount("mine", "ext", version="v1.0.0", namespace="team/inner/deep/deeper")
    place(fleet, "ext-v0.1.0")
    register(fleet, "secret/ext", "ext-v0.1.0", "v0.1.0")
    options: dict[str, t.Any] = {"plugin_rollout_cleanup": True, "plugin_rollout_keep": "0"}
    run = fleet.roll_out("v1.1.0", **options)
    assert run.returncode == 0, run.output
    assert versions(fleet) == {"v1.0.0", "v1.1.0"}
    assert fleet.names() == {"ext-v1.0.0", "ext-v1.1.0"}
    active.call("DELETE", "sys/mounts/mine", namespace="team/inner/deep/deeper")

    policy = (REPOSITORY / "docs" / "policies" / "plugin_rollout.hcl").read_text(encoding="utf-8")
    fleet.token = fleet.cluster.new_token(policy.replace('"+/+/+/sys/mounts"', '"nowhere"'))
    blind = fleet.roll_out("v1.1.0", **options)
    assert 'permission denied reading who needs secret plugin "ext" v1.0.0' in failure(blind)
    assert fleet.runs() == {"v1.1.0"}
    assert fleet.names() == {"ext-v1.0.0", "ext-v1.1.0"}


def test_all_variables_are_checked_first(fleet: Fleet, subtests: pytest.Subtests) -> None:
    wrong: dict[str, t.Any] = {
        "keep": "-1",
        "batch": "-2",
        "wait_timeout": "soon",
        "cleanup": "perhaps",
        "directory": " ",
        "src": "",
        "sha256": "abc",
        "command": "../ext",
        "env": ["no value"],
        "name": "a/b",
        "nodes": "n1,nowhere",
        "mounts": "ext,auth/",
        "canary": "ext\next2",
        "mode": "99x",
    }
    cases = {name: {f"plugin_rollout_{name}": value} for name, value in wrong.items()}
    cases["keep, no whole number"] = {"plugin_rollout_keep": "1.5"}
    cases["batch, no whole number"] = {"plugin_rollout_batch": 1.5}
    cases["mode, not in quotes"] = {"plugin_rollout_mode": 755}
    cases["mode, true"] = {"plugin_rollout_mode": True}
    cases["directory, relative"] = {"plugin_rollout_directory": "plugins"}
    cases["canary, a list"] = {"plugin_rollout_canary": ["ext"]}
    cases["mounts, a list in it"] = {"plugin_rollout_mounts": [["ext"]]}
    cases["src, no file"] = {"plugin_rollout_src": str(fleet.inventory.parent)}
    told = dict.fromkeys(cases, "nothing was changed")
    told["canary, a list"] = "plugin_rollout_canary has a list where a text belongs"
    told["mounts, a list in it"] = "plugin_rollout_mounts has a list where a text belongs"
    for version in ("1.1", "v1.1.0+builtin", "v1.1 .0", "v1.1.0\nv1.2.0", " ", ""):
        name = f"version {version!r}"
        cases[name] = {"plugin_rollout_version": version}
        told[name] = "plugin_rollout_version is not a semantic version"
    messages = fleet.refusals("v1.1.0", cases)
    for name in cases:
        with subtests.test(name):
            assert len(messages[name]) == len(fleet.cluster.nodes)
            for message in messages[name]:
                assert told[name] in message
                assert name not in wrong or f"plugin_rollout_{name}" in message
    assert fleet.names() == {"ext-v1.0.0"}
    assert versions(fleet) == {"v1.0.0"}


def test_a_mount_that_is_not_there_is_refused_on_all_nodes(fleet: Fleet) -> None:
    told = (
        'there is no mount "nope/" of the secret plugin "ext": see the module plugin_info for its '
        "mounts; nothing was changed on "
    )
    for play, options, nodes in (
        ({}, [], ["n1", "n2", "n3"]),
        ({"serial": 1}, [], ["n1"]),  # the batches after it do not begin
        ({}, ["--limit", "n2"], ["n2"]),
    ):
        run = fleet.roll_out("v1.1.0", *options, play=play, plugin_rollout_canary="nope")
        assert run.returncode != 0
        messages = sorted(task.message for task in run.tasks if task.failed)
        assert messages == [f"{told}{node}" for node in nodes]
        assert fleet.names() == {"ext-v1.0.0"}
    assert versions(fleet) == {"v1.0.0"}


def test_a_node_that_drops_out_keeps_the_file_from_all(
    fleet: Fleet, subtests: pytest.Subtests
) -> None:
    inventory = fleet.inventory.read_text()
    away = f"bastion {NOWHERE}\n"
    directory = str(fleet.cluster.nodes[0].plugin_directory)
    fails = {"ansible.builtin.fail": {"msg": "no"}, "when": "inventory_hostname == 'n1'"}
    cases: dict[str, tuple[str, dict[str, t.Any], dict[str, t.Any], str]] = {
        "the host that asks cannot be reached": (
            f"{away}{inventory}",
            {},
            {"plugin_rollout_delegate_to": "bastion"},
            "bastion",
        ),
        "one has failed before": (
            inventory,
            {"pre_tasks": [fails]},
            {},
            "n1 failed earlier in this play, or could not be reached: every node needs the file",
        ),
        "one has no directory": (
            inventory.replace(directory, "plugins"),
            {},
            {},
            "plugin_rollout_directory is not an absolute path",
        ),
        "one cannot be reached": (
            re.sub(r"(?m)^n1 .*$", f"n1 plugin_rollout_directory={directory} {NOWHERE}", inventory),
            {},
            {},
            "n1",
        ),
    }
    for name, (hosts, play, variables, told) in cases.items():
        with subtests.test(name):
            fleet.inventory.write_text(hosts)
            run = fleet.roll_out("v1.1.0", play=play, **variables)
            assert run.returncode != 0
            assert told in run.output
            assert fleet.names() == {"ext-v1.0.0"}
    fleet.inventory.write_text(inventory)
    assert versions(fleet) == {"v1.0.0"}


def test_check_mode_says_what_would_run(fleet: Fleet) -> None:
    assert fleet.roll_out("v1.1.0").returncode == 0
    checked = fleet.roll_out("v1.0.0", "--check")
    assert checked.returncode == 0, checked.output
    assert "ext: ext/ runs v1.1.0, would run v1.0.0" in checked.output
    assert fleet.runs() == {"v1.1.0"}


def test_a_play_that_ignores_errors_does_not_go_on(fleet: Fleet) -> None:
    for variables in ({"plugin_rollout_sha256": "0" * 64}, {"plugin_rollout_canary": "nope"}):
        run = fleet.roll_out("v1.1.0", play={"ignore_errors": True}, **variables)
        assert run.returncode != 0
        assert fleet.names() == {"ext-v1.0.0"}
    assert versions(fleet) == {"v1.0.0"}


def test_what_cannot_be_registered_is_refused_before_a_file_is_copied(
    fleet: Fleet, subtests: pytest.Subtests
) -> None:
    token = fleet.token
    for name, own, expected in (
        ("a token that is not valid", "no-such-token", "does not accept the token"),
        ("a token without rights", fleet.cluster.new_token("# nothing\n"), "permission denied"),
    ):
        with subtests.test(name):
            fleet.token = own
            run = fleet.roll_out("v1.1.0")
            assert run.returncode != 0
            messages = [task.message for task in run.tasks if task.failed]
            assert len(messages) == 3
            for message in messages:
                assert expected in message
                assert "; nothing was changed on n" in message
            assert fleet.names() == {"ext-v1.0.0"}
    fleet.token = token
    assert versions(fleet) == {"v1.0.0"}


def test_two_plugins_one_node_after_the_other(fleet: Fleet) -> None:
    """The first node asks for all; what it asked for the next role is no answer for this one."""
    place(fleet, "other-v1.0.0")
    built = fleet.files["v1.0.0"]
    there = dataclasses.replace(built, path=built.path.with_name("other-v1.0.0"))
    fleet.cluster.register("other", there)
    fleet.cluster.mount("other", "other", version="v1.0.0")
    roles = [
        {"role": ROLE, "vars": {**fleet.variables("v1.1.0"), "plugin_rollout_mounts": ["ext"]}},
        {
            "role": ROLE,
            "vars": {
                **fleet.variables("v1.0.0"),
                "plugin_rollout_name": "other",
                "plugin_rollout_mounts": ["other"],
            },
        },
    ]
    run = fleet.roll_out("v1.1.0", play={"serial": 1, "roles": roles, "vars": {}})
    assert run.returncode == 0, run.output
    assert fleet.runs() == {"v1.1.0"}


def test_a_limit_does_not_hide_nodes(fleet: Fleet) -> None:
    one = fleet.roll_out("v1.1.0", "--limit", "n1")
    assert "n2, n3 without the file of ext v1.1.0, so no mount was moved" in failure(one)
    assert "without --limit, or name them in plugin_rollout_nodes" in failure(one)
    two = fleet.roll_out("v1.1.0", "--limit", "n1,n2", plugin_rollout_nodes=["n1", "n2", "n3"])
    assert "n3 without the file" in failure(two)
    assert fleet.runs() == {"v1.0.0"}
    assert versions(fleet) == {"v1.0.0"}
    # All others have it by now.
    three = fleet.roll_out("v1.1.0", "--limit", "n3")
    assert three.returncode == 0, three.output
    assert fleet.runs() == {"v1.1.0"}

    inventory = fleet.inventory.read_text()
    away = "n4 ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1\n"
    fleet.inventory.write_text(inventory + away)
    four = fleet.roll_out("v1.2.0", "--limit", "n1,n2,n3")
    assert "n4 without the file" in failure(four)
    named = fleet.roll_out("v1.2.0", "--limit", "n1,n2,n3", plugin_rollout_nodes="n1,n2,n3")
    assert named.returncode == 0, named.output
    assert fleet.runs() == {"v1.2.0"}


def test_a_version_that_cannot_be_registered_leaves_no_file(fleet: Fleet) -> None:
    fleet.files["v1.3.0"] = fleet.files["v1.2.0"]
    # What was there before the run, and what another entry names, is not this run's to take away.
    node = fleet.cluster.nodes[0]
    shutil.copy2(fleet.files["v1.2.0"].path, node.plugin_directory / "ext-v1.3.0")
    mistyped = fleet.roll_out("v1.3.0")
    assert "reported version (v1.2.0) did not match requested version (v1.3.0)" in failure(mistyped)
    told = [task.message for task in mistyped.tasks if task.failed][-1]
    assert "did not match requested version" in told
    assert told.endswith("ext-v1.3.0 was removed again from n2, n3")
    assert (node.plugin_directory / "ext-v1.3.0").exists()
    (node.plugin_directory / "ext-v1.3.0").unlink()
    assert fleet.names() == {"ext-v1.0.0"}
    place(fleet, "shared")
    register(fleet, "auth/other", "shared")
    for each in fleet.cluster.nodes:
        (each.plugin_directory / "shared").unlink()
    shared = fleet.roll_out("v1.3.0", plugin_rollout_command="shared")
    told = [task.message for task in shared.tasks if task.failed][-1]
    assert told.endswith("shared was left on n1, n2, n3")
    assert fleet.names() == {"ext-v1.0.0", "shared"}

    right = fleet.roll_out("v1.2.0", "--limit", "n1,n2,n3")
    assert right.returncode == 0, right.output
    assert fleet.runs() == {"v1.2.0"}
