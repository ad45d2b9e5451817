# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that logs in when it must, and revokes the token that it made.

Inline authentication: https://openbao.org/docs/rfcs/inline-auth
"""

from __future__ import annotations

import base64
import json
import threading
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import LoginRequest
from ansible_collections.vaultops.vault.plugins.module_utils._auth.methods import Identity
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    LoginFailed,
    NoAnswer,
    OptionError,
    PermissionDenied,
    Refused,
    TokenNotAccepted,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import fits_header
from ansible_collections.vaultops.vault.plugins.module_utils._http.interruption import (
    is_interrupted,
    uninterrupted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.retries import (
    NO_LOGIN_NAMESPACE,
    WITH_MFA,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import shielded
from ansible_collections.vaultops.vault.plugins.module_utils._http.transport import READS

if t.TYPE_CHECKING:
    import requests

    from ansible_collections.vaultops.vault.plugins.module_utils._auth.wrapping import Wrapping
    from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import Connection
    from ansible_collections.vaultops.vault.plugins.module_utils._http.transport import Outgoing

_INLINE = "X-Vault-Inline-Auth-"
_INLINE_FAILED = ("failed to perform inline authentication", NO_LOGIN_NAMESPACE)
# The words for a request without a token: of an old Vault, and of a standby for path help.
_NO_TOKEN = ("missing client token", "please forward to the active node")
_ROOT = "root"
# A task that is interrupted waits so many seconds for the revocation of its token.
LAST_SECONDS = 10.0
# What it costs to end at once, while the server may be at work.
_CUT_SHORT = "if the request is cut short, it is unknown what the server did"
_STAYS_VALID = "a token that the server has made by then stays until its lease ends"


class Session(VaultClient):
    """A client with an identity.

    Nothing is sent for the identity before the first request that needs it.  ``mode`` is that of
    the option auth_mode; ``takes_inline_auth`` tells whether the server understands a login in
    headers, None for unknown: else no credentials are sent there.  ``before_first_request`` is
    called once, before anything of the identity is sent.  ``auth_namespace`` is the namespace of
    the login, None for that of the work; ``mfa_passcode`` proves its second factor.  Whatever
    happens, the end of the ``with`` block revokes the token that a login made, unless
    ``keep_token`` is set.
    """

    def __init__(self, connection: Connection, mode: str = "auto") -> None:
        super().__init__(connection)
        self.keep_token = False
        self._mode = mode
        self._method = ""
        self._login: LoginRequest | None = None
        self._wrapping: Wrapping | None = None
        self._token_is_invalid = False
        self.auth_namespace: str | None = None
        self.mfa_passcode: str | None = None
        self._made: dict[str, t.Any] = {}
        self._inline_wanted = False
        self._inline_works = False
        # Health checks run in threads: one of them logs in, and each sees its own answer.
        self._lock = threading.Lock()
        self._answered = threading.local()
        self.takes_inline_auth: t.Callable[[], bool | None] = lambda: None
        self.before_first_request: t.Callable[[], None] | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def untried(self) -> bool:
        """Whether a check or a login goes before or with the next request, and may be refused."""
        untaken = self._login is not None and not self.token and not self._inline_works
        return untaken or self.before_first_request is not None

    def close(self) -> None:
        """Revoke the token that a login made, and end the connection; may be repeated."""
        try:
            with uninterrupted("the token's revocation", changes=False):
                if self._made and not self.keep_token:
                    limit = LAST_SECONDS if is_interrupted() else self.connection.timeout
                    with self.time_limit(limit):
                        self._revoke()
                self._made = {}
        finally:
            super().__exit__()

    def adopt(self, identity: Identity) -> None:
        """Be ``identity`` from now on."""
        self.secrets.update(identity.secrets)
        self._method, self.token, self._login = identity.method, identity.token, identity.login
        self._wrapping = identity.wrapping
        self.identity = _named(identity)
        # A passcode goes with a login of its own, and ages.
        may = self._mode == "auto" and identity.repeatable and not self.mfa_passcode
        wanted = self._mode == "inline" or may
        self._inline_wanted = wanted and identity.login is not None

    def request(self, *args: t.Any, anonymous: bool = False, **more: t.Any) -> Answer:
        """Send a request as VaultClient does, with the identity that was adopted.

        Raises LoginFailed too.
        """
        if anonymous:
            return super().request(*args, anonymous=True, **more)
        with self._lock:
            self._ensure_identity()
        if args[0] in READS:
            return self._request_as(*args, **more)
        # Cut short, it would be unknown what the server did.
        with uninterrupted(
            f"the answer to {args[0]} {args[1]}",
            _CUT_SHORT,
            more.get("timeout") or self.connection.timeout,
        ):
            return self._request_as(*args, **more)

    def _request_as(self, *args: t.Any, **more: t.Any) -> Answer:
        if self.inline_headers:
            return self._request_inline(*args, **more)
        return self._request_by_token(*args, **more)

    def _request_by_token(self, *args: t.Any, **more: t.Any) -> Answer:
        try:
            return super().request(*args, **more)
        except PermissionDenied as error:
            raise self.explained(error) from None

    def explained(self, error: PermissionDenied) -> Refused:
        """Return the error, or what it means where the server does not accept the token at all."""
        # Imported here: only a refused request needs it.
        from ansible_collections.vaultops.vault.plugins.module_utils._auth import refused_token

        if not self.token or not refused_token.is_invalid(error):
            return error
        if not (self._token_is_invalid or refused_token.is_certain(error) or self._looks_invalid()):
            return error
        self._token_is_invalid = True
        return refused_token.not_accepted(error, self.identity)

    def _looks_invalid(self) -> bool:
        """Tell whether the server does not accept the token for itself either."""
        from ansible_collections.vaultops.vault.plugins.module_utils._auth import refused_token

        try:
            super().request("GET", "auth/token/lookup-self")
        except PermissionDenied as error:
            return refused_token.is_invalid(error)
        except VaultError:
            pass  # as good as unknown
        return False

    def _ensure_identity(self) -> None:
        """Log in, or prepare the login that goes with each request, before the first request."""
        self._check_server()
        self._unwrap()
        if self._inline_wanted:
            self._prepare_inline()
            self._inline_wanted = False
        if self._login and not self.token and not self.inline_headers:
            self.log_in()

    def _check_server(self) -> None:
        if self.before_first_request is not None:
            self.before_first_request()
            self.before_first_request = None  # only now: what failed is checked again

    def _prepare_inline(self) -> None:
        """Put the login into headers, where the server understands them; raises OptionError."""
        understood = self.takes_inline_auth()
        if understood is False and self._mode == "inline":
            raise OptionError(
                "this server has no inline authentication: it is HashiCorp Vault",
                next_step="set auth_mode to login, or leave it out",
            )
        if self._login is None or (not understood and self._mode == "auto"):
            return
        if not fits_header(self._login.path):
            if self._mode == "auto":
                return  # a login of its own has it in its address
            raise OptionError(
                "mount_point contains characters that no HTTP header can carry",
                next_step="set auth_mode to login, or look for an invisible character in it",
            )
        self.inline_headers = _inline_headers(
            self._login, self._login_namespace(), self.connection.namespace
        )
        self.secrets.update(
            value for name, value in self.inline_headers.items() if "-Parameter-" in name
        )

    def log_in(self) -> dict[str, t.Any]:
        """Log in, work with the token from now on, and return what the server says of it."""
        login = self._login
        if login is None:
            raise AssertionError("adopt an identity with a login first")
        self._check_server()
        self._unwrap()
        login = self._login or login
        # A token that was made has to be known, to be revoked.
        what, limit = "the answer to the login", self.connection.timeout
        with shielded(), uninterrupted(what, _STAYS_VALID, limit, changes=False):
            self._take_token(login)
        return self._made

    def _take_token(self, login: LoginRequest) -> None:
        try:
            answer = self._request_login(login.path, login.body)
            if not answer.auth.text("client_token"):
                # Imported here: few logins need it.
                from ansible_collections.vaultops.vault.plugins.module_utils._auth import (
                    second_factor,
                )

                proof = second_factor.validation(self._method, answer, self.mfa_passcode)
                try:
                    answer = self._request_login(second_factor.VALIDATE, proof)
                except Refused as error:
                    raise second_factor.refused(self._method, error) from None
            auth = answer.auth
            token = auth.required_text("client_token")
        except LoginFailed:
            raise
        except VaultError as error:
            raise _login_failed(self._method, login, error, self._login_place()) from None
        self.token, self._made, self.inline_headers = token, auth.as_dict(), {}
        self.secrets.add(token)

    def _request_login(self, path: str, body: t.Mapping[str, t.Any]) -> Answer:
        return super().request(
            "POST",
            path,
            body,
            anonymous=True,
            may_be_empty=False,
            namespace=self._login_namespace(),
        )

    def _login_namespace(self) -> str:
        if self.auth_namespace is None:
            return self.connection.namespace
        return self.auth_namespace

    def origin_of(self, namespace: str) -> str:
        """Return where a namespace came from, in words; that of the login has its own option."""
        if self.auth_namespace is not None and namespace == self.auth_namespace:
            return " (from the option auth_namespace)"
        return super().origin_of(namespace)

    def _login_place(self) -> str:
        """Return the namespace of the login in the words of a message."""
        namespace = self._login_namespace()
        if namespace:
            return f' in namespace "{namespace}"{self.origin_of(namespace)}'
        return " in the root namespace (auth_namespace)" if self.connection.namespace else ""

    def _unwrap(self) -> None:
        """Put the secret in the place of the token that holds it; raises LoginFailed."""
        wrapping = self._wrapping
        if wrapping is None:
            return
        from ansible_collections.vaultops.vault.plugins.module_utils._auth import (
            wrapping as unwrapping,
        )

        self._wrapping, self.token = None, None
        with uninterrupted(
            "the unwrapping of a secret", _STAYS_VALID, self.connection.timeout, changes=False
        ):
            try:
                lookup = self._request_login("sys/wrapping/lookup", {"token": wrapping.token})
                unwrapping.check_path(wrapping, lookup)
                self.token = wrapping.token
                answer = super().request(
                    "POST",
                    "sys/wrapping/unwrap",
                    may_be_empty=False,
                    namespace=self._login_namespace(),
                )
            except LoginFailed:
                raise
            except VaultError as error:
                raise unwrapping.failed(error) from None
            finally:
                self.token = None
            value = unwrapping.unwrapped(wrapping, answer)
            self.secrets.add(value)
            if self._login is None:
                # Not made for this task, a token is nothing that it may revoke.
                self.token, self._made = value, answer.plain.object("auth").as_dict()
            else:
                body = {**self._login.body, wrapping.option: value}
                self._login = self._login._replace(body=body)

    def _request_inline(self, method: str, *args: t.Any, **more: t.Any) -> Answer:
        self._answered.inline_refused = False
        try:
            answer = super().request(method, *args, **more)
        except Refused as error:
            refused = self._answered.inline_refused or any(
                words in error.what for words in _INLINE_FAILED
            )
            if refused and self._login:
                if not self._needs_second_factor(error):
                    place = self._login_place()
                    raise _login_failed(self._method, self._login, error, place) from None
            elif not self._must_log_in(method, error):
                raise self._with_hint(error) from None
            with self._lock:
                if not self.token:
                    self.log_in()
            return self._request_by_token(method, *args, **more)
        self._inline_works = True
        return answer

    def _needs_second_factor(self, error: Refused) -> bool:
        """Tell whether only a login of its own can prove a second factor, and may be sent."""
        return self._mode == "auto" and WITH_MFA in error.what

    def _must_log_in(self, method: str, error: Refused) -> bool:
        """Tell whether a login may help, and the refused request certainly did nothing.

        A server without inline authentication sees a request without a token, and the path help of
        any server knows tokens only: 403, with an old Vault 400, at a standby 500.  A token of few
        uses cannot be made inline: 500.
        """
        if self._mode != "auto":
            return False
        first_read = method in READS and not self._inline_works
        without_token = isinstance(error, PermissionDenied) or any(
            words in error.what for words in _NO_TOKEN
        )
        return without_token or (first_read and error.status in (400, 500))

    def _with_hint(self, error: Refused) -> Refused:
        if not isinstance(error, PermissionDenied) or self._inline_works:
            return error
        hint = "a server without inline authentication refuses too: then set auth_mode to login"
        return error.with_context(next_step=f"{error.next_step}; {hint}")

    def _send(self, outgoing: Outgoing, base: str) -> tuple[requests.Response, str]:
        response, where = super()._send(outgoing, base)
        # What the server says of the login that went with the request.
        self._answered.inline_refused = f"{_INLINE}Failed" in response.headers
        return response, where

    def _revoke(self) -> None:
        if self._made.get("token_type") == "batch":
            return  # a batch token cannot be revoked: it lives on no server
        try:
            namespace = self._login_namespace()
            revoke(super().request, namespace=namespace)
        except VaultError as error:
            if isinstance(error, PermissionDenied) and self._made.get("num_uses"):
                return  # it is used up, so it is gone
            token = f"the token that the login made (accessor {self._made.get('accessor')}) is"
            if isinstance(error, NoAnswer):
                self.warn(f"it is unknown whether {token} revoked: {error}; or set keep_token")
            else:
                self.warn(f"{token} not revoked: {error}; or set keep_token")


def revoke(request: t.Callable[..., Answer], **options: t.Any) -> None:
    """Revoke the token that ``request`` sends; raises VaultError, NoAnswer where it is unknown."""
    answer = request("POST", "auth/token/revoke-self", **options)
    # Who knows no more of the API is not believed.
    answer.plain.require_nothing("data")
    if not answer.has_mark:
        _require_gone(request, answer.where, **options)


def _require_gone(request: t.Callable[..., Answer], where: str, **options: t.Any) -> None:
    """Ask for the token itself, as anything may have sent the empty answer from ``where``."""
    from ansible_collections.vaultops.vault.plugins.module_utils._auth import refused_token

    check = "check url and proxies: something between here and the server sent that answer"
    try:
        request("GET", "auth/token/lookup-self", **options)
    except TokenNotAccepted:
        return
    except PermissionDenied as error:
        if refused_token.is_invalid(error):
            return
        what = "the empty answer is not known to be the server's, and the token may not be read"
        raise NoAnswer(what, where=where, next_step=check) from None
    except VaultError as error:
        what = f"the empty answer is not known to be the server's: {error.what}"
        raise NoAnswer(what, where=where, next_step=check) from None
    raise VaultError("the token is still valid", where=where, next_step=check)


def _named(identity: Identity) -> str:
    """Return the identity in the words of a message."""
    if identity.wrapping is not None and identity.login is None:
        return "the token that was wrapped"
    if identity.token is None and identity.login is None:
        return "the token that the agent adds"
    if identity.login is not None:
        return f"the token of the login by {identity.method}"
    return f"the token ({identity.origin})" if identity.origin else "the token"


def _inline_headers(login: LoginRequest, namespace: str, work: str = "") -> dict[str, str]:
    """Return the headers that log in, in ``namespace``, with the request that they go with."""
    headers = {f"{_INLINE}Path": login.path, f"{_INLINE}Operation": "update"}
    if namespace or work:
        # Else a request to another namespace would log in there.
        headers[f"{_INLINE}Namespace"] = namespace or _ROOT
    for number, (key, value) in enumerate(login.body.items()):
        # The server takes the name from the value: a header's own name loses its case.
        text = json.dumps({"key": key, "value": value})
        encoded = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        headers[f"{_INLINE}Parameter-{number}"] = encoded
    return headers


def _login_failed(method: str, login: LoginRequest, error: VaultError, place: str) -> LoginFailed:
    what, next_step = f"cannot log in by {method}: {error.what}", error.next_step
    if isinstance(error, NoAnswer):
        what = f"it is unknown whether the login by {method} made a token: {error.what}"
        next_step = f"{next_step}; if it did, that token is not revoked, and lasts for its TTL"
    elif WITH_MFA in error.what:
        next_step = "leave auth_mode out, or set it to login: and give mfa_passcode"
    elif error.status in (400, 403, 404) or NO_LOGIN_NAMESPACE in error.what:
        # The server answers a wrong mount and a wrong password alike.
        next_step = (
            f"check the options of auth_method {method}, and mount_point: "
            f'the login goes to "{login.path}"{place}'
        )
    return error.told_as(LoginFailed, what, next_step)
