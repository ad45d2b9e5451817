# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a mount is spelled: what users write, and the one form in which we compare and send it."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError


def mount_path(spelling: str) -> str:
    """Return the canonical path of a mount: ``foo/``, or ``auth/foo/`` for an auth mount.

    Accepts ``foo``, ``foo/``, ``/foo``, ``auth/foo`` and ``sys/auth/foo``.
    Raises OptionError when nothing is left.
    """
    path = spelling.strip().strip("/")
    if f"{path}/".startswith("sys/auth/"):
        path = path[len("sys/") :]
    if path in ("", "auth"):
        raise OptionError(
            f"{spelling!r} in mounts does not name a mount",
            next_step="give the path of a mount, such as transit/ or auth/approle/",
        )
    return path + "/"


def mount_paths(spellings: t.Iterable[str]) -> list[str]:
    """Return the canonical paths in the order given, each once.

    A mount that is named twice would have its plugin restarted twice.
    """
    return list(dict.fromkeys(mount_path(spelling) for spelling in spellings))
