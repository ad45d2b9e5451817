# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Google Cloud service account or instance, proven by a signed JSON web token.

API: https://developer.hashicorp.com/vault/api-docs/auth/gcp#login
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    AuthMethod,
    login_with,
)

METHOD = AuthMethod(
    options=("role_id", "jwt"),
    identify=login_with(role="role_id", jwt="jwt"),
    required=("role_id", "jwt"),
    mount="gcp",
    wrapped="jwt",
)
