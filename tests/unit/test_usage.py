# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of an option that the module does not have: only the likely one is suggested."""

from __future__ import annotations

import importlib

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import argument_spec
from ansible_collections.vaultops.vault.plugins.module_utils._front.usage import unknown_options
from ansible_collections.vaultops.vault.tests.support.recordings import OPERATIONS


@pytest.mark.parametrize(
    ("module", "option", "meant"),
    [
        ("plugin_reload", "mount", "mounts"),
        ("plugin_reload", "plugn", "plugin"),
        ("plugin_reload", "name", "plugin"),
        ("plugin_reload", "path", "mounts"),
        ("plugin_reload", "ca_crt", "ca_cert"),
        ("plugin_reload", "address", "url"),
        ("plugin_upgrade", "name", "plugin"),
        ("plugin_upgrade", "plugin_version", "version"),
        ("plugin", "plugin", "name"),
        ("plugin_info", "plugin", "name"),
        ("plugin_pin", "plugin", "name"),
        # Of these, the module has nothing alike.
        ("plugin_reload", "token_validate", ""),
        ("plugin_runtime", "version", ""),
        ("login", "name", ""),
        ("login", "path", ""),
    ],
)
def test_only_what_is_likely_is_suggested(module: str, option: str, meant: str) -> None:
    operation = importlib.import_module(f"{OPERATIONS}.{module}")
    told = unknown_options(f"vaultops.vault.{module}", [option], argument_spec(operation))
    question = f' (did you mean "{meant}"?)' if meant else ""
    assert f" module: {option}{question}; see " in told
