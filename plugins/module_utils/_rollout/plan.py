# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mounts are to move to another version of their plugin, and each one's way back."""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import (
    Mount,
    list_mounts,
    mount_path,
    mount_paths,
    no_such_mount,
    set_version,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    Catalog,
    CatalogEntry,
    is_current,
    needed_pins,
    pin,
    read_catalog,
    unpin,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.wanted import plugin_version
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    OptionError,
    VaultError,
    did_you_mean,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient

_NO_PINS = "leave pin out, then each mount is configured for the version; nothing was changed"


class Move(t.NamedTuple):
    """A mount that is to move.

    ``now`` is what a reload would start before that, and ``back`` what the mount could go back to;
    each is None where there is none.
    """

    mount: Mount
    now: CatalogEntry | None
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

    def is_to_move(self, move: Move) -> bool:
        """Whether the mount is to be configured, by itself or by a pin, or runs something else."""
        configured = self.pinned == self.entry.version if self.pins else not self.sets(move)
        return not (configured and is_current(move.mount, self.entry))


def make_plan(client: VaultClient, params: t.Mapping[str, t.Any]) -> Plan:
    """Look at catalog and mounts, and plan; raises OptionError for what must not be begun."""
    catalog, listed = read_catalog(client), list_mounts(client)
    kind = _kind(catalog, listed, params)
    entry = _entry(catalog, kind, params)
    mounts = _chosen(client, listed, kind, params)
    pins = needed_pins(client, catalog.openbao, _NO_PINS) if params["pin"] else catalog.pins
    pinned = pins.get((kind, params["plugin"]), "")
    plan = Plan(entry, [], pinned, bool(params["pin"] or pinned), [])
    moves = []
    for mount in mounts:
        now = catalog.expected_entry(mount)
        moves.append(Move(mount, now, now if plan.pins else _way_back(catalog, mount, entry)))
    lost = [move for move in moves if move.back is None and _runs_something(move.mount)]
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
    """Configure the mounts of ``batch`` for the new version; yields each that was, or may be.

    Raises VaultError.
    """
    if plan.pins and plan.pinned != plan.entry.version and batch == plan.batches[0]:
        yield from _done(partial(pin, client, plan.entry), batch, f"cannot pin {plan.entry}")
    for move in batch:
        if plan.sets(move):
            path, version = move.mount.path, plan.entry.version
            what = f'cannot configure mount "{path}" for {version}'
            yield from _done(partial(set_version, client, path, version), [move], what)


def _done(step: t.Callable[[], None], moves: t.Sequence[Move], what: str) -> t.Iterator[Move]:
    """Do ``step`` and yield ``moves``, also where it is unknown whether it was done."""
    try:
        step()
    except VaultError as error:
        if isinstance(error, NoAnswer):
            yield from moves
        raise error.retold(f"{what}: {error.what}") from error
    yield from moves


def returning(plan: Plan, begun: t.Sequence[Move], configured: t.Container[Move]) -> list[Move]:
    """Return those of the moves ``begun`` that are to be undone and can be.

    ``configured`` are those that begin() yielded.
    """
    if plan.pins:
        return [m for m in begun if m.back is not None and plan.pinned != plan.entry.version]
    return [
        move
        for move in begun
        if move in configured or not plan.sets(move)
        if move.back is not None and move.back.version != plan.entry.version
    ]


def put_back(client: VaultClient, plan: Plan, moves: t.Sequence[Move]) -> None:
    """Undo the pin, or configure the mounts of ``moves`` for what they ran before.

    ``moves`` are what returning() returned.  Raises VaultError.
    """
    if plan.pins and plan.pinned:
        pin(client, plan.entry._replace(version=plan.pinned))
    elif plan.pins:
        unpin(client, plan.entry.kind, plan.entry.name)
    else:
        for move in moves:
            if move.back is not None:
                set_version(client, move.mount.path, move.back.version)


def _kind(catalog: Catalog, listed: t.Mapping[str, Mount], params: t.Mapping[str, t.Any]) -> str:
    name = params["plugin"]
    kinds = {mount.kind for mount in listed.values() if mount.plugin == name}
    kinds = kinds or (catalog.kinds(name) - {"database"})
    if params["type"] or len(kinds) == 1:
        return str(params["type"] or kinds.pop())
    if not kinds:
        raise OptionError(
            f'plugin "{name}" is not in the catalog{did_you_mean(catalog.near(name))}',
            next_step="register its new version first, with the module plugin; nothing was changed",
        )
    raise OptionError(
        f'there is an auth and a secret plugin "{name}"', next_step="give type; nothing was changed"
    )


def _entry(catalog: Catalog, kind: str, params: t.Mapping[str, t.Any]) -> CatalogEntry:
    """Return the entry of the new version; raises OptionError where there is none."""
    version = plugin_version(params["version"])
    if not version:
        raise OptionError(
            "version is empty", next_step="name the version to move to; nothing was changed"
        )
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
    if params["mounts"] == []:
        raise OptionError(
            "mounts is empty",
            next_step="name one, or leave mounts out for all of the plugin's; nothing was changed",
        )
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


def _way_back(catalog: Catalog, mount: Mount, entry: CatalogEntry) -> CatalogEntry | None:
    """Return what ``mount`` can be configured back to from ``entry``, None where there is nothing.

    What it runs, by version and file, or by file, as the server configures no mount back to no
    version, or by version.
    """
    named = [e for e in catalog.named(mount.kind, mount.plugin) if e.version]
    same = [e for e in named if is_current(mount, e)]
    same += [e for e in named if e.sha256 and e.sha256 == mount.running_sha256]
    same += [e for e in named if e.version == mount.running_version != entry.version]
    return next(iter(same), None)


def _runs_something(mount: Mount) -> bool:
    # OpenBao 2.6 takes the sha256 of a mount away when its reload fails.
    return bool(mount.running_sha256) or mount.builtin


def _no_way_back(lost: t.Sequence[Move]) -> OptionError:
    mount = lost[0].mount
    others = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
    if mount.running_version:
        why = f"what it runs as {mount.running_version} is no longer registered"
        step = "register that again"
    else:
        why = "it runs a plugin without a version, and the server configures no mount back to none"
        step = "register the file that runs with a version too"
    return OptionError(
        f'there would be no way back for mount "{mount.path}"{others}: {why}',
        next_step=f"{step}, or set force=true; nothing was changed",
    )


def _batches(moves: list[Move], params: t.Mapping[str, t.Any]) -> list[list[Move]]:
    if params["batch"] < 0:
        raise OptionError(
            f"batch is {params['batch']}",
            next_step="give the number of mounts to move at a time, or 0; nothing was changed",
        )
    first = 1 if params["canary"] else 0
    rest, size = moves[first:], params["batch"] or len(moves)
    batches = [rest[start : start + size] for start in range(0, len(rest), size or 1)]
    return [moves[:first], *batches] if first else batches
