# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate that this client shows in the TLS handshake.

API: https://openbao.org/api-docs/auth/cert/
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    AuthMethod,
    LoginRequest,
    login_with,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.tls import read_client_cert
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params

# Without a name the server tries all roles that trust the certificate.
_by_role = login_with(name="role_id")


def _identify(params: Params) -> LoginRequest:
    if read_client_cert(params) is None:
        raise OptionError(
            "auth_method cert has no certificate to show",
            next_step="give cert_auth_public_key and cert_auth_private_key, or client_cert and "
            "client_key",
        )
    return _by_role(params)


METHOD = AuthMethod(
    options=("role_id", "cert_auth_public_key", "cert_auth_private_key"),
    identify=_identify,
    mount="cert",
    repeatable=True,
)
