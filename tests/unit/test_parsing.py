# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations as the command line clients spell them."""

from __future__ import annotations

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._parsing import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (60, 60),
        ("60", 60),
        (" 1.5 ", 1.5),
        ("60s", 60),
        ("1m30s", 90),
        ("500ms", 0.5),
        ("1h", 3600),
    ],
)
def test_spellings(text: object, seconds: float) -> None:
    assert parse_duration(text, "timeout") == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-1", "1x", "s", "1.2.3", "1m 30s", "ten"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(OptionError, match=r"timeout .* is not a duration; give seconds"):
        parse_duration(text, "timeout")
