# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pinned version of a plugin, which all its mounts are to run."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CORRECT_PLUGIN,
    CatalogEntry,
    list_entries,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_pins import (
    require_pins,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import Catalog
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.set_pin import (
    pin_line,
    set_pin,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.wanted import (
    plugin_name,
    plugin_version,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._text import did_you_mean, nearest
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params, Result, Spec

SPEC: Spec = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["auth", "secret", "database"], "required": True},
    "version": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

CONSTRAINTS: dict[str, t.Any] = {"required_if": [("state", "present", ("version",))]}

_NO_PINS = (
    "set the version of each mount instead: with the module plugin_upgrade, or tune plugin_version "
    "and reload"
)


def run(client: VaultClient, params: Params, check_mode: bool) -> Result:
    """Read, and pin or unpin where that is to change; in check mode only read."""
    plugin = (params["type"], plugin_name(params["name"]))
    version = plugin_version(params["version"])
    if params["state"] == "present":
        return _pin(client, plugin, version, check_mode)
    return _unpin(client, plugin, version, check_mode)


def _pin(client: VaultClient, plugin: tuple[str, str], version: str, check_mode: bool) -> Result:
    if not version:
        raise OptionError("version is empty", next_step="name the version to pin")
    catalog = Catalog(list_entries(client), {})
    before = require_pins(client, catalog.openbao, _NO_PINS).get(plugin, "")
    entry = _entry(catalog, plugin, version)
    if before == version:
        return _result(False, plugin, before, before)
    if not check_mode:
        set_pin(client, entry.kind, entry.name, entry.version)
    return _result(True, plugin, before, version)


def _unpin(client: VaultClient, plugin: tuple[str, str], version: str, check_mode: bool) -> Result:
    before = require_pins(client, False, _NO_PINS).get(plugin, "")
    if not before or version not in ("", before):
        return _result(False, plugin, before, before)
    if not check_mode:
        set_pin(client, *plugin, "")
    return _result(True, plugin, before, "")


def _entry(catalog: Catalog, plugin: tuple[str, str], version: str) -> CatalogEntry:
    """Return the entry to pin; raises OptionError where the server could not start it."""
    named = catalog.external(*plugin)
    found = next((entry for entry in named if entry.version == version), None)
    if found is not None:
        return found
    kind, name = plugin
    misspelled = catalog.misspelled(kind, name, version)
    if misspelled is not None:
        raise OptionError(
            f'{kind} plugin "{name}" {version} is not in the catalog: its plugin reports the '
            f'version as "{misspelled.version}", under which no mount can run it',
            next_step=f"{CORRECT_PLUGIN}, and register that; nothing was pinned",
        )
    others = ", ".join(entry.version for entry in named if entry.version)
    near = did_you_mean(nearest(name, catalog.names()))
    known = f"; registered are {others}" if others else near
    raise OptionError(
        f'{kind} plugin "{name}" {version} is not in the catalog{known}',
        next_step="register it first, with the module plugin; nothing was pinned",
    )


def _result(changed: bool, plugin: tuple[str, str], before: str, after: str) -> Result:
    return {
        "changed": changed,
        "pin": _as_result(plugin, after),
        "before": _as_result(plugin, before),
        "diff": {"before": pin_line(*plugin, before), "after": pin_line(*plugin, after)},
    }


def _as_result(plugin: tuple[str, str], version: str) -> Result | None:
    return {"type": plugin[0], "name": plugin[1], "version": version} if version else None
