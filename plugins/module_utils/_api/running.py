# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mount runs, or would run: the version and the sha256 of a catalog entry."""

from __future__ import annotations

import typing as t


class Running(t.NamedTuple):
    """A version and a sha256, each empty where there is none: a builtin plugin has no sha256."""

    version: str
    sha256: str

    def __str__(self) -> str:
        return " ".join(filter(None, (self.version, self.sha256[:8]))) or "nothing"
