# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook plugin_report shows: one row for each mount of all clusters."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plugin_report
short_description: Rows of a report from results of plugin_info
version_added: 0.1.0
author:
  - the vaultops.vault authors (@vaultops)
description:
  - Makes the rows of the playbook C(vaultops.vault.plugin_report). One row for each mount, and one
    for each plugin that is registered and not mounted.
options:
  _input:
    description:
      - One item for each cluster, with the variables that the playbook sets for it.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what needs attention
  ansible.builtin.debug:
    msg: "{{ (hosts | vaultops.vault.plugin_report).counts }}"
  vars:
    hosts: "{{ groups.plugin_report_hosts | map('extract', hostvars) }}"
"""

RETURN = r"""
_value:
  description: The lists C(clusters) and C(rows), and C(counts).
  type: dict
"""

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._text import shown_url

# The worst first.
_STATES = ("dead", "drift", "unknown", "ok", "not mounted")

Row = t.Dict[str, t.Any]


def report(hosts: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Return clusters, rows and counts, the rows that need attention first."""
    clusters: list[Row] = []
    rows: list[Row] = []
    for host in hosts:
        about = _cluster(host.get("plugin_report_cluster") or {}, host["plugin_report_info"])
        asked = (host.get("plugin_report_each") or {}).get("results") or []
        found = _rows(host["plugin_report_info"], _nodes(asked), _not_asked(asked))
        clusters.append(about)
        rows += [{"cluster": about["name"], **row} for row in found]
    rows.sort(key=lambda row: (_STATES.index(row["state"]), row["cluster"], row["mount"] or ""))
    return {"clusters": clusters, "rows": rows, "counts": _counts(clusters, rows)}


def _counts(clusters: list[Row], rows: list[Row]) -> dict[str, int]:
    mounts = [row for row in rows if row["mount"]]
    return {
        "clusters": len(clusters),
        "unreachable": len([about for about in clusters if about["error"]]),
        "plugins": len({(row["cluster"], row["type"], row["plugin"]) for row in rows}),
        "mounts": len(mounts),
        **{state: len([row for row in mounts if row["state"] == state]) for state in _STATES[:4]},
    }


def _cluster(cluster: t.Mapping[str, t.Any], info: t.Mapping[str, t.Any]) -> Row:
    url = shown_url(str(cluster.get("url") or ""))
    failed = info.get("plugins") is None
    return {
        "name": str(cluster.get("name") or url or "default"),
        "url": url,
        "error": str(info.get("msg") or "it was not asked") if failed else None,
        "warnings": [str(warning) for warning in info.get("warnings") or []],
    }


def _rows(
    info: t.Mapping[str, t.Any], nodes: t.Mapping[str, list[Row]], not_asked: t.Mapping[str, str]
) -> t.Iterator[Row]:
    for plugin in info.get("plugins") or []:
        about = {
            "type": plugin["type"],
            "plugin": plugin["name"],
            "registered": [version["version"] for version in plugin["versions"] or []],
            "pin": plugin["pin"],
        }
        if plugin["mounts"] == []:
            yield {**about, **_NOT_MOUNTED}
        for mount in plugin["mounts"] or []:
            row = _of_mount(mount, nodes.get(mount["path"], []))
            if row["state"] == "ok" and plugin["name"] in not_asked:
                row.update(state="unknown", reason=not_asked[plugin["name"]])
            yield {**about, **row}


_NOT_MOUNTED: Row = {
    "mount": None,
    "configured": None,
    "expected": None,
    "running": None,
    "sha256": None,
    "state": "not mounted",
    "reason": None,
    "nodes": [],
}


def _of_mount(mount: t.Mapping[str, t.Any], nodes: list[Row]) -> Row:
    expected = mount["expected"]
    running = mount["running"]
    state, reason = _state(mount)
    if state in ("ok", "unknown"):
        state, reason = _of_nodes(nodes, expected, state, reason)
    return {
        "mount": mount["path"],
        "configured": mount["configured"]["version"] or None,
        "expected": _version(expected),
        "running": _version(running),
        "sha256": running["sha256"] or None,
        "state": state,
        "reason": reason,
        "nodes": nodes,
    }


def _state(mount: t.Mapping[str, t.Any]) -> tuple[str, str | None]:
    if mount.get("alive") is False:
        return "dead", str(mount.get("error") or "the plugin does not answer")
    if mount["current"] is False:
        return "drift", f"expected {_version(mount['expected'])}, runs {_version(mount['running'])}"
    if mount["current"] is None or mount.get("alive", True) is None:
        return "unknown", str(mount.get("error") or "what it should run is not known")
    return "ok", None


def _of_nodes(
    nodes: list[Row], expected: t.Mapping[str, str] | None, state: str, reason: str | None
) -> tuple[str, str | None]:
    """Return the state where a node is worse than the one that answered."""
    dead = [node for node in nodes if node["alive"] is False]
    if dead:
        return "dead", f"on {dead[0]['name']}: {dead[0]['error']}"
    others = [
        node for node in nodes if expected and node["sha256"] not in (None, expected["sha256"])
    ]
    if others:
        return "drift", f"on {others[0]['name']}: runs {others[0]['running']}"
    unknown = [node for node in nodes if node["error"]]
    if unknown and state == "ok":
        return "unknown", f"on {unknown[0]['name']}: {unknown[0]['error']}"
    return state, reason


def _nodes(results: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, list[Row]]:
    """Return what each node runs, by the path of the mount."""
    found: dict[str, list[Row]] = {}
    for result in results:
        for node in result.get("nodes") or []:
            for mount in node["mounts"] or _unknown_mounts(result, node):
                found.setdefault(mount["path"], []).append(_of_node(node, mount))
    return found


def _unknown_mounts(result: t.Mapping[str, t.Any], node: t.Mapping[str, t.Any]) -> list[Row]:
    """Return the mounts of a node that could not be asked, none of one that runs no plugins."""
    unknown = {"before": None, "alive": None, "error": node["error"]}
    return [{"path": mount["path"], **unknown} for mount in result["mounts"] if node["error"]]


def _of_node(node: t.Mapping[str, t.Any], mount: t.Mapping[str, t.Any]) -> Row:
    before = mount["before"] or {}
    return {
        "name": node["name"],
        "role": node["role"],
        "running": _version(before),
        "sha256": before.get("sha256") or None,
        "alive": mount["alive"],
        "error": mount["error"],
    }


def _not_asked(results: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, str]:
    """Return why the nodes could not be asked about a plugin, by its name."""
    return {
        str(result["item"]): f"the nodes were not asked: {result['msg']}"
        for result in results
        if result.get("msg") and not result.get("nodes")
    }


def _version(running: t.Mapping[str, str] | None) -> str | None:
    """Return the version; one without a version is known by its sha256."""
    if running is None:
        return None
    return running.get("version") or (running.get("sha256") or "")[:8] or None


class FilterModule:
    """The filter plugin."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by their names."""
        return {"plugin_report": report}
