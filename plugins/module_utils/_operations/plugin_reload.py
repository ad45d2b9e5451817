# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reload the mounts of a plugin, or the mounts named, and tell what happened to each."""

from __future__ import annotations

import time
import typing as t

from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE, BOOLEANS_TRUE

from ansible_collections.vaultops.vault.plugins.module_utils._catalog import CatalogEntry
from ansible_collections.vaultops.vault.plugins.module_utils._client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._durations import parse_duration
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    OptionError,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._look import (
    Look,
    look_at_mounts,
    look_at_plugin,
)
from ansible_collections.vaultops.vault.plugins.module_utils._mounts import (
    Mount,
    mount_paths,
    read_mounts,
)
from ansible_collections.vaultops.vault.plugins.module_utils._probe import Life, ask
from ansible_collections.vaultops.vault.plugins.module_utils._reload import (
    ASSUMED_MOUNTS,
    MEND,
    SHOWN_MOUNTS,
    ReloadAnswer,
    reload_mounts,
    reload_plugin,
)
from ansible_collections.vaultops.vault.plugins.module_utils._verdict import (
    Verdict,
    diff,
    doubt,
    judge,
    predicted,
    running,
    untouched,
)

Result = t.Dict[str, t.Any]

SPEC: dict[str, dict[str, t.Any]] = {
    "plugin": {"type": "str"},
    "mounts": {"type": "list", "elements": "str"},
    "plugin_type": {"type": "str", "choices": ["auth", "secret", "database", "unknown"]},
    "scope": {"type": "str", "choices": ["local", "global"], "default": "local"},
    "state": {"type": "str", "choices": ["reloaded", "current"], "default": "reloaded"},
    "verify": {"type": "bool", "default": True},
    "probe": {"type": "str", "default": "true"},
    "reload_timeout": {"type": "str"},
}

CONSTRAINTS: dict[str, t.Any] = {
    "mutually_exclusive": [("plugin", "mounts"), ("mounts", "plugin_type")],
    "required_one_of": [("plugin", "mounts")],
}

# After a lost answer the server may be starting again: so often we look, a second apart, and each
# look has its own retries.
LOOKS_AFTER_NO_ANSWER = 2


class Task(t.NamedTuple):
    """The checked options: either ``plugin`` or ``paths``; ``question`` is None for no probe."""

    plugin: str
    plugin_type: str | None
    paths: list[str]
    scope: str
    only_stale: bool
    verify: bool
    question: str | None
    patience: float | None

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any], namespace: str) -> Task:
        """Check the options of SPEC; raises OptionError."""
        paths = mount_paths(params["mounts"] or [])
        plugin = (params["plugin"] or "").strip()
        if not plugin and not paths:
            name = "plugin" if params["mounts"] is None else "mounts"
            raise OptionError(f"{name} is empty", next_step="name a plugin, or at least one mount")
        if params["state"] == "current" and not params["verify"]:
            raise OptionError(
                "state=current has to look at the mounts, which verify=false forbids",
                next_step="leave one of the two out",
            )
        if params["plugin_type"] and namespace not in ("", "root"):
            raise OptionError(
                f'plugin_type works from the root namespace only, not from "{namespace}"',
                next_step="leave plugin_type out to reload the mounts of this namespace, or leave "
                "namespace out to reload those of all namespaces",
            )
        timeout = params["reload_timeout"]
        return cls(
            plugin=plugin,
            plugin_type=params["plugin_type"],
            paths=paths,
            scope=params["scope"],
            only_stale=params["state"] == "current",
            verify=params["verify"],
            question=_question(params["probe"]),
            patience=parse_duration(timeout, "reload_timeout") if timeout else None,
        )


def run(client: VaultClient, params: t.Mapping[str, t.Any], check_mode: bool) -> Result:
    """Look, reload, look again; in check mode only look.  Raises VaultError with what is known."""
    task = Task.from_params(params, client.connection.namespace)
    look = _look(client, task)
    meant = _stale(client, task, look) if task.only_stale else look.mounts
    if meant == [] or check_mode:
        return _without_reload(task, look, meant)
    answer = _reload(client, task, meant)
    verdicts = _verdicts(client, task, answer, meant or [])
    return _outcome(task, look, answer, verdicts)


def _question(probe: str) -> str | None:
    word = probe.strip().lower()
    if word in BOOLEANS_FALSE:
        return None
    return "" if word in BOOLEANS_TRUE or not word else probe.strip()


def _look(client: VaultClient, task: Task) -> Look:
    if not task.verify:
        return Look(None, None, [])
    if task.paths:
        return look_at_mounts(client, task.paths)
    kind = task.plugin_type if task.plugin_type in ("auth", "secret") else None
    return look_at_plugin(client, task.plugin, kind)


def _stale(client: VaultClient, task: Task, look: Look) -> list[Mount]:
    """Return the mounts that do not run what they are expected to run, or that do not serve."""
    if look.mounts is None or look.catalog is None:
        raise OptionError(
            f"state=current must see mounts and catalog, and {'; '.join(look.warnings)}",
            next_step="give the token the rights that the documentation lists, or reload always, "
            "with state=reloaded",
        )
    return [
        mount
        for mount in look.mounts
        if _differs(look.expected(mount), mount) or _life(client, task, mount).serves is False
    ]


def _differs(entry: CatalogEntry | None, mount: Mount) -> bool:
    return entry is not None and running(entry) != running(mount)


def _life(client: VaultClient, task: Task, mount: Mount) -> Life:
    # A builtin plugin runs inside the server: it has no process that could be missing.
    if task.question is None or mount.builtin:
        return Life(True)
    return ask(client, mount.path, task.question)


def _reload(client: VaultClient, task: Task, meant: list[Mount] | None) -> ReloadAnswer:
    paths = task.paths
    if task.only_stale:
        # Those of a plugin's mounts that are stale can only be reloaded by their paths.
        paths = [mount.path for mount in meant or []]
    if paths:
        return reload_mounts(client, paths, task.scope, patience=task.patience)
    return reload_plugin(
        client,
        task.plugin,
        task.scope,
        plugin_type=task.plugin_type,
        mount_count=len(meant) if meant and not task.plugin_type else ASSUMED_MOUNTS,
        patience=task.patience,
    )


def _verdicts(
    client: VaultClient, task: Task, answer: ReloadAnswer, meant: list[Mount]
) -> list[Verdict]:
    """Look again and judge each mount; a look that fails leaves what it would tell unknown."""
    if answer.changed is False and not answer.failed:
        return [untouched(mount) for mount in meant]
    after, words = _look_again(client, [mount.path for mount in meant], answer)
    if after is None:
        return [judge(answer, mount, None, Life(None, words)) for mount in meant]
    return [
        judge(answer, mount, after.get(mount.path), _life(client, task, mount)) for mount in meant
    ]


def _look_again(
    client: VaultClient, paths: list[str], answer: ReloadAnswer
) -> tuple[dict[str, Mount] | None, str]:
    """Return the mounts as they are now, or None and why they cannot be read."""
    looks = LOOKS_AFTER_NO_ANSWER if isinstance(answer.error, NoAnswer) else 1
    words = ""
    for look in range(looks):
        time.sleep(1 if look else 0)
        try:
            return read_mounts(client, paths), ""
        except VaultError as error:
            words = error.what
    return None, words


def _without_reload(task: Task, look: Look, meant: list[Mount] | None) -> Result:
    """Return the result where nothing is sent: nothing to do, or check mode's prediction."""
    warnings = list(look.warnings)
    if look.mounts == []:
        warnings.append(f'plugin "{task.plugin}" is mounted nowhere here: nothing to reload')
    verdicts = [predicted(mount, look.expected(mount)) for mount in meant or []]
    return {
        **_result(task, look, verdicts),
        "changed": meant != [],
        "reload_id": None,
        "verified": look.mounts is not None and look.catalog is not None,
        "warnings": warnings,
    }


def _outcome(task: Task, look: Look, answer: ReloadAnswer, verdicts: list[Verdict]) -> Result:
    """Return the result of a reload, or raise it as a failure."""
    possible = (doubt(verdict, look.expected(verdict.before)) for verdict in verdicts)
    doubts = [text for text in possible if text is not None]
    result = {
        **_result(task, look, verdicts),
        "changed": bool(answer.changed)
        or any(verdict.reloaded or verdict.life.serves is False for verdict in verdicts),
        "reload_id": answer.reload_id,
        "verified": bool(verdicts) and answer.error is None and not doubts,
        "warnings": [*answer.warnings, *look.warnings, *doubts[:SHOWN_MOUNTS]],
    }
    failed = [verdict for verdict in verdicts if verdict.error is not None]
    if answer.error is not None:
        raise answer.error.retold(answer.error.what + _known(answer, verdicts), **result)
    if failed:
        raise VaultError(
            f"{len(failed)} of {len(verdicts)} mounts are down after a reload that the server "
            f"reported as done: {_named(failed)} {failed[0].error}",
            next_step=MEND,
            result=result,
        )
    return result


def _result(task: Task, look: Look, verdicts: list[Verdict]) -> Result:
    """Return the part of the result that lists the mounts, those left alone among them."""
    judged = {verdict.before.path: verdict for verdict in verdicts}
    rows = [judged.get(mount.path) or untouched(mount) for mount in look.mounts or []]
    return {"scope": task.scope, "mounts": [row.as_result() for row in rows], "diff": diff(rows)}


def _known(answer: ReloadAnswer, verdicts: list[Verdict]) -> str:
    """Return what the second look adds to the server's words, for the message of a failure."""
    groups = {
        "down": [
            v for v in verdicts if v.life.serves is False and v.before.path not in answer.failed
        ],
        "reloaded": [v for v in verdicts if v.reloaded],
        "unknown whether reloaded": [v for v in verdicts if v.reloaded is None],
    }
    if answer.changed is False:
        return ""
    return "".join(f"; {words}: {_named(some)}" for words, some in groups.items() if some)


def _named(verdicts: list[Verdict]) -> str:
    paths = [f'"{verdict.before.path}"' for verdict in verdicts[:SHOWN_MOUNTS]]
    more = len(verdicts) - len(paths)
    return ", ".join(paths) + (f" and {more} more" if more else "")
