# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the manual is made of: fresh pictures, the texts of the code, links that hold."""

from __future__ import annotations

import ast
import functools
import pathlib
import re
import typing as t
import xml.etree.ElementTree

import pytest

from ansible_collections.vaultops.vault.tests.support import manual, pictures
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY
from ansible_collections.vaultops.vault.tests.support.documents import blocks

TROUBLESHOOTING = REPOSITORY / "docs" / "troubleshooting.md"
HEADINGS = re.findall(r"^### `(.+)`$", TROUBLESHOOTING.read_text(encoding="utf-8"), re.MULTILINE)
MADE = pictures.pictures()


@pytest.mark.parametrize("name", MADE)
def test_pictures_are_fresh(name: str) -> None:
    committed = (pictures.FOLDER / name).read_text(encoding="utf-8")
    assert committed == MADE[name], "run python -m tests.support.pictures"
    xml.etree.ElementTree.fromstring(committed)


def test_every_picture_is_shown() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in manual.pages())
    assert {name for name in MADE if f"pictures/{name})" not in text} == set()


def strings(folder: str) -> t.Iterator[str]:
    """Return the strings of the code in a folder, with … for what is put into them."""
    for path in sorted((REPOSITORY / folder).rglob("*.py")):
        if path.name == pathlib.Path(__file__).name:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "…"
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"\{\w*\}", "…", node.value)


@functools.cache
def said_by_the_code() -> str:
    """Return all strings of the code, a line each."""
    return "\n".join(strings("plugins"))


@functools.cache
def said_by_the_tests() -> str:
    """Return all strings of the tests and all that is recorded."""
    folders = ("tests/unit", "tests/integration", "tests/support")
    recorded = sorted((REPOSITORY / "tests" / "recorded").glob("*/*.json"))
    texts = [path.read_text(encoding="utf-8").replace('\\"', '"') for path in recorded]
    return "\n".join([*(text for folder in folders for text in strings(folder)), *texts])


@pytest.mark.xdist_group("troubleshooting")  # one worker reads all code
@pytest.mark.parametrize("heading", HEADINGS)
def test_messages_of_troubleshooting_are_said_and_provoked(heading: str) -> None:
    pieces = [re.escape(piece) for piece in heading.split("…")]
    said = re.compile("[^\n]*".join(pieces))
    assert said.search(said_by_the_code()) or said.search(said_by_the_tests())
    assert max(heading.split("…"), key=len).strip() in said_by_the_tests()


# What users meet with their first tasks: they search the page for these.
FIRST_CONTACT = (
    *("does not accept the token", "no token:", "wrapping_token", "MFA", "is alone"),
    *("answers without TLS", "scheme is missing", "address of the API", "holds one line"),
    *("namespace not found", "Jinja", "Unsupported parameters", "one of the following"),
    *("Failed to import", "have to be read first", "it is unknown what serves"),
    *("no host of the inventory", "is not a variable"),
)


@pytest.mark.parametrize("text", FIRST_CONTACT)
def test_troubleshooting_has_a_heading_for(text: str) -> None:
    assert text in " ".join(HEADINGS)


def test_what_only_sphinx_knows_is_added(tmp_path: pathlib.Path) -> None:
    manual.prepare(tmp_path / "source", changelog="# Changes\n")
    index = (tmp_path / "source" / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^[\w/-]+$", index, re.MULTILINE))
    names = {str(p.relative_to(manual.DOCS).with_suffix("")) for p in manual.pages()} - {"index"}
    assert names | {"policies", "changelog", "reference/index"} == listed
    assert ":::{container} beside" in index


@pytest.mark.parametrize(
    ("page", "link", "made"),
    [
        ("reload.md", "](policies/plugin.hcl)", "](policies.md#plugin)"),
        ("moving/uri.md", "](../policies)", "](../policies.md)"),
        ("upgrade.md", "](../README.md#in-awx)", f"]({manual.SOURCES}/README.md#in-awx)"),
        ("moving/uri.md", "](../reload.md#the-request)", "](../reload.md#the-request)"),
        ("reload.md", "](https://example.com/a#b)", "](https://example.com/a#b)"),
    ],
)
def test_links(page: str, link: str, made: str) -> None:
    assert manual.adapted(link, manual.DOCS / page) == made


def test_the_quick_start_has_the_playbook_of_the_readme() -> None:
    playbooks = [blocks(page, "file reload.yml") for page in ("README.md", "docs/quick-start.md")]
    assert playbooks[0] == playbooks[1]


def test_the_quick_start_has_the_ways_to_install_of_the_readme() -> None:
    tables = [
        re.findall(
            r"^\| .*requests.*$", (REPOSITORY / page).read_text(encoding="utf-8"), re.MULTILINE
        )
        for page in ("README.md", "docs/quick-start.md")
    ]
    assert len(tables[1]) == 4
    assert tables[0] == tables[1]
