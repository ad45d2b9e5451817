# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login for many tasks, and its end."""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._auth.methods import (
    Identity,
    chosen_identity,
)
from ansible_collections.vaultops.vault.plugins.module_utils._auth.session import (
    Session,
    revoke,
)
from ansible_collections.vaultops.vault.plugins.module_utils._auth.token import token_setting
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.read_back import attempt
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    OptionError,
    TokenNotAccepted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params, Result, Spec

SPEC: Spec = {
    "state": {"type": "str", "choices": ["present", "revoked"], "default": "present"},
}

CONSTRAINTS: dict[str, t.Any] = {}

_REPORTED = (
    "client_token",
    "accessor",
    "policies",
    "token_policies",
    "identity_policies",
    "metadata",
    "entity_id",
    "lease_duration",
    "renewable",
    "token_type",
    "orphan",
    "num_uses",
)


def identify(params: Params) -> Identity:
    """Return whom to log in, or whose token to revoke; raises OptionError."""
    if params["state"] == "revoked":
        # Whatever module_defaults say of a login, only the token counts.
        token = token_setting(params)
        secrets = frozenset([token.value])
        return Identity("token", token.value, secrets=secrets, origin=token.origin)
    identity = chosen_identity(params)
    if identity.login is None:
        raise OptionError(
            f"auth_method {identity.method} has no login",
            next_step="choose a method that logs in, such as approle",
        )
    return identity


def run(client: Session, params: Params, check_mode: bool) -> Result:
    """Make a token and return it, or revoke one; in check mode say whether that would be done."""
    if params["state"] == "revoked":
        return {"changed": _revoke(client, check_mode)}
    if check_mode:
        return {"changed": True, "login": None}
    auth = client.log_in()
    # Not before: a task that is interrupted until now gives the token to nobody.
    client.keep_token = True
    # It is what the task is for, so it is not masked; the credentials stay masked.
    client.secrets.discard(auth["client_token"])
    return {"changed": True, "login": {name: auth.get(name) for name in _REPORTED}}


def _revoke(client: Session, check_mode: bool) -> bool:
    """Revoke the client's token; returns whether it was valid until now."""
    try:
        if check_mode:
            client.request("GET", "auth/token/lookup-self")
        else:
            _send_revocation(client)
    except TokenNotAccepted:
        return False
    return True


def _send_revocation(client: Session) -> None:
    """Revoke the client's token; raises VaultError, NoAnswer where its outcome is unknown."""
    write = partial(revoke, client.request)
    lost = attempt(write, "the token was revoked")
    if lost is not None:
        step = f"{lost.next_step}, then run the task again: a token that is revoked stays so"
        raise lost.with_context(next_step=step)
