# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of messages."""

from __future__ import annotations

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._text import (
    LONGEST,
    masked,
    nearest,
    one_line,
    shown_url,
    without_passwords,
)

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
    assert one_line("x" * 300) == "…"


def test_what_is_near_is_another_name() -> None:
    assert nearest("wether", ["weather", "other"]) == "weather"
    assert nearest("weather", ["weather"]) == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h:8200/v1/x", "https://h:8200/v1/x"),
        ("https://me:canary@h/x", "https://h/x"),
        ("https://me:can@ary@h", "https://h"),
        ("https://me:can/ary@h", "https://h"),
        ("https://me:can?ary@h", "https://…"),
        ("https://me:can#ary@h", "https://…"),
        ("https://h/x?token=canary", "https://h/x"),
        ("me:canary@h", "h"),
        ("http://" + "x" * 999, "http://…"),
        ("http://[", "http://["),
    ],
)
def test_a_url_is_shown_without_secrets(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_the_words_of_a_library_are_shown_without_passwords() -> None:
    words = "Failed to parse: http://me:ca/na@ry@h:1/x, see https://h"
    assert without_passwords(words) == "Failed to parse: http://h:1/x, see https://h"


def test_the_longest_secret_is_masked_first() -> None:
    assert masked("one two three", {"two", "one two", ""}) == "******** three"
