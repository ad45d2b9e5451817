# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer in the server's own form may be that to another request, or say another thing."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api import plugins_reload
from ansible_collections.vaultops.vault.plugins.module_utils._api.lists import list_keys
from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import (
    Mount,
    list_mounts,
    read_mounts,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import Health
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
    read_registration,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    NOTHING_KNOWN,
    ReloadAnswer,
)
from ansible_collections.vaultops.vault.plugins.module_utils._auth import second_factor
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import Expectation
from ansible_collections.vaultops.vault.plugins.module_utils._errors import NoAnswer, Refused
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection
from ansible_collections.vaultops.vault.plugins.module_utils._reload.mount_results import (
    evaluate,
    unverified_reason,
)

Data = dict[str, t.Any]
ENTRY = CatalogEntry("secret", "ext", "v1.0.0", "a" * 64, builtin=False)


class FakeClient(VaultClient):
    """Answers a read with what ``data`` has for its path, and refuses a write in ``words``."""

    def __init__(self, data: dict[str, Data] | None = None, words: str = "") -> None:
        super().__init__(Connection("http://fake"))
        self.data = data or {}
        self.words = words

    def request(self, method: str, path: str, *_more: t.Any, **_named: t.Any) -> Answer:
        if method == "POST":
            raise Refused(self.words, status=400, errors=[self.words])
        health = {"initialized": True, "sealed": False, "standby": False, "version": "2.7.2"}
        return Answer(200, {**health, "request_id": "1", "data": self.data.get(path)}, path)


def row(plugin: str, accessor: str = "") -> Data:
    """Return a row of the mounts."""
    return {"type": plugin, "accessor": accessor or f"{plugin}_1"}


@pytest.mark.parametrize(
    ("kind", "path", "listing"),
    [
        ("secret", "sys/mounts", {"token/": row("token")}),
        ("auth", "sys/auth", {"sys/": row("system"), "kv/": row("kv")}),
        ("secret", "sys/mounts", {}),
    ],
)
def test_a_list_of_other_mounts(kind: str, path: str, listing: Data) -> None:
    with pytest.raises(NoAnswer, match="the answer has no mount of type"):
        list_mounts(FakeClient({path: listing}), (kind,))


@pytest.mark.parametrize("keys", [None, []])
def test_a_list_without_keys(keys: list[str] | None) -> None:
    with pytest.raises(NoAnswer, match="the answer lists nothing"):
        list_keys(FakeClient({"sys/namespaces": {"keys": keys}}), "sys/namespaces")


def test_the_list_of_a_namespace() -> None:
    data = {"sys/mounts": {"sys/": row("ns_system")}, "sys/auth": {"token/": row("ns_token")}}
    assert set(list_mounts(FakeClient(data))) == {"sys/", "auth/token/"}


def test_the_row_of_another_mount() -> None:
    same = row("kv")
    client = FakeClient({"sys/mounts/a": same, "sys/mounts/b": same, "sys/mounts/c": row("x")})
    with pytest.raises(NoAnswer, match='the answers for mount "a/" are about another mount'):
        read_mounts(client, ["a/", "b/", "c/"])
    assert set(read_mounts(client, ["b/", "c/"])) == {"b/", "c/"}


@pytest.mark.parametrize(("name", "version"), [("other", "v1.0.0"), ("ext", "v1.1.0"), ("ext", "")])
def test_the_row_of_another_entry(name: str, version: str) -> None:
    client = FakeClient({"sys/plugins/catalog/secret/ext": {"name": name, "version": version}})
    with pytest.raises(NoAnswer, match="the answer is about secret plugin"):
        read_registration(client, ENTRY)


@pytest.mark.parametrize(
    ("words", "is_lost"),
    [
        ("error while validating the command path: lstat /p/ext: no such file or directory", True),
        ("internal error", False),
        ("local node not active but active cluster node not found", False),
    ],
)
def test_an_entry_that_cannot_be_read_has_lost_its_file_only_by_these_words(
    monkeypatch: pytest.MonkeyPatch, words: str, is_lost: bool
) -> None:
    client = FakeClient()

    def refuse(*_args: t.Any, **_more: t.Any) -> Answer:
        raise Refused(words, status=500, errors=[words])

    monkeypatch.setattr(client, "request", refuse)
    if is_lost:
        assert read_registration(client, ENTRY).failure == words
    else:
        with pytest.raises(Refused, match=words):
            read_registration(client, ENTRY)


def test_the_refusal_of_another_reload() -> None:
    words = 'cannot reload plugin on "other/": it exits'
    answer = plugins_reload.reload_mounts(FakeClient(words=words), ["a/"], "local")
    assert (answer.changed, answer.lost, answer.failed) == (None, True, {})
    assert "the outcome of the reload is unknown: the answer is about other" in str(answer.error)


def test_the_refusal_of_a_mount_whose_path_has_quotes() -> None:
    # As Go's %q has it.
    words = r'cannot reload plugin on "a\"b\\c/": it exits'
    answer = plugins_reload.reload_mounts(FakeClient(words=words), ['a"b\\c/'], "local")
    assert list(answer.failed) == ['a"b\\c/']


def mount(accessor: str = "ext_1", version: str = "v1.0.0", plugin: str = "ext") -> Mount:
    """Return a mount that runs a version."""
    return Mount("ext/", "secret", plugin, accessor, version, version, ENTRY.sha256)


@pytest.mark.parametrize("plugin", ["ext", "other"])
def test_a_mount_that_was_disabled_and_enabled_meanwhile(plugin: str) -> None:
    done = ReloadAnswer(changed=True, others=True)
    result = evaluate(done, mount(), mount("ext_2", plugin=plugin), Health(True))
    assert result.reloaded is True
    reason = unverified_reason(result, Expectation(ENTRY))
    other = 'mount "ext/" runs plugin "other", before "ext": it was disabled and enabled meanwhile'
    assert reason == (None if plugin == "ext" else other)
    # That it runs something else is not the reload's doing.
    result = evaluate(NOTHING_KNOWN, mount(), mount("ext_2", "v1.1.0"), Health(True))
    assert result.reloaded is None


def test_a_file_that_is_not_told_any_more_is_no_reload() -> None:
    """OpenBao 2.6 takes it away from a mount that a failed reload has stopped."""
    stopped = evaluate(
        NOTHING_KNOWN, mount(), mount()._replace(running_sha256=""), Health(None, "no answer")
    )
    assert stopped.reloaded is None
    builtin = mount()._replace(running_version="v1.0.0+builtin", running_sha256="")
    for after in (mount()._replace(running_sha256="e" * 64), builtin):
        assert evaluate(NOTHING_KNOWN, mount(), after, Health(True)).reloaded is True


def test_the_answer_to_a_login_without_a_token() -> None:
    with pytest.raises(NoAnswer, match="the answer has no token"):
        second_factor.validation("approle", Answer(200, {"auth": {}}, "POST"), None)
