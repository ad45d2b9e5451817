# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking before a reload: which mounts are meant, and would each of them come back?"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import (
    SINGLETONS,
    Mount,
    list_mounts,
    no_such_mount,
    read_mounts,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    Catalog,
    CatalogEntry,
    read_catalog,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    OptionError,
    Refused,
    did_you_mean,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient


class Look(t.NamedTuple):
    """What could be seen: ``mounts`` are those that are meant, ``catalog`` what they can load.

    Each is None where the token may not read it, and ``warnings`` say so.
    """

    mounts: list[Mount] | None
    catalog: Catalog | None
    warnings: list[str]

    def expected(self, mount: Mount) -> CatalogEntry | None:
        """Return the entry that a reload of ``mount`` starts, None where that is not known."""
        return self.catalog.expected_entry(mount) if self.catalog else None


def look_at_mounts(client: VaultClient, paths: t.Sequence[str]) -> Look:
    """Look at the mounts at ``paths``; raises OptionError for one that cannot be reloaded."""
    mounts, warnings = _if_allowed(lambda: read_mounts(client, paths), "the mounts")
    if mounts is None:
        return Look(None, None, warnings)
    for path in paths:
        if path not in mounts:
            raise no_such_mount(client, path)
        if mounts[path].singleton:
            raise _singleton(f'mount "{path}"')
    return _with_catalog(client, [mounts[path] for path in paths], warnings)


def look_at_plugin(client: VaultClient, plugin: str, kind: str | None) -> Look:
    """Look at all mounts of ``plugin``, of one ``kind`` or any; raises OptionError.

    ``mounts`` is None, too, for a database plugin: its connections are no mounts.
    """
    if plugin in SINGLETONS:
        raise _singleton(f'plugin "{plugin}"')
    listed, warnings = _if_allowed(lambda: list_mounts(client), "the mounts")
    if listed is None:
        return Look(None, None, warnings)
    meant = [
        mount for mount in listed.values() if mount.plugin == plugin and kind in (None, mount.kind)
    ]
    look = _with_catalog(client, meant, warnings)
    kinds = look.catalog.kinds(plugin) if look.catalog else set()
    if not meant and (look.catalog is None or "database" in kinds):
        unseen = f'no mount of plugin "{plugin}" is to be seen, so the server alone has the word'
        return look._replace(mounts=None, warnings=[*look.warnings, unseen])
    if not meant and not kinds and look.catalog:
        raise OptionError(
            f'plugin "{plugin}" is not in the catalog{did_you_mean(look.catalog.near(plugin))}',
            next_step='register it first, or see "bao plugin list"; nothing was reloaded',
        )
    return look


def _singleton(what: str) -> OptionError:
    return OptionError(
        f"{what} is a part of the server itself, with no plugin to reload",
        next_step="leave it out; nothing was reloaded",
    )


def _with_catalog(client: VaultClient, mounts: list[Mount], warnings: list[str]) -> Look:
    catalog, more = _if_allowed(lambda: read_catalog(client), "the plugin catalog")
    if catalog is not None and catalog.hidden_pins:
        more = ["the token may not read sys/plugins/pins: a pinned version would not be known"]
    look = Look(mounts, catalog, warnings + more)
    lost = [mount for mount in mounts if catalog and catalog.has_lost(mount)]
    if lost:
        mount = lost[0]
        version = f" in version {mount.version}" if mount.version else ""
        others = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise OptionError(
            f'mount "{mount.path}"{others} cannot be reloaded: its plugin "{mount.plugin}"'
            f"{version} is no longer in the catalog, so it would not come back",
            next_step="register the plugin, or tune the mount to a registered version; "
            "nothing was reloaded",
        )
    return look


T = t.TypeVar("T")


def _if_allowed(read: t.Callable[[], T], what: str) -> tuple[T | None, list[str]]:
    try:
        return read(), []
    except Refused as error:
        if error.status not in (403, 404) or "namespace not found" in error.what:
            raise
        return None, [f"the token may not read {what} ({error.where}), so they were not checked"]
