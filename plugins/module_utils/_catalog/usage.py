# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who needs a catalog entry: the mounts, and the database connections, of all namespaces.

API: https://openbao.org/api-docs/system/namespaces/ and
https://openbao.org/api-docs/secret/databases/
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount, list_mounts
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    Catalog,
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import Refused
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient

_DATABASE = "database"


class Usage(t.NamedTuple):
    """``users`` are paths from the root namespace on; ``unseen`` is what the token may not read."""

    users: list[str]
    unseen: list[str]


def find_usage(client: VaultClient, catalog: Catalog, entry: CatalogEntry) -> Usage:
    """Return who is configured for ``entry``, runs it, or would load it; raises VaultError."""
    usage, namespaces = Usage([], []), [""]
    while namespaces:
        namespace = namespaces.pop(0)
        for mount in _mounts(client, entry, namespace, usage):
            if entry.kind == _DATABASE:
                usage.users.extend(_connections(client, entry, namespace, mount, usage))
            elif _needs(catalog, mount, entry):
                usage.users.append(namespace + mount.path)
        namespaces += [
            namespace + child for child in _keys(client, "sys/namespaces", namespace, usage)
        ]
    return usage


def _mounts(client: VaultClient, entry: CatalogEntry, namespace: str, usage: Usage) -> list[Mount]:
    """Return the mounts of a namespace that could need ``entry``."""
    kind, plugin = ("secret", _DATABASE) if entry.kind == _DATABASE else (entry.kind, entry.name)
    try:
        mounts = list_mounts(client, (kind,), namespace)
    except Refused as error:
        _note(error, usage)
        return []
    return [mount for mount in mounts.values() if mount.plugin == plugin]


def _needs(catalog: Catalog, mount: Mount, entry: CatalogEntry) -> bool:
    return (
        entry.version in (mount.version, mount.running_version)
        or catalog.expected_entry(mount) == entry
    )


def _connections(
    client: VaultClient, entry: CatalogEntry, namespace: str, mount: Mount, usage: Usage
) -> list[str]:
    """Return the connections of a database mount that use ``entry``."""
    found = []
    for name in _keys(client, f"{mount.path}config", namespace, usage):
        path = f"{mount.path}config/{name}"
        try:
            row = client.request("GET", path, namespace=namespace).data
        except Refused as error:
            _note(error, usage)
            continue
        versions = (row.get("plugin_version") or "", row.get("running_plugin_version") or "")
        if row.get("plugin_name") == entry.name and entry.version in versions:
            found.append(namespace + path)
    return found


def _keys(client: VaultClient, path: str, namespace: str, usage: Usage) -> list[str]:
    try:
        keys = client.request("LIST", path, namespace=namespace).data.get("keys") or []
    except Refused as error:
        if error.status != 404:  # there are none, or the server knows no namespaces
            _note(error, usage)
        return []
    return [str(key) for key in keys]


def _note(error: Refused, usage: Usage) -> None:
    """Note what may not be read; raises any other refusal."""
    if error.status != 403:
        raise error
    usage.unseen.append(error.where)
