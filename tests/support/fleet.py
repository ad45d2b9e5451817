# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of nodes for the role plugin_rollout, each a host with a plugin directory of its own."""

from __future__ import annotations

import json
import pathlib
import typing as t

from .ansible_runs import REPOSITORY, Ansible, Run
from .cluster import Cluster
from .external_plugin import build_plugin
from .nodes import write_inventory

ROLE = "vaultops.vault.plugin_rollout"


class Fleet:
    """Three nodes, and three versions of a plugin on the controller."""

    def __init__(self, directory: pathlib.Path, cluster: Cluster) -> None:
        self.cluster = cluster
        self.ansible = Ansible(directory, cluster.active)
        self.inventory = write_inventory(directory / "inventory", cluster)
        self.files = {
            version: build_plugin(directory / f"built-{version}", version=version)
            for version in ("v1.0.0", "v1.1.0", "v1.2.0")
        }
        policy = REPOSITORY / "docs" / "policies" / "plugin_rollout.hcl"
        self.token = cluster.new_token(policy.read_text(encoding="utf-8"))

    def roll_out(
        self,
        version: str,
        *options: str,
        play: t.Mapping[str, t.Any] | None = None,
        **values: t.Any,
    ) -> Run:
        """Run the role for ``version``, with the token of its minimal policy."""
        variables = {
            "plugin_rollout_name": "ext",
            "plugin_rollout_version": version,
            "plugin_rollout_src": str(self.files[version].path),
            **values,
        }
        plays = [
            {
                "hosts": "vault",
                "gather_facts": False,
                "roles": [{"role": ROLE}],
                "vars": variables,
                **(play or {}),
            }
        ]
        path = self.ansible.directory / "rollout.json"
        path.write_text(json.dumps(plays))
        everything = ["-i", str(self.inventory), *options]
        return self.ansible.play_file(path, options=everything, BAO_TOKEN=self.token)

    def mount(self) -> None:
        """Mount v1.0.0 twice."""
        for path in ("ext", "ext2"):
            self.cluster.mount(path, "ext", version="v1.0.0")

    def runs(self, mount: str = "ext") -> set[str]:
        """Return the versions that the nodes' own processes tell."""
        return {node.info(mount)["version"] for node in self.cluster.nodes}

    def names(self) -> set[str]:
        """Return the names of the files in the plugin directories, which are alike on all nodes."""
        found = {
            frozenset(path.name for path in node.plugin_directory.iterdir())
            for node in self.cluster.nodes
        }
        (names,) = found
        return set(names)


def changes(run: Run) -> int:
    """Return how many tasks changed something, on all hosts together."""
    return sum(bool(task.result.get("changed")) for task in run.tasks)


def failure(run: Run) -> str:
    """Return the message of the first task that failed."""
    assert run.returncode != 0
    return next(task.message for task in run.tasks if task.failed)
