# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a reload, checked."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import mount_paths
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import require_path
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import checked_urls
from ansible_collections.vaultops.vault.plugins.module_utils._parsing import (
    parse_bool,
    parse_duration,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params, Spec

# The options that all modules share that reload.
COMMON_SPEC: Spec = {
    "scope": {"type": "str", "choices": ["local", "global"], "default": "local"},
    "probe": {"type": "str", "default": "true"},
    "reload_timeout": {"type": "str"},
    "wait": {"type": "bool"},
    "wait_timeout": {"type": "str", "default": "60"},
    "wait_interval": {"type": "str", "default": "0.5"},
    "nodes": {"type": "list", "elements": "str", "default": []},
}


class Wait(t.NamedTuple):
    """How long nodes are asked, and the pause between two requests, in seconds."""

    timeout: float
    interval: float

    def pause(self, elapsed: float) -> float:
        """Return the seconds until the next poll, no more than are left after ``elapsed`` ones."""
        return max(min(self.interval, self.timeout - elapsed), 0.0)


class ReloadOptions(t.NamedTuple):
    """What to reload: either ``plugin`` or ``paths``, and how.

    ``probe`` is the path of the health check below a mount, empty for path help, None for no
    health check.  ``timeout`` (seconds) is that of the reload itself, None for what the server may
    need.  ``wait`` is None where no node is to be asked; ``nodes`` are the URLs of the nodes, empty
    for all that the cluster knows.  ``all_mounts`` says that ``paths`` are all that a plugin has.
    """

    plugin: str = ""
    plugin_type: str | None = None
    paths: t.Sequence[str] = ()
    scope: str = "local"
    only_stale: bool = False
    verify: bool = True
    probe: str | None = ""
    timeout: float | None = None
    wait: Wait | None = None
    nodes: t.Sequence[str] = ()
    all_mounts: bool = False

    @property
    def leaves_out_removed(self) -> bool:
        """Whether a mount that is being removed is left out, as it was not asked for by name."""
        return bool(self.plugin) or self.all_mounts

    @classmethod
    def from_params(cls, params: Params, namespace: str) -> ReloadOptions:
        """Check the options of the module plugin_reload; raises OptionError."""
        paths = mount_paths(params["mounts"] or [])
        plugin = (params["plugin"] or "").strip()
        if params["state"] == "current" and not params["verify"]:
            raise OptionError(
                "state=current has to inspect the mounts, which verify=false forbids",
                next_step="leave one of the two out",
            )
        if params["plugin_type"] and namespace not in ("", "root"):
            raise OptionError(
                f'plugin_type works from the root namespace only, not from "{namespace}"',
                next_step="leave plugin_type out to reload the mounts of this namespace, or leave "
                "namespace out to reload those of all namespaces",
            )
        if params["wait"] and not params["verify"]:
            raise OptionError(
                "wait=true has to inspect the nodes, which verify=false forbids",
                next_step="leave one of the two out",
            )
        return cls(
            plugin=plugin,
            plugin_type=params["plugin_type"],
            paths=paths,
            only_stale=params["state"] == "current",
            verify=params["verify"],
        ).with_common(params)

    def with_common(self, params: Params) -> ReloadOptions:
        """Return these options with those of COMMON_SPEC; raises OptionError."""
        timeout = params["reload_timeout"]
        return self._replace(
            scope=params["scope"],
            probe=_probe(params["probe"]),
            timeout=parse_duration(timeout, "reload_timeout") if timeout else None,
            wait=_wait(params, self.verify),
            nodes=checked_urls(params["nodes"], "nodes"),
        )


def _probe(option: str) -> str | None:
    meaning = parse_bool(option)
    if meaning is False:
        return None
    path = "" if meaning else option.strip()
    try:
        require_path(path)
    except OptionError as error:
        raise error.with_context(f"probe cannot be used: {error.what}") from None
    return path


def _wait(params: Params, verify: bool) -> Wait | None:
    wanted = verify if params["wait"] is None else params["wait"]
    if params["scope"] == "local" or not wanted:
        return None
    return Wait(
        parse_duration(params["wait_timeout"], "wait_timeout"),
        parse_duration(params["wait_interval"], "wait_interval"),
    )
