# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of messages: lists that stay short, suggestions, the server's words in one line."""

from __future__ import annotations

import json
import re
import typing as t

# A message names so many items; the result has all of them.
SHOWN = 5
# So many characters of the server's own words.
LONGEST = 200
# What stands for a secret, as in Ansible's own output.
MASK = "********"


def printable(text: str) -> str:
    """Return ``text`` in one line that any terminal can show, and that commands nothing to it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def first_few(words: t.Sequence[str]) -> str:
    """Return the first few of ``words``, and how many more there are."""
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def quoted(paths: t.Sequence[str]) -> str:
    """Return the first few of ``paths`` in quotes, and how many more there are."""
    return first_few([f'"{path}"' for path in paths])


def and_more(items: t.Sized) -> str:
    """Return how many ``items`` there are beside the one that a message names."""
    return f" (and {len(items) - 1} more)" if len(items) > 1 else ""


def nearest(name: str, candidates: t.Iterable[str], alike: float = 0.6) -> str:
    """Return the candidate that looks most like ``name``, but is another; else nothing.

    They are at least ``alike``, a ratio from 0 to 1.
    """
    # Imported here: only a message about a name that does not exist needs it.
    import difflib

    others = sorted(set(candidates) - {name})
    return next(iter(difflib.get_close_matches(name, others, n=1, cutoff=alike)), "")


def did_you_mean(suggestion: str) -> str:
    """Return the question that offers ``suggestion``, nothing where it is empty."""
    return f' (did you mean "{suggestion}"?)' if suggestion else ""


def one_line(text: str) -> str:
    """Return the server's words in one short line.

    Without the counts, bullets and line breaks of its multi-errors, and without the advice that
    the library of plugins adds to each failed start.
    """
    words = text.partition("This usually means")[0]
    words = re.sub(r"\d+ errors? occurred:", "", words)
    parts = (part.strip(" \t*,") for part in words.split("\n"))
    line = ", ".join(dict.fromkeys(part for part in parts if part)).replace(":, ", ": ")
    return shortened(line)


def shortened(line: str) -> str:
    """Return at most LONGEST characters of ``line``; no word is cut, which may be a secret."""
    if len(line) <= LONGEST:
        return line
    return f"{line[:LONGEST].rpartition(' ')[0]} …".lstrip()


def shown_url(url: str) -> str:
    """Return ``url`` as a message may show it: no user name, password, query or fragment."""
    scheme, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    address = re.split(r"[?#]", rest)[0]
    if "@" in rest[len(address) :] or len(address) > LONGEST:
        return f"{scheme}{mark}…"  # a password may have any character in it
    return f"{scheme}{mark}{address.rpartition('@')[2]}"


def secrets_in(url: str) -> set[str]:
    """Return what no output may show of ``url``: a login, its password alone, and what follows it.

    A query, or a fragment, may hold a token.
    """
    login = url.rpartition("@")[0].rpartition("://")[2]
    more = re.split(r"[?#]", url, maxsplit=1)[1:]
    # By mistake, there may be several.
    each = re.findall(r"://([^/@\s]+)@", url)
    logins = {login, *each}
    return {*logins, *(one.partition(":")[2] for one in logins), *more} - {""}


def without_passwords(text: str) -> str:
    """Return ``text`` of a library without the user names and passwords of the URLs in it."""
    return re.sub(r"//\S*@", "//", text)


def spellings(secrets: t.Iterable[str]) -> set[str]:
    """Return ``secrets``, and those with quotes or line breaks as servers quote them, too.

    Blanks alone are none: masked, they would take all words apart.
    """
    plain = {secret for secret in secrets if secret.strip()}
    return plain | {json.dumps(secret, ensure_ascii=False)[1:-1] for secret in plain}


def masked(text: str, secrets: t.Iterable[str]) -> str:
    """Return ``text`` with stars for each of ``secrets``, so that it can be cut anywhere."""
    for secret in sorted(spellings(secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
