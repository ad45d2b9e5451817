# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins that ask a server of somebody else: a real directory, a real RADIUS server."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible
from ansible_collections.vaultops.vault.tests.support.extra_servers import (
    directory_server,
    program,
    radius_server,
)
from ansible_collections.vaultops.vault.tests.support.logins import (
    Options,
    accessors,
    allow,
    enable,
)
from ansible_collections.vaultops.vault.tests.support.server import Server

MODULE = "vaultops.vault.plugin_reload"

pytestmark = pytest.mark.extra_server


def need(server: Server, method: str, package: str) -> None:
    """Skip where the program is not installed, or the server does not have the method."""
    if program(package) is None:
        pytest.skip(f"{package} is not installed: apt-get install {package}")
    listed = server.call("GET", "sys/plugins/catalog")["detailed"]
    if method not in {row["name"] for row in listed if row["type"] == "auth"}:
        pytest.skip(f"this server has no builtin {method}: OpenBao before 2.7 has")


def assert_logs_in(server: Server, ansible: Ansible, method: str) -> None:
    """The right password works in each mode, a wrong one is told, and no token is left."""
    options: Options = {
        "plugin": "kv",
        "auth_method": method,
        "username": "bob",
        "password": "a-password",
    }
    before = accessors(server)
    modes = ("auto", "login", "inline")
    done = ansible.cases(
        {
            **{mode: {MODULE: {**options, "auth_mode": mode}} for mode in modes},
            "wrong": {MODULE: {**options, "password": "a-wrong-one"}},
        },
        BAO_TOKEN="",
    )
    for mode in modes:
        assert done.results[mode]["verified"] is True, done.results[mode].message
    assert done.results["wrong"].failed
    assert f"cannot log in by {method}: " in done.results["wrong"].message
    assert "a-wrong-one" not in done.run.output
    assert accessors(server) == before


def test_ldap(server: Server, ansible: Ansible, tmp_path: pathlib.Path) -> None:
    need(server, "ldap", "slapd")
    allow(server)
    with directory_server(tmp_path) as address:
        path = enable(server, "ldap")
        config = {"url": address, "userdn": "dc=test", "userattr": "cn"}
        server.call("POST", f"{path}/config", {**config, "token_policies": "logins"})
        assert_logs_in(server, ansible, "ldap")


def test_radius(server: Server, ansible: Ansible, tmp_path: pathlib.Path) -> None:
    need(server, "radius", "freeradius")
    allow(server)
    with radius_server(tmp_path) as port:
        path = enable(server, "radius")
        config = {"host": "127.0.0.1", "port": port, "secret": "shared"}
        server.call("POST", f"{path}/config", {**config, "token_policies": "logins"})
        server.call("POST", f"{path}/users/bob", {"policies": "logins"})
        assert_logs_in(server, ansible, "radius")
