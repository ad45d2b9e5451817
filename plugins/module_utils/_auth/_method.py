# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an authentication method is."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class AuthMethod:
    """``spec`` are the method's own options; ``obtain(params)`` returns its token."""

    spec: t.Mapping[str, dict[str, t.Any]]
    obtain: t.Callable[[t.Mapping[str, t.Any]], str | None]
