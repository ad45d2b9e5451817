# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents whose code blocks are run: `<!-- test: name -->` stands before each such block."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

from .ansible_runs import REPOSITORY, Ansible

BLOCK = re.compile(r"<!-- test: (?P<name>.+?) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)


def blocks(document: str, name: str) -> list[str]:
    """Return the code blocks of ``document`` that are marked with ``name``: at least one."""
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    found = [match["text"] for match in BLOCK.finditer(text) if match["name"] == name]
    assert found
    return found


def write_files(document: str, names: list[str], directory: pathlib.Path) -> None:
    """Write the blocks that are marked as ``file <name>``, as a reader of the document does."""
    for name in names:
        (directory / name).write_text(blocks(document, f"file {name}")[0])


def comparable(text: str) -> list[str]:
    """Return the lines of an output without what differs from run to run."""
    text = re.sub(r"weather_[0-9a-f]{8}", "ACCESSOR", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"http://127\.0\.0\.1:\d+", "URL", text)
    text = re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{8}\b", "DIGITS", text)
    text = re.sub(r"\S+/ansible_collections/", "COLLECTIONS/", text)
    text = re.sub(r"process \d+|OpenBao \d+\.\d+\.\d+", "SOME", text)
    return [line.rstrip() for line in text.strip().splitlines()]


def with_programs(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment with Ansible's programs on its PATH, as a user has them."""
    programs = str(pathlib.Path(sys.executable).parent)
    return {**environment, "PATH": f"{programs}:{environment['PATH']}"}


def run_console(block: str, ansible: Ansible) -> tuple[str, str]:
    """Run the command of Ansible in a console block; return its output and what the block shows."""
    lines = block.splitlines(keepends=True)
    (command,) = [line[2:] for line in lines if line.startswith("$ ansible")]
    run = subprocess.run(
        command,
        shell=True,
        cwd=ansible.directory,
        env=with_programs(ansible.environment()),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout, "".join(line for line in lines if not line.startswith("$ "))
