# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of tests/locked hold what the requirements ask for."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement

from ansible_collections.vaultops.vault.tests.support import locked, pythons

ENTRY = re.compile(
    r"^([\w.-]+)==(\S+?)(?: ; .+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", re.M
)


def asked(core: str) -> list[Requirement]:
    """Return what runs the tests, as ranges."""
    lines = [pythons.core_requirement(core)]
    for file in locked.SOURCES:
        lines += (locked.ROOT / file).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def name_of(package: str) -> str:
    """Return the name of a package as the lists spell it."""
    return re.sub(r"[-_.]+", "-", package).lower()


@pytest.mark.parametrize("core", pythons.CORES)
def test_a_list_holds_what_is_asked_for(core: str) -> None:
    text = locked.path(core).read_text(encoding="utf-8")
    entries = [(name, version) for name, version, _hashes in ENTRY.findall(text)]
    assert len(entries) == len(re.findall(r"^\S+==", text, re.M))
    for requirement in asked(core):
        found = [version for name, version in entries if name == name_of(requirement.name)]
        assert found, requirement
        for version in found:
            assert requirement.specifier.contains(version, prereleases=True), requirement


def test_a_python_gets_the_list_of_its_newest_core() -> None:
    assert locked.requirements_for("3.11") == locked.requirements("2.19")
    assert "--require-hashes" not in locked.requirements_for("3.99")
