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

    # What becomes of a task that is interrupted, for each module.
    INTERRUPTED = r"""
options: {}
notes:
  - If the task is interrupted (Ctrl-C, SIGTERM, the task keyword C(timeout)), a request that
    changes something is finished first, and the token of a login is revoked. A second Ctrl-C does
    not wait.
  - C(async) that is shorter than the task, and whatever else kills the process, such as the end of
    its container, cannot be put off. A mount whose reload is cut short this way stays down on
    OpenBao until a reload of it succeeds, and the token of a login stays valid until its lease
    ends. Run the task again.
"""
