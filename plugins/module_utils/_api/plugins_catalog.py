# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plugin catalog, pinned versions, and what a mount is expected to run.

Catalog and pins are those of the whole server: they are written in the root namespace.
API: https://openbao.org/api-docs/system/plugins-catalog/ and
https://developer.hashicorp.com/vault/api-docs/system/plugins-pins
"""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    OptionError,
    Refused,
    one_line,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient

Pins = t.Dict[t.Tuple[str, str], str]

# The server gives a plugin that hangs at its start 120 s to tell its version.
_REGISTER_SECONDS = 130.0

# A part of the server's words about a registration, and what to do next: the first that fits.
_REGISTER_STEPS = (
    (
        "plugin version mismatch",
        "give the version that the plugin reports of itself, or leave version out",
    ),
    (
        "no such file",
        "put the file into the plugin_directory of each node first; command is its name there",
    ),
    ("parent references", "command is the name of a file in the server's plugin_directory"),
    ("outside of configured", "command is the name of a file in the server's plugin_directory"),
    ("directory is not configured", "set plugin_directory in the server's configuration"),
    ("context canceled", "the plugin did not start in time: see the server's log"),
    ("missing SHA-256", "give sha256, or src"),
)


class CatalogEntry(t.NamedTuple):
    """A plugin that the server can start: ``version`` and ``sha256`` are empty where it has none.

    A builtin plugin has no sha256 and a version that contains ``+builtin``.  ``oci_image`` and
    ``runtime`` are set for a plugin that HashiCorp Vault runs in a container.
    """

    kind: str
    name: str
    version: str
    sha256: str
    builtin: bool
    oci_image: str = ""
    runtime: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.kind, "plugin", f'"{self.name}"', self.version)))


class Registration(t.NamedTuple):
    """An entry with what only its own row tells; None where the token may not read that.

    ``declarative`` says that the configuration of an OpenBao server made it.
    """

    entry: CatalogEntry
    command: str | None = None
    args: t.Sequence[str] | None = None
    declarative: bool | None = None


class Catalog(t.NamedTuple):
    """All entries, and the version that each pinned plugin, by kind and name, is pinned to.

    ``hidden_pins`` says that there may be pins which the token may not read.
    """

    entries: t.Sequence[CatalogEntry]
    pins: t.Mapping[tuple[str, str], str]
    hidden_pins: bool = False

    def expected_entry(self, mount: Mount) -> CatalogEntry | None:
        """Return the entry that a reload of ``mount`` would start, None where it is missing.

        The pinned version, else the configured one, else the entry without a version, else the
        builtin plugin of that name.
        """
        version = self._version(mount)
        named = self.named(mount.kind, mount.plugin)
        exact = [entry for entry in named if entry.version == version]
        builtin = [entry for entry in named if entry.builtin and not version]
        return next(iter(exact + builtin), None)

    def has_lost(self, mount: Mount) -> bool:
        """Tell whether a reload could not bring ``mount`` back, as nothing is there to start.

        A builtin plugin needs no entry: no server lists ``database`` as one for secrets.
        """
        builtin = mount.builtin and not self._version(mount)
        return self.expected_entry(mount) is None and not builtin

    @property
    def openbao(self) -> bool:
        """Whether the server is OpenBao: it tells itself by the versions of its builtin plugins."""
        return any(entry.version.endswith("+builtin.bao") for entry in self.entries)

    def named(self, kind: str, name: str) -> list[CatalogEntry]:
        """Return the entries of a plugin, in the server's order, the newest version last."""
        return [entry for entry in self.entries if (entry.kind, entry.name) == (kind, name)]

    def kinds(self, name: str) -> set[str]:
        """Return the kinds (secret, auth, database) in which a plugin ``name`` is registered."""
        return {entry.kind for entry in self.entries if entry.name == name}

    def near(self, name: str) -> str:
        """Return a name in the catalog that looks like ``name``, else nothing."""
        names = sorted({entry.name for entry in self.entries})
        return next(iter(difflib.get_close_matches(name, names, n=1)), "")

    def _version(self, mount: Mount) -> str:
        """Return the version that ``mount`` is to run, by its pin or its own configuration."""
        return self.pins.get((mount.kind, mount.plugin), mount.version)


def is_current(mount: Mount, entry: CatalogEntry | None) -> bool | None:
    """Tell whether ``mount`` runs ``entry``, which a reload would start; None for no entry."""
    if entry is None:
        return None
    return (mount.running_version, mount.running_sha256) == (entry.version, entry.sha256)


def read_catalog(client: VaultClient) -> Catalog:
    """Return the catalog and the pins; raises VaultError where the catalog cannot be read."""
    catalog = Catalog(list_entries(client), {})
    if catalog.openbao:
        return catalog  # it has no pins
    try:
        return catalog._replace(pins=read_pins(client))
    except Refused as error:
        return catalog._replace(hidden_pins=error.status == 403)  # 404: before Vault 1.16


def list_entries(client: VaultClient) -> list[CatalogEntry]:
    """Return all entries of the catalog, which needs no sudo; raises VaultError."""
    try:
        answer = client.request("GET", "sys/plugins/catalog")
    except Refused as error:
        if error.status != 404 or not client.connection.namespace:
            raise
        # Vault has the catalog in the root namespace only.
        answer = client.request("GET", "sys/plugins/catalog", namespace="")
    return [_entry(row) for row in answer.data.get("detailed") or []]


def read_registration(client: VaultClient, entry: CatalogEntry) -> Registration:
    """Return what the server tells of ``entry`` alone, which needs sudo; raises VaultError."""
    # An entry with a version is not found without it.
    query = {"version": entry.version} if entry.version else None
    path = _catalog_path(entry.kind, entry.name)
    row = client.request("GET", path, query=query, namespace="").data
    return Registration(
        entry=_entry({**entry._asdict(), **row, "type": entry.kind}),
        command=row.get("command") or "",
        args=row.get("args") or [],
        declarative=bool(row.get("declarative")),
    )


def register(client: VaultClient, kind: str, name: str, body: t.Mapping[str, t.Any]) -> None:
    """Write an entry: the server runs the plugin to learn its version; raises VaultError."""
    path, what = _catalog_path(kind, name), f'cannot register {kind} plugin "{name}"'
    patience = max(client.connection.timeout, _REGISTER_SECONDS)
    try:
        client.request("POST", path, body, namespace="", read_timeout=patience)
    except Refused as error:
        words = one_line("\n".join(error.errors)) or error.what
        steps = (step for part, step in _REGISTER_STEPS if part in words)
        step = _rights(error, "update", path) or next(steps, "")
        raise error.retold(f"{what}: {words}", next_step=step) from error
    except NoAnswer as error:
        raise error.retold(
            f'it is unknown whether {kind} plugin "{name}" is registered: {error.what}',
            next_step=f"{error.next_step}, then repeat the task: it looks first",
        ) from error


def deregister(client: VaultClient, entry: CatalogEntry) -> None:
    """Remove ``entry`` from the catalog; raises VaultError."""
    # A version in the body is ignored, and the entry without a version is removed.
    query = {"version": entry.version} if entry.version else None
    path = _catalog_path(entry.kind, entry.name)
    try:
        client.request("DELETE", path, query=query, namespace="")
    except Refused as error:
        step = _rights(error, "delete", path)
        raise error.retold(f"cannot remove {entry}: {error.what}", next_step=step) from error


def read_pins(client: VaultClient) -> Pins:
    """Return the pinned versions by kind and name; Refused with status 404 where there is no such.

    HashiCorp Vault has pins from 1.16 on.
    """
    pins = client.request("GET", "sys/plugins/pins", namespace="").data
    rows = pins.get("pinned_versions") or []
    return {(row["type"], row["name"]): row["version"] for row in rows}


def needed_pins(client: VaultClient, openbao: bool, next_step: str) -> Pins:
    """Return the pinned versions; raises VaultError, with ``next_step`` where there are no pins."""
    if openbao:
        raise OptionError("this server has no pins: it is OpenBao", next_step=next_step)
    try:
        return read_pins(client)
    except Refused as error:
        if error.status != 404:
            raise
        raise error.retold(
            "this server has no pins, which HashiCorp Vault has from 1.16 on", next_step=next_step
        ) from error


def pin(client: VaultClient, entry: CatalogEntry) -> None:
    """Let all mounts of a plugin run the version of ``entry``; raises VaultError."""
    path = _pin_path(entry.kind, entry.name)
    client.request("POST", path, {"version": entry.version}, namespace="", repeatable=True)


def unpin(client: VaultClient, kind: str, name: str) -> None:
    """Let each mount of a plugin run the version that it is configured for; raises VaultError."""
    path = _pin_path(kind, name)
    try:
        client.request("DELETE", path, namespace="", repeatable=True)
    except Refused as error:
        if error.status != 403:
            raise
        step = f'give the token the ACL capability "delete" on "{path}"'
        raise error.retold(error.what, next_step=step) from error


def _entry(row: t.Mapping[str, t.Any]) -> CatalogEntry:
    return CatalogEntry(
        kind=row["type"],
        name=row["name"],
        version=row.get("version") or "",
        sha256=row.get("sha256") or "",
        builtin=bool(row.get("builtin")),
        oci_image=row.get("oci_image") or "",
        runtime=row.get("runtime") or "",
    )


def _catalog_path(kind: str, name: str) -> str:
    return f"sys/plugins/catalog/{kind}/{name}"


def _pin_path(kind: str, name: str) -> str:
    return f"sys/plugins/pins/{kind}/{name}"


def _rights(error: Refused, capability: str, path: str) -> str:
    """Return the next step for a token that may not write the catalog, else nothing."""
    if error.status != 403:
        return ""
    return f'give the token the ACL capabilities "{capability}" and "sudo" on "{path}"'
