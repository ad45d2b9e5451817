# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records what a real HashiCorp Vault answers to tasks of the collection.

python -m tests.support.recorder /path/to/vault [scenario ...]

Run from the repository's root; writes tests/recorded/vault-<version>/<scenario>.json.  A scenario
is a function here: it arranges a server in dev mode and runs tasks, and its docstring says what.
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
from .external_plugin import BuiltPlugin, build_plugin
from .http_servers import QuietHandler, serving
from .products import PRODUCT_VARIABLE, VAULT_VARIABLE
from .recordings import RECORDED, TOKEN, Exchange, Recording, Task, run_task
from .server import Server, running_server

PLUGIN = "ext"
OLD, NEW = "v1.0.0", "v1.1.0"
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
    proxy: str
    token: str
    tasks: list[Task] = dataclasses.field(default_factory=list)
    exchanges: list[Exchange] = dataclasses.field(default_factory=list)
    plugins: list[BuiltPlugin] = dataclasses.field(default_factory=list)

    def task(self, operation: str, *, check_mode: bool = False, **options: t.Any) -> None:
        """Run a task and keep its result."""
        result = run_task(operation, options, check_mode, proxy=self.proxy, token=self.token)
        self.tasks.append(Task(operation, options, check_mode, result))

    def build(self, version: str, *, name: str = PLUGIN) -> BuiltPlugin:
        """Put a plugin's file into the server's plugin directory."""
        plugin = build_plugin(self.server.plugin_directory / f"{name}-{version}", version=version)
        self.plugins.append(plugin)
        return plugin

    def register(self, version: str, *, name: str = PLUGIN) -> BuiltPlugin:
        """Put a plugin's file there, and its entry into the catalog."""
        plugin = self.build(version, name=name)
        self.server.register(name, plugin)
        return plugin

    def mount(self, *paths: str, version: str = OLD) -> None:
        """Mount the plugin, and see that it runs."""
        for path in paths:
            self.server.mount(path, PLUGIN, version=version)
            self.server.info(path)

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
            str(self.server.call("GET", "sys/health")["version"]),
            arranged,
            [Task(**task) for task in usual["tasks"]],
            [Exchange(**exchange) for exchange in usual["exchanges"]],
        )

    def _usual(self, text: str) -> str:
        """Return ``text`` with all that differs from run to run replaced."""
        for token in (self.server.token, self.token):
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


Scenario = t.Callable[[Recorder], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """Make a function one of the scenarios."""
    SCENARIOS[function.__name__] = function
    return function


@scenario
def reload_by_mounts(recorder: Recorder) -> None:
    """The mounts a and b run a plugin: both are reloaded, in check mode first, and are current."""
    recorder.register(OLD)
    recorder.mount("a", "b")
    recorder.task("plugin_reload", mounts=["a", "b"], check_mode=True)
    recorder.task("plugin_reload", mounts=["a", "b"])
    recorder.task("plugin_reload", mounts=["a", "b"], state="current")


@scenario
def reload_by_plugin(recorder: Recorder) -> None:
    """The mounts a and b run the old version and are configured for the new one: reload by name."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a", "b")
    for path in ("a", "b"):
        recorder.server.tune_version(path, NEW)
    recorder.task("plugin_reload", plugin=PLUGIN, state="current")
    recorder.task("plugin_reload", plugin=PLUGIN, plugin_type="secret")


@scenario
def reload_of_an_unknown_plugin(recorder: Recorder) -> None:
    """No plugin has that name: the collection's look knows it, and without a look the server."""
    recorder.task("plugin_reload", plugin="nope")
    recorder.task("plugin_reload", plugin="nope", verify=False)
    recorder.task("plugin_reload", plugin="nope", plugin_type="secret", verify=False)


@scenario
def reload_of_an_unknown_mount(recorder: Recorder) -> None:
    """The mounts a and b are there, gone is not: with the collection's look, and without."""
    recorder.register(OLD)
    recorder.mount("a", "b")
    recorder.task("plugin_reload", mounts=["a", "gone", "b"])
    recorder.task("plugin_reload", mounts=["a", "gone", "b"], verify=False)


@scenario
def reload_of_a_plugin_mounted_nowhere(recorder: Recorder) -> None:
    """The plugin is registered and mounted nowhere; so are some builtin ones, one a database's."""
    recorder.register(OLD)
    recorder.task("plugin_reload", plugin=PLUGIN)
    recorder.task("plugin_reload", plugin=PLUGIN, verify=False)
    recorder.task("plugin_reload", plugin="transit")
    recorder.task("plugin_reload", plugin="mysql-database-plugin")


@scenario
def reload_with_scope_global(recorder: Recorder) -> None:
    """One node of Community, with the mount a; then a plugin that nobody knows."""
    recorder.register(OLD)
    recorder.mount("a")
    recorder.task("plugin_reload", mounts=["a"], scope="global")
    recorder.task("plugin_reload", plugin="nope", scope="global", verify=False)


@scenario
def reload_of_the_servers_own(recorder: Recorder) -> None:
    """The mount sys is part of the server."""
    recorder.task("plugin_reload", mounts=["sys"])


@scenario
def failed_start_by_mount(recorder: Recorder) -> None:
    """The plugin of the mounts a and b does not start any more; in the end it is healed."""
    plugin = recorder.register(OLD)
    recorder.mount("a", "b")
    plugin.fault("exit")
    recorder.task("plugin_reload", mounts=["a", "b"])
    plugin.heal()
    recorder.task("plugin_reload", mounts=["a", "b"], state="current")


@scenario
def failed_start_by_plugin(recorder: Recorder) -> None:
    """The mounts a and b are configured for a version that does not start: reload by name."""
    recorder.register(OLD)
    recorder.register(NEW).fault("exit")
    recorder.mount("a", "b")
    for path in ("a", "b"):
        recorder.server.tune_version(path, NEW)
    recorder.task("plugin_reload", plugin=PLUGIN)


@scenario
def failed_start_without_a_file(recorder: Recorder) -> None:
    """The file of the new version of mount a is gone, and then another one than was registered."""
    recorder.register(OLD)
    plugin = recorder.register(NEW)
    recorder.mount("a")
    recorder.server.tune_version("a", NEW)
    plugin.path.unlink()
    recorder.task("plugin_reload", mounts=["a"])
    recorder.build(NEW)
    recorder.task("plugin_reload", mounts=["a"])


@scenario
def file_that_may_not_be_executed(recorder: Recorder) -> None:
    """The process of the mount a has ended, and its file may not be executed: it is not current."""
    plugin = recorder.register(OLD)
    recorder.mount("a")
    _end(recorder.server.info("a")["pid"])
    plugin.path.chmod(0o644)
    recorder.task("plugin_reload", mounts=["a"], state="current")


@scenario
def pins(recorder: Recorder) -> None:
    """Two versions; no pin at first: one is set, again, moved, deleted, and deleted again."""
    recorder.register(OLD)
    recorder.register(NEW)
    plugin: dict[str, t.Any] = {"name": PLUGIN, "type": "secret"}
    recorder.task("plugin_pin", **plugin, state="absent")
    recorder.task("plugin_pin", **plugin, version="v7.0.0")
    recorder.task("plugin_pin", **plugin, version=OLD, check_mode=True)
    recorder.task("plugin_pin", **plugin, version=OLD)
    recorder.task("plugin_pin", **plugin, version=OLD)
    recorder.task("plugin_pin", **plugin, version=NEW)
    recorder.task("plugin", **plugin, version=NEW, state="absent")
    recorder.task("plugin_pin", **plugin, state="absent")
    recorder.task("plugin_pin", **plugin, state="absent")


@scenario
def pins_decide_what_is_current(recorder: Recorder) -> None:
    """The mount a runs the old version, and the new one is pinned: it is not current."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a")
    recorder.server.call("PUT", f"sys/plugins/pins/secret/{PLUGIN}", {"version": NEW})
    recorder.task("plugin_reload", mounts=["a"], state="current", check_mode=True)
    recorder.task("plugin_reload", mounts=["a"], state="current")


@scenario
def upgrade(recorder: Recorder) -> None:
    """The mounts a and b move to the new version, b first; once more, nothing is to do."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a", "b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, canary="b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, canary="b")


@scenario
def upgrade_with_a_pin(recorder: Recorder) -> None:
    """The mounts a and b get the new version by a first pin; then the old one by moving the pin."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a", "b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, pin=True, check_mode=True)
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, pin=True, canary="b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=OLD)
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=OLD)


@scenario
def upgrade_rolls_back(recorder: Recorder) -> None:
    """The new version does not start: b, which goes first, runs the old one again."""
    recorder.register(OLD)
    recorder.register(NEW).fault("exit")
    recorder.mount("a", "b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, canary="b")


@scenario
def upgrade_rolls_a_pin_back(recorder: Recorder) -> None:
    """The new version does not start: the old pin is put back."""
    recorder.register(OLD)
    recorder.register(NEW).fault("exit")
    recorder.mount("a", "b")
    recorder.server.call("PUT", f"sys/plugins/pins/secret/{PLUGIN}", {"version": OLD})
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, canary="b")


@scenario
def upgrade_removes_its_pin(recorder: Recorder) -> None:
    """The new version does not start, and there was no pin: the new pin is removed."""
    recorder.register(OLD)
    recorder.register(NEW).fault("exit")
    recorder.mount("a", "b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, canary="b", pin=True)


@scenario
def upgrade_of_a_pin_that_is_hidden(recorder: Recorder) -> None:
    """A pin is in effect and the token may not read the pins: the server refuses the version."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a")
    recorder.server.call("PUT", f"sys/plugins/pins/secret/{PLUGIN}", {"version": OLD})
    rules = "\n".join(
        f'path "{path}" {{ capabilities = ["create", "read", "update", "list", "sudo"] }}'
        for path in ("sys/mounts*", "sys/auth", "sys/plugins/catalog*", "sys/plugins/reload/*")
    )
    recorder.token = recorder.server.new_token(rules)
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW)
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, pin=True)


@scenario
def namespace_that_is_ignored(recorder: Recorder) -> None:
    """Community has no namespaces, and ignores the header: each module refuses."""
    recorder.register(OLD)
    recorder.mount("a")
    recorder.task("plugin_reload", mounts=["a"], namespace="team")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=OLD, namespace="team")
    recorder.task("plugin_info", namespace="team")


@scenario
def bad_token(recorder: Recorder) -> None:
    """The server does not know the token."""
    recorder.register(OLD)
    recorder.mount("a")
    for options in ({}, {"verify": False}):
        recorder.task("plugin_reload", mounts=["a"], token="not-a-token", **options)
    recorder.task("plugin_info", token="not-a-token")


@scenario
def plugin_registered_and_removed(recorder: Recorder) -> None:
    """A file is there: it is registered, again, and removed, again; one is in use by mount a."""
    plugin = recorder.build(OLD)
    entry: dict[str, t.Any] = {"name": PLUGIN, "type": "secret", "version": OLD}
    file: dict[str, t.Any] = {"command": plugin.path.name, "sha256": plugin.sha256}
    recorder.task("plugin", **entry, **file, check_mode=True)
    recorder.task("plugin", **entry, **file)
    recorder.task("plugin", **entry, **file)
    recorder.mount("a")
    recorder.task("plugin", **entry, state="absent")
    recorder.server.call("DELETE", "sys/mounts/a")
    recorder.task("plugin", **entry, state="absent")
    recorder.task("plugin", **entry, state="absent")


@scenario
def plugin_info(recorder: Recorder) -> None:
    """Two versions, the mounts a and b, and a pin: all, one plugin, and one mount."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a", "b")
    recorder.server.call("PUT", f"sys/plugins/pins/secret/{PLUGIN}", {"version": NEW})
    recorder.task("plugin_info")
    recorder.task("plugin_info", name=PLUGIN, type="secret")
    recorder.task("plugin_info", mounts=["a"])


def _end(pid: int) -> None:
    """End a plugin's process, which the scenario's server started, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while pathlib.Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
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
            self.reply(answer.status, content, headers)

    with serving(Handler) as url:
        recorder = Recorder(server, url, server.token)
        yield recorder


def main(arguments: list[str]) -> int:
    """Record the scenarios that are named, or all; returns the exit status."""
    if not arguments or not set(arguments[1:]) <= set(SCENARIOS):
        print(__doc__, *SCENARIOS, sep="\n")
        return 2
    os.environ.update({PRODUCT_VARIABLE: "Vault", VAULT_VARIABLE: arguments[0]})
    with tempfile.TemporaryDirectory(prefix="vaultops-recorder-") as tree:
        sys.path.insert(0, str(collection_tree(pathlib.Path(tree))))
        for name in arguments[1:] or SCENARIOS:
            with running_server() as server, _recording(server) as recorder:
                SCENARIOS[name](recorder)
                recording = recorder.recording(SCENARIOS[name].__doc__ or "")
            path = RECORDED / f"vault-{recording.version}" / f"{name}.json"
            recording.write(path)
            print(f"{path}: {len(recording.tasks)} tasks, {len(recording.exchanges)} exchanges")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
