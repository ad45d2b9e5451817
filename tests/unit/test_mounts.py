# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One form for each mount, however it is spelled."""

from __future__ import annotations

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import (
    mount_path,
    mount_paths,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError


@pytest.mark.parametrize(
    ("spelling", "path"),
    [
        ("foo", "foo/"),
        ("foo//", "foo/"),
        ("/foo/", "foo/"),
        (" foo ", "foo/"),
        ("team/foo", "team/foo/"),
        ("auth/foo", "auth/foo/"),
        ("sys/auth/foo/", "auth/foo/"),
        ("/sys/auth/foo", "auth/foo/"),
        ("authentic", "authentic/"),
    ],
)
def test_spellings(spelling: str, path: str) -> None:
    assert mount_path(spelling) == path


@pytest.mark.parametrize("spelling", ["", " ", "/", "auth/", "sys/auth/", "a\nb", "a\tb"])
def test_what_names_no_mount(spelling: str) -> None:
    with pytest.raises(OptionError, match="does not name a mount"):
        mount_path(spelling)


def test_a_mount_named_twice_is_reloaded_once_in_the_order_given() -> None:
    assert mount_paths(["b", "a/", "/b", "sys/auth/c", "auth/c"]) == ["b/", "a/", "auth/c/"]
