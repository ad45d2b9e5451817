# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a test's cluster as hosts of an inventory."""

from __future__ import annotations

import pathlib
import sys

from .cluster import Cluster


def write_inventory(
    path: pathlib.Path, cluster: Cluster, python: str = sys.executable
) -> pathlib.Path:
    """Write an inventory with the group ``vault``: each node a host with its plugin directory."""
    rows = (
        f"{node.name} ansible_connection=local ansible_python_interpreter={python} "
        f"plugin_rollout_directory={node.plugin_directory}\n"
        for node in cluster.nodes
    )
    path.write_text("[vault]\n" + "".join(rows))
    return path
