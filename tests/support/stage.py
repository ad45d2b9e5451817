# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage of the fault matrix: a real server, the tasks that are tried on it, and what is true.

A task arranges only what it needs, and changes only what is cheap to look at.  What starts a
plugin takes 0.2 s of a core: most tries do without.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import typing as t

from .external_plugin import BuiltPlugin, build_plugin
from .faults import FaultProxy, fault_proxy
from .fixtures import PLUGIN
from .products import product
from .recordings import run_task
from .server import Server, running_server

OLD, NEW = "v1.0.0", "v1.1.0"
# Long enough for a loaded machine to start a plugin.
TIMEOUT = 60.0
OTHER, RUNTIME = "other", "gvisor"
APPROLE = "auth/approle/role/tries"
POLICY = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'


@dataclasses.dataclass
class Stage:
    """A server with an external plugin in two versions, mounted at a, and kv at k and l."""

    server: Server
    proxy: FaultProxy
    new: BuiltPlugin
    login: dict[str, t.Any]

    def serves(self, path: str = "a") -> tuple[int, str]:
        """Return process and version behind the external mount, 0 for a dead one."""
        answer = self.server.request("GET", f"{path}/info")
        data: dict[str, t.Any] = answer.json()["data"] if answer.ok else {"pid": 0, "version": ""}
        return int(data["pid"]), str(data["version"])

    def reloads(self) -> dict[str, int]:
        """Return how often each builtin mount was reloaded, as the server's log has it."""
        text = self.server.log
        found = re.findall(r"successfully reloaded plugin: .*path=([kl])/", text)
        return {path: found.count(path) for path in ("k", "l")}

    def tokens(self) -> set[str]:
        """Return the accessors of all tokens that are valid."""
        return set(self.server.call("LIST", "auth/token/accessors")["keys"])

    def run(self, task: Try, timeout: float = TIMEOUT, **by: str) -> dict[str, t.Any]:
        """Run a task through the proxy, or ``by`` other options of the connection."""
        options = {"timeout": f"{timeout}s", **task.options, **by}
        if task.version:
            options["reload_timeout"] = f"{timeout}s"
        return run_task(
            task.operation,
            options,
            False,
            proxy="" if by else self.proxy.url,
            token=self.server.token,
        )

    def entries(self) -> set[str]:
        """Return the external entries of the catalog."""
        rows = self.server.call("GET", "sys/plugins/catalog")["detailed"]
        return {f"{row['name']} {row['version']}" for row in rows if not row["builtin"]}

    def pins(self) -> list[t.Any]:
        """Return the pins, of Vault."""
        return list(self.server.call("GET", "sys/plugins/pins")["pinned_versions"])

    def runtimes(self) -> list[t.Any]:
        """Return the plugin runtimes, of Vault."""
        answer = self.server.request("GET", "sys/plugins/runtimes/catalog")
        return list(answer.json()["data"]["runtimes"] or ()) if answer.ok else []


@dataclasses.dataclass(frozen=True)
class Try:
    """A task that is to change something; ``state`` returns what it may change.

    ``reloaded`` returns marks by path of a mount: another one than before is a reload.  ``version``
    is what mount a serves in the end, empty where the task does not move it.
    """

    operation: str
    options: dict[str, t.Any]
    state: t.Callable[[Stage], t.Any]
    reloaded: t.Callable[[Stage], dict[str, t.Any]] | None = None
    version: str = ""


Builder: t.TypeAlias = t.Callable[[Stage], Try]


def _builtin(options: dict[str, t.Any]) -> Builder:
    def build(_stage: Stage) -> Try:
        return Try("plugin_reload", options, Stage.reloads, Stage.reloads)

    return build


def _with_login(stage: Stage) -> Try:
    options = {"mounts": ["k"], **stage.login}
    return Try("plugin_reload", options, Stage.reloads, Stage.reloads)


def _process(stage: Stage) -> dict[str, t.Any]:
    return {"a": stage.serves()}


def _reload(stage: Stage) -> Try:
    options = {"mounts": ["a"]}
    return Try("plugin_reload", options, _process, _process, stage.serves()[1])


def _current(stage: Stage) -> Try:
    other = _other_version(stage)
    stage.server.tune_version("a", other)
    options = {"mounts": ["a"], "state": "current"}
    return Try("plugin_reload", options, _process, _process, other)


def _upgrade(stage: Stage) -> Try:
    other = _other_version(stage)
    options = {"plugin": PLUGIN, "version": other}
    return Try("plugin_upgrade", options, _process, _process, other)


def _other_version(stage: Stage) -> str:
    return NEW if stage.serves()[1] == OLD else OLD


def _register(stage: Stage) -> Try:
    stage.server.request("DELETE", f"sys/plugins/catalog/secret/{OTHER}?version={NEW}")
    options = {
        "name": OTHER,
        "type": "secret",
        "version": NEW,
        "sha256": stage.new.sha256,
        "command": stage.new.path.name,
    }
    return Try("plugin", options, Stage.entries)


def _remove(stage: Stage) -> Try:
    if f"{OTHER} {NEW}" not in stage.entries():
        stage.server.register(OTHER, stage.new)
    options = {"name": OTHER, "type": "secret", "version": NEW, "state": "absent"}
    return Try("plugin", options, Stage.entries)


def _info(**options: t.Any) -> Builder:
    return lambda _stage: Try("plugin_info", {"name": PLUGIN, **options}, _process)


def _login(stage: Stage) -> Try:
    return Try("login", stage.login, lambda stage: len(stage.tokens()))


def _revoke(stage: Stage) -> Try:
    made = stage.server.request("POST", "auth/token/create", {"policies": ["default"]}).json()
    options = {"state": "revoked", "token": made["auth"]["client_token"]}
    return Try("login", options, lambda stage: len(stage.tokens()))


def _pin(stage: Stage) -> Try:
    stage.server.request("DELETE", f"sys/plugins/pins/secret/{PLUGIN}")
    options = {"name": PLUGIN, "type": "secret", "version": NEW}
    return Try("plugin_pin", options, Stage.pins)


def _unpin(stage: Stage) -> Try:
    stage.server.call("PUT", f"sys/plugins/pins/secret/{PLUGIN}", {"version": NEW})
    options = {"name": PLUGIN, "type": "secret", "state": "absent"}
    return Try("plugin_pin", options, Stage.pins)


def _runtime(state: str) -> Builder:
    def build(stage: Stage) -> Try:
        path = f"sys/plugins/runtimes/catalog/container/{RUNTIME}"
        if state == "present":
            stage.server.request("DELETE", path)
        else:
            stage.server.call("PUT", path, {"oci_runtime": "runc"})
        options = {"name": RUNTIME, "oci_runtime": "runc", "state": state}
        return Try("plugin_runtime", options, Stage.runtimes)

    return build


# Those that start a plugin, at each try.
COSTLY: dict[str, Builder] = {
    "reload a mount": _reload,
    "current": _current,
    "upgrade": _upgrade,
    "register": _register,
    "remove": _remove,
}
CHEAP: dict[str, Builder] = {
    "reload builtin mounts": _builtin({"mounts": ["k", "l"]}),
    "reload a builtin plugin": _builtin({"plugin": "kv"}),
    "reload unverified": _builtin({"mounts": ["k", "l"], "verify": False}),
    "reload on all nodes": _builtin({"mounts": ["k"], "scope": "global", "wait_timeout": "1s"}),
    "reload with a login": _with_login,
    "info": _info(),
    "info of health": _info(health=True),
    "login": _login,
    "revoke": _revoke,
}
OF_VAULT: dict[str, Builder] = {
    "pin": _pin,
    "unpin": _unpin,
    "runtime": _runtime("present"),
    "runtime absent": _runtime("absent"),
}


def tasks() -> dict[str, Builder]:
    """Return the tasks that the product of this run has, by name."""
    return {**COSTLY, **CHEAP, **(OF_VAULT if product() == "Vault" else {})}


def _approle(server: Server) -> dict[str, t.Any]:
    server.call("POST", "sys/auth/approle", {"type": "approle"})
    server.call("PUT", "sys/policies/acl/tries", {"policy": POLICY})
    server.call("POST", APPROLE, {"token_policies": ["tries"]})
    return {
        "auth_method": "approle",
        "role_id": server.call("GET", f"{APPROLE}/role-id")["role_id"],
        "secret_id": server.call("POST", f"{APPROLE}/secret-id")["secret_id"],
    }


@contextlib.contextmanager
def running_stage() -> t.Iterator[Stage]:
    """Set the stage for the length of a ``with`` block."""
    with running_server() as server, fault_proxy(server.url) as proxy:
        built = [
            build_plugin(server.plugin_directory / f"{PLUGIN}-{version}", version=version)
            for version in (OLD, NEW)
        ]
        for plugin in built:
            server.register(PLUGIN, plugin)
        server.mount("a", PLUGIN, version=OLD)
        server.mount("k", "kv")
        server.mount("l", "kv")
        yield Stage(server, proxy, built[1], _approle(server))
