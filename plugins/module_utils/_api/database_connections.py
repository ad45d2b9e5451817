# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections of a mount of the database plugin.

API: https://openbao.org/api-docs/secret/databases/
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.lists import list_keys
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient


class DatabaseConnection(t.NamedTuple):
    """A connection: ``plugin`` is a database plugin, the versions are empty where it has none."""

    path: str
    plugin: str
    version: str
    running_version: str


def connection_paths(client: VaultClient, mount: str, namespace: str) -> list[str]:
    """Return the paths of the connections of the mount at ``mount``; raises VaultError."""
    config = f"{mount}config"
    return [f"{config}/{name}" for name in list_keys(client, config, namespace)]


def read_connection(client: VaultClient, path: str, namespace: str) -> DatabaseConnection:
    """Return the connection at ``path``; raises VaultError."""
    row = client.request("GET", path, namespace=namespace).data
    return DatabaseConnection(
        path=path,
        plugin=row.text("plugin_name"),
        version=row.text("plugin_version"),
        running_version=row.text("running_plugin_version"),
    )
