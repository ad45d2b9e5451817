# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that run beside the tests, such as servers of other products."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import time
import typing as t

from .server import STOP_SECONDS, ServerError


@contextlib.contextmanager
def running_program(
    command: t.Sequence[str],
    log: pathlib.Path,
    is_ready: t.Callable[[], bool],
    *,
    start_seconds: float,
    environment: t.Mapping[str, str] | None = None,
) -> t.Iterator[None]:
    """Run a program, which writes to ``log``, for the length of a ``with`` block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + start_seconds
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"{command[0]} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
