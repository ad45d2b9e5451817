# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of trust tried, as they noted it: the tables of docs/reliability.md.

Where $VAULTOPS_RELIABILITY names a folder, a test that passed leaves its counts there (trust.py).
``python3 noxfile.py -s tested`` writes them into the page; nothing else does.
"""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "reliability.md"
_COUNTED = re.compile(r"(<!-- counted: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write(notes: pathlib.Path) -> list[str]:
    """Put what is noted below ``notes``, a folder for each session, into the page.

    A table of which there is no note stays.  Returns the page where it changed.
    """
    before = PAGE.read_text(encoding="utf-8")
    after = _COUNTED.sub(lambda match: _counted(match, notes), before)
    PAGE.write_text(after, encoding="utf-8")
    return [] if after == before else [str(PAGE.relative_to(REPOSITORY))]


def _counted(match: re.Match[str], notes: pathlib.Path) -> str:
    found: dict[str, dict[str, t.Any]] = {}
    for path in sorted(notes.glob(f"*/{match[2]}/*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        _merge(found.setdefault(path.parts[-3], {}), content)
    return f"{match[1]}\n{_table(found)}\n{match[3]}" if found else match[0]


def _merge(counts: dict[str, t.Any], more: t.Mapping[str, t.Any]) -> None:
    """Add what another part of a table noted."""
    for name, value in more.items():
        if isinstance(value, dict):
            _merge(counts.setdefault(name, {}), value)
        else:
            counts[name] = value


def _table(sessions: t.Mapping[str, t.Any]) -> str:
    """Return the counts of ``sessions`` as a table: a row for each, a column for each count."""
    rows: list[tuple[str, ...]] = [("Tried", *(f"{name}" for name in sessions))]
    names = dict.fromkeys(name for content in sessions.values() for name in _flat(content))
    rows += [
        (name, *(str(_flat(content).get(name, "")) for content in sessions.values()))
        for name in names
    ]
    head, *others = ["| " + " | ".join(row) + " |\n" for row in rows]
    return head + "|---" + "|---:" * len(sessions) + "|\n" + "".join(others)


def _flat(content: t.Mapping[str, t.Any], prefix: str = "") -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            found.update(_flat(value, f"{prefix}{name}: "))
        else:
            found[prefix + name] = value
    return found
