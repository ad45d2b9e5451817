# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new user gets wrong first, and what the message says of it; tasks run in this process."""

from __future__ import annotations

import pathlib
import platform
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import Server

HOST = platform.node()
CONTROLLER = "variables of the controller do not reach another host"


def message(operation: str = "plugin_reload", **options: t.Any) -> str:
    """Return the message of a task that fails, without any variable of the client."""
    variables = options.pop("variables", {})
    result = run_task(operation, options, False, proxy="", token="a-token", variables=variables)
    assert result["failed"]
    return str(result["msg"])


def test_nobody_gave_a_token(tmp_path: pathlib.Path) -> None:
    nothing: dict[str, t.Any] = {"plugin": "kv", "token": None, "url": "http://127.0.0.1:1"}
    told = message(**nothing, variables={"BAO_TOKEN_PATH": str(tmp_path)})
    assert f'VAULT_TOKEN are not set on host "{HOST}", and the file' in told
    assert f"{CONTROLLER}: give the options, or run the task on the controller (deleg" in told
    told = message(**nothing, token_path=str(tmp_path))
    assert f'no token: the option token is not given on host "{HOST}", and the file' in told
    assert "put the token into that file, or name another" in told
    assert "variable" not in told


def test_nobody_gave_an_address() -> None:
    # Nothing listens there with a certificate that is trusted, on any machine.
    told = message(plugin="kv", url=None, connect_timeout="1")
    where = f'the default, as BAO_ADDR and VAULT_ADDR are not set on host "{platform.node()}"'
    assert f"check url ({where})" in told or "no trusted TLS connection" in told
    assert CONTROLLER in told or "no trusted TLS connection" in told
    assert CONTROLLER not in message(plugin="kv", url="http://127.0.0.1:1")


def test_an_empty_variable_hides_the_other(tmp_path: pathlib.Path) -> None:
    """A credential of AWX leaves one of each pair empty."""
    hidden = {"BAO_TOKEN": "", "VAULT_TOKEN": "a-token"}
    cases = (
        (
            hidden,
            "BAO_TOKEN is set and empty, so that VAULT_TOKEN is not read,",
            "unset BAO_TOKEN, or",
        ),
        (
            {**hidden, "VAULT_TOKEN": " "},
            "BAO_TOKEN and VAULT_TOKEN are set and empty",
            "give BAO_TOK",
        ),
        (
            {"BAO_TOKEN": " "},
            "BAO_TOKEN is set and empty, and VAULT_TOKEN is not set,",
            "give BAO_TOK",
        ),
        (
            {"VAULT_TOKEN": ""},
            "VAULT_TOKEN is set and empty, and BAO_TOKEN is not set,",
            "give VAULT_",
        ),
    )
    for variables, said, step in cases:
        where = {**variables, "BAO_TOKEN_PATH": str(tmp_path)}
        told = message(plugin="kv", token=None, url="http://127.0.0.1:1", variables=where)
        assert f'the option token is not given, {said} on host "{HOST}", and the file' in told
        assert f"behind an agent that adds one; {step}" in told
        assert CONTROLLER not in told
    variables = {"BAO_ADDR": "", "VAULT_ADDR": "http://127.0.0.1:1"}
    told = message(plugin="kv", url=None, connect_timeout="1", variables=variables)
    assert "BAO_ADDR and VAULT_ADDR are not set" not in told
    said = "BAO_ADDR is set and empty, so that VAULT_ADDR is not read"
    assert said in told or "no trusted TLS connection" in told


@pytest.mark.parametrize("origin", ["option", "variable"])
def test_https_to_a_port_without_tls(server: Server, origin: str) -> None:
    url = server.url.replace("http:", "https:")
    given: dict[str, t.Any] = {"url": url} if origin == "option" else {"url": None}
    variables = {} if origin == "option" else {"VAULT_ADDR": url}
    told = message(plugin="kv", **given, variables=variables)
    source = "" if origin == "option" else " (from the variable VAULT_ADDR)"
    assert told.startswith(f"{url} answers without TLS (GET ")
    assert f"check url{source}: start it with http:// if the server has no TLS" in told
    assert "version number" not in told


@pytest.mark.parametrize("content", ["garbage", "TUlJQg==", ""], ids=["text", "base64", "empty"])
def test_a_ca_file_that_is_none(server: Server, tmp_path: pathlib.Path, content: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(f"-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n")
    url = server.url.replace("http:", "https:")
    told = message(plugin="kv", url=url, ca_cert=str(file))
    assert told.startswith(f'no CA certificate can be read from "{file}"')
    assert "give certificates in PEM form" in told
    told = message(plugin="kv", url=url, variables={"BAO_CACERT": str(file)})
    assert "check ca_cert (from the variable BAO_CACERT): give" in told
    file.write_text(content or "x")
    told = message(plugin="kv", url=url, variables={"BAO_CACERT": str(file)})
    assert f'ca_cert "{file}" holds no CA certificate (from the variable BAO_CACERT)' in told


LISTS: dict[str, tuple[str, str, dict[str, t.Any]]] = {
    "plugin_reload": ("plugin_reload", "plugin", {}),
    "plugin_upgrade": ("plugin_upgrade", "plugin", {"version": "v1.0.0"}),
    "a version": ("plugin_upgrade", "version", {"plugin": "a"}),
    "a canary": ("plugin_upgrade", "canary", {"plugin": "a", "version": "v1.0.0"}),
    "plugin": ("plugin", "name", {"type": "secret", "version": "v1.0.0"}),
    "a command": ("plugin", "command", {"name": "a", "type": "secret", "version": "v1.0.0"}),
    "plugin_info": ("plugin_info", "name", {}),
    "plugin_pin": ("plugin_pin", "name", {"type": "secret", "version": "v1.0.0"}),
    "plugin_runtime": ("plugin_runtime", "name", {}),
    "a namespace": ("plugin_info", "namespace", {}),
}


@pytest.mark.parametrize("case", LISTS)
def test_a_list_where_one_is_wanted(case: str) -> None:
    operation, option, more = LISTS[case]
    for value, what in ((["a", "b"], "a list"), ({"a": 1}, "a mapping")):
        told = message(operation, **{option: value}, **more, url="http://127.0.0.1:1")
        assert f"{option} takes one value, and {value} is {what}" in told
        step = (
            "repeat the task for each with loop"
            if option in ("plugin", "name")
            else "give one value"
        )
        assert f"; {step}" in told
        assert (", or name their mounts in one task" in told) is (option == "plugin")


@pytest.mark.parametrize("option", ["token", "jwt", "password", "secret_id"])
def test_a_secret_in_a_list_or_a_result(option: str) -> None:
    """A newcomer gives what a login returned as a whole; no part of it is shown."""
    method = {"jwt": "jwt", "password": "userpass", "secret_id": "approle"}.get(option, "token")
    result: t.Any = {"login": {"client_token": "canary"}, "changed": True}
    values: list[tuple[str, t.Any]] = [
        ("a list", ["canary"]),
        ("a list", [result]),
        ("a mapping", result),
    ]
    for what, value in values:
        told = message(plugin="kv", **{option: value}, auth_method=method, url="http://127.0.0.1:1")
        assert told.startswith(f"{option} takes one value, and this is {what}; name the field that")
        assert "canary" not in told
    for own in ("{'a", "{'a':1,[]:2}", '{"a": 1}'):
        told = message(plugin="kv", **{option: own}, auth_method=method, url="http://127.0.0.1:1")
        assert "takes one value" not in told
        assert "please report it" not in told


def test_a_canary_that_names_no_mount() -> None:
    told = message(
        "plugin_upgrade", plugin="kv", version="v1.0.0", canary="a\nb", url="http://127.0.0.1:1"
    )
    assert told.startswith("'a\\nb' in canary does not name a mount")


def test_a_path_in_a_list() -> None:
    told = message(plugin="kv", ca_cert=["/a", "/b"], url="http://127.0.0.1:1")
    assert told.startswith("ca_cert takes one value, and ['/a', '/b'] is a list; give one value")


def test_addresses_in_a_list_are_not_shown() -> None:
    addresses = [f"http://{name}:canary-{name}@127.0.0.1:1" for name in ("a", "b")]
    told = message(plugin="kv", url=addresses)
    assert told.startswith("url takes one value, and this is a list; give one value")
    assert "canary" not in told


def test_a_list_inside_a_list() -> None:
    told = message(mounts=[["a", "b"], "c"], url="http://127.0.0.1:1")
    assert "mounts takes one value each, and ['a', 'b'] is a list" in told


def test_an_upgrade_in_check_mode_says_why_the_version_is_not_there(server: Server) -> None:
    options = {"url": server.url, "plugin": "kv", "version": "v9.9.9"}
    for check_mode in (True, False):
        result = run_task("plugin_upgrade", options, check_mode, proxy="", token=server.token)
        said = "in check mode no earlier task has registered it: skip this task" in result["msg"]
        assert said is check_mode
        assert result["msg"].endswith("nothing was changed")


def test_a_variable_of_blanks_is_not_given(server: Server, tmp_path: pathlib.Path) -> None:
    """A field of a credential in AWX may hold blanks."""
    names = "NAMESPACE CACERT CACERT_BYTES CAPATH CLIENT_CERT CLIENT_KEY SKIP_VERIFY CLIENT_TIMEOUT"
    names += " MAX_RETRIES TLS_SERVER_NAME PROXY_ADDR HTTP_PROXY TOKEN_PATH"
    blanks = {f"{client}_{name}": " " for client in ("BAO", "VAULT") for name in names.split()}
    usual = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "REQUESTS_CA_BUNDLE"), " ")
    given: dict[str, t.Any] = {"plugin": "kv", "state": "current", "url": server.url}
    variables = {**blanks, **usual}
    done = run_task(
        "plugin_reload", given, False, proxy="", token=server.token, variables=variables
    )
    assert not done.get("failed"), done
    variables = {
        "BAO_ADDR": " ",
        "BAO_APPROLE_SECRET_ID": " ",
        "BAO_APPROLE_ROLE_ID": "no-such-role",
    }
    told = message(**given, token=None, auth_method="approle", variables=variables)
    assert told.startswith("cannot log in by approle: ")
    assert "*" not in told  # blanks are no secret, and nothing is masked
    told = message(plugin="kv", url=None, connect_timeout="1", variables=variables)
    where = f'BAO_ADDR is set and empty, and VAULT_ADDR is not set, on host "{HOST}"'
    assert where in told or "no trusted TLS connection" in told


@pytest.mark.parametrize("operation", ["plugin_reload", "plugin_upgrade"])
@pytest.mark.parametrize("scope", ["local", "global"])
def test_the_address_of_a_node_is_checked_before_any_request(operation: str, scope: str) -> None:
    more = {"version": "v1.0.0"} if operation == "plugin_upgrade" else {}
    for url, reason in (
        ("n1", ": the scheme is missing (from the option nodes); write https://n1,"),
        ("http://127.0.0.1:8200/v1", " is the address of the API, not of the server"),
        ("http://a:canary@127.0.0.1", " contains a user name or password"),
    ):
        nodes = ["http://127.0.0.1:8200", url]
        # Nothing listens there: a request would be told as refused.
        told = message(
            operation, plugin="kv", scope=scope, nodes=nodes, url="http://127.0.0.1:1", **more
        )
        assert told.startswith("nodes ")
        assert reason in told
        assert "canary" not in told


def test_jinjas_own_namespace_for_a_login() -> None:
    told = message(
        plugin="kv", url="http://127.0.0.1:1", auth_namespace="<class 'jinja2.utils.Namespace'>"
    )
    assert told.startswith('auth_namespace is "<class')
    assert "(from the option auth_namespace); give it another name" in told
