# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's own proxy, which is an agent beside a task."""

from __future__ import annotations

import contextlib
import subprocess
import time
import typing as t

from .server import (
    START_SECONDS,
    STOP_SECONDS,
    Server,
    ServerError,
    clean_environment,
    server_binary,
)


@contextlib.contextmanager
def running_agent(
    server: Server, configuration: str, is_ready: t.Callable[[], bool]
) -> t.Iterator[None]:
    """Run the proxy beside ``server``, with the text of ``configuration``, until it is left."""
    config = server.directory / "agent.hcl"
    config.write_text(configuration)
    with (server.directory / "agent.log").open("wb") as log:
        process = subprocess.Popen(
            [server_binary(), "proxy", f"-config={config}"],
            env=clean_environment(server.directory / "home"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if time.monotonic() > deadline:
                raise ServerError(f"the agent did not start within {START_SECONDS} s")
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait(STOP_SECONDS)
