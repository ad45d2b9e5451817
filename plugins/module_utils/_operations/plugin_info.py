# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is registered, pinned, configured and running, in few requests."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import (
    Mount,
    list_mounts,
    mount_kind,
    mount_paths,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    Catalog,
    read_catalog,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.inventory import (
    PluginRow,
    plugin_rows,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.wanted import plugin_name
from ansible_collections.vaultops.vault.plugins.module_utils._errors import Refused, did_you_mean
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient

Result = t.Dict[str, t.Any]
Mounts = t.Dict[str, t.Optional[t.List[Mount]]]

SPEC: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str"},
    "type": {"type": "str", "choices": ["auth", "secret", "database"]},
    "mounts": {"type": "list", "elements": "str"},
    "builtin": {"type": "bool", "default": False},
}

CONSTRAINTS: dict[str, t.Any] = {}


class Choice(t.NamedTuple):
    """What is asked for; ``name`` and ``kind`` are empty for any, ``paths`` None for any."""

    name: str
    kind: str
    paths: list[str] | None
    builtin: bool

    @property
    def kinds(self) -> list[str]:
        """The kinds of mounts to look at; database plugins have none."""
        kinds = [kind for kind in ("secret", "auth") if self.kind in ("", kind)]
        if self.paths is None:
            return kinds
        meant = {mount_kind(path) for path in self.paths}
        return [kind for kind in kinds if kind in meant]

    def has(self, row: PluginRow) -> bool:
        """Tell whether a plugin is asked for."""
        if self.name not in ("", row.name) or self.kind not in ("", row.kind):
            return False
        if self.paths is not None:
            return bool(row.mounts)
        return bool(self.name) or self.builtin or not row.builtin


def run(client: VaultClient, params: t.Mapping[str, t.Any], _check_mode: bool) -> Result:
    """Look, and tell; raises VaultError where nothing can be read."""
    choice = Choice(
        name=plugin_name(params["name"]) if params["name"] else "",
        kind=params["type"] or "",
        paths=None if params["mounts"] is None else mount_paths(params["mounts"]),
        builtin=params["builtin"],
    )
    refusals: list[Refused] = []
    catalog = _if_allowed(lambda: read_catalog(client), refusals)
    mounts: Mounts = {kind: _if_allowed(_listing(client, kind), refusals) for kind in choice.kinds}
    _fail_if_blind(choice, catalog, mounts, refusals)
    rows = [row for row in plugin_rows(catalog, _chosen(choice, mounts)) if choice.has(row)]
    client.warnings += _unread(catalog, refusals) + _misses(choice, catalog, mounts, rows)
    return {
        "changed": False,
        "plugins": [row.as_result() for row in rows],
        "summary": [line for row in rows for line in row.summary()],
    }


T = t.TypeVar("T")


def _if_allowed(read: t.Callable[[], T], refusals: list[Refused]) -> T | None:
    try:
        return read()
    except Refused as error:
        if error.status != 403:
            raise
        refusals.append(error)
        return None


def _listing(client: VaultClient, kind: str) -> t.Callable[[], list[Mount]]:
    return lambda: list(list_mounts(client, (kind,)).values())


def _fail_if_blind(
    choice: Choice, catalog: Catalog | None, mounts: Mounts, refusals: list[Refused]
) -> None:
    """Raise the refusal where nothing of what was asked for can be told."""
    listed = [rows for rows in mounts.values() if rows is not None]
    if not listed and (catalog is None or choice.paths is not None) and refusals:
        raise refusals[-1]


def _chosen(choice: Choice, mounts: Mounts) -> Mounts:
    """Return only the mounts that are asked for."""
    if choice.paths is None:
        return mounts
    return {
        kind: None if rows is None else [mount for mount in rows if mount.path in choice.paths]
        for kind, rows in mounts.items()
    }


def _unread(catalog: Catalog | None, refusals: list[Refused]) -> list[str]:
    told = [
        f"the token may not read a part ({error.where}): what rests on it is null"
        for error in refusals
    ]
    if catalog is not None and catalog.hidden_pins:
        told.append(
            "the token may not read sys/plugins/pins: pins, and what mounts are expected to run, "
            "are null"
        )
    return told


def _misses(
    choice: Choice, catalog: Catalog | None, mounts: Mounts, rows: list[PluginRow]
) -> list[str]:
    """Return a warning for each name and path that leads to nothing."""
    told = []
    if choice.name and not rows and choice.paths is None:
        near = catalog.near(choice.name) if catalog else ""
        hint = did_you_mean(near if near != choice.name else "")
        told.append(f'no plugin "{choice.name}" of this kind is registered or mounted here{hint}')
    known = {mount.path: mount for listed in mounts.values() for mount in listed or []}
    for path in choice.paths or []:
        if mounts.get(mount_kind(path)) is None:
            continue
        if path not in known:
            near = next(iter(difflib.get_close_matches(path, known, n=1)), "")
            told.append(f'there is no mount "{path}"{did_you_mean(near)}')
        elif known[path].singleton:
            told.append(f'mount "{path}" is a part of the server itself, with no plugin')
    return told
