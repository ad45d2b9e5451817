# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signed JSON web token, from a CI system or an identity provider.

API: https://openbao.org/api-docs/auth/jwt/
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    AuthMethod,
    login_with,
)

# Without a role the server takes the mount's default_role.
METHOD = AuthMethod(
    options=("role_id", "jwt"),
    identify=login_with(role="role_id", jwt="jwt"),
    required=("jwt",),
    mount="jwt",
    repeatable=True,
    wrapped="jwt",
)
