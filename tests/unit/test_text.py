# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of messages."""

from __future__ import annotations

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._text import LONGEST, nearest, one_line

ADVICE = (
    "2 errors occurred:\n\t* Unrecognized remote plugin message: \n"
    "This usually means\n  the plugin was not compiled for this architecture,\n"
    "  the plugin is missing dynamic-link libraries necessary to run,\n"
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1 error occurred:\n\t* permission denied\n\n", "permission denied"),
        ("2 errors occurred:\n\t* one\n\t* two,\n\n", "one, two"),
        ("2 errors occurred:\n\t* same\n\t* same\n\n", "same"),
        (ADVICE, "Unrecognized remote plugin message:"),
    ],
)
def test_the_words_of_a_server(text: str, line: str) -> None:
    assert one_line(text) == line


def test_many_words_are_cut_between_two() -> None:
    token = "hvs." + "x" * 90
    line = one_line(f"{'word ' * 38}{token} and more")
    assert len(line) <= LONGEST + 2
    assert line.endswith("word …")
    assert "hvs" not in line


def test_what_is_near_is_another_name() -> None:
    assert nearest("wether", ["weather", "other"]) == "weather"
    assert nearest("weather", ["weather"]) == ""
