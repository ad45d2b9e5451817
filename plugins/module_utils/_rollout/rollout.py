# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving mounts to a version, batch by batch, each verified; a failure rolls all of them back."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import (
    IGNORED,
    Server,
    read_server,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import read_mounts
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import (
    Health,
    check_all,
    check_health,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    is_failure_of_plugin,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import Expectation
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    NotSent,
    OptionError,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.interruption import let_end
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
    left_alone,
    predicted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import refuse_removed
from ansible_collections.vaultops.vault.plugins.module_utils._reload.reload import reload
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import ReloadResult
from ansible_collections.vaultops.vault.plugins.module_utils._reload.standbys import (
    wait_for_standbys,
)
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.configure import (
    configure,
    restore,
)
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.options import RolloutOptions
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.plan import Plan, Step
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.progress import Progress
from ansible_collections.vaultops.vault.plugins.module_utils._text import first_few, quoted

_FIX_VERSION = (
    "fix the new version (its file and sha256 on each node; the server's log has the reason), then "
    "run the task again"
)

_FIX_PROBED_VERSION = (
    "fix the new version, or give a path that both versions answer as probe, then run the task "
    "again"
)

_UNVERIFIED = (
    "see that nothing else configures or reloads these mounts, and that the token may read what "
    "the verification reads, then run the task again"
)

_KEEPS_BUILTIN = (
    "the server keeps its builtin plugin there: register the new one under a name of its own, and "
    "mount that"
)

# So often a rollback is tried where the server itself is not able to, and the pause between two.
TRIES, TRY_PAUSE = 3, 5.0


class RolloutResult(t.NamedTuple):
    """All that is known of a rollout, or in check mode of what it would do.

    ``rolled_back`` says whether all mounts run their previous version again, None where nothing
    was to be rolled back.  ``error`` is why the rollout failed, None where it did not.
    """

    plan: Plan
    progress: Progress
    changed: bool
    rolled_back: bool | None = None
    error: VaultError | None = None


class _Reloaded(t.NamedTuple):
    """``done`` is None where no reload was sent; ``error`` is why the mounts are not verified.

    ``unverified`` says that no reload failed, and what runs is another version, or not known.
    """

    done: ReloadResult | None
    error: VaultError | None
    unverified: bool = False

    @property
    def was_tried(self) -> bool:
        """Whether the server has started, or tried to start, a plugin."""
        done = self.done
        return done is not None and (done.changed or any(row.stayed_down for row in done.mounts))


def roll_out(
    client: VaultClient, options: RolloutOptions, plan: Plan, check_mode: bool
) -> RolloutResult:
    """Move the mounts of ``plan`` and verify each batch; in check mode predict it."""
    server = Server()
    try:
        if options.reload.scope != "local":
            server = read_server(client)
        _refuse_standbys_that_need_restart(server, plan)
        _refuse_removed(client, options, plan)
        ahead = _preflight(client, options.reload, plan, server, check_mode)
    except VaultError as error:
        return _unchanged(plan, Progress(pin=plan.pinned), error)
    if check_mode:
        return _predicted(plan, ahead)
    progress, count = Progress(pin=plan.pinned), len(plan.steps)
    for batch in plan.batches:
        progress, failure = _move(client, options.reload, plan, server, progress, batch)
        if failure is not None and not progress.may_have_changed:
            return _unchanged(plan, progress, failure)
        if failure is not None:
            return _roll_back(client, options.reload, plan, server, progress, failure)
        client.progress(f"{len(progress.started)} of {count} mounts run {plan.entry.version}")
    return RolloutResult(plan, progress, progress.changed)


def _refuse_standbys_that_need_restart(server: Server, plan: Plan) -> None:
    """Raise OptionError where standbys would not follow, so that all had to be rolled back."""
    need_restart = server.global_scope == IGNORED and not server.standbys_learn
    if need_restart and any(plan.configures(step) for step in plan.steps):
        raise OptionError(
            f"{server.name} tells its standbys of a new version only when they start",
            next_step="upgrade with scope=local at the active node, then restart each standby",
        )


def _refuse_removed(client: VaultClient, options: RolloutOptions, plan: Plan) -> None:
    """Raise OptionError for a mount that is named and being removed: it can prove no version."""
    if options.reload.probe is None:
        return  # no health check is wanted
    every = options.paths is not None
    named = [step.mount for step in plan.steps if every or step.path == options.canary]
    refuse_removed(check_all(client, named, ""))


def _preflight(
    client: VaultClient, options: ReloadOptions, plan: Plan, server: Server, check_mode: bool
) -> ReloadResult | None:
    """Inspect what the verification will inspect: what is in its way shows before any change."""
    steps = [step for step in plan.steps if step.current is not None]
    if not steps:
        return None
    asked = _for_steps(options, steps)
    without = asked if check_mode else asked._replace(probe=None)
    entries = {step.path: plan.entry for step in steps}
    ahead = reload(client, without, expected=entries, check_mode=True, server=server)
    if ahead.error is not None:
        raise ahead.error
    unreachable = [row for row in ahead.nodes or () if row.error]
    if unreachable:
        raise VaultError(
            f"node {unreachable[0].node.name}: {unreachable[0].error}",
            # It starts with what it knew when it stopped, and learns what is configured later.
            next_step="start it again; or name the others in nodes, and when it is back, run the "
            "task again with all",
        )
    if asked.probe:
        _refuse_wrong_probe(client, steps, asked.probe)
    return ahead


def _refuse_wrong_probe(client: VaultClient, steps: t.Sequence[Step], probe: str) -> None:
    """Raise OptionError for a probe that fails before anything is changed: the path is wrong.

    A mount that is down may be healed by the new version.
    """
    health = check_all(client, [step.mount for step in steps], probe)
    failed = [path for path, found in health.items() if found.probe_failed or found.alive is None]
    if failed:
        raise OptionError(
            f'probe "{probe}" fails already, with what runs now, on {quoted(failed)}: '
            f"{health[failed[0]].reason}",
            next_step="give a path below each mount that the plugin answers and the token may "
            "read, or leave probe out",
        )


def _move(
    client: VaultClient,
    options: ReloadOptions,
    plan: Plan,
    server: Server,
    progress: Progress,
    batch: t.Sequence[Step],
) -> tuple[Progress, VaultError | None]:
    """Let ``batch`` run the new version, and verify it; return the error where that fails."""
    configured = configure(client, plan, batch)
    progress = progress.with_started(batch).with_configured(plan, configured)
    if configured.error is not None:
        return progress, configured.error
    entries = {step.path: plan.entry for step in batch}
    reloaded = _reload_verified(client, options, server, batch, entries)
    if reloaded.error is None:
        _warn_of_other_versions(client, plan, reloaded)
    return _after(progress, reloaded), _of_version(reloaded, plan.entry)


def _warn_of_other_versions(client: VaultClient, plan: Plan, reloaded: _Reloaded) -> None:
    """Warn of mounts that run the new version, and that somebody configured for another since."""
    rows = [row.after for row in (reloaded.done.mounts if reloaded.done else ()) if row.after]
    others = [mount for mount in rows if mount.version != plan.entry.version]
    if others and not plan.by_pin:
        run, were, its = ("runs", "was", "its") if len(others) == 1 else ("run", "were", "their")
        client.warn(
            f"{quoted([mount.path for mount in others])} {run} {plan.entry.version}, and {were} "
            f"configured for {others[0].version or 'no version'} meanwhile, which {its} next start "
            "takes: run the task again, or see who did"
        )


def _of_version(reloaded: _Reloaded, entry: CatalogEntry) -> VaultError | None:
    """Return the error of a move to ``entry``; it accuses the version only where that failed."""
    error = reloaded.error
    if error is None or not reloaded.was_tried or isinstance(error, NoAnswer):
        return error
    failed = [mount for mount in reloaded.done.mounts if mount.failed] if reloaded.done else []
    is_gone = bool(failed) and all(mount.gone for mount in failed)
    only_probe = bool(failed) and all(mount.health.probe_failed for mount in failed)
    # A builtin plugin was not asked for the probe, and one that was down did not answer it.
    if only_probe and not any(mount.before.builtin or mount.was_down for mount in failed):
        what = f"{entry} does not work: {error.what}; what ran before answered it"
        return error.with_context(what, next_step=_FIX_PROBED_VERSION)
    if reloaded.unverified or only_probe or is_gone:
        return error.with_context(f"{entry} is not verified: {error.what}")
    return error.with_context(f"{entry} does not work: {error.what}", next_step=_FIX_VERSION)


def _reload_verified(
    client: VaultClient,
    options: ReloadOptions,
    server: Server,
    steps: t.Sequence[Step],
    entries: t.Mapping[str, CatalogEntry],
) -> _Reloaded:
    """Reload the mounts that do not run ``entries``; what is not verified is an error."""
    asked = _for_steps(options, steps)
    try:
        if server.global_scope == IGNORED:
            wait_for_standbys(client, asked, entries, server)
        done = reload(client, asked, expected=entries, server=server)
    except VaultError as error:
        return _Reloaded(None, error)
    if done.error is not None:
        return _Reloaded(done, done.error)
    # That no node may be asked, or one of them, or is to be asked, is no failure of the version.
    asked_all = all(row.ok is not None for row in done.nodes or ())
    needed = options.scope == "local" or (done.nodes and asked_all)
    if done.unverified or (not done.verified and needed):
        reasons = "; ".join(done.unverified) or "what the mounts run could not be verified"
        # OpenBao 2.6 says the new version, and no file, of what is builtin all the same.
        kept = any(
            row.before.builtin
            and not entries[row.before.path].builtin
            and row.after is not None
            and not row.after.running_sha256
            for row in done.mounts
        )
        next_step = _KEEPS_BUILTIN if kept else _UNVERIFIED
        return _Reloaded(done, VaultError(reasons, next_step=next_step), unverified=True)
    return _Reloaded(done, None)


def _for_steps(options: ReloadOptions, steps: t.Sequence[Step]) -> ReloadOptions:
    return options._replace(paths=[step.path for step in steps])


def _after(progress: Progress, reloaded: _Reloaded) -> Progress:
    return progress if reloaded.done is None else progress.with_reload(reloaded.done)


def _roll_back(
    client: VaultClient,
    options: ReloadOptions,
    plan: Plan,
    server: Server,
    progress: Progress,
    error: VaultError,
) -> RolloutResult:
    """Restore the previous version of all that was started; the error has both failures."""
    lost = [step.path for step in progress.started if step.previous is None]
    steps = progress.to_roll_back(plan)
    failures: t.Mapping[str, VaultError] = {}
    if steps or progress.pin != plan.pinned:
        let_end("the rollback", "if it is cut short, mounts may stay down")
        client.progress(f"rolls back: {error.what}")
        progress, failures = _restore_verified(client, options, plan, server, progress, steps)
    complete: bool | None = bool(steps) and not failures and not lost
    if not progress.changed and (complete or not steps):
        complete = None  # it has changed nothing
    pin = _pin_now(plan, progress, bool(complete))
    what = f"{_outcome(progress, steps, lost, failures)}{error.what}{pin}"
    left = [failure for failure in failures.values() if not isinstance(failure, _NotThere)]
    if left:
        # Status, address and next step are those of the failure that is left to be dealt with.
        first = left[0]
        where = f" ({error.where})" if error.where else ""
        error = first.with_context(f"{what}{where}; the rollback failed too: {_listed(failures)}")
    else:
        error = error.with_context("; ".join(filter(None, (what, _listed(failures)))))
    return RolloutResult(plan, progress, progress.changed, rolled_back=complete, error=error)


def _pin_now(plan: Plan, progress: Progress, complete: bool) -> str:
    """Return which version the plugin is pinned to in the end, where that is to be told."""
    if progress.pin == plan.pinned and (complete or not plan.moves_pin):
        return ""
    if progress.pin is None:
        return "; it is unknown to which version the plugin is pinned"
    now = f"pinned to {progress.pin}" if progress.pin else "not pinned"
    if progress.pin == plan.pinned:
        return f"; the plugin is {now}, as before"
    if progress.pin == plan.pinned_back:
        return f"; the plugin is {now} now, which is what the mounts ran"
    return f"; the plugin is {now}, which each of its mounts runs after its next start"


def _listed(failures: t.Mapping[str, VaultError]) -> str:
    """Return what kept mounts from being rolled back, once for those with the same reason."""
    groups: dict[str, list[str]] = {}
    for path, error in failures.items():
        groups.setdefault(error.what, []).append(path)
    return "; ".join(f"{quoted(paths)}: {what}" for what, paths in groups.items())


def _restore_verified(
    client: VaultClient,
    options: ReloadOptions,
    plan: Plan,
    server: Server,
    progress: Progress,
    steps: t.Sequence[Step],
) -> tuple[Progress, t.Mapping[str, VaultError]]:
    """Undo ``steps``, verify all that were started, and return what failed in the end, by path."""
    # The old version need not know the path that the new one is asked for: path help does for any.
    asked = options._replace(probe="")
    started = [step for step in progress.started if step.previous is not None]
    gone = _not_there(client, started)
    not_restored: dict[str, VaultError] = {}
    failures: dict[str, VaultError] = {}
    for attempt in range(TRIES):
        time.sleep(TRY_PAUSE if attempt else 0)
        # One pin is that of all, also of those that cannot be reloaded for it.
        there = [step for step in steps if step.path not in gone]
        to_restore = progress.started if plan.by_pin else there
        errors = restore(client, plan, to_restore)
        progress = progress.with_restored(plan, [s for s in to_restore if s.path not in errors])
        not_restored = {**errors, **gone}
        restored = [step for step in started if step.path not in not_restored]
        progress, unverified = _reload_restored(client, asked, server, progress, restored)
        failures = {**unverified, **not_restored}
        if not any(map(_is_temporary, failures.values())):
            break
    left = [step for step in started if step.path in not_restored]
    rows = [_last(client, progress, step, not_restored[step.path]) for step in left]
    return progress.with_last(rows), failures


class _NotThere(VaultError):
    """A mount was disabled meanwhile, so there is nothing to roll back."""


def _not_there(client: VaultClient, steps: t.Sequence[Step]) -> dict[str, VaultError]:
    """Return why mounts cannot be rolled back that are not there any more, by path."""
    try:
        mounts = read_mounts(client, [step.path for step in steps])
    except VaultError:
        return {}  # each is tried
    gone: dict[str, VaultError] = {}
    for step in steps:
        mount = mounts.get(step.path)
        if mount is None:
            gone[step.path] = _NotThere("was disabled or moved meanwhile")
        elif mount.accessor != step.mount.accessor:
            gone[step.path] = _NotThere(
                f'was replaced meanwhile by another mount, of plugin "{mount.plugin}", which is '
                "left as it is"
            )
    return gone


def _last(client: VaultClient, progress: Progress, step: Step, error: VaultError) -> MountResult:
    """Return what is known in the end of a mount that could not be configured for its version."""
    row = progress.mounts.get(step.path) or left_alone(step.mount)
    if isinstance(error, _NotThere):
        return row._replace(after=None, error=error.what, health=Health(None, error.what))
    if row.health.alive is None:
        row = row._replace(health=check_health(client, step.mount, ""))
    return row._replace(error=row.error or f"could not be rolled back: {error.what}")


def _reload_restored(
    client: VaultClient,
    options: ReloadOptions,
    server: Server,
    progress: Progress,
    steps: t.Sequence[Step],
) -> tuple[Progress, dict[str, VaultError]]:
    """Let ``steps`` run their previous version, each by itself where they cannot all at once."""
    if not steps:
        return progress, {}
    previous = {step.path: step.previous for step in steps if step.previous is not None}
    reloaded = _reload_verified(client, options, server, steps, previous)
    progress = _after(progress, reloaded)
    if reloaded.error is None:
        return progress, {}
    if reloaded.done is not None or len(steps) == 1:
        rows = reloaded.done.mounts if reloaded.done else ()
        failed = [row.before.path for row in rows if row.failed] or list(previous)
        return progress, dict.fromkeys(failed, reloaded.error)
    failures: dict[str, VaultError] = {}
    for step in steps:
        progress, failure = _reload_restored(client, options, server, progress, [step])
        failures.update(failure)
    return progress, failures


def _is_temporary(error: VaultError) -> bool:
    """Tell whether the server may be able to in a moment: an election ends."""
    if isinstance(error, (NoAnswer, NotSent)):
        return True
    return (error.status or 0) >= 500 and not is_failure_of_plugin(error)


def _outcome(
    progress: Progress,
    steps: t.Sequence[Step],
    lost: t.Sequence[str],
    failures: t.Mapping[str, VaultError],
) -> str:
    """Return what serves in the end, as the beginning of a message."""
    if steps and not failures and not lost:
        removed = [mount for mount in progress.mounts.values() if mount.being_removed]
        count = len(progress.started) - len(removed)
        serve = "the mount serves" if count == 1 else f"all {count} mounts serve"
        return f"{serve} the old version again: "
    if progress.down:
        return f"{first_few(progress.down)} DOWN: "
    if lost:
        return f"cannot roll back {quoted(lost)}: "
    if not steps:
        return ""  # nothing had to be undone: the failure says it all
    alive = {path: mount.health.alive for path, mount in progress.mounts.items()}
    if any(alive.get(p) is None and not isinstance(e, _NotThere) for p, e in failures.items()):
        return "it is unknown what serves: "
    return f"cannot roll back {quoted(list(failures))}: "


def _unchanged(plan: Plan, progress: Progress, error: VaultError) -> RolloutResult:
    failure = error.with_context(f"nothing was changed: {error.what}")
    return RolloutResult(plan, progress, changed=False, error=failure)


def _predicted(plan: Plan, ahead: ReloadResult | None) -> RolloutResult:
    """Return check mode's result; ``ahead`` knows which mounts do not run the new version."""
    mounts = {row.before.path: row for row in ahead.mounts} if ahead else {}
    changed = plan.moves_pin and bool(plan.steps)
    for step in plan.steps:
        if step.path not in mounts and plan.changes(step):
            mounts[step.path] = predicted(step.mount, Expectation(plan.entry))
        row = mounts.get(step.path) or left_alone(step.mount)
        changed = changed or plan.configures(step) or (bool(row.reloaded) and not row.being_removed)
    pin = plan.entry.version if plan.moves_pin and plan.steps else plan.pinned
    nodes, warnings = (ahead.nodes, ahead.warnings) if ahead else (None, ())
    progress = Progress(mounts=mounts, nodes=nodes, pin=pin, warnings=warnings)
    return RolloutResult(plan, progress, changed)
