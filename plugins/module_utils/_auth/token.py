# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token that is there already: the option, a variable, or the command line client's file."""

from __future__ import annotations

import pathlib

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import AuthMethod
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    client_variable,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params

DEFAULT_FILE = ".vault-token"


def read_token(params: Params) -> str:
    """Return the token; raises OptionError where there is none."""
    token = params["token"] or client_variable("TOKEN")
    if token:
        return str(token).strip()
    # `bao login` writes ~/.vault-token; the variable names the file itself.
    path = pathlib.Path(params["token_path"] or client_variable("TOKEN_PATH") or "~").expanduser()
    if path.is_dir():
        path = path / (params["token_file"] or DEFAULT_FILE)
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        token = ""
    if not token:
        raise OptionError(
            "no token: the option token and the variables BAO_TOKEN and VAULT_TOKEN are not set, "
            f'and the file "{path}" has none',
            next_step="give a token, or set auth_method to none behind an agent that adds one",
        )
    return token


METHOD = AuthMethod(
    options=("token", "token_path", "token_file"),
    identify=read_token,
)
