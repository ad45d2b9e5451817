# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No token: for an agent or proxy that adds its own."""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import AuthMethod
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params


def _identify(params: Params) -> None:
    return None


METHOD = AuthMethod(options=(), identify=_identify)
