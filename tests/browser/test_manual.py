# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual in a real browser: each page renders, each link holds, the search finds."""

from __future__ import annotations

import html.parser
import os
import pathlib
import time
import typing as t
import urllib.parse

import pytest

from ansible_collections.vaultops.vault.tests.support import manual
from ansible_collections.vaultops.vault.tests.support.browser import Browser, reason_to_skip

MANUAL = pathlib.Path(os.environ.get(manual.VARIABLE, "")).resolve()
PAGES = sorted(str(path.relative_to(MANUAL)) for path in MANUAL.rglob("*.html"))
# Made by Sphinx for its search and its index: no text of ours.
TEXTS = [page for page in PAGES if page not in {"genindex.html", "search.html"}]
SIZES = {"desktop": (1280, 900), "phone": (360, 740)}
ENOUGH, ENOUGH_IF_LARGE = 4.5, 3.0
SECONDS = 20.0

# Each text with too little contrast to what is behind it, as WCAG 2 computes it.
PALE = """
const [enough, large] = arguments, found = [];
const parts = c => (c.match(/[\\d.]+/g) || []).map(Number);
const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const behind = e => {
  for (; e; e = e.parentElement) {
    const c = parts(getComputedStyle(e).backgroundColor);
    if (c.length == 3 || c[3] > 0.5) return c;
  }
  return [255, 255, 255];
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = walker.nextNode());) {
  const e = node.parentElement, style = getComputedStyle(e);
  if (!node.data.trim() || !e.getClientRects().length || style.visibility == 'hidden') continue;
  if (e.closest('script, style, noscript, .headerlink, .visually-hidden')) continue;
  const size = parseFloat(style.fontSize), bold = style.fontWeight >= 700;
  const shades = [light(parts(style.color)), light(behind(e))].sort((a, b) => b - a);
  const contrast = (shades[0] + 0.05) / (shades[1] + 0.05);
  if (contrast < (size >= 24 || (bold && size >= 18.66) ? large : enough))
    found.push(`${contrast.toFixed(1)} ${style.color} ${node.data.trim().slice(0, 40)}`);
}
return [...new Set(found)].slice(0, 10);
"""
# What reaches beyond the window, where nothing around it scrolls: it would be cut off.
TOO_WIDE = """
const scrolling = e => /auto|scroll/.test(getComputedStyle(e).overflowX);
const scrolls = e => e.tagName != 'ARTICLE' && (scrolling(e) || scrolls(e.parentElement));
return [...document.querySelectorAll('article *')]
  .filter(e => e.getBoundingClientRect().right > arguments[0] + 1 && !scrolls(e.parentElement))
  .filter(e => !e.closest('.headerlink') && !scrolling(e))
  .map(e => `${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 40)}`).slice(0, 10);
"""
TOP = """
const e = document.querySelector(arguments[0]);
return e ? e.getBoundingClientRect().top : -1;
"""
BROKEN_PICTURES = """
return [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src);
"""


class Links(html.parser.HTMLParser):
    """What a page links to, and the anchors that it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed((MANUAL / page).read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and the anchors of a tag."""
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.links.append(value)
            if name == "id" and value:
                self.anchors.add(value)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Browser]:
    """A browser, for all tests."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with Browser.started(tmp_path_factory.mktemp("browser") / "files") as started:
        yield started


@pytest.fixture(scope="session")
def screenshots() -> pathlib.Path:
    """The folder of the screenshots, for a human to look at."""
    folder = MANUAL.parent / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def parsed() -> dict[str, Links]:
    """The links and anchors of each page."""
    return {page: Links(page) for page in PAGES}


def test_there_are_pages() -> None:
    assert {"index.html", "troubleshooting.html", "policies.html", "reference/index.html"} <= set(
        PAGES
    )


@pytest.mark.parametrize("page", PAGES)
def test_each_link_and_anchor_is_there(page: str, parsed: dict[str, Links]) -> None:
    broken = []
    for link in parsed[page].links:
        parts = urllib.parse.urlsplit(link)
        if parts.scheme or parts.netloc:
            assert parts.scheme in {"https", "http", "data"}
            continue
        path = urllib.parse.unquote(parts.path)
        target = (MANUAL / page).parent / path if path else MANUAL / page
        name = os.path.relpath(target, MANUAL)
        anchor = urllib.parse.unquote(parts.fragment)
        known = parsed[name].anchors if name in parsed else set()
        if not target.is_file() or (anchor and name in parsed and anchor not in known):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_loads_anything_from_elsewhere(page: str) -> None:
    text = (MANUAL / page).read_text(encoding="utf-8")
    loading = ("<script src=", '<link rel="stylesheet"', "<img ", "@import", "<iframe")
    assert [
        line for line in text.splitlines() if any(tag in line for tag in loading) and "//" in line
    ] == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", TEXTS)
def test_each_page_is_readable(
    browser: Browser, screenshots: pathlib.Path, page: str, size: str
) -> None:
    browser.resize(*SIZES[size])
    browser.emulate_dark(False)
    browser.open(MANUAL / page)
    name = f"{page.removesuffix('.html').replace('/', '-')}-{size}.png"
    (screenshots / name).write_bytes(browser.screenshot())
    assert browser.text("h1")
    assert browser.run(BROKEN_PICTURES) == []
    assert browser.run(TOO_WIDE, SIZES[size][0]) == []
    assert browser.run(PALE, ENOUGH, ENOUGH_IF_LARGE) == []
    browser.emulate_dark(True)
    assert browser.run(PALE, ENOUGH, ENOUGH_IF_LARGE) == []
    assert browser.log() == []


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("no handler for route", "troubleshooting.html"),
        ("outcome of the reload is unknown", "troubleshooting.html"),
        ("reload_timeout", "reference/plugin_reload_module.html"),
        ("canary", "upgrade.html"),
    ],
)
def test_the_search_finds_an_error_text(browser: Browser, words: str, page: str) -> None:
    browser.resize(*SIZES["desktop"])
    browser.open(MANUAL / "index.html")
    browser.run(f"location.href = 'search.html?q=' + encodeURIComponent({words!r})")
    found: list[str] = []
    deadline = time.monotonic() + SECONDS
    while page not in found and time.monotonic() < deadline:
        time.sleep(0.2)
        script = "return [...document.querySelectorAll('#search-results li a')].map(a => a.href)"
        found = [link.partition("#")[0].partition("?")[0] for link in browser.run(script)]
        found = [os.path.relpath(urllib.parse.urlsplit(link).path, MANUAL) for link in found]
    assert page in found


def test_these_checks_find_what_they_are_for(browser: Browser) -> None:
    browser.resize(*SIZES["phone"])
    browser.emulate_dark(False)
    browser.open(MANUAL / "index.html")
    browser.run(
        "document.querySelector('article h1').insertAdjacentHTML('afterend',"
        '\'<p style="color: #999">pale</p><p style="width: 900px">wide</p><img src="gone.png">\')'
    )
    assert [text.rpartition(" ")[2] for text in browser.run(PALE, ENOUGH, ENOUGH_IF_LARGE)] == [
        "pale"
    ]
    assert "P  wide" in browser.run(TOO_WIDE, SIZES["phone"][0])
    deadline = time.monotonic() + SECONDS
    while not (broken := browser.run(BROKEN_PICTURES)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [link.rpartition("/")[2] for link in broken] == ["gone.png"]
    assert browser.log()  # and leaves nothing for the next test


def test_a_link_leads_to_its_heading(browser: Browser) -> None:
    browser.resize(*SIZES["desktop"])
    browser.open(MANUAL / "troubleshooting.html")
    browser.run("document.querySelector('article a[href*=\"#what-is-down\"]').click()")
    deadline = time.monotonic() + SECONDS
    top = -1.0
    while not 0 <= top < 200 and time.monotonic() < deadline:
        time.sleep(0.2)
        top = float(browser.run(TOP, "#what-is-down"))
    assert 0 <= top < 200
