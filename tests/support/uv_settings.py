# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let uv, which fills the environments of the sessions, find packages where pip finds them.

uv takes a second where pip takes a quarter of a minute, and reads no file of pip's settings.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What pip calls it, to uv's variable and what stands there between two values.
VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX", ""),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "no-index": ("UV_NO_INDEX", ""),
    "cert": ("SSL_CERT_FILE", ""),
    "timeout": ("UV_HTTP_TIMEOUT", ""),
}
# From the one that decides least.
SECTIONS = ("global", "install", ":env:")
ALWAYS = {
    "UV_CACHE_DIR": str(ROOT / ".nox" / "uv"),
    "UV_INDEX_STRATEGY": "unsafe-best-match",  # as pip does
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_SYSTEM_CERTS": "true",
}


def apply() -> None:
    """Set uv's variables as pip is set; those of the environment stay."""
    if ALWAYS.keys() <= os.environ.keys():
        return  # by the run that started this one
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for variable, value in {**ALWAYS, **from_pip(listing)}.items():
        os.environ.setdefault(variable, value)


def from_pip(listing: str) -> dict[str, str]:
    """Return the variables for what ``pip config list`` prints."""
    lines = [line.partition("=") for line in listing.splitlines()]
    settings = {name: str(ast.literal_eval(value)) for name, _equals, value in lines}
    return {
        variable: between.join(settings[f"{section}.{name}"].split())
        for section in SECTIONS
        for name, (variable, between) in VARIABLES.items()
        if f"{section}.{name}" in settings
    }


def install(python: Path, *what: str) -> None:
    """Install into the environment of ``python``, which others may use that cannot write there."""
    how = ["--quiet", "--python", str(python), "--compile-bytecode", "--link-mode", "copy"]
    command = [sys.executable, "-m", "uv", "pip", "install", *how, *what]
    subprocess.run(command, cwd=ROOT, check=True)
