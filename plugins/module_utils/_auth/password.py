# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name and a password, for the methods that differ only in who checks them.

API: https://openbao.org/api-docs/auth/userpass/, .../ldap/ and .../radius/
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    AuthMethod,
    LoginRequest,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params


def _identify(params: Params) -> LoginRequest:
    path = f"auth/{params['mount_point']}/login/{params['username']}"
    return LoginRequest(path, {"password": params["password"]})


def name_and_password(mount: str, *, repeatable: bool) -> AuthMethod:
    """Return the method that is mounted at ``mount`` by default."""
    return AuthMethod(
        options=("username", "password"),
        identify=_identify,
        required=("username", "password"),
        mount=mount,
        repeatable=repeatable,
        wrapped="password",
    )
