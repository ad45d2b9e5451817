# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of an entry mean, and which entry they mean."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CatalogEntry,
    Registration,
    canonical_version,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import Catalog
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.wanted import (
    Wanted,
    plugin_name,
    plugin_version,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin

ONE, TWO = "1" * 64, "a" * 64


def wanted(**options: t.Any) -> Wanted:
    """Return what the options of a task mean."""
    defaults = {name: spec.get("default") for name, spec in plugin.SPEC.items()}
    named = {"name": "ext", "type": "secret", "sha256": ONE}
    return Wanted.from_params({**defaults, **named, **options})


def entry(version: str = "", sha256: str = ONE, *, builtin: bool = False) -> CatalogEntry:
    """Return an entry of the plugin."""
    return CatalogEntry("secret", "ext", version, sha256, builtin)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (None, ""),
        (" ", ""),
        ("1.2.3", "v1.2.3"),
        ("v1.2.3", "v1.2.3"),
        ("01.2.03", "v1.2.3"),
        (" v10.0.0-rc.1+build.5 ", "v10.0.0-rc.1+build.5"),
    ],
)
def test_versions(text: str | None, version: str) -> None:
    assert plugin_version(text) == version


@pytest.mark.parametrize(
    ("reported", "asked_for"),
    [
        ("", ""),
        ("v1.2.3", "v1.2.3"),
        ("1.2.3", "v1.2.3"),
        ("v1.2", "v1.2.0"),
        ("1", "v1.0.0"),
        ("v01.2.3-1", "v1.2.3-1"),
        ("v1.2.3rc1", "v1.2.3-rc1"),
        ("v1.2.3-", "v1.2.3--"),
        ("v1.2.3-+b", "v1.2.3--+b"),
        ("v1.2.3--", "v1.2.3--"),
        ("v1.2.3.4+build", "v1.2.3.4+build"),
        ("v0.21.0+builtin", "v0.21.0+builtin"),
        ("banana", "banana"),
    ],
)
def test_versions_as_the_server_asks_for_them(reported: str, asked_for: str) -> None:
    assert canonical_version(reported) == asked_for
    there = entry(reported)
    assert there.misspelled is (reported != asked_for)
    assert there.full_name == (f"ext/{reported}" if there.misspelled else "ext")


@pytest.mark.parametrize("text", ["1.1", "v1", "banana", "1.2.3.4", "V1.2.3", "1.2.3 4", "latest"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(OptionError, match="is not a semantic version"):
        plugin_version(text)


def test_a_version_of_a_builtin_plugin() -> None:
    with pytest.raises(OptionError, match="is that of a builtin plugin"):
        plugin_version("v2.7.2+builtin.bao")


@pytest.mark.parametrize("text", ["", "a/b", "..", "a?b", "-a", "a b", "ä"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(OptionError, match="is not a valid name for a plugin"):
        plugin_name(text)


@pytest.mark.parametrize(
    ("options", "command", "args"),
    [
        ({}, "ext", []),
        ({"command": "ext-v1"}, "ext-v1", []),
        ({"command": "ext-v1 --foo bar"}, "ext-v1", ["--foo", "bar"]),
        ({"command": "ext-v1", "arguments": ["--foo", "a b"]}, "ext-v1", ["--foo", "a b"]),
        ({"oci_image": "registry/ext"}, "", []),
        ({"oci_image": "registry/ext", "command": "run"}, "run", []),
    ],
    ids=str,
)
def test_commands(options: dict[str, t.Any], command: str, args: list[str]) -> None:
    made = wanted(**options)
    assert (made.command, made.args) == (command, args)


def test_the_file_gives_command_and_sha256(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "ext-v1"
    file.write_bytes(b"abc")
    made = wanted(sha256=None, src=str(file))
    assert made.command == "ext-v1"
    assert made.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("option", "texts", "secrets"),
    [
        ({"A": "canary", "B": 1, "C": True}, ["A=canary", "B=1", "C=true"], {"canary"}),
        (["A=canary=x", "B="], ["A=canary=x", "B="], {"canary=x"}),
        ("A=canary", ["A=canary"], {"canary"}),
        ([], [], set()),
    ],
    ids=str,
)
def test_environments(option: t.Any, texts: list[str], secrets: set[str]) -> None:
    made = wanted(env=option)
    assert made.env == texts
    assert made.secrets == secrets | set(texts)


WRONG: dict[str, tuple[dict[str, t.Any], str]] = {
    "sha256 too short": ({"sha256": "abc"}, "64 hexadecimal digits, and has 3"),
    "sha256 of other letters": ({"sha256": "z" * 64}, "64 hexadecimal digits"),
    "nothing to register": (
        {"sha256": None},
        "a plugin cannot be registered without its sha256; give sha256, or",
    ),
    "an image without sha256": (
        {"sha256": None, "oci_image": "registry/ext"},
        "without the sha256 of its image; give sha256: the id of the image",
    ),
    "src that is not there": ({"sha256": None, "src": "/nope"}, 'src "/nope" cannot be read: No'),
    "src that is a folder": ({"sha256": None, "src": "/"}, 'src "/" cannot be read'),
    "arguments twice": ({"command": "a b", "arguments": ["c"]}, 'command "a b" has a space'),
    "src with a space": ({"sha256": None, "src": "a b"}, 'command "a b" has a space'),
    "env of numbers": ({"env": [1]}, "item 1 of env is not NAME=value"),
    "env without =": ({"env": ["A=b", "canary"]}, "item 2 of env is not NAME=value"),
    "env without a name": ({"env": ["=canary"]}, "item 1 of env is not NAME=value"),
    "env of lists": ({"env": {"A": ["canary"]}}, 'the value of "A" in env is not a text'),
    "env with = in a name": ({"env": {"A=B": "canary"}}, '"A=B" in env is not the name'),
    "env that is a number": ({"env": 5}, "env is not a mapping or a list"),
}


@pytest.mark.parametrize(("options", "told"), list(WRONG.values()), ids=list(WRONG))
def test_what_cannot_be(options: dict[str, t.Any], told: str) -> None:
    with pytest.raises(OptionError) as raised:
        wanted(**options)
    assert told in str(raised.value)
    assert raised.value.next_step
    assert "canary" not in str(raised.value)


ENTRIES = [entry(builtin=True, version="v9.0.0+builtin.bao"), entry(sha256=TWO), entry("v1.0.0")]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"version": "v1.0.0", "sha256": TWO}, entry("v1.0.0")),
        ({"version": "v2.0.0"}, None),
        ({}, entry("v1.0.0")),
        ({"sha256": TWO.upper()}, entry(sha256=TWO)),
        ({"sha256": "c" * 64}, entry(sha256=TWO)),
        ({"type": "auth"}, None),
        ({"name": "other"}, None),
    ],
    ids=str,
)
def test_which_entry_is_meant(options: dict[str, t.Any], found: CatalogEntry | None) -> None:
    assert wanted(**options).find_in(Catalog(ENTRIES, {})) == found


def test_where_a_registration_without_a_version_lands() -> None:
    before = [entry(), entry("v1.0.0", TWO)]
    after = [entry(), entry("v1.0.0")]
    assert wanted().landed_in(after, before) == entry("v1.0.0")
    assert wanted().landed_in(before, before) == entry()
    assert wanted(sha256="c" * 64).landed_in(after, before) is None


@pytest.mark.parametrize(
    ("there", "differing"),
    [
        (Registration(entry(), "ext", []), []),
        (Registration(entry(sha256=ONE.upper()), "ext", ()), []),
        (Registration(entry(sha256=TWO), "old", ["-x"]), ["sha256", "command", "arguments"]),
        (Registration(entry()), []),
        (Registration(entry(sha256=TWO)), ["sha256"]),
        (Registration(entry()._replace(oci_image="x", runtime="y")), ["oci_image", "runtime"]),
    ],
)
def test_what_differs(there: Registration, differing: list[str]) -> None:
    assert wanted().differs_from(there) == differing
