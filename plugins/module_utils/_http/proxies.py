# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxies: an address for all, or one for each scheme."""

from __future__ import annotations

import importlib.util
import json
import os
import typing as t
from urllib.parse import unquote, urlsplit

from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import Setting
from ansible_collections.vaultops.vault.plugins.module_utils._text import shown_url

_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_EXAMPLES = "give http://proxy.example.com:3128, or such an address each for http and https"


def read_proxies(setting: Setting) -> Setting:
    """Return the proxies by scheme, of an option or variable that is set.

    It holds an address, a mapping from scheme to address, or that mapping as JSON.  Raises
    OptionError, which repeats no password.
    """
    chosen = setting.value
    if isinstance(chosen, str) and chosen.lstrip().startswith("{"):
        try:
            chosen = json.loads(chosen)
        except (ValueError, RecursionError):
            chosen = None
    if isinstance(chosen, str):
        chosen = {"http": chosen, "https": chosen}
    if not isinstance(chosen, t.Mapping):
        raise setting.error("holds something that is not the address of a proxy", _EXAMPLES)
    proxies = {str(scheme): str(address) for scheme, address in chosen.items()}
    for address in proxies.values():
        check_proxy(setting._replace(value=address))
    return setting._replace(value=proxies)


def usual_variable(scheme: str, address: str) -> Setting:
    """Return the proxy at ``address`` with the usual variable that it is from, by ``scheme``."""
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    found = [name for name in names if os.environ.get(name) == address]
    origin = f"from the variable {found[0]}" if found else "from the settings of this system"
    # As `requests` has it: what has no scheme is an address of http.
    return Setting("proxies", address if "://" in address else f"http://{address}", origin)


def check_proxy(setting: Setting) -> None:
    """Raise OptionError where its value is not the address of a proxy that can be used."""
    address = str(setting.value)
    try:
        parts = urlsplit(address)
        usable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        # Without a scheme it may be anything, a password too.
        what = "holds something that is not the address of a proxy"
        if "://" in address:
            raise setting.error(f'{what} ("{shown_url(address)}")', _EXAMPLES)
        raise setting.error(f"{what}: the scheme is missing", _EXAMPLES)
    if parts.scheme.startswith("socks"):
        _require_pysocks(setting)


def _require_pysocks(setting: Setting) -> None:
    if importlib.util.find_spec("socks") is None:
        raise setting.error(
            f'"{shown_url(setting.value)}" needs the Python library PySocks where the task runs',
            "install it, or give an http:// proxy",
        )


def proxy_secrets(proxies: t.Mapping[str, str]) -> set[str]:
    """Return the passwords in the addresses, as they are written and as they are sent."""
    addresses = (address.rpartition("://")[2] for address in proxies.values())
    passwords = {address.rpartition("@")[0].partition(":")[2] for address in addresses}
    return (passwords | set(map(unquote, passwords))) - {""}
