# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual: docs/ as pages in HTML.  ``prepare`` makes what Sphinx reads, beside the checkout.

What GitHub shows well is what stands in docs/; what only Sphinx understands is added here.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import nox

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
THEME = Path(__file__).parent / "manual_theme"
# Names the folder that the tests of tests/browser look at.
VARIABLE = "VAULTOPS_MANUAL"
MANUAL = ROOT / ".nox" / "manual"
REQUIREMENTS = ("sphinx>=9.0,<9.1", "myst-parser>=5.1,<6", "furo>=2025.12,<2027")
SOURCES = "https://github.com/vaultops/vaultops.vault/blob/main"
# The order of the pages; one that is named nowhere is a guide.
CHAPTERS = {
    "Start": ["quick-start"],
    "Guides": ["reload", "cluster", "upgrade", "report", "awx"],
    "When it fails": ["a-mount-is-down", "troubleshooting"],
    "Moving here": [
        "moving/uri",
        "moving/cli",
        "moving/community-hashi-vault",
        "moving/hashicorp-vault",
    ],
    "Reference": ["reference/index", "connection", "policies", "vault-and-openbao"],
    "The project": ["tested", "performance", "developing", "changelog"],
}
GUIDES = "Guides"
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
# The theme has a table of contents beside each page.
OF_GITHUB = re.compile(r"^\.\. contents::\n(?: +:.*\n)+", re.MULTILINE)
REFERENCE_TITLE = ("Vaultops.Vault\n==============", "Module reference\n================")
RST_PATH = re.compile(r"(?:\.\./)+vaultops/vault/(?=\w+_module\.html)")
RST_LINK = re.compile(r"\.rst([>#\"])")


class Policy(NamedTuple):
    """A policy of docs/policies: its name, what it is for, and its rules."""

    name: str
    purpose: str
    rules: str


def build(
    session: nox.Session, target: Path = MANUAL / "html", docs: Path = DOCS, changelog: str = ""
) -> None:
    """Make the manual in HTML; a warning is an error."""
    source = target.parent / "source"
    prepare(source, docs, changelog)
    shutil.rmtree(target, ignore_errors=True)
    session.run(
        *("sphinx-build", "--fail-on-warning", "--keep-going", "--nitpicky", "--quiet"),
        *("--builder", "html", "--doctree-dir", str(target.parent / "doctrees")),
        *("--conf-dir", str(THEME), str(source), str(target)),
    )
    session.log(f"the manual: {target / 'index.html'}")


def prepare(source: Path, docs: Path = DOCS, changelog: str = "") -> None:
    """Write what Sphinx reads to ``source``: the pages of ``docs``, and what is made of them."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(docs, source, ignore=shutil.ignore_patterns("*.md"))
    for path in pages(docs):
        page = source / path.relative_to(docs)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(adapted(path.read_text(encoding="utf-8"), path, docs), encoding="utf-8")
    for page in (source / "reference").glob("*.rst"):
        # As simplified-rst links pages, GitHub finds the source, and a browser would, too.
        text = RST_LINK.sub(r".html\1", page.read_text(encoding="utf-8"))
        text = RST_PATH.sub("", OF_GITHUB.sub("", text))
        page.write_text(text, encoding="utf-8")
    reference = source / "reference" / "index.rst"
    text = reference.read_text(encoding="utf-8").replace(*REFERENCE_TITLE)
    reference.write_text(text + modules(source), encoding="utf-8")
    (source / "policies.md").write_text(policies_page(), encoding="utf-8")
    if changelog:
        (source / "changelog.md").write_text(changelog, encoding="utf-8")
    index = source / "index.md"
    index.write_text(
        index.read_text(encoding="utf-8") + tables_of_contents(source), encoding="utf-8"
    )


def pages(docs: Path = DOCS) -> list[Path]:
    """The pages of ``docs`` in Markdown; a README in it is one of files beside the pages."""
    return [path for path in sorted(docs.rglob("*.md")) if path.name != "README.md"]


def adapted(text: str, page: Path, docs: Path = DOCS) -> str:
    """The text of a page with what GitHub does not understand, and links to what is not here."""
    text = text.replace("<!-- beside -->", ":::{container} beside")
    text = text.replace("<!-- beside: end -->", ":::")
    return LINK.sub(lambda match: f"]({_target(match, page, docs)})", text)


def _target(match: re.Match[str], page: Path, docs: Path) -> str:
    target, anchor = match["target"], match["anchor"] or ""
    if ":" in target:
        return f"{target}{anchor}"
    file = (page.parent / target).resolve()
    up = "../" * (len(page.relative_to(docs).parts) - 1)
    if file.parent == docs / "policies":
        return f"{up}policies.md#{_anchor(file.stem)}"
    if file == docs / "policies":
        return f"{up}policies.md"
    if file.is_relative_to(docs) and file.is_file() and file.name != "README.md":
        return f"{target}{anchor}"
    return f"{SOURCES}/{file.relative_to(docs.parent)}{anchor}"


def policies() -> list[Policy]:
    """The policies of docs/policies."""
    found = []
    for path in sorted((DOCS / "policies").glob("*.hcl")):
        paragraphs = path.read_text(encoding="utf-8").split("\n\n")
        remarks = [part for part in paragraphs[1:] if part.startswith("#")]
        purpose = " ".join(line.strip("# ") for line in remarks[0].splitlines() if line[:1] == "#")
        # What the first remark says stands above the rules already.
        rules = paragraphs[2 if remarks[0] == paragraphs[1] else 1 :]
        found.append(Policy(path.stem, purpose, "\n\n".join(rules).strip()))
    return found


def policies_page() -> str:
    """The page of all policies."""
    head = (
        "# Policies\n\nThe rights that each task needs, and no more. The tests load exactly these "
        "files into a real server and run the tasks with them. Write one with "
        "`bao policy write NAME FILE` (`vault policy write` on HashiCorp Vault).\n"
    )
    parts = [
        f"## {policy.name}\n\n{policy.purpose}\n\n```text\n{policy.rules}\n```\n"
        for policy in policies()
    ]
    return "\n".join([head, *parts])


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))


def modules(source: Path) -> str:
    """The pages of the module reference, under the names that tasks use."""
    pages = sorted((source / "reference").glob("*_*.rst"))
    lines = [f"   {re.sub('_(module|role)$', '', page.stem)} <{page.stem}>" for page in pages]
    return "\n".join(["\n\n.. toctree::", "   :hidden:", "", *lines, ""])


def tables_of_contents(source: Path) -> str:
    """The pages that ``source`` has, in chapters."""
    names = [
        str(path.relative_to(source).with_suffix(""))
        for path in sorted(source.rglob("*"))
        if path.suffix in {".md", ".rst"}
    ]
    placed = {name for chapter in CHAPTERS.values() for name in chapter}
    others = [
        name
        for name in names
        if name not in placed and name != "index" and not name.startswith("reference/")
    ]
    text = ""
    for chapter, chosen in CHAPTERS.items():
        entries = [name for name in chosen if name in names]
        entries += others if chapter == GUIDES else []
        lines = "\n".join(entries)
        text += f"\n```{{toctree}}\n:hidden:\n:caption: {chapter}\n\n{lines}\n```\n"
    return text
