# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mounts move to a version, in which order, and what each can be rolled back to."""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import (
    Mount,
    list_mounts,
    unnamed_plugins,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import check_all
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CORRECT_PLUGIN,
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_pins import require_pins
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import (
    Catalog,
    Expectation,
    read_catalog,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.wanted import (
    is_builtin_version,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NotInCatalog,
    OptionError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import together
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.options import RolloutOptions
from ansible_collections.vaultops.vault.plugins.module_utils._text import (
    and_more,
    did_you_mean,
    nearest,
)

_NO_PINS = "leave pin out, then each mount is configured for the version"


class Step(t.NamedTuple):
    """A mount that is to move.

    ``current`` is what a reload would start before that, and ``previous`` what the mount can be
    rolled back to; each is None where there is none.
    """

    mount: Mount
    current: CatalogEntry | None
    previous: CatalogEntry | None

    @property
    def path(self) -> str:
        """The path of the mount."""
        return self.mount.path


class Plan(t.NamedTuple):
    """All that is to happen, canary first, in ``batches``; ``entry`` is the new version.

    ``pinned`` is the version that the plugin is pinned to now, empty for none; ``by_pin`` says that
    its pin is moved, and not the version of each mount; ``pinned_back`` is where a rollback puts
    the pin.  ``siblings`` are the mounts that are not
    to move and run one of the versions involved: if the plugin is multiplexed, one process serves
    them all.  ``follow`` are those that run another version, and that a moved pin moves when they
    start next.
    """

    entry: CatalogEntry
    batches: t.Sequence[t.Sequence[Step]]
    pinned: str
    by_pin: bool
    pinned_back: str
    siblings: t.Sequence[str]
    follow: t.Sequence[str]

    @property
    def steps(self) -> list[Step]:
        """All steps, in their order."""
        return [step for batch in self.batches for step in batch]

    @property
    def moves_pin(self) -> bool:
        """Whether the pin is to be moved: it is not at the new version already."""
        return self.by_pin and self.pinned != self.entry.version

    def configures(self, step: Step) -> bool:
        """Whether the mount itself is to be configured for the new version."""
        return not self.by_pin and step.mount.version != self.entry.version

    def changes(self, step: Step) -> bool:
        """Whether the mount is to be configured, by itself or by a pin, or runs something else."""
        return (
            self.moves_pin
            or self.configures(step)
            or not Expectation(self.entry).is_met_by(step.mount)
        )


def make_plan(client: VaultClient, options: RolloutOptions) -> Plan:
    """Read catalog and mounts, and plan; raises OptionError for what must not be started."""
    looks: list[t.Callable[[], t.Any]] = [
        partial(read_catalog, client),
        partial(list_mounts, client),
    ]
    catalog, listed = together(client, looks, quick=True)
    kind = _kind(catalog, listed, options)
    entry = _entry(catalog, kind, options)
    mounts = _selected(client, listed, kind, options)
    if options.pin:
        catalog = catalog._replace(pins=require_pins(client, catalog.openbao, _NO_PINS))
    pinned = catalog.pin_of(kind, options.plugin) or ""
    by_pin = options.pin or bool(pinned)
    pinned_back = pinned
    steps = [_step(catalog, mount, entry, by_pin) for mount in mounts]
    if by_pin and pinned == entry.version:
        steps, pinned_back = _back_to_what_runs(catalog, steps, entry)
    elif by_pin:
        steps = _reversible(client, steps, entry)
    if not options.force:
        _refuse_lost(client, catalog, entry, steps, options, by_pin)
    versions = {entry.version, *(mount.running_version for mount in mounts)}
    paths = {mount.path for mount in mounts}
    others = [
        mount
        for mount in listed.values()
        if (mount.kind, mount.plugin) == (kind, entry.name) and mount.path not in paths
    ]
    siblings = [mount.path for mount in others if mount.running_version in versions]
    follow = [mount.path for mount in others if mount.running_version != entry.version]
    batches = _batches(steps, options)
    return Plan(entry, batches, pinned, by_pin, pinned_back, siblings, follow)


def _kind(catalog: Catalog, listed: t.Mapping[str, Mount], options: RolloutOptions) -> str:
    name = options.plugin
    kinds = {mount.kind for mount in listed.values() if mount.plugin == name}
    kinds = kinds or (catalog.kinds(name) - {"database"})
    if options.kind or len(kinds) == 1:
        return options.kind or kinds.pop()
    if not kinds and "database" in catalog.kinds(name):
        raise OptionError(
            f'plugin "{name}" is a database plugin, which no mount runs',
            next_step="set plugin_version of its connections, and reload the mounts that have them",
        )
    if not kinds:
        near = nearest(name, [e.name for e in catalog.entries if e.kind != "database"])
        raise NotInCatalog(
            f'plugin "{name}" is not in the catalog{did_you_mean(near)}',
            next_step="register its new version first, with the module plugin",
        )
    raise OptionError(f'there is an auth and a secret plugin "{name}"', next_step="give type")


def _entry(catalog: Catalog, kind: str, options: RolloutOptions) -> CatalogEntry:
    """Return the entry of the new version; raises OptionError where there is none."""
    named = catalog.named(kind, options.plugin)
    found = next((entry for entry in named if entry.version == options.version), None)
    if found is None:
        there = ", ".join(entry.version or "one without a version" for entry in named) or "none"
        if is_builtin_version(options.version):
            raise OptionError(
                f'the server has no builtin {kind} plugin "{options.plugin}" {options.version}',
                next_step="a builtin version comes with the server: give one of the catalog "
                f"(there: {there})",
            )
        raise NotInCatalog(
            f'{kind} plugin "{options.plugin}" has no version {options.version} in the catalog '
            f"(there: {there})",
            next_step=CORRECT_PLUGIN
            if catalog.misspelled(kind, options.plugin, options.version)
            else "register it first, with the module plugin",
        )
    return found


def _selected(
    client: VaultClient, listed: t.Mapping[str, Mount], kind: str, options: RolloutOptions
) -> list[Mount]:
    """Return the mounts to move, the canary first."""
    name = options.plugin
    own = {p: m for p, m in listed.items() if (m.kind, m.plugin) == (kind, name)}
    unnamed = unnamed_plugins(listed.values(), kind)
    if unnamed and options.paths is None:
        client.warn(f'{unnamed}: it is not moved, also if it runs "{name}"')
    canary = [options.canary] if options.canary else []
    selected = [*canary, *(own if options.paths is None else options.paths)]
    for path in selected:
        if path not in listed:
            # Imported here: most tasks name mounts that exist.
            from ansible_collections.vaultops.vault.plugins.module_utils._api.missing_mount import (
                missing_mount,
            )

            raise missing_mount(client, path)
        if listed[path].unnamed_plugin:
            raise OptionError(
                unnamed_plugins([listed[path]]),
                next_step="leave it out: only a mount made anew can move to another version",
            )
        if path not in own:
            raise OptionError(
                f'mount "{path}" runs plugin "{listed[path].plugin}", not {kind} plugin "{name}"',
                next_step="name mounts of one plugin",
            )
    return [own[path] for path in dict.fromkeys(selected)]


def _step(catalog: Catalog, mount: Mount, entry: CatalogEntry, by_pin: bool) -> Step:
    current = catalog.current_entry(mount)
    return Step(mount, current, current if by_pin else _previous(catalog, mount, entry))


def _reversible(client: VaultClient, steps: t.Sequence[Step], entry: CatalogEntry) -> list[Step]:
    """Return the steps as the rollback of a pin can undo them, without ``previous`` where not.

    The pin may say another version than what runs, as nobody has reloaded the mount since: then a
    rollback would start what it did not run.  A mount that runs ``entry`` already is left alone,
    and one that is down has nothing to lose.
    """
    new = Expectation(entry)
    found = [step._replace(previous=entry) if new.is_met_by(step.mount) else step for step in steps]
    others = [step for step in found if not _runs_previous(step)]
    lost = {step.path for step in _not_down(client, others)}
    return [step._replace(previous=None) if step.path in lost else step for step in found]


def _back_to_what_runs(
    catalog: Catalog, steps: t.Sequence[Step], entry: CatalogEntry
) -> tuple[list[Step], str]:
    """Return the steps, and where a rollback puts the pin, which is at ``entry`` already.

    It pins the plugin to what runs; one pin is one version, so the others have no ``previous``.
    """
    new = Expectation(entry)
    found = [
        step._replace(
            previous=entry if new.is_met_by(step.mount) else _previous(catalog, step.mount, entry)
        )
        for step in steps
    ]
    others = [step.previous for step in found if step.previous not in (None, entry)]
    first = next((other for other in others if other is not None), entry)
    return [
        step if step.previous in (entry, first) else step._replace(previous=None) for step in found
    ], first.version


def _refuse_lost(
    client: VaultClient,
    catalog: Catalog,
    entry: CatalogEntry,
    steps: t.Sequence[Step],
    options: RolloutOptions,
    by_pin: bool,
) -> None:
    """Raise OptionError for a mount that runs what it could not be rolled back to."""
    lost = [step for step in steps if step.previous is None]
    running = {step.path for step in _not_down(client, lost)}
    if options.reload.scope != "local":
        # On the other nodes it may run all the same.
        running.update(step.path for step in lost if step.mount.says_what_runs)
    lost = [step for step in lost if step.path in running]
    if lost:
        raise _no_previous_version(catalog, lost, entry, by_pin)


def _not_down(client: VaultClient, steps: t.Sequence[Step]) -> list[Step]:
    """Return those of ``steps`` whose mounts are not known to be down: they may lose something."""
    health = check_all(client, [step.mount for step in steps], "") if steps else {}
    return [step for step in steps if health[step.path].alive is not False]


def _runs_previous(step: Step) -> bool:
    """Tell whether what a rollback starts is what runs, by version or file, or nothing runs."""
    mount, previous = step.mount, step.previous
    if previous is None or not mount.says_what_runs:
        return True
    same_file = bool(previous.sha256) and previous.sha256 == mount.running_sha256
    return same_file or previous.version == mount.running_version


def _previous(catalog: Catalog, mount: Mount, entry: CatalogEntry) -> CatalogEntry | None:
    """Return what ``mount`` can be rolled back to from ``entry``, None where there is nothing.

    What it runs, by version and file, or by file, as the server configures no mount for no version,
    or by version.
    """
    named = [e for e in catalog.named(mount.kind, mount.plugin) if e.version]
    same = [e for e in named if e.running == mount.running]
    same += [e for e in named if e.sha256 and e.sha256 == mount.running_sha256]
    same += [e for e in named if e.version == mount.running_version != entry.version]
    return next(iter(same), None)


def _no_previous_version(
    catalog: Catalog, lost: t.Sequence[Step], entry: CatalogEntry, by_pin: bool
) -> OptionError:
    mount, current = lost[0].mount, lost[0].current
    runs = _previous(catalog, mount, entry) if by_pin else None
    if current is not None and runs is not None:
        why = (
            f"it runs {mount.running_version or 'no version'}, and its next start is to run "
            f"{current.version or 'no version'}"
        )
        step = f"pin the plugin to {runs.version}, and run the task again"
    elif by_pin and current is not None and not mount.running_version:
        why = f"it runs no version, and its next start is to run {current.version or 'no version'}"
        step = "reload it first, to see that it runs that"
    elif mount.running_version:
        why = f"what it runs as {mount.running_version} is no longer registered"
        step = "register that again"
    else:
        why = "it runs a plugin without a version, and the server configures no mount for none"
        step = "register the file that runs with a version too"
    return OptionError(
        f'mount "{mount.path}"{and_more(lost)} could not be rolled back: {why}',
        next_step=f"{step}, or set force=true to move it without a way to roll back",
    )


def _batches(steps: t.Sequence[Step], options: RolloutOptions) -> list[t.Sequence[Step]]:
    first = 1 if options.canary else 0
    rest, size = steps[first:], options.batch or len(steps)
    batches = [rest[start : start + size] for start in range(0, len(rest), size or 1)]
    return [steps[:first], *batches] if first else batches
