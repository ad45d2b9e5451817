# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade by a pin where something is in the way that no Vault here can be brought to do.

Old releases, lost answers, elections and refusals of the ACL, by hand; each answer names its source
in Vault's own source, 1.20.  What a real Vault answers is in test_recorded.py.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible, TaskResult
from ansible_collections.vaultops.vault.tests.support.handwritten import (
    Answer,
    HandwrittenServer,
    SeenRequest,
    handwritten_server,
)

pytestmark = pytest.mark.slow

MODULE = "vaultops.vault.plugin_upgrade"
OLD, NEW = "v1.0.0", "v2.0.0"
SHA256 = {OLD: "a" * 64, NEW: "b" * 64}
PIN = "sys/plugins/pins/secret/ext"
RELOAD = "sys/plugins/reload/backend"


def data(**content: t.Any) -> Answer:
    """Return a successful answer."""
    return Answer(200, {"request_id": "r", "data": content, "warnings": None})


def refused(status: int, *words: str) -> Answer:
    """Return a refusal."""
    return Answer(status, {"errors": list(words)})


CATALOG = data(
    detailed=[
        {"type": "secret", "name": "ext", "version": OLD, "builtin": False, "sha256": SHA256[OLD]},
        {"type": "secret", "name": "ext", "version": NEW, "builtin": False, "sha256": SHA256[NEW]},
        {"type": "secret", "name": "kv", "version": "v0.25.0+builtin", "builtin": True},
    ]
)

TOKEN = {"type": "token", "accessor": "auth_token_12345678", "plugin_version": ""}
AUTH = data(**{"token/": {**TOKEN, "running_plugin_version": "v1.20.0+builtin.vault"}})

# vault/plugin_reload.go; "checksums did not match" is go-plugin's, client.go, of two starts.
NO_START = (
    'cannot reload plugin on "{}": invalid backend version: 2 errors occurred:\n'
    "\t* checksums did not match\n\t* checksums did not match\n\n"
)
# vault/logical_system.go, handleTuneWriteCommon
PIN_IN_EFFECT = (
    f'plugin_version cannot be set for secret plugin "ext" as a pinned version {OLD} is in effect'
)


@dataclasses.dataclass
class Vault:
    """A Vault with the mounts a and b, configured for the old version.

    A reload starts what is ``pinned``, if anything, in place of what a mount is configured for
    (vault/mount.go); where that fails, the old process serves on (vault/plugin_reload.go).
    ``broken`` is a version that does not start.  ``answers`` go before all others, by path;
    ``instead`` are the answers to writes by their number: those that refuse do nothing.
    """

    pinned: str = ""
    broken: str = ""
    answers: dict[str, Answer] = dataclasses.field(default_factory=dict)
    instead: dict[int, Answer] = dataclasses.field(default_factory=dict)
    running: dict[str, str] = dataclasses.field(default_factory=lambda: {"a/": OLD, "b/": OLD})
    writes: list[tuple[str, str, t.Any]] = dataclasses.field(default_factory=list)

    def row(self, path: str) -> dict[str, t.Any]:
        """Return the row of a mount."""
        version = self.running[path]
        return {
            "type": "ext",
            "accessor": f"ext_{path}",
            "plugin_version": OLD,
            "running_plugin_version": version,
            "running_sha256": SHA256[version],
        }

    def write(self, request: SeenRequest, path: str) -> Answer:
        """Do what is asked for, and note it."""
        version = (request.body or {}).get("version", "")
        instead = self.instead.get(len(self.writes))
        self.writes.append((request.method, path, version or (request.body or {}).get("mounts")))
        if instead is not None and not instead.hang_up:
            return instead
        if path == PIN:
            self.pinned = version
            return instead or Answer(200, {"request_id": "r", "data": None, "warnings": None})
        if path != RELOAD:
            return refused(400, PIN_IN_EFFECT)
        started = self.pinned or OLD
        mounts = request.body["mounts"]
        if started == self.broken:
            return refused(500, *map(NO_START.format, mounts))
        self.running.update(dict.fromkeys(mounts, started))
        return data(reload_id="an-id")

    def answer(self, request: SeenRequest) -> Answer:
        """Answer a request."""
        path = request.path.removeprefix("/v1/")
        if request.method != "GET":
            return self.write(request, path)
        if path in self.answers:
            return self.answers[path]
        if path == "sys/mounts":
            listed = {mount: self.row(mount) for mount in self.running}
            return data(**listed, **{"sys/": {"type": "system", "accessor": "system_1"}})
        if path == "sys/plugins/pins":
            pin = {"type": "secret", "name": "ext", "version": self.pinned}
            return data(pinned_versions=[pin] if self.pinned else [])
        mount = path.removeprefix("sys/mounts/").removesuffix("?help=1") + "/"
        if path.startswith("sys/mounts/"):
            return data(**self.row(mount))
        if mount in self.running:
            return Answer(200, {"help": "…"})
        return {"sys/plugins/catalog": CATALOG, "sys/auth": AUTH}.get(path, refused(404))


@contextlib.contextmanager
def serving(vault: Vault) -> t.Iterator[HandwrittenServer]:
    """Serve ``vault`` on loopback."""
    with handwritten_server({}) as server:
        server.answer = vault.answer  # type: ignore[method-assign]
        yield server


def upgrade(tmp_path: pathlib.Path, vault: Vault, *tasks: dict[str, t.Any]) -> list[TaskResult]:
    """Run tasks of the module under test, each with its options."""
    with serving(vault) as server:
        options = {"plugin": "ext", "version": NEW, "url": server.url, "token": "a-test-token"}
        cases = Ansible(tmp_path).cases(
            {f"task {number}": {MODULE: {**options, **task}} for number, task in enumerate(tasks)}
        )
    return list(cases.results.values())


def test_handwritten_vault_pins_that_may_have_come_to_be(tmp_path: pathlib.Path) -> None:
    """The answer to the new pin is lost: the pins are read again, and the upgrade goes on."""
    vault = Vault(pinned=OLD, instead={0: Answer(hang_up=True)})
    (result,) = upgrade(tmp_path, vault, {"retries": 0})
    assert not result.failed, result.message
    assert "the connection broke before the answer" in " ".join(result["warnings"])
    assert (result["changed"], result["rolled_back"], vault.pinned) == (True, None, NEW)
    assert vault.running == {"a/": NEW, "b/": NEW}
    assert vault.writes == [("POST", PIN, NEW), ("POST", RELOAD, ["a/", "b/"])]


def test_handwritten_vault_pins_go_back_after_an_election(tmp_path: pathlib.Path) -> None:
    """Where the server has no active node for a while, the way back is tried again."""
    # http/handler.go
    election = refused(500, "local node not active but active cluster node not found")
    vault = Vault(pinned=OLD, broken=NEW, instead={2: election})
    (result,) = upgrade(tmp_path, vault, {"mounts": "a", "retries": 0})
    assert result.failed
    assert (result["rolled_back"], vault.pinned, vault.running["a/"]) == (True, OLD, OLD)
    back = ("POST", PIN, OLD)
    assert vault.writes == [("POST", PIN, NEW), ("POST", RELOAD, ["a/"]), back, back]


# Before 1.16 there is no such path: 404 (sdk/logical/response_util.go, ErrUnsupportedPath).
# "permission denied" is sdk/logical/error.go.
NOT_PINNED: dict[str, tuple[Vault, dict[str, t.Any], str]] = {
    "before 1.16": (
        Vault(answers={"sys/plugins/pins": refused(404)}),
        {"pin": True},
        "this server has no pins, which HashiCorp Vault has from 1.16 on",
    ),
    "pins that may not be read": (
        Vault(answers={"sys/plugins/pins": refused(403, "permission denied")}),
        {"pin": True},
        '"read" on "sys/plugins/pins"',
    ),
    "a pin that may not be set": (
        Vault(pinned=OLD, instead={0: refused(403, "permission denied")}),
        {},
        f'nothing was changed: cannot pin secret plugin "ext" to {NEW}: permission denied',
    ),
    "a pin that only something on the way has accepted": (
        Vault(pinned=OLD, instead={0: Answer(200, {"request_id": "r", "data": None})}),
        {},
        f'the server accepted that secret plugin "ext" is pinned to {NEW}, but does not list it',
    ),
}


@pytest.mark.parametrize("case", NOT_PINNED)
def test_handwritten_vault_pins_that_cannot_be_moved(tmp_path: pathlib.Path, case: str) -> None:
    vault, options, told = NOT_PINNED[case]
    (result,) = upgrade(tmp_path, vault, options)
    assert (result.failed, result["changed"]) == (True, False)
    assert told in result.message
    assert not any(path == RELOAD for _method, path, _body in vault.writes)
