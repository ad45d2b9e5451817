# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health of a mount: whether its plugin answers.

The default health check is the path help of the mount's root (``?help=1``): each plugin of the SDK
answers it from its own process, any valid token may ask for it, and it reads no secret.  A health
check starts a plugin that does not run: it is made once, and has a timeout of its own.
API: https://openbao.org/docs/commands/path-help/
"""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugin_failures import (
    NO_BACKEND,
    NO_MOUNT,
    did_not_start,
    ended_while_asked,
    is_being_removed,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    PermissionDenied,
    Refused,
    TokenNotAccepted,
    VaultError,
    words_of,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import together
from ansible_collections.vaultops.vault.plugins.module_utils._text import one_line

# A server gives a plugin that hangs at its start 60 or 120 s: a healthy one answers at once.
HEALTH_TIMEOUT = 15.0

# The server's own words: of a standby for path help with a token that it does not know, status 500,
# and for a namespace that was deleted meanwhile, status 404.
_NOT_HERE = ("please forward to the active node", "namespace not found")
# The server itself refused, or a gateway before it: the plugin was not asked.
_NOT_ASKED = (307, 403, 412, 429, 472, 473, *range(501, 600))


class Health(t.NamedTuple):
    """Whether a plugin answers, None where that is unknown, and the reason for that.

    ``probe_failed`` says that it answers, but not the path of the probe; ``wanted`` is False where
    no health check was wanted.
    """

    alive: bool | None
    reason: str = ""
    probe_failed: bool = False
    wanted: bool = True

    @property
    def being_removed(self) -> bool:
        """Whether the mount is being removed, so that no reload makes it answer."""
        return is_being_removed(self.reason)

    @property
    def lost_plugin(self) -> bool:
        """Whether the server has no plugin left for the mount, and starts none by itself.

        Where only its process ended, the server starts that again with the next request.
        """
        return self.alive is False and any(part in self.reason for part in NO_BACKEND)


UNKNOWN_HEALTH = Health(None)
_NOT_WANTED = Health(None, wanted=False)
# A part of the server that answers.
_BUILTIN = Health(True)
# Of a mount that was there when the task began.
GONE = Health(None, "it is not there any more: it was disabled or moved meanwhile")


def check_health(client: VaultClient, mount: Mount, probe: str | None) -> Health:
    """Return the health of ``mount``.

    ``probe`` is a path below the mount to read, empty for path help, None for no health check.
    """
    known = _without_asking(mount, probe)
    if known is not None:
        return known
    # A probe is a path of the plugin that it is given for.
    if not probe or mount.builtin:
        return _by_path_help(client, mount)
    health = _by_probe(client, mount, probe)
    if not health.probe_failed:
        return health
    # The path may be wrong: then the plugin answers all the same.
    answers = _by_path_help(client, mount)
    return health if answers.alive else answers._replace(reason=health.reason)


def check_all(
    client: VaultClient, mounts: t.Iterable[Mount], probe: str | None
) -> dict[str, Health]:
    """Return the health of each of ``mounts`` by path; a few are asked at the same time."""
    known = {mount.path: (mount, _without_asking(mount, probe)) for mount in mounts}
    asked = {path: mount for path, (mount, health) in known.items() if health is None}
    found = together(
        client, [partial(check_health, client, mount, probe) for mount in asked.values()]
    )
    answers = dict(zip(asked, found))
    return {path: health or answers[path] for path, (_mount, health) in known.items()}


def _without_asking(mount: Mount, probe: str | None) -> Health | None:
    """Return what is known of ``mount`` before anybody asks it, None where it is to be asked."""
    if mount.surely_runs:
        return _BUILTIN
    return _NOT_WANTED if probe is None else None


def request_path_help(client: VaultClient, path: str) -> None:
    """Ask for the path help of ``path``, which needs a token; raises VaultError."""
    answer = _read(client, path, plain=True, help="1").plain
    answer.require("help")
    answer.text("help")  # which may be empty


def _by_path_help(client: VaultClient, mount: Mount) -> Health:
    health = _by_one_path_help(client, mount)
    if not ended_while_asked(health.reason):
        return health
    # Once may be a reload of somebody else's; twice, it is no plugin that answers.
    again = _by_one_path_help(client, mount)
    return again._replace(alive=False) if ended_while_asked(again.reason) else again


def _by_one_path_help(client: VaultClient, mount: Mount) -> Health:
    try:
        request_path_help(client, mount.path.rstrip("/"))
    except TokenNotAccepted as error:
        return Health(None, _words(error))
    except PermissionDenied as error:
        if client.inline_headers:
            reason = "path help needs a token, give a path as probe or auth_mode=login"
            return Health(None, reason)
        return _without_plugin(error) or Health(None, _words(error))
    except Refused as error:
        # A plugin that answers with an error answers; with 500, or without any, it may be anybody.
        is_anybody = error.status == 500 or not error.errors
        answers = Health(None, _words(error)) if is_anybody else Health(True)
        return _without_plugin(error) or answers
    except VaultError as error:
        return Health(None, error.what)
    return Health(True)


def _by_probe(client: VaultClient, mount: Mount, probe: str) -> Health:
    try:
        _read(client, mount.path + probe.lstrip("/"))
    except Refused as error:
        if error.status == 404 and not error.errors:
            return Health(True)  # nothing at the path is an answer of the plugin
        return _without_plugin(error) or Health(True, _words(error), probe_failed=True)
    except VaultError as error:
        return Health(None, error.what)
    return Health(True)


def _read(client: VaultClient, path: str, *, plain: bool = False, **query: str) -> Answer:
    """Ask without retries: a request that is sent again would start a broken plugin again."""
    timeout = min(HEALTH_TIMEOUT, client.connection.timeout)
    return client.request(
        "GET", path, query=query or None, repeatable=False, timeout=timeout, plain=plain
    )


def _without_plugin(error: Refused) -> Health | None:
    """Return the health that a refusal shows which did not come from the plugin, else None."""
    text = "\n".join(error.errors)
    if NO_MOUNT in text:
        return GONE
    if any(part in text for part in NO_BACKEND) or did_not_start(text):
        return Health(False, _words(error))
    if error.status in _NOT_ASKED or any(part in text for part in _NOT_HERE):
        return Health(None, _words(error))
    return None


def _words(error: Refused) -> str:
    return one_line(words_of(error)) if error.errors else f"status {error.status}"
