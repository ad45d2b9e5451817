# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How sessions of nox share the machine that run at the same time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOWEST = 19
AUTOGROUP = Path("/proc/self/autogroup")


def give_way() -> None:
    """Let the sessions go first that nox runs at the same time, in all that this process does.

    nox starts each as a session of the operating system.  Linux shares a processor among those, and
    nice decides only within one: so the whole session is made nice.
    """
    if os.getsid(0) != os.getpid():
        return  # a terminal's, with all else that runs there
    os.nice(LOWEST)
    with contextlib.suppress(OSError):  # a kernel without it has nice alone
        AUTOGROUP.write_text(str(LOWEST), encoding="ascii")


@contextlib.contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Wait until no other session holds ``lock``, and hold it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
