# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent for a reload, and what the server's words mean."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api import plugins_reload
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    NotSent,
    Refused,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection

UNSEALED = {"initialized": True, "sealed": False, "standby": False}


class FakeClient(VaultClient):
    """Answers from a list, and notes what was asked and with which timeout."""

    vault = False

    def __init__(self, *answers: Answer | VaultError, timeout: float = 60) -> None:
        self.connection = Connection("http://fake", timeout=timeout)
        self.answers = list(answers)
        self.sent: list[t.Any] = []
        self.timeouts: list[float | None] = []
        self.announced: list[str] = []
        self.announce = self.announced.append

    def request(
        self,
        method: str,
        path: str,
        body: t.Mapping[str, t.Any] | None = None,
        *,
        query: t.Mapping[str, str] | None = None,
        namespace: str | None = None,
        anonymous: bool = False,
        repeatable: bool | None = None,
        timeout: float | None = None,
        plain: bool = False,
        may_be_empty: bool | None = None,
    ) -> Answer:
        if path == "sys/health":
            health = {"version": "1.20.0", "performance_standby": False} if self.vault else {}
            return Answer(200, {**UNSEALED, "version": "2.7.2", **health}, path)
        assert (method, path) == ("POST", "sys/plugins/reload/backend")
        self.sent.append(body)
        self.timeouts.append(timeout)
        answer = self.answers.pop(0)
        if isinstance(answer, VaultError):
            raise answer
        return answer


def said(*warnings: str) -> Answer:
    """Return a successful answer."""
    return Answer(200, {"data": {"reload_id": "an-id"}, "warnings": list(warnings)}, "POST")


def refused(*words: str, status: int = 400) -> Refused:
    """Return a refusal in the server's words."""
    return Refused("; ".join(words), status=status, errors=words)


def test_one_request_by_plugin() -> None:
    client = FakeClient(said())
    answer = plugins_reload.reload_plugin(client, "ext", "local")
    assert client.sent == [{"plugin": "ext"}]
    assert (answer.changed, answer.reload_id, answer.error) == (True, "an-id", None)


def test_scope_global_is_the_only_one_that_is_sent() -> None:
    client = FakeClient(said())
    plugins_reload.reload_mounts(client, ["a/"], "global")
    assert client.sent == [{"mounts": ["a/"], "scope": "global"}]


@pytest.mark.parametrize("count", [1, 990, 991, 5000])
def test_one_request_for_any_number_of_mounts(count: int) -> None:
    client = FakeClient(said())
    paths = [f"m{number}/" for number in range(count)]
    plugins_reload.reload_mounts(client, paths, "local")
    (body,) = client.sent
    assert body["mounts"] == (paths if count <= 990 else ",".join(paths))


def test_paths_with_commas_go_in_lists_that_the_server_takes() -> None:
    paths = [f"m{number}/" for number in range(2000)] + ["with,comma/"]
    client = FakeClient(said("one"), said("two"), said())
    answer = plugins_reload.reload_mounts(client, paths, "local")
    assert [len(body["mounts"]) for body in client.sent] == [990, 990, 21]
    assert [path for body in client.sent for path in body["mounts"]] == paths
    assert answer.warnings == ["one", "two"]


# Of OpenBao, and of Vault from 1.20.3 on.
TOO_MUCH = [
    ("refused JSON input due to high complexity: exceeded maximum number of strings", 400),
    ("JSON array exceeds allowed element count", 500),
    ("JSON string value exceeds allowed length", 500),
]


@pytest.mark.parametrize(("words", "status"), TOO_MUCH)
def test_what_a_listener_finds_too_much_is_halved(words: str, status: int) -> None:
    client = FakeClient(refused(words, status=status), said(), said())
    answer = plugins_reload.reload_mounts(client, ["a/", "b/", "c/"], "local")
    assert [body["mounts"] for body in client.sent] == [["a/", "b/", "c/"], ["a/"], ["b/", "c/"]]
    assert (answer.changed, answer.error) == (True, None)


@pytest.mark.parametrize(("words", "status"), TOO_MUCH)
def test_one_mount_that_is_too_much_has_done_nothing(words: str, status: int) -> None:
    client = FakeClient(refused(words, status=status))
    answer = plugins_reload.reload_mounts(client, ["a/"], "local")
    assert answer.changed is False
    assert "allow larger requests in the server's configuration" in str(answer.error)


def test_words_of_a_plugin_are_not_those_of_the_listener() -> None:
    words = 'cannot reload plugin on "a/": JSON array exceeds allowed element count'
    client = FakeClient(refused(words))
    answer = plugins_reload.reload_mounts(client, ["a/", "b/"], "local")
    assert len(client.sent) == 1
    assert answer.changed is True


def test_no_further_request_after_one_that_failed() -> None:
    paths = [f"m,{number}/" for number in range(2000)]
    client = FakeClient(said(), refused('cannot fetch mount entry on "m,990/"'))
    answer = plugins_reload.reload_mounts(client, paths, "local")
    assert len(client.sent) == 2
    assert answer.changed is True
    assert "cannot reload 1 of 2000 mounts" in str(answer.error)


@pytest.mark.parametrize(
    ("timeout", "count", "expected"), [(60, 1, 130), (60, 1000, 130_000), (600, 1, 600)]
)
def test_the_timeout_outlasts_each_plugin_that_hangs(
    timeout: float, count: int, expected: float
) -> None:
    client = FakeClient(said(), timeout=timeout)
    plugins_reload.reload_mounts(client, [f"m{number}/" for number in range(count)], "local")
    assert client.timeouts == [expected]
    (announced,) = client.announced
    assert announced.startswith(f"the reload may take up to {expected} s; do not cancel it")


def test_mocked_vault_says_that_nothing_was_reloaded() -> None:
    answer = plugins_reload.reload_plugin(
        FakeClient(said("no plugins were reloaded")), "ext", "local"
    )
    assert (answer.changed, answer.warnings) == (False, ["no plugins were reloaded"])


NESTED = (
    "3 errors occurred:\n"
    '\t* cannot reload plugin on "a/": invalid backend version: 2 errors occurred:\n'
    "\t* timeout while waiting for plugin to start\n"
    "\t* timeout while waiting for plugin to start\n\n\n"
    '\t* cannot fetch mount entry on "auth/b/"\n'
    '\t* cannot reload plugin on "sys/": singleton plugin cannot be reloaded: "system"\n\n'
)


def test_a_nested_multi_error_is_taken_apart() -> None:
    paths = ["a/", "auth/b/", "sys/"]
    answer = plugins_reload.reload_mounts(FakeClient(refused(NESTED)), paths, "local")
    assert answer.failed == {
        "a/": 'cannot reload plugin on "a/": invalid backend version: '
        "timeout while waiting for plugin to start",
        "auth/b/": 'cannot fetch mount entry on "auth/b/"',
        "sys/": 'cannot reload plugin on "sys/": singleton plugin cannot be reloaded: "system"',
    }
    assert answer.changed is True  # the plugin of a/ was stopped
    assert "is down until a reload of it succeeds" in str(answer.error)


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ('plugin not found in the catalog: "nope"', False),
        ('singleton plugin cannot be reloaded: "token"', False),
        ('cannot fetch mount entry on "a/"', False),
        ('cannot reload plugin on "a/": plugin not found in the catalog: ext', True),
        ("error while validating the command path: lstat /x: no such file or directory", True),
        ("dial tcp 127.0.0.1:8200: connect: connection refused", None),
    ],
)
def test_what_a_refusal_has_done(words: str, changed: bool | None) -> None:
    answer = plugins_reload.reload_plugin(FakeClient(refused(words)), "ext", "local")
    assert answer.changed is changed


@pytest.mark.parametrize("status", [403, 404, 405, 429, 503])
def test_a_refusal_before_the_reload_has_done_nothing(status: int) -> None:
    answer = plugins_reload.reload_plugin(FakeClient(refused("no", status=status)), "ext", "local")
    assert answer.changed is False


def test_no_answer_is_unknown_and_not_sent_is_nothing() -> None:
    lost = plugins_reload.reload_plugin(
        FakeClient(NoAnswer("lost", next_step="look")), "ext", "local"
    )
    assert lost.changed is None
    assert "the outcome of the reload is unknown: lost" in str(lost.error)
    assert "look, then run the task again" in str(lost.error)
    unsent = plugins_reload.reload_plugin(FakeClient(NotSent("no route")), "ext", "local")
    assert unsent.changed is False


def test_a_message_stays_readable_with_many_failed_mounts() -> None:
    paths = [f"m{number}/" for number in range(500)]
    words = "".join(f'\t* cannot fetch mount entry on "{path}"\n' for path in paths)
    answer = plugins_reload.reload_mounts(FakeClient(refused(words)), paths, "local")
    assert len(answer.failed) == 500
    assert "cannot reload 500 of 500 mounts" in str(answer.error)
    assert len(str(answer.error)) < 500


@pytest.mark.parametrize(("vault", "cli"), [(False, "bao"), (True, "vault")])
def test_a_message_names_the_command_of_the_product(vault: bool, cli: str) -> None:
    client = FakeClient(refused('cannot fetch mount entry on "a/"'))
    client.vault = vault
    answer = plugins_reload.reload_mounts(client, ["a/"], "local")
    assert f'check the path in "{cli} secrets list" and "{cli} auth list"' in str(answer.error)
