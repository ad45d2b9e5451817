# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real external plugins for a real server, built in a moment.

plugin = build_plugin(plugin_directory / "ext", version="v1.0.0")
# register plugin.path.name with plugin.sha256, mount it, read <mount>/info
plugin.fault("exit")  # from now on it does not start: a reload fails
plugin.fault("sleep 300")  # or hangs at start
plugin.fault("crash")  # or starts, and ends at each request
plugin.heal()
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import trustme

from ..warm_python import interpreter

Kind = Literal["secret", "auth"]

TEMPLATE = Path(__file__).with_name("plugin_source.py")
SHEBANG_LIMIT = 255  # bytes, of the Linux kernel


@dataclass(frozen=True)
class BuiltPlugin:
    """A plugin file, and what to tell the catalog about it."""

    path: Path
    version: str
    sha256: str
    kind: Kind
    multiplexed: bool

    def fault(self, action: str) -> None:
        """Break each later start of the plugin: ``exit`` with status 1, or ``sleep SECONDS`` first.

        Processes that run already go on. ``crash`` is of requests: each one ends its process.
        The action is in the file ``<path>.fault``.
        """
        self._fault_file.write_text(action, encoding="utf-8")

    def heal(self) -> None:
        """Let the plugin start again."""
        self._fault_file.unlink(missing_ok=True)

    @property
    def _fault_file(self) -> Path:
        return self.path.with_name(f"{self.path.name}.fault")


def build_plugin(
    out: Path,
    *,
    version: str = "",
    kind: Kind = "secret",
    multiplexed: bool = False,
    build: str = "dev",
    python: str | None = None,
) -> BuiltPlugin:
    """Write an executable plugin to ``out``; an older file is replaced in one step.

    Each build has a certificate of its own, so each build has another sha256. ``python`` is the
    interpreter that runs it; h2 must be installed there. Without it, the plugin is a fork of one
    process, and runs no longer than this process: a demo names a Python.
    """
    certificate = trustme.CA().issue_cert("localhost")
    pem = certificate.cert_chain_pems[0].bytes() + certificate.private_key_pem.bytes()
    values = {
        "VERSION": repr(version),
        "BUILD": repr(build),
        "KIND": repr(kind),
        "MULTIPLEXED": repr(multiplexed),
        "PEM": f'"""\n{pem.decode()}"""',
    }
    source = re.sub(
        rf"(?m)^({'|'.join(values)}) = .*",
        lambda match: f"{match[1]} = {values[match[1]]}",
        TEMPLATE.read_text(encoding="utf-8"),
    )
    content = f"{shebang(python or interpreter())}\n{source}".encode()
    draft = out.with_name(f"{out.name}.{os.getpid()}.tmp")
    draft.write_bytes(content)
    draft.chmod(0o755)
    draft.replace(out)
    return BuiltPlugin(out, version, hashlib.sha256(content).hexdigest(), kind, multiplexed)


def shebang(python: str) -> str:
    """Return the first line of a script for this interpreter, isolated but with its venv."""
    line = f"#!{python} -I"
    if len(line.encode()) > SHEBANG_LIMIT or len(line.split()) > 2:
        raise ValueError(
            f'"{python}" does not fit into a shebang line: give an interpreter whose path has '
            f"no spaces and at most {SHEBANG_LIMIT - len('#! -I')} bytes"
        )
    return line
