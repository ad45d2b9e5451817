# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pin of a plugin: set or removed, and read afterwards."""

from __future__ import annotations

from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_pins import (
    pin,
    read_pins,
    unpin,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.read_back import (
    write_and_read,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient


def set_pin(client: VaultClient, kind: str, name: str, version: str) -> None:
    """Pin a plugin to ``version``, or remove its pin where that is empty; raises VaultError."""
    write = (
        partial(pin, client, kind, name, version) if version else partial(unpin, client, kind, name)
    )
    done = f"pinned to {version}" if version else "unpinned"
    write_and_read(
        client,
        write,
        f'{kind} plugin "{name}" was {done}',
        lambda: read_pins(client).get((kind, name), "") == version,
        f'that {kind} plugin "{name}" is {done}, but does not list it so',
    )


def pin_line(kind: str, name: str, version: str) -> str:
    """Return the line of a diff for the pin of a plugin, nothing where it is not pinned."""
    return f"{kind} {name} pinned to {version}\n" if version else ""
