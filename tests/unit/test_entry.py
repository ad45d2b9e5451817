# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module imports out of Ansible's zip is compiled once."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import zipfile
import zipimport

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._front.entry import file_name

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
OURS = pathlib.PurePath("ansible_collections/vaultops/vault/plugins/module_utils")
# How often each file was compiled while a module's imports went on.
PROGRAM = """
import collections, json, sys, zipimport
compile_source, counts = zipimport._compile_source, collections.Counter()
def count(path, source):
    counts[path.rpartition("/module_utils/")[2]] += 1
    return compile_source(path, source)
zipimport._compile_source = count
sys.path.insert(0, sys.argv[1])
from ansible_collections.vaultops.vault.plugins.module_utils._front import entry
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_reload
from ansible_collections.vaultops.vault.plugins.module_utils._front import module
print(json.dumps([counts, plugin_reload.__file__]))
"""


@pytest.fixture(scope="module")
def payload(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A zip with the files of a module, as Ansible makes it."""
    path = tmp_path_factory.mktemp("payload") / "payload.zip"
    sources = sorted((REPOSITORY / "plugins" / "module_utils").rglob("*[!_].py"))
    names = [OURS / file.relative_to(REPOSITORY / "plugins" / "module_utils") for file in sources]
    with zipfile.ZipFile(path, "w") as archive:
        for folder in {folder for name in names for folder in name.parents if folder.name}:
            archive.writestr(f"{folder}/__init__.py", "")
        for file, name in zip(sources, names, strict=True):
            archive.write(file, str(name))
    return path


def test_a_file_is_compiled_once(payload: pathlib.Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(payload)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    counts, file = json.loads(done.stdout)
    assert file == f"{payload}/{OURS}/_operations/plugin_reload.py"
    assert counts.pop("_front/entry.py") == 2  # what Python does by itself
    assert set(counts) > {"_front/module.py", "_operations/plugin_reload.py", "_http/client.py"}
    packages = {name for name in counts if name.endswith("__init__.py")}
    assert {name for name, count in counts.items() if count > 1} <= packages


@pytest.mark.parametrize("name", ["_front", "_front.module", "_errors"])
def test_the_name_is_the_one_that_python_would_find(payload: pathlib.Path, name: str) -> None:
    *packages, _last = name.split(".")
    importer = zipimport.zipimporter(str(payload / OURS.joinpath(*packages)))
    assert file_name(importer, name) == importer.get_filename(name)


def test_a_file_that_is_not_there(payload: pathlib.Path) -> None:
    importer = zipimport.zipimporter(f"{payload}/{OURS}")
    with pytest.raises(zipimport.ZipImportError):
        file_name(importer, "nothing")
