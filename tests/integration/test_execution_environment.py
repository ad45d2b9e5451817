# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An execution environment with the collection, as far as no container engine is needed."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
import yaml

from ansible_collections.vaultops.vault.tests.support.ansible_runs import (
    REPOSITORY,
    collection_tree,
)
from ansible_collections.vaultops.vault.tests.support.awx import AWX

pytestmark = pytest.mark.slow

DEFINITION = AWX / "execution-environment.yml"


def builder(*arguments: str) -> str:
    """Run ansible-builder, and return what it prints."""
    program = str(pathlib.Path(sys.executable).with_name("ansible-builder"))
    command = [program, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def test_introspect_finds_what_the_collection_needs(tmp_path: pathlib.Path) -> None:
    found = yaml.safe_load(builder("introspect", str(collection_tree(tmp_path))))
    (python,) = found["python"]
    assert python.partition("  #")[0] in (REPOSITORY / "requirements.txt").read_text()
    assert "from collection vaultops.vault" in python
    assert found["system"] == []


def test_create(tmp_path: pathlib.Path) -> None:
    context = tmp_path / "context"
    builder(
        "create", "-f", str(DEFINITION), "-c", str(context), "--output-filename", "Containerfile"
    )
    steps = (context / "Containerfile").read_text(encoding="utf-8")
    for step in ("ansible-core>=2.16", "ansible-runner>=2.4", "ansible-galaxy collection install"):
        assert step in steps
    asked = yaml.safe_load((context / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    of_the_project = yaml.safe_load(
        (AWX / "project" / "collections" / "requirements.yml").read_text(encoding="utf-8")
    )
    (image,), (project,) = asked["collections"], of_the_project["collections"]
    assert (image["name"], image["version"]) == (project["source"], project["version"])
