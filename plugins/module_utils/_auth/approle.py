# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AppRole: a role and a secret, for machines.

API: https://openbao.org/api-docs/auth/approle/
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    AuthMethod,
    login_with,
)

# A role may do without the secret: bind_secret_id=false.
METHOD = AuthMethod(
    options=("role_id", "secret_id"),
    identify=login_with("role_id", "secret_id"),
    required=("role_id",),
    variables={"role_id": "APPROLE_ROLE_ID", "secret_id": "APPROLE_SECRET_ID"},
    mount="approle",
    # Each login uses up one of secret_id_num_uses.
    repeatable=False,
    wrapped="secret_id",
    wrapping_paths=("auth/{mount}/role/*/secret-id", "auth/{mount}/role/*/custom-secret-id"),
)
