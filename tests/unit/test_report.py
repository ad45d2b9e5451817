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


def host(
    mount: dict[str, t.Any] | None = None,
    nodes: t.Sequence[dict[str, t.Any]] = (),
    asked: str = "",
    **cluster: t.Any,
) -> dict[str, t.Any]:
    """Return the variables of a cluster with one mount, where no ``mount`` says else as it is."""
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
    return {"name": name, "role": "", "error": error, "mounts": []}


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
        (host(nodes=[node("n1", None)]), "ok", None),
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


def test_a_plugin_without_mounts_and_one_whose_mounts_may_not_be_read() -> None:
    for mounts, states in (([], ["not mounted"]), (None, [])):
        cluster = host()
        cluster["plugin_report_info"]["plugins"][0]["mounts"] = mounts
        assert [row["state"] for row in report([cluster])["rows"]] == states


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
