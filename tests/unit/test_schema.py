# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the options: it is that of the modules, and says what a user wants to hear."""

from __future__ import annotations

import functools
import importlib
import json
import pathlib
import typing as t

import jsonschema
import pytest
import yaml

from ansible_collections.vaultops.vault.plugins.module_utils._front.given import given_options
from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import argument_spec
from ansible_collections.vaultops.vault.tests.support import schema
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY
from ansible_collections.vaultops.vault.tests.support.documents import BLOCK, blocks

PAGE = "docs/checking-playbooks.md"
RELOAD = "vaultops.vault.plugin_reload"


@functools.cache
def checker() -> jsonschema.Draft7Validator:
    """Return the schema of the documentation."""
    return jsonschema.Draft7Validator(json.loads(schema.SCHEMA.read_text(encoding="utf-8")))


def errors(tasks: t.Any) -> list[str]:
    """Return what the schema says of tasks or plays."""
    return [error.message for error in checker().iter_errors(tasks)]


def test_the_schema_is_that_of_the_modules() -> None:
    assert schema.SCHEMA.read_text(encoding="utf-8") == schema.text(), (
        "run python3 noxfile.py -s schema"
    )


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(schema.text()))


def test_what_the_page_shows() -> None:
    said = errors(yaml.safe_load(blocks(PAGE, "file wrong.yml")[0]))
    assert blocks(PAGE, "told")[0].strip() in said


WRONG = {
    "misspelled": {RELOAD: {"plugin": "a", "tokn": "b"}},
    "neither": {RELOAD: {"state": "current"}},
    "neither, though it may be a default": {
        "module_defaults": {RELOAD: {"plugin": "a"}},
        "tasks": [{RELOAD: {"state": "current"}}],
    },
    "choice": {RELOAD: {"plugin": "a", "scope": "everywhere"}},
    "type": {RELOAD: {"mounts": {"a": "b"}}},
    "a boolean that is none": {RELOAD: {"plugin": "a", "verify": "maybe"}},
    "a number that is none": {RELOAD: {"plugin": "a", "retries": "few"}},
    "required": {"vaultops.vault.plugin": {"type": "secret"}},
    "in a block": {"block": [{RELOAD: {"plugin": "a", "rescue": "b"}}]},
    "handler": {"handlers": [{RELOAD: {"name": "a"}}]},
    "empty": {RELOAD: {"plugin": "", "mounts": None}},
    "args": {RELOAD: None, "args": {"mount": "a"}},
    "args beside options": {RELOAD: {"plugin": "a"}, "args": {"scop": "global"}},
    "action": {"action": {"module": RELOAD, "mount": "a"}},
    "action without": {"action": {"module": RELOAD, "state": "current"}},
    "action in one text, and args": {"action": f"{RELOAD} plugin=a", "args": {"scop": "a"}},
    "action, and args": {"action": {"module": RELOAD}, "args": {"mount": "a"}},
    "local_action": {"local_action": {"module": RELOAD, "plugin": "a", "scop": "a"}},
    "defaults": {"module_defaults": {RELOAD: {"scop": "a"}}, "tasks": []},
    "defaults of the group": {"module_defaults": {"group/vaultops.vault.vault": {"addr": "a"}}},
    "defaults of a task": {RELOAD: {"plugin": "a"}, "module_defaults": {RELOAD: {"mount": "a"}}},
}
RIGHT = {
    "alias": {RELOAD: {"plugin": "a", "vault_address": "b"}},
    "jinja": {RELOAD: {"plugin": "{{ a }}", "scope": "{{ b }}", "retries": "{{ c }}"}},
    "words for booleans and numbers": {
        RELOAD: {"plugin": "a", "verify": " Yes", "wait": "OFF", "retries": " 3 "}
    },
    "booleans by Jinja": {RELOAD: {"plugin": "a", "verify": "{% if a %}yes{% endif %}"}},
    "a mount that is a number": {RELOAD: {"mounts": 2024}},
    "one text": {RELOAD: "plugin=a"},
    "one text is not looked into": {RELOAD: "mount=a"},
    "short names are not looked at": {"plugin_reload": {"mount": "a"}},
    "nothing": {RELOAD: None, "args": {"plugin": "a"}},
    "another module": {"ansible.builtin.debug": {"mount": "a"}},
    "a list, or commas": {"block": [{RELOAD: {"mounts": ["a"]}}, {RELOAD: {"mounts": "a,b"}}]},
    "an answer that is empty": {RELOAD: {"plugin": "a", "scope": "", "mounts": None}},
    "blanks around a choice": {RELOAD: {"plugin": "a", "scope": " global "}},
    "args in Jinja": {RELOAD: None, "args": "{{ options }}"},
    "args beside options": {RELOAD: {"scope": "global"}, "args": {"plugin": "a"}},
    "action": {"action": {"module": RELOAD, "plugin": "a"}},
    "action in one text": {"action": f"{RELOAD} plugin=a", "args": {"scope": "global"}},
    "action of another module": {"action": {"module": "ansible.builtin.debug", "mount": "a"}},
    "args of another module": {"ansible.builtin.command": None, "args": {"cmd": "a"}},
    "local_action": {"local_action": {"module": RELOAD, "plugin": "a", "vault_address": "b"}},
    "defaults": {
        "module_defaults": {
            RELOAD: {"scope": "global"},
            "group/vaultops.vault.vault": {"url": "a", "scope": "{{ b }}"},
            "ansible.builtin.debug": {"mount": "a"},
        },
        "tasks": [{RELOAD: None}],
    },
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong(name: str) -> None:
    assert errors([WRONG[name]])


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right(name: str) -> None:
    assert errors([RIGHT[name]]) == []


OPERATIONS = sorted(path.stem for path in (REPOSITORY / "plugins/modules").glob("[!_]*.py"))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_counts_as_not_given_is_right(operation: str) -> None:
    module = f"{schema.OPERATIONS}.{operation}"
    spec = argument_spec(t.cast("t.Any", importlib.import_module(module)))
    needed = {"plugin": "a", "name": "a", "type": "secret", "version": "v1.0.0"}
    given = {option: value for option, value in needed.items() if option in spec}
    if operation == "plugin_runtime":
        given["type"] = "container"
    empty: list[t.Any] = ["", " ", None, []]
    tasks = [
        {f"vaultops.vault.{operation}": {**given, option: value}}
        for option in spec
        for value in empty
        if option not in given and given_options({option: value}, spec) == {}
    ]
    assert len(tasks) > 100
    assert errors(tasks) == []


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
