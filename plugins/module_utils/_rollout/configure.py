# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version the mounts of a plan are configured for, each by itself or all by the pin."""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import set_version
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_pins import pin, unpin
from ansible_collections.vaultops.vault.plugins.module_utils._errors import NoAnswer, VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._rollout.plan import Plan, Step


class Configured(t.NamedTuple):
    """``steps`` are configured, or may be; ``error`` is what kept the others from it, else None."""

    steps: t.Sequence[Step]
    error: VaultError | None = None


def configure(client: VaultClient, plan: Plan, batch: t.Sequence[Step]) -> Configured:
    """Configure the mounts of ``batch`` for the new version, up to the first that fails."""
    done: list[Step] = []
    for change, steps, what in _changes(client, plan, batch):
        try:
            change()
        except VaultError as error:
            if isinstance(error, NoAnswer):
                done += steps  # they may be configured
            return Configured(done, error.with_context(f"{what}: {error.what}"))
        done += steps
    return Configured(done)


def restore(client: VaultClient, plan: Plan, steps: t.Sequence[Step]) -> None:
    """Configure the mounts of ``steps`` for their previous version; raises VaultError."""
    kind, name = plan.entry.kind, plan.entry.name
    if plan.by_pin and plan.pinned:
        pin(client, kind, name, plan.pinned)
    elif plan.by_pin:
        unpin(client, kind, name)
    else:
        for step in steps:
            if step.previous is not None:
                set_version(client, step.path, step.previous.version)


_Change = t.Tuple[t.Callable[[], None], t.Sequence[Step], str]


def _changes(client: VaultClient, plan: Plan, batch: t.Sequence[Step]) -> t.Iterator[_Change]:
    """Yield what is to be changed, for which steps, and what to say where it fails."""
    entry = plan.entry
    if plan.moves_pin and batch == plan.batches[0]:
        change = partial(pin, client, entry.kind, entry.name, entry.version)
        yield change, batch, f"cannot pin {entry}"
    for step in batch:
        if plan.configures(step):
            change = partial(set_version, client, step.path, entry.version)
            yield change, [step], f'cannot configure mount "{step.path}" for {entry.version}'
