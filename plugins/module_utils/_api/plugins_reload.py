# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reload endpoint: what is sent, its timeout, and what the server's answer means.

API: https://developer.hashicorp.com/vault/api-docs/system/plugins-reload and
https://openbao.org/api-docs/system/plugins-reload/
"""

from __future__ import annotations

import re
import types
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.plugin_failures import (
    did_not_start,
    is_being_removed,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    Refused,
    TimedOut,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.interruption import (
    let_end,
    uninterrupted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._text import SHOWN, one_line, quoted

RELOAD_PATH = "sys/plugins/reload/backend"

# The server gives a plugin that hangs at its start 120 s, one mount after the other, and it
# cancels the reload when the client hangs up: what OpenBao has stopped by then stays down.
TIMEOUT_PER_MOUNT = 130.0
# How many mounts a plugin has is not always known here: then the timeout is that of so many.
ASSUMED_MOUNTS = 30

# The server refuses JSON of 1,000 strings and more, and strings of 1 MiB and more, unless its
# listener is configured for other limits.
LIST_LIMIT = 990
TEXT_LIMIT = 1_000_000
_TOO_LARGE = 413
# Of OpenBao (max_request_json_strings, max_request_json_memory), and of Vault from 1.20.3 on
# (max_json_string_value_length, max_json_array_element_count).
_TOO_MUCH = (
    "refused JSON input due to high complexity",
    "JSON string value exceeds allowed length",
    "JSON array exceeds allowed element count",
)

_NOTHING_RELOADED = "no plugins were reloaded"


class _Meaning(t.NamedTuple):
    """What a part of the server's words means: did it stop a mount's plugin, and what to do next.

    ``touched`` is None for words that are not known here: then the mounts show it.
    ``{cli}`` in ``next_step`` stands for the product's command line client.
    """

    part: str
    touched: bool | None
    next_step: str


FIX_PLUGIN = (
    "fix the plugin (its file, sha256 or catalog entry; the server's log has the reason), then run "
    "the task again"
)
# What it costs to hang up on the server while it reloads.
CUT_SHORT = (
    "if the reload is cut short, a mount that was stopped by then stays down until a reload of it "
    "succeeds (OpenBao), or until the next request to it (HashiCorp Vault)"
)
# What one who may cancel the task is to know before.
TAKES_UP_TO = (
    "the reload may take up to {seconds:.0f} s{each}; do not cancel it, as a mount that was "
    "stopped by then may stay down"
)
# What becomes of a mount whose reload failed, where the server does not keep its old plugin.
_STAYS_DOWN = "a mount whose reload failed is down until a reload of it succeeds"

_DOWN = _Meaning("cannot reload plugin", True, FIX_PLUGIN)
_NOT_KNOWN = _Meaning("", None, FIX_PLUGIN)

FINISH_REMOVAL = (
    "it is being removed, and no reload makes it answer: disable it again; the server's log says "
    "what is in the way"
)
_REMOVED = _Meaning("", False, FINISH_REMOVAL)

_ALLOW_MORE = (
    "allow larger requests in the server's configuration: the options max_request… and max_json… "
    "of its listener"
)

NAME_MOUNTS = "name the mounts that use it instead (option mounts)"
BY_TYPE_NOT_HERE = "this server has no reload by plugin type"
LEAVE_TYPE_OUT = "leave plugin_type out, and run the task in each namespace"

# The first row that fits counts.
_MEANINGS = (
    _Meaning(
        "cannot fetch mount entry",
        False,
        'check the path in "{cli} secrets list" and "{cli} auth list", and the option namespace',
    ),
    _Meaning(
        "singleton plugin",
        False,
        "it is a part of the server itself, with no plugin to reload: leave it out",
    ),
    _DOWN,
    _Meaning(
        'not found in the catalog: "',
        False,
        'register the plugin first, or check its name in "{cli} plugin list"',
    ),
    *(_Meaning(words, False, _ALLOW_MORE) for words in _TOO_MUCH),
    _Meaning("only plugins of type auth and secret", False, NAME_MOUNTS),
)

_MOUNT_ERROR = r'cannot (?:fetch mount entry|reload plugin) on "((?:[^"\\]|\\.)*)"'


# Nothing, by path; a NamedTuple's default must not change.
_NONE: t.Mapping[str, t.Any] = types.MappingProxyType({})


class ReloadAnswer(t.NamedTuple):
    """What one reload is known to have done, from the server's answer alone.

    ``changed``: the server reloaded, or stopped, at least one mount; None where that is unknown.
    ``reloaded`` says it by path where the paths were ours, ``others`` for every other mount.
    ``failed``: the server's words about each mount that it named as failed, by path;
    ``stays_down``: it leaves such a mount down, and does not keep what it ran before.
    ``error``: what kept the reload from being a whole success, None where it is one.
    """

    changed: bool | None
    others: bool | None
    reloaded: t.Mapping[str, bool | None] = _NONE
    reload_id: str | None = None
    warnings: t.Sequence[str] = ()
    failed: t.Mapping[str, str] = _NONE
    error: VaultError | None = None
    stays_down: bool = False

    def was_reloaded(self, path: str) -> bool | None:
        """Return whether the mount at ``path`` was reloaded, None where that is unknown."""
        return self.reloaded.get(path, self.others)

    def left_down(self, path: str) -> bool:
        """Tell whether the server named the mount at ``path`` as failed, and left it down."""
        return self.stays_down and _meaning(self.failed.get(path, "")).touched is True

    def without(self, paths: t.Collection[str]) -> ReloadAnswer:
        """Return the answer without the failures of ``paths``."""
        failed = {path: words for path, words in self.failed.items() if path not in paths}
        is_whole = bool(self.failed) and not failed
        return self._replace(failed=failed, error=None if is_whole else self.error)

    @property
    def without_effect(self) -> bool:
        """Whether it is certain that the server did nothing."""
        return self.changed is False and not self.failed

    @property
    def lost(self) -> bool:
        """Whether the answer was lost, so that what the server did is unknown."""
        return isinstance(self.error, NoAnswer)


# Nothing was sent, or it certainly had no effect; and nothing is known of what was done.
NOTHING_DONE = ReloadAnswer(changed=False, others=False)
NOTHING_KNOWN = ReloadAnswer(changed=None, others=None)


def reload_plugin(
    client: VaultClient,
    plugin: str,
    scope: str,
    *,
    plugin_type: str | None = None,
    mount_count: int = ASSUMED_MOUNTS,
    timeout: float | None = None,
) -> ReloadAnswer:
    """Reload all mounts of ``plugin`` in the client's namespace.

    With ``plugin_type`` (Vault from 1.16, root namespace) those in all namespaces.
    The server stops at the first mount that fails and need not name it: mounts before it are
    reloaded, mounts after it are not touched.  ``timeout`` (seconds) replaces the time that the
    server may need for ``mount_count`` mounts.
    """
    path, body = RELOAD_PATH, {"plugin": plugin}
    if plugin_type:
        path, body = f"sys/plugins/reload/{plugin_type}/{plugin}", {}
    answer = _send(client, path, body, scope, mount_count, timeout)
    if plugin_type and isinstance(answer.error, Refused) and answer.error.status == 404:
        error = answer.error.with_context(BY_TYPE_NOT_HERE, next_step=LEAVE_TYPE_OUT)
        answer = answer._replace(error=error)
    return _with_subject(answer, f'cannot reload plugin "{plugin}"')


def reload_mounts(
    client: VaultClient, paths: t.Sequence[str], scope: str, *, timeout: float | None = None
) -> ReloadAnswer:
    """Reload the mounts at the canonical ``paths``, in one request or the fewest possible.

    The server goes on after a mount that fails, and names those that failed; after a request
    that was no whole success, no further one is sent.  ``timeout`` (seconds) replaces the time
    that the server may need.
    """
    reloaded: dict[str, bool | None] = dict.fromkeys(paths, False)
    changed: bool | None = False
    warnings: list[str] = []
    batches = _batches(paths)
    while batches:
        batch = batches.pop(0)
        body = {"mounts": _mounts_value(batch)}
        answer = _send(client, RELOAD_PATH, body, scope, len(batch), timeout)
        if _is_too_much(answer) and len(batch) > 1:
            # The server's limits can be configured.
            half = len(batch) // 2
            batches = [batch[:half], batch[half:], *batches]
            continue
        if not answer.failed.keys() <= set(batch):
            answer = _of_another_reload(answer)
        others = True if answer.failed else answer.others
        reloaded.update({path: False if path in answer.failed else others for path in batch})
        changed = changed or any(reloaded.values()) or answer.changed
        warnings += answer.warnings
        if answer.error is not None:
            break
    failed = len(answer.failed) or len(paths)
    return _with_subject(
        answer._replace(changed=changed, reloaded=reloaded, warnings=warnings),
        f"cannot reload {failed} of {len(paths)} mounts",
    )


def is_failure_of_plugin(error: VaultError) -> bool:
    """Tell whether a reload failed as the plugin did not start: doing it again would not help."""
    return any(_DOWN.part in words for words in error.errors)


def read_reports(client: VaultClient, reload_id: str) -> dict[str, str]:
    """Return the error of each node that is done, by its name, empty for none; raises VaultError.

    API: https://developer.hashicorp.com/vault/docs/commands/plugin/reload-status
    """
    query = {"reload_id": reload_id}
    data = client.request("GET", f"{RELOAD_PATH}/status", query=query).data
    return {name: report.text("error") for name, report in data.object("results").each()}


def _send(
    client: VaultClient,
    path: str,
    body: dict[str, t.Any],
    scope: str,
    mount_count: int,
    given_timeout: float | None,
) -> ReloadAnswer:
    usual = max(client.connection.timeout, TIMEOUT_PER_MOUNT * mount_count)
    timeout = given_timeout or usual
    if scope != "local":
        body = {**body, "scope": scope}
    client.announce(TAKES_UP_TO.format(seconds=timeout, each=""))
    try:
        with uninterrupted("the answer to the reload", CUT_SHORT, timeout):
            answer = client.request("POST", path, body, timeout=timeout, may_be_empty=False)
            reload_id, warnings = _said(answer)
    except Refused as error:
        return _refusal(client, error)
    except NoAnswer as error:
        _let_inspect()
        if isinstance(error, TimedOut) and timeout < usual:
            step = f"give reload_timeout more (without it, it is {usual:.0f} s); {error.next_step}"
            error = error.with_context(next_step=step)
        return NOTHING_KNOWN._replace(error=_unknown(error))
    except VaultError as error:
        return NOTHING_DONE._replace(error=error)
    changed = not any(_NOTHING_RELOADED in warning for warning in warnings)
    return ReloadAnswer(changed, changed, reload_id=reload_id, warnings=warnings)


def _let_inspect() -> None:
    """Let signals wait where mounts may be down: they are to be named, or rolled back."""
    let_end("the inspection (and an upgrade's rollback) after the failed reload", CUT_SHORT)


def _said(answer: Answer) -> tuple[str, t.Sequence[str]]:
    """Return the id of the reload, and the warnings; raises NoAnswer for what is no such answer."""
    return answer.data.required_text("reload_id"), answer.warnings


def _refusal(client: VaultClient, error: Refused) -> ReloadAnswer:
    """Read a refusal: only 400 and 500 come from the reload itself, and they say why."""
    if error.status not in (400, 500) or not error.errors:
        return NOTHING_DONE._replace(error=error)
    text = "\n".join(error.errors)
    failed = _failed_mounts(text)
    words = list(failed.values()) or [one_line(text)]
    meanings = [_meaning(each) for each in words]
    touched = _any([meaning.touched for meaning in meanings])
    if touched is not False:
        _let_inspect()
    shown = _grouped(failed) or words
    shown = shown[:SHOWN] + ["…"] * (len(shown) > SHOWN)
    # Imported here: only a refusal needs it.
    from ansible_collections.vaultops.vault.plugins.module_utils._api.health import (
        known_server,
    )

    server = known_server(client)
    # A mount whose reload failed is the worst: its remedy comes first.
    step = max(meanings, key=_severity).next_step.format(cli=server.cli)
    if touched and server.leaves_failed_down:
        step = f"{_STAYS_DOWN}: {step}"
    return ReloadAnswer(
        changed=touched,
        others=False if touched is False else None,
        failed=failed,
        error=error.with_context("; ".join(shown), next_step=step),
        stays_down=server.leaves_failed_down,
    )


def _of_another_reload(answer: ReloadAnswer) -> ReloadAnswer:
    """Return what a refusal is worth that names mounts which were not sent: it is of another."""
    _let_inspect()
    where = answer.error.where if answer.error else ""
    step = "see what mixes up the answers on the way to the server"
    error = NoAnswer("the answer is about other mounts", where=where, next_step=step)
    return NOTHING_KNOWN._replace(error=_unknown(error))


def _unknown(error: NoAnswer) -> NoAnswer:
    return error.with_context(
        f"the outcome of the reload is unknown: {error.what}",
        next_step=f"{error.next_step}, then run the task again: a reload that succeeds heals",
    )


def _meaning(words: str) -> _Meaning:
    if is_being_removed(words):
        return _REMOVED
    known = next((row for row in _MEANINGS if row.part in words), None)
    # By plugin, the server does not name the mount.
    return known or (_DOWN if did_not_start(words) else _NOT_KNOWN)


def _severity(meaning: _Meaning) -> bool:
    return meaning.touched is not False


def _any(values: t.Sequence[bool | None]) -> bool | None:
    """Return what `or` makes of ``values``, of which None are unknown."""
    return True if True in values else None if None in values else False


def _failed_mounts(text: str) -> dict[str, str]:
    """Take a multi-error, nested or not, apart: the server's words by the mount they name."""
    starts = list(re.finditer(_MOUNT_ERROR, text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return {
        re.sub(r"\\(.)", r"\1", match.group(1)): one_line(text[match.start() : end])
        for match, end in zip(starts, ends)
    }


def _grouped(failed: t.Mapping[str, str]) -> list[str]:
    """Return the words about failed mounts, once for those that failed for the same reason."""
    groups: dict[str, list[str]] = {}
    for path, words in failed.items():
        groups.setdefault(words.replace(f'"{path}"', "", 1), []).append(path)
    return [failed[first] + _alike(others) for first, *others in groups.values()]


def _alike(others: t.Sequence[str]) -> str:
    if not others:
        return ""
    return f" (the same on {quoted(others)})"


def _with_subject(answer: ReloadAnswer, what: str) -> ReloadAnswer:
    """Begin the error's message with what could not be done, where that much is known."""
    if answer.error is None or answer.changed is None:
        return answer
    error = answer.error.with_context(f"{what}: {answer.error.what}")
    return answer._replace(error=error)


def _batches(paths: t.Sequence[str]) -> list[t.Sequence[str]]:
    """Split ``paths`` so that each part fits into one request: one part wherever possible."""
    if not any("," in path for path in paths) and sum(map(len, paths)) + len(paths) < TEXT_LIMIT:
        return [paths]
    return [paths[start : start + LIST_LIMIT] for start in range(0, len(paths), LIST_LIMIT)]


def _is_too_much(answer: ReloadAnswer) -> bool:
    """Tell whether the server refused to read the request, as there was too much in it."""
    error = answer.error
    if not isinstance(error, Refused) or answer.failed:
        return False
    return error.status == _TOO_LARGE or any(
        part in words for part in _TOO_MUCH for words in error.errors
    )


def _mounts_value(batch: t.Sequence[str]) -> str | list[str]:
    return list(batch) if len(batch) <= LIST_LIMIT else ",".join(batch)
