# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What noxfile.py and the tests of trust have in common."""

from __future__ import annotations

# Set by the session `trust`: that all is tried, and the seed of what is chosen by chance.
FULL_VARIABLE = "VAULTOPS_TEST_TRUST"
SEED_VARIABLE = "VAULTOPS_TEST_SEED"
# The folder of the notes for docs/reliability.md.
FOLDER_VARIABLE = "VAULTOPS_RELIABILITY"
DEFAULT_SEED = 16
# What takes longest goes first.
FILES = (
    "tests/integration/test_chaos.py",
    "tests/integration/test_load.py",
    "tests/integration/test_hostile.py",
    "tests/integration/test_faults.py",
)
