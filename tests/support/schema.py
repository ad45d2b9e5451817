# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specs of all modules as a JSON schema of playbooks, for editors and CI."""

from __future__ import annotations

import importlib
import json
import pathlib
import re
import sys
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "docs" / "argument_specs.schema.json"
COLLECTION = "vaultops.vault"
OPERATIONS = "ansible_collections.vaultops.vault.plugins.module_utils._operations"
# Ansible takes a text for each of these, and converts it.
TYPES: dict[str, list[str]] = {
    "str": ["string", "number", "boolean"],
    "path": ["string"],
    "bool": ["boolean", "string", "integer"],
    "int": ["integer", "string"],
    "float": ["number", "string"],
    "list": ["array", "string", "number"],
    "dict": ["object", "string"],
}
JINJA = r"\{[{%]"
# Such a text is one of that type to Ansible; patterns of JSON schema cannot ignore case.
WORDS = "|".join(
    "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)
    for word in ("true", "t", "yes", "y", "on", "1", "false", "f", "no", "n", "off", "0")
)
PATTERNS = {
    "bool": rf"^\s*({WORDS})?\s*$|{JINJA}",
    "int": rf"^\s*([+-]?[0-9]+)?\s*$|{JINJA}",
}
# Keywords of blocks and plays that hold tasks.
HOLD_TASKS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")
GROUP = f"group/{COLLECTION}.vault"
# What counts as not given, see module_utils/_front/given.py.
NOTHING: dict[str, t.Any] = {
    "anyOf": [
        {"type": "null"},
        {"type": "string", "pattern": r"^\s*$"},
        {"type": "array", "maxItems": 0},
    ]
}
# Options may be in one text, which is not looked into, or all in args or module_defaults.
OPTIONS = ["object", "string", "null"]


class Module(t.NamedTuple):
    """The rows of a module's argument spec by all spellings, and of which groups it needs one."""

    name: str
    rows: dict[str, dict[str, t.Any]]
    needs: list[list[str]]

    @property
    def full_name(self) -> str:
        """The name that a task has."""
        return f"{COLLECTION}.{self.name}"


def schema() -> dict[str, t.Any]:
    """Return the schema of a playbook, or of a file of tasks."""
    found = [_module(path.stem) for path in sorted((ROOT / "plugins" / "modules").glob("[!_]*.py"))]
    nested = {keyword: _ref("tasks") for keyword in HOLD_TASKS}
    tasks = {
        "type": "object",
        "properties": {
            **{module.full_name: _ref(module.name) for module in found},
            **nested,
            "module_defaults": _ref("module_defaults"),
        },
        "allOf": [_task(module) for module in found],
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Playbooks and tasks with the modules of {COLLECTION}",
        "$ref": "#/definitions/tasks",
        "definitions": {
            "tasks": {"type": ["array", "null"], "items": tasks},
            "nothing": NOTHING,
            **{_kind(row): _values(row) for module in found for row in module.rows.values()},
            "module_defaults": _module_defaults(found),
            **{module.name: _options(_properties(module)) for module in found},
            **{f"{module.name}-by-action": _by_action(module) for module in found},
            **{f"{module.name}-needs": _needs(module) for module in found},
        },
    }


def _ref(definition: str) -> dict[str, str]:
    return {"$ref": f"#/definitions/{definition}"}


def _module(name: str) -> Module:
    from ansible_collections.vaultops.vault.plugins.module_utils._front import perform

    operation: t.Any = importlib.import_module(f"{OPERATIONS}.{name}")
    spec = perform.argument_spec(operation)
    spellings = {option: [option, *row.get("aliases", ())] for option, row in spec.items()}
    groups = [[option] for option, row in spec.items() if row.get("required")]
    groups += operation.CONSTRAINTS.get("required_one_of", ())
    return Module(
        name,
        {spelling: row for option, row in spec.items() for spelling in spellings[option]},
        [[spelling for option in group for spelling in spellings[option]] for group in groups],
    )


def _properties(module: Module) -> dict[str, t.Any]:
    return {spelling: _ref(_kind(row)) for spelling, row in module.rows.items()}


def _options(properties: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"type": OPTIONS, "properties": properties, "additionalProperties": False}


def _by_action(module: Module) -> dict[str, t.Any]:
    """Return the schema of ``action`` and ``local_action``: the module's name is among them."""
    return _options({"module": {}, **_properties(module)})


def _needs(module: Module) -> dict[str, t.Any]:
    # What excludes each other is left out: one of them may be omitted by Jinja.
    groups = [[_given(spelling) for spelling in group] for group in module.needs]
    needs = [{"anyOf": [*group, {"type": ["string", "null"]}]} for group in groups]
    return {"allOf": needs} if needs else {}


def _given(option: str) -> dict[str, t.Any]:
    return {"required": [option], "properties": {option: {"not": _ref("nothing")}}}


def _task(module: Module) -> dict[str, t.Any]:
    """Return what holds for a task of the module, however it is spelled."""
    keywords = ("action", "local_action")
    by_text = {"type": "string", "pattern": f"^{re.escape(module.full_name)}(\\s|$)"}
    by_name = {
        "type": "object",
        "properties": {"module": {"const": module.full_name}},
        "required": ["module"],
    }
    action = {"anyOf": [by_text, by_name]}
    spellings = [
        {"required": [module.full_name]},
        *({"required": [keyword], "properties": {keyword: action}} for keyword in keywords),
    ]
    needs = _ref(f"{module.name}-needs")
    return {
        "if": {"anyOf": spellings},
        "then": {
            "properties": {
                "args": _ref(module.name),
                **{keyword: _ref(f"{module.name}-by-action") for keyword in keywords},
            },
            # With args, the options are in two places.
            "if": {"not": {"required": ["args"]}},
            "then": {"properties": dict.fromkeys((module.full_name, *keywords), needs)},
        },
    }


def _module_defaults(modules: list[Module]) -> dict[str, t.Any]:
    # An option of the group may be one that only some of its modules take.
    kinds: dict[str, dict[str, None]] = {}
    for module in modules:
        for spelling, row in module.rows.items():
            kinds.setdefault(spelling, {})[_kind(row)] = None
    of_group = {
        spelling: {"anyOf": [_ref(kind) for kind in found]} for spelling, found in kinds.items()
    }
    return {
        "type": ["object", "array", "string", "null"],
        "properties": {
            GROUP: _options(of_group),
            **{module.full_name: _ref(module.name) for module in modules},
        },
    }


def _kind(row: dict[str, t.Any]) -> str:
    """Return the name of the definition that the option shares with others like it."""
    return "-".join(["values", row.get("type", "str"), *row.get("choices", ())])


def _values(row: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the schema of an option's values; what counts as not given is among them."""
    kind = row.get("type", "str")
    if kind == "raw":
        return {}
    if "choices" in row:
        choices = "|".join(map(re.escape, row["choices"]))
        text = {
            "type": ["string", "null", "array"],
            "pattern": rf"^\s*(({choices})\s*)?$|{JINJA}",
            "maxItems": 0,
        }
        return {"anyOf": [{"enum": row["choices"]}, text]}
    if kind == "list":
        items = {"type": [*TYPES[row["elements"]], "null"]}
        return {"type": [*TYPES[kind], "null"], "items": items}
    pattern = {"pattern": PATTERNS[kind]} if kind in PATTERNS else {}
    return {"type": [*TYPES[kind], "array", "null"], "maxItems": 0, **pattern}


def text() -> str:
    """Return the schema as its file has it."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text(text(), encoding="utf-8")
