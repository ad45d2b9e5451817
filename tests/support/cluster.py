# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real OpenBao cluster on loopback: three nodes that share their storage by raft."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import typing as t

import requests

from . import tested
from .external_plugin import BuiltPlugin, Kind, build_plugin
from .products import product
from .server import (
    STOP_SECONDS,
    Server,
    ServerError,
    free_port,
    node_binary,
    server_environment,
)

NAMES = ("n1", "n2", "n3")
SETTLE_SECONDS = 60.0
# Questions take time from what they wait for, so the longer it takes, the fewer they get.
FIRST_PAUSE, LONGEST_PAUSE = 0.03, 0.25
# How long a node may take to say how it is: one that is paused never does.
ASK_SECONDS = 2.0

Role = t.Literal["active", "standby", "sealed", "down"]
# Of sys/health.
ACTIVE, STANDBY, UNINITIALIZED = 200, 429, 501
ROLES: dict[int, Role] = {ACTIVE: "active", STANDBY: "standby"}
DEFAULT_TYPES = ("cubbyhole", "identity", "system", "token", "ns_token")

COMMON_CONFIGURATION = """\
storage "raft" {{
  path = "{directory}/raft"
  node_id = "{name}"
  performance_multiplier = 3
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_disable = true
}}
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{cluster_port}"
plugin_directory = "{directory}/plugins"
"""
CONFIGURATION = {
    "OpenBao": """\
seal "static" {{
  current_key_id = "test"
  current_key = "file://{key}"
}}
disable_standby_reads = {disable_standby_reads}
""",
    # Its nodes are unsealed by key; its standbys run no plugins.
    "Vault": """\
disable_mlock = true
""",
}


@dataclasses.dataclass(kw_only=True)
class Node(Server):
    """A node of a cluster; ``url`` is its own address, and stays the same when it starts again."""

    name: str
    unseal_key: str = ""

    @property
    def health(self) -> int:
        """The status of ``sys/health``, or 0 where nothing answers."""
        try:
            return requests.get(f"{self.url}/v1/sys/health", timeout=ASK_SECONDS).status_code
        except requests.RequestException:
            return 0

    @property
    def answers_itself(self) -> bool:
        """Whether it leaves nothing that needs no token to the active node."""
        url = f"{self.url}/v1/sys/internal/ui/mounts"
        headers = {"X-Vault-No-Request-Forwarding": "true"}
        return requests.get(url, headers=headers, timeout=ASK_SECONDS, allow_redirects=False).ok

    @property
    def role(self) -> Role:
        """What the node is at this moment; one that is paused is down."""
        health = self.health
        return ROLES.get(health, "sealed") if health else "down"

    def raft_index(self, which: t.Literal["applied", "committed"]) -> int:
        """How far this node is in the log that all share."""
        return int(self.call("GET", "sys/leader")[f"raft_{which}_index"])

    def here(self, plugin: BuiltPlugin) -> BuiltPlugin:
        """Return the file of ``plugin`` on this node: to remove it, or ``fault`` it only here."""
        return dataclasses.replace(plugin, path=self.plugin_directory / plugin.path.name)

    def start(self) -> None:
        """Start a node that is down; it comes back to the cluster by itself."""
        self.process = _launch(self.directory)
        if self.unseal_key:
            self.unseal()

    def unseal(self) -> None:
        """Give a node of Vault its key, as soon as it takes one."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(requests.RequestException, ServerError):
                if not self.call("PUT", "sys/unseal", {"key": self.unseal_key})["sealed"]:
                    return
            time.sleep(0.1)
        raise ServerError(f"{self.name} was not unsealed within {SETTLE_SECONDS} s:\n{self.log}")

    def stop(self) -> None:
        """End the node in good order: an active one hands over before it goes."""
        self.resume()
        self.process.terminate()
        self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End the node at once, as a crash does."""
        super().stop()

    def pause(self) -> None:
        """Freeze the node: connections to it are accepted by the system, and nothing answers."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused node go on."""
        self.process.send_signal(signal.SIGCONT)


@dataclasses.dataclass
class Cluster:
    """A running cluster: its nodes, the root token of all, and the calls a test arranges with."""

    nodes: list[Node]
    token: str
    standby_reads: bool = True

    @property
    def active(self) -> Node:
        """The active node, as the nodes say now; waits for an election to end."""
        found: list[Node] = []

        def elected() -> bool:
            found[:] = self._in_role("active")
            return len(found) == 1

        self.until(elected, "one node is active")
        return found[0]

    @property
    def standbys(self) -> list[Node]:
        """The unsealed standby nodes, as they say now."""
        return self._in_role("standby")

    def plugin(
        self,
        version: str = "",
        *,
        name: str = "ext",
        kind: Kind = "secret",
        multiplexed: bool = False,
        nodes: t.Iterable[Node] | None = None,
    ) -> BuiltPlugin:
        """Build an external plugin, put the same file on ``nodes`` (all), and register it.

        The active node must be among them: it starts the plugin to register it. What comes back is
        the active node's file; ``node.here(plugin)`` is another's.
        """
        active = self.active
        out = active.plugin_directory / f"{name}-{version or 'unversioned'}"
        plugin = build_plugin(out, version=version, kind=kind, multiplexed=multiplexed)
        for node in self.nodes if nodes is None else nodes:
            if node is not active:
                copy = node.here(plugin).path
                copy.unlink(missing_ok=True)
                shutil.copy2(plugin.path, copy)
        self.register(name, plugin)
        return plugin

    def register(self, name: str, plugin: BuiltPlugin) -> None:
        """Write the catalog entry ``name``, and wait until each running node has it."""
        self.active.register(name, plugin)
        self.settle()

    def mount(
        self,
        path: str,
        plugin: str,
        *,
        kind: Kind = "secret",
        namespace: str = "",
        version: str = "",
    ) -> None:
        """Mount as Server.mount does, and wait until each running node serves the mount."""
        self.active.mount(path, plugin, kind=kind, namespace=namespace, version=version)
        route = f"auth/{path}" if kind == "auth" else path
        standbys = self.standbys

        def served() -> bool:
            return all(
                node.request("GET", f"{route}/?help=1", namespace=namespace).ok for node in standbys
            )

        self.until(served, f"each standby serves {route}/")

    def tune_version(self, path: str, version: str) -> None:
        """Set the configured version of a mount, and wait until each running node has the news."""
        self.active.tune_version(path, version)
        self.settle()

    def new_token(self, policy: str) -> str:
        """Return a new token with just the rules of ``policy``, which each running node knows."""
        token = self.active.new_token(policy)
        self.settle()
        return token

    def step_down(self) -> None:
        """Make another node the active one.

        A node that has stepped down may become active again, if none of the others does in time.
        """
        former = self.active

        def moved() -> bool:
            if former.role == "active":
                former.call("PUT", "sys/step-down")
                # It answers before it has gone.
                self.until(lambda: former.role != "active", f"{former.name} has stepped down")
            return self.active is not former

        self.until(moved, f"another node than {former.name} is active")

    def settle(self) -> None:
        """Wait until each standby has applied all that the active node has committed so far."""
        committed = self.active.raft_index("committed")
        standbys = self.standbys
        self.until(
            lambda: all(node.raft_index("applied") >= committed for node in standbys),
            f"each standby has applied {committed}",
        )

    def reset(self) -> None:
        """Bring back three running nodes, one of them active, with no mounts, plugins, namespaces.

        Policies and tokens stay: they harm no test.
        """
        for node in self.nodes:
            node.resume()
            if node.role in {"down", "sealed"}:
                node.kill()
                node.start()
        self.await_all()
        active = self.active
        if (answer := active.request("LIST", "sys/namespaces")).ok:
            for path in answer.json()["data"]["keys"]:
                active.call("DELETE", f"sys/namespaces/{path}")
        for table in ("sys/mounts", "sys/auth"):
            for path, row in active.call("GET", table).items():
                if row["type"] not in DEFAULT_TYPES:
                    active.call("DELETE", f"{table}/{path}")
        for entry in active.call("GET", "sys/plugins/catalog")["detailed"]:
            if not entry["builtin"]:
                path = f"sys/plugins/catalog/{entry['type']}/{entry['name']}"
                active.call("DELETE", f"{path}?version={entry['version']}")
        self.settle()
        for node in self.nodes:
            for file in node.plugin_directory.iterdir():
                file.unlink()

    def await_all(self) -> None:
        """Wait until one node is active and the others stand by, unsealed and ready."""

        def ready() -> bool:
            roles = sorted(node.role for node in self.nodes)
            return roles == ["active", "standby", "standby"] and (
                # A standby that has just become one leaves all to the active node for a while.
                not self.standby_reads or all(node.answers_itself for node in self.nodes)
            )

        self.until(ready, "one node is active and two stand by")

    def stop(self) -> None:
        """End all nodes at once."""
        for node in self.nodes:
            node.kill()

    def until(self, condition: t.Callable[[], bool], what: str) -> None:
        """Wait for a condition; where it does not come, tell with the nodes' logs what it was."""
        deadline, pause = time.monotonic() + SETTLE_SECONDS, FIRST_PAUSE
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(f"{node.name}:\n{node.log[-5000:]}" for node in self.nodes)
                raise ServerError(f"not within {SETTLE_SECONDS} s: {what}\n{logs}")
            time.sleep(pause)
            pause = min(1.2 * pause, LONGEST_PAUSE)

    def _in_role(self, role: Role) -> list[Node]:
        return [node for node in self.nodes if node.role == role]


def _launch(directory: pathlib.Path) -> subprocess.Popen[bytes]:
    with (directory / "server.log").open("ab") as log:
        return subprocess.Popen(
            [node_binary(), "server", f"-config={directory}/node.hcl"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={
                **server_environment(directory),
                # Autopilot makes a voter of a node that joined only after ten seconds.
                "BAO_RAFT_AUTOPILOT_DISABLE": "true",
            },
        )


def _start_node(directory: pathlib.Path, key: pathlib.Path, *, standby_reads: bool) -> Node:
    for name in ("home", "plugins", "raft", "tmp"):
        (directory / name).mkdir(parents=True)
    port = free_port()
    configuration = (COMMON_CONFIGURATION + CONFIGURATION[product()]).format(
        directory=directory,
        name=directory.name,
        port=port,
        cluster_port=free_port(),
        key=key,
        disable_standby_reads=str(not standby_reads).lower(),
    )
    (directory / "node.hcl").write_text(configuration)
    url = f"http://127.0.0.1:{port}"
    return Node(url, "", directory, _launch(directory), name=directory.name)


def _form(cluster: Cluster) -> None:
    first, *others = cluster.nodes

    def all_answer(health: int, nodes: t.Sequence[Node]) -> None:
        cluster.until(
            lambda: all(node.health == health for node in nodes),
            f"sys/health of {', '.join(node.name for node in nodes)} is {health}",
        )

    all_answer(UNINITIALIZED, cluster.nodes)
    if first.product == "Vault":
        _form_vault(cluster)
        return
    shares = {"recovery_shares": 1, "recovery_threshold": 1}
    cluster.token = first.call("PUT", "sys/init", shares)["root_token"]
    for node in cluster.nodes:
        node.token = cluster.token
    all_answer(ACTIVE, [first])
    for node in others:
        _join(cluster, node, first)
    cluster.until(
        lambda: all(node.call("GET", "sys/seal-status")["n"] for node in others),
        "the seal's configuration has come to the other nodes",
    )
    for node in others:
        # It looks for its keys when it starts, and only every five seconds after that.
        node.kill()
        node.start()
    cluster.await_all()


def _join(cluster: Cluster, node: Node, first: Node) -> None:
    """Let ``node`` join: on a loaded machine the first node is not ready when it says so."""
    body = {"leader_api_addr": first.url}
    cluster.until(
        lambda: node.request("PUT", "sys/storage/raft/join", body).ok,
        f"{node.name} has joined {first.name}",
    )


def _form_vault(cluster: Cluster) -> None:
    first, *others = cluster.nodes
    shares = {"secret_shares": 1, "secret_threshold": 1}
    answer = first.call("PUT", "sys/init", shares)
    cluster.token = answer["root_token"]
    for node in cluster.nodes:
        node.token, node.unseal_key = cluster.token, answer["keys_base64"][0]
    first.unseal()
    cluster.until(lambda: first.health == ACTIVE, f"{first.name} is active")
    for node in others:
        _join(cluster, node, first)
        node.unseal()
    cluster.await_all()

    def all_vote() -> bool:
        # Autopilot makes a voter of a node only when it was stable for ten seconds.
        config = first.call("GET", "sys/storage/raft/configuration")["config"]
        voters = [server for server in config["servers"] if server["voter"]]
        return len(voters) == len(cluster.nodes)

    cluster.until(all_vote, "all nodes vote")


@contextlib.contextmanager
def running_cluster(*, standby_reads: bool = True) -> t.Iterator[Cluster]:
    """Run a cluster of three voters in a temporary directory for the length of a ``with`` block.

    Without ``standby_reads`` only the active node runs plugins, and the others forward to it.
    """
    base = pathlib.Path(tempfile.mkdtemp(prefix="vaultops-cluster-"))
    cluster = Cluster([], "", standby_reads and product() == "OpenBao")
    try:
        key = base / "unseal.key"
        key.write_bytes(os.urandom(32))
        for name in NAMES:
            cluster.nodes.append(_start_node(base / name, key, standby_reads=standby_reads))
        _form(cluster)
        health = cluster.active.call("GET", "sys/health")
        tested.note_server(cluster.active.product, health["version"])
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(base, ignore_errors=True)
