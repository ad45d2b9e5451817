# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the options: it is that of the modules, and says what a user wants to hear."""

from __future__ import annotations

import json
import pathlib
import typing as t

import jsonschema
import pytest
import yaml

from ansible_collections.vaultops.vault.tests.support import schema
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY
from ansible_collections.vaultops.vault.tests.support.documents import BLOCK, blocks

PAGE = "docs/checking-playbooks.md"
RELOAD = "vaultops.vault.plugin_reload"


def errors(tasks: t.Any) -> list[str]:
    """Return what the schema says of tasks or plays."""
    checker = jsonschema.Draft7Validator(json.loads(schema.SCHEMA.read_text(encoding="utf-8")))
    return [error.message for error in checker.iter_errors(tasks)]


def test_the_schema_is_that_of_the_modules() -> None:
    assert schema.SCHEMA.read_text(encoding="utf-8") == schema.text(), (
        "run python3 noxfile.py -s schema"
    )


def test_what_the_page_shows() -> None:
    said = errors(yaml.safe_load(blocks(PAGE, "file wrong.yml")[0]))
    assert blocks(PAGE, "told")[0].strip() in said


WRONG = {
    "misspelled": {RELOAD: {"plugin": "a", "tokn": "b"}},
    "neither": {RELOAD: {"state": "current"}},
    "choice": {RELOAD: {"plugin": "a", "scope": "everywhere"}},
    "type": {RELOAD: {"mounts": {"a": "b"}}},
    "required": {"vaultops.vault.plugin": {"type": "secret"}},
    "in a block": {"block": [{RELOAD: {"plugin": "a", "rescue": "b"}}]},
    "handler": {"handlers": [{RELOAD: {"name": "a"}}]},
}
RIGHT = {
    "alias": {RELOAD: {"plugin": "a", "vault_address": "b"}},
    "jinja": {RELOAD: {"plugin": "{{ a }}", "scope": "{{ b }}", "retries": "{{ c }}"}},
    "one text": {RELOAD: "plugin=a"},
    "nothing": {RELOAD: None, "args": {"plugin": "a"}},
    "another module": {"ansible.builtin.debug": {"mount": "a"}},
    "a list, or commas": {"block": [{RELOAD: {"mounts": ["a"]}}, {RELOAD: {"mounts": "a,b"}}]},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong(name: str) -> None:
    assert errors([WRONG[name]])


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right(name: str) -> None:
    assert errors([RIGHT[name]]) == []


PAGES = [*sorted(REPOSITORY.glob("docs/*.md")), REPOSITORY / "README.md"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_playbooks_of_the_pages_are_right(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = [
        match for match in BLOCK.finditer(text) if match["name"].endswith((".yml", "playbook"))
    ]
    for match in found:
        if match["name"] != "file wrong.yml" and match["text"].startswith("- "):
            assert errors(yaml.safe_load(match["text"])) == []
