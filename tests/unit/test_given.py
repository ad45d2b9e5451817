# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An option that a survey leaves empty is not given, whatever the module."""

from __future__ import annotations

import importlib
import pathlib
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.vaultops.vault.plugins.module_utils._front.given import given_options
from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import argument_spec
from ansible_collections.vaultops.vault.tests.support.recordings import OPERATIONS

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[a-z]*.py"))
# What an empty value says of these is a meaning of its own.
SAY_SOMETHING = {
    "namespace": ["", " "],
    "auth_namespace": ["", " "],
    "version": ["", " "],
    "env": [[], [""]],
}
# What the modules need.
NEEDED = {"name": "weather", "plugin": "weather", "type": "secret", "version": "v1.0.0"}


def operation_of(module: str) -> t.Any:
    """Return the operation of a module."""
    return importlib.import_module(f"{OPERATIONS}.{module}")


@pytest.mark.parametrize("empty", ["", " \n", [], None], ids=repr)
@pytest.mark.parametrize("module", MODULES)
def test_every_option_of_every_module(module: str, empty: t.Any) -> None:
    operation = operation_of(module)
    spec = argument_spec(operation)
    needed = {"plugin": "weather"} if module == "plugin_reload" else NEEDED
    needed = {name: value for name, value in needed.items() if name in operation.SPEC}
    if module == "plugin_runtime":
        needed["type"] = "container"
    validator = ArgumentSpecValidator(spec, **operation.CONSTRAINTS)
    answers = {name: empty for name in spec if name not in {**needed, **SAY_SOMETHING}}
    given = given_options({**needed, **answers}, spec)
    checked = validator.validate(given)
    assert checked.error_messages == []
    assert checked.validated_parameters == validator.validate(needed).validated_parameters


STRIPPED = {"state": "current", "auth_method": "approle"}


@pytest.mark.parametrize(
    ("params", "given"),
    [
        ({"plugin": "", "mounts": "a"}, {"mounts": ["a"]}),
        ({"mounts": 2024}, {"mounts": ["2024"]}),
        ({"mounts": 5.5}, {"mounts": ["5.5"]}),
        ({"mounts": True}, {"mounts": ["True"]}),
        ({"plugin": "a", "mounts": ""}, {"plugin": "a"}),
        ({"plugin": "a", "mounts": []}, {"plugin": "a"}),
        ({"plugin": "a", "mounts": "\r\n \n"}, {"plugin": "a"}),
        ({"mounts": "a\nauth/b\r\n\n c \n"}, {"mounts": ["a", "auth/b", "c"]}),
        ({"mounts": "a, b\nc"}, {"mounts": ["a", "b", "c"]}),
        ({"mounts": "a,,b,\n,"}, {"mounts": ["a", "b"]}),
        # Items that are empty are no list that was left empty: that would mean all mounts.
        ({"plugin": "a", "mounts": [""]}, {"plugin": "a", "mounts": [""]}),
        ({"plugin": "a", "mounts": " , "}, {"plugin": "a", "mounts": [""]}),
        ({"mounts": '["a", "b/c"]\n'}, {"mounts": ["a", "b/c"]}),
        ({"mounts": "[a]"}, {"mounts": ["[a]"]}),
        ({"state": " current\n", "auth_method": "approle "}, STRIPPED),
        ({"token": " a b ", "password": " p "}, {"token": " a b ", "password": " p "}),
        ({"mounts": ["a,b", "c"]}, {"mounts": ["a,b", "c"]}),
        ({"vault_namespace": ""}, {"vault_namespace": ""}),
        ({"approle_role_id": ""}, {}),
        ({"verify": False, "retries": 0}, {"verify": False, "retries": 0}),
        (
            {"no_such_option": "", "_ansible_tmpdir": None},
            {"no_such_option": "", "_ansible_tmpdir": None},
        ),
    ],
    ids=str,
)
def test_what_is_given(params: dict[str, t.Any], given: dict[str, t.Any]) -> None:
    assert given_options(params, argument_spec(operation_of("plugin_reload"))) == given
