# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the connection: each error shows the value and where it came from."""

from __future__ import annotations

import os
import pathlib
import platform
import ssl
import typing as t

import pytest
import trustme

from ansible_collections.vaultops.vault.plugins.module_utils._auth.token import read_token
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import (
    CONNECTION_SPEC,
    Connection,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import read_setting

LONG = "/" + "x" * 300
NUL = "/a\0b"


BROKEN = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----"


class Case(t.NamedTuple):
    """Options and variables, and what the message must say and must not."""

    options: dict[str, t.Any]
    variables: dict[str, str]
    told: tuple[str, ...]
    secret: str = ""


HTTPS = {"url": "https://h.example"}
SECRET = "canary"

CASES = {
    "url by option": Case({"url": "vault"}, {}, ('url "vault" is not', "(from the option url)")),
    "url by variable": Case(
        {}, {"VAULT_ADDR": "vault"}, ('"vault"', "from the variable VAULT_ADDR")
    ),
    "BAO_ before VAULT_": Case(
        {}, {"VAULT_ADDR": "http://h", "BAO_ADDR": "nope"}, ("from the variable BAO_ADDR",)
    ),
    "no scheme": Case(
        {},
        {"BAO_ADDR": "vault.example.com:8200"},
        (
            "the scheme is missing (from the variable BAO_ADDR); write https://vault.example.com:8200",
        ),
    ),
    "address of the API": Case(
        {"url": "https://h:8200/v1/"},
        {},
        ('"https://h:8200/v1" is the address of the API', 'write "https://h:8200"'),
    ),
    "address of a request": Case({"url": "https://h/v1/sys/mounts"}, {}, ('write "https://h"',)),
    "address in the browser": Case(
        {},
        {"VAULT_ADDR": "https://h:8200/ui/vault/secrets?a=b"},
        ("web interface, not of the server (from the variable VAULT_ADDR)", '"https://h:8200"'),
    ),
    "start page in the browser": Case({"url": "https://h/ui/#/x"}, {}, ('write "https://h"',)),
    "behind a gateway": Case({"url": "https://h/vault/v1"}, {}, ('write "https://h/vault"',)),
    "no scheme, of the API": Case(
        {"url": "127.0.0.1:8200/v1"},
        {},
        ("the scheme is missing", "write https://127.0.0.1:8200, or http://127.0.0.1:8200 where"),
    ),
    "no scheme, a host called http": Case({"url": "http:8200"}, {}, ("write https://http:8200,",)),
    "one slash": Case(
        {"url": "http:/127.0.0.1:8200"},
        {},
        ("there is no :// after http", "write http://127.0.0.1:8200"),
    ),
    "no slash": Case({"url": "HTTPS:h"}, {}, ("no :// after https", "write https://h")),
    "no colon": Case({"url": "https//h"}, {}, ("no :// after https", "write https://h")),
    "slashes alone": Case({"url": "//h:8200"}, {}, ("write https://h:8200, or",)),
    "a bare address of IPv6": Case({"url": "::1"}, {}, ("write https://[::1], or",)),
    "only a scheme": Case({"url": "http://"}, {}, ("give an address such as https://vault",)),
    "page with a query": Case(
        {"url": "http://h:8200/?x=canary"},
        {},
        ('"http://h:8200/" is not the address', "or a fragment follows it", '"http://h:8200/"'),
        SECRET,
    ),
    "page in the browser": Case({"url": "http://h/#/canary"}, {}, ("a query or a fragment",)),
    "no scheme of ours": Case(
        {"url": "htp://h"},
        {},
        (
            '"htp://h"',
            ': its scheme is "htp"',
        ),
    ),
    "two schemes": Case(
        {},
        {"BAO_ADDR": "https://http://h:8200/"},
        (": there are two schemes", "write http://h:8200"),
    ),
    "two schemes and a query": Case(
        {"url": f"http://http://h?t={SECRET}&u=http://h"}, {}, ('"http://http://h" is not',), SECRET
    ),
    "an empty port": Case({"url": "http://h:"}, {}, (": there is no port after the colon",)),
    "an empty port of IPv6": Case({"url": "http://[::1]:"}, {}, ("there is no port after",)),
    "a port of letters": Case({"url": "http://h:abc"}, {}, (': "abc" is no port',)),
    "port 0": Case({"url": "http://[::1]:0/"}, {}, (': "0" is no port',)),
    "an empty node": Case({"url": "/"}, {}, ('"" is not the address of a server: it is empty',)),
    "a path": Case({"url": "/run/bao.sock"}, {}, (": it is a path", "unix:///run/bao.sock")),
    "Jinja's namespace as an address": Case(
        {"url": "<class 'jinja2.utils.Namespace'>"}, {}, ("Jinja's own", "(from the option url)")
    ),
    "a proxy without a scheme": Case(
        {},
        {"BAO_PROXY_ADDR": "127.0.0.1:3128"},
        ("a proxy: the scheme is missing", "give http://proxy"),
    ),
    "empty label": Case({"url": "http://a..b"}, {}, ('"http://a..b"',)),
    "long label": Case({"url": f"http://{'a' * 64}.b"}, {}, ("is not the address",)),
    "stars": Case({"url": "http://*.example"}, {}, ("is not the address",)),
    "blank in the host": Case({"url": "http://a b"}, {}, ("is not the address",)),
    "line break": Case({"url": "http://a\nb"}, {}, ("http://a\\nb", "is not the address")),
    "NUL in the url": Case({"url": "http://a\0b"}, {}, ("is not the address",)),
    "half an IPv6": Case({"url": "http://[::1"}, {}, ('"http://[::1"',)),
    "large port": Case({"url": "http://h:99999"}, {}, ('"http://h:99999"', '"99999" is no port')),
    "query": Case({"url": f"http://h?t={SECRET}"}, {}, ('"http://h" is not',), SECRET),
    "password in a variable": Case(
        {},
        {"BAO_ADDR": f"https://me:{SECRET}@h"},
        ("user name or password", "from the variable BAO_ADDR"),
        SECRET,
    ),
    "socket that is none": Case({"url": "unix:///nope"}, {}, ('"unix:///nope"', "unix socket")),
    "long socket": Case({"url": f"unix://{LONG}"}, {}, ("unix socket",)),
    "NUL in a socket": Case({"url": f"unix://{NUL}"}, {}, ("unix socket",)),
    "no CA file": Case({"ca_cert": "/nope"}, {}, ('ca_cert "/nope" cannot be read: no such file',)),
    "no CA file by variable": Case({}, {"VAULT_CACERT": "/nope"}, ("variable VAULT_CACERT",)),
    "no bundle of requests": Case(
        HTTPS, {"REQUESTS_CA_BUNDLE": "/nope"}, ('"/nope"', "from the variable REQUESTS_CA_BUNDLE")
    ),
    "no bundle of curl": Case(HTTPS, {"CURL_CA_BUNDLE": "/nope"}, ("variable CURL_CA_BUNDLE",)),
    "no certificate in the bundle": Case(
        HTTPS, {"REQUESTS_CA_BUNDLE": "/etc/passwd"}, ('"/etc/passwd" holds no CA certificate',)
    ),
    "one line of a certificate": Case(
        {},
        {"BAO_CACERT_BYTES": "-----BEGIN CERTIFICATE-----"},
        (
            "ca_cert is unusable: the variable holds one line only",
            "(from the variable BAO_CACERT_BYTES)",
            "name that in BAO_CACERT",
        ),
    ),
    "empty CA file": Case(
        {}, {"BAO_CACERT": "/dev/null"}, ('"/dev/null" is empty', "variable BAO_CACERT", "leave it")
    ),
    "Jinja's namespace in a variable": Case(
        {},
        {"BAO_NAMESPACE": "<class 'jinja2.utils.Namespace'>"},
        ("Jinja's own", "(from the variable BAO_NAMESPACE)", "such as vault_namespace"),
    ),
    "Jinja's namespace": Case(
        {"namespace": "<class 'jinja2.utils.Namespace'>"}, {}, ("(from the option namespace)",)
    ),
    "no PEM": Case(
        {},
        {"BAO_CACERT_BYTES": "x"},
        (
            "ca_cert is unusable: the variable holds one line only, and no CA certificate",
            "(from the variable BAO_CACERT_BYTES)",
            "in one line, \\n or a blank stands for each line break",
        ),
    ),
    "a broken certificate": Case(
        {},
        {"VAULT_CACERT_BYTES": BROKEN},
        (
            "the variable holds 3 lines, and the certificate in it cannot be read",
            "(from the variable VAULT_CACERT_BYTES)",
        ),
    ),
    "no certificate": Case(
        {"client_cert": "/etc/passwd", "client_key": "/etc/passwd"},
        {},
        ('client_cert "/etc/passwd" holds no certificate', "from the option client_cert"),
    ),
    "long path": Case({"ca_cert": LONG}, {}, ("cannot be read: file name too long",)),
    "NUL in a path": Case({"ca_cert": NUL}, {}, ("/a\\x00b", "cannot be read")),
    "NUL in the certificate": Case({"client_cert": NUL, "client_key": NUL}, {}, ("client_cert",)),
    "long key": Case({"client_cert": "/etc/passwd", "client_key": LONG}, {}, ("client_key",)),
    "half a certificate": Case(
        {}, {"BAO_CLIENT_KEY": "/k"}, ('client_key "/k" is alone', "variable BAO_CLIENT_KEY")
    ),
    "no boolean": Case(
        {}, {"BAO_SKIP_VERIFY": "perhaps"}, ('"perhaps"', "variable BAO_SKIP_VERIFY")
    ),
    "no duration": Case(
        {}, {"VAULT_CLIENT_TIMEOUT": "5x"}, ("'5x'", "variable VAULT_CLIENT_TIMEOUT")
    ),
    "endless": Case({"timeout": "99999999999"}, {}, ("'99999999999' is too long", "at most 24")),
    "400 digits": Case({"timeout": "9" * 400}, {}, ("timeout '9999", "…' is too long")),
    "400 digits of hours": Case({"connect_timeout": "9" * 400 + "h"}, {}, ("is too long",)),
    "superscript": Case({}, {"BAO_MAX_RETRIES": "²"}, ('retries "²"', "variable BAO_MAX_RETRIES")),
    "5000 digits": Case({}, {"BAO_MAX_RETRIES": "9" * 5000}, ("is not a number of retries",)),
    "negative": Case({"retries": -1}, {}, ('retries "-1"', "from the option retries")),
    "proxy of another kind": Case(
        {"proxies": f"ftp://me:{SECRET}@p"}, {}, ('"ftp://p"', "from the option proxies"), SECRET
    ),
    "proxy with a large port": Case({"proxies": "http://p:99999"}, {}, ('"http://p:99999"',)),
    "proxy with an odd password": Case(
        {}, {"VAULT_PROXY_ADDR": f"ht://me:a/{SECRET}@p"}, ("variable VAULT_PROXY_ADDR",), SECRET
    ),
    "deep JSON": Case({"proxies": '{"a":' * 100_000}, {}, ("not the address of a proxy",)),
    "no JSON": Case({"proxies": "{"}, {}, ("not the address of a proxy",)),
    "a list of proxies": Case({"proxies": ["http://p"]}, {}, ("not the address of a proxy",)),
    "usual proxy": Case(
        {}, {"HTTPS_PROXY": f"nope://me:{SECRET}@p"}, ('"nope://p"', "variable HTTPS_PROXY"), SECRET
    ),
    "proxy for all": Case({}, {"ALL_PROXY": "http://["}, ("from the variable ALL_PROXY",)),
    "namespace": Case(
        {}, {"BAO_NAMESPACE": "te\u200bam"}, ("namespace contains", "variable BAO_NAMESPACE")
    ),
}


WAYS_TO_BE_ONE_LINE = {
    "backslash n": "\\n",
    "backslashes of Windows": "\\r\\n",
    "blank": " ",
    "two blanks": "  ",
    "nothing": "",
    "indented": "\n    ",
    "as it is": "\n",
}


@pytest.mark.parametrize("way", WAYS_TO_BE_ONE_LINE)
def test_certificates_in_one_line(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = "".join(trustme.CA().cert_pem.bytes().decode() for _number in range(2))
    comment = "# Főtanúsítvány\n"
    text = f"\ufeff{comment}{pem.replace(chr(10), WAYS_TO_BE_ONE_LINE[way])}"
    monkeypatch.setenv("BAO_CACERT_BYTES", text)
    connection = Connection.from_params({**dict.fromkeys(CONNECTION_SPEC), **HTTPS})
    context = ssl.create_default_context(cadata=connection.ca_pem)
    assert context.cert_store_stats()["x509_ca"] == 2


def test_a_key_that_is_none_or_of_another_certificate(tmp_path: pathlib.Path) -> None:
    own, other = (trustme.CA().issue_cert("me") for _number in range(2))
    cert, key, no_key = (tmp_path / name for name in ("cert", "key", "no-key"))
    own.cert_chain_pems[0].write_to_path(cert)
    other.private_key_pem.write_to_path(key)
    no_key.write_text("no key")
    for file, words in ((key, f'cannot be used with the certificate "{cert}"'), (no_key, "holds")):
        with pytest.raises(OptionError) as raised:
            begin({"client_cert": str(cert), "client_key": str(file)})
        assert f'client_key "{file}" {words}' in str(raised.value)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("BAO_", "VAULT_")) or name.lower().endswith(("_proxy", "_ca_bundle")):
            monkeypatch.delenv(name)


def begin(options: dict[str, t.Any]) -> None:
    """Do what a task does before its first request goes out."""
    connection = Connection.from_params({**dict.fromkeys(CONNECTION_SPEC), **options})
    with VaultClient(connection) as client:
        client._headers(connection.namespace, anonymous=False)


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_and_where_it_came_from(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    for variable, value in case.variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(OptionError) as raised:
        begin(case.options)
    message = str(raised.value)
    for part in case.told:
        assert part in message
    assert message.isprintable()
    assert not case.secret or case.secret not in message


@pytest.mark.parametrize("path", ["/vault", "/api/v1/vault", "/v1x", "/team/ui/x"])
def test_a_path_of_a_gateway_is_kept(path: str) -> None:
    begin({"url": f"http://h{path}"})


@pytest.mark.parametrize("url", ["http://h", "http://h:8200"])
def test_a_bundle_that_is_not_needed_does_not_matter(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nope")
    begin({"url": url})


@pytest.mark.parametrize("address", ["socks5://me:canary@p:1080", "socks4://p"])
def test_a_socks_proxy_without_its_library_mocked(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(
        OptionError, match=r"needs the Python library PySocks.*HTTPS_PROXY"
    ) as raised:
        begin({})
    assert "canary" not in str(raised.value)


def test_a_file_in_a_ca_folder_that_cannot_be_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ca.pem").symlink_to("/proc/self/mem")
    with pytest.raises(OptionError) as raised:
        begin({"ca_cert": str(tmp_path)})
    assert f'ca_cert "{tmp_path}/ca.pem" cannot be read: input/output error' in str(raised.value)


FILES = {
    "a folder without one": ("", "does not exist"),
    "a long name": (LONG, "cannot be read (File name too long)"),
    "a NUL": (NUL, "cannot be read (embedded null byte)"),
    "a file that cannot be read": ("/proc/self/mem", "cannot be read (Input/output error)"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_token_file(name: str, tmp_path: pathlib.Path) -> None:
    path, words = FILES[name]
    params = {"token": None, "token_path": path or str(tmp_path), "token_file": None}
    with pytest.raises(OptionError) as raised:
        read_token(params)
    assert words in str(raised.value)
    assert "from the option token_path" in str(raised.value)


def test_where_a_token_came_from(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".vault-token").write_text("canary\u00e9")
    params = {"token": None, "token_path": str(tmp_path), "token_file": None}
    with pytest.raises(
        OptionError, match=rf'\(from the file "{tmp_path}/.vault-token"\)'
    ) as raised:
        read_token(params)
    assert "canary" not in str(raised.value)
    monkeypatch.setenv("VAULT_TOKEN", "canary\ncanary")
    with pytest.raises(OptionError, match=r"\(from the variable VAULT_TOKEN\)"):
        read_token({**params, "token_path": None})


def test_a_token_file_that_the_task_names_beats_the_variable(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAO_TOKEN", "of-the-variable")
    (tmp_path / "low").write_text("of-the-file\n")
    nothing = {"token": None, "token_path": None, "token_file": None}
    assert read_token(nothing) == "of-the-variable"
    assert read_token({**nothing, "token_path": str(tmp_path / "low")}) == "of-the-file"
    assert read_token({**nothing, "token": "t", "token_path": str(tmp_path / "low")}) == "t"
    monkeypatch.setenv("BAO_TOKEN_PATH", str(tmp_path))
    assert read_token(nothing) == "of-the-variable"
    assert read_token({**nothing, "token_file": "low"}) == "of-the-file"
    with pytest.raises(OptionError) as raised:
        read_token({**nothing, "token_path": str(tmp_path / "none")})
    assert "the token from the variable BAO_TOKEN is not used beside token_path" in str(
        raised.value
    )
    assert f'the file "{tmp_path}/none" does not exist' in str(raised.value)


def test_the_default_is_an_origin() -> None:
    assert read_setting("url", None, ["ADDR"], "https://h").origin == "the default"
    with VaultClient(
        Connection.from_params({**dict.fromkeys(CONNECTION_SPEC), "url": "", "retries": 0})
    ) as client:
        assert client.connection.origins["url"] == (
            f'the default, as BAO_ADDR and VAULT_ADDR are not set on host "{platform.node()}"'
        )
