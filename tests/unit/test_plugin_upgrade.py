# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for standbys that start a new version by themselves."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.health import Server
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_upgrade

LEAD = {"role": "active", "mounts": [{"before": "v1", "after": "v2"}]}
BEHIND = {"role": "standby", "mounts": [{"before": "v1", "after": "v2"}]}
THERE = {"role": "standby", "mounts": [{"before": "v2", "after": "v2"}]}


@pytest.mark.parametrize(
    ("looks", "asked"),
    [
        pytest.param([{"nodes": [LEAD, THERE]}], 1, id="there"),
        pytest.param([{"nodes": [LEAD, BEHIND]}, {"nodes": [LEAD, THERE]}], 2, id="a moment later"),
        pytest.param([{"nodes": [BEHIND]}] * 99, plugin_upgrade.FOLLOW_LOOKS, id="never"),
        pytest.param([{}], 1, id="wait=false: no node is asked"),
    ],
)
def test_how_often_the_standbys_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, looks: list[t.Any], asked: int
) -> None:
    left = list(looks)
    monkeypatch.setattr(plugin_upgrade, "_reload", lambda *_args, **_more: left.pop(0))
    monkeypatch.setattr(plugin_upgrade, "FOLLOW_PAUSE", 0)
    plugin_upgrade._let_follow(t.cast("t.Any", None), {}, Server(), [])
    assert len(looks) - len(left) == asked
