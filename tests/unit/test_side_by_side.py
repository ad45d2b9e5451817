# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions that run beside each other take turns where they would be too much together."""

from __future__ import annotations

import pathlib
import threading

from ansible_collections.vaultops.vault.tests.support import side_by_side


def test_the_second_waits_for_the_first(tmp_path: pathlib.Path) -> None:
    order = []

    def second() -> None:
        with side_by_side.one_at_a_time(tmp_path / "lock"):
            order.append("second")

    waiting = threading.Thread(target=second)
    with side_by_side.one_at_a_time(tmp_path / "lock"):
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        order.append("first")
    waiting.join(60)
    assert order == ["first", "second"]
