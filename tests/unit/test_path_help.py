# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answer to a health check says: alive, down, or unknown."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import (
    Health,
    check_all,
    check_health,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    PermissionDenied,
    Refused,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection

ACL = "1 error occurred:\n\t* permission denied\n\n"
NO_START = "1 error occurred:\n\t* fork/exec /plugins/ext: permission denied\n\n"
UNREADABLE = "error verifying checksum: open /plugins/ext: permission denied"
ENDED = "rpc error: code = Unavailable desc = error reading from server: EOF"
NO_MOUNT = 'no handler for route "a". route entry not found.'
NO_BACKEND = 'no handler for route "a/". route entry found, but backend is nil.'


def refused(status: int, *words: str) -> Refused:
    """Return a refusal in the server's words."""
    kind = PermissionDenied if status == 403 else Refused
    return kind("; ".join(words), status=status, errors=words)


class FakeClient(VaultClient):
    """Answers path help and the probe, each by its error or well, and counts the requests."""

    def __init__(self, path_help: VaultError | None, probe: VaultError | None = None) -> None:
        super().__init__(Connection("http://fake", timeout=60))
        self.errors: dict[str, list[VaultError | None]] = {"a": [path_help], "a/info": [probe]}
        self.asked: list[tuple[str, float | None]] = []

    def request(self, method: str, path: str, *_args: t.Any, **more: t.Any) -> Answer:
        assert more["repeatable"] is False  # once: asking starts a plugin
        self.asked.append((path, more["timeout"]))
        errors = self.errors.get(path, [None])
        if error := errors.pop(0) if len(errors) > 1 else errors[0]:
            raise error
        return Answer(200, {"help": "", "data": {}}, path)


def mount(path: str = "a/", version: str = "v1.0.0") -> Mount:
    """Return a mount of an external plugin."""
    return Mount(path, "secret", "ext", "ext_1", version, version, "a" * 64)


@pytest.mark.parametrize(
    ("error", "alive"),
    [
        (None, True),
        (refused(400, "unsupported"), True),
        (refused(404), None),
        (refused(404, NO_BACKEND), False),
        (refused(404, "namespace not found"), None),
        (refused(404, NO_MOUNT), None),
        (refused(500, "checksums did not match"), False),
        (refused(500, "who knows"), None),
        (refused(500, "please forward to the active node"), None),
        (refused(403, ACL), None),
        (refused(403, NO_START), False),
        (refused(403, UNREADABLE), False),
        (refused(502, "bad gateway"), None),
        (refused(503, "Vault is sealed"), None),
        (refused(504), None),
        (NoAnswer("no answer within 15 s"), None),
    ],
    ids=str,
)
def test_path_help(error: VaultError | None, alive: bool | None) -> None:
    client = FakeClient(error)
    assert check_health(client, mount(), "").alive is alive
    assert client.asked == [("a", 15.0)]


@pytest.mark.parametrize(
    ("probe", "path_help", "health"),
    [
        (None, None, Health(True)),
        (refused(404), None, Health(True)),
        (refused(403, ACL), None, Health(None, "permission denied")),
        (refused(404, "unsupported path"), None, Health(True, "unsupported path", True)),
        (refused(500, "no storage"), None, Health(True, "no storage", True)),
        (refused(500, "x"), refused(500, "checksums did not match"), Health(False, "x")),
        (refused(500, ENDED), refused(500, ENDED), Health(False, ENDED)),
        (refused(500, ENDED), None, Health(True, ENDED, True)),
        (refused(500, ENDED), refused(400, "unsupported"), Health(True, ENDED, True)),
        (refused(404, NO_BACKEND), None, Health(False, NO_BACKEND)),
    ],
    ids=str,
)
def test_probe(probe: VaultError | None, path_help: VaultError | None, health: Health) -> None:
    assert check_health(FakeClient(path_help, probe), mount(), "info") == health


@pytest.mark.parametrize(
    ("again", "health"),
    [
        (refused(500, ENDED), Health(False, ENDED)),
        (refused(500, "plugin is shut down"), Health(False, "plugin is shut down")),
        (refused(403, ACL), Health(None, "permission denied")),
        (NoAnswer("no answer within 15 s"), Health(None, "no answer within 15 s")),
        (refused(400, "unsupported"), Health(True)),
        (None, Health(True)),
    ],
    ids=str,
)
def test_a_plugin_that_ends_while_it_is_asked_is_asked_again(
    again: VaultError | None, health: Health
) -> None:
    """Once may be a reload of somebody else's; twice, it crashes."""
    client = FakeClient(None)
    client.errors["a"] = [refused(500, ENDED), again]
    assert check_health(client, mount(), "") == health
    assert client.asked == [("a", 15.0)] * 2


def test_a_builtin_plugin_is_not_asked() -> None:
    client = FakeClient(None)
    builtin = mount(version="v2.7.2+builtin.bao")._replace(version="")
    assert check_health(client, builtin, "").alive is True
    assert check_health(client, mount(), None).alive is None
    assert client.asked == []


def test_a_builtin_plugin_that_was_to_be_another_version_is_asked() -> None:
    client = FakeClient(refused(404, NO_BACKEND))
    builtin = mount(version="v2.7.2+builtin.bao")._replace(version="v9.1.0")
    assert check_health(client, builtin, "info").alive is False
    assert client.asked == [("a", 15.0)]


def test_many_are_asked_once_each_and_stay_in_order() -> None:
    client = FakeClient(None)
    paths = [f"m{number}/" for number in range(40)]
    health = check_all(client, [mount(path) for path in paths], "")
    assert list(health) == paths
    assert sorted(path for path, _timeout in client.asked) == sorted(p.rstrip("/") for p in paths)
