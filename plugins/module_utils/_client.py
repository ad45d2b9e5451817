# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to one Vault or OpenBao server: one session, one request(); nothing of plugins here.

API: https://developer.hashicorp.com/vault/api-docs and https://openbao.org/api-docs/
"""

from __future__ import annotations

import dataclasses
import json
import re
import socket
import ssl
import traceback
import typing as t
import warnings
from urllib.parse import quote

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    NotSent,
    OptionError,
    Refused,
    VaultError,
    one_line,
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

CONNECT_SECONDS = 10.0

# Idle firewalls and load balancers drop a silent connection while a plugin takes long to start.
_KEEP_ALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)] + [
    (socket.IPPROTO_TCP, getattr(socket, name), seconds)
    for name, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
    if hasattr(socket, name)
]

_CAPABILITIES = {"GET": "read", "LIST": "list", "POST": "update", "PUT": "update"}

# (status, a part of the server's words, what to do next): the first row that fits is told.
_NEXT_STEPS = (
    (503, "sealed", "unseal the server, then repeat the task"),
    (404, "namespace not found", "check the option namespace"),
    (404, "", "check url and namespace: this server has no such API path there"),
    (400, "HTTP request to an HTTPS server", "start url with https://"),
    (405, "", "check url: this does not look like the API of Vault or OpenBao"),
    (412, "", "repeat the task: this node has not caught up with the cluster yet"),
    (429, "", "a rate limit quota or a standby node refused the request: repeat the task later"),
    (500, "", "see the server's log"),
    (503, "", "see the server's log and its sys/health"),
)


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the server answered: ``data``, and ``auth`` of a login, are empty where it sent none."""

    status: int
    data: dict[str, t.Any]
    auth: dict[str, t.Any]
    warnings: list[str]
    request_id: str | None


class VaultClient:
    """One server, one namespace, one identity, one kept-alive session.

    Use it as a context manager.  The identity is set by whoever logs in: ``token``, or
    ``inline_headers`` that log in with each request and are sent instead.  ``secrets`` are all
    texts that no output may show; ``warnings`` are for the user.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.token: str | None = None
        self.inline_headers: dict[str, str] = {}
        self.secrets: set[str] = set()
        self.warnings: list[str] = []
        self._session = _new_session(connection)

    def __enter__(self) -> VaultClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()

    def request(
        self,
        method: str,
        path: str,
        body: t.Mapping[str, t.Any] | None = None,
        *,
        query: t.Mapping[str, str] | None = None,
        namespace: str | None = None,
        anonymous: bool = False,
        read_timeout: float | None = None,
    ) -> Answer:
        """Send one request to ``/v1/<path>``, once, and return the answer.

        ``namespace`` is another one than the connection's, ``""`` the root namespace.
        ``anonymous`` sends no identity, as a login needs it.
        ``read_timeout`` (seconds; default: the connection's timeout) bounds the wait for the
        answer; connecting is bounded on its own by CONNECT_SECONDS or the timeout, if shorter.
        There is no retry, and a redirect is refused.

        Raises NotSent, NoAnswer, Refused or OptionError, each with its next step.
        """
        connection = self.connection
        if namespace is None:
            namespace = connection.namespace
        url = f"{connection.url}/v1/{quote(path)}"
        where = f"{method} {url}"
        timeouts = (min(CONNECT_SECONDS, connection.timeout), read_timeout or connection.timeout)
        try:
            with warnings.catch_warnings():
                # validate_certs=false is the user's decision; it need not be told on stderr.
                warnings.simplefilter("ignore", InsecureRequestWarning)
                response = self._session.request(
                    method,
                    url,
                    params=query,
                    data=None if body is None else json.dumps(body),
                    headers=self._headers(namespace, anonymous),
                    timeout=timeouts,
                    verify=connection.verify,
                    allow_redirects=False,
                )
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _transport_error(error, connection.url, where, timeouts) from None
        return _answer(response, where, _hint_403(method, path, namespace))

    def _headers(self, namespace: str, anonymous: bool) -> dict[str, str]:
        # An agent or proxy may insist on X-Vault-Request, its guard against request forgery.
        headers = {"X-Vault-Request": "true", "Content-Type": "application/json"}
        if self.inline_headers and not anonymous:
            headers.update(self.inline_headers)
        elif self.token and not anonymous:
            headers["X-Vault-Token"] = self.token
        if namespace:
            headers["X-Vault-Namespace"] = namespace
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                option = name.rsplit("-", maxsplit=1)[-1].lower()
                raise OptionError(
                    f"{option} contains characters that no HTTP header can carry",
                    next_step="look for a line break or an invisible character in it",
                )
        return headers


def _hint_403(method: str, path: str, namespace: str) -> str:
    inside = f' in namespace "{namespace}"' if namespace else ""
    capability = _CAPABILITIES.get(method, "read")
    return (
        f"check that the token is valid{inside} and has the ACL capability "
        f'"{capability}" on "{path}"'
    )


def _new_session(connection: Connection) -> requests.Session:
    session = requests.Session()
    # Not the whole environment: a netrc entry for the host would add an Authorization header.
    session.trust_env = False
    session.proxies = get_environ_proxies(connection.url)
    session.headers["User-Agent"] = "ansible-collection/vaultops.vault"
    adapter = HTTPAdapter(max_retries=0)
    adapter.init_poolmanager(
        1, 1, block=False, socket_options=HTTPConnection.default_socket_options + _KEEP_ALIVE
    )
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _answer(response: requests.Response, where: str, hint_403: str) -> Answer:
    status = response.status_code
    if 300 <= status < 400:
        raise Refused(
            f"the server redirects to {_origin(response.headers.get('Location', ''))}",
            where=where,
            next_step="redirects are not followed: set url to the active node's own address",
            status=status,
        )
    body = _json_object(response)
    if body is None and status in (502, 503, 504):
        raise NoAnswer(
            f"a gateway before the server answered {status}",
            where=where,
            next_step="check the server behind it, and the gateway's own time limit",
            status=status,
        )
    if body is None and response.ok:
        raise NoAnswer(
            f"the answer ({status}) is not JSON",
            where=where,
            next_step="check that url is the address of the API of Vault or OpenBao",
            status=status,
        )
    body = body if body is not None else {"errors": [_excerpt(response)]}
    errors = [str(error) for error in body.get("errors") or []]
    if not response.ok:
        words = "; ".join(map(one_line, errors)) or response.reason or "no reason given"
        raise Refused(
            words,
            where=f"{status} from {where}",
            next_step=hint_403 if status == 403 else _next_step(status, words),
            status=status,
            errors=errors,
            request_id=body.get("request_id"),
        )
    return Answer(
        status=status,
        data=_dict(body.get("data")),
        auth=_dict(body.get("auth")),
        warnings=[str(warning) for warning in body.get("warnings") or []],
        request_id=body.get("request_id"),
    )


def _json_object(response: requests.Response) -> dict[str, t.Any] | None:
    if not response.content:
        return {}
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _dict(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}


def _excerpt(response: requests.Response) -> str:
    words = " ".join(response.text.split())
    return f"not JSON: {words[:120]}…" if len(words) > 120 else words


def _origin(location: str) -> str:
    """Return scheme and host of a redirect's target, without what else the location may carry."""
    scheme, separator, rest = location.partition("://")
    return f"{scheme}://{rest.split('/')[0].split('@')[-1]}" if separator else "another path"


def _next_step(status: int, words: str) -> str:
    for row_status, part, step in _NEXT_STEPS:
        if status == row_status and part in words:
            return step
    return ""


def _transport_error(
    error: Exception, url: str, where: str, timeouts: tuple[float, float]
) -> VaultError:
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
            "check ca_cert and the host name in url against the server's certificate, and that "
            "the server speaks TLS on this port"
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
        return NotSent(what, where=f"{where} was not sent", next_step=next_step)
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
    return words[:1].lower() + words[1:]
