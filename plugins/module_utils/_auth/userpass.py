# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name and a password that the server itself keeps.

API: https://openbao.org/api-docs/auth/userpass/
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._auth.password import (
    name_and_password,
)

METHOD = name_and_password("userpass", repeatable=True)
