# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of nodes for the role plugin_rollout, each a host with a plugin directory of its own."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import shutil
import typing as t

from .ansible_runs import REPOSITORY, Ansible, Run
from .cluster import Cluster
from .external_plugin import build_plugin
from .nodes import write_inventory
from .warm_python import interpreter

ROLE = "vaultops.vault.plugin_rollout"


class Fleet:
    """Three nodes, and three versions of a plugin on the controller."""

    def __init__(self, directory: pathlib.Path, cluster: Cluster) -> None:
        self.cluster = cluster
        self.ansible = Ansible(directory, cluster.active)
        self.inventory = write_inventory(directory / "inventory", cluster, interpreter())
        self.files = {
            version: build_plugin(directory / f"built-{version}", version=version)
            for version in ("v1.0.0", "v1.1.0", "v1.2.0")
        }
        policy = REPOSITORY / "docs" / "policies" / "plugin_rollout.hcl"
        self.token = cluster.new_token(policy.read_text(encoding="utf-8"))

    def set_up(self, *mounts: str) -> None:
        """Arrange what the role does for v1.0.0, and mount it."""
        plugin = self.files["v1.0.0"]
        name = f"ext-{plugin.version}"
        for node in self.cluster.nodes:
            shutil.copy2(plugin.path, node.plugin_directory / name)
        registered = dataclasses.replace(plugin, path=plugin.path.with_name(name))
        self.cluster.register("ext", registered)
        self.mount(*mounts)

    def roll_out(
        self,
        version: str,
        *options: str,
        play: t.Mapping[str, t.Any] | None = None,
        **values: t.Any,
    ) -> Run:
        """Run the role for ``version``, with the token of its minimal policy."""
        variables = {**self.variables(version), **values}
        return self._play({"roles": [{"role": ROLE}], "vars": variables, **(play or {})}, *options)

    def refusals(
        self, version: str, cases: t.Mapping[str, t.Mapping[str, t.Any]]
    ) -> dict[str, list[str]]:
        """Run the role for ``version`` once for each of the cases, which are variables.

        Returns each host's message of failure.
        """
        tasks = [
            {
                "block": [
                    {
                        "ansible.builtin.include_role": {"name": ROLE},
                        "vars": {**self.variables(version), **variables},
                    }
                ],
                "rescue": [
                    {"name": name, "ansible.builtin.debug": {"var": "ansible_failed_result.msg"}}
                ],
            }
            for name, variables in cases.items()
        ]
        run = self._play({"tasks": tasks})
        told: dict[str, list[str]] = {name: [] for name in cases}
        for task in run.tasks:
            if task.name in told:
                told[task.name].append(str(task["ansible_failed_result.msg"]))
        return told

    def variables(self, version: str) -> dict[str, t.Any]:
        """Return the variables of a rollout of ``version``."""
        return {
            "plugin_rollout_name": "ext",
            "plugin_rollout_version": version,
            "plugin_rollout_src": str(self.files[version].path),
        }

    def _play(self, play: t.Mapping[str, t.Any], *options: str) -> Run:
        """Run a play on all nodes, with the token of the role's minimal policy."""
        path = self.ansible.directory / "rollout.json"
        path.write_text(json.dumps([{"hosts": "vault", "gather_facts": False, **play}]))
        everything = ["-i", str(self.inventory), *options]
        return self.ansible.play_file(path, options=everything, BAO_TOKEN=self.token)

    def mount(self, *paths: str) -> None:
        """Mount v1.0.0."""
        for path in paths:
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
