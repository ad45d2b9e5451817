# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mounts are to move to another version of their plugin, and each one's way back."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._catalog import (
    Catalog,
    CatalogEntry,
    is_current,
    pin,
    read_catalog,
    unpin,
)
from ansible_collections.vaultops.vault.plugins.module_utils._client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._mounts import (
    Mount,
    list_mounts,
    mount_path,
    mount_paths,
    no_such_mount,
    set_version,
)
from ansible_collections.vaultops.vault.plugins.module_utils._registration import plugin_version

SHOWN_MOUNTS = 5


class Move(t.NamedTuple):
    """A mount that is to run ``entry``; ``back`` is what it could go back to, None for nothing."""

    mount: Mount
    entry: CatalogEntry
    back: CatalogEntry | None


class Plan(t.NamedTuple):
    """All that is to happen: the moves, canary first, in ``batches``; ``entry`` is the new version.

    ``pinned`` is the version that the plugin is pinned to now, empty for none; ``pins`` says that
    its pin is moved, and not each mount's own version.  ``siblings`` are the mounts that are not to
    move and run one of the versions involved: if the plugin is multiplexed, one process serves
    them all.
    """

    entry: CatalogEntry
    batches: list[list[Move]]
    pinned: str
    pins: bool
    siblings: list[str]

    @property
    def moves(self) -> list[Move]:
        """All moves, in their order."""
        return [move for batch in self.batches for move in batch]

    def sets(self, move: Move) -> bool:
        """Whether the mount itself is to be configured for the new version."""
        return not self.pins and move.mount.version != self.entry.version


def make_plan(client: VaultClient, params: t.Mapping[str, t.Any]) -> Plan:
    """Look at catalog and mounts, and plan; raises OptionError for what must not be begun."""
    catalog, listed = read_catalog(client), list_mounts(client)
    kind = _kind(catalog, listed, params)
    entry = _entry(catalog, kind, params)
    mounts = _chosen(client, listed, kind, params)
    pinned = catalog.pins.get((kind, params["plugin"]), "")
    plan = Plan(entry, [], pinned, bool(params["pin"] or pinned), [])
    moves = [Move(mount, entry, _way_back(catalog, mount)) for mount in mounts]
    lost = [move for move in moves if move.back is None and not is_current(move.mount, entry)]
    if lost and not params["force"]:
        raise _no_way_back(lost)
    chosen = {move.mount.path for move in moves}
    versions = {entry.version, *(move.mount.running_version for move in moves)}
    siblings = [
        mount.path
        for mount in listed.values()
        if (mount.kind, mount.plugin) == (kind, entry.name)
        and mount.path not in chosen
        and mount.running_version in versions
    ]
    return plan._replace(batches=_batches(moves, params), siblings=siblings)


def begin(client: VaultClient, plan: Plan, batch: t.Sequence[Move]) -> t.Iterator[Move]:
    """Configure the mounts of ``batch`` for the new version; yields each that was, at once.

    Raises VaultError.
    """
    if plan.pins and plan.pinned != plan.entry.version:
        pin(client, plan.entry)
        yield from batch
    for move in batch:
        if plan.sets(move):
            set_version(client, move.mount.path, plan.entry.version)
            yield move


def put_back(client: VaultClient, plan: Plan, moves: t.Sequence[Move]) -> None:
    """Configure ``moves`` for what they were configured for; raises VaultError."""
    if plan.pins and plan.pinned:
        pin(client, plan.entry._replace(version=plan.pinned))
    elif plan.pins:
        unpin(client, plan.entry.kind, plan.entry.name)
    for move in moves:
        if plan.sets(move) and move.back is not None:
            set_version(client, move.mount.path, move.back.version)


def _kind(catalog: Catalog, listed: t.Mapping[str, Mount], params: t.Mapping[str, t.Any]) -> str:
    name = params["plugin"]
    kinds = {mount.kind for mount in listed.values() if mount.plugin == name}
    kinds = kinds or (catalog.kinds(name) - {"database"})
    if params["type"] or len(kinds) == 1:
        return str(params["type"] or kinds.pop())
    if not kinds:
        near = catalog.near(name)
        suggestion = f' (did you mean "{near}"?)' if near else ""
        raise OptionError(
            f'plugin "{name}" is not in the catalog{suggestion}',
            next_step="register its new version first, with the module plugin; nothing was changed",
        )
    raise OptionError(
        f'there is an auth and a secret plugin "{name}"', next_step="give type; nothing was changed"
    )


def _entry(catalog: Catalog, kind: str, params: t.Mapping[str, t.Any]) -> CatalogEntry:
    """Return the entry of the new version; raises OptionError where there is none."""
    version = plugin_version(params["version"])
    named = catalog.named(kind, params["plugin"])
    found = next((entry for entry in named if entry.version == version), None)
    if found is None:
        there = ", ".join(entry.version or "one without a version" for entry in named) or "none"
        raise OptionError(
            f'{kind} plugin "{params["plugin"]}" has no version {version} in the catalog '
            f"(there: {there})",
            next_step="register it first, with the module plugin; nothing was changed",
        )
    return found


def _chosen(
    client: VaultClient,
    listed: t.Mapping[str, Mount],
    kind: str,
    params: t.Mapping[str, t.Any],
) -> list[Mount]:
    """Return the mounts to move, the canary first."""
    name = params["plugin"]
    own = {p: m for p, m in listed.items() if (m.kind, m.plugin) == (kind, name)}
    canary = [mount_path(params["canary"])] if params["canary"] else []
    wanted = mount_paths(params["mounts"]) if params["mounts"] else list(own)
    for path in canary + wanted:
        if path not in listed:
            raise no_such_mount(client, path)
        if path not in own:
            raise OptionError(
                f'mount "{path}" runs plugin "{listed[path].plugin}", not {kind} plugin "{name}"',
                next_step="name mounts of one plugin; nothing was changed",
            )
    return [own[path] for path in dict.fromkeys(canary + wanted)]


def _way_back(catalog: Catalog, mount: Mount) -> CatalogEntry | None:
    """Return the entry to which ``mount`` can be configured back, None where there is none.

    What it runs, by version or, as the server configures no mount back to no version, by file.
    """
    named = [entry for entry in catalog.named(mount.kind, mount.plugin) if entry.version]
    same = [entry for entry in named if entry.version == mount.running_version]
    same += [e for e in named if e.sha256 and e.sha256 == mount.running_sha256]
    return next(iter(same), None)


def _no_way_back(lost: t.Sequence[Move]) -> OptionError:
    mount = lost[0].mount
    others = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
    if mount.running_version:
        why = f"what it runs, {mount.running_version}, is no longer registered"
        step = "register that again"
    else:
        why = "it runs a plugin without a version, and the server configures no mount back to none"
        step = "register the file that runs with a version too"
    return OptionError(
        f'there would be no way back for mount "{mount.path}"{others}: {why}',
        next_step=f"{step}, or set force=true; nothing was changed",
    )


def _batches(moves: list[Move], params: t.Mapping[str, t.Any]) -> list[list[Move]]:
    first = 1 if params["canary"] else 0
    rest, size = moves[first:], params["batch"] or len(moves)
    batches = [rest[start : start + size] for start in range(0, len(rest), size or 1)]
    return [moves[:first], *batches] if first else batches
