# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of docs/troubleshooting.md that no other test provokes; tasks run in this process."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._rollout import rollout
from ansible_collections.vaultops.vault.tests.support.editing_proxy import (
    Edit,
    editing_proxy,
    page,
)
from ansible_collections.vaultops.vault.tests.support.fixtures import PLUGIN, ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import Server


class _NothingAfterTheReload(dict[str, Edit]):
    """Edits for all requests from the reload on: a gateway answers in the place of the server."""

    def get(self, line: str, default: t.Any = None) -> t.Any:
        if line.startswith("POST sys/plugins/reload"):
            self[""] = page(502)
        return super().get("", default)


def test_an_upgrade_whose_server_is_lost(
    server: Server, external_plugin: ExternalPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout, "TRY_PAUSE", 0.0)
    for version in ("v1.0.0", "v1.1.0"):
        external_plugin(version)
    server.mount("a", PLUGIN, version="v1.0.0")
    options = {"url": server.url, "plugin": PLUGIN, "version": "v1.1.0", "retries": 0}
    with editing_proxy() as proxy:
        proxy.edits = _NothingAfterTheReload()
        result = run_task("plugin_upgrade", options, False, proxy=proxy.url, token=server.token)
    assert result["msg"].startswith("it is unknown what serves: ")
    assert result["changed"] is True


def test_nobody_gave_a_token(tmp_path: pathlib.Path) -> None:
    options = {"url": "http://127.0.0.1:1", "plugin": "kv", "token_path": str(tmp_path)}
    result = run_task("plugin_reload", options, False, proxy="", token="")
    assert result["msg"].startswith("no token: ")
    assert f'the file "{tmp_path}/.vault-token" does not exist' in result["msg"]
