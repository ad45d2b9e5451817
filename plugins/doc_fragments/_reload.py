# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module that reloads: on which nodes, and what verifies it."""

from __future__ import annotations


class ModuleDocFragment:
    """Documents what plugin_reload and plugin_upgrade share."""

    DOCUMENTATION = r"""
options:
  scope:
    description:
      - V(local) reloads only on the node that answers.
      - V(global) reloads on all nodes of the cluster and verifies each of them, see O(wait). The
        module detects what the server supports and acts accordingly.
      - OpenBao from 2.7.2 on and Vault Enterprise spread the reload to all nodes themselves.
        OpenBao from 2.5 to 2.7.1 ignores V(global), so the module tells each node to reload itself,
        the active node first, and stops if a node fails. On all other servers only the active node
        runs plugins.
    type: str
    choices: [local, global]
    default: local
  wait:
    description:
      - With O(scope=global), whether to check each node directly until it runs the expected version
        and its mounts pass the health check. If a node is not ready within O(wait_timeout), the
        task fails and names the node.
      - On Vault Enterprise, the module waits for the nodes' own reports instead.
      - If not given, V(true), unless O(vaultops.vault.plugin_reload#module:verify=false).
      - With V(false), nothing is known about the other nodes of a cluster, and OpenBao from 2.5 to
        2.7.1 reloads only the node that answers.
      - Has no effect with O(scope=local).
    type: bool
  wait_timeout:
    description:
      - Timeout for the nodes, counted from the server's answer to the reload, in seconds or as a
        duration such as V(2m). The server waits 120 seconds for a plugin that hangs
        at startup.
    type: str
    default: "60"
  wait_interval:
    description:
      - Pause between two checks of a node, in seconds or as a duration.
    type: str
    default: "0.5"
  nodes:
    description:
      - URLs of all nodes of the cluster. Set this if the host that runs the task cannot reach the
        addresses that the nodes advertise. List each node's own address, not a load balancer. The
        TLS options, proxies and namespace of O(url) apply to all nodes.
      - If not given, the module asks the cluster for its nodes, which needs C(read) on
        C(sys/ha-status). With C(read) on C(sys/storage/raft/configuration) too, it also detects
        nodes that have been down for a while. Without it, such a node goes unnoticed.
      - If O(url) is an https address, a node that advertises an http address is not asked, because
        the token would go there in clear text. It is reported as not verified. An http address in
        this option is used as it is.
    type: list
    elements: str
    default: []
  probe:
    description:
      - The health check that each external plugin has to pass after the reload.
      - V(true) requests the path help of the mount, which any valid token may read.
      - V(false) skips the health check.
      - Any other value is a path below the mount to read, such as V(config). The token needs the
        capability C(read) there. Use this if only a request that reaches the plugin's storage or
        backend shows that the plugin works.
    type: str
    default: "true"
  reload_timeout:
    description:
      - Timeout for the answer to the reload, in seconds or as a duration such as V(90s).
      - If not given, the module waits as long as the server may need, which is 130 seconds for each
        mount, so up to 43 minutes for 20 mounts.
      - B(Warning:) The server cancels a reload when its client disconnects. A mount that it has
        already stopped then stays down on OpenBao until a reload of it succeeds; on HashiCorp Vault
        until the next request to it. Set this only if the reload is certain to finish in time.
    type: str
"""
