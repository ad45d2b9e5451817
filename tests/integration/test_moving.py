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
from types import MappingProxyType

import pytest
import yaml

from ansible_collections.vaultops.vault.tests.benchmarks import peers
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


IN_ADMIN = "namespace: admin"


def in_admin(server: Server) -> dict[str, str]:
    """Arrange weather/ and an AppRole in the namespace admin; return its credentials."""
    server.call("POST", "sys/namespaces/admin")
    server.mount("weather", "weather", version="v1.0.0", namespace="admin")
    logins.allow(server, namespace="admin")
    options = logins.approle(server, namespace="admin")
    return {name: options[name] for name in ("role_id", "secret_id")}


def run_tasks(
    ansible: Ansible,
    server: Server,
    blocks: t.Iterable[Block],
    variables: t.Mapping[str, str] = MappingProxyType({}),
    **environment: str,
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
    run: Run = ansible.plays(play, **environment)
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
    results = run_tasks(ansible, weather, ours, login)
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
    if any(IN_ADMIN in block.text for block in blocks):
        if weather.product == "OpenBao":
            login = in_admin(weather)
        else:  # Community has no namespaces
            blocks = [b._replace(text=re.sub(f" *{IN_ADMIN}\n", "", b.text)) for b in blocks]
    results = run_tasks(ansible, weather, [b for b in blocks if b.side == "task"], login)
    assert results
    for block in blocks:
        if block.side == "play":
            (play,) = block.tasks
            run = ansible.plays({**play, "vars": {"bao_addr": weather.url, **login}}, BAO_TOKEN="")
            assert run.returncode == 0, run.output
            assert run.result["changed"] is False


def test_both_sides_of_hashicorp_vault_have_the_same_credentials() -> None:
    other, ours = (
        next(b for b in blocks_of("hashicorp-vault.md") if b.side == side)
        for side in ("other", "task")
    )
    given = [
        dict(next(v for k, v in block.tasks[0].items() if "." in k)) for block in (other, ours)
    ]
    assert given[0].pop("path")
    assert given[1].pop("plugin")
    assert given[0] == given[1]


def with_peer(ansible: Ansible, server: Server, collection: str) -> dict[str, str]:
    """Return the variables for tasks of ``collection``, or skip the test where it is not here."""
    path = os.environ.get(peers.VARIABLE, "")
    if not path or not pathlib.Path(path, "ansible_collections", *collection.split(".")).is_dir():
        pytest.skip(f"{peers.VARIABLE} names no collections path with {collection}")
    ours = ansible.environment()["ANSIBLE_COLLECTIONS_PATH"]
    address = {"VAULT_ADDR": server.url, "VAULT_TOKEN": server.token}
    return {"ANSIBLE_COLLECTIONS_PATH": f"{ours}:{path}", **address}


def test_both_sides_of_community_hashi_vault(
    weather: Server, ansible: Ansible, login: dict[str, str], external_plugin: ExternalPlugin
) -> None:
    environment = with_peer(ansible, weather, "community.hashi_vault")
    external_plugin("v1.1.0", name="weather")
    blocks = [block for block in blocks_of("community-hashi-vault.md") if block.side != "play"]
    results = run_tasks(ansible, weather, blocks, login, **environment)
    changed = {subject: result.get("changed") for subject, result in results.items()}
    assert changed == {"reload": True, "upgrade": False, "info": False, "login": True}
    assert weather.info("weather")["version"] == "v1.1.0"


@pytest.mark.openbao_only("HCP's namespace is one of Enterprise")
def test_the_other_side_of_hashicorp_vault(server: Server, ansible: Ansible) -> None:
    environment = with_peer(ansible, server, "hashicorp.vault")
    server.call("POST", "sys/namespaces/admin")
    admin = {"namespace": "admin"}
    rules = {"policy": 'path "secret/*" { capabilities = ["read"] }'}
    server.call("PUT", "sys/policies/acl/secrets", rules, **admin)
    logins.enable(server, "approle", **admin)
    role = "auth/approle/role/reader"
    server.call("POST", role, {"token_policies": "secrets"}, **admin)
    login = {
        "role_id": server.call("GET", f"{role}/role-id", **admin)["role_id"],
        "secret_id": server.call("POST", f"{role}/secret-id", **admin)["secret_id"],
    }
    version_2 = {"type": "kv", "options": {"version": "2"}}
    server.call("POST", "sys/mounts/secret", version_2, **admin)
    secret = {"data": {"color": "blue"}}
    server.call("POST", "secret/data/app/config", secret, **admin)
    (block,) = [block for block in blocks_of("hashicorp-vault.md") if block.side == "other"]
    variables = {"bao_addr": server.url, **login}
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": block.tasks}
    run = ansible.plays(play, **{**environment, "VAULT_TOKEN": ""})
    assert run.returncode == 0, run.output
    assert "blue" in str(run.result.result)
