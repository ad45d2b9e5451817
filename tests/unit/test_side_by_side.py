# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs beside the tests gives way to them, and only that."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading

from ansible_collections.vaultops.vault.tests.support import side_by_side

PROGRAM = """
import os, sys
sys.path.insert(0, sys.argv[1])
import side_by_side
before = os.nice(0)
side_by_side.give_way()
group = side_by_side.AUTOGROUP
print(os.nice(0) - before, group.read_text().split()[-1] if group.exists() else "none")
"""


def nice_after_giving_way(*, new_session: bool) -> list[str]:
    """Return by how much a process has become nice, and how nice its session is then."""
    folder = str(pathlib.Path(side_by_side.__file__).parent)
    command = [sys.executable, "-c", PROGRAM, folder]
    done = subprocess.run(
        command, start_new_session=new_session, check=True, capture_output=True, text=True
    )
    return done.stdout.split()


def test_a_session_that_nox_started_gives_way() -> None:
    process, session = nice_after_giving_way(new_session=True)
    assert int(process) == side_by_side.LOWEST - min(os.nice(0), side_by_side.LOWEST)
    assert session in (str(side_by_side.LOWEST), "none")


def test_a_terminal_stays_as_it_is() -> None:
    assert nice_after_giving_way(new_session=False)[0] == "0"


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
