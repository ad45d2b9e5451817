# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports run down the floors: imports.ini is the contract, and has no exceptions."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CONTRACT = pathlib.Path(__file__).with_name("imports.ini")
PACKAGE = "ansible_collections.vaultops.vault.plugins.module_utils"


def lint(tree: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Hold the collection below ``tree`` against the contract."""
    program = "import sys; from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-c", program, str(CONTRACT), "--no-cache"]
    return subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(tree)},
        check=False,
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    """A tree with a copy of the collection's code."""
    there = tmp_path / "ansible_collections" / "vaultops" / "vault"
    shutil.copytree(REPOSITORY / "plugins", there / "plugins")
    return tmp_path


def test_imports_run_down(tree: pathlib.Path) -> None:
    done = lint(tree)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Contracts: 5 kept, 0 broken." in done.stdout


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        (
            "_http/client.py",
            f"from {PACKAGE}._operations import login",
            "Imports run down the floors",
        ),
        (
            "_api/mounts.py",
            f"def late() -> None:\n    import {PACKAGE}._reload.nodes",
            "Imports run down the floors",
        ),
        (
            "_api/running.py",
            f"from {PACKAGE}._api import mounts",
            "No circle, on any floor",
        ),
        (
            "_operations/plugin_upgrade.py",
            f"from {PACKAGE}._operations import plugin_reload",
            "No operation calls another",
        ),
        (
            "_http/tls.py",
            "from ansible.module_utils.parsing.convert_bool import boolean",
            "Only the fronts know Ansible",
        ),
    ],
)
def test_a_breach_is_found(tree: pathlib.Path, file: str, line: str, broken: str) -> None:
    there = tree / "ansible_collections/vaultops/vault/plugins/module_utils" / file
    there.write_text(f"{there.read_text(encoding='utf-8')}\n\n{line}\n", encoding="utf-8")
    done = lint(tree)
    assert done.returncode == 1
    assert f"{broken} BROKEN" in done.stdout
