# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job in a dozen lines: a real server, a real plugin, a new version, one reload."""

from __future__ import annotations

import pathlib
import sys
import tempfile
import typing as t

import yaml

from .ansible_runs import Ansible
from .external_plugin import build_plugin
from .server import Server, running_server

PLAY = """\
- name: Reload the plugin
  vaultops.vault.plugin_reload:
    plugin: weather
"""


def main() -> int:
    """Run the demo; returns the exit status."""
    with running_server() as server, tempfile.TemporaryDirectory(prefix="vaultops-demo-") as work:
        return _demo(server, Ansible(pathlib.Path(work), server))


def until_interrupted(demo: t.Callable[[], int]) -> int:
    """Run a demo; Ctrl-C ends it, and its servers, without a traceback."""
    try:
        return demo()
    except KeyboardInterrupt:
        print("\nstopped, and the servers with it", flush=True)
        return 130


def _demo(server: Server, ansible: Ansible) -> int:
    version = server.call("GET", "sys/health")["version"]
    _say("server", f"OpenBao {version} on {server.url}, in memory")

    _install(server, "v1.0.0")
    server.mount("weather", "weather")
    before = server.info("weather")
    _say("before", f"weather/ runs {before['version']} in process {before['pid']}")

    _install(server, "v1.1.0")
    server.tune_version("weather", "v1.1.0")
    configured = server.info("weather")
    _say("installed", "v1.1.0, and weather/ is configured for it")
    _say("still", f"weather/ runs {configured['version']} in process {configured['pid']}")

    print("\n" + PLAY)
    run = ansible.playbook(*yaml.safe_load(PLAY))
    if run.returncode != 0:
        print(run.output)
        return 1
    shown = {key: run.result[key] for key in ("changed", "scope", "reload_id")}
    _say("result", ", ".join(f"{key}: {_yaml(value)}" for key, value in shown.items()))
    after = server.info("weather")
    _say("after", f"weather/ runs {after['version']} in process {after['pid']}")

    worked = after["version"] == "v1.1.0" and after["pid"] != before["pid"] and shown["changed"]
    _say("proof", "the new version runs in a new process" if worked else "FAILED")
    return 0 if worked else 1


def _install(server: Server, version: str) -> None:
    out = server.plugin_directory / f"weather-{version}"
    plugin = build_plugin(out, version=version, python=sys.executable)
    server.register("weather", plugin)


def _yaml(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _say(what: str, text: str) -> None:
    print(f"{what:>9}  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(until_interrupted(main))
