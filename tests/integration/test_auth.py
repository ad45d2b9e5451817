# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication against the real server: each method and mode, and what is left behind."""

from __future__ import annotations

import base64
import contextlib
import json
import pathlib
import re
import typing as t

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ansible_collections.vaultops.vault.tests.support.ansible_runs import (
    REPOSITORY,
    Ansible,
    Cases,
)
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.handwritten import Answer, handwritten_server
from ansible_collections.vaultops.vault.tests.support.logins import (
    Options,
    accessors,
    allow,
    approle,
    certificate,
    kubernetes,
    lookup,
    signed_jwt,
    userpass,
)
from ansible_collections.vaultops.vault.tests.support.proxy import by_rounds, counting_proxy
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import Server

MODULE = "vaultops.vault.plugin_reload"
LOGIN = "vaultops.vault.login"
POST = "POST sys/plugins/reload/backend"
HEALTH = "GET sys/health"
LOOKS = ["GET sys/mounts", "GET sys/auth", "GET sys/plugins/catalog"]
REVOKE = "POST auth/token/revoke-self"


def reload(options: Options, /, **more: t.Any) -> dict[str, t.Any]:
    """Return a task that reloads a builtin plugin, whose mount is not asked for an answer."""
    environment = more.pop("environment", {})
    return {
        MODULE: {"plugin": "kv", **options, **more},
        # The token of root must not help.
        "environment": {"BAO_TOKEN": "", **environment},
    }


def assert_all_verified(cases: Cases, subtests: pytest.Subtests) -> None:
    """Each case could look, reload and look again."""
    for name, result in cases.results.items():
        with subtests.test(name):
            assert not result.failed, result.message
            assert result["changed"] is True
            assert result["verified"] is True


def test_each_method_in_each_mode(
    tls_server: Server, tmp_path: pathlib.Path, subtests: pytest.Subtests
) -> None:
    allow(tls_server)
    pair = certificate(tls_server, tmp_path)
    files = {
        "client_cert": pair["cert_auth_public_key"],
        "client_key": pair["cert_auth_private_key"],
    }
    with kubernetes(tls_server) as (pod, cluster):
        methods = {
            "userpass": userpass(tls_server),
            "approle": approle(tls_server),
            "jwt": signed_jwt(tls_server),
            "kubernetes": pod,
            "cert": pair,
        }
        before = accessors(tls_server)
        modes = {
            f"{name} {mode}": reload(options, auth_mode=mode)
            for name, options in methods.items()
            for mode in (("login", "inline") if tls_server.product == "OpenBao" else ("login",))
        }
        connection = {"auth_method": "cert", **files, "role_id": "hosts"}
        cases = Ansible(tmp_path, tls_server).cases(
            {**modes, "cert by the connection": reload(connection)}
        )
    assert_all_verified(cases, subtests)
    assert "WARNING" not in cases.run.output
    assert accessors(tls_server) == before
    assert all(seen.headers["Authorization"] == "Bearer a-reviewer" for seen in cluster.seen)
    assert {seen.body["spec"]["token"] for seen in cluster.seen} == {pod["jwt"]}


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_spellings_mounts_and_namespaces(
    server: Server, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    allow(server)
    server.call("POST", "sys/namespaces/team")
    server.mount("kv", "kv", namespace="team")
    allow(server, namespace="team")
    role = approle(server, "machines")
    ids = {"auth_method": "approle", "mount_point": "machines/"}
    there = {"namespace": "team", **userpass(server, "people", namespace="team")}
    named = {**ids, "approle_role_id": role["role_id"], "approle_secret_id": role["secret_id"]}
    variables = {"VAULT_APPROLE_ROLE_ID": "no", "VAULT_APPROLE_SECRET_ID": role["secret_id"]}
    cases = ansible.cases(
        {
            "aliases": reload(named),
            "variables": reload(
                ids, environment={**variables, "BAO_APPROLE_ROLE_ID": role["role_id"]}
            ),
            "namespace inline": reload(there, mount_point="people", auth_mode="inline"),
            "namespace login": reload(there, mount_point="people", auth_mode="login"),
        }
    )
    assert_all_verified(cases, subtests)


class Way(t.NamedTuple):
    """A task's options, and the requests that they lead to; ``strips`` as in Proxy."""

    options: Options
    requests: list[str]
    strips: tuple[str, ...] = ()


@pytest.mark.openbao_only("inline authentication is OpenBao's")
def test_the_requests_of_each_mode(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, subtests: pytest.Subtests
) -> None:
    allow(server)
    external_plugin()
    server.mount("ext", PLUGIN)
    user, role = userpass(server), approle(server)
    limited = {**userpass(server, "few", token_num_uses=9), "mount_point": "few"}
    ext = ["GET sys/mounts/ext"]
    login, secret_login = "POST auth/userpass/login/bob", "POST auth/approle/login"
    ways = {
        "login": Way(
            {**user, "auth_mode": "login"}, [login, *LOOKS, POST, "GET sys/mounts/secret", REVOKE]
        ),
        "inline": Way(
            {**user, "auth_mode": "inline"}, [HEALTH, *LOOKS, POST, "GET sys/mounts/secret"]
        ),
        "auto": Way(user, [HEALTH, *LOOKS, POST, "GET sys/mounts/secret"]),
        "auto, the bare request": Way({**user, "verify": False}, [HEALTH, POST]),
        "auto, secret IDs may be counted": Way(
            role, [secret_login, *LOOKS, POST, "GET sys/mounts/secret", REVOKE]
        ),
        "auto, path help knows tokens only": Way(
            {**user, "plugin": PLUGIN},
            [HEALTH, *LOOKS, POST, *ext, "GET ext?help=1", login, "GET ext?help=1", REVOKE],
        ),
        "auto, a question that is a read": Way(
            {**user, "plugin": PLUGIN, "probe": "info"},
            [HEALTH, *LOOKS, POST, *ext, "GET ext/info"],
        ),
        "auto, a server without inline": Way(
            user,
            [HEALTH, LOOKS[0], login, *LOOKS, POST, "GET sys/mounts/secret", REVOKE],
            ("X-Vault-Inline",),
        ),
        "auto, a server without inline, the bare request": Way(
            {**user, "verify": False}, [HEALTH, POST, login, POST, REVOKE], ("X-Vault-Inline",)
        ),
        "auto, tokens of few uses": Way(
            {**limited, "retries": 0},
            [
                HEALTH,
                LOOKS[0],
                login.replace("userpass", "few"),
                *LOOKS,
                POST,
                "GET sys/mounts/secret",
                REVOKE,
            ],
        ),
    }
    before = accessors(server)
    with contextlib.ExitStack() as stack:
        proxies = {name: stack.enter_context(counting_proxy()) for name in ways}
        for name, way in ways.items():
            proxies[name].strips = way.strips
        cases = ansible.cases(
            {
                name: reload(way.options, environment=proxies[name].environment)
                for name, way in ways.items()
            }
        )
    for name, way in ways.items():
        with subtests.test(name):
            assert not cases.results[name].failed, cases.results[name].message
            seen = [line.partition("?standbycode=")[0] for line in proxies[name].seen]
            assert by_rounds(seen) == by_rounds(way.requests)
            assert cases.results[name]["verified"] is way.options.get("verify", True)
    assert "WARNING" not in cases.run.output
    assert accessors(server) == before


@pytest.mark.openbao_only("inline authentication is OpenBao's")
def test_inline_cannot_ask_for_path_help(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    allow(server)
    external_plugin()
    server.mount("ext", PLUGIN)
    before = server.info("ext")["pid"]
    task = reload({**userpass(server), "auth_mode": "inline"}, plugin=PLUGIN)
    result = ansible.cases({"inline": task}).results["inline"]
    assert result["changed"] is True
    assert result["verified"] is False
    (warning,) = result["warnings"]
    assert "path help needs a token, give a path as probe or auth_mode=login" in warning
    assert server.info("ext")["pid"] != before


def test_handwritten_server_that_hides_what_it_is(tmp_path: pathlib.Path) -> None:
    # https://developer.hashicorp.com/vault/api-docs/auth/userpass#login, and auth/token there.
    # sys/health is closed, as by a proxy, and any refusal of the reload will do.
    answers = {
        "POST /v1/auth/userpass/login/me": Answer(200, {"auth": {"client_token": "a-token"}}),
        "POST /v1/sys/plugins/reload": Answer(400, {"errors": ["missing client token"]}),
        "POST /v1/auth/token/revoke-self": Answer(204),
    }
    me = {"auth_method": "userpass", "username": "me", "password": "a-password"}
    with handwritten_server(answers) as vault:
        Ansible(tmp_path).cases({"reload": reload(me, verify=False)}, BAO_ADDR=vault.url)
    lines = [
        f"{seen.method} {seen.path.removeprefix('/v1/').partition('?')[0]}" for seen in vault.seen
    ]
    # A server that does not say what it is gets no credentials in headers.
    assert lines == [HEALTH, "POST auth/userpass/login/me", POST, HEALTH, REVOKE]
    assert not any("Inline" in name for seen in vault.seen for name in seen.headers)
    tokens = [seen.headers.get("X-Vault-Token") for seen in vault.seen]
    assert tokens == [None, None, "a-token", None, "a-token"]


@pytest.mark.openbao_only("inline authentication is OpenBao's")
def test_what_cannot_log_in(server: Server, ansible: Ansible, subtests: pytest.Subtests) -> None:
    allow(server)
    user, role = userpass(server), approle(server)
    wrong = {**user, "password": "a-wrong-one"}
    person = "cannot log in by userpass: invalid username or password (400 from "
    nowhere = 'check the options of auth_method userpass, and mount_point: the login goes to "auth/'
    cases = {
        "login": (reload(wrong, auth_mode="login"), person),
        "inline": (reload(wrong, auth_mode="inline"), person),
        "auto": (reload(wrong), person),
        "the bare request": (reload(wrong, verify=False), person),
        "no such mount": (reload(user, mount_point="nope"), f"{nowhere}nope/login/bob"),
        "no such mount, login": (
            reload(user, mount_point="nope", auth_mode="login"),
            f"{nowhere}nope/login/bob",
        ),
        "approle": (
            reload(role, secret_id="a-wrong-one"),
            "cannot log in by approle: invalid role or secret ID",
        ),
        "inline, a server without": (
            reload(user, auth_mode="inline"),
            "a server without inline authentication refuses too: then set auth_mode to login",
        ),
        "missing and surplus": (
            reload({"auth_method": "approle", "password": "x-y-z", "jwt": "x-y-z"}),
            (
                "auth_method approle needs role_id, and does not take jwt and password; "
                "give role_id, leave jwt and password out, or choose another auth_method"
            ),
        ),
    }
    before = accessors(server)
    with counting_proxy() as old, counting_proxy() as unused:
        old.strips = ("X-Vault-Inline",)
        cases["inline, a server without"][0]["environment"].update(old.environment)
        cases["missing and surplus"][0]["environment"].update(unused.environment)
        done = ansible.cases({name: task for name, (task, _message) in cases.items()})
    for name, (_task, message) in cases.items():
        with subtests.test(name):
            result = done.results[name]
            assert result.failed
            assert message in result.message
            assert result["changed"] is False
    assert unused.seen == []
    assert "a-wrong-one" not in done.run.output
    assert accessors(server) == before


@pytest.mark.parametrize("mode", ["login", "inline"])
def test_wrong_credentials_are_tried_once(server: Server, mode: str) -> None:
    """The server counts refusals, and locks a user who has too many: none goes beside the first."""
    if mode == "inline" and server.product != "OpenBao":
        mode = "auto"
    options = {**userpass(server), "password": "a-wrong-one", "auth_mode": mode}
    with counting_proxy() as proxy:
        task = {"url": server.url, "plugin": "kv", **options}
        result = run_task("plugin_reload", task, False, proxy=proxy.url, token="")
    assert result["failed"]
    tried = [line for line in proxy.seen if "sys/health" not in line]
    assert len(tried) == 1


def test_what_becomes_of_the_token(server: Server, ansible: Ansible) -> None:
    allow(server)
    plain, batch = approle(server), approle(server, "batch", token_type="batch")
    few = approle(server, "few", token_num_uses=5 if server.product == "OpenBao" else 6)
    bare = approle(server, "bare", token_no_default_policy=True)
    before = accessors(server)

    taken_back = ansible.cases(
        {
            "success": reload(plain),
            "failure": reload(plain, plugin="nope"),
            "check mode": {**reload(plain), "check_mode": True},
            "a batch token": reload(batch, mount_point="batch"),
            "a token that is used up": reload(few, mount_point="few"),
        }
    )
    assert [result.status for result in taken_back.results.values()] == [
        "ok",
        "failed",
        "ok",
        "ok",
        "ok",
    ]
    assert "WARNING" not in taken_back.run.output
    assert accessors(server) == before

    left = ansible.cases(
        {
            "kept": reload(plain, keep_token=True),
            "not allowed to go": reload(bare, mount_point="bare"),
        }
    )
    assert not any(result.failed for result in left.results.values())
    assert left.run.output.count("WARNING") == 1
    alive = accessors(server) - before
    (warning,) = left.results["not allowed to go"]["warnings"]
    named = re.match(r"the token that the login made \(accessor (.+)\) is not revoked: ", warning)
    assert named
    assert named[1] in alive
    assert {lookup(server, accessor)["path"] for accessor in alive} == {
        "auth/approle/login",
        "auth/bare/login",
    }


def test_one_login_for_many_tasks(server: Server, tmp_path: pathlib.Path) -> None:
    allow(server)
    person = userpass(server)
    token = "{{ vault.login.client_token }}"
    told = tmp_path / "token"
    before = accessors(server)
    run = Ansible(tmp_path).playbook(
        {"name": "check mode", LOGIN: person, "check_mode": True},
        {"name": "login", LOGIN: person, "register": "vault", "no_log": True},
        {
            "name": "tell",
            "ansible.builtin.copy": {"content": "{{ vault.login }}", "dest": str(told)},
            "no_log": True,
        },
        {
            "module_defaults": {"group/vaultops.vault.vault": {"token": token}},
            "block": [
                {"name": "reload", MODULE: {"plugin": "kv"}},
                {"name": "would revoke", LOGIN: {"state": "revoked"}, "check_mode": True},
                {"name": "revoke", LOGIN: {"state": "revoked"}},
                {"name": "is revoked", LOGIN: {"state": "revoked"}, "check_mode": True},
                {"name": "revoke again", LOGIN: {"state": "revoked", **person}},
                {"name": "reload no more", MODULE: {"plugin": "kv"}, "ignore_errors": True},
            ],
        },
        {"name": "no login", LOGIN: {"token": "a-token"}, "ignore_errors": True},
        {"name": "wrong", LOGIN: {**person, "password": "a-wrong-one"}, "ignore_errors": True},
        options=["-vvv"],
        BAO_ADDR=server.url,
    )
    results = {task.name: task for task in run.tasks}
    made = json.loads(told.read_text())
    changed = {name: task.result.get("changed") for name, task in results.items()}
    del changed["login"], changed["tell"]
    assert changed == {
        "check mode": True,
        "reload": True,
        "would revoke": True,
        "revoke": True,
        "is revoked": False,
        "revoke again": False,
        "reload no more": False,
        "no login": False,
        "wrong": False,
    }
    assert results["check mode"]["login"] is None
    assert made["policies"] == ["default", "logins"]
    assert made["metadata"] == {"username": "bob"}
    assert made["lease_duration"] > 0
    assert made["accessor"] not in before
    assert accessors(server) == before
    assert "auth_method token has no login; choose" in results["no login"].message
    assert "cannot log in by userpass: invalid username or" in results["wrong"].message
    assert made["client_token"] not in run.output
    assert "a-password" not in run.output


@pytest.mark.parametrize("in_process", ["true", "false"])
def test_the_token_is_masked_only_where_it_is_no_result(
    server: Server, ansible: Ansible, in_process: str
) -> None:
    allow(server)
    role = approle(server)
    front = {"ANSIBLE_VAULTOPS_IN_PROCESS": in_process}
    run = ansible.playbook({"name": "Log in", LOGIN: role}, **front)
    token = run.result["login"]["client_token"]
    assert server.call("GET", "auth/token/lookup-self", token=token)["id"] == token
    assert role["secret_id"] not in run.output

    rules = (REPOSITORY / "docs/policies/login-revoked.hcl").read_text(encoding="utf-8")
    bare = server.request(
        "POST", "auth/token/create", {"policies": ["logins"], "no_default_policy": True}
    ).json()["auth"]["client_token"]
    done = ansible.cases(
        {
            "may not": {LOGIN: {"state": "revoked", "token": bare}},
            "may, by the documented policy": {
                LOGIN: {"state": "revoked", "token": server.new_token(rules)}
            },
        },
        **front,
    )
    assert done.results["may not"].failed
    assert '"update" on "auth/token/revoke-self"' in done.results["may not"].message
    assert done.results["may, by the documented policy"]["changed"] is True
    assert bare not in done.run.output


AWS = {"aws_access_key": "AKIATEST", "aws_secret_key": "an-aws-secret"}
AZURE = {
    "azure_subscription_id": "a-subscription",
    "azure_resource_group_name": "a-group",
    "azure_vm_name": "a-machine",
    "azure_vmss_name": "a-set",
    "azure_resource_id": "a-resource",
}


def test_handwritten_answers_to_logins_that_no_server_here_takes(
    tmp_path: pathlib.Path, subtests: pytest.Subtests
) -> None:
    # https://developer.hashicorp.com/vault/api-docs/auth/aws#login, and alike of azure and gcp
    made = Answer(200, {"auth": {"client_token": "a-made-token"}})
    reloaded = Answer(200, {"data": {"reload_id": "an-id"}})
    profile = tmp_path / "credentials"
    profile.write_text("[ops]\naws_access_key_id=AKIAFILE\naws_secret_access_key=a-file-secret\n")
    by_keys = {**AWS, "aws_security_token": "a-session", "aws_iam_server_id": "bao.test"}
    by_profile = {"aws_profile": "ops", "region": "eu-west-1", "mount_point": "aws-eu"}
    role = {"role_id": "a-role"}
    signed = {**role, "jwt": "a-signed-token"}
    logins = {
        "aws_iam": ("aws_iam", {**role, **by_keys}),
        "aws_iam by profile": ("aws_iam", by_profile),
        "azure": ("azure", {**signed, **AZURE}),
        "gcp": ("gcp", signed),
    }
    answers = {"POST /v1/auth/": made, "POST /v1/sys/plugins/reload/backend": reloaded}
    with handwritten_server(answers) as server:
        cases = Ansible(tmp_path).cases(
            {
                name: reload({"auth_method": method, **options}, verify=False)
                for name, (method, options) in logins.items()
            },
            BAO_ADDR=server.url,
            AWS_SHARED_CREDENTIALS_FILE=str(profile),
        )
    for name, result in cases.results.items():
        with subtests.test(name):
            assert result["changed"] is True, result.message
    bodies = {seen.path: seen.body for seen in server.seen if seen.path.endswith("/login")}
    assert [seen.path.removeprefix("/v1/") for seen in server.seen[:3]] == [
        "auth/aws/login",
        "sys/plugins/reload/backend",
        "auth/token/revoke-self",
    ]
    assert server.seen[1].headers["X-Vault-Token"] == "a-made-token"
    body = {"role": "a-role", "jwt": "a-signed-token"}
    assert bodies["/v1/auth/gcp/login"] == body
    azure = {name.removeprefix("azure_"): value for name, value in AZURE.items()}
    assert bodies["/v1/auth/azure/login"] == {**body, **azure}
    aws, eu = bodies["/v1/auth/aws/login"], bodies["/v1/auth/aws-eu/login"]
    assert aws["role"] == "a-role"
    assert assert_signed(aws, Credentials(*AWS.values(), "a-session"), "us-east-1") == {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "Content-Length": "43",
        "Host": "sts.amazonaws.com",
        "X-Amz-Security-Token": "a-session",
        "X-Vault-AWS-IAM-Server-ID": "bao.test",
    }
    headers = assert_signed(eu, Credentials("AKIAFILE", "a-file-secret"), "eu-west-1")
    assert headers["Host"] == "sts.eu-west-1.amazonaws.com"
    secrets = ("an-aws-secret", "a-file-secret", "a-session", "a-signed-token", "a-made-token")
    for secret in (*secrets, aws["iam_request_headers"]):
        assert secret not in cases.run.output


def assert_signed(body: dict[str, str], credentials: Credentials, region: str) -> dict[str, str]:
    """The body carries a question that AWS would believe: signed anew, it has the same signature.

    Returns its headers without signature and date.
    """
    parts = {
        name: base64.b64decode(text).decode()
        for name, text in body.items()
        if name.startswith("iam_request_")
    }
    assert parts["iam_request_body"] == "Action=GetCallerIdentity&Version=2011-06-15"
    headers: dict[str, str] = json.loads(parts["iam_request_headers"])
    signature = headers.pop("Authorization")
    names = signature.split("SignedHeaders=")[1].split(",")[0].split(";")
    assert {name.lower() for name in headers} - {"content-length"} <= set(names)
    assert f"Credential={credentials.access_key}/" in signature
    assert parts["iam_request_url"] == f"https://{headers['Host']}/"
    request = AWSRequest(
        body["iam_http_request_method"],
        parts["iam_request_url"],
        headers=headers,
        data=parts["iam_request_body"],
    )
    request.context["timestamp"] = headers["X-Amz-Date"]
    again = SigV4Auth(credentials, "sts", region)
    text = again.string_to_sign(request, again.canonical_request(request))
    assert signature.endswith(f"Signature={again.signature(text, request)}")
    return {name: value for name, value in headers.items() if name != "X-Amz-Date"}
