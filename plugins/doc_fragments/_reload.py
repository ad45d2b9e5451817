# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module that reloads: on which nodes, and what proves it."""

from __future__ import annotations


class ModuleDocFragment:
    """Documents what plugin_reload and plugin_upgrade share."""

    DOCUMENTATION = r"""
options:
  scope:
    description:
      - V(local) reloads on the node that answers only.
      - V(global) reloads on all nodes of the cluster, and proves it of each (see O(wait)). What the
        server does with it depends on the server; the module finds that out and acts by it.
      - OpenBao from 2.7.2 on and Vault Enterprise spread the reload themselves. OpenBao from 2.5 to
        2.7.1 ignores V(global), so each node is asked to reload itself, the active one first, and
        none after one that fails. Elsewhere only the active node runs plugins.
    type: str
    choices: [local, global]
    default: local
  wait:
    description:
      - With O(scope=global), whether to ask each node, directly, until it runs what it should and
        its mounts answer. The task fails if a node does not within O(wait_timeout), and names it.
      - On Vault Enterprise the nodes' own reports are waited for instead.
      - If not given, it is V(true), unless M(vaultops.vault.plugin_reload) is told not to look by
        O(vaultops.vault.plugin_reload#module:verify=false). Without it, nothing is known of the
        other nodes of a cluster.
      - Has no effect with O(scope=local).
    type: bool
  wait_timeout:
    description:
      - How long to wait for the nodes after the server's answer to the reload, in seconds or as a
        duration such as V(2m). A plugin that hangs at its start takes the server 120 seconds.
    type: str
    default: "60"
  wait_interval:
    description:
      - How long to pause between two questions to a node, in seconds or as a duration.
    type: str
    default: "0.5"
  nodes:
    description:
      - URLs of all nodes of the cluster, for where the addresses that they advertise cannot be
        reached from the host that runs the task. TLS, proxies and namespace are those of O(url).
      - If not given, the cluster names its nodes, which needs C(read) on C(sys/ha-status). With
        C(read) on C(sys/storage/raft/configuration) too, a node that is down is known as missing.
    type: list
    elements: str
    default: []
  probe:
    description:
      - What each reloaded external plugin is asked after the reload, to prove that it serves.
      - V(true) asks for the path help of the mount, which any valid token may read.
      - V(false) asks nothing.
      - Anything else is a path below the mount that is read, such as V(config). The token needs
        the capability C(read) there. Use it if only a request that reaches the plugin's storage
        or its backend proves that it works.
    type: str
    default: "true"
  reload_timeout:
    description:
      - How long to wait for the answer to the reload, in seconds or as a duration such as V(90s).
      - If not given, the module waits as long as the server may need, 130 seconds for each mount.
      - B(Warning:) the server cancels a reload when its client hangs up, and a mount that it has
        stopped by then stays down until a reload of it succeeds. Set this only if your plugins
        start faster than that for certain.
    type: str
"""
