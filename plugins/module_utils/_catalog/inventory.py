# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins as they are registered, pinned, configured and running, side by side.

What the token may not read is None.
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import (
    UNKNOWN_HEALTH,
    Health,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import (
    NOT_KNOWN,
    Catalog,
    Expectation,
)
from ansible_collections.vaultops.vault.plugins.module_utils._text import first_few


class MountRow(t.NamedTuple):
    """A mount: ``configured`` is a catalog entry, None where there is none.

    ``health`` is as far as it was asked for.
    """

    mount: Mount
    configured: CatalogEntry | None
    expectation: Expectation
    health: Health = UNKNOWN_HEALTH

    @property
    def current(self) -> bool | None:
        """Whether it runs what is expected, None where that is not known."""
        return False if self.down else self.expectation.is_met_by(self.mount)

    @property
    def down(self) -> bool:
        """Whether its plugin is known not to answer."""
        return self.health.alive is False


class PluginRow(t.NamedTuple):
    """A plugin of one kind: ``pin`` is empty for none, None where pins cannot be read."""

    kind: str
    name: str
    versions: list[CatalogEntry] | None
    pin: str | None
    mounts: list[MountRow] | None

    @property
    def builtin(self) -> bool:
        """Whether nothing but the server itself brings and runs it."""
        if self.versions:
            return all(entry.builtin for entry in self.versions)
        return bool(self.mounts) and all(row.mount.builtin for row in self.mounts or [])

    def summary(self) -> list[str]:
        """Return a line for each version with its mounts, and one for mounts that have none."""
        return [self._line(entry) for entry in self.versions or []] + self._lines_without_entry()

    def _line(self, entry: CatalogEntry) -> str:
        title = f"{self.name} {self.kind} {entry.version or 'without version'}"
        if self.mounts is None or self.pin is None:
            return title  # which mounts are to run it is not known
        pinned = ", pinned" if entry.version and entry.version == self.pin else ""
        rows = [row for row in self.mounts if row.expectation.entry == entry]
        return f"{title}{pinned}: {_count(rows)}{_not_current(rows)}{_down(rows)}"

    def _lines_without_entry(self) -> list[str]:
        """Return a line for each missing version, and one for mounts that cannot be compared."""
        title = f"{self.name} {self.kind}"
        lost = [row for row in self.mounts or [] if row.expectation.missing]
        rest = [row for row in self.mounts or [] if not row.expectation.known]
        lines = []
        for version in dict.fromkeys(self.pin or row.mount.version for row in lost):
            some = [row for row in lost if (self.pin or row.mount.version) == version]
            lines.append(
                f"{title} {version or 'without version'}, not registered: "
                f"{_count(some)}{_not_current(some)}{_down(some)}"
            )
        if rest:
            lines.append(f"{title}: {_count(rest)} ({_shown(rest)}){_down(rest)}")
        return lines


def plugin_rows(
    catalog: Catalog | None, mounts: t.Mapping[str, t.Sequence[Mount] | None]
) -> list[PluginRow]:
    """Return a row for each plugin, by kind and name; ``mounts`` are by kind."""
    names = {(entry.kind, entry.name) for entry in (catalog.entries if catalog else [])}
    for listed in mounts.values():
        names |= {(mount.kind, mount.plugin) for mount in listed or [] if not mount.singleton}
    return [_plugin_row(catalog, kind, name, mounts.get(kind)) for kind, name in sorted(names)]


def _plugin_row(
    catalog: Catalog | None, kind: str, name: str, mounts: t.Sequence[Mount] | None
) -> PluginRow:
    own = None if mounts is None else [mount for mount in mounts if mount.plugin == name]
    return PluginRow(
        kind=kind,
        name=name,
        versions=catalog.named(kind, name) if catalog else None,
        pin=catalog.pin_of(kind, name) if catalog else None,
        mounts=None if own is None else [_mount_row(catalog, mount) for mount in own],
    )


def _mount_row(catalog: Catalog | None, mount: Mount) -> MountRow:
    if catalog is None:
        return MountRow(mount, None, NOT_KNOWN)
    return MountRow(mount, catalog.configured_entry(mount), catalog.expectation(mount))


def with_health(row: PluginRow, health: t.Mapping[str, Health]) -> PluginRow:
    """Return the row of a plugin with the health of its mounts, which is by path."""
    if row.mounts is None:
        return row
    return row._replace(
        mounts=[each._replace(health=health[each.mount.path]) for each in row.mounts]
    )


def _count(rows: t.Sequence[MountRow]) -> str:
    return f"{len(rows) or 'no'} mount{'' if len(rows) == 1 else 's'}"


def _not_current(rows: t.Sequence[MountRow]) -> str:
    stale = [row for row in rows if row.expectation.is_met_by(row.mount) is False]
    return f", {len(stale)} not current ({_shown(stale)})" if stale else ""


def _down(rows: t.Sequence[MountRow]) -> str:
    down = [row.mount.path for row in rows if row.down]
    return f", {len(down)} down ({first_few(down)})" if down else ""


def _shown(rows: t.Sequence[MountRow]) -> str:
    return first_few([f"{row.mount.path} runs {_running(row)}" for row in rows])


def _running(row: MountRow) -> str:
    """Return what runs, with the sha256 where the version alone does not tell it apart."""
    version, sha256 = row.mount.running_version, row.mount.running_sha256
    expected = row.expectation.entry
    same = expected is not None and expected.version == version
    words = [version, sha256[:8] if same or not version else ""]
    return " ".join(filter(None, words)) or "nothing"
