# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth about a reload: per mount, before and after, dead or alive, or unknown."""

from __future__ import annotations

import os
import signal
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import (
    REPOSITORY,
    Ansible,
    Run,
)
from ansible_collections.vaultops.vault.tests.support.editing_proxy import (
    editing_proxy,
    page,
    rows,
)
from ansible_collections.vaultops.vault.tests.support.external_plugin import BuiltPlugin
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.proxy import by_rounds, counting_proxy
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import Server, ServerError

MODULE = "vaultops.vault.plugin_reload"


def reload(**arguments: t.Any) -> dict[str, t.Any]:
    """Return a task of the module under test."""
    return {"name": "Reload", MODULE: arguments}


def by_path(run: Run) -> dict[str, dict[str, t.Any]]:
    """Return the rows of the result's mounts by path."""
    return {row["path"]: row for row in run.result["mounts"]}


def reloaded(run: Run) -> dict[str, bool | None]:
    """Return what the result says of each mount."""
    return {path: row["reloaded"] for path, row in by_path(run).items()}


def serves(server: Server, path: str) -> bool:
    """Tell whether the plugin behind a mount answers."""
    try:
        return bool(server.info(path)["pid"])
    except ServerError:
        return False


def of_a_failed_mount(server: Server) -> str:
    """Return what a message says of a mount whose plugin did not start again."""
    if server.product == "OpenBao":
        return "down until a reload of it succeeds"
    return "; down: "


def assert_no_lie(server: Server, run: Run) -> None:
    """No mount that the module reported as fine is dead, and none reported as down serves."""
    for path, row in by_path(run).items():
        if row["reloaded"] and "+builtin" not in row["before"]["version"]:
            assert serves(server, path.rstrip("/"))
            assert row["error"] is None
        if row["error"] and "does not answer" in row["error"]:
            assert not serves(server, path.rstrip("/"))


def test_each_mount_is_told_before_and_after(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    old = external_plugin(version="v1.0.0")
    login = external_plugin(name="login", kind="auth")
    server.mount("ext", PLUGIN)
    server.mount("login", "login", kind="auth")
    new = external_plugin(version="v1.1.0")
    server.tune_version("ext", "v1.1.0")

    run = ansible.playbook(reload(mounts=["ext", "auth/login", "secret"]), options=["--diff"])

    assert run.result["verified"] is True
    rows = by_path(run)
    assert rows["ext/"]["before"] == {"version": "v1.0.0", "sha256": old.sha256}
    assert rows["ext/"]["after"] == {"version": "v1.1.0", "sha256": new.sha256}
    assert rows["auth/login/"]["after"] == {"version": "", "sha256": login.sha256}
    assert rows["auth/login/"]["type"] == "auth"
    assert rows["auth/login/"]["plugin"] == "login"
    assert rows["auth/login/"]["accessor"].startswith("auth_login_")
    assert "+builtin" in rows["secret/"]["after"]["version"]
    assert reloaded(run) == {"ext/": True, "auth/login/": True, "secret/": True}
    assert f"-ext/ ext v1.0.0 {old.sha256[:8]}\n" in run.stdout
    assert f"+ext/ ext v1.1.0 {new.sha256[:8]}\n" in run.stdout
    assert_no_lie(server, run)


def test_one_plugin_that_does_not_start_among_good_mounts(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    plugin = external_plugin()
    external_plugin(name="good")
    server.mount("bad", PLUGIN)
    server.mount("good", "good")
    plugin.fault("exit")

    run = ansible.playbook(reload(mounts=["bad", "good"]))

    assert run.result.failed
    assert run.result["changed"] is True
    assert 'cannot reload 1 of 2 mounts: cannot reload plugin on "bad/"' in run.result.message
    assert 'reloaded: "good/"' in run.result.message
    assert of_a_failed_mount(server) in run.result.message
    assert reloaded(run) == {"bad/": False, "good/": True}
    assert "cannot reload plugin" in by_path(run)["bad/"]["error"]
    assert_no_lie(server, run)
    plugin.heal()
    assert reloaded(ansible.playbook(reload(mounts=["bad", "good"]))) == {
        "bad/": True,
        "good/": True,
    }
    assert serves(server, "bad")


@pytest.mark.parametrize("probe", [None, "info"])
def test_a_plugin_that_ends_at_each_request_is_down(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, probe: str | None
) -> None:
    """It starts, so that the server reloads it without a word."""
    plugin = external_plugin()
    external_plugin(name="good")
    server.mount("bad", PLUGIN)
    server.mount("good", "good")
    plugin.fault("crash")

    more = {"probe": probe} if probe else {}
    run = ansible.playbook(reload(mounts=["bad", "good"], **more))

    assert run.result.failed
    assert run.result["changed"] is True
    assert '"bad/" does not answer: ' in run.result.message
    server.mount("worse", PLUGIN)
    both = ansible.playbook(reload(mounts=["bad", "worse"], **more)).result
    assert '"bad/", "worse/" do not answer: ' in both.message
    assert {path: row["alive"] for path, row in by_path(run).items()} == {
        "bad/": False,
        "good/": True,
    }
    assert by_path(run)["bad/"]["error"]
    assert_no_lie(server, run)
    plugin.heal()
    assert ansible.playbook(reload(mounts="bad")).result["verified"] is True


def test_by_plugin_the_server_stops_at_the_first_failure(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    plugin = external_plugin()
    for path in ("a", "b", "c"):
        server.mount(path, PLUGIN)
    plugin.fault("exit")

    run = ansible.playbook(reload(plugin=PLUGIN))

    assert run.result.failed
    assert run.result["changed"] is True
    dead = [path for path, row in by_path(run).items() if row["error"]]
    assert len(dead) == 1
    assert f'down: "{dead[0]}"' in run.result.message
    assert "unknown whether reloaded, serves " in run.result.message
    alive = {path: None for path in ("a/", "b/", "c/") if path not in dead}
    assert reloaded(run) == {**alive, dead[0]: False}
    assert_no_lie(server, run)
    plugin.heal()
    assert ansible.playbook(reload(plugin=PLUGIN)).result["verified"] is True


def overwrite(plugin: BuiltPlugin) -> None:
    """Replace the file without telling the catalog."""
    plugin.path.write_bytes(plugin.path.read_bytes() + b"\n# another file\n")


def remove(plugin: BuiltPlugin) -> None:
    """Delete the file."""
    plugin.path.unlink()


@pytest.mark.parametrize("harm", [overwrite, remove], ids=["wrong sha256", "deleted file"])
@pytest.mark.parametrize("how", [{"plugin": PLUGIN}, {"mounts": "ext"}], ids=["plugin", "mounts"])
def test_a_file_that_is_not_the_registered_one(
    server: Server,
    external_plugin: ExternalPlugin,
    ansible: Ansible,
    harm: t.Callable[[BuiltPlugin], None],
    how: dict[str, str],
) -> None:
    plugin = external_plugin()
    server.mount("ext", PLUGIN)
    harm(plugin)
    run = ansible.playbook(reload(**how))
    assert run.result.failed
    assert run.result["changed"] is True
    assert run.result["verified"] is False
    assert by_path(run)["ext/"]["error"]
    assert '"ext/"' in run.result.message
    assert of_a_failed_mount(server) in run.result.message
    assert not serves(server, "ext")


@pytest.mark.parametrize("how", [{"plugin": PLUGIN}, {"mounts": "ext"}], ids=["plugin", "mounts"])
def test_a_mount_whose_plugin_left_the_catalog_is_not_touched(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, how: dict[str, str]
) -> None:
    external_plugin(version="v1.0.0")
    server.mount("ext", PLUGIN)
    server.call("DELETE", f"sys/plugins/catalog/secret/{PLUGIN}?version=v1.0.0")
    before = server.info("ext")
    run = ansible.playbook(reload(**how))
    assert run.result.failed
    assert run.result["changed"] is False
    assert '"ext/" cannot be reloaded: its plugin "ext" in version v1.0.0' in run.result.message
    assert "nothing was reloaded" in run.result.message
    assert "name them in mounts" not in run.result.message
    assert server.info("ext")["pid"] == before["pid"]
    external_plugin(version="v1.1.0")
    server.mount("well", PLUGIN, version="v1.1.0")
    beside = {"mounts": ["ext", "well"]} if "mounts" in how else how
    run = ansible.playbook(reload(**beside))
    assert "to reload the others alone, name them in mounts" in run.result.message
    assert not ansible.playbook(reload(mounts="well")).result.failed


def test_a_builtin_plugin_that_the_catalog_does_not_list(server: Server, ansible: Ansible) -> None:
    server.mount("database", "database")
    run = ansible.playbook(reload(mounts="database"), reload(state="current", mounts="database"))
    assert [task["changed"] for task in run.tasks] == [True, False]
    assert [task["verified"] for task in run.tasks] == [True, True]
    current, *by_name = [
        ansible.playbook(reload(plugin="database", **options), options=more).result
        for options, more in (({"state": "current"}, ()), ({}, ()), ({}, ("--check",)))
    ]
    assert (current["changed"], current["verified"]) == (False, True)
    for result in by_name:
        if server.product == "Vault":
            assert (result.failed, result["changed"]) == (False, True)
        else:  # it looks for the name in its catalog
            assert (result.failed, result["changed"]) == (True, False)
            assert 'its mounts: "database/"; name the mounts that use it' in result.message


def test_current_of_a_database_plugin(server: Server, ansible: Ansible) -> None:
    """Its connections are no mounts: which there are, only the server knows."""
    result = ansible.playbook(reload(plugin="mysql-database-plugin", state="current")).result
    assert result.failed
    assert "only the server knows what it runs; name the mounts that use it" in result.message


@pytest.mark.parametrize("scope", ["local", "global"])
def test_mocked_mount_that_names_no_plugin(
    server: Server, external_plugin: ExternalPlugin, scope: str
) -> None:
    """Where only the server knows what it runs, check mode does not say that nothing is to do."""
    external_plugin()
    server.mount("ext", PLUGIN)
    with editing_proxy() as proxy:
        proxy.edits["GET sys/mounts"] = rows(lambda data: data["ext/"].update(type="plugin"))
        options = {"plugin": PLUGIN, "scope": scope, "url": server.url}
        for check in (True, False):
            result = run_task("plugin_reload", options, check, proxy=proxy.url, token=server.token)
            assert result["changed"] is True, check
            assert "only the server knows what it runs" in str(result["warnings"])


@pytest.mark.openbao_only("Vault keeps the old version")
def test_a_mount_that_cannot_be_read_again_is_down_all_the_same(
    server: Server, external_plugin: ExternalPlugin
) -> None:
    """The server itself has named it as failed, and leaves such a mount down."""
    plugin = external_plugin()
    server.mount("ext", PLUGIN)
    server.mount("ok", "kv")
    plugin.fault("exit")
    with editing_proxy() as proxy:
        read = "GET sys/mounts/ext"

        def fail_later(status: int, body: bytes) -> tuple[int, bytes]:
            is_first = proxy.seen.count(read) == 1
            return (status, body) if is_first else page(502)(status, body)

        proxy.edits[read] = fail_later
        options = {"mounts": ["ext", "ok"], "url": server.url}
        result = run_task("plugin_reload", options, False, proxy=proxy.url, token=server.token)
    (failed, _fine) = result["mounts"]
    assert (failed["path"], failed["alive"], failed["after"]) == ("ext/", False, None)
    assert "ext/ ext down" in result["diff"]["after"]


class Stale(t.NamedTuple):
    """A way in which a mount stops running what it should."""

    make: t.Callable[[Server, ExternalPlugin, BuiltPlugin], object]
    version: str = ""


def _tune(server: Server, external_plugin: ExternalPlugin, plugin: BuiltPlugin) -> None:
    external_plugin(version="v2.0.0")
    server.tune_version("ext", "v2.0.0")


def _overwrite_entry(server: Server, external_plugin: ExternalPlugin, plugin: BuiltPlugin) -> None:
    external_plugin(version=plugin.version)


def _kill_mount(server: Server, external_plugin: ExternalPlugin, plugin: BuiltPlugin) -> None:
    plugin.fault("exit")
    server.request("POST", "sys/plugins/reload/backend", {"mounts": "ext"})
    plugin.heal()


STALE = {
    "tuned to another version": Stale(_tune, "v1.0.0"),
    "entry overwritten": Stale(_overwrite_entry),
    "entry of a version overwritten": Stale(_overwrite_entry, "v1.0.0"),
}


def test_current_sends_nothing_where_nothing_is_stale(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin(version="v1.0.0")
    external_plugin(name="login", kind="auth")
    server.mount("ext", PLUGIN)
    server.mount("login", "login", kind="auth")
    with counting_proxy() as proxy:
        run = ansible.playbook(
            reload(state="current", plugin=PLUGIN),
            reload(state="current", mounts="ext,auth/login,secret"),
            **proxy.environment,
        )
    assert [task["changed"] for task in run.tasks] == [False, False]
    assert [task["verified"] for task in run.tasks] == [True, True]
    assert reloaded(run) == {"ext/": False, "auth/login/": False, "secret/": False}
    assert proxy.posts == []


@pytest.mark.parametrize("stale", STALE.values(), ids=STALE.keys())
def test_current_reloads_what_is_stale_and_nothing_else(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, stale: Stale
) -> None:
    plugin = external_plugin(version=stale.version)
    external_plugin(name="other")
    server.mount("ext", PLUGIN)
    server.mount("other", "other")
    other = server.info("other")["pid"]
    stale.make(server, external_plugin, plugin)
    task = reload(state="current", mounts="ext,other")

    run = ansible.playbook({**task, "check_mode": True}, task, task)

    checked, real, again = run.tasks
    assert [each["changed"] for each in run.tasks] == [True, True, False]
    rows = [{row["path"]: row for row in each["mounts"]} for each in (checked, real)]
    for row in rows:
        assert (row["ext/"]["reloaded"], row["other/"]["reloaded"]) == (True, False)
    assert rows[0]["ext/"]["after"] == rows[1]["ext/"]["after"] != rows[1]["ext/"]["before"]
    assert real["verified"] is again["verified"] is True
    assert server.info("ext")["version"] == rows[1]["ext/"]["after"]["version"]
    assert server.info("other")["pid"] == other


def test_current_with_a_multiplexed_plugin(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin(multiplexed=True)
    for path in ("a", "b"):
        server.mount(path, PLUGIN)
    new = external_plugin(multiplexed=True)  # the unversioned entry is overwritten
    task = reload(state="current", plugin=PLUGIN)
    run = ansible.playbook(reload(state="current", mounts="a"), task, task)
    one, rest, again = run.tasks
    assert [one["changed"], rest["changed"], again["changed"]] == [True, True, False]
    # The sibling's process was restarted too, but only its own reload lets its row say so.
    assert {row["path"]: row["reloaded"] for row in rest["mounts"]} == {"a/": False, "b/": True}
    assert {row["after"]["sha256"] for row in rest["mounts"]} == {new.sha256}
    assert again["verified"] is True


def test_current_by_plugin_reloads_only_its_stale_mounts(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin(version="v1.0.0")
    server.mount("ext", PLUGIN)
    server.mount("fresh", PLUGIN)
    fresh = server.info("fresh")["pid"]
    external_plugin(version="v2.0.0")
    server.tune_version("ext", "v2.0.0")
    run = ansible.playbook(reload(state="current", plugin=PLUGIN))
    assert reloaded(run) == {"ext/": True, "fresh/": False}
    assert server.info("ext")["version"] == "v2.0.0"
    assert server.info("fresh")["pid"] == fresh


def test_current_revives_a_mount_that_is_down(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    plugin = external_plugin()
    server.mount("ext", PLUGIN)
    _kill_mount(server, external_plugin, plugin)
    run = ansible.playbook(reload(plugin=PLUGIN, state="current"))
    assert not run.result.failed
    assert serves(server, "ext")


@pytest.mark.openbao_only("Vault tries the old plugin at each request, also after a failed reload")
@pytest.mark.parametrize("scope", ["local", "global"])
def test_what_was_down_and_stays_down_did_not_change(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, scope: str
) -> None:
    plugin = external_plugin()
    server.mount("ext", PLUGIN)
    _kill_mount(server, external_plugin, plugin)
    plugin.path.chmod(0o644)
    run = ansible.playbook(reload(mounts="ext", state="current", scope=scope))
    assert run.result.failed
    rows = {row["path"]: row for row in run.result["mounts"]}
    assert (rows["ext/"]["reloaded"], rows["ext/"]["alive"]) == (False, False)
    assert run.result["changed"] is False
    # Without state=current, nobody has asked before: the server says that it stopped the mount.
    unasked = ansible.playbook(reload(mounts="ext", scope=scope))
    assert (unasked.result.failed, unasked.result["changed"]) == (True, True)


def test_current_leaves_a_plugin_that_was_killed_to_the_server(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin()
    server.mount("ext", PLUGIN)
    os.kill(server.info("ext")["pid"], signal.SIGKILL)
    run = ansible.playbook(reload(plugin=PLUGIN, state="current"))
    assert run.result["changed"] is False
    assert serves(server, "ext")
    assert ansible.playbook(reload(plugin=PLUGIN)).result["verified"] is True


def test_a_known_plugin_that_is_mounted_nowhere(server: Server, ansible: Ansible) -> None:
    with counting_proxy() as proxy:
        run = ansible.adhoc(MODULE, "plugin=transit", **proxy.environment)
    assert run.result["changed"] is False
    assert 'plugin "transit" is mounted nowhere' in run.output
    assert proxy.posts == []


def test_check_mode_predicts_without_a_post(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin(version="v1.0.0")
    server.mount("ext", PLUGIN)
    new = external_plugin(version="v1.1.0")
    server.tune_version("ext", "v1.1.0")
    before = server.info("ext")["pid"]
    with counting_proxy() as proxy:
        run = ansible.playbook(
            reload(plugin=PLUGIN), options=["--check", "--diff"], **proxy.environment
        )
    assert (run.result["changed"], run.result["reload_id"]) == (True, None)
    assert by_path(run)["ext/"]["after"] == {"version": "v1.1.0", "sha256": new.sha256}
    assert f"+ext/ ext v1.1.0 {new.sha256[:8]}\n" in run.stdout
    assert proxy.posts == []
    assert server.info("ext")["pid"] == before


@pytest.mark.slow
@pytest.mark.parametrize("how", ["plugin=ext", "mounts=a,b,c"])
def test_a_client_that_is_cut_off_tells_what_it_left_behind(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, how: str
) -> None:
    plugin = external_plugin()
    for path in ("a", "b", "c"):
        server.mount(path, PLUGIN)
    plugin.fault("sleep 1.5")
    with counting_proxy() as proxy:
        proxy.cut_posts = 0.5
        run = ansible.adhoc(MODULE, how, **proxy.environment)
    plugin.heal()
    assert run.result.failed
    assert "the outcome of the reload is unknown" in run.result.message
    assert "run the task again" in run.result.message
    assert [line for line in proxy.posts if "reload" in line] == [
        "POST sys/plugins/reload/backend"
    ]  # never twice
    assert set(by_path(run)) == {"a/", "b/", "c/"}
    assert_no_lie(server, run)
    healed = ansible.adhoc(MODULE, how)
    assert healed.result["verified"] is True
    assert all(serves(server, path) for path in ("a", "b", "c"))


def test_reload_timeout_is_the_users_own_risk(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    plugin = external_plugin()
    server.mount("ext", PLUGIN)
    plugin.fault("sleep 2")
    run = ansible.adhoc(MODULE, "plugin=ext reload_timeout=1s")
    assert run.result.failed
    assert "no answer within 1 s" in run.result.message
    assert "give reload_timeout more (without it, it is 130 s); check the" in run.result.message
    assert_no_lie(server, run)


@pytest.mark.slow
@pytest.mark.waits
@pytest.mark.openbao_only("Vault gives a start 60 s, and keeps the old version")
def test_a_plugin_that_hangs_at_its_start(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    plugin = external_plugin()
    server.mount("ext", PLUGIN)
    plugin.fault("sleep 300")
    run = ansible.adhoc(MODULE, "plugin=ext timeout=5")  # the server gives up after 120 s
    assert run.result.failed
    assert run.result["status"] in (400, 500)
    assert "timeout while waiting for plugin to start" in run.result.message
    assert 'down: "ext/"' in run.result.message


def test_verify_false_sends_only_the_post(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin()
    server.mount("ext", PLUGIN)
    with counting_proxy() as proxy:
        run = ansible.adhoc(MODULE, "plugin=ext verify=false", **proxy.environment)
    assert proxy.seen == ["POST sys/plugins/reload/backend"]
    assert run.result["changed"] is True
    assert (run.result["verified"], run.result["mounts"]) == (False, [])
    assert "WARNING" not in run.output


def test_the_question_that_proves_life(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin()
    server.mount("ext", PLUGIN)
    help_asked, info_read = "GET ext?help=1", "GET ext/info"
    asked = {"true": help_asked, "info": info_read, "/info": info_read, "false": None, "no": None}
    with counting_proxy() as proxy:
        tasks = {f"probe {probe}": reload(mounts="ext", probe=probe) for probe in asked}
        named = {name: {MODULE: task[MODULE]} for name, task in tasks.items()}
        cases = ansible.cases(named, **proxy.environment)
    assert all(result["verified"] is True for result in cases.results.values())
    # Who was not asked is not said to answer.
    assert {name: result["mounts"][0]["alive"] for name, result in cases.results.items()} == {
        f"probe {probe}": True if question else None for probe, question in asked.items()
    }
    questions = [line for line in proxy.seen if line.startswith("GET ext")]
    assert questions == [question for question in asked.values() if question]


def test_a_question_that_the_plugin_does_not_answer(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin()
    server.mount("ext", PLUGIN)
    run = ansible.adhoc(MODULE, "mounts=ext probe=health")
    assert run.result.failed
    assert run.result["changed"] is True
    assert run.result["verified"] is False
    assert '1 of 1 mounts answer, but not the probe: "ext/": unsupported path' in run.result.message
    assert "down" not in run.result.message


@pytest.mark.openbao_only("Vault has the reload by type")
def test_plugin_type_on_a_server_without_it(server: Server, ansible: Ansible) -> None:
    run = ansible.adhoc(MODULE, "plugin=kv plugin_type=secret")
    assert run.result.failed
    assert run.result["changed"] is False
    assert "this server has no reload by plugin type" in run.result.message
    assert "leave plugin_type out" in run.result.message
    run = ansible.adhoc(MODULE, "plugin=kv plugin_type=secret state=current")
    assert run.result.failed
    assert run.result["changed"] is False
    assert "plugin_type means those of all namespaces" in run.result.message
    assert "leave plugin_type out" in run.result.message
    run = ansible.adhoc(MODULE, "plugin=kv plugin_type=secret", options=["--check"])
    assert run.result.failed
    assert "this server has no reload by plugin type; leave plugin_type out" in run.result.message


@pytest.mark.parametrize("count", [1, 10, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_number_of_requests(server: Server, ansible: Ansible, count: int) -> None:
    mounts = [f"m{number}" for number in range(count)]
    for path in mounts:
        server.mount(path, "transit")
    looks = [f"GET sys/mounts/{path}" for path in mounts] if count <= 5 else ["GET sys/mounts"]
    post = "POST sys/plugins/reload/backend"

    with counting_proxy() as proxy:
        run = ansible.playbook(reload(mounts=mounts), **proxy.environment)
    assert run.result["verified"] is True
    catalog = ["GET sys/plugins/catalog"]
    if server.product == "Vault":
        catalog.append("GET sys/plugins/pins")
    assert by_rounds(proxy.seen) == by_rounds([*looks, *catalog, post, *looks])

    with counting_proxy() as proxy:
        run = ansible.playbook(reload(plugin="transit"), **proxy.environment)
    assert run.result["verified"] is True
    listing = ["GET sys/mounts", "GET sys/auth", *catalog]
    assert by_rounds(proxy.seen) == by_rounds([*listing, post, *looks])


POLICIES = REPOSITORY / "docs" / "policies"


class Level(t.NamedTuple):
    """A policy of the documentation, what is asked for with it, and what it is good for."""

    policy: str
    options: dict[str, t.Any]
    verified: bool
    warned: bool = False


LEVELS = {
    "reload only": Level("only", {}, False, warned=True),
    "reload only, and no more is wanted": Level("only", {"verify": False}, False),
    "verified": Level("verified", {}, True),
    "verified, current": Level("verified", {"state": "current"}, True),
    "verified, but a probe of its own": Level("verified", {"probe": "info"}, False, warned=True),
    "probe": Level("probe", {"probe": "info"}, True),
}


def test_the_documented_policies(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    external_plugin()
    external_plugin(name="login", kind="auth")
    server.mount("my-secrets", PLUGIN)
    server.mount("login", "login", kind="auth")
    tokens = {
        name: server.new_token((POLICIES / f"plugin_reload-{name}.hcl").read_text(encoding="utf-8"))
        for name in ("only", "verified", "probe")
    }
    tasks = {}
    for name, level in LEVELS.items():
        token = {"token": tokens[level.policy]}
        mounts = "my-secrets" if "probe" in level.options else "my-secrets,auth/login"
        tasks[f"{name}, by plugin"] = {MODULE: {"plugin": PLUGIN, **level.options, **token}}
        tasks[f"{name}, by mounts"] = {MODULE: {"mounts": mounts, **level.options, **token}}
    before = server.info("my-secrets")["pid"]

    cases = ansible.cases(tasks)

    assert server.info("my-secrets")["pid"] != before
    for name, result in cases.results.items():
        level = LEVELS[name.rpartition(", ")[0]]
        with subtests.test(name):
            assert not result.failed, result.message
            assert result["verified"] is level.verified
            assert result["changed"] is ("state" not in level.options)
            assert bool(result.result.get("warnings")) is level.warned


def test_current_needs_the_looks(server: Server, ansible: Ansible) -> None:
    rules = (POLICIES / "plugin_reload-only.hcl").read_text(encoding="utf-8")
    run = ansible.adhoc(MODULE, "plugin=kv state=current", BAO_TOKEN=server.new_token(rules))
    assert run.result.failed
    assert "mounts and catalog have to be read first" in run.result.message
    assert "or reload without this check, with state=reloaded" in run.result.message
    assert "permission denied reading the mounts (403 from GET" in run.result.message


@pytest.mark.openbao_only("Vault reloads a mount that is being removed")
def test_a_mount_that_is_being_removed(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    """Its lease cannot be revoked, so it can be neither disabled nor reloaded; the others can."""
    external_plugin("v1.0.0")
    external_plugin("v1.1.0")
    for path in ("a", "b", "c"):
        server.mount(path, PLUGIN, version="v1.0.0")
    server.call("GET", "b/lease")
    assert not server.request("DELETE", "sys/mounts/b").ok
    pids = {path: server.info(path)["pid"] for path in ("a", "c")}

    run = ansible.playbook(reload(plugin=PLUGIN))
    assert not run.result.failed, run.result.message
    assert reloaded(run) == {"a/": True, "b/": False, "c/": True}
    assert all(server.info(path)["pid"] != pid for path, pid in pids.items())
    warning = 'left out, as no reload makes them answer: they are being removed: "b/"'
    assert warning in run.result["warnings"]
    assert "is tainted" in by_path(run)["b/"]["error"]
    current = reload(plugin=PLUGIN, state="current")
    for options in (["--check", "--diff"], ["--diff"]):
        run = ansible.playbook(current, options=options)
        assert not run.result["changed"]
        assert run.result["verified"] is True  # of the others, as the warning says
        assert "is tainted" in by_path(run)["b/"]["error"]
        assert "b/ ext down" in run.result["diff"]["before"]
        assert warning in run.result["warnings"]

    run = ansible.playbook(reload(mounts=["a", "b"]))
    assert run.result.failed
    assert "it is being removed, and no reload makes it answer" in run.result.message
    run = ansible.playbook(reload(mounts=["a", "b"], state="current"))
    assert '"b/" cannot be reloaded: ' in run.result.message
    assert "it is being removed" in run.result.message

    run = ansible.playbook(
        {"vaultops.vault.plugin_upgrade": {"plugin": PLUGIN, "version": "v1.1.0"}}
    )
    assert not run.result.failed, run.result.message
    assert warning in run.result["warnings"]
    assert [server.info(path)["version"] for path in ("a", "c")] == ["v1.1.0", "v1.1.0"]

    external_plugin("v1.2.0").fault("exit")
    run = ansible.playbook(
        {"vaultops.vault.plugin_upgrade": {"plugin": PLUGIN, "version": "v1.2.0"}}
    )
    assert run.result["rolled_back"] is True
    assert run.result.message.startswith("all 2 mounts serve the old version again")
    assert run.result["warnings"].count(warning) == 1
    assert [server.info(path)["version"] for path in ("a", "c")] == ["v1.1.0", "v1.1.0"]


@pytest.mark.openbao_only("Vault reloads a mount that is being removed")
def test_a_mount_that_is_being_removed_and_named(
    server: Server, external_plugin: ExternalPlugin
) -> None:
    """An auth mount: nothing is begun with it, and check mode says what the run does."""
    for version in ("v1.0.0", "v1.1.0"):
        external_plugin(version, name="login", kind="auth")
    for path in ("a", "b"):
        server.mount(path, "login", kind="auth", version="v1.0.0")
    server.call("GET", "auth/b/lease")
    assert not server.request("DELETE", "sys/auth/b").ok
    before = server.info("auth/a")["pid"]

    with counting_proxy() as proxy:

        def run(operation: str, check_mode: bool, **options: t.Any) -> dict[str, t.Any]:
            options["url"] = server.url
            return run_task(operation, options, check_mode, proxy=proxy.url, token=server.token)

        move = {"plugin": "login", "version": "v1.1.0"}
        for operation, options in (
            ("plugin_upgrade", {**move, "mounts": ["auth/a", "auth/b/"]}),
            ("plugin_upgrade", {**move, "canary": "sys/auth/b"}),
            ("plugin_reload", {"mounts": ["auth/a", "auth/b"], "state": "current"}),
        ):
            checked, real = (run(operation, check_mode, **options) for check_mode in (True, False))
            assert checked == real
            assert '"auth/b/" cannot be reloaded: ' in real["msg"]
            assert (real["changed"], proxy.posts) == (False, [])
        checked = run("plugin_reload", True, mounts=["auth/a", "auth/b"])
        assert '"auth/b/" cannot be reloaded: ' in checked["msg"]
        assert server.info("auth/a")["pid"] == before

        for operation, options in (
            ("plugin_reload", {"plugin": "login"}),
            ("plugin_upgrade", move),
        ):
            checked, real = (run(operation, check_mode, **options) for check_mode in (True, False))
            for same in ("changed", "mounts", "diff", "warnings"):
                assert checked[same] == real[same], same
            assert [row["reloaded"] for row in real["mounts"]] == [True, False]
    assert server.info("auth/a")["version"] == "v1.1.0"
