# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much the tests of trust try: few by default, always the same; all in the session `trust`.

Each writes what it tried where $VAULTOPS_RELIABILITY names a folder, for docs/reliability.md.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import pathlib
import random
import shutil
import tempfile
import time
import typing as t
from unittest import mock

import hypothesis
from hypothesis.configuration import set_hypothesis_home_dir

from .trust_options import DEFAULT_SEED, FOLDER_VARIABLE, FULL_VARIABLE, SEED_VARIABLE

EXAMPLES, ALL_EXAMPLES = 300, 20_000

# Else it keeps what it found out about our code in the checkout.
_HOME = tempfile.mkdtemp(prefix="vaultops-hypothesis-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
set_hypothesis_home_dir(_HOME)

F = t.TypeVar("F", bound=t.Callable[..., t.Any])


def is_full() -> bool:
    """Tell whether all is to be tried."""
    return bool(os.environ.get(FULL_VARIABLE))


def seed() -> int:
    """Return the seed of this run."""
    return int(os.environ.get(SEED_VARIABLE) or DEFAULT_SEED)


def chance() -> random.Random:
    """Return what chooses, always the same for a seed."""
    return random.Random(seed())


def examples(test: F) -> F:
    """Try a test with the examples of this run; they depend on the seed only."""
    settings = hypothesis.settings(
        max_examples=ALL_EXAMPLES if is_full() else EXAMPLES,
        database=None,  # the checkout may be read-only: a failure becomes an @example
        deadline=None,
        print_blob=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    decorated: F = hypothesis.seed(seed())(settings(test))
    return decorated


def note(name: str, part: str = "", **counts: t.Any) -> None:
    """Note what was tried, and with what outcome, for docs/reliability.md.

    ``part`` is whose counts these are where some tests note for one table.
    """
    if folder := os.environ.get(FOLDER_VARIABLE):
        path = pathlib.Path(folder) / name / f"{part or 'all'}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"seed": seed(), **counts}), encoding="utf-8")


@contextlib.contextmanager
def short_pauses(longest: float = 0.001) -> t.Iterator[None]:
    """Let no pause of the collection in this process take longer than ``longest`` seconds."""
    sleep = time.sleep
    with mock.patch("time.sleep", lambda seconds: sleep(min(seconds, longest))):
        yield
