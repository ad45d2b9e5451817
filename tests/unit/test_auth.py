# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to a login: what each method sends, and what it refuses."""

from __future__ import annotations

import base64
import json
import pathlib
import sys
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._auth import kubernetes
from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import LoginRequest
from ansible_collections.vaultops.vault.plugins.module_utils._auth.methods import (
    Identity,
    chosen_identity,
    load_method,
)
from ansible_collections.vaultops.vault.plugins.module_utils._auth.options import (
    AUTH_SPEC,
    METHOD_SPEC,
    METHODS,
    WRAPPING_OPTIONS,
)
from ansible_collections.vaultops.vault.plugins.module_utils._auth.session import (
    Session,
    _inline_headers,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import (
    CONNECTION_SPEC,
    Connection,
)

PERSON = {"username": "bob", "password": "a-password"}
SIGNED = {"role_id": "a-role", "jwt": "a-jwt"}


def identity(method: str, **options: t.Any) -> Identity:
    """Return the identity that ``options`` choose, all others are not given."""
    nothing = dict.fromkeys({**CONNECTION_SPEC, **AUTH_SPEC})
    return chosen_identity({**nothing, "auth_method": method, **options})


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APPROLE_ROLE_ID", "APPROLE_SECRET_ID", "CLIENT_CERT", "CLIENT_KEY", "TOKEN"):
        monkeypatch.delenv(f"BAO_{name}", raising=False)
        monkeypatch.delenv(f"VAULT_{name}", raising=False)


@pytest.mark.parametrize(
    ("method", "options", "path", "body"),
    [
        ("approle", {"role_id": "r"}, "approle/login", {"role_id": "r"}),
        (
            "approle",
            {"role_id": "r", "secret_id": "s", "mount_point": "/apps/"},
            "apps/login",
            {"role_id": "r", "secret_id": "s"},
        ),
        ("userpass", PERSON, "userpass/login/bob", {"password": "a-password"}),
        ("ldap", PERSON, "ldap/login/bob", {"password": "a-password"}),
        ("radius", PERSON, "radius/login/bob", {"password": "a-password"}),
        ("jwt", {"jwt": "a-jwt"}, "jwt/login", {"jwt": "a-jwt"}),
        ("jwt", SIGNED, "jwt/login", {"role": "a-role", "jwt": "a-jwt"}),
        ("kubernetes", SIGNED, "kubernetes/login", {"role": "a-role", "jwt": "a-jwt"}),
        ("azure", SIGNED, "azure/login", {"role": "a-role", "jwt": "a-jwt"}),
        ("gcp", SIGNED, "gcp/login", {"role": "a-role", "jwt": "a-jwt"}),
    ],
)
def test_the_login(method: str, options: dict[str, t.Any], path: str, body: t.Any) -> None:
    found = identity(method, **options)
    assert found.login is not None
    assert found.token is None
    assert found.login.path == f"auth/{path}"
    assert found.login.body == body
    assert found.secrets == {text for text in body.values() if text not in ("r", "a-role")}


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("approle", {}, "auth_method approle needs role_id; give role_id, or choose another"),
        (
            "userpass",
            {},
            "auth_method userpass needs username and password; give username and password, or",
        ),
        (
            "token",
            {"token": "a-token", "mount_point": "m", **PERSON},
            (
                "auth_method token does not take mount_point, password and username; "
                "leave mount_point, password and username out, or choose another auth_method"
            ),
        ),
        ("none", {"token": "a-token"}, "auth_method none does not take token; leave token out"),
        (
            "ldap",
            {"username": "bob", "jwt": "a-jwt"},
            "auth_method ldap needs password, and does not take jwt; give password, leave jwt out",
        ),
        ("jwt", {}, "auth_method jwt needs jwt; "),
        ("kubernetes", {}, "auth_method kubernetes needs role_id; "),
        ("azure", {}, "auth_method azure needs role_id and jwt; "),
        ("gcp", {"role_id": "r"}, "auth_method gcp needs jwt; "),
        ("cert", {}, "auth_method cert has no certificate to show; give cert_auth_public_key"),
        (
            "aws_iam",
            {"aws_profile": "there-is-none"},
            "auth_method aws_iam has no AWS credentials: The config profile (there-is-none) could",
        ),
    ],
)
def test_what_is_missing_and_what_is_too_much(
    method: str, options: dict[str, t.Any], message: str
) -> None:
    with pytest.raises(OptionError) as caught:
        identity(method, **options)
    assert str(caught.value).startswith(message)


def test_each_method_that_logs_in_complains_of_nothing_given() -> None:
    for method in METHODS:
        if load_method(method).required:
            with pytest.raises(OptionError, match="needs"):
                identity(method)


def test_each_option_belongs_to_a_method() -> None:
    taken = {option for name in METHODS for option in load_method(name).options}
    assert taken | {"mount_point", *WRAPPING_OPTIONS} == set(METHOD_SPEC)
    files = {file.stem for file in pathlib.Path(kubernetes.__file__).parent.glob("*.py")}
    assert set(METHODS) <= files


def test_each_secret_option_is_masked() -> None:
    shown = {name for name, row in AUTH_SPEC.items() if not row.get("no_log")}
    assert (
        not {
            "token",
            "password",
            "secret_id",
            "wrapping_token",
            "mfa_passcode",
            "jwt",
            "aws_secret_key",
        }
        & shown
    )
    assert "aws_security_token" not in shown


def test_a_pod_takes_its_own_token(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    monkeypatch.setattr(kubernetes, "SERVICE_ACCOUNT", file)
    with pytest.raises(OptionError, match="needs jwt, and the file"):
        identity("kubernetes", role_id="r")
    file.write_text("a-pod-token\n")
    found = identity("kubernetes", role_id="r")
    assert found.login is not None
    assert found.login.body == {"role": "r", "jwt": "a-pod-token"}
    assert found.secrets == {"a-pod-token"}


def test_aws_without_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    with pytest.raises(OptionError, match=r"needs the Python library botocore.*pip install"):
        identity("aws_iam", aws_access_key="AKIATEST", aws_secret_key="a-secret")


def test_a_login_in_headers() -> None:
    login = LoginRequest("auth/jwt/login", {"role": "Rôle", "jwt": "a-jwt"})
    headers = _inline_headers(login, "team/dev")
    start = "X-Vault-Inline-Auth-"
    told = [
        json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        for name, text in headers.items()
        if name.startswith(f"{start}Parameter-")
    ]
    assert told == [{"key": "role", "value": "Rôle"}, {"key": "jwt", "value": "a-jwt"}]
    assert headers[f"{start}Path"] == "auth/jwt/login"
    assert headers[f"{start}Operation"] == "update"
    assert headers[f"{start}Namespace"] == "team/dev"
    assert f"{start}Namespace" not in _inline_headers(login, "")


def test_what_refused_the_first_request_refuses_the_next_one_too() -> None:
    """Whoever goes on after an error must not get round the check."""

    def refuse() -> None:
        raise OptionError("the server ignores the namespace")

    with Session(Connection("http://127.0.0.1:1")) as session:
        session.before_first_request = refuse
        for _time in range(2):
            with pytest.raises(OptionError, match="ignores the namespace"):
                session.request("GET", "sys/mounts")
