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
    for each plugin that is registered and not mounted, or whose mounts are not known. A cluster of
    which something else may not be read, and that has no row that says so, gets one of its own.
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

import re
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._text import shown_url

# The worst first.
_STATES = ("dead", "drift", "unknown", "ok", "not mounted")
# A warning of plugin_info about something that the report shows: it has nothing of the runtimes.
_UNREAD = re.compile(r"permission denied(?!.* \S*/sys/plugins/runtimes/)")
_READ_IN = {"secret": "sys/mounts", "auth": "sys/auth"}
_ELSEWHERE = "no mount of this namespace runs it; other namespaces are not read"
_NO_MOUNTS = "a database plugin has connections, no mounts: the report does not read them"
# Where a server has other nodes, and does not let the token see which.
_NO_NODES = "they are not known"

Row = t.Dict[str, t.Any]


def report(hosts: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Return clusters, rows and counts, the rows that need attention first."""
    clusters: list[Row] = []
    rows: list[Row] = []
    hosts = list(hosts)
    given = [host.get("plugin_report_cluster") or {} for host in hosts]
    for host, cluster, name in zip(hosts, given, _names(given)):
        info = host.get("plugin_report_info") or {}
        about = _cluster(name, cluster, info)
        asked = (host.get("plugin_report_each") or {}).get("results") or []
        found = list(_rows(info, _nodes(asked), _not_asked(asked)))
        found += _unread(about, found)
        clusters.append(about)
        which = {"cluster": name, "namespace": about["namespace"]}
        rows += [{**which, **row} for row in found]
    rows.sort(key=_order)
    return {"clusters": clusters, "rows": rows, "counts": _counts(clusters, rows)}


def _order(row: Row) -> tuple[t.Any, ...]:
    return _STATES.index(row["state"]), row["cluster"], row["mount"] or "", row["plugin"] or ""


def _counts(clusters: list[Row], rows: list[Row]) -> dict[str, int]:
    mounts = [row for row in rows if row["mount"]]
    return {
        "clusters": len(clusters),
        "unreachable": len([about for about in clusters if about["error"]]),
        "plugins": len({(r["cluster"], r["type"], r["plugin"]) for r in rows if r["plugin"]}),
        "mounts": len(mounts),
        # What is not known may have no mount.
        **{state: len([row for row in rows if row["state"] == state]) for state in _STATES[:4]},
    }


def _names(clusters: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Return a name of its own for each cluster: those of one name have a number, too."""
    names = [_name(cluster) for cluster in clusters]
    taken = {name for name in names if names.count(name) == 1}
    for index, name in enumerate(names):
        if name in taken:
            continue
        numbered = f"{name} #{index + 1}"
        while numbered in taken:
            numbered += f" #{index + 1}"
        taken.add(numbered)
        names[index] = numbered
    return names


def _name(cluster: t.Mapping[str, t.Any]) -> str:
    name, namespace = _text(cluster, "name"), _namespace(cluster)
    if not name or ("://" in name and "@" in name):
        name = shown_url(name or _text(cluster, "url")) or "default"
    return f"{name} (namespace {namespace})" if namespace else name


def _namespace(cluster: t.Mapping[str, t.Any]) -> str:
    return _text(cluster, "namespace").strip("/")


def _text(cluster: t.Mapping[str, t.Any], option: str) -> str:
    value = cluster.get(option)
    return "" if value is None else str(value).strip()


def _cluster(name: str, cluster: t.Mapping[str, t.Any], info: t.Mapping[str, t.Any]) -> Row:
    failed = info.get("plugins") is None
    return {
        "name": name,
        "url": shown_url(_text(cluster, "url")),
        "namespace": _namespace(cluster),
        "error": str(info.get("msg") or "it was not asked") if failed else None,
        "warnings": [str(warning) for warning in info.get("warnings") or []],
    }


def _rows(
    info: t.Mapping[str, t.Any], nodes: t.Mapping[str, list[Row]], not_asked: t.Mapping[str, str]
) -> t.Iterator[Row]:
    for plugin in info.get("plugins") or []:
        versions = plugin["versions"]
        about = {
            "type": plugin["type"],
            "plugin": plugin["name"],
            "registered": None if versions is None else [each["version"] for each in versions],
            "pin": plugin["pin"],
        }
        if not plugin["mounts"]:
            yield {**about, **_NO_MOUNT, **_without_mounts(plugin)}
        for mount in plugin["mounts"] or []:
            row = _of_mount(mount, nodes.get(mount["path"], []))
            if row["state"] == "ok" and plugin["name"] in not_asked:
                row.update(state="unknown", reason=not_asked[plugin["name"]])
            yield {**about, **row}


def _without_mounts(plugin: t.Mapping[str, t.Any]) -> Row:
    """Return the state of a plugin of which no mount is listed."""
    if plugin["type"] not in _READ_IN:
        return {"state": "not mounted", "reason": _NO_MOUNTS}
    if plugin["mounts"] is None:
        reason = f"its mounts are not known: the token may not read {_READ_IN[plugin['type']]}"
        return {"state": "unknown", "reason": reason}
    return {"state": "not mounted", "reason": _ELSEWHERE}


def _unread(about: Row, found: t.Sequence[Row]) -> list[Row]:
    """Return the row of a cluster of which something may not be read, where no other says so."""
    unread = [warning for warning in about["warnings"] if _UNREAD.match(warning)]
    if not unread or any(row["state"] == "unknown" for row in found):
        return []
    of_no_plugin = {"type": None, "plugin": None, "registered": None, "pin": None}
    return [{**of_no_plugin, **_NO_MOUNT, "state": "unknown", "reason": "; ".join(unread)}]


_NO_MOUNT: Row = {
    "mount": None,
    "configured": None,
    "expected": None,
    "running": None,
    "sha256": None,
    "nodes": [],
}


def _of_mount(mount: t.Mapping[str, t.Any], nodes: list[Row]) -> Row:
    expected = mount["expected"]
    running = mount["running"]
    state, reason = _state(mount)
    if state != "dead":
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
        expected = mount["expected"]
        why = f"expected {_version(expected)}" if expected else "nothing to load is registered"
        return "drift", f"{why}, runs {_version(mount['running'])}"
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
    if state == "drift":
        return state, reason
    others = [node for node in nodes if expected and _runs_another(node, expected)]
    if others:
        return "drift", f"on {others[0]['name']}: runs {others[0]['running']}"
    unknown = [node for node in nodes if node["alive"] is None or node["error"]]
    if unknown and state == "ok":
        why = unknown[0]["error"] or "it is not known whether the plugin answers"
        return "unknown", f"on {unknown[0]['name']}: {why}"
    return state, reason


def _runs_another(node: Row, expected: t.Mapping[str, str]) -> bool:
    """Tell whether a node is known to run something else; what is builtin has no sha256."""
    runs = (node["running"], node["sha256"])
    return runs not in ((None, None), (_version(expected), expected["sha256"] or None))


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
    why = node["error"]
    if not why and node["role"] is None and len(result["nodes"]) > 1:
        # Vault Enterprise: its nodes report a reload, and nothing before.
        why = "what it runs is not known"
    unknown = {"before": None, "alive": None, "error": why}
    return [{"path": mount["path"], **unknown} for mount in result["mounts"] if why]


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
        str(result["item"]): f"the nodes were not asked: {result.get('msg') or _NO_NODES}"
        for result in results
        if not result.get("nodes") and not result.get("skipped")
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
