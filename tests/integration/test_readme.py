# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What README.md shows is what happens."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml
from ansible_runner.interface import run as run_job
from awx_plugins.interfaces._temporary_private_api import ManagedCredentialType
from awx_plugins.interfaces._temporary_private_credential_api import Credential
from awx_plugins.interfaces._temporary_private_inject_api import inject_credential

from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible
from ansible_collections.vaultops.vault.tests.support.documents import (
    blocks,
    comparable,
    run_console,
    with_programs,
    write_files,
)
from ansible_collections.vaultops.vault.tests.support.fixtures import ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.server import Server

README = "README.md"


@pytest.fixture
def weather(server: Server, external_plugin: ExternalPlugin) -> Server:
    """The server of the README: weather/ runs v1.0.0 and is configured for v1.1.0."""
    external_plugin("v1.0.0", name="weather")
    server.mount("weather", "weather")
    external_plugin("v1.1.0", name="weather")
    server.tune_version("weather", "v1.1.0")
    return server


@pytest.mark.openbao_only("the README shows OpenBao")
def test_the_demo() -> None:
    command = [sys.executable, "-m", "tests.support.demo"]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert comparable(run.stdout) == comparable(blocks(README, "demo")[0])


def test_the_commands(weather: Server, ansible: Ansible) -> None:
    write_files(README, ["reload.yml"], ansible.directory)
    for block in blocks(README, "console"):
        output, expected = run_console(block, ansible)
        assert comparable(output) == comparable(expected)


@pytest.mark.openbao_only("the README shows OpenBao")
def test_the_message(weather: Server, ansible: Ansible) -> None:
    run = ansible.adhoc("vaultops.vault.plugin_reload", "mounts=wether")
    assert run.result["changed"] is False
    assert comparable(run.result.message) == comparable(blocks(README, "message")[0])


def test_the_tarball(ansible: Ansible) -> None:
    environment = with_programs(ansible.environment())
    target = ansible.directory / "installed"
    environment["ANSIBLE_COLLECTIONS_PATH"] = str(target)
    for line in blocks(README, "shell tarball")[0].splitlines():
        # The tarball does not go into the checkout.
        command = line[2:].replace("collection build", f"collection build {REPOSITORY}")
        done = subprocess.run(
            command,
            shell=True,
            cwd=ansible.directory,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    installed = target / "ansible_collections" / "vaultops" / "vault"
    assert (installed / "plugins" / "modules" / "plugin_reload.py").exists()
    assert (installed / "docs" / "a-mount-is-down.md").exists()
    assert not (installed / ".nox").exists()


def test_the_requirements_file() -> None:
    (row,) = yaml.safe_load(blocks(README, "file requirements.yml")[0])["collections"]
    galaxy = yaml.safe_load((REPOSITORY / "galaxy.yml").read_text(encoding="utf-8"))
    assert row["name"] == f"git+{galaxy['repository']}.git"


class _Entered(Credential):
    """A credential as a user has entered it in AWX."""

    def __init__(self, inputs: dict[str, t.Any]) -> None:
        self.inputs = inputs

    def get_input(self, field_name: str, default: t.Any = None) -> t.Any:
        return self.inputs.get(field_name, default)

    def get_input_keys(self) -> list[str]:
        return list(self.inputs)


def test_the_awx_job(weather: Server, ansible: Ansible, tmp_path: pathlib.Path) -> None:
    credential_type = ManagedCredentialType(
        namespace="vaultops",
        name="OpenBao or Vault",
        kind="external",
        inputs=yaml.safe_load(blocks(README, "awx inputs")[0]),
        injectors=yaml.safe_load(blocks(README, "awx injectors")[0]),
    )
    job_environment: dict[str, t.Any] = with_programs(ansible.environment())
    del job_environment["BAO_ADDR"], job_environment["BAO_TOKEN"]
    shown_environment: dict[str, t.Any] = {}
    inject_credential(
        credential_type,
        _Entered({"url": weather.url, "token": weather.token}),
        job_environment,
        shown_environment,
        [],
        str(tmp_path),
    )
    assert weather.token not in str(shown_environment)
    (tmp_path / "job").mkdir()
    job = run_job(
        private_data_dir=str(tmp_path / "job"),
        playbook=yaml.safe_load(blocks(README, "awx playbook")[0]),
        envvars=job_environment,
        extravars={"plugin": "weather"},
        quiet=True,
    )
    with job.stdout as file:
        output = file.read()
    assert job.rc == 0, output
    assert weather.token not in output
    events = list(tmp_path.glob("job/artifacts/*/job_events/*.json"))
    assert len(events) > len(output.splitlines()) / 2
    assert not [event for event in events if weather.token in event.read_text()]
    assert comparable(output) == comparable(blocks(README, "awx output")[0])
