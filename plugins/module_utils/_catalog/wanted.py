# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task wants a catalog entry to be: read from its options, compared with what is there."""

from __future__ import annotations

import hashlib
import pathlib
import re
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
    Registration,
    canonical_version,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import Catalog
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._parsing import (
    assignments,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params

_NAME = re.compile(r"\w(?:[\w.+-]*\w)?", re.ASCII)
_VERSION = re.compile(r"v?(\d+\.\d+\.\d+(?:-[\w.-]+)?(?:\+[\w.-]+)?)", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")

# A shorter value, or one of these, is no secret, and would be masked wherever it occurs.
_SHORTEST_SECRET = 4
_NO_SECRETS = ("true", "false")


class Wanted(t.NamedTuple):
    """The options of an entry, each empty where the task leaves it open.

    ``env`` are texts NAME=value, all of them secret, None where it is not given.
    """

    kind: str
    name: str
    version: str
    sha256: str
    command: str
    args: list[str]
    env: list[str] | None
    oci_image: str
    runtime: str

    @classmethod
    def from_params(cls, params: Params) -> Wanted:
        """Check the options of the module plugin, and hash the file of src; raises OptionError."""
        command, args = _command(params)
        return cls(
            kind=params["type"],
            name=plugin_name(params["name"]),
            version=plugin_version(params["version"]),
            sha256=_sha256(params),
            command=command,
            args=args,
            env=None if params["env"] is None else _env(params["env"]),
            oci_image=params["oci_image"] or "",
            runtime=params["runtime"] or "",
        )

    @property
    def secrets(self) -> set[str]:
        """All that no output may show."""
        texts = self.env or []
        values = {text.partition("=")[2] for text in texts}.difference(_NO_SECRETS)
        return {*texts, *(value for value in values if len(value) >= _SHORTEST_SECRET)}

    def find_in(self, catalog: Catalog) -> CatalogEntry | None:
        """Return the entry that the options name.

        It is that of the version; without one, that of the sha256, for a plugin that reports its
        version lands there; else that without a version, which would be overwritten.
        """
        external = catalog.external(self.kind, self.name)
        if self.version:
            return next((entry for entry in external if entry.version == self.version), None)
        same = [entry for entry in external if self.sha256 == entry.sha256.lower() != ""]
        same.sort(key=lambda entry: entry.misspelled)  # such an entry is of use to no mount
        unversioned = [entry for entry in external if not entry.version]
        return next(iter(same + unversioned), None)

    def settled_by(self, found: CatalogEntry | None) -> Wanted:
        """Return what is wanted with the version in which its sha256 is registered already."""
        if self.version or found is None or found.sha256.lower() != self.sha256:
            return self
        return self._replace(version=found.version)

    def landed_in(
        self, entries: t.Sequence[CatalogEntry], before: t.Sequence[CatalogEntry]
    ) -> CatalogEntry | None:
        """Return the entry that the registration made or changed, None where none is to be seen."""
        catalog = Catalog(entries, {})
        if self.version or not self.sha256:
            return self.find_in(catalog)
        external = catalog.named(self.kind, self.name)
        same = [entry for entry in external if entry.sha256.lower() == self.sha256]
        return next(iter([entry for entry in same if entry not in before] + same), None)

    def names(self, entry: CatalogEntry) -> bool:
        """Tell whether ``entry`` is the one that was named, by its version or its sha256."""
        return bool(self.version) or self.sha256 in ("", entry.sha256.lower())

    def differs_from(self, there: Registration) -> list[str]:
        """Return the options that ``there`` does not agree with, as far as it is known."""
        entry = there.entry
        mine = {
            "sha256": self.sha256 or entry.sha256.lower(),
            "command": self.command,
            "arguments": self.args,
            "oci_image": self.oci_image,
            "runtime": self.runtime,
        }
        theirs = {
            "sha256": entry.sha256.lower(),
            "command": there.command,
            "arguments": None if there.args is None else list(there.args),
            "oci_image": entry.oci_image,
            "runtime": entry.runtime,
        }
        return [name for name, value in theirs.items() if value is not None and value != mine[name]]

    def complete(self, there: Registration) -> Registration:
        """Return ``there`` with what was just written where the token may not read it."""
        if there.command is not None:
            return there
        return there._replace(command=self.command, args=self.args, declarative=False)

    def as_registration(self) -> Registration:
        """Return the entry as it will be, if the plugin itself reports no other version."""
        entry = CatalogEntry(
            kind=self.kind,
            name=self.name,
            version=self.version,
            sha256=self.sha256,
            builtin=False,
            oci_image=self.oci_image,
            runtime=self.runtime,
        )
        return Registration(entry, self.command, self.args, declarative=False)

    def as_body(self) -> dict[str, t.Any]:
        """Return what is sent: the whole entry, since the server keeps nothing of an older one."""
        fields = ("version", "sha256", "command", "args", "env", "oci_image", "runtime")
        return {name: getattr(self, name) for name in fields if getattr(self, name)}


def plugin_name(text: str) -> str:
    """Return the name of a plugin if it can be one; raises OptionError."""
    name = text.strip()
    if not _NAME.fullmatch(name):
        raise OptionError(
            f'name "{text}" is not a valid name for a plugin',
            next_step="give its name in the catalog: letters, digits, and _ . + - between them",
        )
    return name


def plugin_version(text: str | None) -> str:
    """Return the version of an external plugin, empty for none; raises OptionError."""
    version = any_version(text)
    if is_builtin_version(version):
        raise OptionError(
            f'version "{text}" is that of a builtin plugin, which is part of the server',
            next_step="give the version of an external plugin",
        )
    return version


def is_builtin_version(version: str) -> bool:
    """Tell whether ``version`` is that of a plugin which is part of a server."""
    return "builtin" in version.partition("+")[2]


def any_version(text: str | None) -> str:
    """Return a version as the server spells it, empty for none; raises OptionError."""
    if not (text or "").strip():
        return ""
    match = _VERSION.fullmatch((text or "").strip())
    if match is None:
        raise OptionError(
            f'version "{text}" is not a semantic version',
            next_step="give it with all of its three numbers, such as v1.2.0, in quotes",
        )
    return canonical_version(match[1])


def _sha256(params: Params) -> str:
    if params["src"] is not None:
        return _hash_of(pathlib.Path(params["src"]))
    text = (params["sha256"] or "").strip().lower()
    if text and not _SHA256.fullmatch(text):
        raise OptionError(
            f"sha256 is not valid: it needs 64 hexadecimal digits, and has {len(text)} characters",
            next_step="give what sha256sum prints for the plugin's file, or give the file as src",
        )
    if not text and params["oci_image"] and params["state"] == "present":
        raise OptionError(
            "a plugin in a container cannot be registered without the sha256 of its image",
            next_step="give sha256: the id of the image without the leading sha256:, as docker "
            "images --no-trunc prints it on a node; nothing was registered",
        )
    if not text and params["state"] == "present":
        raise OptionError(
            "a plugin cannot be registered without its sha256",
            next_step="give sha256, or the plugin's file as src",
        )
    return text


def _hash_of(file: pathlib.Path) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as content:
            for block in iter(lambda: content.read(1 << 20), b""):
                digest.update(block)
    except OSError as error:
        raise OptionError(
            f'src "{file}" cannot be read: {error.strerror}',
            next_step="give a file on the host that runs the task, which need not be the server",
        ) from error
    return digest.hexdigest()


def _command(params: Params) -> tuple[str, list[str]]:
    """Return command and arguments; the server, too, splits a command that has spaces."""
    given, args = (params["command"] or "").strip(), list(params["arguments"] or [])
    if not given and params["oci_image"]:
        return "", args  # the image says what it runs
    command = given or pathlib.PurePath(params["src"] or params["name"].strip()).name
    words = command.split(" ")
    if len(words) > 1 and (args or not given):
        raise OptionError(
            f'command "{command}" has a space, and what follows it would be an argument',
            next_step="name the file without a space, and its arguments in arguments",
        )
    return words[0], words[1:] or args


def _env(option: t.Any) -> list[str]:
    """Return the variables as texts NAME=value; raises OptionError, which repeats no value."""
    if isinstance(option, t.Mapping):
        return assignments(option, "env")
    if isinstance(option, str):
        option = [option]
    if not isinstance(option, (list, tuple)):
        raise OptionError(
            "env is not a mapping or a list", next_step="give NAME: value, or NAME=value"
        )
    for position, text in enumerate(option, 1):
        if not isinstance(text, str) or not text.partition("=")[1] or text.startswith("="):
            raise OptionError(
                f"item {position} of env is not NAME=value", next_step="give the name of a variable"
            )
    return list(option)
