# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of authentication: the argument spec of all methods together."""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._types import Spec

METHODS = (
    "token",
    "approle",
    "userpass",
    "ldap",
    "radius",
    "jwt",
    "kubernetes",
    "cert",
    "aws_iam",
    "azure",
    "gcp",
    "none",
)

# What is said of any login.
COMMON_SPEC: Spec = {
    "auth_method": {"type": "str", "choices": list(METHODS), "default": "token"},
    "auth_mode": {"type": "str", "choices": ["auto", "login", "inline"], "default": "auto"},
    "auth_namespace": {"type": "str"},
    "mfa_passcode": {"type": "str", "no_log": True},
    "keep_token": {"type": "bool", "default": False, "no_log": False},
}

# What some methods take and others do not: which ones, each method's own file says.
METHOD_SPEC: Spec = {
    "mount_point": {"type": "str", "aliases": ["vault_approle_path"]},
    "token": {"type": "str", "no_log": True},
    "token_path": {"type": "path", "no_log": False},
    "token_file": {"type": "str", "no_log": False},
    "role_id": {"type": "str", "aliases": ["approle_role_id"]},
    "secret_id": {"type": "str", "no_log": True, "aliases": ["approle_secret_id"]},
    "wrapping_token": {"type": "str", "no_log": True},
    "wrapping_path": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "jwt": {"type": "str", "no_log": True},
    "cert_auth_public_key": {"type": "path"},
    "cert_auth_private_key": {"type": "path", "no_log": False},
    "aws_access_key": {"type": "str", "aliases": ["aws_access_key_id"], "no_log": False},
    "aws_secret_key": {"type": "str", "aliases": ["aws_secret_access_key"], "no_log": True},
    "aws_security_token": {"type": "str", "no_log": True},
    "aws_profile": {"type": "str", "aliases": ["boto_profile"]},
    "region": {"type": "str"},
    "aws_iam_server_id": {"type": "str"},
    "azure_subscription_id": {"type": "str"},
    "azure_resource_group_name": {"type": "str"},
    "azure_vm_name": {"type": "str"},
    "azure_vmss_name": {"type": "str"},
    "azure_resource_id": {"type": "str"},
}

WRAPPING_OPTIONS = ("wrapping_token", "wrapping_path")

AUTH_SPEC: Spec = {**COMMON_SPEC, **METHOD_SPEC}
