# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/ says of the options is what the argument specs say."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._auth.options import AUTH_SPEC
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import CONNECTION_SPEC
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY

PAGE = (REPOSITORY / "docs" / "connection.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<name>\w+)`(?: \((?P<aliases>[^)]*)\))? \|(?P<rest>.*)\|$", re.MULTILINE)
ROWS = {match["name"]: match for match in ROW.finditer(PAGE)}
DEVELOPING = (REPOSITORY / "docs" / "developing.md").read_text(encoding="utf-8")
SHOWN_BY = {
    option: re.findall(r"`(test_\w+\.py)::(test_\w+)`", line)
    for line in DEVELOPING.splitlines()
    if "::test_" in line
    for option in re.findall(r"`(\w+)`", line.split("|")[1])
}
SPEC: dict[str, dict[str, t.Any]] = {**CONNECTION_SPEC, **AUTH_SPEC}


def test_the_table_has_each_option_and_no_other() -> None:
    assert list(ROWS) == list(SPEC)


@pytest.mark.parametrize("name", SPEC)
def test_the_table_has_the_aliases(name: str) -> None:
    aliases = re.findall(r"`(\w+)`", ROWS[name]["aliases"] or "")
    assert aliases == SPEC[name].get("aliases", [])


@pytest.mark.parametrize("name", SPEC)
def test_a_test_shows_each_option(name: str) -> None:
    assert SHOWN_BY[name]
    for file, function in SHOWN_BY[name]:
        text = (REPOSITORY / "tests" / "integration" / file).read_text(encoding="utf-8")
        assert f"def {function}(" in text
