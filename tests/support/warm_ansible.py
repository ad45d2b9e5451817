# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's commands as forks of one process that has imported Ansible: half of a start is imports.

As a program it reads requests from standard input, a line of JSON each, and answers with the
process id of the command, and its exit status at its end.  ``Warm`` is the side of the tests.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pathlib
import pkgutil
import select
import signal
import subprocess
import sys
import traceback
import types
import typing as t

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# What a run of each command loads of Ansible itself, whatever it is to do.
IMPORTED = (
    "ansible.cli.adhoc",
    "ansible.cli.playbook",
    "ansible.executor.module_common",
    "ansible.executor.playbook_executor",
    "ansible.executor.task_executor",
    "ansible.module_utils.basic",
    "ansible.plugins.action.assert",
    "ansible.plugins.action.normal",
    "ansible.plugins.action.set_fact",
    "ansible.plugins.cache.memory",
    "ansible.plugins.callback.default",
    "ansible.plugins.callback.minimal",
    "ansible.plugins.connection.local",
    "ansible.plugins.filter.core",
    "ansible.plugins.inventory.ini",
    "ansible.plugins.inventory.yaml",
    "ansible.plugins.shell.sh",
    "ansible.plugins.strategy.linear",
    "ansible.plugins.test.core",
    "ansible.plugins.vars.host_group_vars",
    "multiprocessing.popen_fork",
    "requests",
    "xml.dom.minidom",
)
# It also looks through the plugins of these folders, which differ from release to release.
LOOKED_THROUGH = (
    "become",
    "callback",
    "connection",
    "doc_fragments",
    "inventory",
    "shell",
)


class Request(t.TypedDict):
    """A command, and what a process of its own would have been started with.

    ``python`` is what Ansible takes for its own Python, which runs the modules of localhost.
    With ``from_a_shell`` it has a session of its own, and no signal is ignored.
    """

    command: list[str]
    environment: dict[str, str]
    directory: str
    python: str
    stdout: str
    stderr: str
    from_a_shell: bool


class Warm:
    """The process that has imported Ansible, with ``environment`` for what imports depend on."""

    def __init__(self, environment: t.Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that all of it can be ended together
        )
        self._running = 0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def run(self, request: Request, timeout: float) -> int:
        """Run a command; return its exit status.

        Raises TimeoutExpired after ``timeout`` seconds, when it has ended the command.
        """
        self.start(request)
        return self.wait(timeout)

    def start(self, request: Request) -> int:
        """Start a command, and return its process id; one that a failed test has left is ended."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        if self._running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._running, signal.SIGKILL)
            self.wait(1)
        stdin.write(f"{json.dumps(request)}\n")
        stdin.flush()
        self._running = int(stdout.readline())
        return self._running

    def wait(self, timeout: float) -> int:
        """Wait for the end of the command that runs; return its exit status.

        Raises TimeoutExpired after ``timeout`` seconds, when it has ended the command.
        """
        stdout = self._process.stdout
        assert stdout
        if not select.select([stdout], [], [], timeout)[0]:
            self.end()
            raise subprocess.TimeoutExpired(f"process {self._running}", timeout)
        self._running = 0
        return int(stdout.readline())

    def end(self) -> None:
        """End the process, and what it runs."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
            if self._running:  # it may have a group of its own
                os.kill(self._running, signal.SIGKILL)
        self._process.communicate()


def load_plugins() -> None:
    """Import the plugins that a run looks through, and parse what they say of their options."""
    found_loaders = sys.modules["ansible.plugins.loader"].get_all_plugin_loaders()
    loaders = {loader.package: loader for _name, loader in found_loaders}
    for folder in LOOKED_THROUGH:
        package = importlib.import_module(f"ansible.plugins.{folder}")
        for found in pkgutil.iter_modules(package.__path__):
            with contextlib.suppress(ImportError):  # it needs a library that is not there
                module = importlib.import_module(f"{package.__name__}.{found.name}")
                loaders[package.__name__]._load_config_defs(found.name, module, module.__file__)


def parse_routing() -> None:
    """Parse once what ansible-core says of its own collection: 3,000 lines for each run."""
    finder: t.Any = sys.modules["ansible.utils.collection_loader._collection_finder"]
    parse = finder._meta_yml_to_dict
    (package,) = sys.modules["ansible"].__path__
    content = pathlib.Path(package, "config", "ansible_builtin_runtime.yml").read_bytes()
    parsed = {content: parse(content, ("ansible.builtin", "runtime.yml"))}
    finder._meta_yml_to_dict = lambda raw, what: parsed.get(raw) or parse(raw, what)


def parse_settings() -> None:
    """Parse once which settings Ansible has: two thousand lines for each run."""
    module: t.Any = sys.modules["ansible.config.manager"]
    manager = module.ConfigManager
    parse = functools.cache(functools.partial(manager._read_config_yaml_file, None))
    parse(str(pathlib.Path(module.__file__).with_name("base.yml")))
    manager._read_config_yaml_file = lambda _self, path: parse(path)


def compiled_files() -> dict[bytes, types.CodeType]:
    """Compile the files of the collection, for loaders that would do it in each process."""
    files = {str(file): file.read_bytes() for file in (REPOSITORY / "plugins").rglob("*.py")}
    return {text: compile(text, path, "exec", dont_inherit=True) for path, text in files.items()}


def compile_ours() -> None:
    """Let Ansible's loader of collections find what is compiled already."""
    finder: t.Any = sys.modules["ansible.utils.collection_loader._collection_finder"]
    compiled = compiled_files()
    finder.compile = lambda source, **how: compiled.get(source) or compile(source, **how)


def serve() -> None:
    """Run each requested command in a fork, until there are no more requests."""
    for name in IMPORTED:
        importlib.import_module(name)
    load_plugins()
    parse_routing()
    parse_settings()
    compile_ours()
    built = pathlib.Path.home() / "built"
    built.mkdir()
    gc.freeze()  # else each fork copies what it only looks through
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            request: Request = json.loads(line)
            if request["from_a_shell"]:
                os.setsid()
                start_signals_anew()
            streams = [os.devnull, request["stdout"], request["stderr"]]
            become(request["environment"], request["directory"], streams, request["command"])
            sys.executable = request["python"]
            read_settings()
            keep_what_is_built(built)
            end_as_a_program(run_command)
        print(child, flush=True)
        _pid, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def start_signals_anew() -> None:
    """Ignore no signal, as a program does that was started in the foreground."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def become(
    environment: t.Mapping[str, str],
    directory: str,
    streams: t.Sequence[str],
    command: t.Sequence[str],
) -> None:
    """Make this process what a new one with these, and files as its ``streams``, would be."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    for descriptor, path in enumerate(streams):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND if descriptor else os.O_RDONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv[:] = command


def read_settings() -> None:
    """Read Ansible's settings anew, from the environment; what plugins have of options stays."""
    constants = sys.modules["ansible.constants"]
    options = constants.config._plugins
    importlib.reload(constants)
    constants.config._plugins.update(options)


def keep_what_is_built(folder: pathlib.Path) -> None:
    """Let the payload of a module be built once, and not once in each run."""
    temporary = sys.modules["ansible.constants"].DEFAULT_LOCAL_TMP
    pathlib.Path(temporary, "ansiballz_cache").symlink_to(folder)


def run_command() -> None:
    """Run what ``sys.argv`` says."""
    module = {"ansible": "adhoc", "ansible-playbook": "playbook"}[pathlib.Path(sys.argv[0]).name]
    sys.modules[f"ansible.cli.{module}"].main()


def end_as_a_program(main: t.Callable[[], None]) -> t.NoReturn:
    """Run ``main`` and end as Python does, but leave the memory that was inherited alone."""
    status = 1
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(bool(end.code))
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    finally:
        if sys.exc_info()[0]:  # which must not reach what serves others
            traceback.print_exc()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    sys.path[0] = str(pathlib.Path(sys.executable).parent)  # as for Ansible's own programs
    serve()
