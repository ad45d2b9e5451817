# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token that is there already: the option, a variable, or the command line client's file."""

from __future__ import annotations

import pathlib

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import AuthMethod
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    Setting,
    fits_header,
    not_set,
    read_setting,
    this_host,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params

HOME = "~"
DEFAULT_FILE = ".vault-token"


def read_token(params: Params) -> str:
    """Return the token; raises OptionError where there is none."""
    return str(token_setting(params).value)


def token_setting(params: Params) -> Setting:
    """Return the token, and where it came from; raises OptionError where there is none."""
    # A task that names a file must not work with the token of a variable, which may do more.
    names_a_file = params["token_path"] or params["token_file"]
    token = read_setting("token", params["token"], [] if names_a_file else ["TOKEN"])
    if not token.value:
        token = _token_of_file(params)
    text = str(token.value).strip()
    if not (text.isascii() and fits_header(text)):
        raise token.error(
            "contains characters that no HTTP header can carry",
            "look for a line break or an invisible character in it",
        )
    return token._replace(value=text)


def _token_of_file(params: Params) -> Setting:
    # `bao login` writes ~/.vault-token; the variable names the file itself.
    chosen = read_setting("token_path", params["token_path"], ["TOKEN_PATH"], HOME)
    is_named = bool(params["token_path"] or params["token_file"])
    name = params["token_file"] or DEFAULT_FILE
    try:
        path = pathlib.Path(chosen.expanded().value)
    except OptionError as error:
        if chosen.value != HOME:
            raise
        raise _no_token(
            chosen, f"there is no home directory with a file {name}", is_named
        ) from error
    reason = "has none"
    text = ""
    try:
        if path.is_dir():
            path = path / name
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        reason = "does not exist"
    except (OSError, ValueError) as error:
        reason = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    shown = f'the file "{path}"'
    if not text:
        raise _no_token(chosen, f"{shown} {reason}", is_named)
    return Setting("token", text, f"from {shown}")


def _no_token(token_path: Setting, file: str, is_named: bool) -> OptionError:
    """Return the error where no ``file`` has a token; ``is_named``: the task itself names it."""
    variables, step = not_set("TOKEN")
    missing = f"the option token is not given, {variables}"
    if is_named:
        unread = read_setting("token", None, ["TOKEN"])
        unused = f"the token {unread.origin} is not used beside token_path or token_file"
        missing = f"{unused if unread.value else 'the option token is not given'} on {this_host()}"
        step = "put the token into that file, or name another"
    return OptionError(
        f"no token: {missing}, and {file}",
        where=f"token_path: {token_path.origin}",
        next_step=f"give a token, or set auth_method to none behind an agent that adds one; {step}",
    )


METHOD = AuthMethod(
    options=("token", "token_path", "token_file"),
    identify=token_setting,
    wrapped="token",
    wrapping_paths=("auth/token/create", "auth/token/create/*", "auth/token/create-orphan"),
)
