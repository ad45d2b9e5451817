# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came back: an answer, or a refusal with its next step."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    PermissionDenied,
    Refused,
)
from ansible_collections.vaultops.vault.plugins.module_utils._text import one_line, shortened

if t.TYPE_CHECKING:
    import requests

_CAPABILITIES = {"GET": "read", "LIST": "list", "POST": "update", "PUT": "update"}

# (status, a part of the server's words, what to do next): the first row that fits counts.
_NEXT_STEPS = (
    (503, "sealed", "unseal the server, then run the task again"),
    (404, "namespace not found", "check the option namespace"),
    (404, "", "check url and namespace: this server has no such API path there"),
    (400, "HTTP request to an HTTPS server", "start url with https://"),
    (405, "", "check url: this does not look like the API of Vault or OpenBao"),
    (412, "", "this node has not caught up with the cluster yet: run the task again"),
    (429, "", "a rate limit quota or a standby node refused the request: run the task again later"),
    (500, "", "correct what the server names; its log may say more"),
    (503, "", "see sys/health of the server, and its log"),
)


class Answer(t.NamedTuple):
    """What the server answered: ``data``, and ``auth`` of a login, are empty where it sent none.

    ``body`` is all of it, for the few paths that answer without ``data``.
    """

    status: int
    data: dict[str, t.Any]
    auth: dict[str, t.Any]
    warnings: list[str]
    request_id: str | None
    body: dict[str, t.Any]


def read_answer(response: requests.Response, where: str, hint_403: str) -> Answer:
    """Return the answer in ``response``; raises Refused, or NoAnswer where it cannot be the API's.

    ``where`` names the request; ``hint_403`` is the next step for a token that may not.
    """
    status = response.status_code
    body = _json_object(response)
    if body is None and status >= 500:
        raise NoAnswer(
            f"a gateway before the server answered {status}",
            where=where,
            next_step="check the server behind it, and the timeout of the gateway",
            status=status,
        )
    if body is None and response.ok:
        raise NoAnswer(
            f"the answer ({status}) is not JSON",
            where=where,
            next_step="check that url is the address of the API of Vault or OpenBao",
            status=status,
        )
    errors = [str(error) for error in (body or {}).get("errors") or []]
    if body is None or not response.ok:
        words = "; ".join(map(one_line, errors)) or _excerpt(response) or response.reason
        kind = PermissionDenied if status == 403 else Refused
        raise kind(
            words,
            where=f"{status} from {where}",
            next_step=hint_403 if status == 403 else _next_step(status, words),
            status=status,
            errors=errors,
            request_id=(body or {}).get("request_id"),
            retry_after=_seconds(response.headers.get("Retry-After")),
        )
    return Answer(
        status=status,
        data=_dict(body.get("data")),
        auth=_dict(body.get("auth")),
        warnings=[str(warning) for warning in body.get("warnings") or []],
        request_id=body.get("request_id"),
        body=body,
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
    return "" if response.text.startswith("{") else shortened(" ".join(response.text.split()))


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdigit() else None


def _next_step(status: int, words: str) -> str:
    for row_status, part, step in _NEXT_STEPS:
        if status == row_status and part in words:
            return step
    return ""


def hint_403(method: str, path: str, namespace: str) -> str:
    """Return the next step for a token that may not send this request."""
    inside = f' in namespace "{namespace}"' if namespace else ""
    capability = _CAPABILITIES.get(method, "read")
    return (
        f"check that the token is valid{inside} and has the ACL capability "
        f'"{capability}" on "{path}"'
    )
