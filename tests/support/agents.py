# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's own proxy, which is an agent beside a task."""

from __future__ import annotations

import contextlib
import typing as t

from .programs import running_program
from .server import START_SECONDS, Server, clean_environment, server_binary


@contextlib.contextmanager
def running_agent(
    server: Server, configuration: str, is_ready: t.Callable[[], bool]
) -> t.Iterator[None]:
    """Run the proxy beside ``server``, with the text of ``configuration``, until it is left."""
    config = server.directory / "agent.hcl"
    config.write_text(configuration)
    command = [server_binary(), "proxy", f"-config={config}"]
    environment = clean_environment(server.directory / "home")
    log = server.directory / "agent.log"
    with running_program(
        command, log, is_ready, start_seconds=START_SECONDS, environment=environment
    ):
        yield
