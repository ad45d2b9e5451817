# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is registered, pinned, configured and running, in few requests."""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import (
    Mount,
    list_mounts,
    mount_kind,
    mount_paths,
    unnamed_plugins,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import check_all
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
    read_registration,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_runtimes import (
    Runtime,
    list_runtimes,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import (
    Catalog,
    read_catalog,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.inventory import (
    MountRow,
    PluginRow,
    plugin_rows,
    with_health,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.wanted import plugin_name
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    PermissionDenied,
    Refused,
    if_permitted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import together
from ansible_collections.vaultops.vault.plugins.module_utils._operations.rows import running_row
from ansible_collections.vaultops.vault.plugins.module_utils._text import (
    and_more,
    did_you_mean,
    nearest,
    quoted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params, Result, Spec

Mounts = t.Dict[str, t.Optional[t.List[Mount]]]

SPEC: Spec = {
    "name": {"type": "str"},
    "type": {"type": "str", "choices": ["auth", "secret", "database"]},
    "mounts": {"type": "list", "elements": "str"},
    "builtin": {"type": "bool", "default": False},
    "commands": {"type": "bool", "default": False},
    "health": {"type": "bool", "default": False},
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
        """The kinds of mounts to read; database plugins have none."""
        kinds = [kind for kind in ("secret", "auth") if self.kind in ("", kind)]
        if self.paths is None:
            return kinds
        named = {mount_kind(path) for path in self.paths}
        return [kind for kind in kinds if kind in named]

    def has(self, row: PluginRow) -> bool:
        """Tell whether a plugin is asked for."""
        if self.name not in ("", row.name) or self.kind not in ("", row.kind):
            return False
        if self.paths is not None:
            return bool(row.mounts)
        return bool(self.name) or self.builtin or not row.builtin


def run(client: VaultClient, params: Params, _check_mode: bool) -> Result:
    """Read, and report; raises VaultError where nothing can be read."""
    choice = Choice(
        name=plugin_name(params["name"]) if params["name"] else "",
        kind=params["type"] or "",
        paths=None if params["mounts"] is None else mount_paths(params["mounts"]),
        builtin=params["builtin"],
    )
    catalog, mounts, denied = _looks(client, choice)
    _fail_if_blind(choice, catalog, mounts, denied)
    runtimes = _runtimes(client, catalog, denied)
    rows = [row for row in plugin_rows(catalog, _chosen(choice, mounts)) if choice.has(row)]
    if params["health"]:
        rows = _with_health(client, rows)
    client.warn(*_unread(catalog, denied), *_misses(choice, catalog, mounts, rows))
    files = _files(client, rows) if params["commands"] else None
    return {
        "changed": False,
        "plugins": [_plugin_row(row, files, params["health"]) for row in rows],
        "summary": [line for row in rows for line in row.summary()],
        "runtimes": None if runtimes is None else [runtime._asdict() for runtime in runtimes],
    }


# What is told of the file of an entry.
Files = t.Mapping[CatalogEntry, Result]


def _files(client: VaultClient, rows: t.Sequence[PluginRow]) -> Files:
    """Return the command of each external entry, or why it is not known; raises VaultError."""
    entries = [e for row in rows for e in row.versions or () if not e.builtin]
    found = together(client, [partial(_file, client, entry) for entry in entries])
    files = dict(zip(entries, found))
    unknown = [f"{entry}: {file['error']}" for entry, file in files.items() if file["error"]]
    if unknown:
        client.warn(f"the command is not known of {unknown[0]}{and_more(unknown)}")
    return files


def _file(client: VaultClient, entry: CatalogEntry) -> Result:
    denied: list[PermissionDenied] = []
    there = if_permitted(partial(read_registration, client, entry), denied)
    if there is None:
        return {"command": None, "error": f"permission denied: {denied[0].where}"}
    return {"command": there.command, "error": there.failure or None}


def _with_health(client: VaultClient, rows: t.Sequence[PluginRow]) -> list[PluginRow]:
    """Return the rows with the health of each mount; what is down, or unknown, is a warning."""
    health = check_all(client, [each.mount for row in rows for each in row.mounts or ()], "")
    for words, alive in (("down", False), ("not known to answer", None)):
        paths = [path for path, found in health.items() if found.alive is alive]
        if paths:
            client.warn(f"{words}: {quoted(paths)}: {health[paths[0]].reason}")
    return [with_health(row, health) for row in rows]


def _plugin_row(row: PluginRow, files: Files | None, health: bool) -> Result:
    """Return the row of the result's ``plugins``."""
    return {
        "type": row.kind,
        "name": row.name,
        "versions": None
        if row.versions is None
        else [_version_row(entry, files) for entry in row.versions],
        "pin": row.pin or None,
        "mounts": None if row.mounts is None else [_mount_row(each, health) for each in row.mounts],
    }


def _version_row(entry: CatalogEntry, files: Files | None) -> Result:
    """Return the row of a plugin's ``versions``."""
    file = {} if files is None else files.get(entry, {"command": "", "error": None})
    return {**running_row(entry.running), "builtin": entry.builtin, **file}


def _mount_row(row: MountRow, health: bool) -> Result:
    """Return the row of a plugin's ``mounts``."""
    mount, expected = row.mount, row.expectation.entry
    asked = {"alive": row.health.alive, "error": row.health.reason or None} if health else {}
    registered = row.configured.sha256 if row.configured else None
    return {
        "path": mount.path,
        "accessor": mount.accessor,
        "configured": {"version": mount.version, "sha256": registered},
        "expected": None if expected is None else running_row(expected.running),
        "running": running_row(mount.running),
        "current": row.current,
        **asked,
    }


def _runtimes(
    client: VaultClient, catalog: Catalog | None, denied: list[PermissionDenied]
) -> list[Runtime] | None:
    """Return the plugin runtimes of the server, None where they cannot be read."""
    if catalog is None:
        return None  # nor is it known whether this server has any
    if catalog.openbao:
        return []
    try:
        return if_permitted(partial(list_runtimes, client), denied)
    except Refused as error:
        if error.status != 404:
            raise
        return []  # before Vault 1.15


def _looks(
    client: VaultClient, choice: Choice
) -> tuple[Catalog | None, Mounts, list[PermissionDenied]]:
    """Return the catalog, the mounts by kind, and the refusals of what cannot be read."""
    reads: list[t.Callable[[], t.Any]] = [
        partial(read_catalog, client),
        *(partial(list_mounts, client, (kind,)) for kind in choice.kinds),
    ]
    found = together(client, [partial(_permitted, read) for read in reads], quick=True)
    (catalog, *listed), denied = zip(*found)
    mounts = (None if each is None else list(each.values()) for each in listed)
    return (
        catalog,
        dict(zip(choice.kinds, mounts)),
        [error for errors in denied for error in errors],
    )


def _permitted(read: t.Callable[[], t.Any]) -> tuple[t.Any, list[PermissionDenied]]:
    """Return what ``read`` returns, or None, and the refusal."""
    denied: list[PermissionDenied] = []
    return if_permitted(read, denied), denied


def _fail_if_blind(
    choice: Choice, catalog: Catalog | None, mounts: Mounts, denied: list[PermissionDenied]
) -> None:
    """Raise the refusal where nothing of what was asked for can be reported."""
    listed = [rows for rows in mounts.values() if rows is not None]
    if not listed and (catalog is None or choice.paths is not None) and denied:
        raise denied[-1]


def _chosen(choice: Choice, mounts: Mounts) -> Mounts:
    """Return only the mounts that are asked for."""
    if choice.paths is None:
        return mounts
    paths = frozenset(choice.paths)
    return {
        kind: None if rows is None else [mount for mount in rows if mount.path in paths]
        for kind, rows in mounts.items()
    }


def _unread(catalog: Catalog | None, denied: list[PermissionDenied]) -> list[str]:
    warnings = [f"permission denied: {error.where}: what depends on it is null" for error in denied]
    if catalog is not None and catalog.pins is None:
        warnings.append(
            "permission denied reading sys/plugins/pins: pins, and what mounts are expected to "
            "run, are null"
        )
    return warnings


def _misses(
    choice: Choice, catalog: Catalog | None, mounts: Mounts, rows: list[PluginRow]
) -> list[str]:
    """Return a warning for each name and path that leads to nothing."""
    warnings = []
    if choice.name and not rows and choice.paths is None:
        near = nearest(choice.name, catalog.names() if catalog else ())
        warnings.append(
            f'no plugin "{choice.name}" of this kind is registered or mounted here'
            f"{did_you_mean(near)}"
        )
    known = {mount.path: mount for listed in mounts.values() for mount in listed or []}
    unnamed = unnamed_plugins(known.values())
    if choice.name and unnamed:
        warnings.append(f'{unnamed}: it is not listed, also if it runs "{choice.name}"')
    for path in choice.paths or []:
        if mounts.get(mount_kind(path)) is None:
            continue
        if path not in known:
            near = nearest(path, [p for p, mount in known.items() if not mount.singleton])
            warnings.append(f'there is no mount "{path}"{did_you_mean(near)}')
        elif known[path].singleton:
            warnings.append(f'mount "{path}" is a part of the server itself, with no plugin')
    return warnings
