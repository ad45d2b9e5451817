# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of the methods, and the choice among them."""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._auth import (
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
from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    AuthMethod,
    LoginRequest,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    client_variable,
)
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params

METHODS: dict[str, AuthMethod] = {
    "token": token.METHOD,
    "approle": approle.METHOD,
    "userpass": userpass.METHOD,
    "ldap": ldap.METHOD,
    "radius": radius.METHOD,
    "jwt": jwt.METHOD,
    "kubernetes": kubernetes.METHOD,
    "cert": cert.METHOD,
    "aws_iam": aws_iam.METHOD,
    "azure": azure.METHOD,
    "gcp": gcp.METHOD,
    "none": none.METHOD,
}

AUTH_SPEC: dict[str, dict[str, t.Any]] = {
    "auth_method": {"type": "str", "choices": list(METHODS), "default": "token"},
    "auth_mode": {"type": "str", "choices": ["auto", "login", "inline"], "default": "auto"},
    "keep_token": {"type": "bool", "default": False, "no_log": False},
    "mount_point": {"type": "str"},
}
for _method in METHODS.values():
    AUTH_SPEC.update(_method.spec)


class Identity(t.NamedTuple):
    """Who the task is: by ``token``, or by ``login``, or by neither behind an agent.

    ``method`` is the name of the method; ``secrets`` are all texts of it that no output may show;
    ``repeatable`` says that the login may go with each request.
    """

    method: str
    token: str | None = None
    login: LoginRequest | None = None
    secrets: frozenset[str] = frozenset()
    repeatable: bool = False


def chosen_identity(params: Params) -> Identity:
    """Return the identity that the options choose; sends nothing, raises OptionError."""
    name = params["auth_method"]
    method = METHODS[name]
    values = {**params, **_values(method, params)}
    _check(name, values)
    # A user who sees "auth/approle/" in a listing may write it with its slash.
    values["mount_point"] = (values["mount_point"] or method.mount).strip("/")
    found = method.identify(values)
    secrets = {values[option] for option, row in method.spec.items() if row.get("no_log")}
    if isinstance(found, LoginRequest):
        secrets.update(found.secrets)
        return Identity(name, None, found, _texts(secrets), method.repeatable)
    return Identity(name, found, None, _texts(secrets | {found}))


def _values(method: AuthMethod, params: Params) -> dict[str, t.Any]:
    """Return the method's own options, where not given from the variables that stand in."""
    standing_in = {option: client_variable(name) for option, name in method.variables.items()}
    return {option: params[option] or standing_in.get(option) for option in method.spec}


def _check(name: str, values: Params) -> None:
    """Raise one OptionError that names all options that are missing, and all that are too much."""
    method = METHODS[name]
    missing = [option for option in method.required if not values[option]]
    own = {*method.spec, *(["mount_point"] if method.mount else [])}
    others = {"mount_point", *(option for each in METHODS.values() for option in each.spec)}
    surplus = sorted(option for option in others - own if values[option])
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
