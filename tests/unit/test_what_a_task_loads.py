# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module loads of the collection: each file is compiled anew for each task."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

from ansible_collections.vaultops.vault.tests.support.ansible_runs import collection_tree

BASE = "ansible_collections.vaultops.vault.plugins.module_utils"
PROGRAM = f"""
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
importlib.import_module("{BASE}._front.module")
importlib.import_module("{BASE}._operations.plugin_reload")
start = "{BASE}."
print(json.dumps([name[len(start):] for name in sys.modules if name.startswith(start)]))
"""


def test_a_task_loads_what_it_needs(tmp_path: pathlib.Path) -> None:
    """One method of authentication comes when it is chosen; no cluster, no proxy, no failure."""
    command = [sys.executable, "-c", PROGRAM, str(collection_tree(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "_http.client" in loaded
    for name in ("_http.proxies", "_http.transport_errors", "_reload.nodes", "_reload.all_nodes"):
        assert name not in loaded
    assert {name for name in loaded if name.startswith("_auth.")} == {
        "_auth.method",
        "_auth.methods",
        "_auth.options",
        "_auth.session",
    }
