# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of what comes in and goes out as dictionaries: options, argument specs and results."""

from __future__ import annotations

import typing as t

Params = t.Mapping[str, t.Any]
Spec = t.Dict[str, t.Dict[str, t.Any]]
Result = t.Dict[str, t.Any]
