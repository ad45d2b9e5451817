# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plugin catalog: what the server can start.

It is that of the whole server, and is written in the root namespace.
API: https://openbao.org/api-docs/system/plugins-catalog/
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.plugin_failures import (
    did_not_start,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.running import Running
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    OptionError,
    Refused,
    missing_sudo,
    words_of,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.fields import (
    CHECK_URL,
    Fields,
    nothing_there,
)
from ansible_collections.vaultops.vault.plugins.module_utils._text import one_line

# The catalog's listing has no versions before.
OLDEST_VAULT = "1.12"

# The server gives a plugin that hangs at its start 120 s to report its version.
_REGISTER_TIMEOUT = 130.0

_NO_RUNTIME = (
    "register the runtime first, with the module plugin_runtime, or correct runtime: the module "
    "plugin_info lists what there is"
)
_NO_ENGINE = (
    "start the container engine on each node, and let the server reach its socket, or set "
    "DOCKER_HOST for the server"
)
_NO_IMAGE = (
    "pull the image on each node, with version (without the leading v) as its tag; sha256 is its "
    "id, as docker images --no-trunc prints it"
)
_NO_CONTAINER = (
    "check on each node that the container engine knows the oci_runtime (default: runsc) of the "
    "plugin runtime, and can use its cgroup_parent and limits; the module plugin_runtime changes "
    "them"
)

CORRECT_PLUGIN = (
    "build the plugin so that it reports its version as the server writes versions: all three "
    "numbers after a v, such as v1.0.0"
)

# A part of the server's words about a registration, and what to do next: the first that fits.
_REGISTER_STEPS = (
    # Of plugins in containers, whose errors quote the container engine.
    ("specified plugin runtime", _NO_RUNTIME),
    ("Cannot connect to the Docker daemon", _NO_ENGINE),
    ("must not have any ':'", "give oci_image without a tag: version has it"),
    ("could not find any locally available images", _NO_IMAGE),
    ("error creating container", _NO_CONTAINER),
    ("error starting container", _NO_CONTAINER),
    ("plugin self-reported version", CORRECT_PLUGIN),
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
    ("context canceled", "the plugin did not start in time: the server's log has the reason"),
    ("missing SHA-256", "give sha256, or src"),
)

# Versions as the server asks for them; a plugin may report another spelling, such as 1.0.0 or v1.0.
_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)((?:[-+A-Za-z~].*)?)", re.ASCII)
_REPORTED = re.compile(r"reported version \(([^)]*)\)")

# What Go prints of an error in an error where the server's own format is wrong.
_GO_ERROR = re.compile(r"%!w\(\*?[\w.]+=&?\{(.*?)(?: 0x[0-9a-f]+)?\}\)")


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

    @property
    def running(self) -> Running:
        """What a mount runs that the server starts from this entry."""
        return Running(self.version, self.sha256)

    @property
    def misspelled(self) -> bool:
        """Whether the plugin reported its version in a spelling that the server does not look for.

        Such an entry is listed, but no mount of the plugin can run it, and the server looks for
        another one where it is read or removed by its version.
        """
        return self.version != canonical_version(self.version)

    @property
    def full_name(self) -> str:
        """The name by which the server finds this very entry, together with its version."""
        return f"{self.name}/{self.version}" if self.misspelled else self.name

    def __str__(self) -> str:
        return " ".join(filter(None, (self.kind, "plugin", f'"{self.name}"', self.version)))


class Registration(t.NamedTuple):
    """An entry with what only its own row has; None where that cannot be read.

    ``declarative`` says that the configuration of an OpenBao server made it.  ``failure`` is why
    the server itself cannot read the row, empty where it can, or the token may not.
    """

    entry: CatalogEntry
    command: str | None = None
    args: t.Sequence[str] | None = None
    declarative: bool | None = None
    failure: str = ""


def list_entries(client: VaultClient) -> list[CatalogEntry]:
    """Return all entries of the catalog, which needs no sudo; raises VaultError."""
    try:
        answer = client.request("GET", "sys/plugins/catalog")
    except Refused as error:
        if error.status != 404 or not client.connection.namespace:
            raise
        # Vault has the catalog in the root namespace only.
        answer = client.request("GET", "sys/plugins/catalog", namespace="")
    data = answer.data
    if "detailed" not in data and "secret" in data:
        raise OptionError(
            f"this server is older than HashiCorp Vault {OLDEST_VAULT}, the oldest release that "
            "has plugin versions",
            next_step="upgrade the server, or reload with verify=false",
        )
    rows = data.required_objects("detailed")
    if not rows:
        raise nothing_there("plugin", answer.where)
    return [_entry(row, row.required_text("type")) for row in rows]


def read_registration(client: VaultClient, entry: CatalogEntry) -> Registration:
    """Return the row of ``entry`` alone, which needs sudo; raises VaultError.

    OpenBao 2.7.2 fails to read an entry whose file is gone, and still writes and removes it.
    """
    try:
        answer = client.request("GET", _path(entry), query=_query(entry), namespace="")
    except Refused as error:
        if error.status != 500 or not did_not_start("\n".join(error.errors)):
            raise
        return Registration(entry, failure=one_line("\n".join(error.errors) or error.what))
    row = answer.data
    found = _entry(row, entry.kind)
    if not entry.misspelled and (found.name, found.version) != (entry.name, entry.version):
        raise NoAnswer(
            f"the answer is about {found}, not {entry}", where=answer.where, next_step=CHECK_URL
        )
    return Registration(
        entry=found,
        command=row.text("command"),
        args=row.texts("args"),
        declarative=row.flag("declarative"),
    )


def register(client: VaultClient, kind: str, name: str, body: t.Mapping[str, t.Any]) -> None:
    """Write an entry: the server runs the plugin to learn its version; raises VaultError."""
    path, what = entry_path(kind, name), f'cannot register {kind} plugin "{name}"'
    timeout = max(client.connection.timeout, _REGISTER_TIMEOUT)
    try:
        client.request("POST", path, body, namespace="", timeout=timeout)
    except Refused as error:
        text = words_of(error)
        words = _GO_ERROR.sub(r"\1", one_line(text))
        steps = (step for part, step in _REGISTER_STEPS if part in text)
        reported = _REPORTED.search(text)
        misspelled = reported is not None and reported[1] != canonical_version(reported[1])
        step = CORRECT_PLUGIN if misspelled else next(steps, "")
        step = missing_sudo(error, "update", path) or step
        raise error.with_context(f"{what}: {words}", next_step=step) from error


def deregister(client: VaultClient, entry: CatalogEntry) -> None:
    """Remove ``entry`` from the catalog; raises VaultError."""
    # A version in the body is ignored, and the entry without a version is removed.
    path = _path(entry)
    try:
        client.request("DELETE", path, query=_query(entry), namespace="")
    except Refused as error:
        step = missing_sudo(error, "delete", path)
        raise error.with_context(f"cannot remove {entry}: {error.what}", next_step=step) from error


def _entry(row: Fields, kind: str) -> CatalogEntry:
    return CatalogEntry(
        kind=kind,
        name=row.required_text("name"),
        version=row.text("version"),
        sha256=row.text("sha256"),
        builtin=row.flag("builtin"),
        oci_image=row.text("oci_image"),
        runtime=row.text("runtime"),
    )


def entry_path(kind: str, name: str) -> str:
    """Return the path of the entries of a plugin."""
    return f"sys/plugins/catalog/{kind}/{name}"


def canonical_version(text: str) -> str:
    """Return a version as the server spells it: with v, and with three numbers or more."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return text
    numbers = [str(int(number)) for number in match[1].split(".")]
    # A dash with nothing after it is a pre-release of its own.
    has_dash = match[2].startswith("-") and match[2][1:2] not in ("", "+")
    dash = "" if has_dash or match[2][:1] in ("", "+") else "-"
    return f"v{'.'.join(numbers + ['0'] * (3 - len(numbers)))}{dash}{match[2]}"


def _path(entry: CatalogEntry) -> str:
    return entry_path(entry.kind, entry.full_name)


def _query(entry: CatalogEntry) -> dict[str, str] | None:
    # An entry with a version is not found without it, and the server corrects its spelling.
    return {"version": entry.version} if entry.version and not entry.misspelled else None
