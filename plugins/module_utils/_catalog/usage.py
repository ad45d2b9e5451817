# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who needs an entry of the catalog, in all namespaces that the token may read."""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.database_connections import (
    connection_paths,
    read_connection,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount, list_mounts
from ansible_collections.vaultops.vault.plugins.module_utils._api.namespaces import child_namespaces
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import Catalog
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    PermissionDenied,
    if_permitted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient

_DATABASE = "database"


class Usage(t.NamedTuple):
    """``users`` are paths from the root namespace on; ``denied`` is what the token may not read."""

    users: t.Sequence[str]
    denied: t.Sequence[str]


def find_usage(client: VaultClient, catalog: Catalog, entry: CatalogEntry) -> Usage:
    """Return who is configured for ``entry``, runs it, or would load it; raises VaultError."""
    users: list[str] = []
    denied: list[PermissionDenied] = []
    namespaces = [""]
    while namespaces:
        namespace = namespaces.pop(0)
        for mount in _mounts(client, entry, namespace, denied):
            if entry.kind == _DATABASE:
                users += _connections(client, entry, namespace, mount, denied)
            elif _needs(catalog, mount, entry):
                users.append(namespace + mount.path)
        children = if_permitted(partial(child_namespaces, client, namespace), denied)
        namespaces += [namespace + child for child in children or ()]
    return Usage(users, [error.where for error in denied])


def _mounts(
    client: VaultClient, entry: CatalogEntry, namespace: str, denied: list[PermissionDenied]
) -> list[Mount]:
    """Return the mounts of a namespace that could need ``entry``."""
    kind, plugin = ("secret", _DATABASE) if entry.kind == _DATABASE else (entry.kind, entry.name)
    mounts = if_permitted(partial(list_mounts, client, (kind,), namespace), denied)
    return [mount for mount in (mounts or {}).values() if mount.plugin == plugin]


def _needs(catalog: Catalog, mount: Mount, entry: CatalogEntry) -> bool:
    return (
        entry.version in (mount.version, mount.running_version)
        or catalog.expectation(mount).entry == entry
    )


def _connections(
    client: VaultClient,
    entry: CatalogEntry,
    namespace: str,
    mount: Mount,
    denied: list[PermissionDenied],
) -> list[str]:
    """Return the connections of a database mount that use ``entry``."""
    paths = if_permitted(partial(connection_paths, client, mount.path, namespace), denied)
    reads = (partial(read_connection, client, path, namespace) for path in paths or ())
    rows = [if_permitted(read, denied) for read in reads]
    return [
        namespace + row.path
        for row in rows
        if row and row.plugin == entry.name and entry.version in (row.version, row.running_version)
    ]
