# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which options a task gives: an empty one is not given, as a survey or a form leaves it.

This comes before Ansible validates them: to it, an empty option beside another is one too many, and
an empty text is none of the choices.
"""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._parsing import assignments
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params, Spec

# Of these, an empty value says something: the root namespace; what an operation says of no version;
# and no variables at all.
_EMPTY_TEXT_COUNTS = ("namespace", "auth_namespace", "version")
_EMPTY_LIST_COUNTS = ("env",)
# What a list or a mapping looks like as a text that Ansible makes of it, as Python writes it, or as
# JSON; no name, path or address begins so.
_WRITTEN = ("['", "{'", "[{'")
_SEVERAL = (*_WRITTEN, *(start.replace("'", '"') for start in _WRITTEN))
# What users want who give several of these.
_WITH_LOOP = "repeat the task for each with loop"
_FOR_EACH = {"plugin": f"{_WITH_LOOP}, or name their mounts in one task", "name": _WITH_LOOP}
# Arguments of a plugin may be such texts.
_ANY_TEXT = ("arguments",)
# These are mappings of secrets.
_MAPPINGS = ("env",)


def given_options(params: Params, spec: Spec) -> dict[str, t.Any]:
    """Return the options of a task without those that are empty, and texts of lists taken apart.

    Blanks alone are empty too, and those around a text say nothing, unless it is a secret.  What
    ``spec`` does not know stays as it is.
    """
    names = {name: name for name in spec}
    names.update({alias: name for name, each in spec.items() for alias in each.get("aliases", ())})
    given = {}
    for key, value in params.items():
        name = names.get(key)
        taken = value if name is None else _taken_apart(name, value, spec[name])
        if name is None or not _is_empty(name, taken):
            given[key] = taken
    return given


def _taken_apart(name: str, value: t.Any, option: t.Mapping[str, t.Any]) -> t.Any:
    """Return the items of a list that was given as a text: separated by commas, or one a line.

    A number is the only item, as Ansible takes it.  Of a mapping, Ansible would mask each value
    wherever it occurs, also "1": as a text NAME=value, only where it is that.
    """
    if name in _MAPPINGS and isinstance(value, t.Mapping):
        with contextlib.suppress(OptionError):  # the operation says what is wrong
            return assignments(value, name)
    if option.get("type") == "list" and isinstance(value, (str, int, float)):
        return _items(value) if isinstance(value, str) else [str(value)]
    is_secret = option.get("no_log") or option.get("type", "str") not in ("str", "int", "bool")
    return value.strip() if isinstance(value, str) and not is_secret else value


def _items(text: str) -> list[t.Any]:
    """Return the items of a list in ``text``; a comma or a line too much is none, but not nothing.

    So "," is no list that was left empty, which would mean all mounts.
    """
    if text.lstrip().startswith("[") and text.rstrip().endswith("]"):
        # Imported here: hardly any task needs it.
        import json

        with contextlib.suppress(ValueError):
            return list(json.loads(text))
    parts = [part.strip() for line in text.splitlines() for part in line.split(",")]
    return [part for part in parts if part] or ([""] if text.strip() else [])


def _is_empty(name: str, value: t.Any) -> bool:
    if isinstance(value, str):
        return not value.strip() and name not in _EMPTY_TEXT_COUNTS
    if isinstance(value, (list, tuple)):
        return not value and name not in _EMPTY_LIST_COUNTS
    return value is None


def refuse_lists(params: Params, spec: Spec) -> None:
    """Raise OptionError where Ansible has made a text of a list or a mapping."""
    for name, option in spec.items():
        kind, value = option.get("type", "str"), params.get(name)
        if name in _ANY_TEXT:
            continue
        if kind in ("str", "path") and option.get("no_log"):
            _refuse_secret_in_several(name, value)
        elif kind in ("str", "path") and _is_several(value):
            raise OptionError(
                f"{name} takes one value, and {_several(str(value))}",
                next_step=_FOR_EACH.get(name, "give one value"),
            )
        items = value if kind == "list" and value else ()
        several = next((item for item in items if _is_several(item)), None)
        if several is not None:
            raise OptionError(
                f"{name} takes one value each, and {_several(several)}",
                next_step="give one list, with an item for each",
            )


def _refuse_secret_in_several(name: str, value: t.Any) -> None:
    """Raise OptionError where a secret is a whole result, or a list, and not the field with it.

    Ansible has made a text of it, as Python writes it.  Another secret may start like that.
    """
    if not isinstance(value, str) or not value.startswith(_WRITTEN):
        return
    # Imported here: hardly any task needs it.
    import ast

    with contextlib.suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        ast.literal_eval(value)
        raise OptionError(
            f"{name} takes one value, and this is {_kind_of(value)}",
            next_step="name the field that holds it, such as result.login.client_token",
        )


def _is_several(text: t.Any) -> bool:
    return isinstance(text, str) and text.startswith(_SEVERAL)


def _several(text: str) -> str:
    # An address may have a password in it.
    shown = "this" if "://" in text else text
    return f"{shown} is {_kind_of(text)}"


def _kind_of(text: str) -> str:
    return "a list" if text.startswith("[") else "a mapping"
