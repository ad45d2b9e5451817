# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users meet with their tokens and logins on the real server; tasks run in this process."""

from __future__ import annotations

import base64
import hashlib
import hmac
import pathlib
import struct
import time
import typing as t
import urllib.parse

import pytest
import requests

from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.handwritten import Answer, handwritten_server
from ansible_collections.vaultops.vault.tests.support.logins import (
    Options,
    accessors,
    approle,
    userpass,
)
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import Server

# What a reload needs, in any namespace.
POLICY = """
path "+/sys/*" { capabilities = ["read", "update"] }
path "sys/*" { capabilities = ["read", "update"] }
"""
INVALID = "the server does not accept the token"
LOGIN: Options = {"auth_method": "userpass", "username": "bob", "password": "a-password"}


def reload(server: Server, variables: t.Mapping[str, str] | None = None, **options: t.Any) -> t.Any:
    """Run a task that reloads a builtin plugin; the token of root is not given."""
    given = {"url": server.url, "plugin": "kv", "token": None, **options}
    return run_task("plugin_reload", given, False, proxy="", token="", variables=variables or {})


def allow(server: Server, namespace: str = "") -> None:
    """Write the policy that all logins here get."""
    server.call("PUT", "sys/policies/acl/logins", {"policy": POLICY}, namespace=namespace)


def token(server: Server, **more: t.Any) -> str:
    """Return a new token with the policy."""
    body = {"policies": ["logins"], **more}
    return str(server.request("POST", "auth/token/create", body).json()["auth"]["client_token"])


def wrapped(server: Server, path: str, body: t.Any = None) -> str:
    """Return a wrapping token that holds the answer of ``path``."""
    headers = {"X-Vault-Token": server.token, "X-Vault-Wrap-TTL": "60s"}
    answer = requests.post(
        f"{server.url}/v1/{path}", json=body or {}, headers=headers, timeout=60
    ).json()
    return str(answer["wrap_info"]["token"])


def test_a_token_that_is_no_longer_valid(server: Server, subtests: pytest.Subtests) -> None:
    allow(server)
    used, revoked, short = token(server, num_uses=1), token(server), token(server, ttl="1s")
    batch = token(server, ttl="1s", type="batch")
    server.request("GET", "sys/mounts", token=used)
    server.call("POST", "auth/token/revoke", {"token": revoked})
    time.sleep(2)
    tokens = {"used up": used, "revoked": revoked, "expired": short, "expired batch": batch}
    for name, value in {**tokens, "of another server": "s.abcdefghijklmnop"}.items():
        with subtests.test(name):
            result = reload(server, token=value)
            assert result["failed"]
            assert f"{INVALID} (from the option token) (403 from" in result["msg"]
            assert "; it has expired, was revoked, has no uses left" in result["msg"]
            assert "ACL" not in result["msg"]
            assert value not in str(result)


NOT_THERE = {"type": "secret", "version": "v9.0.0"}
TASKS: dict[str, tuple[str, Options]] = {
    "a reload": ("plugin_reload", {"plugin": PLUGIN}),
    "a reload of what is not current": ("plugin_reload", {"mounts": ["a"], "state": "current"}),
    "a reload without a look": ("plugin_reload", {"plugin": PLUGIN, "verify": False}),
    "an upgrade": ("plugin_upgrade", {"plugin": PLUGIN, "version": "v1.1.0"}),
    "plugin_info": ("plugin_info", {"health": True, "builtin": True}),
    "an entry": ("plugin", {"name": "x", "command": "x", "sha256": "0" * 64, **NOT_THERE}),
    "no entry": ("plugin", {"name": PLUGIN, "state": "absent", **NOT_THERE}),
}


@pytest.fixture
def mounted(server: Server, external_plugin: ExternalPlugin) -> Server:
    """A server with a plugin in two versions, mounted twice."""
    allow(server)
    old, _new = external_plugin("v1.0.0"), external_plugin("v1.1.0")
    for path in ("a", "b"):
        server.mount(path, PLUGIN, version=old.version)
    return server


@pytest.mark.parametrize("check_mode", [False, True])
def test_no_task_takes_an_invalid_token_for_missing_rights(
    mounted: Server, check_mode: bool, subtests: pytest.Subtests
) -> None:
    """Less would be done, or predicted, and a warning about rights would lead astray."""
    for name, (operation, options) in TASKS.items():
        if check_mode and options.get("verify") is False:
            continue  # it asks nothing
        given = {"url": mounted.url, "token": "s.abcdefghijklmnop", **options}
        with subtests.test(name):
            result = run_task(operation, given, check_mode, proxy="", token="")
            assert result["failed"], result
            assert not result.get("changed")
            assert f"{INVALID} (from the option token)" in result["msg"]
            assert not any(part in str(result) for part in ("rights", "state=reloaded", "ACL"))


@pytest.mark.parametrize("task", ["a reload", "an upgrade", "plugin_info"])
def test_a_token_that_is_used_up_on_the_way(
    mounted: Server, task: str, subtests: pytest.Subtests
) -> None:
    """Wherever it ends: all was done and verified, or the result says that the token ended."""
    operation, options = TASKS[task]
    outcomes: list[bool] = []
    for uses in range(1, 25):
        if outcomes[-2:] == [True, True]:
            break
        mounted.tune_version("a", "v1.0.0")
        mounted.tune_version("b", "v1.0.0")
        mounted.call("PUT", "sys/plugins/reload/backend", {"plugin": PLUGIN})
        given = {"url": mounted.url, "token": token(mounted, num_uses=uses), **options}
        with subtests.test(uses=uses):
            result = run_task(operation, given, False, proxy="", token="")
            rows = [row for row in result.get("mounts", ()) if row.get("error")]
            told = " | ".join([result.get("msg", ""), *result["warnings"], *map(str, rows)])
            whole = not (result.get("failed") or told)
            outcomes.append(whole)
            # The second is the server's word while it revokes a token after its last use.
            assert whole or INVALID in told or "internal error" in told, result
            assert "rights" not in told
            assert "ACL" not in told
            assert whole == (result.get("verified", whole) is True)
    assert set(outcomes) == {True, False}


def test_a_token_that_ends_before_a_registration(mounted: Server) -> None:
    operation, options = TASKS["an entry"]
    everything = 'path "*" { capabilities = ["create", "read", "update", "list", "sudo"] }'
    mounted.call("PUT", "sys/policies/acl/everything", {"policy": everything})
    told = []
    for uses in range(1, 7):
        limited = token(mounted, policies=["everything"], num_uses=uses)
        given = {"url": mounted.url, "token": limited, **options}
        result = run_task(operation, given, False, proxy="", token="")
        told.append(result["msg"])
        assert ("permission denied" in result["msg"]) is (INVALID in result["msg"])
        assert result["changed"] is False
    assert any('cannot register secret plugin "x"' in each and INVALID in each for each in told)


def test_a_token_that_may_not_names_its_source(server: Server, tmp_path: pathlib.Path) -> None:
    bare = token(server, policies=["default"])
    (tmp_path / "a-file").write_text(f"{bare}\r\n")
    sources = {
        "from the option token": reload(server, token=bare),
        "from the variable BAO_TOKEN": reload(server, {"BAO_TOKEN": bare}),
        "from the variable VAULT_TOKEN": reload(server, {"VAULT_TOKEN": bare}),
        f'from the file "{tmp_path}/a-file"': reload(server, token_path=str(tmp_path / "a-file")),
    }
    for source, result in sources.items():
        assert f"check that the token ({source}) is valid and has the ACL" in result["msg"]
        assert INVALID not in result["msg"]


def test_handwritten_plugin_that_denies_is_not_taken_for_an_invalid_token() -> None:
    # The words of a plugin's own refusal are those for a token that is not valid.
    answers = {
        "POST /v1/sys/plugins/reload": Answer(403, {"errors": ["permission denied"]}),
        "GET /v1/auth/token/lookup-self": Answer(
            200, {"request_id": "an-id", "data": {"id": "a-token"}}
        ),
    }
    with handwritten_server(answers) as fake:
        options = {"url": fake.url, "plugin": "kv", "verify": False, "token": "a-token"}
        result = run_task("plugin_reload", options, False, proxy="", token="")
    assert INVALID not in result["msg"]
    assert "has the ACL capability" in result["msg"]


@pytest.mark.parametrize(
    "kind",
    [
        {"type": "batch", "ttl": "60s"},
        {"period": "1h"},
        {"no_parent": True},
        {"num_uses": 9},
        {"explicit_max_ttl": "1h"},
    ],
    ids=lambda kind: next(iter(kind)),
)
def test_a_token_of_each_kind(server: Server, kind: dict[str, t.Any]) -> None:
    allow(server)
    result = reload(server, token=token(server, **kind))
    assert result["verified"] is True, result
    assert result["warnings"] == []


def test_a_token_with_a_line_break(server: Server, tmp_path: pathlib.Path) -> None:
    allow(server)
    value = token(server)
    (tmp_path / ".vault-token").write_text(f"\n{value}\r\n\n")
    for result in (
        reload(server, token_path=str(tmp_path)),
        reload(server, {"BAO_TOKEN": f"{value}\n"}),
        reload(server, token=f" {value}\r\n"),
    ):
        assert result["verified"] is True, result


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_a_login_in_another_namespace(server: Server, subtests: pytest.Subtests) -> None:
    # As HCP has it: all that a user sees is below the namespace admin.
    server.call("POST", "sys/namespaces/admin")
    server.call("POST", "sys/namespaces/team", namespace="admin")
    server.mount("kv", "kv", namespace="admin/team")
    allow(server, namespace="admin")
    server.call("PUT", "sys/policies/acl/logins", {"policy": POLICY.replace("+/", "+/+/")})
    there, root = userpass(server, namespace="admin"), userpass(server)
    work: Options = {"namespace": "admin/team"}
    before = accessors(server)
    for mode in ("auto", "login", "inline"):
        with subtests.test(mode):
            result = reload(server, **there, **work, auth_namespace="/admin/", auth_mode=mode)
            assert [mount["path"] for mount in result["mounts"]] == ["kv/"]
            assert result["verified"] is True
        with subtests.test(f"{mode}, root"):
            result = reload(server, **root, **work, auth_namespace="", auth_mode=mode)
            assert result["verified"] is True, result
    assert accessors(server) == before
    with subtests.test("not there"):
        result = reload(server, **there, **work, auth_mode="login")
        where = 'the login goes to "auth/userpass/login/bob" in namespace "admin/team"'
        assert where in result["msg"]
    with subtests.test("not there, but in root"):
        gone = {**LOGIN, "username": "nobody", "auth_namespace": ""}
        for mode in ("login", "inline"):
            result = reload(server, **gone, **work, auth_mode=mode)
            where = 'the login goes to "auth/userpass/login/nobody" in the root namespace (auth_n'
            assert where in result["msg"]
    with subtests.test("admin alone"):
        server.mount("kv", "kv", namespace="admin")
        assert reload(server, **there, namespace="admin")["verified"] is True


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_a_namespace_that_is_not_there_names_its_source(
    server: Server, subtests: pytest.Subtests
) -> None:
    login = userpass(server)
    wrapping = wrapped(server, "sys/wrapping/wrap", {"password": "x"})
    for mode in ("auto", "login", "inline"):
        for name, options, variables in (
            ("from the option auth_namespace", {"auth_namespace": "nope"}, {}),
            ("from the option namespace", {"namespace": "nope"}, {}),
            ("from the variable BAO_NAMESPACE", {}, {"BAO_NAMESPACE": "nope"}),
        ):
            with subtests.test(f"{mode}, {name}"):
                given: Options = {**login, **options}
                result = reload(server, variables, **given, auth_mode=mode)
                # The server refuses the namespace of the work first, where it takes both at once.
                assert f'namespace "nope" ({name})' in result["msg"]
                assert "retried" not in " ".join(result["warnings"])
    with subtests.test("unwrapping"):
        given = {**login, "password": None, "wrapping_token": wrapping, "auth_namespace": "nope"}
        result = reload(server, **given, wrapping_path="sys/wrapping/wrap")
        assert 'check namespace "nope" (from the option auth_namespace)' in result["msg"]


def test_what_only_a_login_takes_may_be_a_default_of_all_tasks(server: Server) -> None:
    """A play logs in once, and works with the token: it names no other namespace by that."""
    defaults: Options = {"auth_namespace": "team", "mfa_passcode": "123456"}
    if server.product == "Vault":
        del defaults["auth_namespace"]  # Community would ignore it, and says so
    result = reload(server, token=server.token, **defaults)
    assert result["verified"] is True, result


def test_no_token_of_an_agent(server: Server) -> None:
    result = reload(server, auth_method="none")
    assert "check that the token that the agent adds is valid and has the ACL" in result["msg"]


def test_a_mount_point_that_a_header_carries_in_utf_8(server: Server) -> None:
    login = {**userpass(server, "u%C3%A4"), "mount_point": "u\u00e4"}
    allow(server)
    for mode in ("inline", "login", "auto"):
        result = reload(server, **login, auth_mode=mode)
        if mode == "inline" and server.product == "Vault":
            assert "has no inline authentication" in result["msg"]
        else:
            assert result["verified"] is True, result


def test_a_mount_point_that_no_header_can_carry(server: Server) -> None:
    login = {**userpass(server), "mount_point": "u\u200b"}
    inline = reload(server, **login, auth_mode="inline")
    told = "mount_point contains characters that no HTTP header can carry; set auth_mode to login"
    if server.product == "OpenBao":
        assert inline["msg"].startswith(told)
    else:
        assert "has no inline authentication" in inline["msg"]
    # In a login of its own, it is a part of the address.
    assert "/v1/auth/u%E2%80%8B/login/bob" in reload(server, **login)["msg"]


@pytest.mark.vault_only("OpenBao has namespaces")
def test_a_vault_without_namespaces_says_so(server: Server) -> None:
    result = reload(server, **LOGIN, auth_namespace="admin")
    assert 'the server ignores auth_namespace "admin"' in result["msg"]


def test_a_wrapped_secret(server: Server, subtests: pytest.Subtests) -> None:
    allow(server)
    role = approle(server)
    machine = {"auth_method": "approle", "role_id": role["role_id"]}
    wraps, creates = "sys/wrapping/wrap", "auth/token/create"
    (name,) = server.call("LIST", "auth/approle/role")["keys"]
    secret_id = f"auth/approle/role/{name}/secret-id"
    before = accessors(server)

    def fresh() -> str:
        return wrapped(server, secret_id)

    with subtests.test("secret_id"):
        value = fresh()
        assert reload(server, **machine, wrapping_token=value)["verified"] is True
        again = reload(server, **machine, wrapping_token=value)
        assert "it was used before, or has expired: if nobody of yours used it" in again["msg"]
        assert value not in str(again)
    with subtests.test("token"):
        value = wrapped(server, creates, {"policies": ["logins"]})
        assert reload(server, wrapping_token=f"{value}\n")["verified"] is True
    with subtests.test("password"):
        person = userpass(server)
        del person["password"]
        value = wrapped(server, wraps, {"password": "a-password"})
        result = reload(server, **person, wrapping_token=value, wrapping_path=wraps)
        assert result["verified"] is True, result
    with subtests.test("another path"):
        value = fresh()
        result = reload(server, **machine, wrapping_token=value, wrapping_path=creates)
        assert f'was made by "{secret_id}", not by {creates}; it was not unwrapped' in result["msg"]
        assert reload(server, **machine, wrapping_token=value)["verified"] is True
    with subtests.test("something that anyone may wrap"):
        value = wrapped(server, wraps, {"secret_id": "canary"})
        result = reload(server, **machine, wrapping_token=value)
        assert f'was made by "{wraps}", not by auth/approle/role/*/secret-id' in result["msg"]
        result = reload(server, wrapping_token=value, wrapping_path=wraps)
        assert "wrapping_token held no token, and is used up now" in result["msg"]
        assert "canary" not in str(result)
    with subtests.test("a token that anyone may wrap"):
        mine = token(server)
        value = wrapped(server, wraps, {"token": mine})
        result = reload(server, wrapping_token=value, wrapping_path=wraps)
        assert result["verified"] is True, result
        assert mine not in str(result)
        # It was not made for the task, which leaves it.
        server.call("POST", "auth/token/revoke", {"token": mine})
    with subtests.test("what does not go together"):
        both = reload(server, **role, wrapping_token="a-token")
        assert "there are both wrapping_token and secret_id" in both["msg"]
        alone = reload(server, **machine, wrapping_path=wraps)
        assert "wrapping_path is alone" in alone["msg"]
        unknown = reload(server, auth_method="jwt", wrapping_token="a-token")
        assert "wrapping_token needs wrapping_path" in unknown["msg"]
        none = reload(server, auth_method="none", wrapping_token="a-token")
        assert "auth_method none does not take wrapping_token" in none["msg"]
    assert accessors(server) == before


def totp(url: str) -> str:
    """Return the passcode of now for an otpauth:// address."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    secret = query["secret"][0]
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    turn = struct.pack(">Q", int(time.time()) // int(query["period"][0]))
    digest = hmac.new(key, turn, getattr(hashlib, query["algorithm"][0].lower())).digest()
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    digits = int(query["digits"][0])
    return str((number & 0x7FFFFFFF) % 10**digits).zfill(digits)


def test_names_of_another_collection(server: Server) -> None:
    allow(server)
    role = approle(server, "machines")
    there = {
        "auth_method": "approle",
        "approle_role_id": role["role_id"],
        "approle_secret_id": role["secret_id"],
        "vault_approle_path": "machines",
        "vault_address": server.url,
        "url": None,
    }
    assert reload(server, **there)["verified"] is True


def test_a_second_factor(server: Server, subtests: pytest.Subtests) -> None:
    allow(server)
    person = userpass(server)
    accessor = server.call("GET", "sys/auth")["userpass/"]["accessor"]
    method = server.call("POST", "identity/mfa/method/totp", {"issuer": "us"})["method_id"]
    enforced = {"mfa_method_ids": [method], "auth_method_accessors": [accessor]}
    server.call("POST", "identity/mfa/login-enforcement/people", enforced)
    entity = server.call("POST", "identity/entity", {"name": "bob"})["id"]
    alias = {"name": "bob", "canonical_id": entity, "mount_accessor": accessor}
    server.call("POST", "identity/entity-alias", alias)
    asked = {"method_id": method, "entity_id": entity}
    url = server.call("POST", "identity/mfa/method/totp/admin-generate", asked)["url"]
    before = accessors(server)
    for mode in ("auto", "login"):
        with subtests.test(mode):
            result = reload(server, **person, auth_mode=mode)
            needs = 'needs a second factor (MFA): enforcement "people" asks for totp'
            assert needs in result["msg"]
            assert "give mfa_passcode, or exempt this login" in result["msg"]
            assert result["warnings"] == []
    if server.product == "OpenBao":
        with subtests.test("inline"):
            result = reload(server, **person, auth_mode="inline")
            assert "leave auth_mode out, or set it to login" in result["msg"]
    with subtests.test("a wrong passcode"):
        result = reload(server, **person, mfa_passcode="canary")
        assert "failed at its second factor (MFA)" in result["msg"]
        assert "check mfa_passcode" in result["msg"]
        assert "canary" not in str(result)
    with subtests.test("the right passcode"):
        result = reload(server, **person, mfa_passcode=totp(url))
        assert result["verified"] is True, result
        assert result["warnings"] == []
    assert accessors(server) == before
