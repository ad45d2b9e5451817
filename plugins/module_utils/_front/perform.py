# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running an operation for a front: options in, an Ansible result out, whatever happens between."""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._auth.methods import chosen_identity
from ansible_collections.vaultops.vault.plugins.module_utils._auth.options import AUTH_SPEC
from ansible_collections.vaultops.vault.plugins.module_utils._auth.session import Session
from ansible_collections.vaultops.vault.plugins.module_utils._errors import VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import (
    CONNECTION_SPEC,
    Connection,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params, Result, Spec


class Operation(t.Protocol):
    """What a file in ``_operations`` offers: the module itself is the object.

    Where it also has ``identify(params)``, that replaces chosen_identity().
    """

    SPEC: Spec
    CONSTRAINTS: dict[str, t.Any]

    def run(self, client: Session, params: Params, check_mode: bool) -> Result:
        """Do it, or in check mode only predict it; return the result or raise VaultError."""


class Outcome(t.NamedTuple):
    """The task's result and warnings, and the secrets that a front must mask in all it prints."""

    result: Result
    warnings: list[str]
    secrets: set[str]


def argument_spec(operation: Operation) -> Spec:
    """Return the operation's own options with those of connection and authentication."""
    return {**operation.SPEC, **CONNECTION_SPEC, **AUTH_SPEC}


def perform(
    operation: Operation,
    params: Params,
    check_mode: bool,
    progress: t.Callable[[str], None] | None = None,
) -> Outcome:
    """Run ``operation`` with validated ``params``; a VaultError becomes a failed result.

    ``progress`` takes a line now and then while the operation waits.
    """
    try:
        client = Session(Connection.from_params(params), params["auth_mode"])
    except VaultError as error:
        return Outcome(_failure(error), [], set())
    identify = getattr(operation, "identify", chosen_identity)
    with client:
        client.keep_token = params["keep_token"]
        client.progress = progress or client.progress
        client.takes_inline_auth = partial(_takes_inline_auth, client)
        if client.connection.namespace:
            client.before_first_request = partial(_require_namespace, client)
        try:
            client.adopt(identify(params))
            result = operation.run(client, params, check_mode)
        except VaultError as error:
            result = _failure(error)
    return Outcome(result, client.warnings, client.secrets)


def _require_namespace(client: Session) -> None:
    # Imported here: only tasks that name a namespace need it.
    from ansible_collections.vaultops.vault.plugins.module_utils._api.namespaces import (
        require_namespace,
    )

    require_namespace(client)


def _takes_inline_auth(client: Session) -> bool | None:
    # Imported here: only tasks that may log in with each request need it.
    from ansible_collections.vaultops.vault.plugins.module_utils._api.health import (
        takes_inline_auth,
    )

    return takes_inline_auth(client)


def _failure(error: VaultError) -> Result:
    return {
        "changed": False,
        **error.result,
        "failed": True,
        "msg": str(error),
        "status": error.status,
        "errors": error.errors,
        "request_id": error.request_id,
    }
