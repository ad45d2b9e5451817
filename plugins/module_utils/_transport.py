# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How bytes get to the server: the session of `requests`, and what its failures mean."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import socket
import ssl
import tempfile
import traceback
import typing as t
import warnings
from urllib.parse import quote

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    NotSent,
    OptionError,
    Unreachable,
    VaultError,
)

if t.TYPE_CHECKING:
    from ansible_collections.vaultops.vault.plugins.module_utils._options import Connection

REQUESTS_IMPORT_ERROR: str | None
try:
    import requests
    from requests.adapters import HTTPAdapter
    from requests.utils import get_environ_proxies
    from urllib3.connection import HTTPConnection
    from urllib3.exceptions import (
        ConnectTimeoutError,
        HTTPError,
        InsecureRequestWarning,
        NewConnectionError,
    )
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

# Idle firewalls and load balancers drop a silent connection while a plugin takes long to start.
_KEEP_ALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)] + [
    (socket.IPPROTO_TCP, getattr(socket, name), seconds)
    for name, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
    if hasattr(socket, name)
]


@dataclasses.dataclass(frozen=True)
class Outgoing:
    """A request as it goes out: ``path`` is that of the API, ``patience`` the seconds we wait."""

    method: str
    path: str
    query: t.Mapping[str, str] | None
    headers: t.Mapping[str, str]
    content: str | None
    patience: float

    @property
    def api_path(self) -> str:
        """The path of the URL."""
        return f"/v1/{quote(self.path)}"


def base_url(connection: Connection) -> str:
    """Return the address as `requests` spells it: that of a unix socket is quoted as a host."""
    if connection.socket_path:
        return f"http+unix://{quote(connection.socket_path, safe='')}"
    return connection.url


def new_session(connection: Connection, open_files: contextlib.ExitStack) -> requests.Session:
    """Return a session for ``connection``; raises OptionError where a library is missing.

    A file that it needs for as long as it is used is put on ``open_files``.
    """
    session = requests.Session()
    # Not the whole environment: a netrc entry for the host would add an Authorization header.
    session.trust_env = False
    session.headers["User-Agent"] = "ansible-collection/vaultops.vault"
    session.verify = connection.verify
    if connection.ca_pem:
        session.verify = open_files.enter_context(_file_of(connection.ca_pem))
    session.cert = connection.client_cert
    if connection.socket_path:
        session.mount("http+unix://", _unix_adapter())
        return session
    session.proxies = dict(
        get_environ_proxies(connection.url) if connection.proxies is None else connection.proxies
    )
    adapter = HTTPAdapter(max_retries=0)
    pool: dict[str, t.Any] = {"socket_options": HTTPConnection.default_socket_options + _KEEP_ALIVE}
    if connection.server_name and connection.url.startswith("https://"):
        pool.update(server_hostname=connection.server_name, assert_hostname=connection.server_name)
    adapter.init_poolmanager(1, 1, block=False, **pool)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


@contextlib.contextmanager
def _file_of(text: str) -> t.Iterator[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(text)
        file.flush()
        yield file.name


def send(
    session: requests.Session, request: Outgoing, base: str, connection: Connection
) -> tuple[requests.Response, str]:
    """Send ``request`` to ``base`` once; return what came back, and the request in words.

    Raises NotSent or NoAnswer.
    """
    shown = connection.url if connection.socket_path else base
    where = f"{request.method} {shown}{request.api_path}"
    timeouts = (connection.connect_timeout, request.patience)
    try:
        with warnings.catch_warnings():
            # validate_certs=false is the user's decision; it need not be told on stderr.
            warnings.simplefilter("ignore", InsecureRequestWarning)
            response = session.request(
                request.method,
                base + request.api_path,
                params=request.query,
                data=request.content,
                headers=request.headers,
                timeout=timeouts,
                allow_redirects=False,
            )
    except (requests.RequestException, HTTPError, OSError) as error:
        raise _transport_error(error, shown, where, timeouts) from None
    return response, where


def _unix_adapter() -> t.Any:
    try:
        from requests_unixsocket import UnixAdapter
    except ImportError:
        raise OptionError(
            "a unix:// address needs the Python library requests-unixsocket2 where the task runs",
            next_step="install it, or let the agent listen on a TCP port of loopback",
        ) from None
    return UnixAdapter()


def _transport_error(
    error: Exception, url: str, where: str, timeouts: tuple[float, float]
) -> VaultError:
    """Return what ``error`` of `requests` means; ``timeouts`` are its own, in seconds."""
    connect_timeout, read_timeout = timeouts
    reason = _reason(error)
    next_step = "check the health of the server"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        what = f"no connection to {url} within {connect_timeout:g} s"
        next_step = "check url, the network and the firewall"
    elif isinstance(error, requests.exceptions.ReadTimeout):
        what = f"no answer within {read_timeout:g} s"
    elif isinstance(error, requests.exceptions.ProxyError):
        what = f"the proxy for {url} failed: {reason}"
        next_step = "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY where the task runs"
    elif isinstance(error, requests.exceptions.SSLError):
        what = f"no trusted TLS connection to {url}: {reason}"
        next_step = (
            "check ca_cert and the host name in url against the server's certificate, that the "
            "server speaks TLS on this port, and client_cert if the server demands one"
        )
    elif _certainly_not_sent(error):
        what = f"cannot connect to {url}: {reason}"
        next_step = "check url, and that the server runs and listens there"
    else:
        what = f"the connection broke before the answer: {reason}"
        if url.startswith("http://"):
            # A TLS server may hang up on plain HTTP before its refusal can be read.
            next_step = "check the health of the server, and whether url must start with https://"
    if _certainly_not_sent(error):
        # Only these may be better in a second: a certificate or a proxy will not be.
        lasting = (requests.exceptions.SSLError, requests.exceptions.ProxyError)
        kind = NotSent if isinstance(error, lasting) else Unreachable
        return kind(what, where=f"{where} was not sent", next_step=next_step)
    return NoAnswer(what, where=where, next_step=next_step)


def _certainly_not_sent(error: Exception) -> bool:
    """Tell whether the connection failed before the request went out; a doubt is a no."""
    causes = list(_causes(error))
    if any(isinstance(cause, (NewConnectionError, ConnectTimeoutError)) for cause in causes):
        return True
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        # An end of file may also be the server's end in the midst of the request.
        return not any(
            isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for cause in causes
        )
    return "Tunnel connection failed" in str(causes[-1])


def _causes(error: t.Any) -> t.Iterator[t.Any]:
    """Yield the error and what is wrapped in it, outermost first: libraries nest five deep."""
    for _depth in range(10):
        yield error
        wrapped = (getattr(error, "reason", None), *reversed(error.args))
        candidates = (*wrapped, error.__cause__, error.__context__)
        error = next((cause for cause in candidates if isinstance(cause, Exception)), None)
        if error is None:
            return


def _reason(error: Exception) -> str:
    """Return the innermost reason in a few words, without the libraries' object names."""
    innermost = list(_causes(error))[-1]
    words = (
        getattr(innermost, "verify_message", None)
        or getattr(innermost, "strerror", None)
        or str(innermost)
        or type(innermost).__name__
    )
    words = re.sub(r"^\[[^]]*\] | \(_ssl\.c:\d+\)$", "", words)
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]
