# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records what a real HashiCorp Vault answers to tasks of the collection.

python -m tests.support.recorder /path/to/vault [scenario ...]

Run from the repository's root; writes tests/recorded/vault-<version>/<scenario>.json.  A scenario
is a function in scenarios.py.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import itertools
import json
import os
import pathlib
import re
import signal
import sys
import tempfile
import time
import typing as t
import urllib.parse

from .ansible_runs import collection_tree
from .external_plugin import BuiltPlugin, Kind, build_plugin
from .http_servers import QuietHandler, serving
from .products import PRODUCT_VARIABLE, VAULT_VARIABLE
from .recordings import RECORDED, REQUEST, TOKEN, Exchange, Recording, Task, run_task
from .scenarios import OLD, PLUGIN, SCENARIOS
from .server import Server, running_server

# Of what the server says, the headers by which a client may act.
HEADERS = ("Content-Type", "Location", "Retry-After", "Warning")
# What differs from run to run, with what stands for it.
USUAL = {
    r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)": "2026-11-25T00:00:00Z",
    r'(?<="server_time_utc": )\d+': "1795564800",
    r"vault-cluster-[0-9a-f]{8}\b": "vault-cluster-00000000",
    r"(Owner|Group): \d+ \[\w+\] \(current: \d+ \[\w+\]\)": r"\1: 0 [root] (current: 0 [root])",
}


@dataclasses.dataclass
class Recorder:
    """A server, and all that tasks said to it with ``token``."""

    server: Server
    version: str
    proxy: str
    token: str
    tasks: list[Task] = dataclasses.field(default_factory=list)
    exchanges: list[Exchange] = dataclasses.field(default_factory=list)
    plugins: list[BuiltPlugin] = dataclasses.field(default_factory=list)
    tokens: list[str] = dataclasses.field(default_factory=list)
    # What happens once, when the server has done the next reload and before the task learns of it.
    after_reload: list[t.Callable[[], None]] = dataclasses.field(default_factory=list)

    def task(self, operation: str, *, check_mode: bool = False, **options: t.Any) -> None:
        """Run a task and keep its result."""
        result = run_task(operation, options, check_mode, proxy=self.proxy, token=self.token)
        self.tasks.append(Task(operation, options, check_mode, result))

    def request(self, method: str, path: str, **options: t.Any) -> None:
        """Send a plain request by the collection's client; keep what that makes of the answer."""
        self.task(REQUEST, method=method, path=path, **options)

    def build(
        self, version: str, *, name: str = PLUGIN, kind: Kind = "secret", multiplexed: bool = False
    ) -> BuiltPlugin:
        """Put a plugin's file into the server's plugin directory."""
        out = self.server.plugin_directory / f"{name}-{version}"
        plugin = build_plugin(out, version=version, kind=kind, multiplexed=multiplexed)
        self.plugins.append(plugin)
        return plugin

    def register(
        self, version: str, *, name: str = PLUGIN, kind: Kind = "secret", multiplexed: bool = False
    ) -> BuiltPlugin:
        """Put a plugin's file there, and its entry into the catalog."""
        plugin = self.build(version, name=name, kind=kind, multiplexed=multiplexed)
        self.server.register(name, plugin)
        return plugin

    def mount(self, *paths: str, version: str = OLD) -> None:
        """Mount the plugin, and see that it runs."""
        for path in paths:
            self.server.mount(path, PLUGIN, version=version)
            self.server.info(path)

    def new_token(self, rules: str) -> str:
        """Return a token that has just these rules."""
        self.tokens.append(self.server.new_token(rules))
        return self.tokens[-1]

    def serves(self, **versions: str) -> None:
        """See that mounts serve these versions, which starts a process that has ended."""
        for path, version in versions.items():
            served = self.server.info(path)["version"]
            assert served == version, f"{path} serves {served}, not {version}"

    def down(self, *paths: str) -> None:
        """See that mounts do not serve."""
        for path in paths:
            answer = self.server.request("GET", f"{path}/info")
            assert not answer.ok, f"{path} serves: {answer.text}"

    def end_process(self, path: str) -> None:
        """End the process of a mount's plugin, and wait until it is gone."""
        pid = self.server.info(path)["pid"]
        os.kill(pid, signal.SIGKILL)
        _until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), f"process {pid} is gone")

    def seal(self) -> None:
        """Seal the server."""
        self.server.call("PUT", "sys/seal")

    def unseal(self) -> None:
        """Unseal the server by the key that it has logged, and wait for its mounts."""
        self.server.unseal()
        _until(lambda: self.server.request("GET", "sys/mounts").ok, "the server is unsealed")

    def recording(self, arranged: str) -> Recording:
        """Return what was recorded, without what is of this run only."""
        content = {
            "tasks": [dataclasses.asdict(task) for task in self.tasks],
            "exchanges": [dataclasses.asdict(exchange) for exchange in _sorted(self.exchanges)],
        }
        # Sorted, as the server's order of keys is any: numbers are given in the order of the text.
        usual = json.loads(self._usual(json.dumps(content, sort_keys=True)))
        return Recording(
            self.server.product,
            self.version,
            arranged,
            [Task(**task) for task in usual["tasks"]],
            [Exchange(**exchange) for exchange in usual["exchanges"]],
        )

    def _usual(self, text: str) -> str:
        """Return ``text`` with all that differs from run to run replaced."""
        for token in (self.server.token, self.token, *self.tokens):
            text = text.replace(token, TOKEN)
        text = text.replace(str(self.server.directory), "/vault")
        for number, plugin in enumerate(self.plugins, 1):
            # Messages have its first digits.
            short = f"{number:08x}"
            text = text.replace(plugin.sha256, short * 8).replace(plugin.sha256[:8], short)
        text = _numbered(text, r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", _UUID)
        text = _numbered(text, r"(?<=_)[0-9a-f]{8}\b", "{:08x}")
        for pattern, usual in USUAL.items():
            text = re.sub(pattern, usual, text)
        return text


_UUID = "00000000-0000-4000-8000-{:012x}"


def _numbered(text: str, pattern: str, form: str) -> str:
    """Return ``text`` with what matches replaced, the same by the same."""
    numbers: dict[str, int] = {}
    return re.sub(
        pattern, lambda match: form.format(numbers.setdefault(match[0], len(numbers) + 1)), text
    )


def _sorted(exchanges: list[Exchange]) -> list[Exchange]:
    """Return them with reads that are not parted by a write in the order of their paths.

    Reads go out at the same time, and so in any order.
    """
    runs = itertools.groupby(exchanges, key=lambda exchange: (exchange.task, exchange.method))
    ordered: list[Exchange] = []
    for (_task, method), run in runs:
        ordered += sorted(run, key=lambda row: row.path) if method == "GET" else run
    return ordered


def _until(condition: t.Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within 10 s: {what}")
        time.sleep(0.02)


@contextlib.contextmanager
def _recording(server: Server) -> t.Iterator[Recorder]:
    """Run a proxy to ``server``, whatever host is asked for, which keeps what it sees."""
    address = urllib.parse.urlsplit(server.url).netloc

    class Handler(QuietHandler):
        def do(self) -> None:
            target = urllib.parse.urlsplit(self.path)
            path = target._replace(scheme="", netloc="").geturl()
            body = self.body()
            number = len(recorder.exchanges)
            upstream = http.client.HTTPConnection(address, timeout=180)
            try:
                sent = {name: value for name, value in self.headers.items() if name != "Host"}
                upstream.request(self.command, path, body, sent)
                answer = upstream.getresponse()
                content = answer.read()
            finally:
                upstream.close()
            headers = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
            exchange = Exchange(
                task=len(recorder.tasks),
                method=self.command,
                path=path.removeprefix("/v1/"),
                body=json.loads(body) if body else None,
                status=answer.status,
                headers=headers,
                answer=json.loads(content) if content else None,
            )
            recorder.exchanges.insert(number, exchange)
            if self.command == "POST" and "sys/plugins/reload/" in path and recorder.after_reload:
                recorder.after_reload.pop()()
            self.reply(answer.status, content, headers)

    version = str(server.call("GET", "sys/health")["version"])
    with serving(Handler) as url:
        recorder = Recorder(server, version, url, server.token)
        yield recorder


def record(name: str) -> Recording:
    """Run a scenario on a fresh server."""
    with running_server() as server, _recording(server) as recorder:
        SCENARIOS[name](recorder)
        return recorder.recording(SCENARIOS[name].__doc__ or "")


def main(arguments: list[str]) -> int:
    """Record the scenarios that are named, or all; returns the exit status."""
    if not arguments or not set(arguments[1:]) <= set(SCENARIOS):
        print(__doc__, *SCENARIOS, sep="\n")
        return 2
    os.environ.update({PRODUCT_VARIABLE: "Vault", VAULT_VARIABLE: arguments[0]})
    with tempfile.TemporaryDirectory(prefix="vaultops-recorder-") as tree:
        sys.path.insert(0, str(collection_tree(pathlib.Path(tree))))
        for name in arguments[1:] or SCENARIOS:
            recording = record(name)
            path = RECORDED / f"vault-{recording.version}" / f"{name}.json"
            recording.write(path)
            print(f"{path}: {len(recording.tasks)} tasks, {len(recording.exchanges)} exchanges")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
