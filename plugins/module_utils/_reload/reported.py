# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reload that each node of Vault Enterprise reports, under the id of the reload."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.ha_status import Node
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import read_reports
from ansible_collections.vaultops.vault.plugins.module_utils._errors import VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.answering_node import (
    reload_on_answering_node,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import (
    ReloadOptions,
    Wait,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import Expected
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import (
    NodeResult,
    ReloadResult,
    node_error,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.verification import (
    FIX_PLUGIN_ON_NODE,
)

_NO_REPORT = "has not reported the reload"
_NO_REPORT_STEP = "check the health of that node, give wait_timeout more, then run the task again"


def reload_with_reports(
    client: VaultClient,
    options: ReloadOptions,
    expected: Expected,
    check_mode: bool,
    nodes: t.Sequence[Node],
    wait: Wait,
) -> ReloadResult:
    """Reload, and wait for the reports of ``nodes``; raises VaultError where nothing was sent."""
    result = reload_on_answering_node(client, options, expected, check_mode)
    if result.error is not None:
        return result
    if not result.reload_id:
        # No node had to reload, so none reports: nothing is known of the others.
        rows = [NodeResult(node) for node in nodes]
        return result._replace(nodes=rows, verified=result.verified and check_mode)
    try:
        rows = wait_for_reports(client, result.reload_id, nodes, wait)
    except VaultError as error:
        failure = error.with_context(
            f"the server reloaded, but the reports of its nodes cannot be read: {error.what}"
        )
        return result._replace(verified=False, error=failure)
    return result._replace(
        nodes=rows,
        verified=result.verified and bool(nodes) and all(row.ok for row in rows),
        error=node_error(rows),
    )


def wait_for_reports(
    client: VaultClient, reload_id: str, nodes: t.Sequence[Node], wait: Wait
) -> list[NodeResult]:
    """Ask until each of ``nodes`` has reported the reload, or ``wait`` is over; raises VaultError.

    The server lists only the nodes that are done.
    """
    since = time.monotonic()
    count = -1
    while True:
        reports = read_reports(client, reload_id)
        if len(reports) != count:
            count = len(reports)
            client.progress(f"node {count}/{len(nodes)} has reported the reload")
        if count >= len(nodes) or time.monotonic() - since >= wait.timeout:
            return _node_results(reports, nodes)
        time.sleep(wait.pause(time.monotonic() - since))


def _node_results(reports: t.Mapping[str, str], nodes: t.Sequence[Node]) -> list[NodeResult]:
    known = {name: node for node in nodes for name in (node.name, node.address)}
    found = [
        NodeResult(
            known.get(name) or Node("", name),
            ok=not error,
            error=error or None,
            next_step=FIX_PLUGIN_ON_NODE if error else "",
        )
        for name, error in reports.items()
    ]
    done = {row.node for row in found}
    late = [node for node in nodes if node not in done]
    # A report under a name that no list of nodes has is that of one of those.
    unknown = sum(row.node not in nodes for row in found)
    if unknown and late:
        names, count = ", ".join(node.name for node in late), len(late) - unknown
        late = [Node("", f"{count} of {names}")] if count > 0 else []
    return found + [
        NodeResult(node, ok=False, error=_NO_REPORT, next_step=_NO_REPORT_STEP) for node in late
    ]
