# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections of a loop, as Ansible runs it.

The server here is handwritten: it knows its connections, and closes those that are idle.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import ssl
import time
import typing as t

import pytest
import trustme

from ansible_collections.vaultops.vault.plugins.module_utils._http.exchange import IDLE_SECONDS
from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible
from ansible_collections.vaultops.vault.tests.support.http_servers import QuietHandler, serving

MODULE = "vaultops.vault.plugin_reload"
DONE = json.dumps({"request_id": "a", "data": {"reload_id": "b"}}).encode()


class Front(t.NamedTuple):
    """The address, the CA, and of each request in order the source port and how long it was silent.

    The client's own silence is shorter than what this server sees, in seconds.
    """

    url: str
    ca_cert: str
    ports: list[int]
    silences: list[float]


@contextlib.contextmanager
def reloading(folder: pathlib.Path, idle: float | None = None) -> t.Iterator[Front]:
    """Answer each reload over HTTPS; a connection that is ``idle`` for so long is closed."""
    ca, ports, silences = trustme.CA(), [], []
    answered = 0.0
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    ca.cert_pem.write_to_path(folder / "ca.pem")

    class Handler(QuietHandler):
        def do(self) -> None:
            nonlocal answered
            self.body()
            ports.append(self.client_address[1])
            silences.append(time.monotonic() - answered)
            answered = time.monotonic()
            self.reply(200, DONE, {})
            self.connection.settimeout(idle)  # of all that is read from now on

    with serving(Handler, tls) as url:
        yield Front(url, str(folder / "ca.pem"), ports, silences)


def reload(front: Front, **more: t.Any) -> dict[str, t.Any]:
    """Return a task of one request, the reload."""
    options = {"url": front.url, "ca_cert": front.ca_cert, "token": "any", "plugin": "kv"}
    return {MODULE: {**options, "verify": False}, **more}


def test_handwritten_server_sees_one_connection_for_a_loop(tmp_path: pathlib.Path) -> None:
    """And another one for the next task, which is another process."""
    with reloading(tmp_path) as front:
        run = Ansible(tmp_path).playbook(reload(front, loop=[1, 2, 3, 4]), reload(front))
    assert run.returncode == 0, run.output
    assert len(front.ports) == 5
    turns = list(zip(front.ports, front.ports[1:], front.silences[1:], strict=False))
    assert turns.pop()[0] != front.ports[4]
    # A machine that is so busy lets a connection become too old for a write.
    fresh = [before == after for before, after, silence in turns if silence < IDLE_SECONDS]
    assert fresh
    assert all(fresh)


@pytest.mark.parametrize(("idle", "pause"), [(0.05, 0.4), (1.0, 1.0)])
def test_handwritten_server_that_closes_idle_connections(
    tmp_path: pathlib.Path, idle: float, pause: float
) -> None:
    """No turn of the loop loses its answer, also where both wait for the same time."""
    with reloading(tmp_path, idle) as front:
        loop = reload(front, loop=[1, 2, 3, 4], loop_control={"pause": pause})
        run = Ansible(tmp_path).playbook(loop)
    assert run.returncode == 0, run.output
    assert [turn["changed"] for turn in run.result["results"]] == [True] * 4
    assert len(front.ports) == 4
