# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to get a token: one small file per method, and the one table that lists them."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._auth import _none, _token
from ansible_collections.vaultops.vault.plugins.module_utils._auth._method import AuthMethod

METHODS: dict[str, AuthMethod] = {
    "token": _token.METHOD,
    "none": _none.METHOD,
}

AUTH_SPEC: dict[str, dict[str, t.Any]] = {
    "auth_method": {"type": "str", "choices": list(METHODS), "default": "token"},
}
for _method in METHODS.values():
    AUTH_SPEC.update(_method.spec)


def obtain_token(params: t.Mapping[str, t.Any]) -> str | None:
    """Return the token by the chosen method, None where none is to be sent; raises VaultError."""
    return METHODS[params["auth_method"]].obtain(params)
