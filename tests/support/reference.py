# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module reference, as antsibull-docs makes it from the modules' documentation."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from antsibull_nox.sessions.collections import prepare_collections

if TYPE_CHECKING:
    import nox

REFERENCE = Path("docs/reference")


def tree(session: nox.Session) -> Path:
    """The folder of a collections path in which this collection is."""
    made = prepare_collections(session, install_in_site_packages=False, install_out_of_tree=True)
    assert made, "the session has a venv"
    return Path(made.current_place)


def build(session: nox.Session, target: Path) -> None:
    """Write the reference to a folder, and remove what is no longer part of it."""
    path = tree(session)
    target.mkdir(parents=True, exist_ok=True)
    session.run(
        *("antsibull-docs", "collection", "--use-current", "--squash-hierarchy"),
        *("--output-format", "simplified-rst", "--no-add-antsibull-docs-version"),
        *("--fail-on-error", "--cleanup", "everything", "--dest-dir", str(target)),
        "vaultops.vault",
        env={"ANSIBLE_COLLECTIONS_PATH": str(path)},
    )


def differences(old: Path, new: Path) -> list[str]:
    """What differs between two builds, as the lines of a diff."""
    names = sorted({page.name for folder in (old, new) for page in folder.glob("*.rst")})
    return [
        line
        for name in names
        for line in difflib.unified_diff(
            lines(old / name), lines(new / name), str(old / name), "what the modules say"
        )
    ]


def lines(page: Path) -> list[str]:
    """A page's lines; none where it is absent."""
    return page.read_text().splitlines(keepends=True) if page.exists() else []
