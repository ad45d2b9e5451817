# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret that comes wrapped: a token that can be used once holds it, and tells who used it first.

API: https://openbao.org/docs/concepts/response-wrapping/#response-wrapping-token-validation
"""

from __future__ import annotations

import fnmatch
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import AuthMethod
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    LoginFailed,
    NoAnswer,
    OptionError,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params

_USED = "wrapping token is not valid or does not exist"


class Wrapping(t.NamedTuple):
    """``token`` holds the value of ``option``; ``paths`` are patterns of what may have made it."""

    token: str
    option: str
    paths: tuple[str, ...]


def chosen_wrapping(method: AuthMethod, values: Params, mount: str) -> Wrapping:
    """Return what the options say of a wrapped secret; raises OptionError."""
    token, path = values["wrapping_token"], values["wrapping_path"]
    if not token:
        raise OptionError(
            "wrapping_path is alone", next_step="give wrapping_token too, or leave it out"
        )
    if values[method.wrapped]:
        raise OptionError(
            f"there are both wrapping_token and {method.wrapped}, which it stands in for",
            next_step=f"give one of them; a variable may have given {method.wrapped}",
        )
    paths = (path.strip("/"),) if path else method.wrapping_paths
    if not paths:
        raise OptionError(
            f"wrapping_token needs wrapping_path with this auth_method: any path may wrap a "
            f"{method.wrapped}",
            next_step="give the path that wraps it, such as sys/wrapping/wrap",
        )
    usual = tuple(pattern.replace("{mount}", mount) for pattern in paths)
    return Wrapping(str(token).strip(), method.wrapped, usual)


def check_path(wrapping: Wrapping, lookup: Answer) -> None:
    """Raise LoginFailed where another path made the token: somebody may have put it in place."""
    path = lookup.data.text("creation_path")
    if any(fnmatch.fnmatchcase(path, pattern) for pattern in wrapping.paths):
        return
    raise LoginFailed(
        f'wrapping_token was made by "{path}", not by {" or ".join(wrapping.paths)}; it was not '
        "unwrapped",
        where=lookup.where,
        next_step="find out who made it: it may have been exchanged on its way; if that path is "
        "right, give it as wrapping_path",
    )


def unwrapped(wrapping: Wrapping, answer: Answer) -> str:
    """Return what was wrapped; raises LoginFailed where it is something else."""
    try:
        # A token that a path made, else what somebody put into sys/wrapping/wrap.
        made = answer.plain.object("auth").text("client_token")
        return (made if wrapping.option == "token" else "") or answer.data.required_text(
            wrapping.option
        )
    except NoAnswer:
        raise LoginFailed(
            f"wrapping_token held no {wrapping.option}, and is used up now",
            where=answer.where,
            next_step=f"wrap a {wrapping.option}, and give the new wrapping_token",
        ) from None


def failed(error: VaultError) -> LoginFailed:
    """Return why a token could not be unwrapped."""
    next_step = error.next_step
    if _USED in error.what:
        next_step = (
            "it was used before, or has expired: if nobody of yours used it, take what it held for "
            "stolen, and revoke that; then make a new one"
        )
    elif isinstance(error, NoAnswer):
        next_step = f"{next_step}; wrapping_token may be used up"
    return error.told_as(LoginFailed, f"cannot unwrap wrapping_token: {error.what}", next_step)
