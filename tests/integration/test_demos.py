# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demos at their edges: a path that no script can name, and Ctrl-C."""

from __future__ import annotations

import pathlib
import shutil
import signal
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY

SECONDS = 240


@pytest.mark.parametrize("name", ["with a space", "x" * 250], ids=["space", "long"])
def test_a_path_that_no_script_can_name_is_refused_before_any_download(
    name: str, tmp_path: pathlib.Path
) -> None:
    checkout = tmp_path / name
    (checkout / "tests" / "support").mkdir(parents=True)
    for file in ("noxfile.py", "tests/support/nox_bootstrap.py", "tests/support/__init__.py"):
        shutil.copy(REPOSITORY / file, checkout / file)
    command = [sys.executable, "-B", "noxfile.py", "-s", "demo"]
    run = subprocess.run(
        command, cwd=checkout, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert run.returncode == 1
    assert f'no script can start a Python below "{checkout}": move the checkout' in run.stderr
    assert "Traceback" not in run.stderr
    assert not (checkout / ".nox").exists()


def interrupted(demo: str, first: str) -> tuple[int, str, str]:
    """Press Ctrl-C at the first line of a demo; return its exit status, output and errors."""
    from_a_shell = ("env", "--default-signal=INT")  # in the background it is ignored
    command = [*from_a_shell, sys.executable, "-u", "-m", f"tests.support.{demo}"]
    pipe: t.Any = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as running:
        assert running.stdout is not None
        assert first in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        output, errors = running.communicate(timeout=SECONDS)
    return running.returncode, output, errors


@pytest.mark.openbao_only("the demos run OpenBao")
@pytest.mark.parametrize(
    ("demo", "first"),
    [
        ("demo", "server"),
        pytest.param("demo_upgrade", "cluster", marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_ends_a_demo_without_a_traceback(demo: str, first: str) -> None:
    # On a busy machine one may be over before the signal comes.
    ends = (interrupted(demo, first) for _time in range(5))
    returncode, output, errors = next(end for end in ends if end[0] != 0)
    assert returncode == 130
    assert "stopped, and the servers with it" in output
    assert "Traceback" not in errors
