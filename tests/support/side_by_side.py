# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How sessions of nox share the machine that run at the same time."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOK_EVERY = 0.5


@contextlib.contextmanager
def at_most(count: int, locks: Path) -> Iterator[None]:
    """Wait until fewer than ``count`` sessions are in here; ``locks`` is a folder."""
    locks.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as opened:
        files = [opened.enter_context((locks / str(number)).open("w")) for number in range(count)]
        for file in itertools.cycle(files):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(LOOK_EVERY / count)
        yield
