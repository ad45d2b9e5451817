# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The in-process front of the module plugin_runtime."""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_runtime
from ansible_collections.vaultops.vault.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    """Runs the operation of plugin_runtime in Ansible's worker."""

    operation = plugin_runtime
