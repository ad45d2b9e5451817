# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reload did to each mount, judged from the server's words, a second look and a question.

Nothing is guessed: what cannot be known is None.
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Life
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
    is_current,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import ReloadAnswer


class Verdict(t.NamedTuple):
    """One mount: ``reloaded`` is None where that is unknown; ``error`` is why it is not well.

    ``after`` is None where the second look was not possible.
    """

    before: Mount
    after: Mount | None
    reloaded: bool | None
    error: str | None
    life: Life

    def as_result(self) -> dict[str, t.Any]:
        """Return the row of the result's ``mounts``."""
        return {
            "path": self.before.path,
            "type": self.before.kind,
            "plugin": self.before.plugin,
            "accessor": self.before.accessor,
            "reloaded": self.reloaded,
            "error": self.error,
            "before": running(self.before),
            "after": running(self.after) if self.after else None,
        }


def untouched(mount: Mount) -> Verdict:
    """Return the verdict on a mount for which nothing was sent."""
    return Verdict(mount, mount, False, None, Life(None))


def predicted(mount: Mount, entry: CatalogEntry | None) -> Verdict:
    """Return what a reload is expected to do: to start ``entry``, where that is known."""
    after = mount
    if entry is not None:
        after = mount._replace(running_version=entry.version, running_sha256=entry.sha256)
    return Verdict(mount, after, True, None, Life(None))


def is_stale(entry: CatalogEntry | None, mount: Mount, life: Life) -> bool:
    """Tell whether ``mount`` needs a reload: it runs something else than ``entry``, or is down."""
    return life.serves is False or is_current(mount, entry) is False


def judge(answer: ReloadAnswer, before: Mount, after: Mount | None, life: Life) -> Verdict:
    """Judge one mount that a reload was meant for, after a second look and a question."""
    error = answer.failed.get(before.path)
    reloaded = answer.was_reloaded(before.path)
    if error is None and life.serves is False:
        error = f"does not serve: {life.words}"
    if error is not None:
        reloaded = False
    elif reloaded is None and after is not None and running(before) != running(after):
        reloaded = True
    return Verdict(before, after, reloaded, error, life)


def doubt(verdict: Verdict, entry: CatalogEntry | None) -> str | None:
    """Return what keeps a mount from being proven to run ``entry``, None where nothing does."""
    if verdict.error is not None or verdict.reloaded is False:
        return None  # that is no doubt: it failed, or was left alone
    mount, after, life = f'mount "{verdict.before.path}"', verdict.after, verdict.life
    if after is None or life.serves is None:
        return f"{mount} could not be looked at again: {life.words}"
    if entry is not None and running(entry) != running(after):
        return f"{mount} runs {_short(running(after))}, where {_short(running(entry))} is expected"
    return None


def running(mount: Mount | CatalogEntry) -> dict[str, str]:
    """Return the version and the sha256 that run, or that a reload would start."""
    if isinstance(mount, CatalogEntry):
        return {"version": mount.version, "sha256": mount.sha256}
    return {"version": mount.running_version, "sha256": mount.running_sha256}


def diff(verdicts: t.Iterable[Verdict]) -> dict[str, str]:
    """Return the diff of a task: one line a mount, with path, plugin, version and short sha256."""
    before, after = "", ""
    for verdict in verdicts:
        mount = f"{verdict.before.path} {verdict.before.plugin}"
        before += f"{mount} {_short(running(verdict.before))}\n"
        state = "unknown" if verdict.after is None else _short(running(verdict.after))
        after += f"{mount} {'down' if verdict.life.serves is False else state}\n"
    return {"before": before, "after": after}


def _short(runs: dict[str, str]) -> str:
    return " ".join(word for word in (runs["version"], runs["sha256"][:8]) if word) or "nothing"
