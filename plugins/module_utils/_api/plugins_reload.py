# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reload endpoint: what is sent, how long we wait, and what the server's answer means.

API: https://developer.hashicorp.com/vault/api-docs/system/plugins-reload and
https://openbao.org/api-docs/system/plugins-reload/
"""

from __future__ import annotations

import re
import types
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    SHOWN,
    NoAnswer,
    Refused,
    VaultError,
    named,
    one_line,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient

RELOAD_PATH = "sys/plugins/reload/backend"

# The server gives a plugin that hangs at its start 120 s, one mount after the other, and it
# cancels the reload when the client hangs up: what it has stopped by then stays dead.
SECONDS_PER_MOUNT = 130.0
# How many mounts a plugin has is the server's knowledge: wait as for so many.
ASSUMED_MOUNTS = 30

# The server refuses JSON of 1,000 strings and more, and strings of 1 MiB and more.
LIST_LIMIT = 990
TEXT_LIMIT = 1_000_000

_NOTHING_RELOADED = "no plugins were reloaded"


class _Words(t.NamedTuple):
    """What a part of the server's words means: did it touch a mount, and what to do next."""

    part: str
    touched: bool
    next_step: str


MEND = (
    "a mount whose reload failed is down until a reload of it succeeds: mend the plugin (its "
    "file, sha256 or catalog entry; the server's log tells), then repeat the task"
)

_DOWN = _Words("cannot reload plugin", True, MEND)

# The first row that fits counts.
_WORDS = (
    _Words(
        "cannot fetch mount entry",
        False,
        'check the path in "bao secrets list" and "bao auth list", and the option namespace',
    ),
    _Words(
        "singleton plugin",
        False,
        "it is a part of the server itself, with no plugin to reload: leave it out",
    ),
    _DOWN,
    _Words(
        "not found in the catalog",
        False,
        'register the plugin first, or check its name in "bao plugin list"',
    ),
    _Words(
        "only plugins of type auth and secret",
        False,
        "name the mounts that use it instead (option mounts)",
    ),
)

_MOUNT_ERROR = r'cannot (?:fetch mount entry|reload plugin) on "((?:[^"\\]|\\.)*)"'


# Nothing, by path; a NamedTuple's default must not change.
_NONE: t.Mapping[str, t.Any] = types.MappingProxyType({})


class ReloadAnswer(t.NamedTuple):
    """What one reload is known to have done, from the server's answer alone.

    ``changed``: the server reloaded, or stopped, at least one mount; None where that is unknown.
    ``reloaded`` tells it by path where the paths were ours, ``otherwise`` for every other mount.
    ``failed``: the server's words about each mount that it named as failed, by path.
    ``error``: what kept the reload from being a whole success, None where it is one.
    """

    changed: bool | None
    otherwise: bool | None
    reloaded: t.Mapping[str, bool | None] = _NONE
    reload_id: str | None = None
    warnings: t.Sequence[str] = ()
    failed: t.Mapping[str, str] = _NONE
    error: VaultError | None = None

    def was_reloaded(self, path: str) -> bool | None:
        """Return whether the mount at ``path`` was reloaded, None where that is unknown."""
        return self.reloaded.get(path, self.otherwise)


# Nothing was sent, or certainly done; and nothing is known of what was done.
UNTOUCHED = ReloadAnswer(changed=False, otherwise=False)
UNTOLD = ReloadAnswer(changed=None, otherwise=None)


def reload_plugin(
    client: VaultClient,
    plugin: str,
    scope: str,
    *,
    plugin_type: str | None = None,
    mount_count: int = ASSUMED_MOUNTS,
    patience: float | None = None,
) -> ReloadAnswer:
    """Reload all mounts of ``plugin`` in the client's namespace.

    With ``plugin_type`` (Vault from 1.16, root namespace) those in all namespaces.
    The server stops at the first mount that fails and need not name it: mounts before it are
    reloaded, mounts after it are not touched.  ``patience`` (seconds) replaces the wait that the
    server may need for ``mount_count`` mounts.
    """
    path, body = RELOAD_PATH, {"plugin": plugin}
    if plugin_type:
        path, body = f"sys/plugins/reload/{plugin_type}/{plugin}", {}
    answer = _send(client, path, body, scope, patience or _patience(client, mount_count))
    if plugin_type and answer.error is not None and answer.error.status == 404:
        error = answer.error.retold(
            "this server has no reload by plugin type",
            next_step="leave plugin_type out, and run the task in each namespace",
        )
        answer = answer._replace(error=error)
    return _told(answer, f'cannot reload plugin "{plugin}"')


def reload_mounts(
    client: VaultClient, paths: t.Sequence[str], scope: str, *, patience: float | None = None
) -> ReloadAnswer:
    """Reload the mounts at the canonical ``paths``, in one request or the fewest possible.

    The server goes on after a mount that fails, and names those that failed; after a request
    that was no whole success, no further one is sent.  ``patience`` (seconds) replaces the wait
    that the server may need.
    """
    reloaded: dict[str, bool | None] = dict.fromkeys(paths, False)
    changed: bool | None = False
    warnings: list[str] = []
    for batch in _batches(paths):
        body = {"mounts": _mounts_value(batch)}
        wait = patience or _patience(client, len(batch))
        answer = _send(client, RELOAD_PATH, body, scope, wait)
        others = True if answer.failed else answer.otherwise
        reloaded.update({path: False if path in answer.failed else others for path in batch})
        changed = changed or any(reloaded.values()) or answer.changed
        warnings += answer.warnings
        if answer.error is not None:
            break
    failed = len(answer.failed) or len(paths)
    return _told(
        answer._replace(changed=changed, reloaded=reloaded, warnings=warnings),
        f"cannot reload {failed} of {len(paths)} mounts",
    )


def _patience(client: VaultClient, mount_count: int) -> float:
    return max(client.connection.timeout, SECONDS_PER_MOUNT * mount_count)


def _send(
    client: VaultClient, path: str, body: dict[str, t.Any], scope: str, patience: float
) -> ReloadAnswer:
    if scope != "local":
        body = {**body, "scope": scope}
    try:
        answer = client.request("POST", path, body, read_timeout=patience)
    except Refused as error:
        return _refusal(error)
    except NoAnswer as error:
        return ReloadAnswer(changed=None, otherwise=None, error=_unknown(error))
    except VaultError as error:
        return ReloadAnswer(changed=False, otherwise=False, error=error)
    changed = not any(_NOTHING_RELOADED in warning for warning in answer.warnings)
    return ReloadAnswer(
        changed=changed,
        otherwise=changed,
        reload_id=answer.data.get("reload_id") or answer.request_id,
        warnings=answer.warnings,
    )


def _refusal(error: Refused) -> ReloadAnswer:
    """Read a refusal: only 400 and 500 come from the reload itself, and they say why."""
    if error.status not in (400, 500) or not error.errors:
        return ReloadAnswer(changed=False, otherwise=False, error=error)
    text = "\n".join(error.errors)
    failed = _failed_mounts(text)
    words = list(failed.values()) or [one_line(text)]
    meanings = [_meaning(each) for each in words]
    touched = any(meaning.touched for meaning in meanings)
    shown = _grouped(failed) or words
    shown = shown[:SHOWN] + ["…"] * (len(shown) > SHOWN)
    return ReloadAnswer(
        changed=touched,
        otherwise=None if touched else False,
        failed=failed,
        # A mount that is down is the worst news: its remedy is told first.
        error=error.retold("; ".join(shown), next_step=max(meanings, key=_touched).next_step),
    )


def _unknown(error: NoAnswer) -> NoAnswer:
    return error.retold(
        f"the outcome of the reload is unknown: {error.what}",
        next_step=f"{error.next_step}, then repeat the task: a reload that succeeds heals",
    )


def _meaning(words: str) -> _Words:
    return next((row for row in _WORDS if row.part in words), _DOWN)


def _touched(meaning: _Words) -> bool:
    return meaning.touched


def _failed_mounts(text: str) -> dict[str, str]:
    """Take a multi-error, nested or not, apart: the server's words by the mount they name."""
    starts = list(re.finditer(_MOUNT_ERROR, text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return {match.group(1): one_line(text[match.start() : end]) for match, end in zip(starts, ends)}


def _grouped(failed: t.Mapping[str, str]) -> list[str]:
    """Return the words about failed mounts, once for those that failed for the same reason."""
    groups: dict[str, list[str]] = {}
    for path, words in failed.items():
        groups.setdefault(words.replace(f'"{path}"', "", 1), []).append(path)
    return [failed[first] + _alike(others) for first, *others in groups.values()]


def _alike(others: t.Sequence[str]) -> str:
    if not others:
        return ""
    return f" (the same on {named(others)})"


def _told(answer: ReloadAnswer, what: str) -> ReloadAnswer:
    """Begin the error's message with what could not be done, where that much is known."""
    if answer.error is None or answer.changed is None:
        return answer
    error = answer.error.retold(f"{what}: {answer.error.what}")
    return answer._replace(error=error)


def _batches(paths: t.Sequence[str]) -> list[t.Sequence[str]]:
    """Split ``paths`` so that each part fits into one request: one part wherever possible."""
    if not any("," in path for path in paths) and sum(map(len, paths)) + len(paths) < TEXT_LIMIT:
        return [paths]
    return [paths[start : start + LIST_LIMIT] for start in range(0, len(paths), LIST_LIMIT)]


def _mounts_value(batch: t.Sequence[str]) -> str | list[str]:
    return list(batch) if len(batch) <= LIST_LIMIT else ",".join(batch)
