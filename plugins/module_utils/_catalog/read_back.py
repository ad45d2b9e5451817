# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what was written, where the node that answers may learn of it a moment later."""

from __future__ import annotations

import time
import typing as t

# A standby that passed a write on learns of it a moment later: reads after it, seconds between.
READS, PAUSE = 20, 0.15


def reads_after_write() -> t.Iterator[int]:
    """Count the reads after a write, with a pause between two."""
    for number in range(READS):
        time.sleep(PAUSE if number else 0)
        yield number
