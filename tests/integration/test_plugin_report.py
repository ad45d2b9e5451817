# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook plugin_report: a server with drift, one with a dead mount, one out of reach."""

from __future__ import annotations

import csv
import html.parser
import json
import pathlib
import re
import typing as t

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import Ansible, Run
from ansible_collections.vaultops.vault.tests.support.browser import Browser, reason_to_skip
from ansible_collections.vaultops.vault.tests.support.external_plugin import build_plugin
from ansible_collections.vaultops.vault.tests.support.server import Server, running_server

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plugin_report")]

# A name that is text on a page, and no tag of it.
SOUTH = "<b>South & sons</b>"
NOWHERE = "http://127.0.0.1:1"
PHONE = (390, 844)
DESKTOP = (1280, 900)


class Report(t.NamedTuple):
    """A run of the playbook, and the folder that it wrote."""

    run: Run
    folder: pathlib.Path
    tokens: list[str]

    @property
    def page(self) -> pathlib.Path:
        """The page."""
        return self.folder / "plugin_report.html"

    def text(self, kind: str) -> str:
        """Return the text of one of the files."""
        return (self.folder / f"plugin_report.{kind}").read_text(encoding="utf-8")

    @property
    def data(self) -> dict[str, t.Any]:
        """The data."""
        found: dict[str, t.Any] = json.loads(self.text("json"))
        return found


def with_drift(server: Server) -> None:
    """Mount two plugins: one is in order, one is configured for another version than it runs."""
    for version in ("v1.0.0", "v1.1.0"):
        plugin = build_plugin(server.plugin_directory / f"weather-{version}", version=version)
        server.register("weather", plugin)
    server.mount("weather", "weather", version="v1.0.0")
    server.mount("weather-eu", "weather", version="v1.1.0")
    server.tune_version("weather", "v1.1.0")
    spare = build_plugin(server.plugin_directory / "spare", version="v2.0.0", kind="auth")
    server.register("spare", spare)


def with_a_dead_mount(server: Server) -> None:
    """Mount a plugin whose file does not start any more, and reload it."""
    plugin = build_plugin(server.plugin_directory / "tide", version="v0.9.0")
    server.register("tide", plugin)
    server.mount("tide", "tide", version="v0.9.0")
    plugin.fault("exit")
    server.request("POST", "sys/plugins/reload/backend", {"mounts": ["tide"]})


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Report]:
    """The report on the three servers."""
    directory = tmp_path_factory.mktemp("report")
    with running_server() as north, running_server() as south:
        with_drift(north)
        with_a_dead_mount(south)
        clusters = [
            {"name": "north", "url": north.url, "token": north.token},
            {"name": SOUTH, "url": south.url, "token": south.token},
            {"name": "west", "url": NOWHERE, "token": "canary-token", "retries": 0},
        ]
        ansible = Ansible(directory)
        (directory / "clusters.json").write_text(json.dumps({"plugin_report_clusters": clusters}))
        playbook = pathlib.Path("vaultops.vault.plugin_report")
        options = ["-e", "@clusters.json", "-e", "plugin_report_directory=out"]
        run = ansible.play_file(playbook, options=options)
        assert run.returncode == 0, run.output
        yield Report(run, directory / "out", [north.token, south.token, "canary-token"])


@pytest.mark.openbao_only("Vault starts the old plugin again, with the next request")
def test_the_data(report: Report) -> None:
    counts = report.data["counts"]
    assert counts == {
        "clusters": 3,
        "unreachable": 1,
        "plugins": 3,
        "mounts": 3,
        "dead": 1,
        "drift": 1,
        "unknown": 0,
        "ok": 1,
    }
    shown = [
        (row["state"], row["cluster"], row["mount"], row["running"], row["expected"])
        for row in report.data["rows"]
    ]
    assert shown == [
        ("dead", SOUTH, "tide/", "v0.9.0", "v0.9.0"),
        ("drift", "north", "weather/", "v1.0.0", "v1.1.0"),
        ("ok", "north", "weather-eu/", "v1.1.0", "v1.1.0"),
        ("not mounted", "north", None, None, None),
    ]
    (west,) = [cluster for cluster in report.data["clusters"] if cluster["error"]]
    assert west["name"] == "west"
    assert f"cannot connect to {NOWHERE}: connection refused" in west["error"]
    assert "3 mounts; 1 unreachable, 1 dead, 1 with drift, 0 not known" in report.run.output


@pytest.mark.openbao_only("Vault starts the old plugin again, with the next request")
def test_the_table(report: Report) -> None:
    rows = list(csv.DictReader(report.text("csv").splitlines()))
    assert [(row["state"], row["cluster"], row["mount"]) for row in rows] == [
        ("unreachable", "west", ""),
        ("dead", SOUTH, "tide/"),
        ("drift", "north", "weather/"),
        ("ok", "north", "weather-eu/"),
        ("not mounted", "north", ""),
    ]
    assert rows[2]["registered"] == "v1.0.0 v1.1.0"


class Tags(html.parser.HTMLParser):
    """The attributes of a page that lead to something else."""

    def __init__(self) -> None:
        super().__init__()
        self.leads_to: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.leads_to += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def test_the_page_needs_nothing_else(report: Report) -> None:
    page = report.text("html")
    tags = Tags()
    tags.feed(page)
    assert tags.leads_to == ["data:,"]
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|//\w", page.replace(NOWHERE, ""))
    assert "default-src 'none'" in page
    assert "&lt;b&gt;South &amp; sons&lt;/b&gt;" in page
    assert SOUTH not in page


def test_no_secret_is_in_it(report: Report) -> None:
    everything = report.run.output + "".join(map(report.text, ("html", "csv", "json")))
    assert not [token for token in report.tokens if token in everything]


@pytest.fixture(scope="module")
def browser(report: Report) -> t.Iterator[Browser]:
    """A browser that shows the page."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with Browser.started(report.folder.parent / "browser") as started:
        started.open(report.page)
        yield started


def mounts(browser: Browser) -> list[str]:
    """Return the mounts of the rows that are shown."""
    return list(
        browser.run(
            "return [...document.querySelectorAll('tbody tr')].filter(row => row.offsetParent)"
            ".map(row => row.querySelector('code').textContent)"
        )
    )


@pytest.mark.openbao_only("Vault starts the old plugin again, with the next request")
def test_the_page_in_a_browser(browser: Browser, report: Report) -> None:
    browser.resize(*DESKTOP)
    assert browser.log() == []
    assert mounts(browser) == ["tide/", "weather/", "weather-eu/", ""]

    # Filter: by a tile, by text, by cluster.
    browser.click(".tile[data-state=drift]")
    assert mounts(browser) == ["weather/"]
    assert browser.text("#shown") == "1 of 4 rows"
    browser.click(".tile[data-state=drift]")
    browser.type("#text", "V1.1.0 EU")
    assert mounts(browser) == ["weather-eu/"]
    browser.type("#text", "no such thing")
    assert mounts(browser) == []
    assert browser.text("#none") == "Nothing to show."
    browser.type("#text", "")
    browser.choose("#cluster", SOUTH)
    assert mounts(browser) == ["tide/"]
    browser.choose("#cluster", "")

    # Sort: by mount, up and down; names with numbers would be by number.
    browser.click("th:nth-child(3) button")
    assert mounts(browser)[-3:] == ["tide/", "weather-eu/", "weather/"]
    browser.click("th:nth-child(3) button")
    assert mounts(browser)[:3] == ["weather/", "weather-eu/", "tide/"]
    assert browser.attribute("th:nth-child(3)", "aria-sort") == "descending"

    # What is wrong is in colour, also for one who sees no colours: by words.
    colours = {state: browser.colour(f"tr[data-state={state}] td") for state in ("dead", "ok")}
    assert colours["dead"] != colours["ok"]
    assert browser.text("tr[data-state=dead] .chip") == "dead"
    assert browser.contrast("tr[data-state=dead] .why") >= 4.5
    assert browser.contrast("tr[data-state=drift] .why") >= 4.5
    assert browser.contrast(".soft") >= 4.5
    # Nothing was asked for but the page itself.
    assert browser.run("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.openbao_only("Vault starts the old plugin again, with the next request")
def test_the_page_on_a_phone_and_on_paper(browser: Browser) -> None:
    browser.resize(*PHONE)
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]
    assert set(mounts(browser)) == {"tide/", "weather/", "weather-eu/", ""}
    assert browser.attribute("tr[data-state=dead] td:nth-child(4)", "data-label") == "Plugin"
    pdf = browser.pdf()
    assert pdf.startswith(b"%PDF")
    browser.emulate("print")
    assert (
        browser.run("return getComputedStyle(document.querySelector('.tools')).display") == "none"
    )
    browser.emulate("")
    browser.resize(*DESKTOP)


WRONG: dict[str, tuple[dict[str, t.Any], str]] = {
    "an option that is none": (
        {"plugin_report_clusters": [{"url": NOWHERE}, {"name": "b", "addr": NOWHERE}]},
        'item 2 of plugin_report_clusters has "addr", which is none of name, url, ',
    ),
    "a secret in a misspelled option": (
        {"plugin_report_clusters": [{"url": NOWHERE, "tokenn": "canary-5f2c9e"}]},
        'item 1 of plugin_report_clusters has "tokenn", which is none of ',
    ),
    "addresses": (
        {"plugin_report_clusters": ["http://canary-5f2c9e"]},
        "item 1 of plugin_report_clusters is not a mapping",
    ),
    "no list": (
        {"plugin_report_clusters": {"url": NOWHERE, "token": "canary-5f2c9e"}},
        "plugin_report_clusters is not a list of clusters",
    ),
    "a variable that is none": (
        {"plugin_report_cluster": [{"url": NOWHERE}]},
        "plugin_report_cluster is not a variable of the report",
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_misspelled_option_is_refused(
    tmp_path: pathlib.Path, wrong: tuple[dict[str, t.Any], str]
) -> None:
    """Else the cluster of the environment is reported under another name."""
    variables, told = wrong
    (tmp_path / "clusters.json").write_text(json.dumps(variables))
    options = ["-vvv", "-e", "@clusters.json", "-e", "plugin_report_directory=out"]
    run = Ansible(tmp_path).play_file(pathlib.Path("vaultops.vault.plugin_report"), options=options)
    assert run.returncode != 0
    (task,) = run.tasks
    assert task.message.startswith(told)
    assert "canary" not in run.output
    assert not (tmp_path / "out").exists()
