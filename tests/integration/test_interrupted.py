# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that is interrupted while a plugin takes five seconds to start, by real signals."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import typing as t
from importlib.metadata import version

import pytest
from ansible_runner.interface import run as run_job

from ansible_collections.vaultops.vault.tests.support import logins
from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible, Started
from ansible_collections.vaultops.vault.tests.support.external_plugin import BuiltPlugin
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.proxy import counting_proxy
from ansible_collections.vaultops.vault.tests.support.server import Server, ServerError

MODULE = "vaultops.vault.plugin_reload"
UPGRADE = "vaultops.vault.plugin_upgrade"
TUNE = "POST sys/mounts/a/tune"
RELOAD = "POST sys/plugins/reload/backend"
LOGIN = {
    "auth_method": "userpass",
    "auth_mode": "login",
    "username": "bob",
    "password": "a-password",
}
CORE = tuple(int(part) for part in version("ansible-core").split(".")[:2])
# Without it, the token of the environment would be taken.
LOGS_IN = {"BAO_TOKEN": ""}
MAY_ALL = 'path "*" { capabilities = ["create", "read", "update", "list", "sudo"] }'
CTRL_C = b"\x03"
# Where the tests run in the background, or by nohup, signals are ignored.
AS_FROM_A_SHELL = ("env", "--default-signal=HUP,INT,TERM")
START_SECONDS = 5
# Longer than whatever ends at once takes on a busy machine.
LONG_SECONDS = 30
# The module has to start meanwhile, also on a busy machine.
TASK_TIMEOUT = 10
DEADLINE = 60.0
# No fork, which signals do not reach (tests/support/warm_python.py).
REAL_PYTHON = {"ansible_python_interpreter": sys.executable}
FRONTS = {"in process": True, "as a module": False}


def until(condition: t.Callable[[], t.Any], what: str) -> None:
    """Wait for ``condition``, for a minute at most."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"no {what} within {DEADLINE:.0f} s"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Tell whether there is such a process."""
    return pathlib.Path(f"/proc/{pid}").exists()


class Slow(t.NamedTuple):
    """A mount whose plugin takes long to start, and what was there before the task."""

    server: Server
    plugin: BuiltPlugin
    pid: int
    tokens: int

    def until_reloading(self) -> None:
        """Wait until the server has stopped the plugin: from now on it must not be left alone."""
        until(self.reloading, "stop of the old process")

    def reloading(self) -> bool:
        """Tell whether the server has stopped the plugin."""
        return not is_running(self.pid)

    def serves(self) -> bool:
        """Tell whether a new process of the plugin answers."""
        try:
            return bool(self.server.info("ext")["pid"] != self.pid)
        except ServerError:
            return False

    def revives(self) -> bool:
        """Tell whether the next request starts a plugin whose reload was cut short."""
        return self.server.product == "Vault"

    def until_saved(self) -> None:
        """Wait until the mount serves again and no token of a login is left."""
        until(self.serves, "new process of the plugin")
        until(lambda: self.left_tokens() == 0, "revocation of the token")

    def left_tokens(self) -> int:
        """Return how many tokens there are more than before."""
        return count_tokens(self.server) - self.tokens


def version_of(server: Server, path: str) -> str:
    """Return the version that serves at ``path``, or why nothing does, with the server's log."""
    try:
        return str(server.info(path)["version"])
    except ServerError as error:
        return f"{error}\n{server.log[-3000:]}"


def count_tokens(server: Server) -> int:
    """Return how many tokens the server knows."""
    return len(server.call("LIST", "auth/token/accessors")["keys"])


@pytest.fixture
def slow(server: Server, external_plugin: ExternalPlugin) -> Slow:
    """A mount of a plugin that takes five seconds to start, and a user who may reload it."""
    plugin = external_plugin()
    server.mount("ext", PLUGIN)
    logins.allow(server)
    logins.userpass(server)
    plugin.fault(f"sleep {START_SECONDS}")
    return Slow(server, plugin, server.info("ext")["pid"], count_tokens(server))


def program(name: str) -> pathlib.Path:
    """Return the path of a program of this Python's environment."""
    return pathlib.Path(sys.executable).with_name(name)


def workers_of(pid: int) -> list[int]:
    """Return the processes that ``pid`` has started."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]


def is_module_running(ansible: Ansible) -> bool:
    """Tell whether a module that Ansible has sent is still at work."""
    lines = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_bytes().decode(errors="replace"))
    return any("AnsiballZ_" in line and str(ansible.directory) in line for line in lines)


def playbook(ansible: Ansible, *tasks: dict[str, t.Any]) -> str:
    """Write a playbook and return its path."""
    path = ansible.directory / "play.json"
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    path.write_text(json.dumps([play]))
    return str(path)


def start_reload(ansible: Ansible, command: str, in_process: bool, **options: t.Any) -> Started:
    """Start the reload of the mount as playbook or as ad-hoc call."""
    arguments = {"mounts": "ext", **LOGIN, **options}
    front = {"ANSIBLE_VAULTOPS_IN_PROCESS": str(in_process), **LOGS_IN}
    if command == "ansible":
        words = ("localhost", "-m", MODULE, "-a", json.dumps(arguments))
        return ansible.start("ansible", *words, **front)
    path = playbook(ansible, {MODULE: arguments}, {"ansible.builtin.debug": {"msg": "went on"}})
    return ansible.start("ansible-playbook", path, **front)


@pytest.mark.each_core
@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
@pytest.mark.parametrize("command", ["ansible-playbook", "ansible"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_reload_ends_before_the_task_does(
    slow: Slow, ansible: Ansible, name: str, command: str, in_process: bool
) -> None:
    started = start_reload(ansible, command, in_process)
    slow.until_reloading()
    os.kill(started.pid, getattr(signal, name))
    status = started.status()
    slow.until_saved()
    output = started.output()
    assert status != 0
    assert "went on" not in output
    # What Ansible does not pass on, such as SIGHUP, its worker notices as Ansible is gone; and of
    # Ctrl-C and Ansible's own SIGTERM after it, either may arrive first.
    names = f"{name}|SIGTERM" if CORE >= (2, 19) else "SIGTERM|SIGHUP"
    assert re.search(f"{MODULE}: interrupted by ({names})", output)
    assert "Another Ctrl-C does not wait; if the reload is cut short" in output


@pytest.mark.each_core
@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
def test_ctrl_c_in_a_terminal_and_again(slow: Slow, ansible: Ansible, in_process: bool) -> None:
    """Another one ends Ansible at once; what that may cost was said before."""
    slow.plugin.fault(f"sleep {LONG_SECONDS}")
    ours, terminal = os.openpty()
    with subprocess.Popen(
        [
            *("setsid", "--ctty", *AS_FROM_A_SHELL, str(program("ansible-playbook"))),
            playbook(ansible, {MODULE: {"mounts": "ext", **LOGIN}}),
        ],
        env={**ansible.environment(), **LOGS_IN, "ANSIBLE_VAULTOPS_IN_PROCESS": str(in_process)},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        slow.until_reloading()
        os.write(ours, CTRL_C)
        output = ""
        while "another ctrl-c does not wait" not in output.lower():
            output += os.read(ours, 10_000).decode()
        press_until_ended(process, ours)
    os.close(ours)
    slow.until_saved()


def press_until_ended(process: subprocess.Popen[bytes], terminal: int) -> None:
    """Press Ctrl-C until Ansible ends, long before the reload would let it.

    While ansible-core 2.16 ends its workers, it ignores one.
    """
    for _time in range(LONG_SECONDS // 2):
        os.write(terminal, CTRL_C)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
            return
    raise AssertionError(f"Ansible still runs after {LONG_SECONDS // 2} times Ctrl-C")


@pytest.mark.slow
@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
def test_the_task_keyword_timeout(slow: Slow, ansible: Ansible, in_process: bool) -> None:
    slow.plugin.fault(f"sleep {TASK_TIMEOUT}")
    run = ansible.playbook(
        {MODULE: {"mounts": "ext", **LOGIN}, "timeout": TASK_TIMEOUT, "vars": REAL_PYTHON},
        BAO_TOKEN="",
        ANSIBLE_VAULTOPS_IN_PROCESS=str(in_process),
    )
    assert run.result.failed
    assert run.result.message == (
        "interrupted by the task's timeout (keyword timeout) after the answer to the reload; "
        "what it has changed stays, and is not verified: run the task again"
    )
    assert run.result["changed"] is True
    assert run.result["timedout"]["period"] == TASK_TIMEOUT
    assert slow.serves()
    assert slow.left_tokens() == 0
    assert "keyword timeout): waiting " in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "program"),
    [("ansible_shell_executable", "/bin/sh"), ("ansible_python_interpreter", sys.executable)],
)
def test_a_module_that_is_interrupted_before_it_works(
    slow: Slow, ansible: Ansible, variable: str, program: str
) -> None:
    """While Ansible prepares it, or Python starts: nothing was sent, and the message says so."""
    starts_slowly = ansible.directory / "starts-slowly"
    starts_slowly.write_text(f'#!/bin/sh\nsleep 4\nexec {program} "$@"\n')
    starts_slowly.chmod(0o755)
    run = ansible.playbook(
        {
            MODULE: {"mounts": "ext", **LOGIN},
            "timeout": 2,
            "vars": {**REAL_PYTHON, variable: str(starts_slowly)},
        },
        ANSIBLE_VAULTOPS_IN_PROCESS="False",
        **LOGS_IN,
    )
    assert run.result.failed
    assert run.result["changed"] is False
    assert run.result.message == (
        "interrupted by the task's timeout (keyword timeout) before it had changed anything; "
        "run the task again"
    )
    assert not slow.reloading()


@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
@pytest.mark.each_core
def test_the_cancel_of_ansible_runner(
    slow: Slow, ansible: Ansible, tmp_path: pathlib.Path, in_process: bool
) -> None:
    """It kills Ansible by SIGKILL; the worker notices that, and ends after the reload."""
    (tmp_path / "job").mkdir()
    environment = {**ansible.environment(), **LOGS_IN}
    environment["ANSIBLE_VAULTOPS_IN_PROCESS"] = str(in_process)
    environment["PATH"] = f"{program('ansible').parent}:{environment['PATH']}"
    tasks = [{MODULE: {"mounts": "ext", **LOGIN}}]
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    job = run_job(
        private_data_dir=str(tmp_path / "job"),
        playbook=[play],
        envvars=environment,
        quiet=True,
        cancel_callback=slow.reloading,
    )
    assert job.status == "canceled"
    slow.until_saved()


@pytest.mark.slow
def test_a_second_ctrl_c_of_the_module_itself(slow: Slow, ansible: Ansible) -> None:
    """Where it arrives, it does not wait, and the token is revoked all the same."""
    slow.plugin.fault(f"sleep {LONG_SECONDS}")
    started = start_reload(ansible, "ansible-playbook", in_process=True)
    slow.until_reloading()
    (worker,) = workers_of(started.pid)
    os.kill(worker, signal.SIGINT)
    time.sleep(0.5)
    os.kill(worker, signal.SIGINT)
    until(lambda: slow.left_tokens() == 0, "revocation of the token")
    started.status()
    output = started.output()
    assert "interrupted again, so the task ends at once; if the reload is cut short" in output
    slow.plugin.heal()
    assert slow.serves() is slow.revives()
    assert ansible.playbook({MODULE: {"mounts": "ext"}}).result["verified"] is True


@pytest.mark.slow
@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
@pytest.mark.parametrize("during", ["POST auth/userpass/login/bob", "GET sys/mounts/ext"])
def test_the_token_is_revoked_whatever_is_interrupted(
    slow: Slow, ansible: Ansible, during: str, in_process: bool
) -> None:
    with counting_proxy() as proxy:
        proxy.delays[during] = 3.0
        started = start_reload(ansible, "ansible", in_process, proxies=proxy.url)
        until(lambda: during in proxy.seen, during)
        os.kill(started.pid, signal.SIGTERM)
        until(lambda: "POST auth/token/revoke-self" in proxy.seen, "revocation of the token")
        until(lambda: slow.left_tokens() == 0, "revocation of the token")
        started.status()
    assert proxy.posts == ["POST auth/userpass/login/bob", "POST auth/token/revoke-self"]
    assert not slow.reloading()


@pytest.mark.slow
@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
def test_a_login_that_is_interrupted_leaves_no_token(
    server: Server, ansible: Ansible, in_process: bool
) -> None:
    """The module login gives its token to the play, which ends: so it is revoked too."""
    logins.allow(server)
    logins.userpass(server)
    before = count_tokens(server)
    login = {"vaultops.vault.login": LOGIN, "timeout": TASK_TIMEOUT, "vars": REAL_PYTHON}
    with counting_proxy() as proxy:
        proxy.delays["POST auth/userpass/login/bob"] = TASK_TIMEOUT
        run = ansible.playbook(
            login,
            HTTP_PROXY=proxy.url,
            ANSIBLE_VAULTOPS_IN_PROCESS=str(in_process),
            **LOGS_IN,
        )
    assert run.result.failed
    assert run.result["changed"] is False
    assert run.result.message == (
        "interrupted by the task's timeout (keyword timeout) before it had changed anything; "
        "run the task again"
    )
    assert proxy.posts == ["POST auth/userpass/login/bob", "POST auth/token/revoke-self"]
    assert count_tokens(server) == before


@pytest.mark.slow
@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
@pytest.mark.parametrize("works", [True, False], ids=["moves", "rolls back"])
def test_an_upgrade_stops_after_the_mount_at_hand_or_its_rollback(
    server: Server,
    external_plugin: ExternalPlugin,
    ansible: Ansible,
    works: bool,
    in_process: bool,
) -> None:
    old = external_plugin(version="v1.0.0")
    for path in ("a", "b"):
        server.mount(path, PLUGIN)
    logins.userpass(server)
    server.call("PUT", "sys/policies/acl/logins", {"policy": MAY_ALL})
    tokens, pid = count_tokens(server), server.info("a")["pid"]
    new = external_plugin(version="v1.1.0")
    new.fault(f"sleep {START_SECONDS}" if works else "exit")
    old.fault(f"sleep {START_SECONDS}")
    upgrade = {"plugin": PLUGIN, "version": "v1.1.0", "mounts": "a,b", "batch": 1, **LOGIN}
    front = {"ANSIBLE_VAULTOPS_IN_PROCESS": str(in_process), **LOGS_IN}
    with counting_proxy() as proxy:
        proxy.delays[TUNE] = 0.0 if works else 3.0
        path = playbook(ansible, {UPGRADE: {**upgrade, "proxies": proxy.url}})
        started = ansible.start("ansible-playbook", path, "-v", **front)
        until(lambda: not is_running(pid), "stop of the old process")
        # The second one is the rollback's; on Vault, which kept the old version, it is all of it.
        until(lambda: works or proxy.posts.count(TUNE) == 2, "rollback")
        os.kill(started.pid, signal.SIGINT)
        until(lambda: count_tokens(server) == tokens, "revocation of the token")
        started.status()
        output = started.output()
    assert version_of(server, "a") == ("v1.1.0" if works else "v1.0.0"), output
    assert version_of(server, "b") == "v1.0.0", output
    assert "Another Ctrl-C does not wait" in output
    if in_process:
        awaited = "up to 130 s for the answer to the reload" if works else "for the rollback"
        assert f"waiting {awaited}" in output


@pytest.mark.slow
@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
def test_an_upgrade_rolls_back_though_the_signal_comes_while_it_inspects_a_failure(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, in_process: bool
) -> None:
    external_plugin(version="v1.0.0")
    server.mount("a", PLUGIN)
    external_plugin(version="v1.1.0").fault("exit")
    upgrade = {"plugin": PLUGIN, "version": "v1.1.0"}
    front = {"ANSIBLE_VAULTOPS_IN_PROCESS": str(in_process), "BAO_TOKEN": server.token}
    with counting_proxy() as proxy:
        proxy.delays["GET sys/mounts/a"] = 3.0
        path = playbook(ansible, {UPGRADE: {**upgrade, "proxies": proxy.url}})
        started = ansible.start("ansible-playbook", path, "-v", **front)
        until(lambda: RELOAD in proxy.seen[:-1], "inspection after the reload")
        os.kill(started.pid, signal.SIGINT)
        until(lambda: proxy.posts.count(TUNE) == 2, "rollback")
        until(lambda: not is_module_running(ansible), "end of the module")
        started.status()
        output = started.output()
    assert server.info("a")["version"] == "v1.0.0"
    if in_process:
        assert "waiting for the inspection (and an upgrade's rollback)" in output


@pytest.mark.slow
def test_an_async_that_is_too_short_is_warned_of(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin()
    server.mount("ext", PLUGIN)
    # The limit of async, in seconds, by which a warning is known; the options; what is needed.
    cases: list[tuple[int, dict[str, t.Any], int | None]] = [
        (61, {"mounts": "ext, auth/a"}, 260),
        (62, {"mounts": ["ext"]}, 130),
        (63, {"plugin": PLUGIN}, 130),
        (64, {"mounts": "ext", "reload_timeout": "2m"}, 120),
        (65, {"mounts": "ext", "reload_timeout": "20s"}, None),
    ]
    tasks = [
        {MODULE: options, "async": limit, "poll": 1, "ignore_errors": True}
        for limit, options, _needed in cases
    ]
    # Under another HOME the job would not be found again.
    run = ansible.playbook(*tasks, ANSIBLE_ASYNC_DIR=str(ansible.directory))
    assert len(run.tasks) == len(cases)
    words = r"async is (\d+) s, and the reload may take (\d+) s: when async ends, Ansible kills"
    told = re.findall(words, " ".join(run.output.split()))
    assert told == [(str(limit), str(needed)) for limit, _options, needed in cases if needed]


@pytest.mark.slow
def test_what_an_async_that_ends_costs_and_what_heals_it(slow: Slow, ansible: Ansible) -> None:
    """As docs/reload.md says: Ansible kills the task, which nothing can put off."""
    jobs = {"ANSIBLE_ASYNC_DIR": str(ansible.directory), **LOGS_IN}
    slow.plugin.fault("sleep 60")
    task = {MODULE: {"mounts": "ext", **LOGIN}, "async": TASK_TIMEOUT, "poll": 1}
    run = ansible.playbook(task, **jobs)
    assert run.result.failed
    assert slow.reloading()
    until(lambda: not is_module_running(ansible), "end of the module")
    slow.plugin.heal()
    assert slow.serves() is slow.revives()
    assert ansible.playbook({MODULE: {"mounts": "ext"}}).result["verified"] is True
    assert slow.serves()
