# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxies: an address for all, or one for each scheme."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    client_variable,
)


def read_proxies(option: t.Any) -> dict[str, str] | None:
    """Read the option, else the variables of the clients; None leaves it to the usual variables.

    An address, a mapping from scheme to address, or that mapping as JSON.  Raises OptionError,
    which repeats no address: it may hold a password.
    """
    chosen = option or client_variable("PROXY_ADDR") or client_variable("HTTP_PROXY")
    if not chosen:
        return None
    if isinstance(chosen, str) and chosen.lstrip().startswith("{"):
        try:
            chosen = json.loads(chosen)
        except ValueError:
            chosen = ""
    if isinstance(chosen, str):
        chosen = {"http": chosen, "https": chosen}
    if not isinstance(chosen, t.Mapping) or not all(map(_is_address, chosen.values())):
        raise OptionError(
            "proxies holds something that is not the address of a proxy",
            next_step="give http://proxy.example.com:3128, or such an address each for http and "
            "https",
        )
    return {str(scheme): str(address) for scheme, address in chosen.items()}


def proxy_secrets(proxies: t.Mapping[str, str]) -> set[str]:
    """Return the passwords in the addresses."""
    return {urlsplit(address).password or "" for address in proxies.values()} - {""}


def _is_address(text: t.Any) -> bool:
    try:
        parts = urlsplit(str(text))
        return bool(parts.scheme and parts.hostname)
    except ValueError:
        return False
