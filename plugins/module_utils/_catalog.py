# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plugin catalog, pinned versions, and what a mount is expected to run.

API: https://openbao.org/api-docs/system/plugins-catalog/ and
https://developer.hashicorp.com/vault/api-docs/system/plugins-pins
"""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._errors import Refused
from ansible_collections.vaultops.vault.plugins.module_utils._mounts import Mount


class CatalogEntry(t.NamedTuple):
    """A plugin that the server can start: ``version`` and ``sha256`` are empty where it has none.

    A builtin plugin has no sha256 and a version that contains ``+builtin``.
    """

    kind: str
    name: str
    version: str
    sha256: str
    builtin: bool


class Catalog(t.NamedTuple):
    """All entries, and the version that each pinned plugin, by kind and name, is pinned to.

    ``hidden_pins`` says that there may be pins which the token may not read.
    """

    entries: t.Sequence[CatalogEntry]
    pins: t.Mapping[tuple[str, str], str]
    hidden_pins: bool = False

    def expected_entry(self, mount: Mount) -> CatalogEntry | None:
        """Return the entry that a reload of ``mount`` would start, None where it is missing.

        The pinned version, else the configured one, else the entry without a version, else the
        builtin plugin of that name.
        """
        version = self.pins.get((mount.kind, mount.plugin), mount.version)
        named = [entry for entry in self.entries if self._is_of(entry, mount)]
        exact = [entry for entry in named if entry.version == version]
        builtin = [entry for entry in named if entry.builtin and not version]
        return next(iter(exact + builtin), None)

    def kinds(self, name: str) -> set[str]:
        """Return the kinds (secret, auth, database) in which a plugin ``name`` is registered."""
        return {entry.kind for entry in self.entries if entry.name == name}

    def near(self, name: str) -> str:
        """Return a name in the catalog that looks like ``name``, else nothing."""
        names = sorted({entry.name for entry in self.entries})
        return next(iter(difflib.get_close_matches(name, names, n=1)), "")

    @staticmethod
    def _is_of(entry: CatalogEntry, mount: Mount) -> bool:
        return (entry.kind, entry.name) == (mount.kind, mount.plugin)


def read_catalog(client: VaultClient) -> Catalog:
    """Return the catalog and the pins; raises VaultError where the catalog cannot be read."""
    try:
        answer = client.request("GET", "sys/plugins/catalog")
    except Refused as error:
        if error.status != 404 or not client.connection.namespace:
            raise
        # Vault has the catalog in the root namespace only.
        answer = client.request("GET", "sys/plugins/catalog", namespace="")
    entries = [
        CatalogEntry(
            kind=row["type"],
            name=row["name"],
            version=row.get("version") or "",
            sha256=row.get("sha256") or "",
            builtin=bool(row.get("builtin")),
        )
        for row in answer.data.get("detailed") or []
    ]
    # OpenBao has no pins, and tells itself by the versions of its builtin plugins.
    if any(entry.version.endswith("+builtin.bao") for entry in entries):
        return Catalog(entries, {})
    try:
        pins = client.request("GET", "sys/plugins/pins", namespace="").data
    except Refused as error:
        return Catalog(entries, {}, hidden_pins=error.status == 403)  # 404: before Vault 1.16
    rows = pins.get("pinned_versions") or []
    return Catalog(entries, {(row["type"], row["name"]): row["version"] for row in rows})
