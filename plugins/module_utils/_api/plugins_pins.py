# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pinned versions, which HashiCorp Vault has from 1.16 on.

They are those of the whole server, and are written in the root namespace.
API: https://developer.hashicorp.com/vault/api-docs/system/plugins-pins
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    OptionError,
    PermissionDenied,
    Refused,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient

# The pinned version of each plugin, by kind and name.
Pins = t.Mapping[t.Tuple[str, str], str]


def read_pins(client: VaultClient) -> Pins:
    """Return the pins; Refused with status 404 where the server has none.  Raises VaultError."""
    data = client.request("GET", "sys/plugins/pins", namespace="").data
    rows = data.required_objects("pinned_versions")
    return {
        (row.required_text("type"), row.required_text("name")): row.required_text("version")
        for row in rows
    }


def require_pins(client: VaultClient, openbao: bool, next_step: str) -> Pins:
    """Return the pins; raises VaultError, with ``next_step`` for a server that has no pins."""
    if openbao:
        raise OptionError("this server has no pins: it is OpenBao", next_step=next_step)
    try:
        return read_pins(client)
    except Refused as error:
        if error.status != 404:
            raise
        raise error.with_context(
            "this server has no pins, which HashiCorp Vault has from 1.16 on", next_step=next_step
        ) from error


def pin(client: VaultClient, kind: str, name: str, version: str) -> None:
    """Let all mounts of a plugin run ``version`` from their next start on; raises VaultError."""
    path = _path(kind, name)
    client.request("POST", path, {"version": version}, namespace="", repeatable=True)


def unpin(client: VaultClient, kind: str, name: str) -> None:
    """Let each mount of a plugin run the version that it is configured for; raises VaultError."""
    path = _path(kind, name)
    try:
        client.request("DELETE", path, namespace="", repeatable=True)
    except PermissionDenied as error:
        step = f'give the token the ACL capability "delete" on "{path}"'
        raise error.with_context(next_step=step) from error


def _path(kind: str, name: str) -> str:
    return f"sys/plugins/pins/{kind}/{name}"
