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
from ansible_collections.vaultops.vault.plugins.module_utils._front.given import refuse_lists
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import (
    CONNECTION_SPEC,
    Connection,
    read_auth_namespace,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.interruption import (
    Interrupted,
    Interruption,
)
from ansible_collections.vaultops.vault.plugins.module_utils._text import secrets_in, spellings
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
    """The task's result and warnings, and the secrets that a front must mask in all it prints.

    ``signal`` is the one that ends the task, None for none.
    """

    result: Result
    warnings: list[str]
    secrets: set[str]
    signal: int | None = None


class Shown(t.NamedTuple):
    """What takes the lines that are shown while the task runs, see VaultClient."""

    progress: t.Callable[[str], None]
    announce: t.Callable[[str], None]


def _nothing(_line: str) -> None:
    pass


def argument_spec(operation: Operation) -> Spec:
    """Return the operation's own options with those of connection and authentication."""
    return {**operation.SPEC, **CONNECTION_SPEC, **AUTH_SPEC}


def perform(
    operation: Operation,
    params: Params,
    check_mode: bool,
    progress: t.Callable[[str], None] = _nothing,
    say: t.Callable[[str], None] = _nothing,
    announce: t.Callable[[str], None] = _nothing,
) -> Outcome:
    """Run ``operation`` with validated ``params``; a VaultError becomes a failed result.

    ``progress`` takes a line now and then while the operation waits; ``say`` one that tells why the
    task does not end though a signal came, see Interruption; ``announce`` one before a request that
    must not be cut short.
    """
    shown = Shown(progress, announce)
    with Interruption(say) as interruption:
        try:
            outcome = _outcome(operation, params, check_mode, shown, interruption)
        except Interrupted:
            outcome = Outcome(interrupted_result(interruption), [], set())
    return outcome._replace(signal=interruption.signal)


def _outcome(
    operation: Operation,
    params: Params,
    check_mode: bool,
    shown: Shown,
    interruption: Interruption,
) -> Outcome:
    try:
        refuse_lists(params, argument_spec(operation))
        auth_namespace = read_auth_namespace(params["auth_namespace"])
        client = Session(Connection.from_params(params), params["auth_mode"])
    except VaultError as error:
        # The address may have a password in it, and is then refused.
        return Outcome(_failure(error), [], spellings(secrets_in(params["url"] or "")))
    client.keep_token = params["keep_token"]
    client.auth_namespace = auth_namespace
    client.mfa_passcode = params["mfa_passcode"]
    client.progress, client.announce = shown
    client.takes_inline_auth = partial(_takes_inline_auth, client)
    namespaces = {
        "namespace": client.connection.namespace,
        "auth_namespace": client.auth_namespace or "",
    }
    named = {option: namespace for option, namespace in namespaces.items() if namespace}
    if named:
        client.before_first_request = partial(_require_namespaces, client, named)
    try:
        with client:
            result = _result(client, operation, params, check_mode)
    except Interrupted:
        client.close()  # it may have come while the session was about to end
        result = interrupted_result(interruption)
    return Outcome(result, client.warnings, spellings(client.secrets))


def _result(client: Session, operation: Operation, params: Params, check_mode: bool) -> Result:
    identify = getattr(operation, "identify", chosen_identity)
    try:
        client.adopt(identify(params))
        return operation.run(client, params, check_mode)
    except VaultError as error:
        return _failure(error)


def interrupted_result(interruption: Interruption) -> Result:
    """Return the result of a task that a signal ended."""
    what, step = "before it had changed anything", "run the task again"
    if interruption.writes:
        what = f"after {interruption.writes[-1]}"
        step = f"what it has changed stays, and is not verified: {step}"
    error = VaultError(f"interrupted by {interruption.reason} {what}", next_step=step)
    return {**_failure(error), "changed": bool(interruption.writes)}


def _require_namespaces(client: Session, named: t.Mapping[str, str]) -> None:
    # Imported here: only tasks that name a namespace need it.
    from ansible_collections.vaultops.vault.plugins.module_utils._api.namespaces import (
        require_namespace,
    )

    # One is enough: a server honours all, or none.
    require_namespace(client, *next(iter(named.items())))


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
