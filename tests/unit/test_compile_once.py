# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module loads of the collection from the zip that Ansible sends, each file once."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t
import zipfile

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY

BASE = "ansible_collections/vaultops/vault/plugins/module_utils"
# Counts the files of the collection that are compiled, by a hook that sees each compilation.
PROGRAM = f"""
import json, sys, traceback
compiled = []
sys.addaudithook(
    lambda event, args: compiled.append(str(args[1]))
    if event == "compile" and "{BASE}" in str(args[1]) else None
)
sys.path.insert(0, sys.argv[1])
import importlib
front = importlib.import_module("{BASE.replace("/", ".")}._front.module")
operation = importlib.import_module("{BASE.replace("/", ".")}._operations.plugin_reload")
from {BASE.replace("/", ".")} import _parsing
try:
    _parsing.parse_duration("never", "timeout")
except Exception:
    shown = traceback.format_exc()
loaded = [name.rpartition("module_utils.")[2] for name in sys.modules if "module_utils._" in name]
print(json.dumps({{"compiled": compiled, "loaded": loaded, "shown": shown}}))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    """What the program prints that imports the module from a zip."""
    path = tmp_path_factory.mktemp("zip") / "payload.zip"
    sources = REPOSITORY / "plugins" / "module_utils"
    with zipfile.ZipFile(path, "w") as archive:
        for package in pathlib.PurePath(BASE).parents:
            if package.name:
                archive.writestr(f"{package}/__init__.py", "")
        archive.writestr(f"{BASE}/__init__.py", "")
        for file in sources.rglob("*.py"):
            archive.write(file, f"{BASE}/{file.relative_to(sources)}")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True
    )
    found: dict[str, t.Any] = json.loads(done.stdout)
    return found


def test_each_file_is_compiled_once(ran: dict[str, t.Any]) -> None:
    # The packages above, and the first two files, are Python's own import's.
    first = ("__init__.py", "_compile_once.py", "_front/module.py")
    own = [name for name in ran["compiled"] if not name.endswith(first)]
    assert len(own) > 30
    assert [name for name in own if own.count(name) > 1] == []


def test_a_traceback_shows_the_source(ran: dict[str, t.Any]) -> None:
    assert "module_utils/_parsing.py" in ran["shown"]
    assert "raise OptionError(" in ran["shown"]


def test_a_task_loads_what_it_needs(ran: dict[str, t.Any]) -> None:
    """One method of authentication comes when it is chosen; no cluster, no proxy, no failure."""
    loaded = set(ran["loaded"])
    assert "_http.client" in loaded
    for name in ("_http.proxies", "_http.transport_errors", "_reload.nodes", "_reload.all_nodes"):
        assert name not in loaded
    assert loaded & {name for name in loaded if name.startswith("_auth.")} == {
        "_auth.method",
        "_auth.methods",
        "_auth.options",
        "_auth.session",
    }
