# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the connection: their argument spec, their environment variables, what they mean."""

from __future__ import annotations

import pathlib
import re
import types
import typing as t
from urllib.parse import urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    THE_DEFAULT,
    Setting,
    not_set,
    read_setting,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.tls import (
    read_client_cert,
    read_trust,
)
from ansible_collections.vaultops.vault.plugins.module_utils._parsing import parse_duration
from ansible_collections.vaultops.vault.plugins.module_utils._text import shown_url

DEFAULT_URL = "https://127.0.0.1:8200"
DEFAULT_TIMEOUT = "60"
DEFAULT_CONNECT_TIMEOUT = "10"
DEFAULT_RETRIES = 2
_MOST_DIGITS = 9
# What users copy along from a request, or from their browser.
_PAGES = {"v1": "the API", "ui": "the web interface"}
_PAGE = re.compile(r"(?P<base>.*)/(?P<page>v1|ui)/?|/(?P<first>v1|ui)/.*")
_SCHEMES = ("http", "https")
_SUCH_AS = "give an address such as https://vault.example.com:8200"
# What becomes of `{{ namespace }}` where no variable has that name.
_OF_JINJA = "jinja2.utils.Namespace"

# No option has a default or a fallback in the spec: Ansible would fill it in before it looks at
# the aliases, and warn each user of an alias that "both the option and its alias are set".
CONNECTION_SPEC: dict[str, dict[str, t.Any]] = {
    "url": {"type": "str", "aliases": ["vault_address"]},
    "namespace": {"type": "str", "aliases": ["vault_namespace"]},
    "ca_cert": {"type": "path", "aliases": ["cacert", "ssl_ca_cert"]},
    "validate_certs": {"type": "bool"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "tls_server_name": {"type": "str"},
    "proxies": {"type": "raw", "no_log": True},
    "timeout": {"type": "str"},
    "connect_timeout": {"type": "str"},
    "retries": {"type": "int"},
}


class Connection(t.NamedTuple):
    """Where the server is and how to talk to it.

    ``url`` has no trailing slash; ``socket_path`` is set for a unix:// address; ``namespace`` is
    empty for the root namespace; ``verify`` is a CA file, True for the usual certificate
    authorities, False for none; ``ca_pem`` are CA certificates that are in no file;
    ``client_cert`` are the files of certificate and key; ``server_name`` is the name to ask for
    and to check; ``proxies`` is None for those of the environment; both timeouts are in seconds.
    ``origins`` says of some options, by name, where their value came from.
    """

    url: str
    namespace: str = ""
    socket_path: str = ""
    verify: bool | str = True
    ca_pem: str = ""
    client_cert: tuple[str, str] | None = None
    server_name: str = ""
    proxies: t.Mapping[str, str] | None = None
    timeout: float = 60.0
    connect_timeout: float = 10.0
    retries: int = 2
    origins: t.Mapping[str, str] = types.MappingProxyType({})

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Connection:
        """Read the options of CONNECTION_SPEC, else their variables; raises OptionError."""
        url = read_setting("url", params["url"], ["ADDR"], DEFAULT_URL)
        url = url._replace(value=url.value.strip().rstrip("/"))
        is_socket = url.value.startswith("unix:")
        namespace = _namespace(params["namespace"])
        timeout = read_setting("timeout", params["timeout"], ["CLIENT_TIMEOUT"], DEFAULT_TIMEOUT)
        connect_timeout = params["connect_timeout"] or DEFAULT_CONNECT_TIMEOUT
        server_name = params["tls_server_name"]
        trust = read_trust(params, encrypted=url.value.lower().startswith("https:"))
        proxies = _proxies(params["proxies"])
        return cls(
            url=url.value if is_socket else _checked(url),
            socket_path=_socket_path(url) if is_socket else "",
            namespace=namespace.value.strip().strip("/"),
            verify=trust.verify,
            ca_pem=trust.pem,
            client_cert=read_client_cert(params),
            server_name=read_setting("tls_server_name", server_name, ["TLS_SERVER_NAME"]).value,
            proxies=proxies.value,
            timeout=parse_duration(timeout.value, "timeout", timeout.origin),
            connect_timeout=parse_duration(connect_timeout, "connect_timeout"),
            retries=_retries(params["retries"]),
            origins={
                "url": _origin_of_url(url),
                "namespace": namespace.origin,
                "ca_cert": trust.origin,
                "the CA file": trust.verify if isinstance(trust.verify, str) else "",
                "proxies": proxies.origin,
            },
        )


def checked_urls(urls: t.Iterable[str], option: str) -> list[str]:
    """Return each address in ``option`` once, its scheme in lower case; raises OptionError."""
    origin = f"from the option {option}"
    settings = [Setting(option, url.strip().rstrip("/"), origin) for url in urls]
    return list(dict.fromkeys(map(_checked, settings)))


def is_host_name(host: str) -> bool:
    """Tell whether ``host`` may be the name or the IP address of a host."""
    if not re.fullmatch(r"[\w.-]+|[0-9A-Fa-f:.]+(%\w+)?", host):
        return False
    try:
        host.encode("idna")  # as the socket does: labels that are empty or too long
    except UnicodeError:
        return False
    return True


def _checked(url: Setting) -> str:
    address = str(url.value)
    shown = shown_url(address)
    if "@" in address:
        # The text is not repeated: what stands before the @ may be a secret.
        raise url.error(
            "contains a user name or password",
            "give the bare address of the server and log in by a token",
        )
    _refuse_jinja(url)
    if "://" not in address and address:
        raise _without_scheme(url, shown)
    try:
        parts = urlsplit(address)
        page = _PAGE.fullmatch(parts.path)
        usable = parts.scheme in _SCHEMES and is_host_name(parts.hostname or "")
        usable = usable and "://" not in re.split("[?#]", address)[0].partition("://")[2]
        if usable and page:
            raise _of_a_page(url, shown, parts.path, page)
        usable = usable and parts.port != 0 and not parts.netloc.endswith(":")
        if usable and re.search("[?#]", address):
            raise url.error(
                f'"{shown}" is not the address of a server: a query or a fragment follows it',
                f'write "{shown}"',
            )
    except ValueError:
        usable = False
    if not usable or not address.isprintable() or " " in address:
        reason, next_step = _slip(shown)
        raise url.error(f'"{shown}" is not the address of a server{reason}', next_step)
    return parts.scheme + address[len(parts.scheme) :]


def _slip(shown: str) -> tuple[str, str]:
    """Return what is wrong with an address that has a scheme, if that is plain, and what to do."""
    scheme, mark, rest = shown.partition("://")
    if not mark:
        return ": it is empty", _SUCH_AS
    if re.match(r"https?://.", rest, re.IGNORECASE):
        return ": there are two schemes", f"write {rest}"
    if scheme.lower() not in _SCHEMES:
        return f': its scheme is "{scheme}"', _SUCH_AS
    port = re.search(r"(?<!:):([^:\]/]*)(?:/|$)", rest)
    number = port[1] if port else "1"
    if not number:
        return ": there is no port after the colon", _SUCH_AS
    is_port = number.isascii() and number.isdigit() and 0 < int(number[:6]) < 65536
    return ("" if is_port else f': "{number}" is no port'), _SUCH_AS


def _without_scheme(url: Setting, shown: str) -> OptionError:
    """Return the error for an address without ``http://``, or with a misspelled one."""
    what = f'"{shown}" is not the address of a server'
    if shown.startswith("/") and not shown.startswith("//"):
        return url.error(
            f"{what}: it is a path", f"{_SUCH_AS}, or unix://{shown} for the socket of an agent"
        )
    slip = re.match(r"(https?)(?::/*|//+)(?!\d+(?:/|$))", shown, re.IGNORECASE)
    rest = (shown[slip.end() :] if slip else shown).lstrip("/")
    host, slash, path = rest.partition("/")
    if re.fullmatch(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", host):
        host = f"[{host}]"
    page = _PAGE.fullmatch(slash + path)
    base = host + ((page["base"] or "") if page else (slash + path).rstrip("/"))
    if not base:
        return url.error(what, _SUCH_AS)
    if slip:
        scheme = slip[1].lower()
        return url.error(f"{what}: there is no :// after {scheme}", f"write {scheme}://{base}")
    return url.error(
        f"{what}: the scheme is missing",
        f"write https://{base}, or http://{base} where the server has no TLS",
    )


def _of_a_page(url: Setting, shown: str, path: str, page: re.Match[str]) -> OptionError:
    """Return the error for an address of something below that of the server.

    A gateway may have the server below a path of its own, even one such as /api/v1/vault.
    """
    base = shown.partition(path)[0] + (page["base"] or "")
    return url.error(
        f'"{shown}" is the address of {_PAGES[page["page"] or page["first"]]}, not of the server',
        f'write "{base}"',
    )


def _origin_of_url(url: Setting) -> str:
    if url.origin != THE_DEFAULT:
        return url.origin
    return f"{THE_DEFAULT}, as {not_set('ADDR')[0]}"


def _socket_path(url: Setting) -> str:
    """Return the path of a unix:// address; raises OptionError."""
    path = "/" + str(url.value)[len("unix:") :].lstrip("/")
    try:
        is_socket = pathlib.Path(path).is_socket()
    except (OSError, ValueError):
        is_socket = False
    if not is_socket:
        raise url.error(
            f'"{url.value}" is not the path of a unix socket',
            "give the socket of an agent, such as unix:///run/vault-agent.sock",
        )
    return path


def _proxies(option: t.Any) -> Setting:
    """Read the option, else the variables of the clients; None leaves it to the usual variables."""
    setting = read_setting("proxies", option or None, ["PROXY_ADDR", "HTTP_PROXY"], None)
    if setting.value is None:
        return setting
    # Imported here: few tasks need a proxy, and a module compiles what it imports.
    from ansible_collections.vaultops.vault.plugins.module_utils._http.proxies import read_proxies

    return read_proxies(setting)


def _namespace(option: str | None) -> Setting:
    # An empty namespace is the root namespace, and as good an answer as any other.
    if option == "":
        return Setting("namespace", "", "from the option namespace")
    namespace = read_setting("namespace", option, ["NAMESPACE"])
    _refuse_jinja(namespace)
    return namespace


def read_auth_namespace(option: str | None) -> str | None:
    """Return the namespace of a login, None for that of the work; raises OptionError."""
    if option is None:
        return None
    _refuse_jinja(Setting("auth_namespace", option, "from the option auth_namespace"))
    return option.strip().strip("/")


def _refuse_jinja(setting: Setting) -> None:
    if _OF_JINJA in setting.value:
        raise setting.error(
            f'is "{setting.value}": a template has used Jinja\'s own "namespace", as there is no '
            "variable, or field of a credential, of that name",
            "give it another name, such as vault_namespace",
        )


def _retries(option: int | None) -> int:
    setting = read_setting("retries", option, ["MAX_RETRIES"], DEFAULT_RETRIES)
    text = str(setting.value)
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise setting.error(
            f'"{text[:_MOST_DIGITS]}" is not a number of retries',
            "give 0 for none, or a small number",
        )
    return int(text)
