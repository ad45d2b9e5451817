# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers are near: they answer sooner than a thread with a connection of its own costs."""

from __future__ import annotations

import hashlib
import mmap

# An answer within so many seconds is of a near server.
NEAR_SECONDS = 0.003


class NearServers:
    """A table of digests of addresses; a wrong entry costs time, and nothing else.

    After share() all processes that are forked from then on write and read the same one.
    """

    DIGEST, ROWS = 8, 256

    def __init__(self) -> None:
        self._table: bytearray | mmap.mmap = bytearray(self.DIGEST * self.ROWS)

    def share(self) -> None:
        """Have one table with the processes that are forked from now on."""
        self._table = mmap.mmap(-1, self.DIGEST * self.ROWS)

    def note(self, url: str, seconds: float) -> None:
        """Note that the server at ``url`` answered within ``seconds``."""
        if seconds < NEAR_SECONDS:
            digest, row = self._row(url)
            self._table[row] = digest

    def __contains__(self, url: str) -> bool:
        digest, row = self._row(url)
        return bytes(self._table[row]) == digest

    def _row(self, url: str) -> tuple[bytes, slice]:
        digest = hashlib.sha256(url.encode()).digest()[: self.DIGEST]
        start = digest[0] % self.ROWS * self.DIGEST
        return digest, slice(start, start + self.DIGEST)


NEAR = NearServers()
