# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the report, and the folder of the playbook that was started."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible import context

from ansible_collections.vaultops.vault.plugins.filter.plugin_report import FilterModule
from ansible_collections.vaultops.vault.plugins.lookup.started_playbook_dir import LookupModule

report = FilterModule().filters()["plugin_report"]
OLD = {"version": "v1.0.0", "sha256": "0" * 64}
NEW = {"version": "v1.1.0", "sha256": "1" * 64}
# The same version, of another file.
REBUILT = {"version": "v1.1.0", "sha256": "2" * 64}
BUILTIN = {"version": "v1.1.0+builtin", "sha256": ""}


def host(
    mount: dict[str, t.Any] | None = None,
    nodes: t.Sequence[dict[str, t.Any]] | None = None,
    asked: str = "",
    **cluster: t.Any,
) -> dict[str, t.Any]:
    """Return the variables of a cluster with one mount, where no ``mount`` says else as it is.

    Without ``nodes`` it has one; ``asked`` is why none could be asked.
    """
    row = {
        "path": "weather/",
        "configured": {"version": "v1.1.0"},
        "expected": NEW,
        "running": NEW,
        "current": True,
        "alive": True,
        "error": None,
        **(mount or {}),
    }
    plugin = {
        "type": "secret",
        "name": "weather",
        "versions": [{**OLD, "builtin": False}, {**NEW, "builtin": False}],
        "pin": None,
        "mounts": [row],
    }
    if nodes is None:
        nodes = [] if asked else [node("n1", NEW)]
    told = {"item": "weather", "nodes": list(nodes), "mounts": [row], "msg": asked}
    each = {"results": [told, {"skipped": True}]}
    return {
        "plugin_report_cluster": cluster,
        "plugin_report_info": {"plugins": [plugin], "warnings": []},
        "plugin_report_each": each,
    }


def node(
    name: str, before: dict[str, str] | None, error: str | None = None, alive: bool | None = True
) -> dict[str, t.Any]:
    """Return the row of a node."""
    mount = {"path": "weather/", "before": before, "alive": alive, "error": error}
    return {"name": name, "role": "standby", "error": None, "mounts": [mount]}


def silent_node(name: str, error: str | None) -> dict[str, t.Any]:
    """Return the row of a node that could not be asked, without ``error`` of one that forwards."""
    return {"name": name, "role": "standby", "error": error, "mounts": []}


def node_of_enterprise(name: str) -> dict[str, t.Any]:
    """Return the row of a node that reports a reload, and is not asked before."""
    return {"name": name, "role": None, "error": None, "mounts": []}


@pytest.mark.parametrize(
    ("cluster", "state", "reason"),
    [
        (host(), "ok", None),
        (host({"alive": False, "error": "no process"}), "dead", "no process"),
        (host({"current": False, "running": OLD}), "drift", "expected v1.1.0, runs v1.0.0"),
        (host({"current": None, "expected": None}), "unknown", "what it should run is not known"),
        (host({"alive": None, "error": "permission denied"}), "unknown", "permission denied"),
        (host(nodes=[node("n1", NEW), node("n2", NEW)]), "ok", None),
        (host(nodes=[node("n1", NEW), node("n2", OLD)]), "drift", "on n2: runs v1.0.0"),
        (host(nodes=[node("n1", NEW), node("n2", REBUILT)]), "drift", "on n2: runs v1.1.0"),
        (
            host(nodes=[node("n1", OLD), node("n2", NEW, "gone", alive=False)]),
            "dead",
            "on n2: gone",
        ),
        (host(nodes=[node("n1", None, "not known", alive=None)]), "unknown", "on n1: not known"),
        (
            host(nodes=[node("n1", NEW), silent_node("n2", "no answer")]),
            "unknown",
            "on n2: no answer",
        ),
        (host(nodes=[node("n1", NEW), silent_node("n2", None)]), "ok", None),
        (host(asked="denied"), "unknown", "the nodes were not asked: denied"),
        (host(nodes=[]), "unknown", "the nodes were not asked: they are not known"),
        (host(nodes=[node("n1", None)]), "ok", None),
        (
            host(nodes=[node("n1", NEW), node("n2", NEW, alive=None)]),
            "unknown",
            "on n2: it is not known whether the plugin answers",
        ),
        (
            host(nodes=[node_of_enterprise("n1"), node_of_enterprise("n2")]),
            "unknown",
            "on n1: what it runs is not known",
        ),
        (host(nodes=[node_of_enterprise("n1")]), "ok", None),
        (
            host({"expected": None, "current": False}),
            "drift",
            "nothing to load is registered, runs v1.1.0",
        ),
        # What is builtin has no sha256.
        (host(nodes=[node("n1", NEW), node("n2", BUILTIN)]), "drift", "on n2: runs v1.1.0+builtin"),
        (host({"expected": BUILTIN}, nodes=[node("n1", BUILTIN)]), "ok", None),
        (
            host({"current": False, "running": OLD}, nodes=[node("n2", NEW, "gone", alive=False)]),
            "dead",
            "on n2: gone",
        ),
    ],
)
def test_states(cluster: dict[str, t.Any], state: str, reason: str | None) -> None:
    (row,) = report([cluster])["rows"]
    assert (row["state"], row["reason"]) == (state, reason)


def test_clusters() -> None:
    refused = {"plugin_report_info": {"msg": "permission denied"}, "plugin_report_cluster": {}}
    hidden = host(url="https://me:a-password@vault:8200")
    found = report([refused, hidden, host(name="prod", token="a-token")])
    assert [about["name"] for about in found["clusters"]] == [
        "default",
        "https://vault:8200",
        "prod",
    ]
    assert [about["error"] for about in found["clusters"]] == ["permission denied", None, None]
    assert "a-password" not in str(found)
    assert "a-token" not in str(found)
    assert (found["counts"]["unreachable"], found["counts"]["ok"]) == (1, 2)


@pytest.mark.parametrize(
    ("kind", "mounts", "state", "reason"),
    [
        (
            "secret",
            [],
            "not mounted",
            "no mount of this namespace runs it; other namespaces are not read",
        ),
        ("auth", None, "unknown", "its mounts are not known: the token may not read sys/auth"),
        ("secret", None, "unknown", "its mounts are not known: the token may not read sys/mounts"),
        (
            "database",
            None,
            "not mounted",
            "a database plugin has connections, no mounts: the report does not read them",
        ),
    ],
)
def test_a_plugin_without_mounts_and_one_whose_mounts_may_not_be_read(
    kind: str, mounts: list[t.Any] | None, state: str, reason: str | None
) -> None:
    cluster = host()
    cluster["plugin_report_info"]["plugins"][0].update(mounts=mounts, type=kind)
    found = report([cluster])
    (row,) = found["rows"]
    assert (row["plugin"], row["mount"], row["registered"]) == (
        "weather",
        None,
        ["v1.0.0", "v1.1.0"],
    )
    assert (row["state"], row["reason"]) == (state, reason)
    counts = found["counts"]
    assert (counts["unknown"], counts["mounts"], counts["plugins"]) == (state == "unknown", 0, 1)


CATALOG, MOUNTS, RUNTIMES = (
    f"permission denied: 403 from GET https://vault:8200/v1/{path}: what depends on it is null"
    for path in ("sys/plugins/catalog", "sys/mounts", "sys/plugins/runtimes/catalog")
)
PINS = "permission denied reading sys/plugins/pins: pins, and what mounts are expected to run, ..."


@pytest.mark.parametrize(
    ("warnings", "reason"),
    [
        ([CATALOG], CATALOG),
        ([CATALOG, MOUNTS, RUNTIMES], f"{CATALOG}; {MOUNTS}"),
        ([PINS], PINS),
        # The report shows nothing of the runtimes.
        ([RUNTIMES], None),
        (['down: "weather/": no process'], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("plugins", [[], host()["plugin_report_info"]["plugins"]])
def test_a_cluster_of_which_something_may_not_be_read(
    plugins: list[dict[str, t.Any]], warnings: list[str], reason: str | None
) -> None:
    """It is a row, also where all that may be read is fine, and where that is nothing."""
    cluster = {**host(), "plugin_report_info": {"plugins": plugins, "warnings": warnings}}
    found = report([cluster])
    rows = [row for row in found["rows"] if row["state"] == "unknown"]
    expected = [] if reason is None else [("default", None, None, None, reason)]
    names = ("cluster", "plugin", "mount", "registered", "reason")
    assert [tuple(row[name] for name in names) for row in rows] == expected
    assert found["counts"]["unknown"] == len(expected)
    assert found["counts"]["plugins"] == len(plugins)


def test_a_row_that_is_not_known_says_it_for_the_cluster() -> None:
    cluster = host({"current": None, "expected": None})
    plugin = cluster["plugin_report_info"]["plugins"][0]
    plugin["versions"] = None
    cluster["plugin_report_info"]["warnings"] = [CATALOG]
    (row,) = report([cluster])["rows"]
    assert (row["state"], row["mount"], row["registered"]) == ("unknown", "weather/", None)


def test_a_cluster_that_was_not_asked() -> None:
    (about,) = report([{"plugin_report_cluster": {"name": "a"}}])["clusters"]
    assert (about["name"], about["error"]) == ("a", "it was not asked")


URL = "https://vault:8200"


@pytest.mark.parametrize(
    ("clusters", "names"),
    [
        ([{}], ["default"]),
        ([{"namespace": "team-a"}], ["default (namespace team-a)"]),
        (
            [{"url": URL}, {"url": URL, "namespace": "a"}, {"url": URL, "namespace": "b/c/"}],
            [URL, f"{URL} (namespace a)", f"{URL} (namespace b/c)"],
        ),
        (
            [{"name": "x", "url": URL, "namespace": name} for name in ("a", "b")],
            ["x (namespace a)", "x (namespace b)"],
        ),
        # The same address with two tokens; the same name of two addresses.
        ([{"url": URL, "token": "1"}, {"url": URL, "token": "2"}], [f"{URL} #1", f"{URL} #2"]),
        ([{"name": "x"}, {"name": "y"}, {"name": "x"}], ["x #1", "y", "x #3"]),
        ([{"name": "x #3"}, {"name": "x"}, {"name": "x"}], ["x #3", "x #2", "x #3 #3"]),
        ([{"name": "https://me:a-password@vault:8200"}], [URL]),
        ([{"name": " ", "url": f" {URL}"}, {"name": 5, "namespace": None}], [URL, "5"]),
    ],
)
def test_each_cluster_has_a_name_of_its_own(
    clusters: list[dict[str, t.Any]], names: list[str]
) -> None:
    found = report([host(**cluster) for cluster in clusters])
    assert [about["name"] for about in found["clusters"]] == names
    assert {row["cluster"] for row in found["rows"]} == set(names)
    assert found["counts"]["plugins"] == len(clusters)
    given = [str(cluster.get("namespace") or "").strip("/") for cluster in clusters]
    assert [about["namespace"] for about in found["clusters"]] == given
    assert {(row["cluster"], row["namespace"]) for row in found["rows"]} == set(
        zip(names, given, strict=True)
    )


def test_the_folder_of_the_playbook_that_was_started(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plays").mkdir()
    for name in ("plays/a.yml", "b.yml"):
        (tmp_path / name).touch()
    for started, folders in {
        ("plays/a.yml",): [tmp_path / "plays"],
        ("plays/a.yml", "b.yml"): [tmp_path / "plays", tmp_path],
        ("vaultops.vault.plugin_rollout",): [tmp_path],
        "localhost": [tmp_path],
        None: [tmp_path],
    }.items():
        monkeypatch.setattr(context, "CLIARGS", {"args": started})
        assert LookupModule().run([]) == [str(folder) for folder in folders]
