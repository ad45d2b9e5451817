# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product that the tests run on: OpenBao, or HashiCorp Vault where a binary of it is named."""

from __future__ import annotations

import os
import typing as t

Product = t.Literal["OpenBao", "Vault"]

# What `python3 noxfile.py -s vault` sets to run the tests on Vault.
PRODUCT_VARIABLE = "VAULTOPS_TEST_PRODUCT"
VAULT_VARIABLE = "VAULTOPS_TEST_VAULT"


def product() -> Product:
    """Return the product of this run."""
    return "Vault" if os.environ.get(PRODUCT_VARIABLE) == "Vault" else "OpenBao"


def vault_binary() -> str:
    """Return the path of the ``vault`` binary, empty where none is named."""
    return os.environ.get(VAULT_VARIABLE, "")
