# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounts: how their paths are spelled, what the server says of them, their configured version.

API: https://openbao.org/api-docs/system/mounts/ and https://openbao.org/api-docs/system/auth/
"""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.running import Running
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    OptionError,
    Refused,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.fields import (
    CHECK_URL,
    Fields,
    nothing_there,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import together
from ansible_collections.vaultops.vault.plugins.module_utils._text import and_more

# Reading one row takes 1 ms; listing 1,000 mounts takes 30 ms and 800 kB.
FEW_MOUNTS = 5

# A list of mounts that needs no token, and so tells how a server or a node answers at all.
OPEN_LISTING = "sys/internal/ui/mounts"

# Parts of the server itself; those with ns_ are of a namespace of Vault Enterprise.
SINGLETONS = frozenset(
    prefix + name for prefix in ("", "ns_") for name in ("system", "cubbyhole", "identity", "token")
)


# What each server, and each namespace, has in each list of mounts.
_IN_EACH_LIST = {"secret": ("system", "ns_system"), "auth": ("token", "ns_token")}

# The type of mounts from before Vault 1.0, whose rows do not name their plugin.
_UNNAMED = "plugin"


class Mount(t.NamedTuple):
    """A row of ``sys/mounts`` or ``sys/auth``.

    ``path`` is the canonical one; ``kind`` is secret or auth; ``version`` is the configured
    version, empty for none; ``running_version`` and ``running_sha256`` are of the catalog entry
    that the server loaded last, which does not show whether the plugin still runs.
    """

    path: str
    kind: str
    plugin: str
    accessor: str
    version: str
    running_version: str
    running_sha256: str

    @property
    def running(self) -> Running:
        """What the server loaded last."""
        return Running(self.running_version, self.running_sha256)

    @property
    def builtin(self) -> bool:
        """Whether the plugin runs inside the server, so that it has no process to lose."""
        return "+builtin" in self.running_version

    @property
    def says_what_runs(self) -> bool:
        """Whether the row names a file or a builtin plugin that was loaded.

        OpenBao 2.6 takes the sha256 of a mount away when its reload fails.
        """
        return bool(self.running_sha256) or self.builtin

    @property
    def surely_runs(self) -> bool:
        """Whether it is builtin, and was never configured for a version, which may not start."""
        return self.builtin and not self.version

    @property
    def singleton(self) -> bool:
        """Whether this is a part of the server itself, which cannot be reloaded."""
        return self.plugin in SINGLETONS

    @property
    def unnamed_plugin(self) -> bool:
        """Whether the server does not say which plugin this is, as storage from before 1.0 has it.

        A reload by the name of its plugin reaches it all the same.
        """
        return self.plugin == _UNNAMED


def unnamed_plugins(mounts: t.Iterable[Mount], kind: str | None = None) -> str:
    """Return the sentence about mounts whose plugin the server does not name, empty for none."""
    paths = [m.path for m in mounts if m.unnamed_plugin and kind in (None, m.kind)]
    return (
        f'mount "{paths[0]}"{and_more(paths)} is of type plugin, from before Vault 1.0, and does '
        "not say which plugin it runs"
        if paths
        else ""
    )


def mount_path(spelling: str, option: str = "mounts") -> str:
    """Return the canonical path of a mount: ``foo/``, or ``auth/foo/`` for an auth mount.

    Accepts ``foo``, ``foo/``, ``/foo``, ``auth/foo`` and ``sys/auth/foo``.
    Raises OptionError when nothing is left, and for what the server takes in no path.
    """
    path = spelling.strip().strip("/")
    if f"{path}/".startswith("sys/auth/"):
        path = path[len("sys/") :]
    if path in ("", "auth") or not path.isprintable():
        raise OptionError(
            f"{spelling!r} in {option} does not name a mount",
            next_step="give the path of a mount, such as transit/ or auth/approle/",
        )
    return path + "/"


def mount_paths(spellings: t.Iterable[str]) -> list[str]:
    """Return the canonical paths in the order given, each once.

    A mount that is named twice would have its plugin restarted twice.
    """
    return list(dict.fromkeys(mount_path(spelling) for spelling in spellings))


def list_mounts(
    client: VaultClient,
    kinds: t.Sequence[str] = ("secret", "auth"),
    namespace: str | None = None,
) -> dict[str, Mount]:
    """Return the mounts of the client's namespace, or of another, by path; raises VaultError."""
    listings = together(
        client, [partial(_listing, client, kind, namespace) for kind in kinds], quick=True
    )
    return {path: mount for listing in listings for path, mount in listing.items()}


def read_mounts(client: VaultClient, paths: t.Sequence[str]) -> dict[str, Mount]:
    """Return the mounts at ``paths`` that exist, in few requests; raises VaultError.

    A row of its own is read for a few secrets mounts of one segment only: the server reads a row
    by the longest prefix, so ``secret/typo`` would be answered by ``secret/``, and reading one of
    an auth mount needs sudo.
    """
    secrets = [path for path in paths if mount_kind(path) == "secret"]
    reads: list[t.Callable[[], t.Mapping[str, Mount]]] = []
    if len(secrets) <= FEW_MOUNTS and all(path.count("/") == 1 for path in secrets):
        reads += [partial(_row, client, path) for path in secrets]
    else:
        reads.append(partial(_listing, client, "secret"))
    if len(secrets) < len(paths):
        reads.append(partial(_listing, client, "auth"))
    found = {
        path: mount for part in together(client, reads, quick=True) for path, mount in part.items()
    }
    _require_distinct(list(found.values()))
    return {path: found[path] for path in paths if path in found}


def _require_distinct(mounts: t.Sequence[Mount]) -> None:
    """Raise NoAnswer where one mount was answered at two paths: a row does not say its path."""
    by_accessor = {mount.accessor: mount for mount in mounts}
    mixed = [mount.path for mount in mounts if by_accessor[mount.accessor] != mount]
    if mixed:
        raise NoAnswer(
            f'the answers for mount "{mixed[0]}"{and_more(mixed)} are about another mount',
            next_step=CHECK_URL,
        )


def set_version(client: VaultClient, path: str, version: str) -> None:
    """Configure the mount at ``path`` for ``version``, which its next reload starts.

    The server refuses one that is not registered, and "no version".  Raises VaultError.
    API: https://openbao.org/api-docs/system/mounts/#tune-mount-configuration
    """
    # This path does for auth mounts too, and needs no sudo, unlike sys/auth.
    tune = f"sys/mounts/{path.rstrip('/')}/tune"
    client.request("POST", tune, {"plugin_version": version}, repeatable=True)


def _listing(client: VaultClient, kind: str, namespace: str | None = None) -> dict[str, Mount]:
    path = "sys/auth" if kind == "auth" else "sys/mounts"
    answer = client.request("GET", path, namespace=namespace)
    prefix = "auth/" if kind == "auth" else ""
    rows = {prefix + path: _mount(prefix + path, row) for path, row in answer.data.each()}
    own = _IN_EACH_LIST[kind]
    if not any(mount.plugin in own for mount in rows.values()):
        # It is empty, or the list of something else.
        raise nothing_there(f"mount of type {own[0]}", answer.where)
    return rows


def _row(client: VaultClient, path: str) -> dict[str, Mount]:
    """Return the mount at ``path`` by its path, nothing where there is none."""
    try:
        row = client.request("GET", f"sys/mounts/{path.rstrip('/')}").data
    except Refused as error:
        if any(words.startswith("No secret engine mount") for words in error.errors):
            return {}
        raise
    return {path: _mount(path, row)}


def mount_kind(path: str) -> str:
    """Return the kind of the mount at the canonical ``path``: secret or auth."""
    return "auth" if path.startswith("auth/") else "secret"


def _mount(path: str, row: Fields) -> Mount:
    return Mount(
        path=path,
        kind=mount_kind(path),
        plugin=row.required_text("type"),
        accessor=row.required_text("accessor"),
        version=row.text("plugin_version"),
        running_version=row.text("running_plugin_version"),
        running_sha256=row.text("running_sha256"),
    )
