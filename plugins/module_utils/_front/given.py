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
# These are mappings of secrets.
_MAPPINGS = ("env",)


def given_options(params: Params, spec: Spec) -> dict[str, t.Any]:
    """Return the options of a task without those that are empty, and texts of lists taken apart.

    Blanks alone are empty too.  What ``spec`` does not know stays as it is.
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
    if option.get("type") != "list" or not isinstance(value, (str, int, float)):
        return value
    if not isinstance(value, str):
        return [str(value)]
    lines = (line for line in value.splitlines() if line.strip())
    return [item.strip() for line in lines for item in line.split(",")]


def _is_empty(name: str, value: t.Any) -> bool:
    if isinstance(value, str):
        return not value.strip() and name not in _EMPTY_TEXT_COUNTS
    if isinstance(value, (list, tuple)):
        return all(_is_empty("", item) for item in value) and name not in _EMPTY_LIST_COUNTS
    return value is None
