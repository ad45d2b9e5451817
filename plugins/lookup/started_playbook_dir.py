# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of the playbook that the user has started, also inside a playbook of a collection."""

from __future__ import annotations

DOCUMENTATION = r"""
name: started_playbook_dir
short_description: The directory of the playbook that was started
version_added: 0.1.0
author:
  - the vaultops.vault authors (@vaultops)
description:
  - Returns the directory of the playbook that C(ansible-playbook) was started with. In a playbook
    that another one imports by its fully qualified name, the variable C(playbook_dir) is the
    directory of the collection instead.
  - If the playbook was started by its fully qualified name, and with the command C(ansible), this
    is the current directory.
  - If several playbooks were started at once, their directories, in order.
options: {}
"""

EXAMPLES = r"""
- name: Show the directory
  ansible.builtin.debug:
    msg: "{{ lookup('vaultops.vault.started_playbook_dir') }}"
"""

RETURN = r"""
_raw:
  description: The directory, as an absolute path.
  type: list
  elements: path
"""

import pathlib
import typing as t

from ansible import context
from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    """The lookup plugin; it takes no terms."""

    def run(
        self, terms: list[str], variables: dict[str, t.Any] | None = None, **more: t.Any
    ) -> list[str]:
        """Return the directories."""
        started = context.CLIARGS.get("args") or ()
        names = [started] if isinstance(started, str) else started
        playbooks = [path for path in map(pathlib.Path, names) if path.is_file()]
        folders = [str(path.absolute().parent) for path in playbooks]
        return list(dict.fromkeys(folders)) or [str(pathlib.Path.cwd())]
