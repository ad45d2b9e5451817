# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login that fails ends the task: no node is sent anything that could change something."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support import logins
from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible
from ansible_collections.vaultops.vault.tests.support.faults import FAULTS, fault_proxy
from ansible_collections.vaultops.vault.tests.support.proxy import Proxy, counting_proxy
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import Server

LOGIN = "POST auth/userpass/login/bob"
WRONG = {"auth_method": "userpass", "username": "bob", "password": "a-wrong-password"}
GLOBAL: dict[str, t.Any] = {"scope": "global", "wait_timeout": "5"}
# The builtin plugin of the mount that each development server has.
OPERATIONS: dict[str, dict[str, t.Any]] = {
    "plugin_reload": {"mounts": ["secret"]},
    "plugin_upgrade": {"plugin": "kv", "version": "v9.9.9"},
}


def cases(server: Server) -> dict[str, dict[str, t.Any]]:
    """Return the options of tasks, by name: with the nodes that the server knows, and with some."""
    nodes = {
        "one node": {},
        "scope": GLOBAL,
        "nodes": {**GLOBAL, "nodes": [server.url, server.url.replace("127.0.0.1", "localhost")]},
        "nodes and a probe": {**GLOBAL, "nodes": [server.url], "probe": "config"},
    }
    return {
        f"{mode}, {name}": {"auth_mode": mode, **WRONG, **options}
        for mode in (("login", "auto", "inline") if server.product == "OpenBao" else ("login",))
        for name, options in nodes.items()
    }


@pytest.mark.parametrize("in_process", [True, False], ids=["in process", "as a module"])
def test_nothing_is_posted_after_a_login_that_failed(
    server: Server, ansible: Ansible, in_process: bool, subtests: pytest.Subtests
) -> None:
    logins.userpass(server)
    chosen = cases(server)
    if not in_process:  # each takes a second
        chosen = {name: chosen[name] for name in list(chosen)[2::4]}
    with contextlib.ExitStack() as stack:
        proxies: dict[str, Proxy] = {}
        tasks = {}
        for name, options in chosen.items():
            for operation, own in OPERATIONS.items():
                title = f"{operation}, {name}"
                proxies[title] = stack.enter_context(counting_proxy())
                arguments = {**own, **options, "url": server.url, "proxies": proxies[title].url}
                tasks[title] = {
                    f"vaultops.vault.{operation}": arguments,
                    "vars": {"vaultops_in_process": in_process},
                }
        run, results = ansible.cases(tasks, BAO_TOKEN="")
    for title, result in results.items():
        with subtests.test(title):
            assert result.failed
            assert not result["changed"]
            assert "cannot log in by userpass" in result.message
            assert result["status"] in (400, 403)
            writes = [line for line in proxies[title].posts if not line.startswith("LIST ")]
            assert writes in ([], [LOGIN])
            assert "auto" in title or bool(writes) == ("login, " in title)
    assert "a-wrong-password" not in run.output


# All of the server's answer comes through, and something beside it.
THE_SERVERS_OWN = (
    *("longer than told", "60 kB of headers", "2,000 headers"),
    *("continue", "early hints", "two answers"),
)


@pytest.mark.slow
@pytest.mark.parametrize("passes_on", [True, False], ids=["done", "not done"])
def test_a_login_whose_answer_is_none_of_the_servers(server: Server, passes_on: bool) -> None:
    """It is not repeated, nothing else is sent, and the message says what may be left."""
    right = logins.userpass(server)
    for nodes in ({}, {**GLOBAL, "nodes": [server.url]}):
        options = {"mounts": ["secret"], **nodes, **right, "auth_mode": "login"}
        with fault_proxy(server.url) as proxy:
            login = _position(proxy.url, proxy.seen, options)
        for name, fault in FAULTS.items():
            if name in THE_SERVERS_OWN:
                continue
            # One for each: what a fault leaves of a connection is nothing to the next task.
            with fault_proxy(server.url) as proxy:
                proxy.arm(fault, login, passes_on=passes_on)
                result = run_task("plugin_reload", options, False, proxy=proxy.url, token="")
            told = f"{name}: {result.get('msg')}"
            assert result["failed"], told
            assert not result["changed"], told
            assert "it is unknown whether the login by userpass made a token" in told
            assert "is not revoked, and lasts for its TTL" in told
            assert [line for line in proxy.seen if line.startswith("POST ")] == [LOGIN], told


def _position(proxy: str, seen: list[str], options: dict[str, t.Any]) -> int:
    """Run the task, and return which of its requests is the login."""
    result = run_task("plugin_reload", options, False, proxy=proxy, token="")
    assert LOGIN in seen, result
    return seen.index(LOGIN)
