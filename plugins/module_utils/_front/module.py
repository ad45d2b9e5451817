# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front of a module on a target: AnsibleModule around perform()."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.vaultops.vault.plugins.module_utils._front.given import given_options
from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import (
    Operation,
    argument_spec,
    perform,
)
from ansible_collections.vaultops.vault.plugins.module_utils._front.usage import (
    shown_options,
    unknown_options,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import this_host
from ansible_collections.vaultops.vault.plugins.module_utils._http.transport import (
    REQUESTS_IMPORT_ERROR,
)


class _Module(AnsibleModule):
    """An AnsibleModule that ignores an empty option, and names a misspelled one first."""

    def __init__(self, operation: Operation) -> None:
        spec = argument_spec(operation)
        super().__init__(argument_spec=spec, supports_check_mode=True, **operation.CONSTRAINTS)  # type: ignore[no-untyped-call]

    def _load_params(self) -> None:
        load: t.Callable[[], None] = super()._load_params
        load()
        self.params = given_options(self.params, self.argument_spec)

    def fail_json(self, msg: str, **more: t.Any) -> t.NoReturn:
        checked = getattr(self, "validation_result", None)
        unknown = checked.unsupported_parameters if checked else ()
        if unknown:
            more["invocation"] = {"module_args": shown_options(self.params, unknown)}
        super().fail_json(unknown_options(self._name, unknown, self.argument_spec) or msg, **more)


def run(operation: Operation) -> None:
    """Run ``operation`` as the module of this process: prints the result and exits."""
    module = _Module(operation)
    if REQUESTS_IMPORT_ERROR is not None:
        module.fail_json(msg=_requests_is_missing(), exception=REQUESTS_IMPORT_ERROR)
    outcome = perform(operation, module.params, module.check_mode)
    module.no_log_values.update(outcome.secrets)
    for warning in outcome.warnings:
        # Of ansible-core, 2.19 and newer mask the result only.
        module.warn(remove_values(warning, module.no_log_values))
    if not module._diff:
        outcome.result.pop("diff", None)
    if outcome.result.get("failed"):
        module.fail_json(**outcome.result)
    module.exit_json(**outcome.result)


def _requests_is_missing() -> str:
    # Ansible's own words name the interpreter, and not what may be done about it here.
    words = str(missing_required_lib("requests")).partition(". ")[0]
    return (
        f"{words}, on {this_host()}; install it for this interpreter (Debian and Ubuntu: apt "
        "install python3-requests; in a virtual environment: pip install requests), or set "
        "ansible_python_interpreter to one that has it: for a task on the controller leave it out, "
        'or set "{{ ansible_playbook_python }}"'
    )
