# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the failures of `requests` mean: above all, whether the request went out."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    NotSent,
    OptionError,
    TimedOut,
    Unreachable,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    THE_DEFAULT,
    not_set,
)
from ansible_collections.vaultops.vault.plugins.module_utils._text import without_passwords

# transport.py reports that requests is missing: nothing can fail here before it is there.
with contextlib.suppress(ImportError):
    import requests
    from urllib3.exceptions import ReadTimeoutError

# A peer that does not trust our certificate says so when the request may be on its way already.
_REFUSED_CERTIFICATE = ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE", "ACCESS_DENIED")
# What OpenSSL says of an answer in plain text, by its release.
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")
# A server that is just starting may hang up in the middle of a handshake.
_ENDS = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


def transport_error(
    error: Exception,
    url: str,
    where: str,
    timeouts: tuple[float, float],
    sent: bool | None,
    origins: t.Mapping[str, str],
    spoke: bool,
) -> VaultError:
    """Return what ``error`` of `requests` means, of a request to ``url`` that ``where`` names.

    ``timeouts`` are those of connecting and of the whole exchange, in seconds.  ``sent`` says
    whether a part of the request went out, None that nothing tried to connect.  ``origins`` says
    where the values of options came from, and ``spoke`` whether this address has answered before.
    """
    if sent and not _certificate_was_refused(error):
        return _no_answer(error, url, where, timeouts, spoke)
    connect_timeout = timeouts[0]
    reason = _reason(error)
    kind: type[VaultError] = Unreachable
    # Only what may be better in a second is Unreachable: a certificate or a proxy will not be.
    ca_file = origins.get("the CA file", "")
    if _first(error, (OSError, requests.exceptions.SSLError)) and not _is_pem(ca_file):
        kind, what = OptionError, f'no CA certificate can be read from "{ca_file}"'
        next_step = f"check {_named('ca_cert', origins)}: give certificates in PEM form"
    elif sent is None:
        kind, what = OptionError, f"cannot even try to connect to {url}: {reason}"
        next_step = f"check {_named('url', origins)}, {_named('ca_cert', origins)} and proxies"
    elif isinstance(error, requests.exceptions.ProxyError):
        kind, what = NotSent, f"the proxy for {url} failed: {reason}"
        next_step = f"check {_named('proxies', origins)}, HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
        next_step = f"{next_step} where the task runs"
    elif _first(error, _timeouts()):
        what = f"no connection to {url} within {connect_timeout:.3g} s"
        next_step = f"check {_named('url', origins)}, the network and the firewall"
        next_step += _of_the_controller(origins)
    elif _says(error, _NO_TLS):
        kind, what = NotSent, f"{url} answers without TLS"
        next_step = (
            f"check {_named('url', origins)}: start it with http:// if the server has no TLS, or "
            "give the port where it has"
        )
    elif _first(error, (ssl.SSLError, requests.exceptions.SSLError)) and not _first(error, _ENDS):
        kind, what = NotSent, f"no trusted TLS connection to {url}: {reason}"
        next_step = (
            f"check {_named('ca_cert', origins)} and the host name in url against the server's "
            "certificate, that the server speaks TLS on this port, and client_cert if the server "
            "demands one"
        )
    else:
        what = f"cannot connect to {url}: {reason}"
        next_step = f"check {_named('url', origins)}, and that the server runs and listens there"
        next_step += _of_the_controller(origins)
    return kind(what, where=f"{where} was not sent", next_step=next_step)


def _no_answer(
    error: Exception, url: str, where: str, timeouts: tuple[float, float], spoke: bool
) -> NoAnswer:
    what = f"the connection broke before the answer: {_reason(error)}"
    next_step = "check the health of the server"
    if _first(error, _timeouts()):
        what = f"no answer within {timeouts[1]:.3g} s"
        return TimedOut(what, where=where, next_step=next_step)
    if _first(error, ssl.SSLError):
        # Where it demands a certificate, it may hang up before its words can be read.
        next_step = "check the health of the server, and client_cert if the server demands one"
    elif url.startswith("http://") and not spoke:
        # A TLS server may hang up on plain HTTP before its refusal can be read.
        next_step = "check the health of the server, and whether url must start with https://"
    return NoAnswer(what, where=where, next_step=next_step)


def _named(option: str, origins: t.Mapping[str, str]) -> str:
    """Return the option's name, with where its value came from if it was not given itself."""
    origin = origins.get(option, "")
    return option if not origin or "option" in origin else f"{option} ({origin})"


def _is_pem(path: str) -> bool:
    """Tell whether OpenSSL can read the file of CA certificates, or there is none."""
    try:
        if path:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return False
    except OSError:
        pass  # a folder, or a file that is gone: the library's own words say so
    return True


def _of_the_controller(origins: t.Mapping[str, str]) -> str:
    """Return what may be wrong where nobody gave an address to this host."""
    is_default = origins.get("url", "").startswith(THE_DEFAULT)
    return f"; {not_set('ADDR')[1]}" if is_default else ""


def _certificate_was_refused(error: Exception) -> bool:
    return _says(error, ("ALERT",)) and _says(error, _REFUSED_CERTIFICATE)


def _says(error: Exception, parts: t.Sequence[str]) -> bool:
    """Tell whether OpenSSL gave one of these reasons."""
    reason = (getattr(_first(error, ssl.SSLError), "reason", None) or "").replace(" ", "_")
    return any(part in reason for part in parts)


def _timeouts() -> tuple[type[Exception], ...]:
    return (socket.timeout, requests.exceptions.Timeout, ReadTimeoutError)


def _first(error: Exception, kinds: t.Any) -> Exception | None:
    return next((cause for cause in _causes(error) if isinstance(cause, kinds)), None)


def _causes(error: t.Any) -> t.Iterator[t.Any]:
    """Yield the error and what is wrapped in it, outermost first: libraries nest five deep.

    Not its __context__: that may be an error that somebody is handling while this one happens.
    """
    for _depth in range(10):
        yield error
        reason = getattr(error, "reason", None)
        candidates = (reason, *reversed(error.args), error.__cause__)
        error = next((cause for cause in candidates if isinstance(cause, Exception)), None)
        if error is None:
            return


def _reason(error: Exception) -> str:
    """Return the innermost reason in a few words, without the libraries' object names."""
    innermost = list(_causes(error))[-1]
    words = (
        getattr(innermost, "verify_message", None)
        or getattr(innermost, "strerror", None)
        or str(innermost).strip()
        or type(innermost).__name__
    )
    # As urllib3 1.26 has it: "<its object>: Failed to establish a new connection: [Errno 111] …".
    words = re.sub(r"^<[^>]*>: (Failed to establish a new connection: )?", "", words)
    words = re.sub(r"^\[[^]]*\] | \(_ssl\.c:\d+\)$", "", without_passwords(words))
    words = " ".join(words.split())
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]
