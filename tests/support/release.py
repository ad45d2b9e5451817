# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release consists of, made in a folder below .nox and never in the checkout."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from . import manual, ordinary_user

if TYPE_CHECKING:
    import nox

RELEASES = manual.ROOT / ".nox" / "release"
NAME = "vaultops-vault"
VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?")


def make(session: nox.Session, version: str) -> Path:
    """Make the files of a release; return its tarball."""
    folder = RELEASES / version
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "work"
    tree = work / "ansible_collections" / "vaultops" / "vault"
    ordinary_user.copy_checkout(tree)
    set_version(tree, version)
    with session.chdir(tree):
        session.run("antsibull-changelog", "release", "--version", version)
        session.run("ansible-galaxy", "collection", "build", "--output-path", str(folder))
    changes = (tree / "CHANGELOG.md").read_text(encoding="utf-8")
    manual.build(session, work / "html", docs=tree / "docs", changelog=changes)
    shutil.make_archive(str(folder / f"{NAME}-{version}-manual"), "gztar", work / "html")
    shutil.copy(tree / "CHANGELOG.md", folder)
    tarball = folder / f"{NAME}-{version}.tar.gz"
    sbom = folder / f"{NAME}-{version}.cdx.json"
    session.run("python", "-m", "tests.support.sbom", str(tarball), str(sbom))
    shutil.rmtree(work)
    return tarball


def set_version(tree: Path, version: str) -> None:
    """Write the version into a copy of the checkout, and into its module reference."""
    galaxy = tree / "galaxy.yml"
    text = galaxy.read_text(encoding="utf-8")
    old = re.search(r"^version: (.+)$", text, re.MULTILINE)
    assert old
    galaxy.write_text(text.replace(old[0], f"version: {version}"), encoding="utf-8")
    for page in (tree / "docs" / "reference").glob("*.rst"):
        # Not "New in vaultops.vault 0.1.0", which stays.
        shown = page.read_text(encoding="utf-8").replace(f"ersion {old[1]}", f"ersion {version}")
        page.write_text(shown, encoding="utf-8")
