# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two fronts, one result: in Ansible's worker and as a module on a target."""

from __future__ import annotations

import getpass
import json
import re
import shutil
import subprocess
import sys
import typing as t
from importlib.metadata import version
from pathlib import Path

import pytest
from ansible.release import __version__ as ansible_version
from ansible_runner.interface import run as run_job

from ansible_collections.vaultops.vault.tests.support import logins
from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible, TaskResult
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.server import Server

MODULE = "vaultops.vault.plugin_reload"
LOGIN = "vaultops.vault.login"
GROUP = "group/vaultops.vault.vault"
# Whatever names a user, or a home.
UNNAMED = [f"--unset={name}" for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME")]
FRONTS = {"in process": True, "as a module": False}


def comparable(result: TaskResult) -> tuple[str, t.Any]:
    """Return a result without what differs from run to run, or is Ansible's own."""
    shown = {key: value for key, value in result.result.items() if key != "exception"}
    if shown.get("login"):
        # Each login makes another token.
        shown["login"] = {**shown["login"], "client_token": "TOKEN", "accessor": "ACCESSOR"}
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", json.dumps(shown))
    return result.status, json.loads(text)


USERPASS = {"auth_method": "userpass", "username": "bob", "password": "a-password"}
APPROLE = {"auth_method": "approle", "role_id": "{{ role_id }}", "secret_id": "{{ secret_id }}"}

SCENARIOS: dict[str, dict[str, t.Any]] = {
    "by plugin": {MODULE: {"plugin": PLUGIN}},
    "by mounts": {MODULE: {"mounts": ["ext", "auth/login"]}},
    "mounts as text": {MODULE: {"mounts": "ext, auth/login"}},
    "as a survey leaves it": {
        MODULE: {"plugin": "", "mounts": "ext\nauth/login\n", "scope": "", "state": "", "nodes": []}
    },
    "current": {MODULE: {"plugin": PLUGIN, "state": "current"}},
    "bare": {MODULE: {"plugin": PLUGIN, "verify": False}},
    "check mode": {MODULE: {"plugin": PLUGIN}, "check_mode": True},
    "diff": {MODULE: {"plugin": PLUGIN}, "diff": True},
    "check and diff": {MODULE: {"plugin": PLUGIN}, "check_mode": True, "diff": True},
    "nothing to reload: a warning": {MODULE: {"plugin": "transit"}},
    "unknown plugin": {MODULE: {"plugin": "nope"}},
    "unknown mount": {MODULE: {"mounts": "nope"}},
    "partial failure": {MODULE: {"mounts": "secret,nope", "verify": False}},
    "both": {MODULE: {"plugin": PLUGIN, "mounts": "ext"}},
    "neither": {MODULE: {}},
    "unknown option": {MODULE: {"plugin": PLUGIN, "plugins": "ext"}},
    "misspelled option": {MODULE: {"mount": "ext", "retires": 1}},
    "wrong choice": {MODULE: {"plugin": PLUGIN, "scope": "all"}},
    "wrong type": {MODULE: {"plugin": PLUGIN, "retries": "many"}},
    "alias": {MODULE: {"plugin": PLUGIN, "vault_namespace": "root"}},
    "option and alias: a warning": {
        MODULE: {"plugin": PLUGIN, "vault_namespace": "root", "namespace": "root"}
    },
    "dead server": {MODULE: {"plugin": PLUGIN, "url": "http://127.0.0.1:1", "retries": 0}},
    "repeats: a warning": {MODULE: {"plugin": PLUGIN, "url": "http://127.0.0.1:1", "retries": 1}},
    "wrong token": {MODULE: {"plugin": PLUGIN, "token": "not-this-token"}},
    "wrong token by environment": {
        MODULE: {"plugin": PLUGIN},
        "environment": {"BAO_TOKEN": "not-this-token"},
    },
    "namespace by environment": {
        MODULE: {"plugin": PLUGIN},
        "environment": {"BAO_NAMESPACE": "nope"},
    },
    "the environment is not kept": {MODULE: {"plugin": PLUGIN}},
    "home by environment": {
        MODULE: {"plugin": PLUGIN},
        "environment": {"HOME": "/nowhere", "BAO_TOKEN": ""},
    },
    "loop": {MODULE: {"mounts": "{{ item }}"}, "loop": ["ext", "nope", "auth/login"]},
    "delegated": {MODULE: {"plugin": PLUGIN}, "delegate_to": "localhost", "run_once": True},
    "templated number": {MODULE: {"plugin": PLUGIN, "retries": "{{ 1 + 1 }}"}},
    "omitted": {MODULE: {"plugin": PLUGIN, "mounts": "{{ omit }}"}},
    "no_log": {MODULE: {"plugin": PLUGIN}, "no_log": True},
    "no_log and failed": {MODULE: {"plugin": "nope"}, "no_log": True},
    "changed by the user": {MODULE: {"plugin": PLUGIN}, "changed_when": False},
    "failed by the user": {MODULE: {"plugin": PLUGIN}, "failed_when": True},
    "module_defaults": {
        MODULE: {"plugin": PLUGIN},
        "module_defaults": {GROUP: {"url": "{{ server_url }}"}},
        "environment": {"BAO_ADDR": ""},
    },
    "login": {LOGIN: USERPASS},
    "login by approle": {LOGIN: APPROLE},
    "login with a wrong password": {LOGIN: {**USERPASS, "password": "not-this-password"}},
    "login without a secret": {LOGIN: {"auth_method": "approle", "role_id": "{{ role_id }}"}},
    "login by nothing to log in with": {LOGIN: {"auth_method": "token"}},
    "login in check mode": {LOGIN: USERPASS, "check_mode": True},
    "login with an unknown option": {LOGIN: {**USERPASS, "pasword": "a-password"}},
    "login with an alias": {LOGIN: {**USERPASS, "vault_namespace": "root"}},
    "login with no_log": {LOGIN: USERPASS, "no_log": True},
    "login with module_defaults": {
        LOGIN: {},
        "module_defaults": {GROUP: {"url": "{{ server_url }}", **USERPASS}},
        "environment": {"BAO_ADDR": ""},
    },
    "revoked": {LOGIN: {"state": "revoked", "token": "{{ throw_away[turn] }}"}},
    "revoked long ago": {LOGIN: {"state": "revoked", "token": "not-this-token"}},
    "revoked in check mode": {LOGIN: {"state": "revoked"}, "check_mode": True},
}
# Equal failures would prove nothing here.
SUCCEED = {
    "by plugin",
    "as a survey leaves it",
    "module_defaults",
    "login",
    "login with module_defaults",
    "revoked",
}

QUICK = ["by plugin", "diff", "unknown mount", "unknown option", "no_log", "loop"]


EACH_CORE_LONG = [pytest.mark.each_core, pytest.mark.long]


class Way(t.NamedTuple):
    """A strategy, one of the fronts, and the scenarios that run so."""

    strategy: str
    front: str
    scenarios: list[str]


A_FEW = [Way("linear", front, QUICK) for front in FRONTS]
# What a strategy does to a task is Ansible's own.
ALL = [
    *(Way("linear", front, list(SCENARIOS)) for front in FRONTS),
    *(Way("free", front, QUICK) for front in FRONTS),
]


@pytest.mark.parametrize(
    "ways",
    [pytest.param(A_FEW, id="a few"), pytest.param(ALL, id="all", marks=EACH_CORE_LONG)],
)
def test_the_same_result(
    server: Server,
    external_plugin: ExternalPlugin,
    ansible: Ansible,
    subtests: pytest.Subtests,
    ways: list[Way],
) -> None:
    external_plugin()
    external_plugin(name="login", kind="auth")
    server.mount("ext", PLUGIN)
    server.mount("login", "login", kind="auth")
    logins.allow(server)
    logins.userpass(server)
    variables = {
        "server_url": server.url,
        "throw_away": [server.new_token(logins.POLICY) for _way in ways],
        **logins.approle(server),
    }
    plays = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "strategy": way.strategy,
            "vars": {"vaultops_in_process": FRONTS[way.front], "turn": turn},
            "tasks": [
                {"name": scenario, "ignore_errors": True, **SCENARIOS[scenario]}
                for scenario in way.scenarios
            ],
        }
        for turn, way in enumerate(ways)
    ]
    run = ansible.plays(
        *plays,
        options=["-vvv", "-e", json.dumps(variables)],
        ANSIBLE_INJECT_INVOCATION="True",
    )
    expected = [scenario for way in ways for scenario in way.scenarios]
    assert [result.name for result in run.tasks] == expected
    results: dict[str, list[TaskResult]] = {}
    for result in run.tasks:
        results.setdefault(result.name, []).append(result)
    for scenario, (first, *others) in results.items():
        with subtests.test(scenario):
            assert others
            assert [comparable(other) for other in others] == [comparable(first)] * len(others)
            assert not (scenario in SUCCEED and first.failed)

    def times(front: str) -> int:
        more = len(SCENARIOS["loop"]["loop"]) - 1
        return sum(len(way.scenarios) + more for way in ways if way.front == front)

    in_process = re.findall(r"vaultops\.vault\.\w+ runs in process", run.output)
    as_module = re.findall(r"\w+ runs as a module: vaultops_in_process", run.output)
    assert len(in_process) == times("in process")
    assert len(as_module) == times("as a module")
    assert "invocation" in results["by plugin"][0].result
    assert server.token not in run.output
    assert USERPASS["password"] not in run.output


def test_values_of_ansibles_own_types(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, tmp_path: Path
) -> None:
    """A vault-encrypted token and unsafe text work as they do for a module."""
    external_plugin()
    server.mount("ext", PLUGIN)
    password = tmp_path / "password"
    password.write_text("a-vault-password")
    encrypted = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-vault")),
            "encrypt_string",
            f"--vault-password-file={password}",
            "--name=secret_token",
            server.token,
        ],
        env=ansible.environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    tasks = "".join(
        f"""
    - name: {front}
      {MODULE}:
        plugin: !unsafe {PLUGIN}
        token: "{{{{ secret_token }}}}"
      vars:
        vaultops_in_process: {in_process}
"""
        for front, in_process in FRONTS.items()
    )
    play = tmp_path / "play.yml"
    variables = encrypted.replace("\n", "\n    ").rstrip()
    play.write_text(
        f"- hosts: localhost\n  gather_facts: false\n  vars:\n    {variables}\n  tasks:{tasks}"
    )
    run = ansible.play_file(
        play, options=[f"--vault-password-file={password}", "-vvv"], BAO_TOKEN=""
    )
    assert run.returncode == 0, run.output
    first, second = run.tasks
    assert comparable(first) == comparable(second)
    assert first["changed"] is True
    assert server.token not in run.output


@pytest.mark.each_core
def test_under_ansible_runner(server: Server, ansible: Ansible, tmp_path: Path) -> None:
    """A job of AWX: the defaults of a play, one login for its tasks, and the token in no event."""
    logins.allow(server)
    logins.userpass(server)
    with_token = {"auth_method": "token", "token": "{{ made.login.client_token }}"}
    tasks = [
        {**task, "vars": {"vaultops_in_process": in_process}}
        for in_process in FRONTS.values()
        for task in (
            {LOGIN: USERPASS, "register": "made", "no_log": True},
            {MODULE: {"plugin": "kv", **with_token}},
            {LOGIN: {"state": "revoked", **with_token}},
        )
    ]
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {GROUP: {"url": server.url}},
        "tasks": tasks,
    }
    environment = ansible.environment()
    del environment["BAO_ADDR"], environment["BAO_TOKEN"]
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    (tmp_path / "job").mkdir()
    job = run_job(
        private_data_dir=str(tmp_path / "job"),
        playbook=[play],
        envvars=environment,
        verbosity=3,
        quiet=True,
    )
    with job.stdout as file:
        output = file.read()
    assert job.rc == 0, output
    results = [
        TaskResult(event["event_data"]["task"], "ok", event["event_data"]["res"])
        for event in job.events
        if event["event"] == "runner_on_ok"
    ]
    in_process, as_module = results[:3], results[3:]
    assert [comparable(result) for result in in_process] == list(map(comparable, as_module))
    assert [result["changed"] for result in in_process[1:]] == [True, True]
    assert output.count("runs in process") == output.count("runs as a module") == len(in_process)
    assert USERPASS["password"] not in output


@pytest.mark.each_core
@pytest.mark.each_user
def test_which_way_a_task_takes(
    server: Server, ansible: Ansible, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    current = {MODULE: {"plugin": "kv", "state": "current"}}
    python = {"ansible_python_interpreter": f"{bare}/bin/python"}
    same = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    user = getpass.getuser()
    other = "nobody" if user == "root" else "root"
    no_sudo = {"ansible_become_exe": "false"}  # only the way counts, and nobody's rights are used
    cases: dict[str, tuple[dict[str, t.Any], str]] = {
        "local": (current, "in process"),
        "same interpreter": ({**current, "vars": same}, "in process"),
        "become the same user": ({**current, "become": True, "become_user": user}, "in process"),
        "become root": (
            {**current, "become": True, "vars": no_sudo},
            "in process" if user == "root" else "as a module: it becomes root",
        ),
        "switched off": (
            {**current, "vars": {"vaultops_in_process": "no"}},
            "as a module: vaultops_in_process",
        ),
        "empty": ({**current, "vars": {"vaultops_in_process": ""}}, "in process"),
        "another interpreter": (
            {**current, "vars": python},
            f"as a module: its interpreter is {bare}",
        ),
        "async": ({**current, "async": 60, "poll": 1}, "as a module: the task is async"),
        "another user": (
            {**current, "become": True, "become_user": other, "vars": no_sudo},
            f"as a module: it becomes {other}",
        ),
        "another connection": (
            {**current, "vars": {"ansible_connection": "ssh", "ansible_port": 1}},
            "as a module: the connection is ssh",
        ),
    }
    tasks = [
        {"name": name, "ignore_errors": True, "ignore_unreachable": True, **task}
        for name, (task, _way) in cases.items()
    ]
    run = ansible.playbook(*tasks, options=["-vvv"])
    ways = re.findall(rf"{re.escape(MODULE)} runs (.*)", run.output)
    assert len(ways) == len(cases)
    for (name, (_task, expected)), way in zip(cases.items(), ways, strict=True):
        with subtests.test(name):
            assert way.startswith(expected)
    off = ansible.playbook(current, options=["-vvv"], ANSIBLE_VAULTOPS_IN_PROCESS="false")
    assert "runs as a module: vaultops_in_process or ANSIBLE_VAULTOPS_IN_PROCESS" in off.output
    unclear = ansible.playbook(current, ANSIBLE_VAULTOPS_IN_PROCESS="maybe")
    assert unclear.tasks[-1].message == (
        "ANSIBLE_VAULTOPS_IN_PROCESS is 'maybe', neither true nor false; nothing was sent"
    )


@pytest.mark.each_core
def test_the_oldest_python_of_a_target(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, tmp_path: Path
) -> None:
    """What is sent to a target runs there on the oldest Python that this ansible-core knows."""
    core = tuple(int(part) for part in version("ansible-core").split(".")[:2])
    oldest = "3.8" if core < (2, 20) else "3.9"
    python = shutil.which(f"python{oldest}")
    if python is None:
        pytest.skip(f"Python {oldest} is not on this machine")
    external_plugin()
    server.mount("ext", PLUGIN)
    subprocess.run([python, "-m", "venv", str(tmp_path / "old")], check=True)
    old = str(tmp_path / "old" / "bin" / "python")
    subprocess.run([old, "-m", "pip", "install", "--quiet", "requests"], check=True)
    on_old = {"vars": {"ansible_python_interpreter": old}}
    cases = ansible.cases(
        {
            "success": {MODULE: {"plugin": PLUGIN}, **on_old},
            "failure": {MODULE: {"mounts": "nope"}, **on_old},
            "no login": {MODULE: {"plugin": PLUGIN, "auth_method": "approle"}, **on_old},
        }
    )
    assert cases.results["success"]["verified"] is True
    assert 'mount "nope/" does not exist' in cases.results["failure"].message
    assert "auth_method approle needs role_id" in cases.results["no login"].message
    assert "Traceback" not in cases.run.output


def _needed_to_start() -> list[str]:
    """Return the variables without which Ansible itself does not start where nobody has a name.

    On Python 3.13, getpass raises another error than ansible-core 2.18 and 2.19 expect.
    """
    takes_another = ansible_version.startswith(("2.18.", "2.19."))
    return ["LOGNAME=12345"] if takes_another and sys.version_info >= (3, 13) else []


@pytest.mark.each_core
def test_a_user_that_has_no_name_and_no_home(
    server: Server, ansible: Ansible, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """As in a container that runs as any uid: all works, or says what is missing."""
    logins.allow(server)
    logins.userpass(server)
    no_home = "set HOME where the task runs, or give an absolute path"
    cases: dict[str, tuple[dict[str, t.Any], str]] = {
        "a token": ({"token": server.token}, ""),
        "a login": (USERPASS, ""),
        "become the same user": ({"token": server.token}, ""),
        "no token": ({}, "there is no home directory with a file .vault-token"),
        "token_path": (
            {"token_path": "~/a"},
            f'token_path "~/a" is in a home directory .*{no_home}',
        ),
        "ca_cert": ({"token": "x", "ca_cert": "~/a"}, f'ca_cert "~/a" is in a home .*{no_home}'),
        "client_cert": (
            {"token": "x", "client_cert": "/a", "client_key": "~/a"},
            f'client_key "~/a" is in a home .*{no_home}',
        ),
        "a home that nobody has": (
            {"token_path": "~nobody-of-that-name/a"},
            f'token_path "~nobody-of-that-name/a" is in a home .*{no_home}',
        ),
    }
    tasks = [
        {
            "name": f"{name} | {front}",
            MODULE: {"plugin": "kv", **arguments},
            "vars": {"vaultops_in_process": in_process},
            "ignore_errors": True,
            **({"become": True, "become_user": "12345"} if name.startswith("become") else {}),
        }
        for name, (arguments, _message) in cases.items()
        for front, in_process in FRONTS.items()
        if not (name.startswith("become") and not in_process)
    ]
    run = ansible.playbook(
        *tasks,
        options=["-vvv"],
        by=["unshare", "--user", "--map-user=12345", "env", *UNNAMED, *_needed_to_start()],
        BAO_TOKEN="",
        ANSIBLE_HOME=str(tmp_path / "ansible-home"),
    )
    assert len(run.tasks) == len(tasks), run.output
    for result in run.tasks:
        with subtests.test(result.name):
            expected = cases[result.name.split(" | ")[0]][1]
            assert result.failed == bool(expected), result.message
            assert re.search(expected, result.message)


@pytest.mark.each_core
def test_a_delegated_task_goes_by_the_host_that_runs_it(
    server: Server, ansible: Ansible, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """As for the role: its hosts may have an interpreter of their own, and localhost runs it."""
    elsewhere = {"ansible_python_interpreter": "/nowhere/python", "ansible_connection": "local"}
    hosts = {
        "node": elsewhere,
        "plain": {"ansible_connection": "local"},
        "own": {**elsewhere, "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    }
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    elsewhere_way = "as a module: its interpreter is /nowhere/python"
    cases: dict[str, tuple[str, dict[str, t.Any], list[str]]] = {
        "not delegated": ("node", {}, [elsewhere_way]),
        "to localhost": ("node", {"delegate_to": "localhost"}, ["in process"]),
        "to a host without": ("node", {"delegate_to": "plain"}, ["in process"]),
        "to a host with Ansible's own": ("node", {"delegate_to": "own"}, ["in process"]),
        "to a host with another": ("plain", {"delegate_to": "node"}, [elsewhere_way]),
        "to hosts in turn": (
            "node",
            {"delegate_to": "{{ item }}", "loop": ["plain", "node"]},
            ["in process", elsewhere_way],
        ),
        "the task's own": (
            "plain",
            {"delegate_to": "localhost", "vars": {**elsewhere}},
            [elsewhere_way],
        ),
    }
    plays = [
        {
            "hosts": host,
            "gather_facts": False,
            "tasks": [
                {"name": name, MODULE: {"plugin": "kv"}, "ignore_errors": True, **keywords},
            ],
        }
        for name, (host, keywords, _ways) in cases.items()
    ]
    path = tmp_path / "play.json"
    path.write_text(json.dumps(plays))
    run = ansible.play_file(path, options=["-vvv", "-i", str(inventory)])
    ways = iter(re.findall(rf"{re.escape(MODULE)} runs (.*)", run.output))
    for name, (_host, _keywords, expected) in cases.items():
        with subtests.test(name):
            assert [next(ways) for _way in expected] == expected
    assert list(ways) == []


def test_no_log_hides_the_progress(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin(version="v1.0.0")
    server.mount("ext", PLUGIN)
    external_plugin(version="v1.1.0")
    upgrade = {"vaultops.vault.plugin_upgrade": {"plugin": PLUGIN, "version": "v1.1.0"}}
    hidden = ansible.playbook({**upgrade, "no_log": True}, options=["-v"])
    assert hidden.result["changed"] is True
    assert "v1.1.0" not in hidden.output
    server.tune_version("ext", "v1.0.0")
    shown = ansible.playbook(upgrade, options=["-v"])
    assert "plugin_upgrade: 1 of 1 mounts run v1.1.0" in shown.output
