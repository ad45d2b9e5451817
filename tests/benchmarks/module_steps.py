# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a module's process, one after the other; profile_task runs this as a program.

Its arguments are the zip of the module's code, and the module's arguments as Ansible sends them.
It prints the milliseconds of each step.  It imports nothing that the steps would import themselves.
"""

from __future__ import annotations

import importlib
import sys
import time

OURS = "ansible_collections.vaultops.vault.plugins.module_utils"


def main(payload: str, arguments: str) -> dict[str, float]:
    """Take the steps; return the milliseconds of each."""
    steps: dict[str, float] = {}
    before = time.perf_counter()

    def took(name: str) -> None:
        nonlocal before
        steps[name] = (time.perf_counter() - before) * 1000
        before = time.perf_counter()

    sys.path.insert(0, payload)
    from ansible.module_utils import basic

    took("import ansible.module_utils.basic")
    importlib.import_module("requests")
    took("import requests")
    importlib.import_module(f"{OURS}._front.entry")
    importlib.import_module(f"{OURS}._front.module")
    from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import (
        argument_spec,
        perform,
    )
    from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_reload

    took("import our own code")
    basic._ANSIBLE_ARGS = arguments.encode()
    basic._ANSIBLE_PROFILE = "legacy"
    module = basic.AnsibleModule(
        argument_spec=argument_spec(plugin_reload),
        supports_check_mode=True,
        **plugin_reload.CONSTRAINTS,
    )
    took("AnsibleModule, which checks the options")
    perform(plugin_reload, module.params, False)
    took("perform(), verified")
    return steps


if __name__ == "__main__":
    taken = main(*sys.argv[1:])
    import json  # not before: the steps import it

    print(json.dumps(taken))
