# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python that forks is, for who starts it, what a Python of its own is."""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
import signal
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.warm_python import interpreter

SECONDS = 20
SAY_WHO = "import os, sys, time; print(os.getpid(), flush=True); "


@pytest.fixture(params=["a fork", "its own"])
def python(request: pytest.FixtureRequest) -> str:
    """Each of the two."""
    return interpreter() if request.param == "a fork" else sys.executable


@pytest.mark.parametrize(
    ("script", "status", "stderr"),
    [
        ("", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('why it ends')", 1, "why it ends\n"),
        ("sys.exit(None)", 0, ""),
    ],
)
def test_the_end_of_a_script(
    tmp_path: pathlib.Path, python: str, script: str, status: int, stderr: str
) -> None:
    ended = subprocess.run(
        [
            python,
            "-I",
            _written(tmp_path, f"{SAY_WHO}print(sys.argv[1:], __file__); {script}"),
            "x",
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    said = ended.stdout.splitlines()[1]
    assert (ended.returncode, said, ended.stderr) == (status, f"['x'] {tmp_path}/script", stderr)


def test_an_error_that_nobody_catches(tmp_path: pathlib.Path, python: str) -> None:
    script = _written(tmp_path, "raise ProcessLookupError('why it ends')")
    command = [python, "-I", script]
    for _again in range(2):
        ended = subprocess.run(command, stderr=subprocess.PIPE, timeout=SECONDS, check=False)
        assert ended.returncode == 1
        assert ended.stderr.endswith(b"ProcessLookupError: why it ends\n")


def test_who_ends_the_program_ends_the_script(tmp_path: pathlib.Path, python: str) -> None:
    with _started(python, tmp_path) as (process, script):
        ended = os.pidfd_open(script)
        process.kill()
        assert select.select([ended], [], [], SECONDS)[0]


def test_who_ends_the_script_ends_the_program(tmp_path: pathlib.Path, python: str) -> None:
    with _started(python, tmp_path) as (process, script):
        os.kill(script, signal.SIGKILL)
        assert process.wait(SECONDS) in (-signal.SIGKILL, 128 + signal.SIGKILL)


def test_ctrl_c_is_left_to_the_script(tmp_path: pathlib.Path) -> None:
    with _started(interpreter(), tmp_path) as (process, script):
        process.send_signal(signal.SIGINT)
        os.kill(script, signal.SIGTERM)  # had it ended the program, the status would be another
        assert process.wait(SECONDS) == 128 + signal.SIGTERM


def test_anything_else_gets_a_python_of_its_own() -> None:
    command = [interpreter(), "-c", "import sys; print(sys.executable, sys.argv[1])", "an argument"]
    output = subprocess.check_output(command, text=True, timeout=SECONDS)
    assert output == f"{sys.executable} an argument\n"


@contextlib.contextmanager
def _started(python: str, folder: pathlib.Path) -> t.Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a script that sleeps; give the process, and the pid that the script has."""
    command = [python, "-I", _written(folder, f"{SAY_WHO}time.sleep({SECONDS})")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def _written(folder: pathlib.Path, script: str) -> str:
    path = folder / "script"
    path.write_text(script)
    return str(path)
