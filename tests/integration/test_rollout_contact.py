# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user of the role meets before anything is copied: no server is needed to say it."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible, Run

PLAYBOOK = REPOSITORY / "playbooks" / "plugin_rollout.yml"
NODES = "[vault]\nn1\nn2\n[vault:vars]\nplugin_rollout_directory=/nowhere\n"


@pytest.fixture
def ansible(tmp_path: pathlib.Path) -> Ansible:
    """Ansible with an inventory of two nodes that are not there."""
    own = "ansible_python_interpreter={{ ansible_playbook_python }}"
    local = f"ansible_connection=local\n{own}\n"
    (tmp_path / "inventory").write_text(NODES + local)
    (tmp_path / "others").write_text("[others]\nn1\n")
    return Ansible(tmp_path)


def roll_out(ansible: Ansible, *options: str, inventory: str = "inventory") -> Run:
    """Run the playbook of the collection."""
    return ansible.play_file(PLAYBOOK, options=["-i", inventory, *options])


def test_no_variables(ansible: Ansible) -> None:
    run = roll_out(ansible)
    assert run.returncode != 0
    missing = "missing required arguments: plugin_rollout_name, plugin_rollout_src, plugin_rollout_"
    assert missing in run.output
    assert "is undefined" not in run.output


@pytest.mark.parametrize(
    ("options", "pattern"),
    [([], "vault"), (["-e", "plugin_rollout_hosts=vault:&n9"], "vault:&n9")],
)
def test_no_nodes(ansible: Ansible, options: list[str], pattern: str) -> None:
    run = roll_out(ansible, *options, inventory="others" if pattern == "vault" else "inventory")
    assert run.returncode != 0
    assert f'no host of the inventory is in "{pattern}", so nothing was done' in run.result.message


def mount(version: str, alive: bool | None, error: str = "", **more: t.Any) -> dict[str, t.Any]:
    """Return what plugin_upgrade says of a mount; None as ``after`` is not known."""
    ran, runs = {"version": "v1.0.0"}, {"version": version}
    row = {"path": "w/", "alive": alive, "error": error or None, "before": ran, "after": runs}
    return {**row, **more}


LINES = {
    "moved": (mount("v1.1.0", True), "w/ ran v1.0.0, runs v1.1.0"),
    "down": (mount("v1.1.0", False, "does not answer"), "w/ ran v1.0.0, runs down"),
    "a wrong probe": (mount("v1.1.0", True, "not the probe"), "w/ ran v1.0.0, runs v1.1.0"),
    "not known": (mount("v1.1.0", None, "no answer"), "w/ ran v1.0.0, runs unknown"),
    "not read": (mount("", None, after=None), "w/ ran v1.0.0, runs unknown"),
    "an entry without version": (mount("", True), "w/ ran v1.0.0, runs no version"),
}


def test_the_last_line(ansible: Ansible) -> None:
    variables = str(REPOSITORY / "roles" / "plugin_rollout" / "vars" / "main.yml")
    run = ansible.playbook(
        {"ansible.builtin.include_vars": variables},
        *(
            {
                "ansible.builtin.debug": {"msg": "{{ plugin_rollout_line }}"},
                "vars": {"plugin_rollout_name": "w", "plugin_rollout_upgraded": {"mounts": [row]}},
            }
            for row, _line in LINES.values()
        ),
    )
    lines = [result.message for result in run.tasks if result.message]
    assert lines == [f"w: {line}" for _row, line in LINES.values()]


def test_a_misspelled_variable(ansible: Ansible) -> None:
    given = {"name": "w", "version": "v1.0.0", "src": "/nowhere", "canery": "w"}
    options = [
        word for key, value in given.items() for word in ("-e", f"plugin_rollout_{key}={value}")
    ]
    run = roll_out(ansible, *options)
    assert run.returncode != 0
    assert run.result.message == (
        "plugin_rollout_canery is not a variable of the role: see "
        "ansible-doc -t role vaultops.vault.plugin_rollout; nothing was changed"
    )
