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
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import (
    Mount,
    list_mounts,
    unnamed_plugins,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.namespaces import child_namespaces
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import Catalog
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    PermissionDenied,
    Refused,
    TokenNotAccepted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import together

_DATABASE = "database"

T = t.TypeVar("T")


class Usage(t.NamedTuple):
    """``users`` are paths from the root namespace on; ``unknown`` is what could not be read, and
    ``next_step`` what would help with the first of that.
    """

    users: t.Sequence[str]
    unknown: t.Sequence[str]
    next_step: str


def find_usage(client: VaultClient, catalog: Catalog, entry: CatalogEntry) -> Usage:
    """Return who is configured for ``entry``, runs it, or would load it; raises VaultError."""
    search = _Search(client, catalog, entry)
    search.run()
    return Usage(search.users, search.unknown, search.next_step)


class _Search:
    """A walk through all namespaces; what cannot be read there is unknown, and no error."""

    def __init__(self, client: VaultClient, catalog: Catalog, entry: CatalogEntry) -> None:
        self.client = client
        self.catalog = catalog
        self.entry = entry
        self.users: list[str] = []
        self.unknown: list[str] = []
        self.next_step = ""
        self._title = f"it is unknown who needs {entry}"
        # A proxy that drops the header X-Vault-Namespace answers for the same one without end.
        self._seen: set[str | frozenset[str]] = set()

    def run(self) -> None:
        """Search the root namespace and all below it."""
        level = [("", "root")]
        while level:
            level = self._search_level(level)

    def _search_level(self, level: t.Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Search namespaces, each with its id, all at the same time; return their children."""
        new = [(path, own_id) for path, own_id in level if not self._seen_before(path, own_id)]
        mounts: list[t.Callable[[], t.Any]] = [
            partial(self._tried, partial(list_mounts, self.client, (self._kind,), path), path)
            for path, _id in new
        ]
        children: list[t.Callable[[], t.Any]] = [
            partial(self._tried, partial(child_namespaces, self.client, path), path)
            for path, _id in new
        ]
        reads = [*mounts, *children]
        found = together(self.client, reads, quick=True)
        below: list[tuple[str, str]] = []
        for (path, own_id), its_mounts, its_children in zip(new, found, found[len(new) :]):
            if self._search_one(path, own_id, self._noted(its_mounts)):
                inner = self._noted(its_children) or {}
                below += [(path + child, child_id) for child, child_id in sorted(inner.items())]
        return below

    def _search_one(
        self, namespace: str, own_id: str, mounts: t.Mapping[str, Mount] | None
    ) -> bool:
        """Search a namespace; return whether its children are its own."""
        if self._seen_before(namespace, frozenset(m.accessor for m in (mounts or {}).values())):
            return False
        for mount in (mounts or {}).values():
            self._look_at(namespace, mount)
        return mounts is not None or bool(own_id)  # nothing else tells it from its parent

    @property
    def _kind(self) -> str:
        return "secret" if self.entry.kind == _DATABASE else self.entry.kind

    def _seen_before(self, namespace: str, mark: str | frozenset[str]) -> bool:
        """Tell whether another namespace has ``mark``, its id or the accessors of its mounts."""
        if mark not in self._seen:
            self._seen |= {mark} if mark else set()
            return False
        self._add_unknown(
            f'{self._title}: namespace "{namespace}" answers as another namespace does',
            "see whether a proxy drops the header X-Vault-Namespace",
        )
        return True

    def _look_at(self, namespace: str, mount: Mount) -> None:
        """Note ``mount`` where it needs the entry, or may need it."""
        entry, path = self.entry, namespace + mount.path
        if entry.kind == _DATABASE:
            if mount.plugin == _DATABASE:
                self.users += self._connections(namespace, mount)
        elif mount.unnamed_plugin:
            self._add_unknown(
                f"{self._title}: {unnamed_plugins([mount._replace(path=path)])}",
                "make sure that it runs another plugin",
            )
        elif self._needs(mount):
            self.users.append(path)

    def _needs(self, mount: Mount) -> bool:
        entry = self.entry
        if mount.plugin == entry.full_name != entry.name:
            return True
        return mount.plugin == entry.name and (
            entry.version in (mount.version, mount.running_version)
            or self.catalog.expectation(mount).entry == entry
        )

    def _connections(self, namespace: str, mount: Mount) -> list[str]:
        """Return the connections of a database mount that use the entry."""
        client, entry = self.client, self.entry
        listing = partial(connection_paths, client, mount.path, namespace)
        paths = self._noted(self._tried(listing, namespace))
        reads = [partial(read_connection, client, path, namespace) for path in paths or ()]
        found = together(client, [partial(self._tried, read, namespace) for read in reads])
        return [
            namespace + row.path
            for row in map(self._noted, found)
            if row
            and row.plugin == entry.name
            and entry.version in (row.version, row.running_version)
        ]

    def _tried(
        self, read: t.Callable[[], T], namespace: str
    ) -> tuple[T | None, tuple[str, str] | None]:
        """Return what ``read`` returns, or what is unknown then, and what would help."""
        inside = f'in namespace "{namespace}", ' if namespace else ""
        try:
            return read(), None
        except TokenNotAccepted:
            raise
        except PermissionDenied as error:
            what = f"permission denied reading who needs {self.entry}: {inside}{error.where}"
            return None, (what, "give the token the rights that the documentation lists")
        except Refused as error:
            what = f"{self._title}: {inside}{error.what} ({error.where})"
            return None, (what, error.next_step or "correct what the server names")
        except NoAnswer as error:
            what = f"{self._title}: {inside}{error.what} ({error.where})"
            return None, (what, error.next_step)

    def _noted(self, tried: tuple[T | None, tuple[str, str] | None]) -> T | None:
        """Return what was read, and note what was not."""
        found, unknown = tried
        if unknown is not None:
            self._add_unknown(*unknown)
        return found

    def _add_unknown(self, what: str, next_step: str) -> None:
        self.unknown.append(what)
        self.next_step = self.next_step or next_step
