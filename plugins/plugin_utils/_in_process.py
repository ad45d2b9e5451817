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
import signal
import sys
import threading
import traceback
import typing as t

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.vaultops.vault.plugins.module_utils._api import plugins_pins
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import (
    CUT_SHORT,
    TAKES_UP_TO,
    TIMEOUT_PER_MOUNT,
)
from ansible_collections.vaultops.vault.plugins.module_utils._auth.methods import load_method
from ansible_collections.vaultops.vault.plugins.module_utils._auth.options import METHODS
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._front.given import given_options
from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import (
    Operation,
    Outcome,
    argument_spec,
    interrupted_result,
    perform,
)
from ansible_collections.vaultops.vault.plugins.module_utils._front.usage import (
    shown_options,
    unknown_options,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http import proxies
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import (
    CONNECTION_SPEC,
    Connection,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.distance import NEAR
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    client_variable,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.interruption import (
    SIGNALS,
    Interrupted,
    Interruption,
    is_interrupted,
    let_end,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.transport import (
    REQUESTS_IMPORT_ERROR,
    tls_settings,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.trust import NOTICE, context_for
from ansible_collections.vaultops.vault.plugins.module_utils._parsing import parse_duration

VARIABLE = "vaultops_in_process"
PYTHON = "ansible_python_interpreter"
ENVIRONMENT = "ANSIBLE_VAULTOPS_IN_PROCESS"

display = Display()

# A worker has no stderr of its own, and Ansible shows none of its lines once it is interrupted.
STDERR: int | None = None
with contextlib.suppress(OSError):
    STDERR = os.dup(2)

# So often a worker looks whether Ansible itself is still there, in seconds.
LOOK_EVERY = 0.5

# What a module imports only where it needs it, each worker inherits from here.
INHERITED = (plugins_pins, proxies, *map(load_method, METHODS))


class _BeforeEachFork:
    """What Ansible asks an action for before it forks a worker: here the main process prepares."""

    def __get__(self, _action: object, _class: type) -> bool:
        NOTICE.take()
        return False


def prepare_trust() -> None:
    """Make the TLS context that the environment names, if its address is encrypted.

    Any other that a task needs is made by its worker, and then by the main process for the next
    ones: see Notice.  So those who speak HTTP pay for none.
    """
    if not client_variable("ADDR").strip().lower().startswith("https:"):
        return
    with contextlib.suppress(Exception):  # the task says what is wrong
        context_for(tls_settings(Connection.from_params(dict.fromkeys(CONNECTION_SPEC))))


class _NotStartedError(BaseException):
    """A signal came before the module was started."""


class InProcessAction(ActionBase):
    """Runs ``operation`` in the worker where that is the same thing, else the ordinary module."""

    _supports_check_mode = True
    _supports_async = True
    BYPASS_HOST_LOOP = _BeforeEachFork()
    operation: Operation
    # Of a local module, until it has run.
    _preparing: Interruption | None = None

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
        if self._connection.transport != "local" or self._task.async_val:
            return {**result, **self._run_module(variables)}
        with _own_group(), _watch_over_ansible():
            if reason:
                more, number = self._run_local_module(variables)
            else:
                with self._task_environment():
                    more, number = self._run_in_process()
        if number == signal.SIGALRM:
            more["timedout"] = {"period": self._task.timeout}
        elif number is not None:
            signal.raise_signal(number)  # now the worker may end as Ansible wants it to
        return {**result, **more}

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
            if user != own_user():
                return f"it becomes {user}"
        python = self._templar.template(self._of_target(variables).get(PYTHON) or "auto")
        if not str(python).startswith("auto") and not is_own(str(python)):
            return f"its interpreter is {python}"
        if REQUESTS_IMPORT_ERROR is not None:
            return "the Python library requests is missing here"
        return ""

    def _of_target(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the variables of the host on which the task runs, as for a module."""
        delegated: dict[str, t.Any] = variables.get("ansible_delegated_vars") or {}
        found: dict[str, t.Any] = delegated.get(self._task.delegate_to) or variables
        return found

    def _wanted(self, variables: dict[str, t.Any]) -> bool:
        """Tell whether the task may run in process; what is empty is not given."""
        for name, value in (
            (VARIABLE, self._templar.template(variables.get(VARIABLE))),
            (ENVIRONMENT, os.environ.get(ENVIRONMENT)),
        ):
            chosen = value.strip() if isinstance(value, str) else value
            if chosen not in (None, ""):
                try:
                    return bool(boolean(chosen))
                except TypeError:
                    raise AnsibleActionFail(
                        f"{name} is {chosen!r}, neither true nor false; nothing was sent"
                    ) from None
        return True

    def _run_module(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        self._announce_reload()
        wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
        result: dict[str, t.Any] = self._execute_module(task_vars=variables, wrap_async=wrap_async)
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _run_local_module(self, variables: dict[str, t.Any]) -> tuple[dict[str, t.Any], int | None]:
        """Run the module, and pass a signal on to it: it knows what may be cut short."""

        def pass_on(line: str) -> None:
            self._say(line)
            # Not SIGINT itself: this worker gets it too, and would take it for another Ctrl-C.
            number = signal.SIGALRM if interruption.by_timeout else signal.SIGTERM
            if os.getpgrp() == os.getpid():
                with contextlib.suppress(OSError):
                    os.killpg(os.getpid(), number)

        with Interruption(pass_on) as interruption:
            let_end("the module to end a reload that is under way", CUT_SHORT)
            self._preparing = interruption
            try:
                result = self._run_module(variables)
            except (_NotStartedError, AnsibleConnectionFailure):
                # The latter is of a command that the signal has ended, before the module's own.
                if interruption.signal is None:
                    raise
                self._remove_tmp_path(self._connection._shell.tmpdir)
                result = interrupted_result(interruption)
            except Interrupted:
                return {}, interruption.signal
            if interruption.signal is not None and "module_stdout" in result:
                # No result of it: it was ended before it could say anything, or send anything.
                result = interrupted_result(interruption)
        return result, interruption.signal

    def _low_level_execute_command(self, *args: t.Any, **more: t.Any) -> dict[str, t.Any]:
        # A signal has ended what prepares the module: it is not started any more.
        if self._preparing is not None and self._preparing.signal is not None:
            raise _NotStartedError
        run: t.Callable[..., dict[str, t.Any]] = super()._low_level_execute_command
        return run(*args, **more)

    def _remove_tmp_path(self, tmp_path: str | None, force: bool = False) -> None:
        self._preparing = None
        remove: t.Callable[..., None] = super()._remove_tmp_path
        remove(tmp_path, force)

    def _announce_reload(self) -> None:
        """Show how long a reload by the module may take: the module itself can show nothing."""
        if "reload_timeout" not in self.operation.SPEC or self._task.check_mode:
            return
        seconds, mounts = self._reload_seconds()
        each = "" if mounts else " for each mount"
        self._announce(TAKES_UP_TO.format(seconds=seconds, each=each))
        if self._task.async_val and self._task.async_val < seconds:
            # Not display.warning(): that would show it when all is over.
            display.display(
                f"[WARNING]: {self._task.action}: async is {self._task.async_val} s, and the reload"
                f" may take {seconds:.0f} s: when async ends, Ansible kills the task; {CUT_SHORT}; "
                "set async to more than that",
                stderr=True,
            )

    def _reload_seconds(self) -> tuple[float, bool]:
        """Return how long a reload may take, and whether that is all of it: by what is given."""
        arguments = given_options(plain(self._task.args), argument_spec(self.operation))
        mounts = arguments.get("mounts") or []
        if arguments.get("reload_timeout"):
            with contextlib.suppress(OptionError):
                return parse_duration(arguments["reload_timeout"], "reload_timeout"), True
        return TIMEOUT_PER_MOUNT * max(1, len(mounts)), bool(mounts)

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

    def _run_in_process(self) -> tuple[dict[str, t.Any], int | None]:
        spec = argument_spec(self.operation)
        validator = ArgumentSpecValidator(spec, **self.operation.CONSTRAINTS)
        checked = validator.validate(given_options(plain(self._task.args), spec))
        params = checked.validated_parameters
        secrets = set(checked._no_log_values)
        warnings = [
            "Both option {option} and its alias {alias} are set.".format(**both)
            for both in checked._warnings
        ]
        if checked.error_messages:
            unknown = unknown_options(self._task.action, checked.unsupported_parameters, spec)
            message = unknown or str(checked.errors.msg)
            result = {"failed": True, "changed": False, "msg": message}
            outcome = Outcome(result, [], set())
        else:
            outcome = self._performed(params)
        result = outcome.result
        warnings += outcome.warnings
        secrets |= outcome.secrets
        if not self._task.diff:
            result.pop("diff", None)
        if warnings:
            result["warnings"] = warnings
        if checked._deprecations:
            result["deprecations"] = checked._deprecations
        if _invocation_is_wanted():
            shown = shown_options(params, checked.unsupported_parameters)
            result["invocation"] = {"module_args": shown}
        masked: dict[str, t.Any] = remove_values(result, secrets)
        return masked, outcome.signal

    def _performed(self, params: dict[str, t.Any]) -> Outcome:
        try:
            return perform(
                self.operation,
                params,
                self._task.check_mode,
                self._progress,
                self._say,
                self._announce,
            )
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not take the worker down
            message = f"unexpected {type(error).__name__} in {self._task.action}; please report it"
            # Where it happened, without the error's own words: they may hold a secret.
            frames = "".join(traceback.format_tb(error.__traceback__))
            return Outcome({"failed": True, "msg": message, "exception": frames}, [], set())

    def _progress(self, line: str) -> None:
        if not self._task.no_log:
            display.v(f"{self._task.action}: {line}", host=self._host)

    def _announce(self, line: str) -> None:
        if not self._task.no_log:
            display.display(f"{self._task.action}: {line}", stderr=True)

    def _say(self, line: str) -> None:
        """Show a line at once; called inside a signal handler, where Display may be locked."""
        if self._task.no_log:
            line = "interrupted, and waiting for a request; no_log hides which"
        if STDERR is not None:
            with contextlib.suppress(OSError):
                os.write(STDERR, f"[WARNING]: {self._task.action}: {line}\n".encode())


@contextlib.contextmanager
def _own_group() -> t.Iterator[None]:
    """Leave Ansible's process group, to which others send signals; from 2.19 on it does that."""
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    yield


@contextlib.contextmanager
def _watch_over_ansible() -> t.Iterator[None]:
    """Turn the end of Ansible itself, such as a killed job, into a SIGHUP of this worker."""
    ansible, worker, done = os.getppid(), os.getpid(), threading.Event()

    def watch() -> None:
        # A signal has to wake the main thread, which alone handles it.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        while not done.wait(LOOK_EVERY):
            if os.getppid() == ansible:
                continue
            # Ansible's own signal may still be on its way: it tells more, and is the first.
            if not done.wait(LOOK_EVERY) and not is_interrupted():
                os.kill(worker, signal.SIGHUP)
            return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def own_user() -> str:
    """Return the name of the user that runs Ansible, the uid where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


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


# Ansible loads the action's class, and this with it, in its main process.
if REQUESTS_IMPORT_ERROR is None:
    NEAR.share()
    NOTICE.open()
    prepare_trust()
