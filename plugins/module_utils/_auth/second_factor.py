# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second factor that a server may ask for after a login.

API: https://openbao.org/api-docs/system/mfa/validate/
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    LoginFailed,
    NoAnswer,
    Refused,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.answers import Answer
from ansible_collections.vaultops.vault.plugins.module_utils._http.fields import CHECK_URL

VALIDATE = "sys/mfa/validate"
_EXEMPT = "exempt this login from the enforcement"


def validation(method: str, answer: Answer, passcode: str | None) -> dict[str, t.Any]:
    """Return the body that proves the second factor, which ``answer`` to a login asks for.

    Raises LoginFailed where it cannot be proven, or NoAnswer where the answer asks for none.
    """
    requirement = answer.auth.object("mfa_requirement")
    constraints = list(requirement.object("mfa_constraints").each())
    if not constraints:
        raise NoAnswer("the answer has no token", where=answer.where, next_step=CHECK_URL)
    payload, asked, unprovable = {}, [], False
    for name, constraint in constraints:
        methods = constraint.objects("any")
        kinds = " or ".join(sorted({factor.required_text("type") for factor in methods}))
        asked.append(f'enforcement "{name}" asks for {kinds}')
        by_passcode = [factor.text("id") for factor in methods if factor.flag("uses_passcode")]
        unprovable = unprovable or not by_passcode
        payload.update({identifier: [passcode] for identifier in by_passcode[:1]})
    if unprovable or not passcode:
        how = _EXEMPT if unprovable else f"give mfa_passcode, or {_EXEMPT}"
        raise LoginFailed(
            f"the login by {method} needs a second factor (MFA): {', '.join(asked)}",
            where=answer.where,
            next_step=how,
            request_id=answer.request_id,
        )
    return {"mfa_request_id": requirement.required_text("mfa_request_id"), "mfa_payload": payload}


def refused(method: str, error: Refused) -> LoginFailed:
    """Return the error for a passcode that the server does not accept."""
    return error.told_as(
        LoginFailed,
        f"the login by {method} failed at its second factor (MFA): {error.what}",
        "check mfa_passcode: it holds for seconds, and for one login only; to do more tasks, log "
        "in once with vaultops.vault.login",
    )
