# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user of the collection gets: all of it, and nothing that only its makers need."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import tarfile

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY
from ansible_collections.vaultops.vault.tests.support.server import clean_environment

LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)\s]*)?\)")
TOP = {
    *("CHANGELOG.md", "CONTRIBUTING.md", "COPYING", "FILES.json", "LICENSES", "MANIFEST.json"),
    *("README.md", "REUSE.toml", "changelogs", "docs", "meta", "playbooks", "plugins"),
    *("requirements.txt", "roles", "SECURITY.md"),
}
ENDINGS = {
    "changelogs": {"changelog.yaml"},
    "docs": {".hcl", ".json", ".md", ".rst", ".svg", ".yml"},
    "plugins": {".py"},
    "roles": {".md", ".yml"},
}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files of the collection's tarball."""
    folder = tmp_path_factory.mktemp("tarball")
    program = pathlib.Path(sys.executable).parent / "ansible-galaxy"
    subprocess.run(
        [program, "collection", "build", str(REPOSITORY), "--output-path", str(folder)],
        env=clean_environment(folder),
        check=True,
        capture_output=True,
    )
    (tarball,) = folder.glob("vaultops-vault-*.tar.gz")
    with tarfile.open(tarball) as content:
        return [member.name for member in content.getmembers() if member.isfile()]


def test_it_has_what_users_need_and_no_more(names: list[str]) -> None:
    # A release makes CHANGELOG.md.
    assert {name.partition("/")[0] for name in names} | {"CHANGELOG.md"} == TOP
    for folder, endings in ENDINGS.items():
        others = [name for name in names if name.startswith(f"{folder}/")]
        assert [name for name in others if not name.endswith(tuple(endings))] == []
    assert [name for name in names if "__pycache__" in name or name.endswith(".pyc")] == []


@pytest.mark.parametrize("folder", ["plugins", "roles", "playbooks", "meta", "docs/policies"])
def test_it_has_all_of_it(names: list[str], folder: str) -> None:
    files = {
        os.path.relpath(path, REPOSITORY)
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files
    assert files <= set(names)


def test_links_lead_to_what_it_has(names: list[str]) -> None:
    folders = {str(parent) for name in names for parent in pathlib.PurePath(name).parents}
    broken = [
        f"{name}: {link}"
        for name in names
        if name.endswith(".md")
        for link in LINK.findall((REPOSITORY / name).read_text(encoding="utf-8"))
        if os.path.normpath(pathlib.PurePath(name).parent / link) not in {*names, *folders}
    ]
    assert broken == []
