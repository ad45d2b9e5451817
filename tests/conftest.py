# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the collection importable under its name, and loads the fixtures of the domain."""

from __future__ import annotations

import atexit
import pathlib
import shutil
import sys
import tempfile

import pytest

_TREE = pathlib.Path(tempfile.mkdtemp(prefix="vaultops-tree-"))
atexit.register(shutil.rmtree, _TREE, ignore_errors=True)
_LINK = _TREE / "ansible_collections" / "vaultops" / "vault"
_LINK.parent.mkdir(parents=True)
_LINK.symlink_to(pathlib.Path(__file__).resolve().parents[1])
sys.path.insert(0, str(_TREE))

# They take as long as all others on a cluster together.
OF_THE_ROLE = (
    "test_plugin_rollout.py",
    "test_plugin_rollout_truth.py",
    "test_upgrade_guide.py",
    "test_chaos.py",
)

pytest_plugins = ["ansible_collections.vaultops.vault.tests.support.fixtures"]


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start first what takes longest, and keep two clusters for all: idle ones take time too."""
    for item in items:
        if _on_cluster(item):
            of_the_role = item.path.name in OF_THE_ROLE
            item.add_marker(pytest.mark.xdist_group("role" if of_the_role else "cluster"))
    items.sort(key=_rank)


@pytest.hookimpl(trylast=True)  # after the test's own fixtures
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End the cluster behind the last test that needs it: an idle one takes time too."""
    from ansible_collections.vaultops.vault.tests.support import fixtures

    if nextitem is None or not _on_cluster(nextitem):
        fixtures.end_cluster()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is of one product only where the tests run on the other."""
    from ansible_collections.vaultops.vault.tests.support.products import product

    other = "openbao_only" if product() == "Vault" else "vault_only"
    if marker := item.get_closest_marker(other):
        pytest.skip(f"{other}: {marker.args[0]}")


def _on_cluster(item: pytest.Item) -> bool:
    return "session_cluster" in getattr(item, "fixturenames", ())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Note the counts, for docs/tested.md."""
    from ansible_collections.vaultops.vault.tests.support import tested

    # A worker of pytest-xdist knows its own tests only.
    if not hasattr(terminalreporter.config, "workerinput"):
        tested.note_counts(terminalreporter.stats)


def _rank(item: pytest.Item) -> int:
    if _on_cluster(item):
        return 1  # together, and early: two workers run them all
    ranks = {"waits": 0, "slow": 2, "each_core": 2}
    return min(ranks[name] if item.get_closest_marker(name) else 3 for name in ranks)
