# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the connection: their argument spec, their environment variables, what they mean."""

from __future__ import annotations

import pathlib
import typing as t
from urllib.parse import urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    client_variable,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.proxies import read_proxies
from ansible_collections.vaultops.vault.plugins.module_utils._http.tls import (
    read_client_cert,
    read_trust,
)
from ansible_collections.vaultops.vault.plugins.module_utils._parsing import parse_duration

DEFAULT_URL = "https://127.0.0.1:8200"
DEFAULT_TIMEOUT = "60"
DEFAULT_CONNECT_TIMEOUT = "10"
DEFAULT_RETRIES = 2

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

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Connection:
        """Read the options of CONNECTION_SPEC, else their variables; raises OptionError."""
        # An empty namespace is the root namespace, and as good an answer as any other.
        namespace = params["namespace"]
        if namespace is None:
            namespace = client_variable("NAMESPACE")
        url = (params["url"] or client_variable("ADDR") or DEFAULT_URL).strip().rstrip("/")
        timeout = params["timeout"] or client_variable("CLIENT_TIMEOUT") or DEFAULT_TIMEOUT
        trust = read_trust(params)
        return cls(
            url=url if url.startswith("unix:") else checked_url(url),
            socket_path=_socket_path(url),
            namespace=namespace.strip().strip("/"),
            verify=trust.verify,
            ca_pem=trust.pem,
            client_cert=read_client_cert(params),
            server_name=params["tls_server_name"] or client_variable("TLS_SERVER_NAME"),
            proxies=read_proxies(params["proxies"]),
            timeout=parse_duration(timeout, "timeout"),
            connect_timeout=parse_duration(
                params["connect_timeout"] or DEFAULT_CONNECT_TIMEOUT, "connect_timeout"
            ),
            retries=_retries(params["retries"]),
        )


def checked_url(url: str) -> str:
    """Return the address of a server if it is one; raises OptionError."""
    if "@" in url:
        # The text is not repeated: what stands before the @ may be a secret.
        raise OptionError(
            "url contains a user name or password",
            next_step="give the bare address of the server and log in by a token",
        )
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise OptionError(
            f'url "{url}" is not the address of a server',
            next_step="give an address such as https://vault.example.com:8200",
        )
    return url


def _socket_path(url: str) -> str:
    """Return the path of a unix:// address, nothing for any other; raises OptionError."""
    if not url.startswith("unix:"):
        return ""
    path = url[len("unix:") :]
    path = "/" + path.lstrip("/")
    if not pathlib.Path(path).is_socket():
        raise OptionError(
            f'url "{url}" is not the path of a unix socket',
            next_step="give the socket of an agent, such as unix:///run/vault-agent.sock",
        )
    return path


def _retries(option: int | None) -> int:
    if option is None:
        text = client_variable("MAX_RETRIES") or str(DEFAULT_RETRIES)
        option = int(text) if text.isdigit() else -1
    if option < 0:
        raise OptionError(
            "retries, or BAO_MAX_RETRIES or VAULT_MAX_RETRIES, is not a number of retries",
            next_step="give 0 for none, or a small number",
        )
    return option
