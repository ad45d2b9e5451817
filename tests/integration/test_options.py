# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users bring along: option names, aliases, variables and token files of the neighbours."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible
from ansible_collections.vaultops.vault.tests.support.server import Server

MODULE = "vaultops.vault.plugin_reload"
NOWHERE = "http://127.0.0.1:1"


class Spelling(t.NamedTuple):
    """Options and variables that lead to the server; {url} and {token} stand for the real ones."""

    options: str = ""
    variables: t.Mapping[str, str] = {}


SPELLINGS = {
    "options": Spelling("url={url} token={token}"),
    "alias vault_address": Spelling("vault_address={url} token={token}"),
    "alias beats variable": Spelling("vault_address={url} token={token}", {"VAULT_ADDR": NOWHERE}),
    "VAULT variables": Spelling("", {"VAULT_ADDR": "{url}", "VAULT_TOKEN": "{token}"}),
    "BAO variables": Spelling("", {"BAO_ADDR": "{url}", "BAO_TOKEN": "{token}"}),
    "BAO wins over VAULT": Spelling(
        "",
        {"BAO_ADDR": "{url}", "VAULT_ADDR": NOWHERE, "BAO_TOKEN": "{token}", "VAULT_TOKEN": "no"},
    ),
    "option wins over variables": Spelling(
        "url={url} token={token}", {"BAO_ADDR": NOWHERE, "BAO_TOKEN": "not-this-one"}
    ),
    "trailing slash": Spelling("url={url}/ token={token}"),
    "alias vault_namespace": Spelling("url={url} token={token} vault_namespace=root"),
    "timeout as the CLI spells it": Spelling(
        "url={url} token={token}", {"VAULT_CLIENT_TIMEOUT": "1m30s"}
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_spellings(server: Server, tmp_path: pathlib.Path, spelling: Spelling) -> None:
    def fill(text: str) -> str:
        return text.format(url=server.url, token=server.token)

    variables = {name: fill(text) for name, text in spelling.variables.items()}
    run = Ansible(tmp_path).adhoc(MODULE, f"plugin=kv {fill(spelling.options)}", **variables)
    assert run.result["changed"] is True, run.output
    assert "WARNING" not in run.output


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ("", {}),
        ("token_path={home}/elsewhere", {}),
        ("token_path={home}/elsewhere token_file=other", {}),
        ("token_path={home}/elsewhere/other", {}),
        ("", {"BAO_TOKEN_PATH": "{home}/elsewhere/other"}),
        ("", {"VAULT_TOKEN_PATH": "{home}/elsewhere/other"}),
        ("", {"BAO_TOKEN": "", "VAULT_TOKEN": "an empty BAO_TOKEN wins over this one"}),
    ],
    ids=str,
)
def test_token_files(
    server: Server, tmp_path: pathlib.Path, options: str, variables: dict[str, str]
) -> None:
    home = tmp_path / "home"
    (home / "elsewhere").mkdir(parents=True)
    at_home = not options and not any(name.endswith("_PATH") for name in variables)
    name = "other" if "other" in options + str(variables) else ".vault-token"
    (home / ("" if at_home else "elsewhere") / name).write_text(f"{server.token}\n")
    filled = {variable: text.format(home=home) for variable, text in variables.items()}
    run = Ansible(tmp_path).adhoc(
        MODULE, f"plugin=kv url={server.url} {options.format(home=home)}", **filled
    )
    assert run.result["changed"] is True, run.output


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ("ca_cert={ca}", {}),
        ("cacert={ca}", {}),
        ("ssl_ca_cert={ca}", {}),
        ("", {"VAULT_CACERT": "{ca}"}),
        ("", {"BAO_CACERT": "{ca}", "VAULT_CACERT": "/nope"}),
        ("", {"REQUESTS_CA_BUNDLE": "{ca}"}),
        ("validate_certs=false", {}),
        ("validate_certs=false", {"REQUESTS_CA_BUNDLE": "/nope"}),
        ("", {"VAULT_SKIP_VERIFY": "true"}),
        ("", {"BAO_SKIP_VERIFY": "1", "VAULT_SKIP_VERIFY": "false"}),
    ],
    ids=str,
)
def test_trust(
    tls_server: Server, tmp_path: pathlib.Path, options: str, variables: dict[str, str]
) -> None:
    filled = {name: text.format(ca=tls_server.ca_cert) for name, text in variables.items()}
    run = Ansible(tmp_path).adhoc(
        MODULE,
        f"plugin=kv url={tls_server.url} token={tls_server.token} "
        + options.format(ca=tls_server.ca_cert),
        **filled,
    )
    assert run.result["changed"] is True, run.output
    assert "WARNING" not in run.output


def test_validate_certs_wins_over_skip_verify(tls_server: Server, tmp_path: pathlib.Path) -> None:
    arguments = f"plugin=kv url={tls_server.url} token={tls_server.token} validate_certs=true"
    run = Ansible(tmp_path).adhoc(MODULE, arguments, BAO_SKIP_VERIFY="true")
    assert run.result.failed
    assert "no trusted TLS connection" in run.result.message


def test_skip_verify_that_is_neither_true_nor_false(tmp_path: pathlib.Path) -> None:
    run = Ansible(tmp_path).adhoc(MODULE, "plugin=kv token=a-test-token", BAO_SKIP_VERIFY="perhaps")
    assert 'BAO_SKIP_VERIFY or VAULT_SKIP_VERIFY is "perhaps"' in run.result.message


def test_a_netrc_entry_is_not_sent(server: Server, ansible: Ansible) -> None:
    ansible.environment()
    netrc = ansible.directory / "home" / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password canary-word\n")
    netrc.chmod(0o600)
    assert ansible.adhoc(MODULE, "plugin=kv").result["changed"] is True
