# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret leaves the task: not in what is printed, logged, recorded, left in files or in ps."""

from __future__ import annotations

import contextlib
import json
import pathlib
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible
from ansible_collections.vaultops.vault.tests.support.awx import Job
from ansible_collections.vaultops.vault.tests.support.documents import with_programs
from ansible_collections.vaultops.vault.tests.support.handwritten import (
    Answer,
    HandwrittenServer,
    SeenRequest,
    handwritten_server,
)
from ansible_collections.vaultops.vault.tests.support.server import Server

MODULE = "vaultops.vault.plugin_reload"
CANARIES = {
    name: f"canary-{name}-5f2c9e"
    for name in (
        "token",
        "password",
        "secret_id",
        "secret_key",
        "jwt",
        "proxy",
        "variable",
        "file",
        "env",
    )
}
# These never leave the host: one signs, one is the proxy's, one is of a plugin that is not written.
KEPT = {CANARIES["proxy"], CANARIES["secret_key"], CANARIES["env"]}
RELOAD = "POST /v1/sys/plugins/reload/backend"
# What each login answers, https://developer.hashicorp.com/vault/api-docs/auth/approle#login-with-approle
LOGIN = Answer(200, {"auth": {"client_token": "canary-made-5f2c9e", "accessor": "an-accessor"}})
SERVER = {
    "POST /v1/auth/token/revoke-self": Answer(204),
    "POST /v1/auth/userpass/login/me": LOGIN,
    "POST /v1/auth/ldap/login/me": LOGIN,
    "POST /v1/auth/approle/login": LOGIN,
    "POST /v1/auth/": LOGIN,
    RELOAD: Answer(200, {"data": {"reload_id": "an-id"}}),
}
WAYS: dict[str, tuple[dict[str, t.Any], dict[str, str]]] = {
    "token": ({"token": "{{ token }}"}, {}),
    "token by variable": ({}, {"BAO_TOKEN": CANARIES["variable"]}),
    "token by file": ({}, {}),
    "userpass": (
        {"auth_method": "userpass", "username": "me", "password": "{{ password }}"},
        {},
    ),
    "ldap": ({"auth_method": "ldap", "username": "me", "password": "{{ password }}"}, {}),
    "approle": (
        {"auth_method": "approle", "role_id": "a-role", "secret_id": "{{ secret_id }}"},
        {},
    ),
    "approle by variable": (
        {"auth_method": "approle"},
        {"VAULT_APPROLE_ROLE_ID": "a-role", "VAULT_APPROLE_SECRET_ID": CANARIES["variable"]},
    ),
    **{
        name: ({"auth_method": name, "role_id": "a-role", "jwt": "{{ jwt }}"}, {})
        for name in ("jwt", "kubernetes", "azure", "gcp")
    },
    "radius": (
        {"auth_method": "radius", "username": "me", "password": "{{ password }}"},
        {},
    ),
    "aws_iam": (
        {
            "auth_method": "aws_iam",
            "role_id": "a-role",
            "region": "eu-central-1",
            "aws_access_key": "AKIA-of-a-test",
            "aws_secret_key": "{{ secret_key }}",
        },
        {},
    ),
}
REFUSALS = {
    "success": None,
    "denied": Answer(403, {"errors": ["permission denied"]}),
    "failed": Answer(500, {"errors": ["it broke"]}),
    "no answer": Answer(hang_up=True),
    "no JSON": Answer(200, "<html>"),
    "redirect": Answer(307, headers={"Location": "http://n2.example/v1/x"}),
}


def command_lines() -> str:
    """Return the command lines of all processes, as every user of the host can see them."""
    lines = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_text(errors="replace"))
        except OSError:
            continue  # it has ended
    return "\n".join(lines)


def left_behind(folder: pathlib.Path, spared: set[pathlib.Path]) -> str:
    """Return the text of all files below ``folder``, but those that the test itself wrote."""
    files = (path for path in folder.rglob("*") if path.is_file() and path not in spared)
    return "\n".join(path.read_text(errors="replace") for path in files)


def canaries_in(text: str) -> list[str]:
    """Return the secrets that ``text`` shows."""
    return [secret for secret in (*CANARIES.values(), "canary-made") if secret in text]


def task(name: str, url: str, **arguments: t.Any) -> dict[str, t.Any]:
    """Return a task that logs in in its own way and goes on whatever happens."""
    options = {"plugin": "kv", "url": url, "retries": 0, "auth_mode": "login", **arguments}
    return {"name": name, MODULE: options, "ignore_errors": True}


def tasks_by_option(refusal: str, url: str) -> list[dict[str, t.Any]]:
    """Return tasks that get their secrets by options, bare and with all checks."""
    tasks = [
        task(
            "failing proxy",
            "http://vault.example",
            token="{{ token }}",
            proxies="http://me:{{ proxy }}@127.0.0.1:1",
        )
    ]
    for name, (arguments, variables) in WAYS.items():
        if arguments and not variables:
            checked = task(f"{name}, checked", url, **arguments)
            tasks += [bare(refusal, name, url), {**checked, "check_mode": True}]
    login = {key: value for key, value in WAYS["userpass"][0].items() if key != "auth_mode"}
    revoke = {"url": url, "token": "{{ token }}", "state": "revoked"}
    return [
        *tasks,
        # Its result holds the new token, so the documentation asks for no_log.
        {"vaultops.vault.login": {"url": url, **login}, "no_log": True},
        {"vaultops.vault.login": revoke},
    ]


def of_all_modules(url: str) -> list[dict[str, t.Any]]:
    """Return a task of each other module; this server has none of what they read."""
    plugin = {"name": "ext", "type": "secret"}
    entry = {**plugin, "sha256": "a" * 64, "env": {"CANARY": "{{ env }}"}}
    options: dict[str, dict[str, t.Any]] = {
        "plugin": entry,
        "plugin_info": {},
        "plugin_pin": {**plugin, "version": "v1.0.0"},
        "plugin_runtime": {"name": "gvisor"},
        "plugin_upgrade": {"plugin": "ext", "version": "v1.0.0"},
    }
    common = {"url": url, "retries": 0, "token": "{{ token }}"}
    return [
        {f"vaultops.vault.{name}": {**own, **common}, "ignore_errors": True}
        for name, own in options.items()
    ]


def bare(refusal: str, way: str, url: str) -> dict[str, t.Any]:
    """Return a task that only reloads, at the server that refuses so."""
    return task(f"{refusal} | {way}", url, verify=False, **WAYS[way][0])


@contextlib.contextmanager
def refusing_server(
    refusal: Answer | None, command_lines_seen: list[str]
) -> t.Iterator[HandwrittenServer]:
    """Run a server that answers reloads so, and looks at all processes at each request."""
    answers = SERVER if refusal is None else {**SERVER, RELOAD: refusal}
    with handwritten_server(answers) as server:
        plain_answer = server.answer

        def answer(request: SeenRequest) -> Answer:
            command_lines_seen.append(command_lines())
            return plain_answer(request)

        server.answer = answer  # type: ignore[method-assign]
        yield server


@pytest.mark.parametrize(
    "refusals",
    [
        pytest.param(["success"], id="success"),
        pytest.param(
            [name for name in REFUSALS if name != "success"],
            id="refused",
            marks=[pytest.mark.each_core, pytest.mark.long],
        ),
    ],
)
def test_handwritten_server_and_canaries(tmp_path: pathlib.Path, refusals: list[str]) -> None:
    ansible = Ansible(tmp_path)
    ansible.environment()
    token_file = tmp_path / "home" / ".vault-token"
    token_file.write_text(CANARIES["file"])
    extra = tmp_path / "canaries.json"
    extra.write_text(json.dumps(CANARIES))
    seen_lines: list[str] = []
    places = {
        "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
        "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
        "TMPDIR": str(tmp_path),
        # Callbacks of Ansible itself that write files.
        "ANSIBLE_CALLBACKS_ENABLED": "record,ansible.builtin.tree,ansible.builtin.junit",
        "ANSIBLE_CALLBACK_TREE_DIR": str(tmp_path / "tree"),
        "JUNIT_OUTPUT_DIR": str(tmp_path / "junit"),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "facts"),
    }
    with contextlib.ExitStack() as stack:
        servers = {
            refusal: stack.enter_context(refusing_server(REFUSALS[refusal], seen_lines))
            for refusal in refusals
        }
        runs = []
        for way, (arguments, variables) in WAYS.items():
            if variables or not arguments:
                # With ANSIBLE_DEBUG Ansible itself prints each module's arguments, secrets too:
                # only what comes by variables and files can stay hidden there.
                debug = {**places, **variables, "ANSIBLE_DEBUG": "1"}
                tasks = [bare(refusal, way, server.url) for refusal, server in servers.items()]
                runs.append(ansible.playbook(*tasks, options=["-vvvv"], **debug))
        tasks = [
            one
            for refusal, server in servers.items()
            for one in (*tasks_by_option(refusal, server.url), *of_all_modules(server.url))
        ]
        options = ["-vvvv", "--diff", "-e", f"@{extra}"]
        runs.append(ansible.playbook(*tasks, options=options, **places))
    assert all(any((tmp_path / name).iterdir()) for name in ("tree", "junit"))
    results = {result.name: result for run in runs for result in run.tasks if " | " in result.name}
    assert set(results) == {f"{refusal} | {way}" for refusal in refusals for way in WAYS}
    failed = {name for name, result in results.items() if result.failed}
    assert failed == {name for name in results if not name.startswith("success")}
    seen = [request for server in servers.values() for request in server.seen]
    shown = {
        "printed": "".join(run.output for run in runs),
        "recorded": json.dumps([result.result for run in runs for result in run.tasks]),
        "left in files and logs": left_behind(tmp_path, {extra, token_file}),
        "command lines": "\n".join(seen_lines),
        "addresses": "\n".join(request.path for request in seen),
    }
    for place, text in shown.items():
        assert (place, canaries_in(text)) == (place, [])
    for server in servers.values():
        used = "\n".join(f"{request.headers} {request.body}" for request in server.seen)
        assert set(canaries_in(used)) == {*CANARIES.values(), "canary-made"} - KEPT


@pytest.mark.slow
def test_handwritten_server_and_canaries_under_ansible_runner(tmp_path: pathlib.Path) -> None:
    """No artifact and no event of a job shows a secret; env/ is what the job was given."""
    job = Job(tmp_path / "job", with_programs(Ansible(tmp_path).environment()))
    job.inventory("localhost ansible_connection=local\n")
    job.arguments = ["-vvvv", "--diff"]
    with refusing_server(None, []) as good, refusing_server(REFUSALS["denied"], []) as denying:
        tasks = [
            *tasks_by_option("success", good.url),
            *tasks_by_option("denied", denying.url),
            *of_all_modules(good.url),
        ]
        play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
        (job.project / "play.json").write_text(json.dumps([play]))
        done = job.launch("play.json", CANARIES)
    assert len(done.results) == len(tasks), done.output
    artifacts = left_behind(job.directory / "artifacts", set())
    assert "job_events" in "".join(map(str, (job.directory / "artifacts").rglob("*")))
    assert canaries_in(done.everything + artifacts) == []


@pytest.mark.parametrize("in_process", [True, False], ids=["in process", "as a module"])
def test_what_the_task_names_where_no_secret_belongs(
    server: Server, ansible: Ansible, in_process: bool
) -> None:
    """Secrets in the address, which is refused; a token for a name, which a warning repeats."""
    address = "https://me:canary-url-5f2c9e@127.0.0.1:1"
    query = "https://127.0.0.1:1/?token=canary-url-5f2c9e#canary"
    run = ansible.playbook(
        {MODULE: {"url": address, "plugin": "kv"}, "ignore_errors": True},
        {MODULE: {"url": query, "plugin": "kv"}, "ignore_errors": True},
        {"vaultops.vault.plugin_info": {"name": server.token, "token": server.token}},
        options=["-vvv", "-e", f"vaultops_in_process={in_process}"],
    )
    assert "contains a user name or password" in run.tasks[0].message
    assert "a query or a fragment follows it" in run.tasks[1].message
    (warning,) = run.result["warnings"]
    assert warning.startswith('no plugin "*')
    assert "canary" not in run.output
    assert server.token not in run.output


@pytest.mark.each_core
@pytest.mark.parametrize("in_process", [True, False], ids=["in process", "as a module"])
def test_a_secret_in_a_misspelled_option(ansible: Ansible, in_process: bool) -> None:
    options = {
        "auth_method": "approle",
        "role_id": "x",
        "secretid": "{{ secret }}",
        "tokn": "{{ secret }}",
    }
    run = ansible.playbook(
        {"vaultops.vault.login": options, "vars": {"secret": "canary-5f2c9e"}},
        options=["-vvvv", "-e", f"vaultops_in_process={in_process}"],
    )
    assert (
        'secretid (did you mean "secret_id"?), tokn (did you mean "token"?)' in run.result.message
    )
    assert "canary-5f2c9e" not in run.output
