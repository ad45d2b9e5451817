# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AWS identity, proven by a signed request that the server sends on to AWS.

API: https://developer.hashicorp.com/vault/api-docs/auth/aws#login
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    AuthMethod,
    LoginRequest,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params


def _identify(params: Params) -> LoginRequest:
    # Imported here: a module compiles what it imports, and few tasks need this.
    from ansible_collections.vaultops.vault.plugins.module_utils._auth import aws_identity

    return aws_identity.identify(params)


METHOD = AuthMethod(
    options=(
        "role_id",
        "aws_access_key",
        "aws_secret_key",
        "aws_security_token",
        "aws_profile",
        "region",
        "aws_iam_server_id",
    ),
    identify=_identify,
    mount="aws",
)
