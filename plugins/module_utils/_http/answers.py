# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came back: the server's own answer or refusal, or something that is neither.

Only the server's own word counts.  Its answers have status 200 or 202 and an object of JSON, or 204
and nothing; its refusals have one of a few statuses and a list ``errors`` of texts, which is empty
only for a read of what is not there.  All else comes from something in between, and says nothing
about what the server did.
API: https://developer.hashicorp.com/vault/api-docs#http-status-codes and
https://openbao.org/api-docs/#http-status-codes
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    NothingThere,
    PermissionDenied,
    Refused,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.fields import CHECK_URL, Fields
from ansible_collections.vaultops.vault.plugins.module_utils._http.transport import READS
from ansible_collections.vaultops.vault.plugins.module_utils._text import (
    masked,
    one_line,
    shortened,
)

if t.TYPE_CHECKING:
    import requests

_CAPABILITIES = {"GET": "read", "LIST": "list", "POST": "update", "PUT": "update"}

# The statuses of a server that refuses; 472 and 473 are Vault Enterprise's.
_REFUSALS = (400, 403, 404, 405, 412, 413, 429, 472, 473, 500, 501, 502, 503)
_ANSWERS = (200, 202)
_NOTHING_TO_SAY = 204
# In Cache-Control of each answer of both servers; a gateway may leave it out.
_MARK = "no-store"
# `bao proxy`, `vault agent` and the like use the server's form for what they say of the way to it.
_OF_AN_AGENT = ("failed to get the response", "failed to read request body")
# Of a server that got plain HTTP where it speaks TLS: it has not read the request.
_PLAIN_HTTP = ("HTTP request to an HTTPS server", "HTTP request was sent to HTTPS port")
# What a server says that may have done it: it failed later, such as at its audit log; or it is a
# standby whose leader was gone before that one answered what was forwarded.
_MAY_BE_DONE = ("internal error", "local node not active but active cluster node not found")

# Of a namespace that is not there.
_NO_NAMESPACE = "namespace not found"

# (status, a part of the server's words, what to do next): the first row that fits counts.
_NEXT_STEPS = (
    (503, "sealed", "unseal the server (initialize a new one first), then run the task again"),
    (404, _NO_NAMESPACE, "check the option namespace"),
    (404, "", "check url and namespace: this server has no such API path there"),
    (405, "", "check url: this does not look like the API of Vault or OpenBao"),
    (412, "", "this node has not caught up with the cluster yet: run the task again"),
    (
        413,
        "",
        "allow larger requests in the server's configuration: max_request_size of its listener",
    ),
    (429, "", "a rate limit quota or a standby node refused the request: run the task again later"),
    (500, "", "correct what the server names; its log may say more"),
    (
        503,
        "has been locked",
        "unlock the namespace (sys/namespaces/api-lock/unlock), or ask who has locked it",
    ),
    (503, "", "see sys/health of the server, and its log"),
)


class Answer(t.NamedTuple):
    """What the server answered; ``body`` is all of it, empty where it sent nothing.

    ``where`` names the request, for an error about the answer.  ``has_mark`` tells whether it has
    the header that both servers give to each of theirs: an empty answer has nothing else of them.
    """

    status: int
    body: dict[str, t.Any]
    where: str
    has_mark: bool = True

    @property
    def data(self) -> Fields:
        """What the path has to say; raises NoAnswer where there is nothing of it."""
        return Fields(self.body.get("data"), self.where)

    @property
    def auth(self) -> Fields:
        """The token that a login made; raises NoAnswer where there is none."""
        return Fields(self.body.get("auth"), self.where)

    @property
    def plain(self) -> Fields:
        """The whole, of the few paths that answer without ``data``."""
        return Fields(self.body, self.where)

    @property
    def warnings(self) -> list[str]:
        """The server's warnings."""
        return self.plain.texts("warnings")

    @property
    def request_id(self) -> str:
        """The id of the request in the server's logs."""
        return self.plain.text("request_id")


def read_answer(
    response: requests.Response,
    where: str,
    hint_403: str,
    *,
    plain: bool = False,
    may_be_empty: bool = False,
    secrets: t.Collection[str] = (),
) -> Answer:
    """Return the answer in ``response``.

    ``where`` names the request; ``hint_403`` is the next step for a token that may not.  ``plain``:
    the path answers without the envelope of request_id and data.  ``may_be_empty``: the API may
    have nothing to say.  ``secrets`` are masked in words that are shown: once these are shortened,
    what was cut could not be.

    Raises Refused where the server itself refused, or NoAnswer where it cannot be the server.
    """
    status = response.status_code
    body = _json_object(response)
    refusal = _refusal(response, body, where, hint_403, secrets)
    if refusal is not None:
        raise _without_an_outcome(refusal) if _may_be_done(response, refusal) else refusal
    if status == _NOTHING_TO_SAY and may_be_empty and not _announces_a_body(response):
        return Answer(status, {}, where, _MARK in response.headers.get("Cache-Control", ""))
    if status not in _ANSWERS or body is None or not (plain or _has_envelope(body)):
        raise _of_another(response, where, secrets)
    if body.get("errors"):
        raise _of_another(response, where, secrets)  # no server says that it did, and why not
    return Answer(status, body, where)


def _announces_a_body(response: requests.Response) -> bool:
    """Tell whether the answer has a body, or the length of one."""
    return bool(response.content) or response.headers.get("Content-Length", "0").strip() != "0"


def _refusal(
    response: requests.Response,
    body: dict[str, t.Any] | None,
    where: str,
    hint_403: str,
    secrets: t.Collection[str],
) -> Refused | None:
    """Return the server's own refusal, None where this is none."""
    status = response.status_code
    errors = _errors(response, body, secrets)
    if errors is None or status not in _REFUSALS or any(map(_by_an_agent, errors)):
        return None
    words = "; ".join(map(one_line, errors)) or response.reason
    kind, step = Refused, _next_step(status, words)
    if status == 403:
        kind, step = PermissionDenied, hint_403
    elif status == 404 and not errors:
        kind = NothingThere
    elif any(part in words for part in _PLAIN_HTTP):
        step = "start url with https://"
    return kind(
        words,
        where=f"{status} from {where}",
        next_step=step,
        status=status,
        errors=errors,
        request_id=str((body or {}).get("request_id") or "") or None,
        retry_after=_retry_after(response),
    )


def _may_be_done(response: requests.Response, refusal: Refused) -> bool:
    return response.request.method not in READS and any(
        words.strip() in _MAY_BE_DONE for words in refusal.errors
    )


def _without_an_outcome(refusal: Refused) -> NoAnswer:
    """Return the error for a refusal that says nothing about what the server did before."""
    return NoAnswer(
        refusal.what,
        where=refusal.where,
        next_step=refusal.next_step,
        status=refusal.status,
        errors=refusal.errors,
        request_id=refusal.request_id,
    )


def _errors(
    response: requests.Response, body: dict[str, t.Any] | None, secrets: t.Collection[str]
) -> list[str] | None:
    """Return the server's words, None where they are not in its form."""
    if response.status_code < 400:
        return None
    if body is None:
        text = shortened(masked(response.text.strip(), secrets))
        return [text] if any(part in text for part in _PLAIN_HTTP) else None
    errors = body.get("errors")
    is_nothing = response.status_code == 404 and response.request.method in READS
    if errors is None and is_nothing and _has_envelope(body):
        return []  # a warning, and nothing else
    if not isinstance(errors, list) or not all(isinstance(error, str) for error in errors):
        return None
    if not any(map(str.strip, errors)) and not is_nothing:
        return None  # a server that refuses says why
    return [masked(error, secrets) for error in errors]


def _by_an_agent(words: str) -> bool:
    return words.startswith(_OF_AN_AGENT)


def _has_envelope(body: dict[str, t.Any]) -> bool:
    is_data = "data" in body and isinstance(body["data"], (dict, type(None)))
    return is_data and isinstance(body.get("request_id"), str)


def _of_another(response: requests.Response, where: str, secrets: t.Collection[str]) -> NoAnswer:
    """Return the error for an answer that is none of the server's."""
    status = response.status_code
    said = _said(response, secrets)
    words = f": {said}" if said else ""
    if status >= 500:
        what = f"a gateway before the server answered {status}{words}"
        step = "check the server behind it, and the timeout of the gateway"
    else:
        what = f"the answer ({status}) is not one of Vault or OpenBao{words}"
        step = CHECK_URL
    return NoAnswer(
        what, where=where, next_step=step, status=status, retry_after=_retry_after(response)
    )


def _said(response: requests.Response, secrets: t.Collection[str]) -> str:
    """Return what is shown of an answer that is none of the server's."""
    if response.ok and response.request.method == "POST":
        return ""  # that of a login may be a token that nobody knows yet
    try:
        text = json.dumps(_masked(json.loads(response.text), secrets))
    except (ValueError, RecursionError):
        text = masked(response.text, secrets)
    return shortened(" ".join(text.split()))


def _masked(value: t.Any, secrets: t.Collection[str]) -> t.Any:
    """Mask ``secrets`` in all texts of a value of JSON, where they are not escaped."""
    if isinstance(value, str):
        return masked(value, secrets)
    if isinstance(value, list):
        return [_masked(item, secrets) for item in value]
    if isinstance(value, dict):
        return {key: _masked(item, secrets) for key, item in value.items()}
    return value


def _json_object(response: requests.Response) -> dict[str, t.Any] | None:
    try:
        body = response.json()
    except (ValueError, RecursionError, LookupError):
        return None
    return body if isinstance(body, dict) else None


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _next_step(status: int, words: str) -> str:
    for row_status, part, step in _NEXT_STEPS:
        if status == row_status and part in words:
            return step
    return ""


def is_about_namespace(error: Refused) -> bool:
    """Tell whether the server refused since there is no such namespace."""
    return error.status == 404 and _NO_NAMESPACE in error.what


def hint_403(method: str, path: str, namespace: str, identity: str) -> str:
    """Return the next step for a token that may not send this request; ``identity`` names it."""
    inside = f' in namespace "{namespace}"' if namespace else ""
    capability = _CAPABILITIES.get(method, "read")
    return (
        f"check that {identity} is valid{inside} and has the ACL capability "
        f'"{capability}" on "{path}"'
    )
