# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Azure managed identity or service principal, proven by its token from Azure.

API: https://developer.hashicorp.com/vault/api-docs/auth/azure#login
"""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    AuthMethod,
    login_with,
)

METHOD = AuthMethod(
    options=(
        "role_id",
        "jwt",
        "azure_subscription_id",
        "azure_resource_group_name",
        "azure_vm_name",
        "azure_vmss_name",
        "azure_resource_id",
    ),
    identify=login_with(
        role="role_id",
        jwt="jwt",
        subscription_id="azure_subscription_id",
        resource_group_name="azure_resource_group_name",
        vm_name="azure_vm_name",
        vmss_name="azure_vmss_name",
        resource_id="azure_resource_id",
    ),
    required=("role_id", "jwt"),
    mount="azure",
    wrapped="jwt",
)
