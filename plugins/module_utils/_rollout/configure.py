# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version the mounts of a plan are configured for, each by itself or all by the pin."""

from __future__ import annotations

import contextlib
import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import (
    read_mounts,
    set_version,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.read_back import (
    NotSeen,
    ensure_written,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.set_pin import set_pin
from ansible_collections.vaultops.vault.plugins.module_utils._errors import NoAnswer, VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.interruption import (
    ends_soon,
    uninterrupted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import together
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.plan import Plan, Step

# What it costs to hang up while the server configures mounts.
_CUT_SHORT = "if they are cut short, it is unknown which version each mount is configured for"

# What Vault says of a mount whose plugin has a pin; a token that may read the pins moves that.
_IS_PINNED = "as a pinned version"
_READ_PINS = (
    "give the token the capability read on sys/plugins/pins, then the pin is moved; or unpin the "
    "plugin"
)


class Configured(t.NamedTuple):
    """``steps`` are configured, and ``doubtful`` ones may be, as their answer was lost.

    ``error`` is what kept the others from it, else None.  Of the doubtful ones, those ``not_seen``
    were read again, and were not: the request may still be on its way.
    """

    steps: t.Sequence[Step]
    error: VaultError | None = None
    doubtful: t.Sequence[Step] = ()
    not_seen: t.Sequence[Step] = ()


def configure(client: VaultClient, plan: Plan, batch: t.Sequence[Step]) -> Configured:
    """Configure the mounts of ``batch`` for the new version; after a failure no more is begun."""
    if plan.by_pin:
        if not plan.moves_pin or batch != plan.batches[0]:
            return Configured([])
        error = _set_pin(client, plan, plan.entry.version)
        return _configured(batch, [error] * len(batch))
    steps = [step for step in batch if plan.configures(step)]
    writes = [partial(_set_version, client, step, plan.entry.version) for step in steps]
    # The first one alone: what keeps it from being configured is likely to keep the others, too.
    errors = [write() for write in writes[:1]]
    if errors == [None] and len(writes) > 1:
        errors += _written(client, writes[1:])
    return _configured(steps, errors)


def _configured(steps: t.Sequence[Step], errors: t.Sequence[VaultError | None]) -> Configured:
    """Return what is known of the first of ``steps``, by their ``errors``."""
    pairs = list(zip(steps, errors))
    return Configured(
        [step for step, error in pairs if error is None],
        next((error for error in errors if error is not None), None),
        [step for step, error in pairs if isinstance(error, NoAnswer)],
        [step for step, error in pairs if isinstance(error, NotSeen)],
    )


class _WriteFailed(Exception):
    """One of some writes failed: a signal then waits for what the operation does about it."""


def _written(
    client: VaultClient, writes: t.Sequence[t.Callable[[], VaultError | None]]
) -> list[VaultError | None]:
    """Write at the same time; a failure, or a signal, lets those under way end, and begins none."""
    errors: list[VaultError | None] = []
    with contextlib.suppress(_WriteFailed), uninterrupted(
        "the tunes of mounts that are under way",
        _CUT_SHORT,
        client.connection.timeout,
    ):
        errors += together(client, writes, ends=lambda error: error is not None or ends_soon())
        if any(errors):
            raise _WriteFailed
    return errors


def restore(client: VaultClient, plan: Plan, steps: t.Sequence[Step]) -> dict[str, VaultError]:
    """Configure each mount of ``steps`` for its previous version, or restore the pin for all.

    Returns the errors of those that could not be, by path.
    """
    if plan.by_pin:
        error = _set_pin(client, plan, plan.pinned_back)
        return {step.path: error for step in steps if error is not None}
    possible = [(step, step.previous.version) for step in steps if step.previous is not None]
    writes = [partial(_set_version, client, step, version) for step, version in possible]
    errors = {step.path: e for (step, _version), e in zip(possible, together(client, writes))}
    return {path: error for path, error in errors.items() if error is not None}


def _set_version(client: VaultClient, step: Step, version: str) -> VaultError | None:
    """Configure a mount for ``version``; return what kept it from that, or may have."""

    def is_set() -> bool:
        mount = read_mounts(client, [step.path]).get(step.path)
        return mount is not None and mount.version == version

    mount = f'mount "{step.path}"'
    write = partial(set_version, client, step.path, version)
    what = f"{mount} was configured for {version}"
    change = partial(ensure_written, client, write, what, is_set)
    next_step = (
        f"see that the catalog has {version} of the plugin, and that {mount} is still there; then "
        "run the task again"
    )
    return _error_of(change, f"cannot configure {mount} for {version}", next_step)


def _set_pin(client: VaultClient, plan: Plan, version: str) -> VaultError | None:
    """Pin the plugin to ``version``, or remove its pin; return what kept it from that, or may."""
    kind, name = plan.entry.kind, plan.entry.name
    plugin = f'{kind} plugin "{name}"'
    not_done = f"cannot pin {plugin} to {version}" if version else f"cannot unpin {plugin}"
    next_step = "see that the catalog has that version; then run the task again"
    return _error_of(partial(set_pin, client, kind, name, version), not_done, next_step)


def _error_of(change: t.Callable[[], None], not_done: str, next_step: str) -> VaultError | None:
    """Return what kept a change from being made, or may have; the latter says so itself.

    ``next_step`` is for a refusal that has none of its own.
    """
    try:
        change()
    except NoAnswer as error:
        return error
    except VaultError as error:
        step = error.next_step or (_READ_PINS if _IS_PINNED in error.what else next_step)
        return error.with_context(f"{not_done}: {error.what}", next_step=step)
    return None
