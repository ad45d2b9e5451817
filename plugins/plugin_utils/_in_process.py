# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The in-process front: an action runs the module's own operation inside Ansible's worker.

A module costs a payload, an interpreter and its imports for each task.  Where the task runs on the
controller anyway, the same operation can run in the worker, which has inherited all imports.
Everything that a module does around its operation is done here too, so that the results are equal.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import pathlib
import sys
import traceback
import typing as t

from ansible import constants
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.vaultops.vault.plugins.module_utils._api import plugins_pins
from ansible_collections.vaultops.vault.plugins.module_utils._auth.methods import load_method
from ansible_collections.vaultops.vault.plugins.module_utils._auth.options import METHODS
from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import (
    Operation,
    argument_spec,
    perform,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.transport import (
    REQUESTS_IMPORT_ERROR,
)

VARIABLE = "vaultops_in_process"
ENVIRONMENT = "ANSIBLE_VAULTOPS_IN_PROCESS"

display = Display()

# What a module imports only where it needs it, each worker inherits from here.
INHERITED = (plugins_pins, *map(load_method, METHODS))


class InProcessAction(ActionBase):
    """Runs ``operation`` in the worker where that is the same thing, else the ordinary module."""

    _supports_check_mode = True
    _supports_async = True
    operation: Operation

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Run the task; see reason_for_module for which way it takes."""
        variables = task_vars or {}
        result: dict[str, t.Any] = super().run(tmp, variables)
        self._host = variables.get("inventory_hostname")
        reason = self.reason_for_module(variables)
        way = f"as a module: {reason}" if reason else "in process"
        display.vvv(f"{self._task.action} runs {way}", host=self._host)
        if reason:
            result.update(self._run_module(variables))
        else:
            with self._task_environment():
                result.update(self._run_in_process())
        return result

    def reason_for_module(self, variables: dict[str, t.Any]) -> str:
        """Return why the task has to run as an ordinary module, nothing where it need not."""
        if self._connection.transport != "local":
            return f"the connection is {self._connection.transport}"
        if self._task.async_val:
            return "the task is async"
        if not self._wanted(variables):
            return f"{VARIABLE} or {ENVIRONMENT} says so"
        become = self._connection.become
        if become is not None:
            user = become.get_option("become_user", playcontext=self._play_context) or "root"
            if user != getpass.getuser():
                return f"it becomes {user}"
        python = self._templar.template(variables.get("ansible_python_interpreter") or "auto")
        if not str(python).startswith("auto") and not is_own(str(python)):
            return f"its interpreter is {python}"
        if REQUESTS_IMPORT_ERROR is not None:
            return "the Python library requests is missing here"
        return ""

    def _wanted(self, variables: dict[str, t.Any]) -> bool:
        chosen = variables.get(VARIABLE, os.environ.get(ENVIRONMENT) or True)
        return bool(boolean(self._templar.template(chosen), strict=False))

    def _run_module(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
        result: dict[str, t.Any] = self._execute_module(task_vars=variables, wrap_async=wrap_async)
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    @contextlib.contextmanager
    def _task_environment(self) -> t.Iterator[None]:
        """Set the variables of ``environment:`` for the operation, and restore the worker's own."""
        wanted: dict[str, t.Any] = {}
        self._compute_environment_string(wanted)
        before = dict(os.environ)
        os.environ.update({plain(name): str(plain(value)) for name, value in wanted.items()})
        try:
            yield
        finally:
            for name in set(os.environ) - set(before):
                del os.environ[name]
            os.environ.update(before)

    def _run_in_process(self) -> dict[str, t.Any]:
        validator = ArgumentSpecValidator(
            argument_spec(self.operation), **self.operation.CONSTRAINTS
        )
        checked = validator.validate(plain(self._task.args))
        params = checked.validated_parameters
        secrets = set(checked._no_log_values)
        warnings = [
            "Both option {option} and its alias {alias} are set.".format(**both)
            for both in checked._warnings
        ]
        if checked.error_messages:
            result = {"failed": True, "changed": False, "msg": self._usage_error(checked.errors)}
        else:
            result, more, found = self._performed(params)
            warnings += more
            secrets |= found
        if not self._task.diff:
            result.pop("diff", None)
        if warnings:
            result["warnings"] = warnings
        if checked._deprecations:
            result["deprecations"] = checked._deprecations
        if _invocation_is_wanted():
            result["invocation"] = {"module_args": params}
        masked: dict[str, t.Any] = remove_values(result, secrets)
        return masked

    def _performed(self, params: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[str], set[str]]:
        try:
            outcome = perform(self.operation, params, self._task.check_mode, self._progress)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not take the worker down
            message = f"unexpected {type(error).__name__} in {self._task.action}; please report it"
            # Where it happened, without the error's own words: they may hold a secret.
            frames = "".join(traceback.format_tb(error.__traceback__))
            return {"failed": True, "msg": message, "exception": frames}, [], set()
        return outcome.result, outcome.warnings, outcome.secrets

    def _progress(self, line: str) -> None:
        display.v(f"{self._task.action}: {line}", host=self._host)

    def _usage_error(self, errors: t.Any) -> str:
        if isinstance(errors[0], UnsupportedError):
            return f"Unsupported parameters for ({self._task.action}) module: {errors.msg}"
        return str(errors.msg)


def plain(value: t.Any) -> t.Any:
    """Return ``value`` of plain types: Ansible's tagged and unsafe ones end at this door."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, t.Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    return str(value)  # a vault-encrypted value becomes text by being asked for it


def is_own(python: str) -> bool:
    """Tell whether ``python`` is the interpreter that runs Ansible, by whatever name or link."""
    own = pathlib.Path(sys.executable)
    named = pathlib.Path(python)
    try:
        # The folder too: the interpreters of virtual environments are links to one file.
        return named.samefile(own) and named.parent.samefile(own.parent)
    except OSError:
        return False


def _invocation_is_wanted() -> bool:
    try:
        return bool(constants.config.get_config_value("INJECT_INVOCATION"))
    except Exception:  # noqa: BLE001 - before ansible-core 2.20 there is no such setting
        return True
