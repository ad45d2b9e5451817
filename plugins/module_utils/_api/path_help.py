# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof of life: does the plugin behind a mount answer?

The default question is the path help of the mount's root (``?help=1``): each plugin of the SDK
answers it from its own process, any valid token may ask, and it reads no secret.
API: https://openbao.org/docs/commands/path-help/
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    Refused,
    VaultError,
    one_line,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient

# A plugin that answers with an error answers; these are the server's words for one that does not.
_NO_BACKEND = ("no handler for route", "backend is nil")
# A standby's words, status 500, for path help with a token that it does not know.
_NOT_HERE = "please forward to the active node"


class Life(t.NamedTuple):
    """Whether a plugin answers, None where that is unknown, and the words that say so."""

    serves: bool | None
    words: str = ""


def life_of(client: VaultClient, mount: Mount, question: str | None) -> Life:
    """Return whether ``mount`` serves; ``question`` is None where nothing is to be asked."""
    # A builtin plugin runs inside the server: it has no process that could be missing.
    if question is None or mount.builtin:
        return Life(True)
    return ask(client, mount.path, question)


def ask(client: VaultClient, path: str, question: str) -> Life:
    """Ask the plugin behind the mount ``path``: for path help, or to read ``question`` below it."""
    try:
        if question:
            client.request("GET", path + question.lstrip("/"))
        else:
            client.request("GET", path.rstrip("/"), query={"help": "1"})
    except Refused as error:
        if error.status == 403 and client.inline_headers and not question:
            return Life(None, "path help needs a token, give a path as probe or auth_mode=login")
        return _read_refusal(error, bool(question))
    except VaultError as error:
        return Life(None, error.what)
    return Life(True)


def _read_refusal(error: Refused, exact: bool) -> Life:
    words = one_line("\n".join(error.errors)) or f"status {error.status}"
    if any(part in words for part in _NO_BACKEND):
        return Life(False, words)
    if error.status in (307, 403, 412, 429, 472, 473, 503) or _NOT_HERE in words:
        return Life(None, words)  # the server itself refused: the plugin was not asked
    if exact:
        # Nothing at the path is an answer; any other refusal is not the health that was asked for.
        return Life(error.status == 404 and not error.errors, words)
    return Life(error.status is not None and error.status < 500, words)
