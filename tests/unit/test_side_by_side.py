# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions that run beside each other take turns where they would be too much together."""

from __future__ import annotations

import contextlib
import pathlib
import threading

import pytest

from ansible_collections.vaultops.vault.tests.support import side_by_side


@pytest.mark.parametrize("count", [1, 2])
def test_one_more_than_there_may_be_waits(tmp_path: pathlib.Path, count: int) -> None:
    order = []

    def one_more() -> None:
        with side_by_side.at_most(count, tmp_path / "locks"):
            order.append("one more")

    waiting = threading.Thread(target=one_more)
    with contextlib.ExitStack() as others:
        for _number in range(count):
            others.enter_context(side_by_side.at_most(count, tmp_path / "locks"))
        waiting.start()
        waiting.join(1)
        assert waiting.is_alive()
        order.append("others")
    waiting.join(60)
    assert order == ["others", "one more"]
