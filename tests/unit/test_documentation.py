# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/ says of the options is what the argument specs say, and of the tests what there is."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

from ansible_collections.vaultops.vault.plugins.module_utils._auth.options import AUTH_SPEC
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import CONNECTION_SPEC
from ansible_collections.vaultops.vault.tests.support import tested
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY
from ansible_collections.vaultops.vault.tests.support.scenarios import SCENARIOS

PAGE = (REPOSITORY / "docs" / "connection.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<name>\w+)`(?: \((?P<aliases>[^)]*)\))? \|(?P<rest>.*)\|$", re.MULTILINE)
ROWS = {match["name"]: match for match in ROW.finditer(PAGE)}
DEVELOPING = (REPOSITORY / "docs" / "developing.md").read_text(encoding="utf-8")
SHOWN_BY = {
    option: re.findall(r"`(test_\w+\.py)::(test_\w+)`", line)
    for line in DEVELOPING.splitlines()
    if line.startswith("| ") and "::test_" in line
    for option in re.findall(r"`(\w+)`", line.split("|")[1])
}
SPEC: dict[str, dict[str, t.Any]] = {**CONNECTION_SPEC, **AUTH_SPEC}


def test_the_table_has_each_option_and_no_other() -> None:
    assert list(ROWS) == list(SPEC)


@pytest.mark.parametrize("name", SPEC)
def test_the_table_has_the_aliases(name: str) -> None:
    aliases = re.findall(r"`(\w+)`", ROWS[name]["aliases"] or "")
    assert aliases == SPEC[name].get("aliases", [])


def spellings(name: str) -> list[str]:
    """Return an option's name, its aliases and the variables that the page has for it."""
    variables = re.findall(r"`([A-Z_]{5,})`", ROWS[name]["rest"])
    return [name, *SPEC[name].get("aliases", []), *variables]


@pytest.mark.parametrize("name", SPEC)
def test_a_test_shows_each_option(name: str) -> None:
    assert SHOWN_BY[name]
    for file, function in SHOWN_BY[name]:
        text = (REPOSITORY / "tests" / "integration" / file).read_text(encoding="utf-8")
        assert f"def {function}(" in text
        assert any(spelling in text for spelling in spellings(name))


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables, without their heads and without backticks."""
    lines = [line.replace("`", "") for line in text.splitlines() if line.startswith("| ")]
    heads = {"Situation", "Row"}
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] not in heads]


def test_tests_show_each_row_of_vault_and_openbao() -> None:
    page = (REPOSITORY / "docs" / "vault-and-openbao.md").read_text(encoding="utf-8")
    table = DEVELOPING.partition("\n### Vault\n")[2].partition("\n## ")[0]
    assert [row[0] for row in rows(table)] == [row[0] for row in rows(page)]
    for _name, *cells in rows(table):
        for cell in cells:
            tests, _word, scenarios = cell.partition("scenario")
            for file, function in re.findall(r"(test_\w+\.py)::(test_\w+)", tests):
                path = REPOSITORY / "tests" / "integration" / file
                assert f"def {function}(" in path.read_text(encoding="utf-8")
            assert set(re.findall(r"\w\w+", scenarios)) <= set(SCENARIOS)


@pytest.mark.parametrize("path", tested.QUOTING, ids=lambda path: path.name)
def test_pages_quote_what_was_tested(path: pathlib.Path) -> None:
    assert path.read_text(encoding="utf-8") == tested.quoted(path, tested.documented_runs())


def test_the_role_knows_its_variables() -> None:
    role = REPOSITORY / "roles" / "plugin_rollout"
    texts = [path.read_text(encoding="utf-8") for path in sorted(role.rglob("tasks/*.yml"))]
    variables = yaml.safe_load((role / "vars" / "main.yml").read_text(encoding="utf-8"))
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    used = set(re.findall(r"\w*plugin_rollout_\w+", "\n".join(texts))) | set(variables)
    options = specs["argument_specs"]["main"]["options"]
    assert variables["__plugin_rollout_options"] == list(options)
    others = {name for name in used if not name.startswith("__")} - set(options)
    assert others == {"plugin_rollout_result"}
    assert variables["__plugin_rollout_own"] == ["plugin_rollout_hosts", *others]


def test_the_role_has_one_default_for_each_variable() -> None:
    """And no task reads a variable past it, but where a message names it."""
    role = REPOSITORY / "roles" / "plugin_rollout"
    rules = yaml.safe_load((role / "vars" / "main.yml").read_text(encoding="utf-8"))
    shown = yaml.safe_load((role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = specs["argument_specs"]["main"]["options"]
    defaults = {f"plugin_rollout_{k}": v for k, v in rules["__plugin_rollout_defaults"].items()}
    assert list(defaults) == list(options)
    assert shown.items() <= defaults.items()
    assert {k: spec["default"] for k, spec in options.items() if "default" in spec}.items() <= (
        defaults.items()
    )
    for path in sorted(role.rglob("tasks/*.yml")):
        for line in path.read_text(encoding="utf-8").splitlines():
            read = set(re.findall(r"(?<!['_])plugin_rollout_\w+", line)) & set(options)
            assert not read or "else ['" in line, f"{path.name}: {line}"
