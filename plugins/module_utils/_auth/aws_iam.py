# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AWS identity, proven by a signed request that the server sends on to AWS.

API: https://developer.hashicorp.com/vault/api-docs/auth/aws#login
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    ROLE,
    AuthMethod,
    LoginRequest,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params


def _identify(params: Params) -> LoginRequest:
    # Imported here: a module compiles what it imports, and few tasks need this.
    from ansible_collections.vaultops.vault.plugins.module_utils._auth import aws_identity

    return aws_identity.identify(params)


METHOD = AuthMethod(
    spec={
        **ROLE,
        "aws_access_key": {"type": "str", "aliases": ["aws_access_key_id"], "no_log": False},
        "aws_secret_key": {
            "type": "str",
            "aliases": ["aws_secret_access_key"],
            "no_log": True,
        },
        "aws_security_token": {"type": "str", "no_log": True},
        "aws_profile": {"type": "str", "aliases": ["boto_profile"]},
        "region": {"type": "str"},
        "aws_iam_server_id": {"type": "str"},
    },
    identify=_identify,
    mount="aws",
)
