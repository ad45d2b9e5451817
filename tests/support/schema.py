# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specs of all modules as a JSON schema of playbooks, for editors and CI."""

from __future__ import annotations

import importlib
import json
import pathlib
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
    "list": ["array", "string"],
    "dict": ["object", "string"],
}
JINJA = {"type": "string", "pattern": r"\{[{%]"}
# Keywords of blocks and plays that hold tasks.
HOLD_TASKS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")


def schema() -> dict[str, t.Any]:
    """Return the schema of a playbook, or of a file of tasks."""
    modules = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))
    tasks = {f"{COLLECTION}.{name}": {"$ref": f"#/definitions/{name}"} for name in modules}
    nested = {keyword: {"$ref": "#/definitions/tasks"} for keyword in HOLD_TASKS}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Playbooks and tasks with the modules of {COLLECTION}",
        "$ref": "#/definitions/tasks",
        "definitions": {
            "tasks": {
                "type": ["array", "null"],
                "items": {"type": "object", "properties": {**tasks, **nested}},
            },
            **{name: _module(name) for name in modules},
        },
    }


def _module(name: str) -> dict[str, t.Any]:
    from ansible_collections.vaultops.vault.plugins.module_utils._front import perform

    operation: t.Any = importlib.import_module(f"{OPERATIONS}.{name}")
    spec = perform.argument_spec(operation)
    spellings = {option: [option, *row.get("aliases", ())] for option, row in spec.items()}
    properties = {
        spelling: _option(row) for option, row in spec.items() for spelling in spellings[option]
    }
    groups = [[option] for option, row in spec.items() if row.get("required")]
    groups += operation.CONSTRAINTS.get("required_one_of", ())
    # What excludes each other is left out: one of them may be omitted by Jinja.
    return {
        # Options may be in one text, or all in args or module_defaults.
        "type": ["object", "string", "null"],
        "properties": properties,
        "additionalProperties": False,
        "allOf": [
            _any_of(other for name in group for other in spellings[name]) for group in groups
        ],
    }


def _any_of(spellings: t.Iterable[str]) -> dict[str, t.Any]:
    return {"anyOf": [{"required": [spelling]} for spelling in spellings]}


def _option(row: dict[str, t.Any]) -> dict[str, t.Any]:
    if row.get("type", "str") == "raw":
        return {}
    if "choices" in row:
        return {"anyOf": [{"enum": row["choices"]}, JINJA]}
    allowed: dict[str, t.Any] = {"type": TYPES[row.get("type", "str")]}
    if row.get("elements"):
        allowed["items"] = {"type": TYPES[row["elements"]]}
    return allowed


def text() -> str:
    """Return the schema as its file has it."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text(text(), encoding="utf-8")
