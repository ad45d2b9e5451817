# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the connection: their argument spec, their environment variables, what they mean."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.vaultops.vault.plugins.module_utils._durations import parse_duration
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError

DEFAULT_URL = "https://127.0.0.1:8200"
DEFAULT_TIMEOUT = "60s"

# No option has a default or a fallback in the spec: Ansible would fill it in before it looks at
# the aliases, and warn each user of an alias that "both the option and its alias are set".
CONNECTION_SPEC: dict[str, dict[str, t.Any]] = {
    "url": {"type": "str", "aliases": ["vault_address"]},
    "namespace": {"type": "str", "aliases": ["vault_namespace"]},
    "ca_cert": {"type": "path", "aliases": ["cacert", "ssl_ca_cert"]},
    "validate_certs": {"type": "bool"},
    "timeout": {"type": "str"},
}


@dataclasses.dataclass(frozen=True)
class Connection:
    """Where the server is and how to talk to it.

    ``url`` has no trailing slash; ``namespace`` is empty for the root namespace; ``verify`` is a
    CA file, True for the usual certificate authorities, False for none; ``timeout`` is in seconds.
    """

    url: str
    namespace: str
    verify: bool | str
    timeout: float

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Connection:
        """Read the options of CONNECTION_SPEC, else their variables; raises OptionError."""
        # An empty namespace is the root namespace, and as good an answer as any other.
        namespace = params["namespace"]
        if namespace is None:
            namespace = client_variable("NAMESPACE")
        return cls(
            url=_server_url(params["url"] or client_variable("ADDR") or DEFAULT_URL),
            namespace=namespace.strip().strip("/"),
            verify=_verify(params),
            timeout=parse_duration(
                params["timeout"] or client_variable("CLIENT_TIMEOUT") or DEFAULT_TIMEOUT, "timeout"
            ),
        )


def client_variable(name: str) -> str:
    """Return the variable BAO_``name``, else VAULT_``name``, else nothing.

    As for the command line clients, a BAO_x that is set wins even when it is empty.
    """
    return os.environ.get(f"BAO_{name}", os.environ.get(f"VAULT_{name}", ""))


def _server_url(text: str) -> str:
    url = text.strip().rstrip("/")
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


def _verify(params: t.Mapping[str, t.Any]) -> bool | str:
    if not _validate_certs(params["validate_certs"]):
        return False
    ca_cert = params["ca_cert"] or client_variable("CACERT")
    if not ca_cert:
        # As `requests` itself does, and as every other task on this host that uses it.
        return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    ca_file = pathlib.Path(ca_cert).expanduser()
    if not os.access(ca_file, os.R_OK):
        raise OptionError(
            f'ca_cert "{ca_file}" cannot be read',
            next_step="give a file of CA certificates in PEM form on the host that runs the task",
        )
    return str(ca_file)


def _validate_certs(option: bool | None) -> bool:
    if option is not None:
        return option
    skip = client_variable("SKIP_VERIFY") or "false"
    try:
        return not boolean(skip)
    except TypeError:
        raise OptionError(
            f'the variable BAO_SKIP_VERIFY or VAULT_SKIP_VERIFY is "{skip}"',
            next_step="set it to true or false, or set the option validate_certs",
        ) from None
