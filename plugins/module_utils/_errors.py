# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one family of errors: each says what happened, where, and what to do next."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._text import printable
from ansible_collections.vaultops.vault.plugins.module_utils._types import Result


class VaultError(Exception):
    """The task cannot go on; the message tells an operator what to do.

    ``what`` says what happened and starts in lower case; ``where`` names the request;
    ``next_step`` tells what to do.  ``status`` is the HTTP status of the answer, None where
    there was no answer; ``errors`` are the server's own words; ``retry_after`` (seconds) is what
    the server asks to wait; ``result`` is what an operation knows of the outcome all the same,
    and is merged into the result of the failed task.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        next_step: str = "",
        status: int | None = None,
        errors: t.Sequence[str] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
        result: Result | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step
        self.status = status
        self.errors = list(errors)
        self.request_id = request_id
        self.retry_after = retry_after
        self.result = dict(result or {})

    def __str__(self) -> str:
        message = f"{self.what} ({self.where})" if self.where else self.what
        return printable(f"{message}; {self.next_step}" if self.next_step else message)

    def with_context(
        self: E, what: str = "", *, next_step: str = "", result: Result | None = None
    ) -> E:
        """Return the same error with what a caller knows better; the rest stays as it is."""
        return self.told_as(
            type(self), what or self.what, next_step or self.next_step, result=result
        )

    def told_as(
        self, kind: type[E], what: str, next_step: str, *, result: Result | None = None
    ) -> E:
        """Return this error as one of ``kind``, which a caller knows it to be."""
        return kind(
            what,
            where=self.where,
            next_step=next_step,
            status=self.status,
            errors=self.errors,
            request_id=self.request_id,
            retry_after=self.retry_after,
            result=self.result if result is None else result,
        )

    def without_effect(self: E, outcome: str) -> E:
        """Return the same error with ``outcome``, such as "nothing was reloaded", at its end."""
        return self.with_context(next_step="; ".join(filter(None, (self.next_step, outcome))))


E = t.TypeVar("E", bound=VaultError)


class OptionError(VaultError):
    """An option (or the environment variable behind it) cannot be used; nothing was sent."""


class NotInCatalog(OptionError):
    """An option names a plugin or a version that is not in the catalog."""


class NotSent(VaultError):
    """The server was not reached, so it certainly did nothing."""


class Unreachable(NotSent):
    """The connection failed; a moment later it may succeed."""


class NoAnswer(VaultError):
    """The request went out and no usable answer came back: what the server did is unknown."""


class TimedOut(NoAnswer):
    """The request went out, and the answer did not come within the timeout."""


class Refused(VaultError):
    """The server answered with an error."""


class PermissionDenied(Refused):
    """The server answered 403: the token may not do this."""


class TokenNotAccepted(Refused):
    """The server answered 403 and knows no such token: rights would not help."""


class NothingThere(Refused):
    """The server answered 404 without a word: it knows the path, and there is nothing."""


class LoginFailed(VaultError):
    """There is no token to work with, so the server did nothing of what the task is for."""


def words_of(error: Refused) -> str:
    """Return the server's words as it sent them, or what they mean for the token."""
    is_of_token = isinstance(error, TokenNotAccepted)
    return error.what if is_of_token else "\n".join(error.errors) or error.what


T = t.TypeVar("T")


def if_permitted(read: t.Callable[[], T], denied: list[PermissionDenied]) -> T | None:
    """Return what ``read`` returns, or None with one more in ``denied`` where the token may not."""
    try:
        return read()
    except PermissionDenied as error:
        denied.append(error)
        return None


def missing_sudo(error: VaultError, capability: str, path: str) -> str:
    """Return the next step for a token that may not write at ``path``, else nothing."""
    if not isinstance(error, PermissionDenied):
        return ""
    return f'give the token the ACL capabilities "{capability}" and "sudo" on "{path}"'
