# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an authentication method is: mostly data."""

from __future__ import annotations

import types
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import Setting
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params


class LoginRequest(t.NamedTuple):
    """The request that makes a token; ``secrets`` are those in it that no option gave."""

    path: str
    body: Params
    secrets: tuple[str, ...] = ()


class AuthMethod(t.NamedTuple):
    """How one method goes from options to a token.

    ``options`` are those of METHOD_SPEC that it takes; ``required`` those that it cannot do
    without; ``variables`` names the client variable that stands in for an option.  ``mount`` is
    where it is mounted unless mount_point says otherwise, empty for a method that is mounted
    nowhere.

    ``identify`` takes all options, those that variables stand in for among them, and returns the
    login to send, or a token that is there already, or None where none is to be sent.

    ``wrapped`` is the option whose value may come wrapped, and ``wrapping_paths`` are patterns of
    the paths that may have wrapped it; {mount} stands for the method's own.

    ``repeatable`` says that the credentials may go with each request: none is used up by one
    login, and no other server has to be asked that counts or slows logins.
    """

    options: tuple[str, ...]
    identify: t.Callable[[Params], LoginRequest | Setting | None]
    required: tuple[str, ...] = ()
    variables: t.Mapping[str, str] = types.MappingProxyType({})
    mount: str = ""
    repeatable: bool = False
    wrapped: str = ""
    wrapping_paths: tuple[str, ...] = ()


def login_with(*same: str, **names: str) -> t.Callable[[Params], LoginRequest]:
    """Return the ``identify`` of a method that logs in with nothing but values of options.

    ``names`` are the API's names of these options, which are the options' own for ``same``; one
    without a value is left out.
    """
    names = {**{name: name for name in same}, **names}

    def identify(params: Params) -> LoginRequest:
        body = {name: params[option] for name, option in names.items() if params.get(option)}
        return LoginRequest(f"auth/{params['mount_point']}/login", body)

    return identify
