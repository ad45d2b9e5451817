# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signed JSON web token, from a CI system or an identity provider.

API: https://openbao.org/api-docs/auth/jwt/
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._auth._method import (
    JWT,
    ROLE,
    AuthMethod,
    LoginRequest,
    Params,
    given,
)


def _identify(params: Params) -> LoginRequest:
    # Without a role the server takes the mount's default_role.
    body = given(params, role="role_id", jwt="jwt")
    return LoginRequest(f"auth/{params['mount_point']}/login", body)


METHOD = AuthMethod(
    spec={**ROLE, **JWT}, identify=_identify, required=("jwt",), mount="jwt", repeatable=True
)
