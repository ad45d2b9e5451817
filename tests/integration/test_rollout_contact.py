# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user of the role meets before anything is copied: no server is needed to say it."""

from __future__ import annotations

import pathlib
import sys

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible, Run

PLAYBOOK = REPOSITORY / "playbooks" / "plugin_rollout.yml"
NODES = "[vault]\nn1\nn2\n[vault:vars]\nplugin_rollout_directory=/nowhere\n"


@pytest.fixture
def ansible(tmp_path: pathlib.Path) -> Ansible:
    """Ansible with an inventory of two nodes that are not there."""
    local = f"ansible_connection=local\nansible_python_interpreter={sys.executable}\n"
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
