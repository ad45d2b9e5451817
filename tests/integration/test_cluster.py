# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scope=global on a real cluster: what each node is said to run, and what it really runs."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import threading
import time
import typing as t

import pytest
import requests

from ansible_collections.vaultops.vault.plugins.module_utils._api import ha_status
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import Nodes, NodeState
from ansible_collections.vaultops.vault.tests.support import logins
from ansible_collections.vaultops.vault.tests.support.ansible_runs import (
    REPOSITORY,
    Ansible,
    Run,
    TaskResult,
)
from ansible_collections.vaultops.vault.tests.support.balancer import delaying_proxy, round_robin
from ansible_collections.vaultops.vault.tests.support.cluster import (
    Cluster,
    Node,
    running_cluster,
)
from ansible_collections.vaultops.vault.tests.support.documents import (
    blocks,
    comparable,
    run_console,
    write_files,
)
from ansible_collections.vaultops.vault.tests.support.external_plugin import BuiltPlugin
from ansible_collections.vaultops.vault.tests.support.proxy import counting_proxy
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import ServerError, running_server

MODULE = "vaultops.vault.plugin_reload"
GUIDE = "docs/cluster.md"
POLICY = REPOSITORY / "docs" / "policies" / "plugin_reload-cluster.hcl"
NOBODY = "http://127.0.0.1:9"
NO_ANSWER = "does not answer"

pytestmark = [
    pytest.mark.each_openbao,
    pytest.mark.openbao_only(
        "standbys of Vault Community run no plugins: test_vault.py has what is Vault's"
    ),
]
slow = pytest.mark.slow


class Release(t.NamedTuple):
    """What a release of OpenBao does in a cluster.

    ``spreads``: the active node passes scope=global on, where it succeeds itself.
    ``moves``: a standby starts a mount's new version when it is configured.
    ``learns``: a standby learns of a mount's new version before it is restarted.
    ``revives``: a mount that is down starts again by the first question, once it can.
    """

    spreads: bool
    moves: bool
    learns: bool
    revives: bool


# From which version on; the first row counts.
RELEASES = {
    (2, 7, 2): Release(spreads=True, moves=False, learns=True, revives=False),
    (2, 7, 0): Release(spreads=False, moves=True, learns=True, revives=True),
    (2, 5, 0): Release(spreads=False, moves=False, learns=False, revives=False),
}


class Process(t.NamedTuple):
    """The process behind a mount on a node, as the plugin itself tells it."""

    pid: int
    version: str


@dataclasses.dataclass(frozen=True)
class Stage:
    """A cluster with the plugin weather in two versions, the old one mounted at weather/."""

    cluster: Cluster
    directory: pathlib.Path
    old: BuiltPlugin
    new: BuiltPlugin

    @property
    def release(self) -> Release:
        """What this release of OpenBao does."""
        told = self.cluster.active.call("GET", "sys/health")["version"]
        version = tuple(int(part) for part in told.split("."))
        return next(release for start, release in RELEASES.items() if version >= start)

    def run(
        self,
        door: Node | None = None,
        *,
        task: dict[str, t.Any] | None = None,
        environment: dict[str, str] | None = None,
        **options: t.Any,
    ) -> Run:
        """Reload with scope=global through ``door``, the active node by default, and show all."""
        ansible = Ansible(self.directory, door or self.cluster.active)
        arguments = {"plugin": "weather", "scope": "global", **options}
        return ansible.playbook(
            {"name": "Reload", MODULE: arguments, **(task or {})},
            options=["-v", "--diff"],
            **(environment or {}),
        )

    def processes(self) -> dict[str, Process | None]:
        """Return what really runs on each node, None where nothing answers."""
        return {node.name: process(node) for node in self.cluster.nodes}

    def await_process(self, node: Node, condition: t.Callable[[Process | None], bool]) -> None:
        """Wait until what runs on ``node`` is as it should be."""
        self.cluster.until(lambda: condition(process(node)), f"the plugin on {node.name}")

    def take_file(self, node: Node, plugin: BuiltPlugin) -> contextlib.ExitStack:
        """Take the plugin's file from ``node``; it is back when what is returned is closed."""
        path = node.here(plugin).path
        hidden = path.with_name(f"{path.name}.hidden")
        path.rename(hidden)
        back = contextlib.ExitStack()
        back.callback(hidden.rename, path)
        return back

    def tune(self, version: str) -> None:
        """Configure weather/ for ``version``, and wait for what the release does by itself."""
        self.cluster.tune_version("weather", version)
        if self.release.moves:
            for node in self.cluster.standbys:
                self.await_process(node, lambda it: it is not None and it.version == version)


def process(node: Node) -> Process | None:
    """Return the process behind weather/ on ``node``, None where nothing answers."""
    try:
        answer = node.request("GET", "weather/info")
    except requests.RequestException:
        return None
    if not answer.ok:
        return None
    data = answer.json()["data"]
    return Process(data["pid"], data["version"])


def arranged(cluster: Cluster, directory: pathlib.Path) -> Stage:
    """Mount the old version of the plugin on ``cluster``, and register the new one too."""
    old, new = (cluster.plugin(version, name="weather") for version in ("v1.0.0", "v1.1.0"))
    cluster.mount("weather", "weather", version="v1.0.0")
    return Stage(cluster, directory, old, new)


@pytest.fixture
def stage(cluster: Cluster, tmp_path: pathlib.Path) -> Stage:
    """A real cluster of three nodes that all run v1.0.0 at weather/."""
    return arranged(cluster, tmp_path)


def nodes_of(result: TaskResult) -> dict[str, dict[str, t.Any]]:
    """Return the rows of the result's nodes by name."""
    return {row["name"]: row for row in result["nodes"]}


def told(result: TaskResult, key: str) -> dict[str, t.Any]:
    """Return what each node's row says of its mount weather/."""
    return {
        name: next(mount[key] for mount in row["mounts"] if mount["path"] == "weather/")
        for name, row in nodes_of(result).items()
        if row["mounts"]
    }


def assert_no_lie(stage: Stage, result: TaskResult) -> None:
    """What is said to be well is well, and what is said to be down is down, node by node."""
    really = stage.processes()
    for name, row in nodes_of(result).items():
        for mount in row["mounts"]:
            if mount["error"] and NO_ANSWER in mount["error"]:
                assert really[name] is None
            elif row["ok"]:
                runs = really[name]
                assert runs is not None
                assert runs.version == mount["after"]["version"]
        if row["ok"] and not row["mounts"]:  # then it runs none, and the active node answers
            assert really[name] == really[stage.cluster.active.name]
    assert result.result["verified"] is False or not result.failed


def without_ids(result: TaskResult) -> dict[str, t.Any]:
    """Return a result without its random ids."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", json.dumps(result.result))
    return t.cast(dict[str, t.Any], json.loads(text))


def assert_shown(name: str, output: str) -> None:
    """The guide's block ``name`` shows ``output``, whichever node is active."""
    shown, happened = (
        sorted(re.sub(r"\bn[123]\b", "NODE", line) for line in comparable(text))
        for text in (blocks(GUIDE, name)[0], output)
    )
    assert happened == shown


@slow
def test_every_node_reloads_whoever_is_asked(stage: Stage, subtests: pytest.Subtests) -> None:
    cluster = stage.cluster
    active, standby = cluster.active, cluster.standbys[0]
    as_module = {"vars": {"vaultops_in_process": False}}
    with round_robin([node.url for node in cluster.nodes]) as balancer:
        doors: dict[str, dict[str, t.Any]] = {
            "the active node": {"door": active},
            "a standby": {"door": standby},
            "a load balancer": {"door": dataclasses.replace(active, url=balancer)},
            "as a module": {"door": active, "task": as_module},
        }
        results = {}
        for name, door in doors.items():
            before = stage.processes()
            run = stage.run(**door)
            results[name] = run.result
            after = stage.processes()
            with subtests.test(name):
                assert not run.result.failed, run.result.message
                assert (run.result["changed"], run.result["verified"]) == (True, True)
                assert all(after[node] != before[node] for node in before)
                assert {runs.version for runs in after.values() if runs} == {"v1.0.0"}
                if name != "as a module":  # a module cannot speak before it ends
                    assert len(re.findall(r"node [123]/3: n[123] \(\S+\): runs", run.stdout)) == 3

    rows = nodes_of(results["the active node"])
    assert {name: row["role"] for name, row in rows.items()} == {
        node.name: node.role for node in cluster.nodes
    }
    assert {row["address"] for row in rows.values()} == {node.url for node in cluster.nodes}
    assert all((row["ok"], row["error"]) == (True, None) for row in rows.values())
    # Where the active node tells the others, nobody tells us of theirs.
    others = None if stage.release.spreads else True
    assert told(results["the active node"], "reloaded") == {
        node.name: True if node is active else others for node in cluster.nodes
    }
    runs = {"version": "v1.0.0", "sha256": stage.old.sha256}
    assert all(state == runs for state in told(results["a standby"], "after").values())
    for name, result in results.items():
        with subtests.test(f"{name}: the same result"):
            assert without_ids(result) == without_ids(results["the active node"])


@slow
def test_a_new_version(stage: Stage) -> None:
    cluster, release = stage.cluster, stage.release
    active = cluster.active
    stage.tune("v1.1.0")
    before = stage.processes()
    short = {plugin.version: plugin.sha256[:8] for plugin in (stage.old, stage.new)}

    with counting_proxy() as proxy:
        foretold = stage.run(task={"check_mode": True}, environment=proxy.environment)
    assert (foretold.result["changed"], proxy.posts) == (True, [])
    assert stage.processes() == before
    predicted = told(foretold.result, "after")
    assert {state["version"] for state in predicted.values()} == {"v1.1.0"}
    assert all(row["ok"] is None for row in nodes_of(foretold.result).values())
    keeps_old = "would keep its old version until it is restarted"
    assert foretold.output.count(keeps_old) == (0 if release.learns else 2)

    run = stage.run()
    assert run.result["changed"] is True
    after = {name: runs.version for name, runs in stage.processes().items() if runs}
    assert {name: state["version"] for name, state in told(run.result, "after").items()} == after
    if release.learns:
        assert not run.result.failed
        assert run.result["verified"] is True
        assert set(after.values()) == {"v1.1.0"}
    else:
        assert run.result.failed
        assert "2 of 3 nodes do not run what they should" in run.result.message
        assert "keeps its old version of weather/; restart that node" in run.result.message
        assert_shown("message restart", run.result.message)
        moved = {active.name: "v1.1.0"}
        assert after == {node.name: moved.get(node.name, "v1.0.0") for node in cluster.nodes}
    # One line for all nodes where they are alike, else one for each.
    alike = release.learns and not release.moves
    for side in ("before", "after"):
        lines = {
            name: f"weather/ weather {state['version']} {short[state['version']]}"
            for name, state in told(run.result, side).items()
        }
        each = [f"{name}: {line}" for name, line in lines.items()]
        assert run.result["diff"][side].splitlines() == ([lines[active.name]] if alike else each)
    if alike:
        assert f"+{lines[active.name]}\n" in run.stdout

    if not release.learns:
        for node in cluster.standbys:
            node.stop()
            node.start()
        cluster.await_all()
    before = stage.processes()
    with counting_proxy() as proxy:
        again = stage.run(state="current", environment=proxy.environment)
    assert not again.result.failed, again.result.message
    assert (again.result["changed"], again.result["verified"]) == (False, True)
    assert proxy.posts == []
    assert stage.processes() == before
    assert {runs.version for runs in before.values() if runs} == {"v1.1.0"}


@slow
def test_the_guide(stage: Stage) -> None:
    if not stage.release.spreads:
        pytest.skip("the guide shows a release that spreads the reload")
    stage.tune("v1.1.0")
    ansible = Ansible(stage.directory, stage.cluster.active)
    write_files(GUIDE, ["reload.yml"], stage.directory)
    (block,) = blocks(GUIDE, "console all")
    output, _shown = run_console(block, ansible)
    assert_shown("console all", block.splitlines()[0] + "\n" + output)
    runs = stage.processes().values()
    assert {it and it.version for it in runs} == {"v1.1.0"}


@slow
def test_a_standby_without_the_file(stage: Stage) -> None:
    cluster, release = stage.cluster, stage.release
    bad, other = cluster.standbys
    before = stage.processes()

    with stage.take_file(bad, stage.old):
        run = stage.run(wait_timeout="30s")
        assert run.result.failed
        assert (run.result["changed"], run.result["verified"]) == (True, False)
        assert f": {bad.name} (" in run.result.message
        assert "fix the plugin" in run.result.message
        if release.spreads:
            assert_shown("message file", run.result.message)
        rows = nodes_of(run.result)
        assert rows[cluster.active.name]["ok"] is True
        assert rows[bad.name]["ok"] is False
        assert rows[bad.name]["mounts"][0]["reloaded"] is False
        assert NO_ANSWER in rows[bad.name]["mounts"][0]["error"]
        after = run.result["diff"]["after"].splitlines()
        assert f"{bad.name}: weather/ weather down" in after
        assert f"{other.name}: weather/ weather v1.0.0 {stage.old.sha256[:8]}" in after
        # Where each is asked itself, the next one is left alone.
        assert rows[other.name]["ok"] is release.spreads
        left_alone = f"was not reloaded, as {bad.name} ({bad.url}) failed"
        assert rows[other.name]["error"] == (None if release.spreads else left_alone)
        assert (stage.processes()[other.name] == before[other.name]) is not release.spreads
        assert_no_lie(stage, run.result)

    with stage.take_file(bad, stage.old):
        looked = stage.run(task={"check_mode": True}, state="current").result
        (mount,) = nodes_of(looked)[bad.name]["mounts"]
        assert (looked["verified"], mount["alive"]) == (False, False)

    healed = stage.run(state="current")
    assert not healed.result.failed, healed.result.message
    assert healed.result["verified"] is True
    # There the look itself has brought it back.
    assert healed.result["changed"] is not release.revives
    assert all(stage.processes().values())
    assert stage.run(state="current").result["changed"] is False


@slow
def test_mounts_that_a_failed_standby_takes_down_are_named(stage: Stage) -> None:
    """OpenBao from 2.7.2 on: the node sets up all its mounts anew, those of other plugins too."""
    if not stage.release.spreads:
        pytest.skip("this server does not tell its standbys to reload")
    cluster = stage.cluster
    other = cluster.plugin("v1.0.0", name="other")
    for path in ("other", "fine"):
        cluster.mount(path, "other" if path == "other" else "weather", version="v1.0.0")
    bad = cluster.standbys[0]
    bad.here(other).fault("exit")  # it serves there, and could not start again
    upgrade = {
        "vaultops.vault.plugin_upgrade": {
            "plugin": "weather",
            "version": "v1.1.0",
            "mounts": ["weather"],
            "scope": "global",
        }
    }
    bad.here(stage.new).fault("exit")
    ansible = Ansible(stage.directory, cluster.active)
    run = ansible.playbook(upgrade, options=["--diff"])
    assert run.result["rolled_back"] is True, run.output
    named = f'"other/" DOWN on {bad.name}, too: a reload that fails there sets up all mounts'
    with pytest.raises(ServerError, match="backend is nil"):
        bad.info("other")
    assert named in str(run.result["warnings"])
    bad.here(other).heal()
    heal = {"plugin": "other", "state": "current", "scope": "global"}
    healed = ansible.playbook({"vaultops.vault.plugin_reload": heal}).result
    assert healed["verified"] is True, healed.message
    assert bad.info("other")["version"] == "v1.0.0"


@slow
def test_an_active_node_without_the_file(stage: Stage) -> None:
    cluster = stage.cluster
    active = cluster.active
    before = stage.processes()
    with stage.take_file(active, stage.old):
        run = stage.run()
        assert run.result.failed
        assert run.result["status"] == 400
        assert (run.result["changed"], run.result["verified"]) == (True, False)
        assert run.result.message.startswith('cannot reload plugin "weather": ')
        assert 'down: "weather/"' in run.result.message
        assert stage.processes() == {**before, active.name: None}
    for name, row in nodes_of(run.result).items():
        assert row["ok"] is False
        if name != active.name:
            assert row["error"] == f"was not reloaded, as {active.name} ({active.url}) failed"
            assert row["mounts"][0]["reloaded"] is False
    healed = stage.run(state="current")
    assert healed.result["verified"] is True, healed.result.message
    assert all(stage.processes().values())


@slow
def test_a_standby_that_is_down(stage: Stage) -> None:
    cluster = stage.cluster
    down, up = cluster.standbys
    before = stage.processes()
    down.kill()

    run = stage.run(wait_timeout="4s")
    assert run.result.failed
    assert (run.result["changed"], run.result["verified"]) == (True, False)
    assert "1 of 3 nodes are not known to run what they should" in run.result.message
    assert f": {down.name} (" in run.result.message
    assert "cannot connect" in nodes_of(run.result)[down.name]["error"]
    if stage.release.spreads:
        assert_shown("message down", run.result.message)
    assert nodes_of(run.result)[up.name]["ok"] is True
    assert all(stage.processes()[node.name] != before[node.name] for node in cluster.nodes)
    assert_no_lie(stage, run.result)

    unchanged = stage.run(state="current", wait_timeout="4s")
    assert unchanged.result.failed
    assert unchanged.result["changed"] is False
    assert down.name in unchanged.result.message
    foretold = stage.run(task={"check_mode": True}, wait_timeout="4s")
    assert not foretold.result.failed
    assert foretold.result["verified"] is False
    assert f"node {down.name}" in foretold.output

    down.start()
    cluster.await_all()
    # At once: the cluster has not heard of it again yet.
    back = stage.run(state="current")
    assert not back.result.failed, back.result.message
    assert (back.result["changed"], back.result["verified"]) == (False, True)


@slow
def test_the_report(stage: Stage) -> None:
    """One node is down, on another the plugin: the page shows each as it is."""
    cluster = stage.cluster
    active, (bad, down) = cluster.active, cluster.standbys
    with stage.take_file(bad, stage.old):
        stage.run(wait_timeout="4s")
        stage.await_process(bad, lambda it: it is None)
        down.kill()
        run = Ansible(stage.directory, active).play_file(
            pathlib.Path("vaultops.vault.plugin_report"),
            options=["-e", "plugin_report_directory=out", "-e", "plugin_report_plugin=weather"],
        )
    assert run.returncode == 0, run.output
    data = json.loads((stage.directory / "out" / "plugin_report.json").read_text("utf-8"))
    (row,) = [row for row in data["rows"] if row["mount"]]
    assert (row["mount"], row["state"], row["running"]) == ("weather/", "dead", "v1.0.0")
    assert row["reason"].startswith(f"on {bad.name}: ")
    assert NO_ANSWER in row["reason"]
    nodes = {node["name"]: node for node in row["nodes"]}
    assert {name: node["alive"] for name, node in nodes.items()} == {
        active.name: True,
        bad.name: False,
        down.name: None,
    }
    assert nodes[active.name]["running"] == "v1.0.0"
    assert "cannot connect" in nodes[down.name]["error"]
    assert "0 unreachable, 1 dead, 0 with drift, 0 not known" in run.output
    down.start()
    cluster.await_all()


@slow
def test_the_report_by_a_token_that_may_not_read_the_nodes(stage: Stage) -> None:
    """The node that answers is in order; of the others nothing is known."""
    readable = ("sys/plugins/catalog", "sys/mounts", "sys/auth")
    policy = "\n".join(f'path "{path}" {{ capabilities = ["read"] }}' for path in readable)
    active = stage.cluster.active
    run = Ansible(stage.directory, active).play_file(
        pathlib.Path("vaultops.vault.plugin_report"),
        options=["-e", "plugin_report_directory=hidden", "-e", "plugin_report_plugin=weather"],
        BAO_TOKEN=active.new_token(policy),
    )
    assert run.returncode == 0, run.output
    data = json.loads((stage.directory / "hidden" / "plugin_report.json").read_text("utf-8"))
    (row,) = data["rows"]
    assert (row["mount"], row["state"], row["running"]) == ("weather/", "unknown", row["expected"])
    assert row["reason"].startswith("the nodes were not asked: ")
    assert "0 dead, 0 with drift, 1 not known" in run.output


@slow
def test_a_node_that_is_cut_off(stage: Stage) -> None:
    cluster, release = stage.cluster, stage.release
    cut = cluster.standbys[0]
    before = stage.processes()
    cut.pause()
    run = stage.run(wait_timeout="4s")
    cut.resume()
    assert run.result.failed
    assert (run.result["changed"], run.result["verified"]) == (True, False)
    assert re.search(
        "no answer within|has not heard from it", nodes_of(run.result)[cut.name]["error"]
    )
    assert [name for name, row in nodes_of(run.result).items() if not row["ok"]] == [cut.name]
    if release.spreads:  # it hears of the reload when it is back
        stage.await_process(cut, lambda it: it is not None and it != before[cut.name])


@slow
def test_a_node_that_is_back_during_the_wait(stage: Stage) -> None:
    cluster, release = stage.cluster, stage.release
    active, cut = cluster.active, cluster.standbys[0]
    before = stage.processes()

    def resume() -> None:
        stage.await_process(active, lambda it: it != before[active.name])
        cut.resume()

    cut.pause()
    with in_background(resume):
        run = stage.run(wait_timeout="30s")
    assert_no_lie(stage, run.result)
    row = nodes_of(run.result)[cut.name]
    reloaded = stage.processes()[cut.name] != before[cut.name]
    assert (row["ok"], reloaded) == (release.spreads, release.spreads)
    assert run.result.failed is not release.spreads
    if not release.spreads:
        assert "was not reloaded: " in row["error"]


@contextlib.contextmanager
def in_background(work: t.Callable[[], None]) -> t.Iterator[threading.Thread]:
    """Do ``work`` in a thread for the length of a ``with`` block, which ends after it."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


@slow
def test_a_plugin_that_hangs_on_a_standby(stage: Stage) -> None:
    cluster = stage.cluster
    hanging = cluster.standbys[0]
    hanging.here(stage.old).fault("sleep 300")
    try:
        run = stage.run(wait_timeout="5s")
        if stage.release.spreads:  # the task ends before the server gives the plugin up
            with pytest.raises(requests.ReadTimeout):
                requests.get(
                    f"{hanging.url}/v1/weather/info",
                    headers={"X-Vault-Token": hanging.token},
                    timeout=1,
                )
    finally:
        hanging.here(stage.old).heal()
        hanging.kill()  # it would hang on for a while
    assert run.result.failed
    assert (run.result["changed"], run.result["verified"]) == (True, False)
    assert f": {hanging.name} (" in run.result.message
    words = "no answer within" if stage.release.spreads else "timeout while waiting for plugin"
    assert words in nodes_of(run.result)[hanging.name]["error"]
    assert nodes_of(run.result)[cluster.active.name]["ok"] is True


@slow
@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_another_node_has_become_active(stage: Stage, seconds: float) -> None:
    cluster = stage.cluster
    before, former = stage.processes(), cluster.active
    former.call("PUT", "sys/step-down")
    time.sleep(seconds)
    # With repeats that outlast any election: a node that has stepped down stays out for 10 s.
    run = stage.run(former, environment={"BAO_MAX_RETRIES": "30"})
    assert not run.result.failed, run.result.message
    assert (run.result["changed"], run.result["verified"]) == (True, True)
    assert nodes_of(run.result)[cluster.active.name]["role"] == "active"
    after = stage.processes()
    assert all(after[name] != before[name] for name in before)


@slow
def test_a_node_that_becomes_a_standby_is_not_one_without_plugins(stage: Stage) -> None:
    """For a second it leaves all to the active node, as one does that runs no plugins."""
    former = stage.cluster.active
    seen: list[NodeState] = []
    with VaultClient(Connection(former.url)) as client:
        client.token = former.token
        node = ha_status.Node(former.url, former.name)
        with (
            Nodes(client, [node], 5.0, "") as nodes,
            in_background(stage.cluster.step_down) as moving,
        ):
            moved = time.monotonic()
            # It is a standby for a second before it answers as one.
            while time.monotonic() < moved + 3.0:
                if moving.is_alive():
                    moved = time.monotonic()
                seen.append(nodes.inspect_node(node, ["weather/"], "", 5.0))
                time.sleep(0.02)
    assert not [state for state in seen if state.forwards]
    assert all("weather/" in state.mounts or state.error for state in seen)
    assert (seen[-1].server.role, seen[-1].error) == ("standby", "")
    assert seen[-1].health["weather/"].alive is True


@slow
@pytest.mark.parametrize("crashes", [False, True])
def test_another_node_becomes_active_during_the_reload(stage: Stage, crashes: bool) -> None:
    cluster = stage.cluster
    former = cluster.active
    before = stage.processes()[former.name]
    assert before is not None
    for node in cluster.nodes:
        node.here(stage.old).fault("sleep 3")

    def leave() -> None:
        cluster.until(lambda: not is_alive(before.pid), "the reload has stopped the plugin")
        if crashes:
            former.kill()
        else:
            former.call("PUT", "sys/step-down")

    with in_background(leave):
        run = stage.run(former, wait_timeout="60s")
    for node in cluster.nodes:
        node.here(stage.old).heal()
    assert set(nodes_of(run.result)) == {"n1", "n2", "n3"}
    if crashes:
        assert run.result.failed
        assert "the outcome of the reload is unknown" in run.result.message
        assert 'unknown whether reloaded: "weather/"' in run.result.message
        assert nodes_of(run.result)[former.name]["ok"] is False
        former.start()
    else:
        assert run.result["changed"] is True
    cluster.await_all()
    assert_no_lie(stage, run.result)
    again = stage.run()
    assert again.result["verified"] is True, again.result.message


def is_alive(pid: int) -> bool:
    """Tell whether a process of this machine runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@slow
def test_a_slow_way_to_a_node(stage: Stage) -> None:
    cluster = stage.cluster
    others = [node.url for node in cluster.nodes if node is not cluster.standbys[0]]
    with delaying_proxy(cluster.standbys[0].url, 0.5) as way:
        before = stage.processes()
        run = stage.run(nodes=[*others, way])
        assert run.result["verified"] is True, run.result.message
        assert nodes_of(run.result)[way.removeprefix("http://")]["ok"] is True
        assert all(stage.processes()[name] != before[name] for name in before)
    with delaying_proxy(cluster.standbys[0].url, 6) as way:
        run = stage.run(nodes=[*others, way], wait_timeout="4s")
    assert run.result.failed
    assert run.result["changed"] is True
    told = nodes_of(run.result)[way.removeprefix("http://")]["error"]
    waited = re.search(r"no answer within ([\d.]+) s", told)
    assert waited, told
    assert 0 < float(waited[1]) <= 4


@slow
def test_the_option_nodes(stage: Stage) -> None:
    cluster = stage.cluster
    urls = [node.url for node in cluster.nodes]
    with running_server() as foreign:
        run = stage.run(nodes=[foreign.url, *urls], wait_timeout="4s")
        assert f"{foreign.url}/v1/sys/plugins/reload" not in run.output
    assert run.result.failed
    assert run.result["changed"] is True
    stranger = nodes_of(run.result)[foreign.url.removeprefix("http://")]
    assert (stranger["ok"], stranger["error"]) == (False, "belongs to another cluster")
    assert [row["ok"] for row in run.result["nodes"]].count(True) == 3
    assert "take it out of nodes, or correct its address" in run.result.message

    run = stage.run(nodes=[*urls, NOBODY], wait_timeout="4s")
    assert run.result.failed
    assert f"({NOBODY}): " in run.result.message
    assert "cannot connect" in run.result.message

    run = stage.run(nodes=[f"{urls[0]}/", urls[0], urls[1]])
    assert not run.result.failed, run.result.message
    assert {name: row["ok"] for name, row in nodes_of(run.result).items()} == {
        "n1": True,
        "n2": True,
        "n3": None,
    }
    assert run.result["verified"] is False
    assert "the option nodes leaves out n3: nothing is verified of it" in run.output

    run = stage.run(nodes=["n1"])
    assert run.result.failed
    assert run.result["changed"] is False
    assert run.result.message.startswith('nodes "n1" is not the address of a server')


@slow
def test_what_the_token_may(stage: Stage, subtests: pytest.Subtests) -> None:
    spreads = stage.release.spreads
    rules = POLICY.read_text(encoding="utf-8")
    raft = 'path "sys/storage/raft/configuration"'
    ha_status = 'path "sys/ha-status"'
    policies = {
        "all": rules,
        "no names": rules.replace(raft, 'path "a"'),
        # All nodes have one host here, so their addresses cannot be guessed.
        "names only": rules.replace(ha_status, 'path "a"'),
        "neither": rules.replace(raft, 'path "a"').replace(ha_status, 'path "b"'),
    }
    for name, policy in policies.items():
        before = stage.processes()
        run = stage.run(token=stage.cluster.new_token(policy))
        with subtests.test(name):
            if name in ("all", "no names"):
                assert not run.result.failed, run.result.message
                assert run.result["verified"] is True
                assert {row["address"] for row in run.result["nodes"]} == {
                    node.url for node in stage.cluster.nodes
                }
                continue
            assert "the nodes of the cluster are not known" in run.output
            assert "the capability read on sys/ha-status" in run.output
            assert run.result.failed is not spreads
            assert run.result["changed"] is spreads
            assert not run.result.result.get("verified")
            if not spreads:
                assert "nothing was reloaded" in run.result.message
                assert stage.processes() == before


@slow
def test_a_token_that_a_standby_does_not_take(stage: Stage) -> None:
    cluster, spreads = stage.cluster, stage.release.spreads
    body = {"policies": ["root"], "num_uses": 1000}
    made = cluster.active.request("POST", "auth/token/create", body).json()
    cluster.settle()
    before = stage.processes()
    run = stage.run(token=made["auth"]["client_token"], wait_timeout="4s")
    assert run.result.failed
    for node in cluster.standbys:
        row = nodes_of(run.result)[node.name]
        assert row["ok"] is False
        assert "leaves this token to the active node" in row["error"]
        assert (stage.processes()[node.name] != before[node.name]) is spreads
    assert "a limited number of uses" in run.result.message


@slow
def test_a_token_that_is_used_up_on_the_way(stage: Stage, subtests: pytest.Subtests) -> None:
    """Whichever node is asked then: it is the token that ended, and no rights are missing."""
    active = stage.cluster.active
    told = []
    for uses in (1, 3, 5, 6, 7, 8, 9, 10):
        body = {"policies": ["root"], "num_uses": uses}
        made = active.request("POST", "auth/token/create", body).json()
        stage.cluster.settle()
        given = {"url": active.url, "token": made["auth"]["client_token"], "scope": "global"}
        options = {**given, "plugin": "weather", "wait_timeout": "3s"}
        result = run_task("plugin_reload", options, False, proxy="", token="")
        told.append(json.dumps(result))
        with subtests.test(uses=uses):
            assert "ACL" not in told[-1]
            assert "see why the node cannot be asked" not in told[-1]
    assert any(
        "the server does not accept the token (from the option token)" in each for each in told
    )


@slow
def test_a_login(stage: Stage, subtests: pytest.Subtests) -> None:
    cluster = stage.cluster
    login = logins.userpass(cluster.active)
    rules = POLICY.read_text(encoding="utf-8")
    cluster.active.call("PUT", "sys/policies/acl/logins", {"policy": rules})
    cluster.settle()
    for door in (cluster.active, cluster.standbys[0]):
        for mode in ("auto", "login"):
            with subtests.test(f"{mode} through the {door.role}"):
                before = stage.processes()
                run = stage.run(door, auth_mode=mode, **login)
                assert not run.result.failed, run.result.message
                assert run.result["verified"] is True
                after = stage.processes()
                assert all(after[name] != before[name] for name in before)
    run = stage.run(auth_mode="inline", **login)
    assert run.result.failed
    assert run.result["changed"] is False
    assert "auth_mode=inline has no token" in run.result.message


@slow
def test_without_waiting(stage: Stage) -> None:
    cluster, release = stage.cluster, stage.release
    active = cluster.active
    before = stage.processes()
    run = stage.run(wait=False)
    assert not run.result.failed
    assert (run.result["changed"], run.result["verified"]) == (True, False)
    assert "nodes" not in run.result.result
    assert ("ignores scope=global" in run.output) is not release.spreads
    for node in cluster.standbys:
        if release.spreads:
            stage.await_process(node, lambda it: it not in (None, *before.values()))
        else:
            assert process(node) == before[node.name]
    assert process(active) != before[active.name]


def test_to_wait_is_to_look(tmp_path: pathlib.Path) -> None:
    run = Ansible(tmp_path).adhoc(MODULE, f"plugin=a url={NOBODY} verify=no wait=yes token=a-token")
    assert run.result.failed
    assert "wait=true has to inspect the nodes, which verify=false forbids" in run.result.message


@slow
def test_an_auth_mount_in_a_namespace(stage: Stage) -> None:
    cluster = stage.cluster
    cluster.active.call("POST", "sys/namespaces/team")
    cluster.plugin(name="login", kind="auth")
    cluster.mount("login", "login", kind="auth", namespace="team")
    cluster.mount("here", "weather", namespace="team", version="v1.0.0")

    def pids() -> list[int]:
        paths = ("auth/login", "here")
        return [
            node.info(path, namespace="team")["pid"] for node in cluster.nodes for path in paths
        ]

    before = pids()
    run = Ansible(stage.directory, cluster.active).adhoc(
        MODULE, "mounts=here,auth/login scope=global namespace=team"
    )
    assert not run.result.failed, run.result.message
    assert run.result["verified"] is True
    assert set(pids()).isdisjoint(before)
    for row in run.result["nodes"]:
        assert [mount["path"] for mount in row["mounts"]] == ["here/", "auth/login/"]


@slow
def test_a_probe_on_each_node(cluster: Cluster) -> None:
    cluster.plugin("v1.0.0")
    cluster.mount("a", "ext", version="v1.0.0")
    common = {"url": cluster.active.url, "mounts": ["a"], "scope": "global", "wait_timeout": "20s"}

    def reload(**options: t.Any) -> dict[str, t.Any]:
        return run_task(
            "plugin_reload", {**common, **options}, False, proxy="", token=cluster.token
        )

    served = reload(probe="info")
    assert served["verified"], served
    wrong = reload(probe="nowhere")
    assert wrong["changed"]
    assert not wrong["verified"]
    assert "1 of 1 mounts answer, but not the probe" in wrong["msg"]
    assert "down" not in wrong["msg"]
    current = reload(probe="nowhere", state="current")
    assert not current.get("failed")
    assert (current["changed"], current["verified"]) == (False, False)
    for result, ok in ((served, True), (wrong, False), (current, None)):
        rows = {node["name"]: node for node in result["nodes"] if node["mounts"]}
        assert len(rows) == 3
        assert {row["ok"] for row in rows.values()} == {ok}
        assert all(row["mounts"][0]["alive"] for row in rows.values())
        told = [row["error"] or "" for row in rows.values()]
        assert all(("not the probe" in error) == (ok is not True) for error in told)


@slow
def test_where_standbys_run_no_plugins(tmp_path: pathlib.Path) -> None:
    with running_cluster(standby_reads=False) as cluster:
        stage = arranged(cluster, tmp_path)
        cluster.tune_version("weather", "v1.1.0")
        run = stage.run(cluster.standbys[0])
        assert not run.result.failed, run.result.message
        assert (run.result["changed"], run.result["verified"]) == (True, True)
        assert {runs and runs.version for runs in stage.processes().values()} == {"v1.1.0"}
        for name, row in nodes_of(run.result).items():
            assert (row["ok"], bool(row["mounts"])) == (True, name == cluster.active.name)
        assert f"+weather/ weather v1.1.0 {stage.new.sha256[:8]}\n" in run.stdout
        again = stage.run(state="current")
        assert (again.result["changed"], again.result["verified"]) == (False, True)
