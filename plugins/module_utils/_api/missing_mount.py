# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error for a mount that does not exist, with the one that was probably meant.

Imported where it is raised: most tasks name mounts that exist.
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import cli_name
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import list_mounts
from ansible_collections.vaultops.vault.plugins.module_utils._api.namespaces import child_namespaces
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    OptionError,
    Refused,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._text import did_you_mean, nearest


def missing_mount(client: VaultClient, path: str) -> OptionError:
    """Return the error for a ``path`` at which there is no mount, with the one probably meant."""
    namespace, cli = client.connection.namespace, cli_name(client)
    inside = f' in namespace "{namespace}"' if namespace else ""
    return OptionError(
        f'mount "{path}" does not exist{inside}{_suggestion(client, path)}',
        next_step=f'see "{cli} secrets list" and "{cli} auth list"',
    )


def _suggestion(client: VaultClient, path: str) -> str:
    try:
        child = next((name for name in _children(client) if path.startswith(name)), None)
        if child is not None:
            own = "" if client.connection.namespace == "root" else client.connection.namespace
            inner, mount = "/".join(filter(None, [own, child.rstrip("/")])), path[len(child) :]
            if not mount:
                return (
                    f' (this is a namespace: set namespace to "{inner}", and name a mount inside)'
                )
            return f' (set namespace to "{inner}" for the mount "{mount}")'
        known = [mount.path for mount in list_mounts(client).values() if not mount.singleton]
    except VaultError:
        return ""
    # The server would take secret/typo for secret/, and sys/mounts/foo for a part of itself.
    inner = path[len("sys/mounts/") :] if path.startswith("sys/mounts/") else path
    around = [mount for mount in known if inner.startswith(mount)]
    return did_you_mean(
        around[-1] if around else inner if inner in known else nearest(inner, known)
    )


def _children(client: VaultClient) -> list[str]:
    try:
        return list(child_namespaces(client))
    except Refused:
        return []
