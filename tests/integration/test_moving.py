# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages docs/moving: both sides of each pair do the same, where the other side can be run here.

The other side runs first.  So a task of ours that describes a state finds nothing left to do.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import typing as t

import pytest
import yaml

from ansible_collections.vaultops.vault.tests.support import logins
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible, Run
from ansible_collections.vaultops.vault.tests.support.documents import BLOCK
from ansible_collections.vaultops.vault.tests.support.external_plugin import build_plugin
from ansible_collections.vaultops.vault.tests.support.fixtures import ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.server import Server, server_binary

MOVING = REPOSITORY / "docs" / "moving"
PAGES = sorted(path.name for path in MOVING.glob("*.md"))
OTHER_COLLECTIONS = {"community.hashi_vault", "hashicorp.vault"}


class Block(t.NamedTuple):
    """A block of a page: which side it is (uri, cli, other, task, play), its subject, its text."""

    side: str
    subject: str
    text: str

    @property
    def tasks(self) -> list[dict[str, t.Any]]:
        """The tasks, or plays, that it holds."""
        return list(yaml.safe_load(self.text))


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page, in their order."""
    text = (MOVING / page).read_text(encoding="utf-8")
    found = [(match["name"].partition(" "), match["text"]) for match in BLOCK.finditer(text)]
    return [Block(side, subject, block) for (side, _space, subject), block in found]


@pytest.fixture
def weather(server: Server, external_plugin: ExternalPlugin) -> Server:
    """weather/ runs v1.0.0, and the file of v1.1.0 is there."""
    external_plugin("v1.0.0", name="weather")
    server.mount("weather", "weather", version="v1.0.0")
    build_plugin(server.plugin_directory / "weather-v1.1.0", version="v1.1.0")
    return server


@pytest.fixture
def login(server: Server) -> dict[str, str]:
    """The credentials of an AppRole."""
    logins.allow(server)
    options = logins.approle(server)
    return {name: options[name] for name in ("role_id", "secret_id")}


def run_tasks(
    ansible: Ansible, server: Server, blocks: t.Iterable[Block], **variables: str
) -> dict[str, dict[str, t.Any]]:
    """Run the tasks of blocks in one play; return the results of ours by subject and task."""
    chosen = list(blocks)
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "bao_addr": server.url,
            "bao_token": server.token,
            "plugins": str(server.plugin_directory),
            "plugin_file": str(server.plugin_directory / "weather-v1.1.0"),
            **variables,
        },
        "tasks": [task for block in chosen for task in block.tasks],
    }
    run: Run = ansible.plays(play)
    assert run.returncode == 0, run.output
    results = iter(run.tasks)
    by_subject: dict[str, dict[str, t.Any]] = {}
    for block in chosen:
        first, *_others = [next(results).result for _task in block.tasks]
        if block.side == "task":
            by_subject[block.subject] = first
    return by_subject


@pytest.mark.parametrize("page", PAGES)
def test_what_each_pair_is(page: str) -> None:
    blocks = blocks_of(page)
    for block in blocks:
        if block.side == "cli":
            continue
        modules = {str(key) for task in block.tasks for key in task if "." in str(key)}
        ours = {module for module in modules if module.startswith("vaultops.vault.")}
        assert bool(ours) == (block.side == "task") or block.side == "play"
        if block.side == "other":
            assert {module.rpartition(".")[0] for module in modules} <= OTHER_COLLECTIONS
    assert sum(block.side == "task" for block in blocks) == (MOVING / page).read_text(
        encoding="utf-8"
    ).count("<!-- beside -->")


def test_from_uri(weather: Server, ansible: Ansible) -> None:
    results = run_tasks(ansible, weather, blocks_of("uri.md"))
    changed = {subject: result.get("changed") for subject, result in results.items()}
    assert changed == {"reload": True, "register": False, "upgrade": False, "info": False}
    assert weather.info("weather")["version"] == "v1.1.0"
    assert "weather secret v1.1.0: 1 mount" in results["info"]["summary"]


@pytest.mark.openbao_only("the page shows the CLI of OpenBao")
def test_from_the_cli(weather: Server, ansible: Ansible, login: dict[str, str]) -> None:
    blocks = blocks_of("cli.md")
    environment = {
        **os.environ,
        "PATH": f"{pathlib.Path(server_binary()).parent}:{os.environ['PATH']}",
        "BAO_ADDR": weather.url,
        "BAO_TOKEN": weather.token,
        "PLUGINS": str(weather.plugin_directory),
        "ROLE_ID": login["role_id"],
        "SECRET_ID": login["secret_id"],
    }
    for block in blocks:
        if block.side == "cli":
            script = re.sub(r"^\$ ", "", block.text, flags=re.MULTILINE)
            run = subprocess.run(
                ["bash", "-ec", script],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert run.returncode == 0, (script, run.stdout, run.stderr)
    ours = [block for block in blocks if block.side == "task"]
    results = run_tasks(ansible, weather, ours, **login)
    changed = {subject: result.get("changed") for subject, result in results.items()}
    assert changed == {
        "register": False,
        "upgrade": False,
        "reload": True,
        "info": False,
        "remove": False,
        "login": True,
    }


@pytest.mark.parametrize("page", ["community-hashi-vault.md", "hashicorp-vault.md"])
def test_from_another_collection(
    page: str,
    weather: Server,
    ansible: Ansible,
    login: dict[str, str],
    external_plugin: ExternalPlugin,
) -> None:
    external_plugin("v1.1.0", name="weather")
    blocks = blocks_of(page)
    results = run_tasks(ansible, weather, [b for b in blocks if b.side == "task"], **login)
    assert results
    for block in blocks:
        if block.side == "play":
            (play,) = block.tasks
            run = ansible.plays({**play, "vars": {"bao_addr": weather.url, **login}}, BAO_TOKEN="")
            assert run.returncode == 0, run.output
            assert run.result["changed"] is False
