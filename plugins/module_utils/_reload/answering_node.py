# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reload on the node that answers: preflight, send, verify."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount, read_mounts
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import (
    GONE,
    Health,
    check_all,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugin_failures import (
    is_being_removed,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    ASSUMED_MOUNTS,
    ReloadAnswer,
    reload_mounts,
    reload_plugin,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    MountResult,
    evaluate,
    left_alone,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.options import ReloadOptions
from ansible_collections.vaultops.vault.plugins.module_utils._reload.preflight import (
    Expected,
    inspect,
    select,
    warn_of_left_out,
)
from ansible_collections.vaultops.vault.plugins.module_utils._reload.results import (
    ReloadResult,
    result_of,
    result_without_reload,
)

# After a lost answer the server may be starting again: it is read so often, a second apart, and
# each time has its own retries.
READS_AFTER_LOST_ANSWER = 2


def reload_on_answering_node(
    client: VaultClient, options: ReloadOptions, expected: Expected, check_mode: bool
) -> ReloadResult:
    """Reload on the node that answers, which may spread it to others without our doing.

    Raises VaultError where nothing was sent.
    """
    preflight = inspect(client, options, expected)
    selection = select(client, options, preflight, check_mode)
    if check_mode or selection.empty:
        return result_without_reload(options, preflight, selection)
    answer = send_reload(client, options, selection.mounts)
    mounts = verify_mounts(client, options, answer, selection.mounts or ())
    health = dict(selection.health)
    removed = [row for row in mounts if row.being_removed]
    if removed and options.leaves_out_removed:
        paths = [row.before.path for row in removed]
        warn_of_left_out(client, paths)
        answer, mounts = answer.without(paths), [row for row in mounts if not row.being_removed]
        health.update({row.before.path: row.health for row in removed})
    return result_of(options, preflight, answer, mounts, health=health)


def send_reload(
    client: VaultClient, options: ReloadOptions, selected: t.Sequence[Mount] | None
) -> ReloadAnswer:
    """Send the reload of ``selected`` in the fewest requests; None is all that the plugin has."""
    paths = options.paths
    if options.only_stale:
        # Those of a plugin's mounts that are stale can only be reloaded by their paths.
        paths = [mount.path for mount in selected or ()]
    if paths:
        return reload_mounts(client, paths, options.scope, timeout=options.timeout)
    answer = reload_plugin(
        client,
        options.plugin,
        options.scope,
        plugin_type=options.plugin_type,
        mount_count=len(selected) if selected and not options.plugin_type else ASSUMED_MOUNTS,
        timeout=options.timeout,
    )
    if answer.error is not None and selected and is_being_removed(answer.error.what):
        # The server stopped there: by path it goes on.
        paths = [mount.path for mount in selected]
        return reload_mounts(client, paths, options.scope, timeout=options.timeout)
    return answer


def verify_mounts(
    client: VaultClient, options: ReloadOptions, answer: ReloadAnswer, selected: t.Sequence[Mount]
) -> t.Sequence[MountResult]:
    """Inspect each mount again; what cannot be read leaves its result unknown."""
    if answer.without_effect:
        return [left_alone(mount) for mount in selected]
    paths = [mount.path for mount in selected]
    after, reason = _read_again(client, paths, answer)
    # What the server has just named as down is not asked: that would start its plugin again.
    down = {path: Health(False, answer.failed[path]) for path in paths if answer.left_down(path)}
    if after is None:
        health = {**dict.fromkeys(paths, Health(None, reason)), **down}
        return [evaluate(answer, mount, None, health[mount.path]) for mount in selected]
    asked = [m for m in selected if m.path in after and m.path not in down]
    health = {**dict.fromkeys(paths, GONE), **check_all(client, asked, options.probe), **down}
    return [
        evaluate(answer, mount, after.get(mount.path), health[mount.path]) for mount in selected
    ]


def _read_again(
    client: VaultClient, paths: t.Sequence[str], answer: ReloadAnswer
) -> tuple[t.Mapping[str, Mount] | None, str]:
    """Return the mounts as they are now, or None and why they cannot be read."""
    reason = ""
    for attempt in range(READS_AFTER_LOST_ANSWER if answer.lost else 1):
        time.sleep(1 if attempt else 0)
        try:
            return read_mounts(client, paths), ""
        except VaultError as error:
            reason = error.what
    return None, reason
