# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The short guides: what they show is what happens."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible
from ansible_collections.vaultops.vault.tests.support.documents import (
    blocks,
    comparable,
    with_programs,
    write_files,
)
from ansible_collections.vaultops.vault.tests.support.fixtures import ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.server import Server, server_binary

CONNECTION = "docs/connection.md"
DOWN = "docs/a-mount-is-down.md"
POLICY = "docs/from-policy-to-token.md"
RECIPES = "docs/recipes.md"


def run(block: str, ansible: Ansible) -> str:
    """Run the commands of a console block, and hold each line that it shows against the output."""
    environment = with_programs(ansible.environment())
    environment["PATH"] = f"{pathlib.Path(server_binary()).parent}:{environment['PATH']}"
    output = ""
    for line in block.splitlines():
        if line.startswith("$ "):
            done = subprocess.run(
                ["bash", "-c", line[2:]],
                cwd=ansible.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            output = done.stdout + done.stderr
            assert done.returncode == 0 or "FAILED" in block, output
        else:
            assert comparable(line)[0] in [shown.strip() for shown in comparable(output)]
    return output


@pytest.mark.slow  # its words are those of the newest release
@pytest.mark.openbao_only("the page shows OpenBao, where a failed reload takes a mount down")
def test_a_mount_is_down(server: Server, external_plugin: ExternalPlugin, ansible: Ansible) -> None:
    external_plugin("v1.0.0", name="weather")
    for path in ("weather", "weather-eu"):
        server.mount(path, "weather", version="v1.0.0")
    broken = external_plugin("v1.1.0", name="weather")
    server.tune_version("weather", "v1.1.0")
    broken.fault("exit")
    server.request("POST", "sys/plugins/reload/backend", {"mounts": ["weather"]})
    run(blocks(DOWN, "part look")[0], ansible)
    run(blocks(DOWN, "part fails")[0], ansible)
    (line,) = blocks(DOWN, "log")
    shown = re.sub(
        r"weather_[0-9a-f]{8}", "weather_[0-9a-f]{8}", line.strip().replace("[ERROR]", "")
    )
    assert re.search(shown, server.log)
    run(blocks(DOWN, "part back")[0], ansible)
    assert server.info("weather")["version"] == "v1.0.0"
    server.tune_version("weather", "v1.1.0")
    broken.heal()
    run(blocks(DOWN, "part heal")[0], ansible)
    assert server.info("weather")["version"] == "v1.1.0"


@pytest.mark.openbao_only("the page shows bao")
def test_from_a_policy_to_a_token(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin("v1.0.0", name="weather")
    server.mount("weather", "weather", version="v1.0.0")
    (ansible.directory / "docs").symlink_to(REPOSITORY / "docs")
    write_files(POLICY, ["approle.yml", "wrapped.yml"], ansible.directory)
    for name in ("policy", "token", "reload", "role", "approle", "wrap", "wrapped"):
        run(blocks(POLICY, f"shell {name}")[0], ansible)
    output = run(blocks(POLICY, "shell again")[0], ansible)
    assert "it was used before, or has expired" in output


def test_coming_from_another_collection(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin("v1.0.0", name="weather")
    server.mount("weather", "weather", version="v1.0.0")
    write_files(CONNECTION, ["chv.yml"], ansible.directory)
    nothing = {"BAO_ADDR": "", "BAO_TOKEN": ""}
    path = ansible.directory / "chv.yml"
    by_environment = {
        "ANSIBLE_HASHI_VAULT_ADDR": server.url,
        "ANSIBLE_HASHI_VAULT_TOKEN": server.token,
    }
    played = ansible.play_file(path, **nothing, **by_environment)
    assert played.result["verified"] is True, played.output
    given = {"ansible_hashi_vault_url": server.url, "ansible_hashi_vault_token": server.token}
    played = ansible.play_file(path, options=["-e", json.dumps(given)], **nothing)
    assert played.result["verified"] is True, played.output


def test_the_safe_ways_to_give_a_token_print_none(server: Server, ansible: Ansible) -> None:
    secret = "s.canaryOfTheTests"
    (ansible.directory / "token").write_text(f"{secret}\n")
    commands = [line for line in blocks(CONNECTION, "safe")[0].splitlines() if " ansible " in line]
    for command in commands:
        arguments = command.split(" -a ")[1].strip('"')
        # The token of the file is not valid: with that of the variable, the task would not fail.
        given = server.token if "token_path" in arguments else secret
        for more in ([], ["-vvv"]):
            failed = ansible.adhoc(
                "vaultops.vault.plugin_reload", arguments, options=more, BAO_TOKEN=given
            )
            assert failed.result.failed
            assert secret not in failed.output


def test_the_recipes(server: Server, external_plugin: ExternalPlugin, ansible: Ansible) -> None:
    external_plugin("v1.0.0", name="weather")
    server.mount("weather", "weather", version="v1.0.0")
    names = ["delegated.yml", "handler.yml", "async.yml"]
    write_files(RECIPES, names, ansible.directory)
    (ansible.directory / "inventory").write_text("n1.invalid\nn2.invalid\n")
    seen = server.info("weather")["pid"]
    for name in names:
        options = ["-i", "inventory"] if name == "delegated.yml" else []
        # Else async_status looks into the home in /etc/passwd, whatever HOME says.
        jobs = str(ansible.directory / "jobs")
        path = ansible.directory / name
        played = ansible.play_file(path, options=options, ANSIBLE_ASYNC_DIR=jobs)
        assert played.returncode == 0, played.output
        assert server.info("weather")["pid"] != seen
        seen = server.info("weather")["pid"]
    again = ansible.play_file(ansible.directory / "handler.yml")
    assert again.returncode == 0
    assert server.info("weather")["pid"] == seen
