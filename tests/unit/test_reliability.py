# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of docs/reliability.md are what the runs have noted, and nothing else."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.vaultops.vault.tests.support import reliability, trust, trust_options

PAGE = """# A page

<!-- counted: faults -->
old
<!-- end -->

<!-- counted: chaos -->
what no run has noted
<!-- end -->
"""


def test_parts_become_one_table(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    monkeypatch.setattr(reliability, "PAGE", page)
    monkeypatch.setattr(reliability, "REPOSITORY", tmp_path)
    monkeypatch.setenv(trust_options.SEED_VARIABLE, "7")
    for session, tries in (("few", 2), ("trust", 30)):
        monkeypatch.setenv(trust_options.FOLDER_VARIABLE, str(tmp_path / "notes" / session))
        for number, task in enumerate(("reload", "info")):
            trust.note("faults", task, faults=5, tasks={task: {"tries": tries + number}})
    assert reliability.write(tmp_path / "notes") == ["page.md"]
    assert reliability.write(tmp_path / "notes") == []
    assert page.read_text() == PAGE.replace(
        "old\n",
        """
| Tried | few | trust |
|---|---:|---:|
| seed | 7 | 7 |
| faults | 5 | 5 |
| tasks: info: tries | 3 | 31 |
| tasks: reload: tries | 2 | 30 |

""",
    )
