# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the domain: a server, external plugins on it, and Ansible as a user runs it."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

import pytest

from .ansible_runs import Ansible
from .cluster import Cluster, running_cluster
from .external_plugin import BuiltPlugin, Kind, build_plugin
from .server import Server, running_server

PLUGIN = "ext"


class ExternalPlugin(t.Protocol):
    """Builds an external plugin into the server's plugin directory and registers it."""

    def __call__(
        self,
        version: str = "",
        *,
        name: str = PLUGIN,
        kind: Kind = "secret",
        multiplexed: bool = False,
    ) -> BuiltPlugin:
        """Return the plugin; it is registered as ``name`` in ``version``."""


@pytest.fixture
def server() -> t.Iterator[Server]:
    """A real, fresh, unsealed OpenBao server."""
    with running_server() as running:
        yield running


@pytest.fixture
def tls_server() -> t.Iterator[Server]:
    """A real OpenBao server with TLS and a certificate authority of its own."""
    with running_server(tls=True) as running:
        yield running


_kept_cluster = contextlib.ExitStack()
_kept: list[Cluster] = []


@pytest.fixture
def session_cluster() -> Cluster:
    """The cluster behind the fixture ``cluster``; it runs until no next test needs it."""
    if not _kept:
        _kept.append(_kept_cluster.enter_context(running_cluster()))
    return _kept[0]


def end_cluster() -> None:
    """End the cluster that the tests share, if it runs."""
    _kept.clear()
    _kept_cluster.close()


@pytest.fixture
def cluster(session_cluster: Cluster) -> Cluster:
    """A real cluster of three nodes, all running, with nothing of an earlier test mounted."""
    session_cluster.reset()
    return session_cluster


@pytest.fixture
def external_plugin(server: Server) -> ExternalPlugin:
    """Builder of external plugins on ``server``."""

    def build(
        version: str = "",
        *,
        name: str = PLUGIN,
        kind: Kind = "secret",
        multiplexed: bool = False,
    ) -> BuiltPlugin:
        out = server.plugin_directory / f"{name}-{version or 'unversioned'}"
        plugin = build_plugin(out, version=version, kind=kind, multiplexed=multiplexed)
        server.register(name, plugin)
        return plugin

    return build


@pytest.fixture
def ansible(tmp_path: pathlib.Path, server: Server) -> Ansible:
    """Ansible with the collection; url and token of ``server`` are in its environment."""
    return Ansible(tmp_path, server)


@pytest.fixture
def playbook(ansible: Ansible) -> t.Callable[..., t.Any]:
    """Run tasks by ``ansible-playbook``; see Ansible.playbook."""
    return ansible.playbook


@pytest.fixture
def adhoc(ansible: Ansible) -> t.Callable[..., t.Any]:
    """Run one module by ``ansible``; see Ansible.adhoc."""
    return ansible.adhoc
