# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalog of plugin runtimes, in which HashiCorp Vault from 1.15 on runs plugins in containers.

It is that of the whole server, and is written in the root namespace.
API: https://developer.hashicorp.com/vault/api-docs/system/plugins-runtimes-catalog
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import read_health
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NothingThere,
    PermissionDenied,
    Refused,
    VaultError,
    missing_sudo,
    words_of,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.fields import Fields
from ansible_collections.vaultops.vault.plugins.module_utils._text import one_line

_CATALOG = "sys/plugins/runtimes/catalog"


class Runtime(t.NamedTuple):
    """A runtime as the server keeps it: empty, 0 and False are the server's own defaults."""

    type: str
    name: str
    oci_runtime: str = ""
    cgroup_parent: str = ""
    cpu_nanos: int = 0
    memory_bytes: int = 0
    rootless: bool = False

    @property
    def settings(self) -> dict[str, t.Any]:
        """What a write replaces, by the names of the API."""
        identity = ("type", "name")
        return {name: value for name, value in self._asdict().items() if name not in identity}

    def __str__(self) -> str:
        return f'plugin runtime "{self.name}"'


def list_runtimes(client: VaultClient) -> list[Runtime]:
    """Return all runtimes, which needs no sudo; Refused with status 404 where the server has none.

    Raises VaultError.
    """
    try:
        data = client.request("GET", _CATALOG, namespace="").data
    except NothingThere:
        return []
    # Before Vault 1.16 an empty catalog has no list, and no runtime is rootless.
    return [_runtime(row) for row in data.objects("runtimes")]


def require_runtimes(client: VaultClient) -> list[Runtime]:
    """Return all runtimes; raises VaultError, also for a server that has none, and names it."""
    try:
        return list_runtimes(client)
    except Refused as error:
        raise _explained(client, error) from error


def register_runtime(client: VaultClient, runtime: Runtime) -> None:
    """Write a runtime as a whole; raises VaultError."""
    path = _path(runtime)
    try:
        client.request("POST", path, runtime.settings, namespace="", repeatable=True)
    except Refused as error:
        step = missing_sudo(error, "update", path)
        raise error.with_context(
            f"cannot register {runtime}: {_words(error)}", next_step=step
        ) from error


def deregister_runtime(client: VaultClient, runtime: Runtime) -> None:
    """Remove a runtime, which the server refuses while a plugin names it; raises VaultError."""
    path = _path(runtime)
    try:
        client.request("DELETE", path, namespace="", repeatable=True)
    except Refused as error:
        if "plugin runtime not found" in _words(error):
            return  # a repeated request, or another one was faster
        step = missing_sudo(error, "delete", path)
        if "referencing it" in _words(error):
            step = "register these plugins with another runtime, or remove them, first"
        raise error.with_context(
            f"cannot remove {runtime}: {_words(error)}", next_step=step
        ) from error


def _explained(client: VaultClient, error: Refused) -> Refused:
    """Return the refusal of the list with what the product has to do with it."""
    denied = isinstance(error, PermissionDenied)
    if error.status != 404 and not denied:
        return error
    try:
        server = read_health(client)
    except VaultError:
        return error
    if server.product == "OpenBao":
        return error.with_context(
            "OpenBao has no plugin runtimes",
            next_step="plugins run as processes there: register the plugin's file with the module "
            "plugin",
        )
    if denied:
        return error
    return error.with_context(
        f"{server.name} has no plugin runtimes, which HashiCorp Vault has from 1.15 on",
        next_step="upgrade the server, or register the plugin's file with the module plugin",
    )


def _runtime(row: Fields) -> Runtime:
    return Runtime(
        type=row.text("type") or "container",
        name=row.required_text("name"),
        oci_runtime=row.text("oci_runtime"),
        cgroup_parent=row.text("cgroup_parent"),
        cpu_nanos=row.number("cpu_nanos"),
        memory_bytes=row.number("memory_bytes"),
        rootless=row.flag("rootless"),
    )


def _path(runtime: Runtime) -> str:
    return f"{_CATALOG}/{runtime.type}/{runtime.name}"


def _words(error: Refused) -> str:
    return one_line(words_of(error))
