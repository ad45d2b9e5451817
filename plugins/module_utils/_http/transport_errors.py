# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the failures of `requests` mean: above all, whether the request went out."""

from __future__ import annotations

import contextlib
import re
import ssl
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    NotSent,
    Unreachable,
    VaultError,
)

# transport.py reports that requests is missing: nothing can fail here before it is there.
with contextlib.suppress(ImportError):
    import requests
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError


def transport_error(
    error: Exception, url: str, where: str, timeouts: tuple[float, float]
) -> VaultError:
    """Return what ``error`` of `requests` means, of a request to ``url`` that ``where`` names.

    ``timeouts`` are those of connecting and of reading, in seconds.
    """
    connect_timeout, read_timeout = timeouts
    reason = _reason(error)
    next_step = "check the health of the server"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        what = f"no connection to {url} within {connect_timeout:.3g} s"
        next_step = "check url, the network and the firewall"
    elif isinstance(error, requests.exceptions.ReadTimeout):
        what = f"no answer within {read_timeout:.3g} s"
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
    """Tell whether the connection certainly failed before the request went out."""
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
