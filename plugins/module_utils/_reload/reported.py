# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes of Vault Enterprise report of a reload that was spread to them.

API: https://developer.hashicorp.com/vault/docs/commands/plugin/reload-status
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.nodes import Node
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import Wait
from ansible_collections.vaultops.vault.plugins.module_utils._reload.verification import (
    BROKEN,
    NodeVerdict,
)

_PATH = "sys/plugins/reload/backend/status"
_SILENT = "has not reported the reload"
_LATE = "see the health of that node, and give wait_timeout more time; then repeat the task"


def wait_for_reports(
    client: VaultClient, reload_id: str, nodes: t.Sequence[Node], wait: Wait
) -> list[NodeVerdict]:
    """Ask until each of ``nodes`` has reported the reload, or ``wait`` is over; raises VaultError.

    The server lists only the nodes that are done.
    """
    since = time.monotonic()
    count = -1
    while True:
        data = client.request("GET", _PATH, query={"reload_id": reload_id}).data
        reports: dict[str, t.Any] = data.get("results") or {}
        if len(reports) != count:
            count = len(reports)
            client.tell(f"node {count}/{len(nodes)} has reported the reload")
        if count >= len(nodes) or time.monotonic() - since >= wait.timeout:
            return _verdicts(reports, nodes)
        time.sleep(wait.interval)


def _verdicts(reports: dict[str, t.Any], nodes: t.Sequence[Node]) -> list[NodeVerdict]:
    known = {name: node for node in nodes for name in (node.name, node.address)}
    found = [
        _verdict(known.get(name) or Node("", name), str(report.get("error") or ""))
        for name, report in reports.items()
    ]
    heard = {row.node for row in found}
    late = [node for node in nodes if node not in heard]
    # A report under a name that no list of nodes has is that of one of those.
    strangers = sum(row.node not in nodes for row in found)
    if strangers and late:
        names, count = ", ".join(node.name for node in late), len(late) - strangers
        late = [Node("", f"{count} of {names}")] if count > 0 else []
    return found + [NodeVerdict(node, "", False, (), _SILENT, _LATE) for node in late]


def _verdict(node: Node, error: str) -> NodeVerdict:
    return NodeVerdict(node, "", not error, (), error or None, BROKEN if error else "")
