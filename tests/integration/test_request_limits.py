# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners that take smaller requests than usual, and an agent that lost its server.

https://openbao.org/docs/configuration/listener/tcp/
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import typing as t

import pytest
import requests

from ansible_collections.vaultops.vault.tests.support.agents import running_agent
from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible
from ansible_collections.vaultops.vault.tests.support.external_plugin import build_plugin
from ansible_collections.vaultops.vault.tests.support.faults import (
    Fault,
    FaultProxy,
    fault_proxy,
)
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import (
    Server,
    free_port,
    running_server,
)

OLD, NEW = "v1.0.0", "v1.1.0"
COUNT = 12
PATHS = [f"ext-{number:02}" for number in range(COUNT)]
RELOAD = "POST sys/plugins/reload/backend"
OPENBAO_ONLY = pytest.mark.openbao_only("Vault has such limits from 1.20.3 on, with other names")
LIMITS = [
    pytest.param("max_request_json_strings = 8", id="strings", marks=OPENBAO_ONLY),
    pytest.param("max_request_json_memory = 400", id="memory", marks=OPENBAO_ONLY),
    pytest.param("max_request_size = 90", id="size"),
]


class Limited(t.NamedTuple):
    """A server, and a proxy to its listener that has the limit."""

    server: Server
    url: str
    proxy: FaultProxy

    def run(self, operation: str, **options: t.Any) -> dict[str, t.Any]:
        """Run a task through the listener that has the limit."""
        self.proxy.arm(None)
        return run_task(operation, options, False, proxy=self.proxy.url, token=self.server.token)

    def pids(self) -> list[int]:
        """Return the processes behind the mounts."""
        return [int(self.server.info(path)["pid"]) for path in PATHS]


@contextlib.contextmanager
def limited(limit: str) -> t.Iterator[Limited]:
    """Run a server with more mounts of a plugin than one request may name, by ``limit``."""
    port = free_port()
    listener = (
        f'listener "tcp" {{\n address = "127.0.0.1:{port}"\n tls_disable = true\n {limit}\n}}'
    )
    url = f"http://127.0.0.1:{port}"
    with running_server(configuration=listener) as server, fault_proxy(url) as proxy:
        for version in (OLD, NEW):
            out = server.plugin_directory / f"{PLUGIN}-{version}"
            server.register(PLUGIN, build_plugin(out, version=version, multiplexed=True))
        for path in PATHS:
            server.mount(path, PLUGIN, version=OLD)
        yield Limited(server, url, proxy)


@pytest.mark.slow
@pytest.mark.parametrize("limit", LIMITS)
def test_more_mounts_than_one_request_may_name(limit: str) -> None:
    with limited(limit) as there:
        before = there.pids()
        done = there.run("plugin_reload", mounts=PATHS)
        assert not done.get("failed"), done["msg"]
        assert done["changed"]
        assert done["verified"]
        assert [row["reloaded"] for row in done["mounts"]] == [True] * COUNT
        assert not set(before) & set(there.pids())
        assert there.proxy.seen.count(RELOAD) > 2

        done = there.run("plugin_upgrade", plugin=PLUGIN, version=NEW)
        assert not done.get("failed"), done["msg"]
        assert {there.server.info(path)["version"] for path in PATHS} == {NEW}
        assert [row["after"]["version"] for row in done["mounts"]] == [NEW] * COUNT
        assert done["rolled_back"] is None


@pytest.mark.slow
def test_not_even_one_mount_fits() -> None:
    with limited("max_request_size = 20") as there:
        before = there.pids()
        done = there.run("plugin_reload", mounts=PATHS)
        assert done["failed"]
        assert done["changed"] is False
        assert done["status"] == 413
        assert "max_request_size of its listener" in done["msg"]
        assert "down" not in done["msg"]
        assert [row["reloaded"] for row in done["mounts"]] == [False] * COUNT
        assert there.pids() == before


@pytest.mark.slow
def test_a_mount_that_fails_among_small_requests() -> None:
    """After a request that was no whole success none follows; what was sent before is told."""
    with limited("max_request_size = 90") as there:
        before = there.pids()
        there.server.mount("own", PLUGIN, version=NEW)
        (there.server.plugin_directory / f"{PLUGIN}-{NEW}").unlink()
        done = there.run("plugin_reload", mounts=[*PATHS[:8], "own", *PATHS[8:]])
        assert done["failed"]
        assert done["changed"]
        rows = {row["path"]: row["reloaded"] for row in done["mounts"]}
        assert rows.pop("own/") is False
        restarted = [old != new for old, new in zip(before, there.pids(), strict=True)]
        assert list(rows.values()) == restarted
        assert 'cannot reload plugin on "own/"' in done["msg"]


@pytest.mark.slow
@OPENBAO_ONLY
def test_the_role_with_a_listener_of_small_requests(tmp_path: pathlib.Path) -> None:
    with limited("max_request_json_strings = 10") as there:
        plugin = build_plugin(tmp_path / PLUGIN, version="v1.2.0", multiplexed=True)
        variables = {
            "plugin_rollout_name": PLUGIN,
            "plugin_rollout_version": plugin.version,
            "plugin_rollout_src": str(plugin.path),
            "plugin_rollout_directory": str(there.server.plugin_directory),
        }
        behind = dataclasses.replace(there.server, url=there.url)
        roles = ["vaultops.vault.plugin_rollout"]
        play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "roles": roles}
        run = Ansible(tmp_path, behind).plays(play)
        assert run.returncode == 0, run.output
        assert {there.server.info(path)["version"] for path in PATHS} == {plugin.version}


@contextlib.contextmanager
def agent(server: Server, address: str) -> t.Iterator[str]:
    """Run the product's own proxy to ``address``, for the length of a ``with`` block."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    configuration = (
        f'vault {{\n address = "{address}"\n retry {{ num_retries = -1 }}\n}}\n'
        f'listener "tcp" {{\n address = "127.0.0.1:{port}"\n tls_disable = true\n}}\n'
    )

    def is_ready() -> bool:
        with contextlib.suppress(OSError):
            requests.get(f"{url}/v1/sys/health", timeout=5)
            return True
        return False

    with running_agent(server, configuration, is_ready):
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("verify", [True, False])
def test_an_agent_that_never_reached_its_server(
    server: Server, external_plugin: ExternalPlugin, verify: bool
) -> None:
    """Its words look like the server's own: nothing was touched, and nothing is called down."""
    external_plugin()
    server.mount("ext", PLUGIN)
    pid = server.info("ext")["pid"]
    nowhere = f"http://127.0.0.1:{free_port()}"
    with agent(server, nowhere) as url, fault_proxy(url) as proxy:
        options = {"mounts": ["ext"], "verify": verify}
        done = run_task("plugin_reload", options, False, proxy=proxy.url, token=server.token)
        assert done["failed"]
        assert done["changed"] is False
        assert "down" not in done["msg"]
        posted = any(line.startswith("POST") for line in proxy.seen)
        assert posted == (not verify)
        if posted:
            assert "the outcome of the reload is unknown" in done["msg"]
            assert done["reload_id"] is None
    assert server.info("ext")["pid"] == pid


@pytest.mark.slow
def test_an_agent_that_loses_its_server_at_the_reload(
    server: Server, external_plugin: ExternalPlugin
) -> None:
    """What it says of a reload that it did not pass on is not believed: the mount is read."""
    external_plugin()
    server.mount("ext", PLUGIN)
    pid = server.info("ext")["pid"]
    nowhere = f"http://127.0.0.1:{free_port()}"
    with agent(server, nowhere) as lost, fault_proxy(server.url) as proxy:
        words = requests.post(f"{lost}/v1/sys/plugins/reload/backend", json={}, timeout=30)
        proxy.arm(None)
        options = {"mounts": ["ext"]}
        # All that a task asks before it sends the reload.
        before = {**options, "probe": "false"}
        run_task("plugin_reload", before, True, proxy=proxy.url, token=server.token)
        proxy.arm(Fault(words.status_code, words.content), len(proxy.seen), passes_on=False)
        done = run_task("plugin_reload", options, False, proxy=proxy.url, token=server.token)
        assert done["failed"]
        assert done["changed"] is False
        assert done["mounts"][0]["reloaded"] is None
        assert "the outcome of the reload is unknown" in done["msg"]
        assert "unknown whether reloaded, serves" in done["msg"]
        assert "down" not in done["msg"]
    assert server.info("ext")["pid"] == pid
