# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a reload, checked, as the steps of it need them."""

from __future__ import annotations

import typing as t

from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE, BOOLEANS_TRUE

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import mount_paths
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._parsing import parse_duration


class Wait(t.NamedTuple):
    """How long to ask, and the pause between two questions, in seconds."""

    timeout: float
    interval: float


class Task(t.NamedTuple):
    """The checked options: either ``plugin`` or ``paths``; ``question`` is None for no probe.

    ``wait`` is None where no node is to be asked, else how long; ``nodes`` are their URLs, empty
    for all that the cluster knows.
    """

    plugin: str
    plugin_type: str | None
    paths: list[str]
    scope: str
    only_stale: bool
    verify: bool
    question: str | None
    patience: float | None
    wait: Wait | None
    nodes: list[str]

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
        if params["wait"] and not params["verify"]:
            raise OptionError(
                "wait=true has to look at the nodes, which verify=false forbids",
                next_step="leave one of the two out",
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
            wait=_wait(params),
            nodes=params["nodes"],
        )


def _question(probe: str) -> str | None:
    word = probe.strip().lower()
    if word in BOOLEANS_FALSE:
        return None
    return "" if word in BOOLEANS_TRUE or not word else probe.strip()


def _wait(params: t.Mapping[str, t.Any]) -> Wait | None:
    wanted = params["wait"]
    if wanted is None:
        wanted = params["verify"]
    if params["scope"] == "local" or not wanted:
        return None
    return Wait(
        parse_duration(params["wait_timeout"], "wait_timeout"),
        parse_duration(params["wait_interval"], "wait_interval"),
    )
