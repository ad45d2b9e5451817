# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peer that is a collection, community.hashi_vault: PyPI has it in the wheel `ansible`."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
import zipfile

# Names a collections path with peers, for the tests that run both sides of docs/moving.
VARIABLE = "VAULTOPS_TEST_PEERS"
WHEEL = "ansible==12.3.0"
COLLECTION = "ansible_collections/community/hashi_vault/"


def collections_path(cache: pathlib.Path) -> pathlib.Path | None:
    """Return a collections path with the peer in ``cache``, None where it cannot be got.

    The first call downloads 50 MB, and keeps the one collection of them.
    """
    kept = cache.resolve() / WHEEL
    if kept.is_dir():
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", WHEEL]
        if subprocess.run(download, cwd=work, check=False).returncode:
            return None
        (wheel,) = pathlib.Path(work).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            members = [name for name in archive.namelist() if name.startswith(COLLECTION)]
            archive.extractall(pathlib.Path(work, "tree"), members)
        pathlib.Path(work, "tree").rename(kept)
    return kept
