# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health of a mount: whether its plugin answers.

The default health check is the path help of the mount's root (``?help=1``): each plugin of the SDK
answers it from its own process, any valid token may ask for it, and it reads no secret.
API: https://openbao.org/docs/commands/path-help/
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    PermissionDenied,
    Refused,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._text import one_line

# A plugin that answers with an error answers; these are the server's words for one that does not.
_NO_BACKEND = ("no handler for route", "backend is nil")
# A standby's words, status 500, for path help with a token that it does not know.
_NOT_HERE = "please forward to the active node"
# The server itself refused: the plugin was not asked.
_NOT_ASKED = (307, 403, 412, 429, 472, 473, 503)


class Health(t.NamedTuple):
    """Whether a plugin answers, None where that is unknown, and the reason for that."""

    alive: bool | None
    reason: str = ""


UNKNOWN_HEALTH = Health(None)


def check_health(client: VaultClient, mount: Mount, probe: str | None) -> Health:
    """Return the health of ``mount``.

    ``probe`` is a path below the mount to read, empty for path help, None for no health check.
    """
    # A builtin plugin runs inside the server: it has no process that could be missing.
    if probe is None or mount.builtin:
        return Health(True)
    try:
        if probe:
            client.request("GET", mount.path + probe.lstrip("/"))
        else:
            request_path_help(client, mount.path.rstrip("/"))
    except PermissionDenied as error:
        if client.inline_headers and not probe:
            reason = "path help needs a token, give a path as probe or auth_mode=login"
            return Health(None, reason)
        return _health_of_refusal(error, probe)
    except Refused as error:
        return _health_of_refusal(error, probe)
    except VaultError as error:
        return Health(None, error.what)
    return Health(True)


def request_path_help(client: VaultClient, path: str) -> None:
    """Ask for the path help of ``path``, which needs a token; raises VaultError."""
    client.request("GET", path, query={"help": "1"})


def _health_of_refusal(error: Refused, probe: str) -> Health:
    words = one_line("\n".join(error.errors)) or f"status {error.status}"
    if any(part in words for part in _NO_BACKEND):
        return Health(False, words)
    if error.status in _NOT_ASKED or _NOT_HERE in words:
        return Health(None, words)
    if probe:
        # Nothing at the path is an answer; any other refusal is not the health that was asked for.
        return Health(error.status == 404 and not error.errors, words)
    return Health(error.status is not None and error.status < 500, words)
