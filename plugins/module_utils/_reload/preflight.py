# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight: the mounts that a reload is for, what they should run, what cannot be reloaded."""

from __future__ import annotations

import types
import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import (
    SINGLETONS,
    Mount,
    list_mounts,
    read_mounts,
    unnamed_plugins,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Health, check_all
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    BY_TYPE_NOT_HERE,
    FINISH_REMOVAL,
    LEAVE_TYPE_OUT,
    NAME_MOUNTS,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import (
    NOT_KNOWN,
    Catalog,
    Expectation,
    read_catalog,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    OptionError,
    PermissionDenied,
    if_permitted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import together
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import is_stale
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions
from ansible_collections.vaultops.vault.plugins.module_utils._text import (
    and_more,
    did_you_mean,
    nearest,
    quoted,
)

T = t.TypeVar("T")
# What was read, None where the token may not, and what is skipped for that.
_Found = t.Tuple[t.Optional[T], t.List[str]]
# What the caller wants to see running, by the path of the mount.
Expected = t.Mapping[str, CatalogEntry]
BY_THE_CATALOG: Expected = types.MappingProxyType({})


class Preflight(t.NamedTuple):
    """What was found: ``mounts`` are those that the options name, ``catalog`` what they can load.

    Each is None where it was not read, or the token may not read it.  ``expected`` is what the
    caller wants to see running, where that is not left to the catalog.  ``skipped`` are the checks
    that were not possible, in words.  ``unnamed`` says that some mounts
    do not name their plugin, and ``unseen`` why only the server knows which mounts there are.
    """

    mounts: t.Sequence[Mount] | None = None
    catalog: Catalog | None = None
    expected: Expected = BY_THE_CATALOG
    skipped: t.Sequence[str] = ()
    unnamed: bool = False
    unseen: str = ""

    def expectation(self, mount: Mount) -> Expectation:
        """Return what ``mount`` is expected to run after a reload."""
        if mount.path in self.expected:
            return Expectation(self.expected[mount.path])
        return self.catalog.expectation(mount) if self.catalog else NOT_KNOWN

    @property
    def complete(self) -> bool:
        """Whether it is known which mounts there are, and what each of them is expected to run."""
        if self.mounts is None or self.catalog is None or self.unnamed:
            return False
        return self.catalog.pins is not None or all(
            mount.path in self.expected for mount in self.mounts
        )


def inspect(client: VaultClient, options: ReloadOptions, expected: Expected) -> Preflight:
    """Return what a reload is for; raises OptionError for what cannot be reloaded."""
    if not options.verify:
        return Preflight()
    preflight = Preflight(expected=expected)
    if options.paths:
        return _inspect_mounts(client, preflight, options.paths)
    return _inspect_plugin(client, preflight, options)


class Selection(t.NamedTuple):
    """``mounts`` are those to reload, None where only the server knows them.

    ``health`` is that of the mounts that had a health check for the choice, by path.
    """

    mounts: t.Sequence[Mount] | None
    health: t.Mapping[str, Health] = types.MappingProxyType({})

    @property
    def empty(self) -> bool:
        """Whether there is certainly nothing to reload."""
        return self.mounts is not None and not self.mounts


def select(
    client: VaultClient, options: ReloadOptions, preflight: Preflight, check_mode: bool
) -> Selection:
    """Return the mounts to reload; raises VaultError.

    With ``only_stale`` those that do not run what they are expected to run, or do not answer.
    """
    if options.only_stale:
        return stale_mounts(client, options, preflight)
    mounts = preflight.mounts
    if mounts is not None and check_mode and asks_in_check_mode(options, preflight):
        health = _health(client, options, mounts)
        return Selection([m for m in mounts if not health[m.path].being_removed], health)
    return Selection(mounts)


def asks_in_check_mode(options: ReloadOptions, preflight: Preflight) -> bool:
    """Whether health tells what a reload of all mounts would find: OpenBao's listing does not."""
    return options.probe is not None and preflight.catalog is not None and preflight.catalog.openbao


class NotInspected(OptionError):
    """What the mounts run has to be known, and may not be read."""


def stale_mounts(client: VaultClient, options: ReloadOptions, preflight: Preflight) -> Selection:
    """Return the mounts that need a reload on the node that answers; raises VaultError."""
    if preflight.unseen:
        raise OptionError(
            f"state=current has to inspect the mounts, and {preflight.unseen}",
            next_step=NAME_MOUNTS,
        )
    if preflight.mounts is None or preflight.catalog is None:
        raise NotInspected(
            f"mounts and catalog have to be read first: {'; '.join(preflight.skipped)}",
            next_step="give the token the rights that the documentation lists",
        )
    if options.plugin_type:
        _refuse_other_namespaces(client)
    health = _health(client, options, preflight.mounts)
    stale = [
        mount
        for mount in preflight.mounts
        if not health[mount.path].being_removed
        and is_stale(mount, preflight.expectation(mount), health[mount.path])
    ]
    return Selection(stale, health)


def _health(
    client: VaultClient, options: ReloadOptions, mounts: t.Sequence[Mount]
) -> t.Mapping[str, Health]:
    """Return the health of ``mounts``; raises OptionError for a named one that is being removed."""
    health = check_all(client, mounts, options.probe)
    if not options.leaves_out_removed:
        refuse_removed(health)
    elif removed := _removed(health):
        warn_of_left_out(client, removed)
    return health


def refuse_removed(health: t.Mapping[str, Health]) -> None:
    """Raise OptionError where one of the mounts, by path, is being removed."""
    removed = _removed(health)
    if removed:
        raise OptionError(
            f"{quoted(removed)} cannot be reloaded: {health[removed[0]].reason}",
            next_step=FINISH_REMOVAL,
        )


def _removed(health: t.Mapping[str, Health]) -> list[str]:
    return [path for path, found in health.items() if found.being_removed]


def _refuse_other_namespaces(client: VaultClient) -> None:
    """Raise OptionError where plugin_type means mounts that are not read: of other namespaces."""
    # Imported here: hardly any task needs it.
    from ansible_collections.vaultops.vault.plugins.module_utils._api.health import known_server

    server = known_server(client)
    if server.product != "Vault" or server.enterprise:
        raise OptionError(
            "state=current inspects the mounts of one namespace, and plugin_type means those of "
            "all namespaces",
            next_step="leave plugin_type out, and run the task in each namespace; or leave "
            "state=current out",
        )


def warn_of_left_out(client: VaultClient, paths: t.Sequence[str]) -> None:
    """Warn, once for a task, of mounts of a plugin that are being removed."""
    words = f"left out, as no reload makes them answer: they are being removed: {quoted(paths)}"
    if words not in client.warnings:
        client.warn(words)


def _inspect_mounts(client: VaultClient, preflight: Preflight, paths: t.Sequence[str]) -> Preflight:
    (mounts, skipped), catalog = _looks(client, partial(_named_mounts, client, paths))
    if mounts is None or catalog is None:
        return preflight._replace(skipped=skipped)
    named = [mounts[path] for path in paths]
    preflight = _with_catalog(preflight._replace(mounts=named), catalog)
    return _with_unnamed(preflight, unnamed_plugins(named))


def _named_mounts(client: VaultClient, paths: t.Sequence[str]) -> dict[str, Mount]:
    """Return the mounts at ``paths``; raises OptionError where one cannot be reloaded."""
    mounts = read_mounts(client, paths)
    for path in paths:
        if path not in mounts:
            # Imported here: most tasks name mounts that exist.
            from ansible_collections.vaultops.vault.plugins.module_utils._api.missing_mount import (
                missing_mount,
            )

            raise missing_mount(client, path)
        if mounts[path].singleton:
            raise _singleton(f'mount "{path}"')
    return mounts


def _inspect_plugin(client: VaultClient, preflight: Preflight, options: ReloadOptions) -> Preflight:
    """Inspect all mounts of a plugin.

    ``mounts`` is None, too, for a database plugin: its connections are no mounts.
    """
    plugin = options.plugin
    kind = options.plugin_type
    if plugin in SINGLETONS:
        raise _singleton(f'plugin "{plugin}"')
    (listed, skipped), found = _looks(client, partial(list_mounts, client))
    if listed is None or found is None:
        return preflight._replace(skipped=skipped)
    # With plugin_type=database there are none: its connections are no mounts.
    any_kind = kind in (None, "unknown")
    mounts = [
        mount
        for mount in listed.values()
        if mount.plugin == plugin and (any_kind or mount.kind == kind)
    ]
    preflight = _with_catalog(preflight._replace(mounts=mounts), found)
    unnamed = unnamed_plugins(listed.values(), None if any_kind else kind)
    preflight = _with_unnamed(preflight, unnamed)
    catalog = preflight.catalog
    kinds = catalog.kinds(plugin) if catalog else set()
    _refuse_what_is_by_mount_only(catalog, mounts, options)
    by_server = kind in ("database", "unknown") or (kind is None and "database" in kinds)
    if not mounts and (catalog is None or by_server or (unnamed and kinds)):
        unseen = (
            f'no mount of plugin "{plugin}" is visible here: only the server knows what it runs'
        )
        return preflight._replace(mounts=None, skipped=[*preflight.skipped, unseen], unseen=unseen)
    if not mounts and not kinds and catalog:
        # Imported here: only a message needs it.
        from ansible_collections.vaultops.vault.plugins.module_utils._api.health import cli_name

        near = nearest(plugin, catalog.names())
        raise OptionError(
            f'plugin "{plugin}" is not in the catalog{did_you_mean(near)}',
            next_step=f'register it first, or see "{cli_name(client)} plugin list"',
        )
    return preflight


def _refuse_what_is_by_mount_only(
    catalog: Catalog | None, mounts: t.Sequence[Mount], options: ReloadOptions
) -> None:
    """Raise OptionError for what OpenBao does not reload by plugin; state=current goes by mount."""
    if catalog is None or not catalog.openbao or options.only_stale:
        return
    if options.plugin_type:
        raise OptionError(BY_TYPE_NOT_HERE, next_step=LEAVE_TYPE_OUT)
    if mounts and not catalog.kinds(options.plugin):
        raise OptionError(
            f'plugin "{options.plugin}" is not in the catalog, and OpenBao reloads by plugin only '
            f"what is; its mounts: {quoted([mount.path for mount in mounts])}",
            next_step=NAME_MOUNTS,
        )


def _with_unnamed(preflight: Preflight, unnamed: str) -> Preflight:
    """Return ``preflight`` with the sentence about mounts that do not name their plugin."""
    if not unnamed:
        return preflight
    skipped = [*preflight.skipped, f"{unnamed}: skipped the check of what is expected"]
    return preflight._replace(unnamed=True, skipped=skipped)


def _singleton(what: str) -> OptionError:
    return OptionError(
        f"{what} is a part of the server itself, with no plugin to reload",
        next_step="leave it out",
    )


def _with_catalog(preflight: Preflight, found: _Found[Catalog]) -> Preflight:
    """Return ``preflight`` with the catalog; raises OptionError for a plugin that it lacks."""
    catalog, skipped = found
    preflight = preflight._replace(catalog=catalog)
    if catalog is not None and not preflight.complete:
        skipped = [
            "permission denied reading the pinned versions: skipped the check of what is expected"
        ]
    lost = [m for m in preflight.mounts or [] if catalog and catalog.lacks_plugin_of(m)]
    if lost:
        expected = catalog.version_of(lost[0]) if catalog else ""
        version = f" in version {expected}" if expected else ""
        has_others = len(lost) < len(preflight.mounts or [])
        others = "; to reload the others alone, name them in mounts" if has_others else ""
        raise OptionError(
            f'mount "{lost[0].path}"{and_more(lost)} cannot be reloaded: its plugin '
            f'"{lost[0].plugin}"{version} is no longer in the catalog, so it would not start again',
            next_step=f"register the plugin, or tune the mount to a registered version{others}",
        )
    return preflight._replace(skipped=[*preflight.skipped, *skipped])


def _looks(
    client: VaultClient, read: t.Callable[[], t.Mapping[str, Mount]]
) -> tuple[_Found[t.Mapping[str, Mount]], _Found[Catalog] | None]:
    """Return the mounts as ``read`` reads them, and the catalog, in one round trip.

    The catalog is None where the token may not read the mounts, and it is of no use.
    """
    reads: list[t.Callable[[], _Found[t.Any]]] = [
        partial(_read, read, "the mounts"),
        partial(_read, partial(read_catalog, client), "the plugin catalog"),
    ]
    found = together(client, reads, quick=True, ends=lambda part: part[0] is None)
    mounts = found[0]
    return mounts, None if mounts[0] is None else found[1]


def _read(read: t.Callable[[], T], what: str) -> _Found[T]:
    """Return what ``read`` returns, or None and what is skipped for want of permission."""
    denied: list[PermissionDenied] = []
    found = if_permitted(read, denied)
    return found, [
        f"permission denied reading {what} ({error.where}): skipped the check of {what}"
        for error in denied
    ]
