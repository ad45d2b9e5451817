# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A write is what is read after it: an answer may be lost, and a standby learns of it later."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import NoAnswer, VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import pause

# A standby that passed a write on learns of it a moment later: reads after it, seconds between.
READS, PAUSE = 20, 0.15

T = t.TypeVar("T")


class NotSeen(NoAnswer):
    """The answer to a write was lost, and what it writes was not there when it was read again."""


def attempt(write: t.Callable[[], object], what: str) -> NoAnswer | None:
    """Write; return the error where it is unknown whether ``what`` was done, else None.

    Raises VaultError where certainly nothing was done.
    """
    try:
        write()
    except NoAnswer as error:
        return error.with_context(f"it is unknown whether {what}: {error.what}")
    return None


def await_written(
    client: VaultClient, lost: NoAnswer | None, what: str, read: t.Callable[[], T | None]
) -> T | None:
    """Read until ``read`` finds what was written, and return it; None where it never does.

    ``lost`` is the error of a write without an answer: then what is found is a warning, and what
    is not is that error.  Raises VaultError, also where it cannot be read.
    """
    for number in range(READS):
        pause(PAUSE if number else 0)
        try:
            found = read()
        except VaultError as error:
            raise _unread(lost, what, error) from None
        if found is not None:
            if lost is not None:
                client.warn(f"{lost.what}; read again, it was")
            return found
    if lost is not None:
        unseen = _with_next_step(lost, f"{lost.what}; read again, it was not")
        raise unseen.told_as(NotSeen, unseen.what, unseen.next_step)
    return None


def ensure_written(
    client: VaultClient,
    write: t.Callable[[], object],
    what: str,
    is_written: t.Callable[[], bool],
) -> None:
    """Write; only where the answer is lost, read.

    Raises VaultError, NoAnswer where it is unknown whether ``what`` was done.
    """
    lost = attempt(write, what)
    if lost is not None:
        await_written(client, lost, what, lambda: is_written() or None)


def write_and_read(
    client: VaultClient,
    write: t.Callable[[], object],
    what: str,
    is_written: t.Callable[[], bool],
    otherwise: str,
) -> None:
    """Write, and read until it is seen; raises VaultError, which says ``otherwise`` if it never is.

    ``what`` was done then.
    """
    lost = attempt(write, what)
    if await_written(client, lost, what, lambda: is_written() or None) is None:
        raise VaultError(
            f"the server accepted {otherwise}",
            next_step="run the task again; the server's log may say more",
            result={"changed": False},
        )


def remove(
    client: VaultClient,
    thing: object,
    write: t.Callable[[], object],
    is_listed: t.Callable[[], bool],
) -> None:
    """Remove ``thing``, and read until it is gone; raises VaultError."""
    otherwise = f"the removal of {thing}, but still lists it"
    write_and_read(client, write, f"{thing} was removed", lambda: not is_listed(), otherwise)


def _unread(lost: NoAnswer | None, what: str, error: VaultError) -> VaultError:
    """Return the error of a read after a write."""
    if lost is not None:
        return _with_next_step(lost, f"{lost.what}; and it cannot be read: {error.what}")
    return error.with_context(
        f"{what}, as the server answered, but that cannot be read: {error.what}",
        result={"changed": True},
    )


def _with_next_step(lost: NoAnswer, what: str) -> NoAnswer:
    step = f"{lost.next_step}, then run the task again: it reads before it writes"
    return lost.with_context(what, next_step=step)
