# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How bytes get to the server: the connection of `requests`."""

from __future__ import annotations

import functools
import os
import socket
import time
import traceback
import typing as t
import zlib
from urllib.parse import quote, urlsplit
from urllib.request import getproxies

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    OptionError,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.distance import NEAR
from ansible_collections.vaultops.vault.plugins.module_utils._http.exchange import (
    EXCHANGE,
    BoundedConnection,
    bounded,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import MOST_CONNECTIONS
from ansible_collections.vaultops.vault.plugins.module_utils._http.trust import (
    TlsSettings,
    context_for,
)
from ansible_collections.vaultops.vault.plugins.module_utils._parsing import LONGEST_DURATION
from ansible_collections.vaultops.vault.plugins.module_utils._text import shown_url

if t.TYPE_CHECKING:
    from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection

REQUESTS_IMPORT_ERROR: str | None
try:
    import requests
    from requests.adapters import HTTPAdapter
    from requests.utils import get_environ_proxies, select_proxy
    from urllib3 import disable_warnings
    from urllib3.connection import HTTPConnection
    from urllib3.exceptions import InsecureRequestWarning
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

# So many bytes an answer may have, unpacked: a list of 8,000 mounts has a quarter of it.
LARGEST_ANSWER = 32 * 1024 * 1024
_CHUNK = 64 * 1024
# What changes nothing.
READS = ("GET", "LIST")

_HEADERS = {
    "User-Agent": "ansible-collection/vaultops.vault",
    "Accept-Encoding": "gzip",
    "Accept": "*/*",
}


class Outgoing(t.NamedTuple):
    """A request as it goes out: ``path`` is that of the API, ``timeout`` is in seconds."""

    method: str
    path: str
    query: t.Mapping[str, str] | None
    headers: t.Mapping[str, str]
    content: str | None
    timeout: float

    @property
    def api_path(self) -> str:
        """The path of the URL."""
        return f"/v1/{quote(self.path)}"


def base_url(connection: Connection) -> str:
    """Return the address as `requests` spells it: that of a unix socket is quoted as a host."""
    if connection.socket_path:
        return f"http+unix://{quote(connection.socket_path, safe='')}"
    return connection.url


class Transport:
    """The connections to a server, kept alive, and how it is to be trusted.

    It is an adapter of `requests` without its Session: a Session merges cookies, netrc and the
    environment into each request, which must not be and costs time (docs/performance.md).
    ``proxies`` are those in use, by scheme.
    """

    def __init__(self, connection: Connection) -> None:
        """Prepare the connection; raises OptionError where a library is missing."""
        self._shown_url = connection.url
        self._is_socket = bool(connection.socket_path)
        self._connect_timeout = connection.connect_timeout
        self._origins = connection.origins
        self._spoken: set[str] = set()  # addresses that have answered
        self._verify = bool(connection.verify)
        if not self._verify:
            # The user decided it: no warning on stderr.
            disable_warnings(InsecureRequestWarning)
        self.proxies: dict[str, str] = {} if self._is_socket else _proxies(connection)
        self._key = _key(connection, self.proxies)
        self._adapter = _taken(self._key) or _new_adapter(connection)

    def close(self) -> None:
        """Leave the connections to the next task of this process that may use them."""
        _keep(self._key, self._adapter)

    def send(self, request: Outgoing, base: str) -> tuple[requests.Response, str]:
        """Send ``request`` to ``base`` once; return what came back, and the request in words.

        Raises NotSent or NoAnswer.
        """
        shown = self._shown_url if self._is_socket else shown_url(base)
        where = f"{request.method} {shown}{request.api_path}"
        timeout = min(request.timeout, LONGEST_DURATION)
        timeouts = (min(self._connect_timeout, timeout), timeout)
        since = time.monotonic()
        EXCHANGE.begin(timeout, is_read=request.method in READS)
        try:
            response = self._adapter.send(
                _prepared(request, base),
                timeout=timeouts,
                verify=self._verify,
                proxies=self.proxies,
            )
            # Read here, where an error of the connection is handled.
            response._content = _content(response, where)
        except VaultError:
            raise
        except Exception as error:  # noqa: BLE001 - the libraries' own families have no end
            # Imported here, as most tasks never need it and a module compiles what it imports.
            from ansible_collections.vaultops.vault.plugins.module_utils._http import (
                transport_errors,
            )

            raise transport_errors.transport_error(
                error, shown, where, timeouts, EXCHANGE.sent, self._origins, base in self._spoken
            ) from None
        self._spoken.add(base)
        if EXCHANGE.is_read and not EXCHANGE.connected:
            NEAR.note(self._shown_url, time.monotonic() - since)
        # JSON has no other, whatever the server says.
        response.encoding = "utf-8"
        return response, where


def _content(response: requests.Response, where: str) -> bytes:
    """Read the body of ``response`` and unpack it; raises NoAnswer where it is too large."""
    chunks, size = [], 0
    while True:
        chunk = response.raw.read(_CHUNK, decode_content=False)
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_ANSWER:
            response.close()
            raise _too_large(response, where)
    if response.raw.length_remaining:
        raise ConnectionError("the answer ends too early")
    content = b"".join(chunks)
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if not content or encoding in ("", "identity"):
        return content
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ConnectionError("the answer is packed in a way that was not asked for")
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # either header
    content = unpacking.decompress(content, LARGEST_ANSWER + 1)
    if len(content) > LARGEST_ANSWER:
        raise _too_large(response, where)
    if not unpacking.eof:
        raise ConnectionError("the answer ends too early")
    return content


def _too_large(response: requests.Response, where: str) -> NoAnswer:
    return NoAnswer(
        f"the answer is larger than {LARGEST_ANSWER // 1024**2} MB",
        where=where,
        next_step="check that url is the address of the API of Vault or OpenBao",
        status=response.status_code,
    )


def _prepared(request: Outgoing, base: str) -> requests.PreparedRequest:
    prepared = requests.PreparedRequest()
    # Its steps one by one: cookies and authentication are none of the API's.
    prepared.prepare_method(request.method)
    prepared.prepare_url(base + request.api_path, request.query)
    prepared.prepare_headers({**_HEADERS, **request.headers})
    prepared.prepare_body(request.content, None)
    return prepared


def _proxies(connection: Connection) -> dict[str, str]:
    """Return the proxies by scheme; raises OptionError where that of the url is none."""
    if connection.proxies is not None:
        return dict(connection.proxies)
    # The usual case is none at all, which is known at a tenth of the price.
    proxies = dict(get_environ_proxies(connection.url)) if getproxies() else {}
    proxies = {scheme: address for scheme, address in proxies.items() if address.strip()}
    chosen = select_proxy(connection.url, proxies) if proxies else None
    if chosen:
        # Imported here: few tasks need a proxy, and a module compiles what it imports.
        from ansible_collections.vaultops.vault.plugins.module_utils._http.proxies import (
            check_proxy,
            usual_variable,
        )

        check_proxy(usual_variable(urlsplit(connection.url).scheme, chosen))
    return proxies


def tls_settings(connection: Connection) -> TlsSettings:
    """Return what makes the TLS context of ``connection``."""
    return TlsSettings(
        connection.verify, connection.ca_pem, connection.client_cert, connection.server_name
    )


# The connections that the last tasks of this process left, by all that they depend on: a loop
# goes on with them.  Who somebody is, is in the headers of each request.
_Key = t.Tuple[t.Any, ...]
_kept: dict[_Key, t.Any] = {}
_MOST_KEPT = 8


def _key(connection: Connection, proxies: t.Mapping[str, str]) -> _Key | None:
    """Return what kept connections must agree in, None where none is to be kept."""
    if connection.socket_path:
        return None
    settings = tls_settings(connection)
    encrypted = connection.url.startswith("https:")
    try:
        state = settings.state() if encrypted else ()
    except OSError:
        return None
    # A connection that was made before a fork is the parent's.
    return (
        os.getpid(),
        connection.url,
        settings,
        state,
        tuple(sorted(proxies.items())),
    )


def _taken(key: _Key | None) -> t.Any:
    """Return what was kept under ``key``, which is this task's alone from now on, None for none."""
    return None if key is None else _kept.pop(key, None)


def _keep(key: _Key | None, adapter: t.Any) -> None:
    if key is None or key in _kept:
        adapter.close()
        return
    _kept[key] = adapter
    while len(_kept) > _MOST_KEPT:
        _kept.pop(next(iter(_kept))).close()


def _new_adapter(connection: Connection) -> t.Any:
    return _unix_adapter() if connection.socket_path else _tcp_adapter(connection)


def _tcp_adapter(connection: Connection) -> HTTPAdapter:
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=MOST_CONNECTIONS, max_retries=0)
    settings = tls_settings(connection)
    pool: dict[str, t.Any] = {"socket_options": HTTPConnection.default_socket_options + _KEEP_ALIVE}
    if connection.server_name and connection.url.startswith("https://"):
        pool.update(server_hostname=connection.server_name, assert_hostname=connection.server_name)
    adapter.init_poolmanager(1, MOST_CONNECTIONS, block=False, **pool)
    _bound(adapter.poolmanager)
    through = adapter.proxy_manager_for

    def proxy_manager_for(proxy: str, **more: t.Any) -> t.Any:
        # What holds for a connection holds for one through a proxy.
        if proxy.lower().startswith("https:"):
            # Our own certificate is for the server.
            proxy_settings = settings._replace(client_cert=None, server_name="")
            more["proxy_ssl_context"] = context_for(proxy_settings)
        return _bound(through(proxy, **{**pool, **more}))

    def cert_verify(pool: t.Any, url: str, verify: t.Any, _cert: t.Any) -> None:
        pool.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"
        if url.lower().startswith("https:"):
            settings.state()  # a file that is gone is known before anything is tried
            pool.trust = functools.partial(context_for, settings)

    setattr(adapter, "proxy_manager_for", proxy_manager_for)  # noqa: B010 - else a type error
    setattr(adapter, "cert_verify", cert_verify)  # noqa: B010 - else a type error
    return adapter


def _bound(manager: t.Any) -> t.Any:
    """Return the pool manager with pools whose connections are bounded."""
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: bounded(pool) for scheme, pool in pools.items()}
    return manager


def _unix_adapter() -> t.Any:
    try:
        from requests_unixsocket import adapters
    except ImportError:
        raise OptionError(
            "a unix:// address needs the Python library requests-unixsocket2 where the task runs",
            next_step="install it, or let the agent listen on a TCP port of loopback",
        ) from None

    class Socket(BoundedConnection, adapters.UnixHTTPConnection):
        pass

    class Adapter(adapters.UnixAdapter):
        def get_connection(self, url: str, proxies: t.Any = None) -> t.Any:
            pool = super().get_connection(url, proxies)
            pool._new_conn = functools.partial(Socket, pool.socket_path, pool.timeout)
            return pool

    return Adapter()
