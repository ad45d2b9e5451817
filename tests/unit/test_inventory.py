# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registered, pinned, configured and running, side by side; pins are what no server here has."""

from __future__ import annotations

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import Catalog
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.inventory import (
    PluginRow,
    plugin_rows,
)
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_info

ONE, TWO = "1" * 64, "a" * 64
BUILTIN = "v1.20.0+builtin.vault"
OLD = CatalogEntry("secret", "ext", "v1.0.0", ONE, False)
NEW = CatalogEntry("secret", "ext", "v1.1.0", TWO, False)
PLAIN = CatalogEntry("secret", "ext", "", ONE, False)
ENTRIES = [OLD, NEW, CatalogEntry("secret", "kv", BUILTIN, "", True)]


def mount(path: str, configured: str, running: str, sha256: str = "") -> Mount:
    """Return a mount of the plugin."""
    hashes = {"v1.0.0": ONE, "v1.1.0": TWO}
    sha256 = sha256 or hashes.get(running, "")
    return Mount(path, "secret", "ext", "an-accessor", configured, running, sha256)


def row_of(catalog: Catalog | None, *mounts: Mount) -> PluginRow:
    """Return the row of the plugin."""
    rows = plugin_rows(catalog, {"secret": list(mounts), "auth": []})
    return next(row for row in rows if row.name == "ext")


PINNED = {("secret", "ext"): "v1.1.0"}
MOVED = mount("a/", "v1.1.0", "v1.0.0")
SAME = mount("b/", "v1.0.0", "v1.0.0")
LOST = mount("c/", "v0.9.0", "v0.9.0", TWO)
REBUILT = mount("d/", "v1.1.0", "v1.1.0", "c" * 64)


@pytest.mark.parametrize(
    ("catalog", "mounts", "current", "lines"),
    [
        pytest.param(
            Catalog(ENTRIES, {}),
            [MOVED, SAME],
            [False, True],
            [
                "ext secret v1.0.0: 1 mount",
                "ext secret v1.1.0: 1 mount, 1 not current (a/ runs v1.0.0)",
            ],
            id="configured",
        ),
        pytest.param(
            Catalog(ENTRIES, PINNED),
            [MOVED, SAME],
            [False, False],
            [
                "ext secret v1.0.0: no mounts",
                (
                    "ext secret v1.1.0, pinned: 2 mounts, 2 not current (a/ runs v1.0.0, "
                    "b/ runs v1.0.0)"
                ),
            ],
            id="pinned",
        ),
        pytest.param(
            Catalog(ENTRIES, None),
            [MOVED, SAME],
            [None, None],
            [
                "ext secret v1.0.0",
                "ext secret v1.1.0",
                "ext secret: 2 mounts (a/ runs v1.0.0, b/ runs v1.0.0)",
            ],
            id="hidden pins",
        ),
        pytest.param(
            None,
            [MOVED],
            [None],
            ["ext secret: 1 mount (a/ runs v1.0.0)"],
            id="hidden catalog",
        ),
        pytest.param(
            Catalog([NEW], {}),
            [LOST, REBUILT],
            [False, False],
            [
                "ext secret v1.1.0: 1 mount, 1 not current (d/ runs v1.1.0 cccccccc)",
                "ext secret v0.9.0, not registered: 1 mount, 1 not current (c/ runs v0.9.0)",
            ],
            id="not registered, and built again",
        ),
        pytest.param(
            Catalog([PLAIN], {}),
            [mount("a/", "", "", ONE), mount("b/", "", "", TWO), mount("c/", "", "")],
            [True, False, False],
            [
                (
                    "ext secret without version: 3 mounts, 2 not current (b/ runs aaaaaaaa, "
                    "c/ runs nothing)"
                )
            ],
            id="without a version",
        ),
        pytest.param(
            Catalog([OLD], {}),
            [mount(f"{number}/", "v1.0.0", "v0.1.0", TWO) for number in range(7)],
            [False] * 7,
            [
                "ext secret v1.0.0: 7 mounts, 7 not current ("
                + ", ".join(f"{number}/ runs v0.1.0" for number in range(5))
                + " and 2 more)"
            ],
            id="many",
        ),
    ],
)
def test_what_is_current(
    catalog: Catalog | None, mounts: list[Mount], current: list[bool | None], lines: list[str]
) -> None:
    row = row_of(catalog, *mounts)
    assert [each.current for each in row.mounts or []] == current
    assert row.summary() == lines


def test_a_pin_changes_what_is_expected_and_not_what_is_configured() -> None:
    (shown,) = plugin_info._plugin_row(row_of(Catalog(ENTRIES, PINNED), SAME), None, False)[
        "mounts"
    ]
    assert shown["configured"] == {"version": "v1.0.0", "sha256": ONE}
    assert shown["expected"] == {"version": "v1.1.0", "sha256": TWO}
    assert shown["running"] == {"version": "v1.0.0", "sha256": ONE}
    assert shown["current"] is False


def test_parts_of_the_server_are_no_plugins() -> None:
    system = Mount("sys/", "secret", "system", "an-accessor", "", BUILTIN, "")
    rows = plugin_rows(Catalog(ENTRIES, {}), {"secret": [system], "auth": None})
    assert [(row.name, row.builtin) for row in rows] == [("ext", False), ("kv", True)]


def test_a_builtin_plugin_that_the_catalog_does_not_list() -> None:
    database = Mount("database/", "secret", "database", "an-accessor", "", BUILTIN, "")
    rows = plugin_rows(Catalog([], {}), {"secret": [database]})
    assert [(row.builtin, row.mounts[0].current) for row in rows if row.mounts] == [(True, None)]
    assert rows[0].summary() == [f"database secret: 1 mount (database/ runs {BUILTIN})"]


def test_a_builtin_plugin_in_a_version_that_is_not_there() -> None:
    database = Mount("database/", "secret", "database", "an-accessor", "v1.0.0", BUILTIN, "")
    rows = plugin_rows(Catalog([], {}), {"secret": [database]})
    assert [row.current for row in rows[0].mounts or []] == [False]


def test_a_database_plugin_has_no_mounts() -> None:
    entry = CatalogEntry("database", "pg", "v1.0.0", ONE, False)
    (row,) = plugin_rows(Catalog([entry], {}), {"secret": [], "auth": []})
    assert plugin_info._plugin_row(row, None, False)["mounts"] is None
    assert row.summary() == ["pg database v1.0.0"]
