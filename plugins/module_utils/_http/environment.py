# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment variables of the command line clients."""

from __future__ import annotations

import os


def client_variable(name: str) -> str:
    """Return the variable BAO_``name``, else VAULT_``name``, else nothing.

    As for the command line clients, a BAO_x that is set wins even when it is empty.
    """
    return os.environ.get(f"BAO_{name}", os.environ.get(f"VAULT_{name}", ""))
