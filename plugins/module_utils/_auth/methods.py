# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice among the methods: one is loaded, and its options are checked."""

from __future__ import annotations

import importlib
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    AuthMethod,
    LoginRequest,
)
from ansible_collections.vaultops.vault.plugins.module_utils._auth.options import (
    METHOD_SPEC,
    WRAPPING_OPTIONS,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    client_variable,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params

if t.TYPE_CHECKING:
    # Ansible sends to a target what it finds here; a task loads the one method that it needs.
    from ansible_collections.vaultops.vault.plugins.module_utils._auth import (  # noqa: F401
        approle,
        aws_iam,
        azure,
        cert,
        gcp,
        jwt,
        kubernetes,
        ldap,
        none,
        radius,
        token,
        userpass,
    )
    from ansible_collections.vaultops.vault.plugins.module_utils._auth.wrapping import Wrapping


def load_method(name: str) -> AuthMethod:
    """Return the method of that name, from the file of that name."""
    module: t.Any = importlib.import_module(f"{__package__}.{name}")
    method: AuthMethod = module.METHOD
    return method


class Identity(t.NamedTuple):
    """Who the task is: by ``token``, or by ``login``, or by neither behind an agent.

    ``method`` is the name of the method; ``secrets`` are all texts of it that no output may show;
    ``repeatable`` says that the login may go with each request; ``origin`` where a token came from.
    With ``wrapping``, its token stands in for the secret that it holds.
    """

    method: str
    token: str | None = None
    login: LoginRequest | None = None
    secrets: frozenset[str] = frozenset()
    repeatable: bool = False
    origin: str = ""
    wrapping: Wrapping | None = None


def chosen_identity(params: Params) -> Identity:
    """Return the identity that the options choose; sends nothing, raises OptionError."""
    name = params["auth_method"]
    method = load_method(name)
    values = {**params, **_values(method, params)}
    # A user who sees "auth/approle/" in a listing may write it with its slash.
    mount = (values["mount_point"] or method.mount).strip("/")
    wrapping = _wrapping(method, values, mount)
    if wrapping is not None:
        values[wrapping.option] = wrapping.token
    _check(name, method, values)
    values["mount_point"] = mount
    found = method.identify(values)
    secrets = _texts(values[option] for option in method.options if _is_secret(option))
    if isinstance(found, LoginRequest):
        secrets |= _texts(found.secrets)
        return Identity(name, None, found, secrets, method.repeatable, wrapping=wrapping)
    if found is None:
        return Identity(name)
    secrets |= _texts([found.value])
    return Identity(name, found.value, None, secrets, origin=found.origin, wrapping=wrapping)


def _wrapping(method: AuthMethod, values: Params, mount: str) -> Wrapping | None:
    if not method.wrapped or not any(values[option] for option in WRAPPING_OPTIONS):
        return None
    # Imported here: few tasks need it.
    from ansible_collections.vaultops.vault.plugins.module_utils._auth import wrapping

    return wrapping.chosen_wrapping(method, values, mount)


def _is_secret(option: str) -> bool:
    return bool(METHOD_SPEC[option].get("no_log"))


def _values(method: AuthMethod, params: Params) -> dict[str, t.Any]:
    """Return the method's own options, where not given from the variables that stand in."""
    standing_in = {option: client_variable(name) for option, name in method.variables.items()}
    return {option: params[option] or standing_in.get(option) for option in method.options}


def _check(name: str, method: AuthMethod, values: Params) -> None:
    """Raise one OptionError that names all options that are missing, and all that are too much."""
    missing = [option for option in method.required if not values[option]]
    own = {*method.options, *(["mount_point"] if method.mount else [])}
    own.update(WRAPPING_OPTIONS if method.wrapped else ())
    surplus = sorted(option for option in set(METHOD_SPEC) - own if values[option])
    complaints = {"needs": missing, "does not take": surplus}
    clauses = [f"{verb} {_listed(options)}" for verb, options in complaints.items() if options]
    if clauses:
        raise OptionError(
            f"auth_method {name} {', and '.join(clauses)}",
            next_step=_next_step(missing, surplus),
        )


def _next_step(missing: list[str], surplus: list[str]) -> str:
    steps = [f"give {_listed(missing)}"] if missing else []
    steps += [f"leave {_listed(surplus)} out"] if surplus else []
    return f"{', '.join(steps)}, or choose another auth_method"


def _listed(options: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(options[:-1]), options[-1]]))


def _texts(values: t.Iterable[t.Any]) -> frozenset[str]:
    return frozenset(str(value) for value in values if value)
