# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users bring along: option names, aliases, variables and token files of the neighbours."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible, Cases
from ansible_collections.vaultops.vault.tests.support.server import Server

MODULE = "vaultops.vault.plugin_reload"
NOWHERE = "http://127.0.0.1:1"


class Spelling(t.NamedTuple):
    """Options and variables that lead to the server; {url} and {token} stand for the real ones."""

    options: str = ""
    variables: t.Mapping[str, str] = {}


def task(spelling: Spelling, **values: object) -> dict[str, t.Any]:
    """Return the task of a spelling, with ``values`` filled in."""
    options = dict(word.split("=", 1) for word in spelling.options.format(**values).split())
    variables = {name: text.format(**values) for name, text in spelling.variables.items()}
    return {MODULE: {"plugin": "kv", **options}, "environment": variables}


def assert_all_changed(cases: Cases, subtests: pytest.Subtests) -> None:
    """Each case reached the server, and nobody was warned."""
    for name, result in cases.results.items():
        with subtests.test(name):
            assert result["changed"] is True, result.message
    assert "WARNING" not in cases.run.output


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


def test_spellings(server: Server, tmp_path: pathlib.Path, subtests: pytest.Subtests) -> None:
    values = {"url": server.url, "token": server.token}
    tasks = {name: task(spelling, **values) for name, spelling in SPELLINGS.items()}
    assert_all_changed(Ansible(tmp_path).cases(tasks), subtests)


MISSPELLED = {
    "mount": (
        {MODULE: {"mount": "x", "token": "a-token"}},
        'mount (did you mean "mounts"?); see "ans',
    ),
    "two": (
        {MODULE: {"plugins": "x", "tokn": "a-token"}},
        'plugins (did you mean "plugin"?), tokn (did',
    ),
    "required": ({"vaultops.vault.plugin": {"nam": "x"}}, 'nam (did you mean "name"?)'),
    "of an alias": ({MODULE: {"vault_adress": "x"}}, '(did you mean "vault_address"?)'),
    "like no other": ({MODULE: {"xyzzy": "x", "scope": "all"}}, "module: xyzzy; see"),
}


def test_a_misspelled_option_is_named_first(
    tmp_path: pathlib.Path, subtests: pytest.Subtests
) -> None:
    tasks = {
        f"{name}, {way}": {**task, "vars": {"vaultops_in_process": way == "in process"}}
        for name, (task, _told) in MISSPELLED.items()
        for way in ("in process", "as a module")
    }
    results = Ansible(tmp_path).cases(tasks).results
    for name, result in results.items():
        with subtests.test(name):
            task, told = MISSPELLED[name.partition(",")[0]]
            assert result.message.startswith(f"Unsupported parameters for ({next(iter(task))}) mod")
            assert told in result.message


TOKEN_FILES = {
    "folder": Spelling("token_path={home}/elsewhere"),
    "folder and file": Spelling("token_path={home}/elsewhere token_file=other"),
    "path of the file": Spelling("token_path={home}/elsewhere/other"),
    "BAO_TOKEN_PATH": Spelling("", {"BAO_TOKEN_PATH": "{home}/elsewhere/other"}),
    "VAULT_TOKEN_PATH": Spelling("", {"VAULT_TOKEN_PATH": "{home}/elsewhere/other"}),
    "home": Spelling("", {"HOME": "{home}/elsewhere"}),
    "an empty BAO_TOKEN wins over VAULT_TOKEN": Spelling(
        "", {"HOME": "{home}/elsewhere", "BAO_TOKEN": "", "VAULT_TOKEN": "another-token"}
    ),
}


def test_token_files(server: Server, tmp_path: pathlib.Path, subtests: pytest.Subtests) -> None:
    home = tmp_path / "home"
    (home / "elsewhere").mkdir(parents=True)
    for name in (".vault-token", "other"):
        (home / "elsewhere" / name).write_text(f"{server.token}\n")
    tasks = {name: task(spelling, home=home) for name, spelling in TOKEN_FILES.items()}
    assert_all_changed(Ansible(tmp_path).cases(tasks, BAO_ADDR=server.url), subtests)


TRUST = {
    "ca_cert": Spelling("ca_cert={ca}"),
    "cacert": Spelling("cacert={ca}"),
    "ssl_ca_cert": Spelling("ssl_ca_cert={ca}"),
    "VAULT_CACERT": Spelling("", {"VAULT_CACERT": "{ca}"}),
    "BAO_CACERT wins": Spelling("", {"BAO_CACERT": "{ca}", "VAULT_CACERT": "/nope"}),
    "REQUESTS_CA_BUNDLE": Spelling("", {"REQUESTS_CA_BUNDLE": "{ca}"}),
    "validate_certs": Spelling("validate_certs=false"),
    "validate_certs over a bundle": Spelling(
        "validate_certs=false", {"REQUESTS_CA_BUNDLE": "/nope"}
    ),
    "VAULT_SKIP_VERIFY": Spelling("", {"VAULT_SKIP_VERIFY": "true"}),
    "BAO_SKIP_VERIFY wins": Spelling("", {"BAO_SKIP_VERIFY": "1", "VAULT_SKIP_VERIFY": "false"}),
}


def test_trust(tls_server: Server, tmp_path: pathlib.Path, subtests: pytest.Subtests) -> None:
    tasks = {name: task(spelling, ca=tls_server.ca_cert) for name, spelling in TRUST.items()}
    connection = {"BAO_ADDR": tls_server.url, "BAO_TOKEN": tls_server.token}
    assert_all_changed(Ansible(tmp_path).cases(tasks, **connection), subtests)


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
