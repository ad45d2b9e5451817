# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first steps of a user who has the tarball: installed into an empty folder, README's example.

``python -m tests.support.first_steps TARBALL`` shows them, and fails where they fail.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile

from .ansible_runs import Ansible
from .documents import blocks, comparable, run_console, with_programs, write_files
from .external_plugin import build_plugin
from .server import Server, running_server

README = "README.md"


class Installed(Ansible):
    """Ansible with the collections of one folder, and no others."""

    def environment(self) -> dict[str, str]:
        """Return the environment in which Ansible runs."""
        collections = str(self.directory / "installed")
        return {**super().environment(), "ANSIBLE_COLLECTIONS_PATH": collections}


def main(tarball: str) -> int:
    """Run the steps; returns the exit status."""
    with running_server() as server, tempfile.TemporaryDirectory(prefix="vaultops-first-") as work:
        ansible = Installed(pathlib.Path(work), server)
        install(ansible, tarball)
        prepare(server)
        write_files(README, ["reload.yml"], ansible.directory)
        return max(step(block, ansible) for block in blocks(README, "console"))


def install(ansible: Ansible, tarball: str) -> None:
    """Install the collection into a folder that is not there yet."""
    command = ["ansible-galaxy", "collection", "install", tarball, "-p", "installed", "--offline"]
    print(f"$ {' '.join(command)}", flush=True)
    environment = with_programs(ansible.environment())
    subprocess.run(command, cwd=ansible.directory, env=environment, check=True)


def prepare(server: Server) -> None:
    """Have weather/ run v1.0.0 and be configured for v1.1.0, as in the README."""
    for version in ("v1.0.0", "v1.1.0"):
        out = server.plugin_directory / f"weather-{version}"
        plugin = build_plugin(out, version=version, python=sys.executable)
        server.register("weather", plugin)
        if version == "v1.0.0":
            server.mount("weather", "weather")
    server.tune_version("weather", "v1.1.0")


def step(block: str, ansible: Ansible) -> int:
    """Run a command of the README; return 1 if it shows something else than there."""
    output, expected = run_console(block, ansible)
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    print("\n".join([*commands, output]), flush=True)
    if comparable(output) == comparable(expected):
        return 0
    print(f"README.md shows:\n{expected}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
