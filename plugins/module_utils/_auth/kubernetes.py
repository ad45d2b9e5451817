# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token of a pod's service account.

API: https://openbao.org/api-docs/auth/kubernetes/
"""

from __future__ import annotations

import pathlib

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    AuthMethod,
    LoginRequest,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params

SERVICE_ACCOUNT = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def _identify(params: Params) -> LoginRequest:
    jwt = params["jwt"] or _service_account()
    return LoginRequest(
        f"auth/{params['mount_point']}/login",
        {"role": params["role_id"], "jwt": jwt},
        secrets=(jwt,),
    )


def _service_account() -> str:
    try:
        token = SERVICE_ACCOUNT.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        token = ""
    if not token:
        raise OptionError(
            f'auth_method kubernetes needs jwt, and the file "{SERVICE_ACCOUNT}" has none',
            next_step="give jwt, or run the task in a pod that mounts its service account's token",
        )
    return token


METHOD = AuthMethod(
    options=("role_id", "jwt"),
    identify=_identify,
    required=("role_id",),
    mount="kubernetes",
    repeatable=True,
    wrapped="jwt",
)
