# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounts move to another version of their plugin and are proven, or all of them go back."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import re
import shutil
import typing as t

import pytest
import requests
import yaml

from ansible_collections.vaultops.vault.plugins.modules import plugin_upgrade
from ansible_collections.vaultops.vault.tests.support.ansible_runs import (
    REPOSITORY,
    Ansible,
    TaskResult,
)
from ansible_collections.vaultops.vault.tests.support.cluster import Cluster
from ansible_collections.vaultops.vault.tests.support.external_plugin import (
    BuiltPlugin,
    Kind,
    build_plugin,
)
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.proxy import Proxy, by_rounds, counting_proxy
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import (
    Server,
    ServerError,
    running_server,
)

MODULE = "vaultops.vault.plugin_upgrade"
GROUP = "group/vaultops.vault.vault"
# The status of a reload whose plugin does not start.
FAILED = {"OpenBao": 400, "Vault": 500}
OLD, NEW = "v1.0.0", "v1.1.0"
RELOAD_MODULE = "vaultops.vault.plugin_reload"
RELOAD = "POST sys/plugins/reload/backend"
FRONTS = {"in process": True, "as a module": False}


def upgrade(version: str = NEW, **options: t.Any) -> dict[str, t.Any]:
    """Return a task of the module under test."""
    return {MODULE: {"plugin": PLUGIN, "version": version, **options}}


def tunes(*paths: str) -> list[str]:
    """Return the requests that configure mounts."""
    return [f"POST sys/mounts/{path}/tune" for path in paths]


def writes(proxy: Proxy) -> list[str]:
    """Return the requests that could change something, by rounds."""
    return by_rounds(line for line in proxy.posts if not line.startswith("LIST "))


class Versions(t.NamedTuple):
    """The two versions of the plugin: the mounts run the first when a test begins."""

    old: BuiltPlugin
    new: BuiltPlugin


@pytest.fixture
def versions(server: Server, external_plugin: ExternalPlugin) -> Versions:
    """Both versions are registered; the mounts a, b and c run the old one."""
    both = Versions(external_plugin(OLD), external_plugin(NEW))
    for path in ("a", "b", "c"):
        server.mount(path, PLUGIN, version=OLD)
    return both


def build_plugin_of(server: Server, version: str, name: str = PLUGIN) -> BuiltPlugin:
    """Build and register a plugin on a server that is not the shared one."""
    plugin = build_plugin(server.plugin_directory / f"{name}-{version}", version=version)
    server.register(name, plugin)
    return plugin


def release(server: Server) -> tuple[int, ...]:
    """Return the numbers of the server's version."""
    numbers = str(server.call("GET", "sys/health")["version"]).partition("-")[0]
    return tuple(map(int, numbers.split(".")))


def says(server: Server, path: str, key: str, namespace: str = "") -> t.Any:
    """Return what the plugin behind a mount says of itself, None where none answers."""
    try:
        return server.info(path, namespace=namespace)[key]
    except (ServerError, requests.ConnectionError):
        return None


def serving(server: Server, *paths: str, namespace: str = "") -> list[str | None]:
    """Return the versions that serve the mounts (a, b and c), None for one that is down."""
    return [says(server, path, "version", namespace) for path in paths or ("a", "b", "c")]


def pids(server: Server) -> list[int | None]:
    """Return the processes that serve the mounts."""
    return [says(server, path, "pid") for path in ("a", "b", "c")]


def configured(server: Server, *paths: str) -> list[str]:
    """Return the versions that the mounts (a, b and c) are configured for."""
    rows = server.call("GET", "sys/mounts")
    return [rows[f"{path}/"]["plugin_version"] for path in paths or ("a", "b", "c")]


def moved(result: TaskResult) -> list[tuple[str, bool | None, str, str]]:
    """Return path, whether it was reloaded, and the versions before and after, of each mount."""
    return [
        (row["path"], row["reloaded"], row["before"]["version"], row["after"]["version"])
        for row in result["mounts"]
    ]


def warnings(result: TaskResult) -> str:
    """Return the warnings of a task."""
    return "\n".join(result.result.get("warnings", []))


def test_there_and_back_again(server: Server, versions: Versions, ansible: Ansible) -> None:
    with counting_proxy() as proxy:
        run = ansible.playbook(upgrade("1.1.0"), upgrade(), **proxy.environment)
    there, again = run.tasks
    assert serving(server) == [NEW] * 3
    assert moved(there) == [(path, True, OLD, NEW) for path in ("a/", "b/", "c/")]
    assert moved(again) == [(path, False, NEW, NEW) for path in ("a/", "b/", "c/")]
    assert [result["changed"] for result in run.tasks] == [True, False]
    assert [result["rolled_back"] for result in run.tasks] == [None, None]
    assert (there["plugin"], there["type"], there["version"]) == (PLUGIN, "secret", NEW)
    assert there["sha256"] == versions.new.sha256
    assert "WARNING" not in run.output
    assert writes(proxy) == [*tunes("a", "b", "c"), RELOAD]  # the second run sends nothing

    back = ansible.playbook(upgrade(OLD)).result

    assert serving(server) == [OLD] * 3
    assert moved(back) == [(path, True, NEW, OLD) for path in ("a/", "b/", "c/")]
    assert back["mounts"][0]["after"] == {"version": OLD, "sha256": versions.old.sha256}


@pytest.mark.slow
def test_check_mode_predicts_and_the_diff_shows(
    server: Server, versions: Versions, ansible: Ansible
) -> None:
    before = pids(server)
    with counting_proxy() as proxy:
        run = ansible.playbook(
            upgrade(mounts=["b"]), options=["--check", "--diff"], **proxy.environment
        )
    assert run.result["changed"] is True
    assert moved(run.result) == [("b/", True, OLD, NEW)]
    assert run.result["siblings"] == ["a/", "c/"]
    assert f"-b/ ext {OLD} {versions.old.sha256[:8]}\n" in run.stdout
    assert f"+b/ ext {NEW} {versions.new.sha256[:8]}\n" in run.stdout
    assert writes(proxy) == []
    assert pids(server) == before
    real = ansible.playbook(upgrade(mounts=["b"]), options=["--diff"])
    assert real.result["diff"] == run.result["diff"]
    assert serving(server) == [OLD, NEW, OLD]
    still = ansible.playbook(upgrade(mounts=["b"]), options=["--check"])
    assert still.result["changed"] is False


@pytest.mark.slow
def test_the_canary_first_and_then_batches(
    server: Server, versions: Versions, ansible: Ansible
) -> None:
    server.mount("d", PLUGIN, version=OLD)
    with counting_proxy() as proxy:
        task = upgrade(canary="c", batch=2, scope="global")
        run = ansible.playbook(task, **proxy.environment)
    assert len([line for line in proxy.seen if "sys/leader" in line]) == 1  # once for the task
    assert moved(run.result) == [(path, True, OLD, NEW) for path in ("c/", "a/", "b/", "d/")]
    assert writes(proxy) == [
        *(*tunes("c"), RELOAD),
        *(*tunes("a", "b"), RELOAD),
        *(*tunes("d"), RELOAD),
    ]
    assert serving(server, "a", "b", "c", "d") == [NEW] * 4


@pytest.mark.slow
def test_a_broken_canary_keeps_the_others_from_it(
    server: Server, versions: Versions, ansible: Ansible
) -> None:
    before = pids(server)
    versions.new.fault("exit")
    with counting_proxy() as proxy:
        result = ansible.playbook(upgrade(canary="b"), **proxy.environment).result
    assert result.failed
    assert result.message.startswith(
        f'the mount serves the old version again: secret plugin "ext" {NEW} does not work: '
    )
    assert (result["changed"], result["rolled_back"]) == (True, True)
    assert result["mounts"][0]["after"] == {"version": OLD, "sha256": versions.old.sha256}
    assert moved(result)[1:] == [(path, False, OLD, OLD) for path in ("a/", "c/")]
    # OpenBao 2.7.1 starts the old version again where the new one fails: no reload is left to do.
    there, back = [*tunes("b"), RELOAD], [*tunes("b"), RELOAD]
    assert writes(proxy) in ([*there, *back], [*there, *back[:1]])
    assert serving(server) == [OLD] * 3
    assert configured(server) == [OLD] * 3
    assert (pids(server)[0], pids(server)[2]) == (before[0], before[2])


def exits(plugin: BuiltPlugin) -> None:
    """Let the plugin end at its start."""
    plugin.fault("exit")


def crashes(plugin: BuiltPlugin) -> None:
    """Let the plugin start, and end at each request."""
    plugin.fault("crash")


def overwrite(plugin: BuiltPlugin) -> None:
    """Replace the file without telling the catalog: the sha256 there is wrong then."""
    plugin.path.write_bytes(plugin.path.read_bytes() + b"\n# another file\n")


@pytest.mark.slow
@pytest.mark.parametrize("harm", [exits, crashes, overwrite])
def test_a_broken_version_leaves_all_mounts_with_the_old_one(
    server: Server, versions: Versions, ansible: Ansible, harm: t.Callable[[BuiltPlugin], object]
) -> None:
    harm(versions.new)
    run = ansible.playbook(upgrade(), options=["--diff"])
    result = run.result
    assert result.failed
    assert result.message.startswith("all 3 mounts serve the old version again: ")
    assert "fix the new version" in result.message
    assert (result["changed"], result["rolled_back"], result["status"]) == (
        True,
        True,
        None if harm is crashes else FAILED[server.product],  # a crash is no answer to the reload
    )
    assert [row["error"] for row in result["mounts"]] == [None] * 3
    assert [row["after"] for row in result["mounts"]] == [
        {"version": OLD, "sha256": versions.old.sha256}
    ] * 3
    assert result["diff"]["before"] == result["diff"]["after"]
    assert serving(server) == [OLD] * 3
    assert configured(server) == [OLD] * 3


@pytest.mark.slow
def test_a_version_without_a_file(server: Server, versions: Versions, ansible: Ansible) -> None:
    """OpenBao looks for the file when a mount is configured for it, from 2.7 on; Vault does not."""
    before = pids(server)
    versions.new.path.unlink()
    result = ansible.playbook(upgrade()).result
    assert result.failed
    assert "no such file or directory" in result.message
    if server.product == "Vault" or release(server) < (2, 7):
        assert result.message.startswith("all 3 mounts serve the old version again: ")
        assert (result["changed"], result["rolled_back"]) == (True, True)
    else:
        assert result.message.startswith(
            'nothing was changed: cannot configure mount "a/" for v1.1.0: '
        )
        assert (result["changed"], result["rolled_back"]) == (False, None)
        assert pids(server) == before
    assert (serving(server), configured(server)) == ([OLD] * 3, [OLD] * 3)


@pytest.mark.slow
@pytest.mark.each_openbao
@pytest.mark.waits
def test_a_version_that_hangs_at_its_start(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin(OLD)
    server.mount("a", PLUGIN, version=OLD)
    external_plugin(NEW).fault("sleep 300")
    result = ansible.playbook(upgrade(timeout=5)).result  # the server gives up after 120 s
    assert result.failed
    assert result.message.startswith("the mount serves the old version again: ")
    assert "timeout while waiting for plugin to start" in result.message
    assert result["rolled_back"] is True
    assert serving(server, "a") == [OLD]


@pytest.mark.slow
@pytest.mark.each_openbao
def test_an_answer_that_is_lost(server: Server, versions: Versions, ansible: Ansible) -> None:
    """The client hangs up, the server cancels the reload, and what has started is rolled back."""
    versions.new.fault("sleep 3")
    result = ansible.playbook(upgrade(reload_timeout="1s")).result
    assert result.failed
    assert "the outcome of the reload is unknown: no answer within 1 s" in result.message
    assert not result["rolled_back"] or serving(server) == [OLD] * 3
    assert configured(server) == [OLD] * 3
    versions.new.heal()
    assert ansible.playbook(upgrade()).result["changed"] is True
    assert serving(server) == [NEW] * 3


@pytest.mark.slow
def test_the_old_version_is_broken_too(
    server: Server, versions: Versions, ansible: Ansible
) -> None:
    versions.old.fault("exit")
    versions.new.fault("exit")
    result = ansible.playbook(upgrade(canary="b"), options=["--diff"]).result
    assert result.failed
    assert result.message.startswith(f'"b/" DOWN: secret plugin "ext" {NEW} does not work: ')
    assert "; the rollback failed too: " in result.message
    assert (result["changed"], result["rolled_back"]) == (True, False)
    assert [bool(row["error"]) for row in result["mounts"]] == [True, False, False]
    assert result["diff"]["after"].startswith("b/ ext down\n")
    assert serving(server) == [OLD, None, OLD]

    again = ansible.playbook(upgrade(OLD)).result
    assert again.message.startswith(f'"b/" DOWN: secret plugin "ext" {OLD} does not work: ')
    assert "rollback" not in again.message
    # OpenBao had lost the plugin of that mount, and has not found it again.
    expected = (True, False) if server.product == "Vault" else (False, None)
    assert (again["changed"], again["rolled_back"]) == expected
    versions.old.heal()
    healed = ansible.playbook(upgrade(OLD)).result

    assert not healed.failed
    assert serving(server) == [OLD] * 3


class Refused(t.NamedTuple):
    """What is asked for, and what the message must say; nothing is sent."""

    options: dict[str, t.Any]
    told: str


REFUSED = {
    "unknown version": Refused(
        {"version": "9.9.9"},
        f'secret plugin "ext" has no version v9.9.9 in the catalog (there: {OLD}, {NEW}); '
        "register it first",
    ),
    "half a version": Refused({"version": "1.1"}, "is not a semantic version"),
    "no version": Refused({"version": ""}, "version is empty"),
    "unknown plugin": Refused(
        {"plugin": "exd"}, '"exd" is not in the catalog (did you mean "ext"?)'
    ),
    "a builtin version of another server": Refused(
        {"version": "v0.1.0+builtin"},
        'the server has no builtin secret plugin "ext" v0.1.0+builtin; a builtin version comes '
        f"with the server: give one of the catalog (there: {OLD}, {NEW}); nothing was changed",
    ),
    "another type": Refused({"type": "auth"}, f'auth plugin "ext" has no version {NEW}'),
    "mount of another plugin": Refused(
        {"mounts": ["a", "secret"]}, 'mount "secret/" runs plugin "kv", not secret plugin "ext"'
    ),
    "unknown mount": Refused(
        {"mounts": ["a", "mine/extt"]}, '"mine/extt/" does not exist (did you mean "mine/ext/"?)'
    ),
    "unknown canary": Refused({"canary": "x"}, 'mount "x/" does not exist'),
    "negative batch": Refused({"batch": -1}, "batch is negative: -1"),
    "wrong duration": Refused({"scope": "global", "wait_timeout": "soon"}, "wait_timeout"),
    "pins": Refused(
        {"pin": True}, "this server has no pins: it is OpenBao; leave pin out, then each mount is"
    ),
}


@pytest.mark.slow
@pytest.mark.openbao_only("Vault has the pins that a refusal there is about")
def test_what_is_not_begun(
    server: Server, versions: Versions, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    server.mount("mine/ext", PLUGIN, version=OLD)
    before = pids(server)
    tasks = {
        f"{name} | {front}": {
            **upgrade(**refused.options),
            "vars": {"vaultops_in_process": in_process},
        }
        for name, refused in REFUSED.items()
        for front, in_process in FRONTS.items()
    }
    with counting_proxy() as proxy:
        cases = ansible.cases(tasks, **proxy.environment)
    for name, refused in REFUSED.items():
        with subtests.test(name):
            both = [cases.results[f"{name} | {front}"] for front in FRONTS]
            for result in both:
                assert result.failed
                assert result["changed"] is False
                assert refused.told in result.message
            assert both[0].message == both[1].message
    assert writes(proxy) == []
    assert pids(server) == before
    assert configured(server) == [OLD] * 3


@pytest.mark.slow
def test_a_plugin_that_is_mounted_nowhere(
    external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin(NEW)
    with counting_proxy() as proxy:
        result = ansible.playbook(upgrade(), **proxy.environment).result
    assert (result.failed, result["changed"], result["mounts"]) == (False, False, [])
    assert 'plugin "ext" is mounted nowhere here' in warnings(result)
    assert writes(proxy) == []


@pytest.mark.slow
def test_authentication_mounts(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    """A secrets plugin of the same name is another plugin."""
    kinds: tuple[Kind, Kind] = ("auth", "secret")
    for kind in kinds:
        for version in (OLD, NEW):
            built = build_plugin(
                server.plugin_directory / f"{kind}-{version}", version=version, kind=kind
            )
            server.register(PLUGIN, built)
        server.mount("mine", PLUGIN, kind=kind, version=OLD)
    both = ["auth/mine", "mine"]
    tasks = {
        "which one?": upgrade(),
        "another's mount": upgrade(type="auth", mounts="mine"),
        "auth": upgrade(type="auth"),
        "again": upgrade(type="auth", mounts="sys/auth/mine"),
    }
    cases = ansible.cases(tasks)
    assert 'there is an auth and a secret plugin "ext"; give type' in (
        cases.results["which one?"].message
    )
    assert 'runs plugin "ext", not auth plugin "ext"' in cases.results["another's mount"].message
    assert moved(cases.results["auth"]) == [("auth/mine/", True, OLD, NEW)]
    assert cases.results["again"]["changed"] is False
    assert serving(server, *both) == [NEW, OLD]


def register_with_version(server: Server, plugin: BuiltPlugin, version: str) -> None:
    """Register the file of a plugin that tells no version of itself with a version too."""
    body = {"command": plugin.path.name, "sha256": plugin.sha256, "version": version}
    server.call("PUT", f"sys/plugins/catalog/secret/{PLUGIN}", body)


@pytest.mark.slow
def test_a_mount_without_a_version(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    plain = external_plugin()
    server.mount("a", PLUGIN)
    new = external_plugin(NEW)
    with counting_proxy() as proxy:
        refused = ansible.playbook(upgrade(), **proxy.environment).result
    assert refused.failed
    assert 'mount "a/" could not be rolled back: it runs a plugin without a version' in (
        refused.message
    )
    assert "register the file that runs with a version too, or set force=true" in refused.message
    assert writes(proxy) == []

    register_with_version(server, plain, OLD)
    new.fault("exit")
    failed = ansible.playbook(upgrade()).result
    assert failed["rolled_back"] is True
    assert (serving(server, "a"), configured(server, "a")) == ([""], [OLD])
    assert failed["mounts"][0]["before"] == {"version": "", "sha256": plain.sha256}
    assert failed["mounts"][0]["after"] == {"version": OLD, "sha256": plain.sha256}

    new.heal()
    assert moved(ansible.playbook(upgrade()).result) == [("a/", True, OLD, NEW)]
    assert serving(server, "a") == [NEW]


@pytest.mark.slow
def test_force_moves_without_a_way_back(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin()
    for path in ("a", "b"):
        server.mount(path, PLUGIN)
    new = external_plugin(NEW)
    moved_first = ansible.playbook(upgrade(mounts="a", force=True)).result
    assert moved(moved_first) == [("a/", True, "", NEW)]
    assert serving(server, "a") == [NEW]
    # One that has to stay where it is must not be told as served by its old version.
    new.fault("exit")
    result = ansible.playbook(upgrade(mounts="b", force=True)).result
    assert result.failed
    assert (result["changed"], result["rolled_back"]) == (True, False)
    if server.product == "OpenBao":
        assert result.message.startswith('"b/" DOWN: ')
    else:  # it keeps what it ran, until its next start
        assert result.message.startswith('cannot roll back "b/": ')
        assert "; still serves " in result.message
        assert serving(server, "b") == [""]
    assert configured(server, "b") == [NEW]


@pytest.mark.slow
@pytest.mark.openbao_only("Vault starts the old plugin again, with the next request")
def test_a_forced_mount_that_is_down_needs_no_force_again(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    """It runs nothing, so it has nothing to lose."""
    external_plugin()
    server.mount("a", PLUGIN)
    new = external_plugin(NEW)
    new.fault("exit")
    assert ansible.playbook(upgrade(force=True)).result.message.startswith('"a/" DOWN: ')
    new.heal()
    healed = ansible.playbook(upgrade()).result
    assert (healed.failed, healed["changed"]) == (False, True), healed.message
    assert serving(server, "a") == [NEW]


@pytest.mark.openbao_only("Vault tries the old plugin at each request, also after a failed reload")
def test_a_rollback_that_changes_nothing_is_no_change(
    server: Server, versions: Versions, ansible: Ansible
) -> None:
    """The mount was down and configured for the new version; the token may not take that back."""
    versions.old.fault("exit")
    assert ansible.playbook({RELOAD_MODULE: {"mounts": "a"}}).result.failed
    versions.new.fault("exit")
    server.tune_version("a", NEW)
    token = server.new_token(without(policy(), "sys/mounts/a/tune"))
    denied = ansible.playbook(upgrade(mounts="a", token=token)).result
    assert denied.failed
    assert (denied["changed"], denied["rolled_back"]) == (False, False)
    assert configured(server, "a") == [NEW]
    allowed = ansible.playbook(upgrade(mounts="a")).result
    assert (allowed["changed"], allowed["rolled_back"]) == (True, False)
    assert configured(server, "a") == [OLD]


@pytest.mark.slow
def test_a_server_that_dies_before_the_first_change(tmp_path: pathlib.Path) -> None:
    with running_server() as server, counting_proxy() as proxy:
        build_plugin_of(server, OLD)
        build_plugin_of(server, NEW)
        server.mount("a", PLUGIN, version=OLD)
        proxy.before["POST sys/mounts/a/tune"] = server.stop
        environment = {"BAO_ADDR": server.url, "BAO_TOKEN": server.token, "BAO_MAX_RETRIES": "0"}
        result = Ansible(tmp_path).playbook(upgrade(), **environment, **proxy.environment).result
    assert result.failed
    assert (result["changed"], result["rolled_back"]) == (False, False)
    assert "it is unknown" in result.message


def test_a_tune_that_never_arrives_is_no_change(
    server: Server, versions: Versions, ansible: Ansible
) -> None:
    """It is read again, and was not: to take it back changes nothing either."""
    before = pids(server)
    cut = iter([True])

    def cut_once() -> None:
        if next(cut, False):
            raise OSError("cut before it is passed on")

    with counting_proxy() as proxy:
        proxy.before["POST sys/mounts/a/tune"] = cut_once
        result = ansible.playbook(upgrade(mounts="a"), **proxy.environment).result
    assert result.failed
    assert "read again, it was not" in result.message
    assert (result["changed"], result["rolled_back"]) == (False, None)
    assert (pids(server), configured(server)) == (before, [OLD] * 3)


def test_a_mount_that_is_disabled_meanwhile_accuses_no_version(
    server: Server, versions: Versions, ansible: Ansible
) -> None:
    with counting_proxy() as proxy:
        proxy.before[RELOAD] = lambda: server.request("DELETE", "sys/mounts/c")
        result = ansible.playbook(upgrade(), **proxy.environment).result
    assert result.failed
    assert (result["changed"], result["rolled_back"]) == (True, False)
    assert f'secret plugin "{PLUGIN}" {NEW} is not verified: ' in result.message
    assert '"c/": was disabled or moved meanwhile' in result.message
    assert "does not work" not in result.message
    assert "fix the new version" not in result.message
    assert serving(server, "a", "b") == [OLD, OLD]


def test_a_rollback_that_is_refused_says_what_to_do(
    server: Server, versions: Versions, ansible: Ansible
) -> None:
    versions.new.fault("exit")
    with counting_proxy() as proxy:
        entry = f"sys/plugins/catalog/secret/{PLUGIN}?version={OLD}"
        proxy.before[RELOAD] = lambda: server.request("DELETE", entry)
        result = ansible.playbook(upgrade(mounts="a"), **proxy.environment).result
    assert result.failed
    assert f'cannot configure mount "a/" for {OLD}: ' in result.message
    assert f"see that the catalog has {OLD} of the plugin, and that mount" in result.message
    assert result["rolled_back"] is False


@pytest.mark.each_openbao
@pytest.mark.openbao_only("Vault runs an external kv")
def test_a_builtin_that_the_server_keeps(server: Server, ansible: Ansible) -> None:
    server.mount("a", "kv")
    build_plugin_of(server, "v9.0.0", name="kv")
    result = ansible.playbook(upgrade("v9.0.0", plugin="kv", mounts="a")).result
    assert result.failed
    assert result["rolled_back"] is True
    assert "the server keeps its builtin plugin there: register the new one under a name" in (
        result.message
    )


@pytest.mark.slow
def test_a_forced_mount_is_not_told_to_be_back(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    """The first mount, with no way back, has moved when the second one may not be configured."""
    external_plugin()
    server.mount("a", PLUGIN)
    external_plugin(OLD)
    server.mount("b", PLUGIN, version=OLD)
    external_plugin(NEW)
    token = server.new_token(without(policy(), "sys/mounts/b/tune"))
    result = ansible.playbook(upgrade(canary="a", force=True, token=token)).result
    assert result.failed
    assert result["rolled_back"] is False
    assert result.message.startswith('cannot roll back "a/": cannot configure mount "b/" for')
    assert serving(server, "a", "b") == [NEW, OLD]


@pytest.mark.slow
def test_what_runs_is_no_longer_registered(
    server: Server, versions: Versions, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    server.call("DELETE", f"sys/plugins/catalog/secret/{PLUGIN}?version={OLD}")
    refused = ansible.playbook(upgrade()).result
    assert (
        'mount "a/" (and 2 more) could not be rolled back: what it runs as v1.0.0 is no '
        "longer registered; register that again, or set force=true to move it without a way to "
        "roll back; nothing was changed"
    ) in refused.message
    assert serving(server) == [OLD] * 3
    assert ansible.playbook(upgrade(force=True)).result["changed"] is True
    assert serving(server) == [NEW] * 3

    # Registered anew with another file: its version alone is not what runs.
    again = external_plugin(NEW)
    refused = ansible.playbook(upgrade()).result
    assert "what it runs as v1.1.0 is no longer registered" in refused.message
    forced = ansible.playbook(upgrade(force=True)).result
    assert forced["mounts"][0]["after"] == {"version": NEW, "sha256": again.sha256}


@pytest.mark.slow
def test_a_mount_that_was_configured_before_goes_back_to_what_it_ran(
    server: Server, versions: Versions, ansible: Ansible
) -> None:
    versions.new.fault("exit")
    server.tune_version("a", NEW)
    result = ansible.playbook(upgrade(mounts="a")).result
    assert result["rolled_back"] is True
    assert (serving(server), configured(server)) == ([OLD] * 3, [OLD] * 3)


def test_what_runs_the_version_already_is_configured_only(
    server: Server, versions: Versions, ansible: Ansible
) -> None:
    """Its next start would take another one.  Check mode knows it too."""
    server.tune_version("a", NEW)
    before = pids(server)
    predicted = ansible.playbook(upgrade(OLD), options=["--check", "--diff"]).result
    done = ansible.playbook(upgrade(OLD), options=["--diff"]).result
    assert predicted["diff"] == done["diff"]
    assert "\na/ ext configured for v1.1.0\n" in "\n" + done["diff"]["before"]
    assert "\na/ ext configured for v1.0.0\n" in "\n" + done["diff"]["after"]
    assert predicted["changed"] is done["changed"] is True
    assert moved(predicted) == moved(done) == [(f"{path}/", False, OLD, OLD) for path in "abc"]
    assert (serving(server), pids(server)) == ([OLD] * 3, before)


@pytest.mark.slow
def test_a_probe_that_fails_before_is_refused(
    server: Server, versions: Versions, ansible: Ansible
) -> None:
    """A typo, or a path that the token may not read, is no fault of the new version."""
    before = pids(server)
    policy = REPOSITORY / "docs" / "policies" / "plugin_upgrade.hcl"
    token = server.new_token(policy.read_text(encoding="utf-8"))
    for options, reason in (
        ({"probe": "health"}, "unsupported path"),
        ({"probe": "info", "token": token}, "permission denied"),
    ):
        result = ansible.playbook(upgrade(**options)).result
        assert result.message.startswith(f'nothing was changed: probe "{options["probe"]}" fails')
        assert reason in result.message
        assert result["changed"] is False
        assert (pids(server), configured(server)) == (before, [OLD] * 3)
    assert ansible.playbook(upgrade(probe="info")).result["changed"] is True
    assert serving(server) == [NEW] * 3


@pytest.mark.slow
def test_a_probe_that_only_the_old_version_answers(
    server: Server, external_plugin: ExternalPlugin
) -> None:
    """What answered before, and does not after, is no fault of the probe."""
    external_plugin(OLD)
    server.mount("a", PLUGIN, version=OLD)
    new = external_plugin(NEW)
    new.path.write_text(new.path.read_text().replace('path == "info"', 'path == "renamed"'))
    sha256 = hashlib.sha256(new.path.read_bytes()).hexdigest()
    server.register(PLUGIN, dataclasses.replace(new, sha256=sha256))
    with counting_proxy() as proxy:

        def move(check_mode: bool, probe: str) -> dict[str, t.Any]:
            options = {"url": server.url, "plugin": PLUGIN, "version": NEW, "probe": probe}
            return run_task(
                "plugin_upgrade", options, check_mode, proxy=proxy.url, token=server.token
            )

        for check_mode in (True, False):
            refused = move(check_mode, "../a/info")
            assert 'no request can go to the path "../a/info"' in refused["msg"]
        assert proxy.seen == []
        failed = move(False, "info")
    assert failed["rolled_back"] is True
    assert f'secret plugin "ext" {NEW} does not work: ' in failed["msg"]
    assert "unsupported path; what ran before answered it; fix the new version" in failed["msg"]
    assert serving(server, "a") == [OLD]


@pytest.mark.slow
@pytest.mark.openbao_only("Vault keeps a mount whose reload failed")
def test_check_mode_says_what_is_down(server: Server, external_plugin: ExternalPlugin) -> None:
    old = external_plugin(OLD)
    server.mount("a", PLUGIN, version=OLD)
    external_plugin(NEW)
    old.fault("exit")
    assert not server.request("POST", "sys/plugins/reload/backend", {"mounts": "a"}).ok
    options = {"url": server.url, "plugin": PLUGIN, "version": NEW}
    with counting_proxy() as proxy:
        checked, real = (
            run_task("plugin_upgrade", options, check, proxy=proxy.url, token=server.token)
            for check in (True, False)
        )
    assert checked["changed"] is real["changed"] is True
    assert checked["diff"] == real["diff"]
    assert checked["diff"]["before"] == "a/ ext down\n"
    (row,) = checked["mounts"]
    assert (row["alive"], "no handler for route" in row["error"]) == (False, True)


@pytest.mark.slow
def test_a_builtin_mount_is_rolled_back_to_the_builtin(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    """With OpenBao 2.7.2 such a mount is dead while its row still says +builtin."""
    server.mount("tr", "transit")
    server.call("POST", "tr/keys/k")
    external_plugin(NEW, name="transit").fault("exit")
    result = ansible.playbook(upgrade(plugin="transit", mounts="tr")).result
    assert result.failed
    assert result["rolled_back"] is True, result.message
    assert server.request("GET", "tr/keys/k").ok
    done = ansible.playbook(
        {"vaultops.vault.plugin_reload": {"mounts": "tr", "state": "current"}}
    ).result
    assert (done["changed"], done["verified"]) == (False, True)


@pytest.mark.slow
def test_the_way_back_to_the_builtin(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    server.mount("tr", "transit")
    server.call("POST", "tr/keys/k")
    row = server.call("GET", "sys/mounts")["tr/"]
    builtin = row["running_plugin_version"]
    external_plugin(NEW, name="transit")
    assert ansible.playbook(upgrade(plugin="transit", mounts="tr")).result["changed"] is True
    assert server.info("tr")["version"] == NEW
    back = ansible.playbook(upgrade(plugin="transit", version=builtin, mounts="tr")).result
    assert not back.failed, back.message
    assert back["changed"] is True
    assert server.request("GET", "tr/keys/k").ok


@pytest.mark.slow
def test_a_reload_that_changes_nothing_is_not_believed(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    """The server reloads a kv mount with 200, and goes on with the kv that it has built in."""
    server.mount("mine", "kv")
    external_plugin("v9.0.0", name="kv")
    builtin = server.call("GET", "sys/mounts/mine")["running_plugin_version"]
    result = ansible.playbook(upgrade("v9.0.0", plugin="kv", mounts="mine")).result
    assert result.failed
    assert result.message.startswith("the mount serves the old version again: ")
    assert "where v9.0.0" in result.message
    assert result["rolled_back"] is True
    assert server.call("GET", "sys/mounts/mine")["running_plugin_version"] == builtin


@pytest.mark.slow
def test_siblings_of_a_multiplexed_plugin_are_told(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    for version in (OLD, NEW):
        external_plugin(version, multiplexed=True)
    for path in ("a", "b"):
        server.mount(path, PLUGIN, version=OLD)
    server.mount("c", PLUGIN, version=NEW)
    run = ansible.playbook(upgrade(mounts=["a"]), upgrade(mounts=["a"]))
    first, again = run.tasks
    assert first["siblings"] == ["b/", "c/"]
    assert '"b/", "c/" run the same plugin and are not moved: if it is multiplexed' in (
        warnings(first)
    )
    assert (again["changed"], again["siblings"], warnings(again)) == (False, ["c/"], "")
    assert serving(server) == [NEW, OLD, NEW]
    assert says(server, "a", "pid") == says(server, "c", "pid")


@pytest.mark.slow
@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_in_a_namespace(server: Server, versions: Versions, ansible: Ansible) -> None:
    server.call("POST", "sys/namespaces/team")
    for path in ("a", "x"):
        server.mount(path, PLUGIN, version=OLD, namespace="team")
    there = upgrade(namespace="team", mounts=["x", "a"])
    run = ansible.playbook(there, there)
    assert moved(run.tasks[0]) == [("x/", True, OLD, NEW), ("a/", True, OLD, NEW)]
    assert run.tasks[1]["changed"] is False
    assert serving(server, "a", "x", namespace="team") == [NEW, NEW]
    assert serving(server) == [OLD] * 3


def policy() -> str:
    """Return the policy of the documentation."""
    path = REPOSITORY / "docs" / "policies" / "plugin_upgrade.hcl"
    return path.read_text(encoding="utf-8")


def without(rules: str, path: str) -> str:
    """Return a policy that denies one more path."""
    return f'{rules}\npath "{path}" {{ capabilities = ["deny"] }}\n'


@pytest.mark.slow
def test_the_documented_policy(
    server: Server, versions: Versions, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    for version in (OLD, NEW):
        external_plugin(version, name="login", kind="auth")
    server.mount("login", "login", kind="auth", version=OLD)
    token = server.new_token(policy())
    run = ansible.playbook(
        upgrade(canary="b"), upgrade(plugin="login", scope="global"), BAO_TOKEN=token
    )
    assert [(result.failed, result["changed"]) for result in run.tasks] == [(False, True)] * 2
    assert "WARNING" not in run.output
    assert serving(server, "a", "b", "c", "auth/login") == [NEW] * 4


class Denied(t.NamedTuple):
    """A path that the token may not use, what is asked for, and what becomes of it."""

    path: str
    options: dict[str, t.Any]
    message: str
    rolled_back: bool | None
    needs: str


DENIED = {
    "no mount may be configured": Denied(
        "sys/mounts/+/tune",
        {},
        'nothing was changed: cannot configure mount "a/" for v1.1.0: permission denied',
        None,
        '"update" on "sys/mounts/a/tune"',
    ),
    "the second may not, in one batch": Denied(
        "sys/mounts/b/tune",
        {},
        'all 3 mounts serve the old version again: cannot configure mount "b/" for v1.1.0: ',
        True,
        '"update" on "sys/mounts/b/tune"',
    ),
    "the second may not, after the first was moved": Denied(
        "sys/mounts/b/tune",
        {"batch": 1},
        'all 2 mounts serve the old version again: cannot configure mount "b/" for v1.1.0: ',
        True,
        '"update" on "sys/mounts/b/tune"',
    ),
    "no reload": Denied(
        "sys/plugins/reload/backend",
        {},
        "all 3 mounts serve the old version again: cannot reload 3 of 3 mounts: permission denied",
        True,
        '"update" on "sys/plugins/reload/backend"',
    ),
    "no look at a mount": Denied(
        "sys/mounts/c",
        {},
        "nothing was changed: mounts and catalog have to be read first: permission denied",
        None,
        "",
    ),
    "no look at the mounts": Denied("sys/mounts", {}, "permission denied", None, "sys/mounts"),
    "no answer to the question": Denied(
        "a/info",
        {"probe": "info", "mounts": "a"},
        'nothing was changed: probe "info" fails already, with what runs now, on "a/": permission',
        None,
        "",
    ),
}


@pytest.mark.slow
def test_a_token_that_may_do_less(
    server: Server, versions: Versions, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    rules = policy() + "".join(
        f'path "{path}/info" {{ capabilities = ["read"] }}\n' for path in ("b", "c")
    )
    tokens = {
        name: server.new_token(without(rules, denied.path)) for name, denied in DENIED.items()
    }
    cases = ansible.cases(
        {name: upgrade(token=tokens[name], **denied.options) for name, denied in DENIED.items()}
    )
    for name, denied in DENIED.items():
        with subtests.test(name):
            result = cases.results[name]
            assert result.failed
            assert result.message.startswith(denied.message)
            assert denied.needs in result.message
            assert result.result.get("rolled_back") is denied.rolled_back
            assert result["changed"] is bool(denied.rolled_back)
    assert serving(server) == [OLD] * 3
    assert configured(server) == [OLD] * 3


def comparable(result: TaskResult) -> t.Any:
    """Return a result without what differs from run to run, or is Ansible's own."""
    kept = {
        key: value
        for key, value in result.result.items()
        if key not in {"exception", "invocation", "request_id"}
    }
    return json.loads(re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", json.dumps(kept)))


@pytest.mark.each_core
@pytest.mark.long
def test_both_fronts_tell_the_same(
    server: Server, versions: Versions, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin("v2.0.0").fault("exit")
    steps: dict[str, dict[str, t.Any]] = {
        "check": {**upgrade(), "check_mode": True, "diff": True},
        "up": {**upgrade(canary="b", batch=1), "diff": True},
        "again": upgrade(),
        "broken": upgrade("v2.0.0"),
        "some": upgrade(OLD, mounts="a,b"),
        "the rest": upgrade(OLD, scope="global"),
        "by the defaults of the group": {
            MODULE: {"plugin": PLUGIN, "version": OLD},
            "module_defaults": {GROUP: {"url": server.url, "token": server.token}},
            "environment": {"BAO_ADDR": "http://127.0.0.1:1", "BAO_TOKEN": "not-this-token"},
        },
    }
    results = []
    for in_process in FRONTS.values():
        tasks = {
            name: {**step, "vars": {"vaultops_in_process": in_process}}
            for name, step in steps.items()
        }
        cases = ansible.cases(tasks, ANSIBLE_INJECT_INVOCATION="False")
        results.append([comparable(result) for result in cases.results.values()])
        assert serving(server) == [OLD] * 3
        assert [name for name, result in cases.results.items() if result.failed] == ["broken"]
    assert results[0] == results[1]
    assert [result["changed"] for result in results[0]] == [
        *(True, True, False),
        *(True, True, True),
        False,
    ]


@pytest.mark.each_core
def test_every_example_of_the_documentation_runs(tmp_path: pathlib.Path) -> None:
    with running_server(tls=True) as server:
        for version in (OLD, NEW):
            built = build_plugin(server.plugin_directory / version, version=version)
            server.register("my-plugin", built)
        for path in ("my-secrets", "others"):
            server.mount(path, "my-plugin", version=OLD)
        text = plugin_upgrade.EXAMPLES.replace("https://vault.example.com:8200", server.url)
        run = Ansible(tmp_path, server).playbook(
            *yaml.safe_load(text), options=["-e", f"vault_token={server.token}"]
        )
        assert run.returncode == 0, run.output
        assert [result["changed"] for result in run.tasks] == [True, False, True]
        assert serving(server, "my-secrets", "others") == [OLD, OLD]


@pytest.fixture
def spread(cluster: Cluster) -> Versions:
    """Both versions are registered in a cluster; the mount ext runs the old one on each node.

    The file of the new one is on the active node only.
    """
    active = cluster.active
    versions = Versions(cluster.plugin(OLD), cluster.plugin(NEW, nodes=[active]))
    cluster.mount("ext", PLUGIN, version=OLD)
    return versions


def copy_to_all(cluster: Cluster, plugin: BuiltPlugin) -> None:
    """Put the file on the nodes that lack it."""
    for node in cluster.nodes:
        if not node.here(plugin).path.exists():
            shutil.copy2(plugin.path, node.here(plugin).path)


def on_each(cluster: Cluster) -> list[str | None]:
    """Return the version that serves the mount, of each node."""
    return [says(node, "ext", "version") for node in cluster.nodes]


def nodes_told(result: TaskResult) -> list[tuple[bool | None, str]]:
    """Return of each node whether it is well, and what it runs."""
    return [(node["ok"], node["mounts"][0]["after"]["version"]) for node in result["nodes"]]


@pytest.fixture
def standbys_learn(cluster: Cluster) -> None:
    """Only for servers whose standbys learn of a new version."""
    if release(cluster.active) < (2, 7):
        pytest.skip("OpenBao 2.6 tells its standbys of a new version only when they start")


EVERYWHERE = {"scope": "global", "wait_timeout": "30"}


@pytest.mark.slow
@pytest.mark.each_openbao
@pytest.mark.usefixtures("standbys_learn")
@pytest.mark.openbao_only("standbys of Vault Community run no plugins")
def test_every_node_of_a_cluster(
    cluster: Cluster, spread: Versions, tmp_path: pathlib.Path
) -> None:
    copy_to_all(cluster, spread.new)
    token = cluster.new_token(policy())
    steps = (upgrade(**EVERYWHERE), upgrade(**EVERYWHERE), upgrade(OLD, **EVERYWHERE))
    changed, served = [], []
    for step in steps:
        run = Ansible(tmp_path, cluster.active).playbook(step, BAO_TOKEN=token)
        assert not run.result.failed, run.output
        assert "WARNING" not in run.output
        changed.append(run.result["changed"])
        served.append(on_each(cluster))
        assert nodes_told(run.result) == [(True, version) for version in served[-1]]
        cluster.settle()
    assert changed == [True, False, True]
    assert served == [[NEW] * 3, [NEW] * 3, [OLD] * 3]


@pytest.mark.slow
@pytest.mark.usefixtures("standbys_learn")
@pytest.mark.openbao_only("standbys of Vault Community run no plugins")
def test_check_mode_and_diff_have_the_nodes(
    cluster: Cluster, spread: Versions, tmp_path: pathlib.Path
) -> None:
    copy_to_all(cluster, spread.new)
    ansible = Ansible(tmp_path, cluster.active)
    assert not ansible.playbook(upgrade(scope="local")).result.failed
    before = {node.name: says(node, "ext", "version") for node in cluster.nodes}
    assert before[cluster.active.name] == NEW
    some = [node.url for node in cluster.nodes if node is not cluster.standbys[0]]
    partly = ansible.playbook(upgrade(nodes=some, **EVERYWHERE), options=["--check"]).result
    assert "the option nodes leaves out" in warnings(partly)
    predicted, done = (
        ansible.playbook(upgrade(**EVERYWHERE), options=["--diff", *more]).result
        for more in (["--check"], [])
    )
    assert on_each(cluster) == [NEW] * 3
    for result in (predicted, done):
        if set(before.values()) == {NEW}:  # a standby of 2.7.0 and 2.7.1 moves at the tune
            assert result["diff"]["before"] == result["diff"]["after"]
            continue
        for name, version in before.items():
            assert f"{name}: ext/ ext {version} " in result["diff"]["before"]
        assert f"ext/ ext {NEW} " in result["diff"]["after"]
        assert OLD not in result["diff"]["after"]


@pytest.mark.slow
@pytest.mark.each_openbao
@pytest.mark.usefixtures("standbys_learn")
@pytest.mark.openbao_only("standbys of Vault Community run no plugins")
def test_standbys_without_the_file(
    cluster: Cluster, spread: Versions, tmp_path: pathlib.Path
) -> None:
    ansible = Ansible(tmp_path, cluster.active)
    result = ansible.playbook(upgrade(**EVERYWHERE)).result
    assert result.failed
    assert result.message.startswith(
        f'the mount serves the old version again: secret plugin "ext" {NEW} does not work: '
        "2 of 3 nodes do not run what they should: "
    )
    assert any(node.name in result.message for node in cluster.standbys)
    assert (result["changed"], result["rolled_back"]) == (True, True)
    assert nodes_told(result) == [(True, OLD)] * 3
    assert on_each(cluster) == [OLD] * 3
    copy_to_all(cluster, spread.new)
    cluster.settle()
    assert ansible.playbook(upgrade(**EVERYWHERE)).result["changed"] is True
    assert on_each(cluster) == [NEW] * 3


@pytest.mark.slow
@pytest.mark.each_openbao
@pytest.mark.usefixtures("standbys_learn")
@pytest.mark.openbao_only("standbys of Vault Community run no plugins")
def test_a_standby_on_which_both_versions_are_broken(
    cluster: Cluster, spread: Versions, tmp_path: pathlib.Path
) -> None:
    copy_to_all(cluster, spread.new)
    ansible, standby = Ansible(tmp_path, cluster.active), cluster.standbys[0]
    for version in spread:
        standby.here(version).fault("exit")
    result = ansible.playbook(upgrade(scope="global", wait_timeout="15")).result
    assert result.failed, result
    assert result.message.startswith(f'"ext/" on {standby.name} DOWN: secret plugin "ext" {NEW}')
    assert (result["changed"], result["rolled_back"]) == (True, False)
    assert [says(node, "ext", "version") for node in cluster.nodes if node is not standby] == [
        OLD,
        OLD,
    ]
    standby.here(spread.old).heal()
    cluster.settle()
    healed = ansible.playbook(upgrade(OLD, **EVERYWHERE)).result
    assert not healed.failed, healed.message
    # Up to OpenBao 2.7.1 the question of the look may have brought it back already.
    assert healed["changed"] is True or release(cluster.active) < (2, 7, 2)
    assert on_each(cluster) == [OLD] * 3


@pytest.mark.slow
@pytest.mark.each_openbao
@pytest.mark.usefixtures("standbys_learn")
@pytest.mark.openbao_only("standbys of Vault Community run no plugins")
def test_a_node_that_cannot_be_asked(
    cluster: Cluster, spread: Versions, tmp_path: pathlib.Path
) -> None:
    """Nothing is begun; where the node is left out, the same task takes it along later."""
    copy_to_all(cluster, spread.new)
    ansible, silent = Ansible(tmp_path, cluster.active), cluster.standbys[0]
    others = [node.url for node in cluster.nodes if node is not silent]
    silent.kill()
    refused = ansible.playbook(upgrade(**EVERYWHERE)).result
    assert refused.failed
    assert refused.message.startswith(f"nothing was changed: node {silent.name}: ")
    assert (refused["changed"], refused["rolled_back"]) == (False, None)
    assert {says(node, "ext", "version") for node in cluster.nodes} == {OLD, None}
    assert ansible.playbook(upgrade(nodes=others, **EVERYWHERE)).result["changed"] is True
    silent.start()
    cluster.await_all()
    cluster.settle()
    if release(cluster.active) < (2, 7, 2):
        # It may not notice what it catches up on while it starts; the message advises a restart.
        silent.stop()
        silent.start()
        cluster.await_all()
    along = ansible.playbook(upgrade(**EVERYWHERE)).result
    assert not along.failed, along.message
    assert on_each(cluster) == [NEW] * 3


@pytest.mark.slow
@pytest.mark.each_openbao
@pytest.mark.openbao_only("standbys of Vault Community run no plugins")
def test_standbys_that_learn_only_when_they_start(
    cluster: Cluster, spread: Versions, tmp_path: pathlib.Path
) -> None:
    if release(cluster.active) >= (2, 7):
        pytest.skip("this server tells its standbys of a new version at once")
    copy_to_all(cluster, spread.new)
    active = cluster.active
    ansible = Ansible(tmp_path, active)
    refused = ansible.playbook(upgrade(**EVERYWHERE)).result
    assert refused.failed
    assert refused.message.startswith("nothing was changed: OpenBao 2.6.")
    assert "upgrade with scope=local at the active node, then restart each standby" in (
        refused.message
    )
    assert on_each(cluster) == [OLD] * 3
    assert configured(active, "ext") == [OLD]

    # What the message advises; then the same task tells that all is well.
    assert ansible.playbook(upgrade()).result["changed"] is True
    for node in cluster.standbys:
        node.stop()
        node.start()
    cluster.await_all()
    cluster.until(lambda: on_each(cluster) == [NEW] * 3, "each node serves the new version")
    proven = ansible.playbook(upgrade(**EVERYWHERE)).result
    assert (proven.failed, proven["changed"]) == (False, False)
    assert nodes_told(proven) == [(True, NEW)] * 3
