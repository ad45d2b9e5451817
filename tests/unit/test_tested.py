# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the tests notes of itself, and what becomes of the notes."""

from __future__ import annotations

import pathlib
import types
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support import tested

SKIPPED = ["Skipped: openbao_only: it has no pins", "Skipped: no slapd here"]
STATS: dict[str, list[t.Any]] = {
    "passed": [None] * 3,
    "skipped": [types.SimpleNamespace(longrepr=("x.py", 1, reason)) for reason in SKIPPED],
}


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Where the notes of the session vault go."""
    monkeypatch.setattr(tested, "_noted", set())
    monkeypatch.setenv(tested.VARIABLE, tested.fresh_folder(tmp_path / "vault"))
    return tmp_path


def test_a_run_notes_its_servers_and_counts(folder: pathlib.Path) -> None:
    for version in ("1.21.0", "1.21.0", "1.20.0-beta1"):
        tested.note_server("Vault", version)
    tested.note_counts(STATS)
    (run,) = tested.noted_runs(folder)
    servers = "HashiCorp Vault Community 1.20.0-beta1, HashiCorp Vault Community 1.21.0"
    assert run == tested.Run("vault", servers, run.date, 3, 1, 1)
    page = folder / "page.md"
    page.write_text("<!-- tested: vault_releases -->old<!-- end -->", encoding="utf-8")
    assert ">1.20.0-beta1 and 1.21.0<" in tested.quoted(page, [run])


@pytest.mark.parametrize("outcome", ["failed", "error", "subtests failed"])
def test_a_run_that_fails_notes_nothing(folder: pathlib.Path, outcome: str) -> None:
    tested.note_server("Vault", "1.21.0")
    tested.note_counts({**STATS, outcome: [None]})
    assert tested.noted_runs(folder) == []


def test_without_the_variable_nothing_is_written(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(tested.VARIABLE)
    tested.note_server("Vault", "1.21.0")
    tested.note_counts(STATS)
    assert list((folder / "vault").iterdir()) == []
