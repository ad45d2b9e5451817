# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is PRIVATE to the collection: it can change, or go, without a notice.

from __future__ import annotations


class ModuleDocFragment:
    """What each module of the collection says of itself, said once."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description:
      - Can run in check mode and report what would change, without changing it.
  diff_mode:
    description:
      - Reports what has changed, or would change in check mode, when run with C(--diff).
"""

    ACTIONGROUP_VAULT = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/vaultops.vault.vault) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - vaultops.vault.vault
"""
