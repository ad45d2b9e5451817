# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An empty answer to a revocation is the server's word only where the server is known by it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._auth.session import revoke
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    PermissionDenied,
    VaultError,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer

REVOKED = Answer(204, {}, "204 from POST")
OF_SOMETHING = REVOKED._replace(has_mark=False)
VALID = Answer(200, {"request_id": "1", "data": {"id": "x"}}, "200 from GET")


def denied(*errors: str) -> PermissionDenied:
    """A 403 with the server's words."""
    return PermissionDenied("permission denied", status=403, errors=errors)


class Requests:
    """Answers the requests in turn."""

    def __init__(self, *answers: Answer | VaultError) -> None:
        self.seen: list[str] = []
        self._answers = iter(answers)

    def __call__(self, method: str, path: str, **_options: t.Any) -> Answer:
        self.seen.append(f"{method} {path}")
        answer = next(self._answers)
        if isinstance(answer, VaultError):
            raise answer
        return answer


def test_the_servers_own_answer_is_enough() -> None:
    requests = Requests(REVOKED)
    revoke(requests)
    assert requests.seen == ["POST auth/token/revoke-self"]


@pytest.mark.parametrize("word", ["permission denied", "2 errors occurred:\n* invalid token"])
def test_a_token_that_is_gone_proves_it(word: str) -> None:
    requests = Requests(OF_SOMETHING, denied(word))
    revoke(requests)
    assert requests.seen[1:] == ["GET auth/token/lookup-self"]


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (VALID, VaultError, "the token is still valid"),
        (denied("1 error occurred:\n\t* permission denied"), NoAnswer, "may not be read"),
        (NoAnswer("connection reset"), NoAnswer, "connection reset"),
    ],
)
def test_nothing_else_does(answer: Answer | VaultError, kind: type[VaultError], told: str) -> None:
    with pytest.raises(kind, match=told) as raised:
        revoke(Requests(OF_SOMETHING, answer))
    assert isinstance(raised.value, NoAnswer) is (kind is NoAnswer)
    assert "check url and proxies" in str(raised.value)
