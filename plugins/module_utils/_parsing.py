# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an option or an environment variable means: durations, booleans, variables of a plugin."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# No system call waits longer than 2**31 ms, which is a little more.
LONGEST_DURATION = 24 * 86400.0
_SHOWN = 40
_PART = r"(\d+(?:\.\d+)?)(ms|s|m|h|d)"

# The words that Ansible takes for a boolean.
_BOOLEANS = {
    **dict.fromkeys(("y", "yes", "on", "1", "true", "t"), True),
    **dict.fromkeys(("n", "no", "off", "0", "false", "f"), False),
}


def parse_duration(text: t.Any, option: str, origin: str = "") -> float:
    """Return the seconds that ``text`` means: ``60``, ``60s``, ``1m30s``, ``500ms``.

    Raises OptionError, which names ``option`` and the ``origin`` of its value, for any other
    spelling, for zero, and for more than LONGEST_DURATION.
    """
    spelling = str(text).strip()
    seconds = 0.0
    if spelling.isascii() and spelling.replace(".", "", 1).isdigit():
        seconds = float(spelling)
    elif re.sub(_PART, "", spelling) == "":
        parts = re.findall(_PART, spelling)
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    shown = repr(spelling if len(spelling) <= _SHOWN else f"{spelling[:_SHOWN]}…")
    if seconds > LONGEST_DURATION:
        raise OptionError(
            f"{option} {shown} is too long", where=origin, next_step="give at most 24 days, 24d"
        )
    if not seconds:
        raise OptionError(
            f"{option} {shown} is not a duration",
            where=origin,
            next_step="give seconds above zero, or a duration such as 60s or 1m30s",
        )
    return seconds


def parse_bool(text: str) -> bool | None:
    """Return the boolean that ``text`` means to Ansible, None where it is another text."""
    return _BOOLEANS.get(text.strip().lower())


def assignments(option: t.Mapping[t.Any, t.Any], name: str) -> list[str]:
    """Return a mapping as texts NAME=value; raises OptionError, which repeats no value."""
    return [f"{_variable(key, name)}={_value(key, value, name)}" for key, value in option.items()]


def _variable(key: t.Any, option: str) -> str:
    if not str(key) or "=" in str(key):
        raise OptionError(
            f'"{key}" in {option} is not the name of a variable', next_step="rename it"
        )
    return str(key)


def _value(key: t.Any, value: t.Any, option: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (str, int, float)):
        raise OptionError(f'the value of "{key}" in {option} is not a text', next_step="quote it")
    return str(value)
