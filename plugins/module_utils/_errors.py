# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one family of errors: each says what happened, where, and what to do next."""

from __future__ import annotations

import re
import typing as t


class VaultError(Exception):
    """The task cannot go on, told so that an operator can act on it.

    ``what`` says what happened and starts in lower case; ``where`` names the request;
    ``next_step`` tells what to do.  ``status`` is the HTTP status of the answer, None where
    there was no answer; ``errors`` are the server's own words; ``retry_after`` (seconds) is its
    wish; ``result`` holds what is nevertheless known of the outcome and is merged into the failed
    task's result.
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
        result: dict[str, t.Any] | None = None,
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
        return f"{message}; {self.next_step}" if self.next_step else message

    def retold(self: E, what: str, *, next_step: str = "", **result: t.Any) -> E:
        """Return the same error in an operation's words: a caller that knows more says more."""
        return type(self)(
            what,
            where=self.where,
            next_step=next_step or self.next_step,
            status=self.status,
            errors=self.errors,
            request_id=self.request_id,
            retry_after=self.retry_after,
            result={**self.result, **result},
        )


E = t.TypeVar("E", bound=VaultError)


class OptionError(VaultError):
    """An option (or the environment variable behind it) cannot be used; nothing was sent."""


class NotSent(VaultError):
    """The server was not reached, so it certainly did nothing."""


class Unreachable(NotSent):
    """Nobody listens there, or not yet: a moment later it may be different."""


class NoAnswer(VaultError):
    """The request went out and no usable answer came back: what the server did is unknown."""


class Refused(VaultError):
    """The server answered with an error."""


class LoginFailed(VaultError):
    """There is no token to work with, so the server did nothing of what the task is for."""


# A message names so many of a kind; all of them are in the result.
SHOWN = 5


def first_few(words: t.Sequence[str]) -> str:
    """Return the first few of ``words``, and how many more there are."""
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def named(paths: t.Sequence[str]) -> str:
    """Return the first few of ``paths`` in quotes, and how many more there are."""
    return first_few([f'"{path}"' for path in paths])


def did_you_mean(near: str) -> str:
    """Return the suggestion for a name that is not there, nothing where none is ``near``."""
    return f' (did you mean "{near}"?)' if near else ""


def one_line(text: str) -> str:
    """Return the server's words without the counts, bullets and line breaks of its multi-errors."""
    without_counts = re.sub(r"\d+ errors? occurred:", "", text)
    parts = (part.strip(" \t*") for part in without_counts.split("\n"))
    return ", ".join(dict.fromkeys(part for part in parts if part)).replace(":, ", ": ")
