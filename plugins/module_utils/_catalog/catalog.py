# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalog with its pins, and what each mount is expected to run by them."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
    canonical_version,
    list_entries,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    PermissionDenied,
    Refused,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient

if t.TYPE_CHECKING:
    from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_pins import Pins


class Expectation(t.NamedTuple):
    """What a mount is expected to run: ``entry``, None where the catalog does not have it.

    With ``known`` false it is not known, and ``entry`` is None.
    """

    entry: CatalogEntry | None
    known: bool = True

    @property
    def missing(self) -> bool:
        """Whether it is known, and not in the catalog."""
        return self.known and self.entry is None

    def is_met_by(self, mount: Mount) -> bool | None:
        """Tell whether ``mount`` runs it, by its version and sha256; None where it is not known."""
        if not self.known:
            return None
        return self.entry is not None and self.entry.running == mount.running


NOT_KNOWN = Expectation(None, known=False)


class Catalog(t.NamedTuple):
    """All entries, and the pins: None where the token may not read them."""

    entries: t.Sequence[CatalogEntry]
    pins: Pins | None

    def expectation(self, mount: Mount) -> Expectation:
        """Return what a reload of ``mount`` is expected to start.

        The pinned version, else the configured one, else the entry without a version, else the
        builtin plugin of that name.  It is not known where a pin may be hidden, for a mount that
        does not name its plugin, and for a builtin plugin that no catalog lists: no server lists
        ``database`` as one for secrets.
        """
        if self.pins is None or mount.unnamed_plugin:
            return NOT_KNOWN
        version = self.version_of(mount)
        entry = self._entry(mount, version)
        if entry is None and mount.builtin and not version:
            return NOT_KNOWN
        return Expectation(entry)

    def configured_entry(self, mount: Mount) -> CatalogEntry | None:
        """Return the entry that ``mount`` itself is configured for, None where it is missing."""
        return self._entry(mount, mount.version)

    def current_entry(self, mount: Mount) -> CatalogEntry | None:
        """Return what a reload of ``mount`` would start, as far as the pins are known."""
        if self.pins is None:
            return self.configured_entry(mount)
        return self.expectation(mount).entry

    def lacks_plugin_of(self, mount: Mount) -> bool:
        """Tell whether a reload could not restart ``mount``: there is nothing to start."""
        if mount.unnamed_plugin:
            return False
        version = self.version_of(mount)
        return self._entry(mount, version) is None and (bool(version) or not mount.builtin)

    @property
    def openbao(self) -> bool:
        """Whether the server is OpenBao, by the versions of its builtin plugins."""
        return any(entry.version.endswith("+builtin.bao") for entry in self.entries)

    def named(self, kind: str, name: str) -> list[CatalogEntry]:
        """Return the entries of a plugin, in the server's order, the newest version last."""
        return [entry for entry in self.entries if (entry.kind, entry.name) == (kind, name)]

    def external(self, kind: str, name: str) -> list[CatalogEntry]:
        """Return the entries of a plugin that are not builtin."""
        return [entry for entry in self.named(kind, name) if not entry.builtin]

    def misspelled(self, kind: str, name: str, version: str) -> CatalogEntry | None:
        """Return the entry whose plugin reported ``version`` in another spelling, if there is."""
        others = (entry for entry in self.external(kind, name) if entry.misspelled)
        return next((e for e in others if canonical_version(e.version) == version), None)

    def kinds(self, name: str) -> set[str]:
        """Return the kinds (secret, auth, database) in which a plugin ``name`` is registered."""
        return {entry.kind for entry in self.entries if entry.name == name}

    def names(self) -> set[str]:
        """Return the names of all plugins."""
        return {entry.name for entry in self.entries}

    def pin_of(self, kind: str, name: str) -> str | None:
        """Return the pinned version, empty for none, None where it is not known."""
        return None if self.pins is None else self.pins.get((kind, name), "")

    def version_of(self, mount: Mount) -> str:
        """Return the version that ``mount`` should run, as far as the pins are known."""
        return self.pin_of(mount.kind, mount.plugin) or mount.version

    def _entry(self, mount: Mount, version: str) -> CatalogEntry | None:
        named = self.named(mount.kind, mount.plugin)
        exact = [entry for entry in named if entry.version == version]
        builtin = [entry for entry in named if entry.builtin and not version]
        return next(iter(exact + builtin), None)


def read_catalog(client: VaultClient) -> Catalog:
    """Return the catalog and the pins; raises VaultError where the catalog cannot be read."""
    catalog = Catalog(list_entries(client), {})
    if catalog.openbao:
        return catalog  # it has no pins
    # Imported here: a task on OpenBao needs nothing of it.
    from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_pins import read_pins

    try:
        return catalog._replace(pins=read_pins(client))
    except PermissionDenied:
        return catalog._replace(pins=None)
    except Refused as error:
        if error.status != 404:
            raise
        return catalog  # before Vault 1.16
