# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a front says of an option that the module does not have."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._text import did_you_mean, nearest
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params, Spec

# Misspelled, a name is so much like the right one; others share a syllable with it.
_ALIKE = 0.75
# Ansible's own words in the place of a secret option.
_HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
# What other modules, or the command line clients, call it.
_OTHER_WORDS = {
    "name": "plugin",
    "plugin": "name",
    "mount": "mounts",
    "path": "mounts",
    "address": "url",
    "addr": "url",
    "plugin_version": "version",
    "args": "arguments",
}


def unknown_options(module: str, unknown: t.Collection[str], spec: Spec) -> str:
    """Return the message for options that ``module`` does not have, nothing where there are none.

    It goes before whatever else is wrong: an option that is missing may be there, misspelled.
    """
    if not unknown:
        return ""
    known = [*spec, *(alias for option in spec.values() for alias in option.get("aliases", ()))]
    told = ", ".join(name + did_you_mean(_meant(name, spec, known)) for name in sorted(unknown))
    return f'Unsupported parameters for ({module}) module: {told}; see "ansible-doc {module}"'


def shown_options(params: Params, unknown: t.Collection[str]) -> dict[str, t.Any]:
    """Return ``params`` as an invocation shows them: what is misspelled may be a secret."""
    return {**params, **{name: _HIDDEN for name in unknown if name in params}}


def _meant(name: str, spec: Spec, known: t.Iterable[str]) -> str:
    word = _OTHER_WORDS.get(name, "")
    return word if word in spec else nearest(name, known, _ALIKE)
