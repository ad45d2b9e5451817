# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front of a module on a target: AnsibleModule around perform()."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

# The first of ours: those after it are compiled once.
# pylint: disable-next=unused-import
from ansible_collections.vaultops.vault.plugins.module_utils import _compile_once  # noqa: F401
from ansible_collections.vaultops.vault.plugins.module_utils._front.given import given_options
from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import (
    Operation,
    argument_spec,
    perform,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.transport import (
    REQUESTS_IMPORT_ERROR,
)


class _Module(AnsibleModule):
    """An AnsibleModule to which an empty option is not given."""

    def _load_params(self) -> None:
        load: t.Callable[[], None] = super()._load_params
        load()
        self.params = given_options(self.params, self.argument_spec)


def run_module(operation: Operation) -> None:
    """Run ``operation`` as the module of this process: prints the result and exits."""
    module_class: type[t.Any] = _Module
    module = module_class(
        argument_spec=argument_spec(operation), supports_check_mode=True, **operation.CONSTRAINTS
    )
    if REQUESTS_IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    outcome = perform(operation, module.params, module.check_mode)
    module.no_log_values.update(outcome.secrets)
    for warning in outcome.warnings:
        module.warn(warning)
    if not module._diff:
        outcome.result.pop("diff", None)
    if outcome.result.get("failed"):
        module.fail_json(**outcome.result)
    module.exit_json(**outcome.result)
