# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another operator does between two requests of an upgrade."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY
from ansible_collections.vaultops.vault.tests.support.editing_proxy import (
    EditingProxy,
    editing_proxy,
)
from ansible_collections.vaultops.vault.tests.support.external_plugin import (
    BuiltPlugin,
    build_plugin,
)
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import (
    Server,
    ServerError,
    running_server,
)

OLD, NEW, OTHER = "v1.0.0", "v1.1.0", "v1.2.0"
MOUNTS = ("x", "y", "z")
# y may be configured for the new version only.
ONE_WAY = f"""
path "sys/mounts/y/tune" {{
  capabilities = ["update"]
  allowed_parameters = {{ "plugin_version" = ["{NEW}"] }}
}}
"""


class Stage(t.NamedTuple):
    """A server, the proxy before it, and the versions of the plugin: x, y and z run the old one."""

    server: Server
    proxy: EditingProxy
    versions: dict[str, BuiltPlugin]

    def register(self, version: str) -> None:
        """Register another build of a version."""
        out = self.server.plugin_directory / f"{PLUGIN}-{version}"
        self.versions[version] = build_plugin(out, version=version)
        self.server.register(PLUGIN, self.versions[version])

    def upgrade(self, token: str = "", **options: t.Any) -> dict[str, t.Any]:
        """Move the mounts to the new version, in this process."""
        return run_task(
            "plugin_upgrade",
            {"url": self.server.url, "plugin": PLUGIN, "version": NEW, **options},
            False,
            proxy=self.proxy.url,
            token=token or self.server.token,
        )

    def after(self, request: str, act: t.Callable[[Server], object]) -> None:
        """Let the other operator act once, after the server has answered ``request``."""
        acts = [act]

        def edit(status: int, body: bytes) -> tuple[int, bytes]:
            while acts:
                acts.pop()(self.server)
            return status, body

        self.proxy.edits[request] = edit

    def serve(self, *paths: str) -> list[str | None]:
        """Return the versions that serve the mounts, None for one that is down."""
        versions: list[str | None] = []
        for path in paths:
            try:
                versions.append(self.server.info(path)["version"])
            except ServerError:
                versions.append(None)
        return versions


@pytest.fixture(scope="module")
def kept_stage() -> t.Iterator[Stage]:
    """The stage of all tests here."""
    with running_server() as server, editing_proxy() as proxy:
        yield Stage(server, proxy, {})


@pytest.fixture
def stage(kept_stage: Stage) -> t.Iterator[Stage]:
    """The stage as a test finds it."""
    for version in (OLD, NEW, OTHER):
        kept_stage.register(version)
    for path in MOUNTS:
        kept_stage.server.mount(path, PLUGIN, version=OLD)
    yield kept_stage
    kept_stage.proxy.edits.clear()
    for plugin in kept_stage.versions.values():
        plugin.heal()
    for path in MOUNTS:
        kept_stage.server.request("DELETE", f"sys/mounts/{path}")


def disables(server: Server) -> None:
    """Disable y."""
    server.call("DELETE", "sys/mounts/y")


def mounts_another(server: Server) -> None:
    """Mount another plugin at y."""
    disables(server)
    server.mount("y", "kv")


def mounts_anew(server: Server) -> None:
    """Mount the plugin anew at y, in a version that the task knows nothing of."""
    disables(server)
    server.mount("y", PLUGIN, version=OTHER)


GONE = "was disabled or moved meanwhile"
REPLACED = 'was replaced meanwhile by another mount, of plugin "{}", which is left as it is'
BEFORE, AFTER = "POST sys/mounts/y/tune", "POST sys/plugins/reload/backend"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("when", "act", "told", "serves"),
    [
        (BEFORE, disables, GONE, None),
        (AFTER, disables, GONE, None),
        (AFTER, mounts_another, REPLACED.format("kv"), None),
        (AFTER, mounts_anew, REPLACED.format(PLUGIN), OTHER),
    ],
    ids=["disables before", "disables after", "another plugin", "the plugin anew"],
)
def test_a_mount_that_is_not_there_any_more_keeps_no_other_from_its_rollback(
    stage: Stage, when: str, act: t.Callable[[Server], object], told: str, serves: str | None
) -> None:
    stage.versions[NEW].fault("exit")
    stage.after(when, act)
    result = stage.upgrade()
    assert (result["failed"], result["changed"], result["rolled_back"]) == (True, True, False)
    assert result["msg"].startswith('cannot roll back "y/": ')
    assert f'"y/": {told}' in result["msg"]
    rows = {row["path"]: row for row in result["mounts"]}
    assert (rows["y/"]["alive"], rows["y/"]["error"], rows["y/"]["after"]) == (None, told, None)
    for path in ("x/", "z/"):
        row = rows[path]
        assert (row["alive"], row["error"], row["after"]["version"]) == (True, None, OLD)
    assert stage.serve("x", "y", "z") == [OLD, serves, OLD]


@pytest.mark.slow
@pytest.mark.openbao_only("Vault keeps a mount whose reload failed")
def test_a_mount_that_may_not_be_configured_for_its_old_version(stage: Stage) -> None:
    """It is down, and named; all others serve their old version again."""
    stage.versions[NEW].fault("exit")
    rules = (REPOSITORY / "docs" / "policies" / "plugin_upgrade.hcl").read_text(encoding="utf-8")
    result = stage.upgrade(stage.server.new_token(f"{rules}{ONE_WAY}"))
    assert (result["changed"], result["rolled_back"]) == (True, False)
    assert result["msg"].startswith('"y/" DOWN: ')
    assert 'the rollback failed too: "y/": cannot configure mount "y/" for v1.0.0' in result["msg"]
    assert [row["alive"] for row in result["mounts"]] == [True, False, True]
    assert stage.serve("x", "y", "z") == [OLD, None, OLD]


@pytest.mark.slow
@pytest.mark.parametrize(("what", "scope"), [("configures", "global"), ("registers", "local")])
def test_only_the_version_that_was_asked_for_is_a_success(
    stage: Stage, what: str, scope: str
) -> None:
    """The other one configures y for another version, or registers this one with another file."""
    asked_for = stage.versions[NEW].sha256

    def act(server: Server) -> None:
        if what == "configures":
            server.tune_version("y", OTHER)
        else:
            stage.register(NEW)

    stage.after(BEFORE, act)
    result = stage.upgrade(scope=scope, nodes=[stage.server.url])
    assert (result["failed"], result["changed"], result["rolled_back"]) == (True, True, True)
    assert f"v1.1.0 {asked_for[:8]} is expected" in result["msg"]
    assert stage.serve(*MOUNTS) == [OLD] * 3
