# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to one Vault or OpenBao server: one connection, one request(); nothing of plugins here.

API: https://developer.hashicorp.com/vault/api-docs and https://openbao.org/api-docs/
"""

from __future__ import annotations

import contextlib
import json
import time
import typing as t
from functools import partial
from urllib.parse import quote, unquote, urljoin, urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    NotSent,
    OptionError,
    PermissionDenied,
    Refused,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import (
    Answer,
    hint_403,
    is_about_namespace,
    read_answer,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import is_host_name
from ansible_collections.vaultops.vault.plugins.module_utils._http.distance import NEAR
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    as_header,
    fits_header,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.retries import Retries
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import (
    own_warnings,
    pause,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.transport import (
    READS,
    Outgoing,
    Transport,
    base_url,
)
from ansible_collections.vaultops.vault.plugins.module_utils._text import (
    printable,
    shortened,
    shown_url,
)

if t.TYPE_CHECKING:
    import requests

    from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection

_Read = t.Callable[["requests.Response", str], Answer]

_REDIRECTS = (301, 302, 307, 308)
# A path that each node answers without a token, and that a standby forwards as any other.
_OPEN_PATH = "sys/internal/ui/mounts"
_TOO_MANY = 429
_NEXT_ADDRESS = "set url to the address of the active node, or to one that forwards to it"


class VaultClient:
    """One server, one namespace, one identity, one kept-alive connection.

    Use it as a context manager.  The identity is set by whoever logs in: ``token``, or
    ``inline_headers`` that log in with each request and are sent instead; ``identity`` names it in
    messages.  ``secrets`` are all texts that no output may show; ``warnings`` are all that the task
    has for the user, in order; ``progress`` takes a line now and then, for one who watches a long
    wait; ``announce`` one that everybody is to see before something that must not be cut short.
    With ``forwarding`` off, the node itself answers, or refuses with 307.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.token: str | None = None
        self.inline_headers: dict[str, str] = {}
        self.identity = "the token"
        self.warnings: list[str] = []
        self.forwarding = True
        self.progress: t.Callable[[str], None] = _no_progress
        self.announce: t.Callable[[str], None] = _no_progress
        self._time_limit: float | None = None
        self._not_before = 0.0  # by time.monotonic(): a rate limit holds for all threads
        self._base = base_url(connection)
        self._answers = False  # whether the address has answered, rather than redirected
        self._transport = Transport(connection)
        self.secrets: set[str] = _proxy_secrets(self._transport.proxies)

    def __enter__(self) -> VaultClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self._transport.close()

    @property
    def near(self) -> bool:
        """Whether the server is known to be near, see NearServers."""
        return self.connection.url in NEAR

    @property
    def untried(self) -> bool:
        """Whether the next request shows whether the server takes any: see together()."""
        return False

    def warn(self, *warnings: str) -> None:
        """Add warnings for the user."""
        own = own_warnings()
        (self.warnings if own is None else own).extend(map(printable, warnings))

    @contextlib.contextmanager
    def time_limit(self, seconds: float) -> t.Iterator[None]:
        """Bound connecting and each wait for an answer inside, whatever else is set."""
        self._time_limit = seconds
        try:
            yield
        finally:
            self._time_limit = None

    def explained(self, error: PermissionDenied) -> Refused:
        """Return ``error``, or what it means for the token, as far as the client knows."""
        return error

    def request(
        self,
        method: str,
        path: str,
        body: t.Mapping[str, t.Any] | None = None,
        *,
        query: t.Mapping[str, str] | None = None,
        namespace: str | None = None,
        anonymous: bool = False,
        repeatable: bool | None = None,
        timeout: float | None = None,
        plain: bool = False,
        may_be_empty: bool | None = None,
    ) -> Answer:
        """Send a request to ``/v1/<path>`` and return the answer.

        ``namespace`` is another one than the connection's, ``""`` the root namespace.
        ``anonymous`` sends no identity, as a login needs it.
        ``repeatable`` (default: reads are) allows to send it again where the server may have got
        it; a request that the server certainly did not act on is sent again in any case, up to
        the connection's ``retries``, see retries.py.
        ``timeout`` (seconds; default: the connection's) bounds the wait for the answer; connecting
        is bounded on its own by the connection's connect_timeout.
        ``plain`` and ``may_be_empty`` (default: all but reads) say what the path answers, see
        read_answer().
        One redirect is followed, to the same host or to the cluster's leader, and all further
        requests go there, until it cannot be reached or does not answer as a server.  A standby
        also redirects what it forwarded when the connection to the leader broke: so a request that
        is not repeatable is followed only from an address that forwards nothing, else NoAnswer is
        raised.

        Raises NotSent, NoAnswer, Refused or OptionError, each with its next step.
        """
        require_path(path)
        if namespace is None:
            namespace = self.connection.namespace
        is_read = method in READS
        if repeatable is None:
            repeatable = is_read
        if may_be_empty is None:
            may_be_empty = not is_read
        read = partial(
            read_answer,
            hint_403=hint_403(method, path, namespace, self.identity),
            plain=plain,
            may_be_empty=may_be_empty,
            secrets=self.secrets,
        )
        outgoing = Outgoing(
            method=method,
            path=path,
            query=query,
            headers=self._headers(namespace, anonymous),
            content=None if body is None else json.dumps(body),
            timeout=self._time_limit or timeout or self.connection.timeout,
        )
        retries = Retries(self.connection.retries, repeatable)
        try:
            return self._until_answered(outgoing, retries, read)
        except Refused as error:
            if not is_about_namespace(error):
                raise
            step = f'check namespace "{namespace}"{self.origin_of(namespace)}'
            raise error.with_context(next_step=step) from error
        finally:
            if retries.count:
                self.warn(retries.warning(f"{method} {path}"))

    def origin_of(self, namespace: str) -> str:
        """Return where ``namespace`` came from, in words, nothing where no option says it."""
        origin = self.connection.origins.get("namespace", "")
        return f" ({origin})" if origin and namespace == self.connection.namespace else ""

    def _until_answered(self, outgoing: Outgoing, retries: Retries, read: _Read) -> Answer:
        while True:
            self._keep_to_rate_limit()
            try:
                return self._exchange(outgoing, retries.repeatable, read)
            except VaultError as error:
                wait = retries.next_wait(error)
                if wait is None:
                    raise
                if error.status == _TOO_MANY:
                    self._not_before = max(self._not_before, time.monotonic() + wait)
                else:
                    pause(wait)

    def _keep_to_rate_limit(self) -> None:
        """Wait as long as the server asked for, whichever thread it told."""
        while True:
            left = self._not_before - time.monotonic()
            if left <= 0:
                return
            pause(left)

    def _exchange(self, outgoing: Outgoing, repeatable: bool, read: _Read) -> Answer:
        home = base_url(self.connection)
        base = self._base  # another thread may follow a redirect meanwhile
        try:
            response, where = self._send(outgoing, base)
            if response.status_code in _REDIRECTS:
                response, where = self._redirected(outgoing, base, repeatable, response, where)
            else:
                self._answers = True
        except (NotSent, NoAnswer) as error:
            # The leader that a redirect led to may be gone: back to the address of the user.
            if isinstance(error, NotSent) or base != home:
                self._go_to(home)
            raise
        try:
            return read(response, where)
        except (NoAnswer, Refused) as error:
            # Or it may be no leader at all.
            if self._base != home and (isinstance(error, NoAnswer) or error.status == 404):
                self._go_to(home)
            raise

    def _send(self, outgoing: Outgoing, base: str) -> tuple[requests.Response, str]:
        return self._transport.send(outgoing, base)

    def _go_to(self, base: str) -> None:
        self._base, self._answers = base, False

    def _redirected(
        self,
        outgoing: Outgoing,
        base: str,
        repeatable: bool,
        response: requests.Response,
        where: str,
    ) -> tuple[requests.Response, str]:
        """Follow the redirect in ``response`` of the server at ``base``; raises VaultError."""
        if not self.forwarding:
            raise _refused_redirect(response, where, "which is not the node that was asked")
        # A read may go out again, whoever had it: but for one that is to be sent once.
        matters = not repeatable or outgoing.method not in READS
        may_be_done = matters and self._forwards(base)
        try:
            target = self._redirected_base(response, outgoing, base, where)
            self._go_to(target)
        except Refused as error:
            raise _maybe_done(error) if may_be_done else error from None
        if may_be_done and not repeatable:
            raise _maybe_done(_refused_redirect(response, where, "while it answers other requests"))
        try:
            response, where = self._send(outgoing, target)
        except NotSent as error:
            if not matters:
                raise
            # The leader is gone: it may have been there when the standby got the request.
            self._go_to(base_url(self.connection))
            next_step = error.next_step
            raise NoAnswer(error.what, where=f"{where}, redirected", next_step=next_step) from None
        if response.status_code in _REDIRECTS:
            refused = _refused_redirect(response, where, "after a first redirect")
            raise _maybe_done(refused) if matters and self._forwards(target) else refused
        self._answers = True
        return response, where

    def _forwards(self, base: str) -> bool:
        """Tell whether the address that redirected answers others, so that it may forward."""
        if self._answers:
            return True
        try:
            response, _where = self._send(self._anonymous(_OPEN_PATH), base)
        except VaultError:
            return True  # as good as unknown
        return response.status_code not in _REDIRECTS

    def _redirected_base(
        self, response: requests.Response, outgoing: Outgoing, base: str, where: str
    ) -> str:
        """Return the address that a redirect from ``base`` leads to, if our token may go there."""
        here, location = urlsplit(base), response.headers.get("Location", "")
        try:
            there = urlsplit(urljoin(base + outgoing.api_path, location))
            usable = there.scheme in ("http", "https") and there.port != 0
        except ValueError:
            usable = False
        if not usable or not is_host_name(there.hostname or ""):
            raise _refused_redirect(response, where, "which is not the address of a server")
        # Without the user name and password that it may have.
        target = f"{there.scheme}://{there.netloc.rpartition('@')[2]}"
        if here.scheme == "https" and there.scheme != "https":
            raise _refused_redirect(response, where, "which is not encrypted")
        # Servers escape a path in their own ways.
        start, found, rest = unquote(there.path).partition(unquote(outgoing.api_path))
        if not found or rest.strip("/"):
            raise _refused_redirect(response, where, "which is another path")
        if there.hostname != here.hostname and target != self._leader(base):
            raise _refused_redirect(
                response, where, f'which "{here.netloc}" does not name as its leader'
            )
        return target + quote(start)

    def _leader(self, base: str) -> str:
        """Return the address that the server at ``base`` advertises as the leader's, else nothing.

        API: https://openbao.org/api-docs/system/leader/
        """
        try:
            response, where = self._send(self._anonymous("sys/leader"), base)
            address = read_answer(response, where, "", plain=True).plain.text("leader_address")
        except VaultError:
            return ""
        return address.rstrip("/")

    def _anonymous(self, path: str) -> Outgoing:
        timeout = self._time_limit or self.connection.timeout
        return Outgoing("GET", path, None, {"X-Vault-Request": "true"}, None, timeout)

    def _headers(self, namespace: str, anonymous: bool) -> dict[str, str]:
        # An agent or proxy may insist on X-Vault-Request, its guard against request forgery.
        headers = {"X-Vault-Request": "true", "Content-Type": "application/json"}
        if self.inline_headers and not anonymous:
            headers.update(self.inline_headers)
        elif self.token and not anonymous:
            headers["X-Vault-Token"] = self.token
        if namespace:
            headers["X-Vault-Namespace"] = namespace
        if not self.forwarding:
            headers["X-Vault-No-Request-Forwarding"] = "true"
        for name, value in headers.items():
            if not fits_header(value):
                option = name.rsplit("-", maxsplit=1)[-1].lower()
                raise OptionError(
                    f"{option} contains characters that no HTTP header can carry",
                    where=self.connection.origins.get(option, ""),
                    next_step="look for a line break or an invisible character in it",
                )
        return {name: as_header(value) for name, value in headers.items()}


def _proxy_secrets(proxies: t.Mapping[str, str]) -> set[str]:
    if not proxies:
        return set()
    # Imported here: few tasks need a proxy, and a module compiles what it imports.
    from ansible_collections.vaultops.vault.plugins.module_utils._http.proxies import proxy_secrets

    return proxy_secrets(proxies)


def _no_progress(_line: str) -> None:
    pass


def require_path(path: str) -> None:
    """Raise OptionError where the request would go to another path, or cannot go anywhere."""
    # Libraries and servers take such segments away, together with what stands before them.
    if {".", ".."}.intersection(path.split("/")) or not _is_text(path):
        raise OptionError(
            f'no request can go to the path "{shortened(path)}"',
            next_step='leave ".", ".." and characters that are none out of what makes up this path',
        )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a pair of UTF-16
        return False
    return True


def _target(response: requests.Response) -> str:
    """Return where a redirect leads, as far as it can be shown."""
    location = response.headers.get("Location", "")
    scheme, mark, rest = location.partition("://")
    # Only scheme and host: the rest of a location may carry a secret.
    shown = shown_url(f"{scheme}{mark}{rest}").partition("://")[2].split("/")[0]
    return f"{scheme}{mark}{shown}" if mark else "another path"


def _refused_redirect(response: requests.Response, where: str, why: str) -> Refused:
    return Refused(
        f"the server redirects to {_target(response)}, {why}, so the request was not sent there",
        where=where,
        next_step=_NEXT_ADDRESS,
        status=response.status_code,
    )


def _maybe_done(error: Refused) -> NoAnswer:
    """Return what a redirect means of a server that may have forwarded the request before."""
    what = f"{error.what}, but it may have been forwarded before"
    return error.told_as(NoAnswer, what, error.next_step)
