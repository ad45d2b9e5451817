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

from ansible_collections.vaultops.vault.plugins.filter.plugin_report import report as report_of
from ansible_collections.vaultops.vault.tests.support import logins
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible, Run
from ansible_collections.vaultops.vault.tests.support.browser import Browser, reason_to_skip
from ansible_collections.vaultops.vault.tests.support.external_plugin import build_plugin
from ansible_collections.vaultops.vault.tests.support.server import Server, running_server

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plugin_report")]

# A name that is text on a page, and no tag of it.
SOUTH = "<b>South & sons</b>"
NOWHERE = "http://127.0.0.1:1"
PHONES = [(width, 844) for width in (360, 390, 500)]
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


def mount_versions(server: Server, old: str, new: str) -> None:
    """Mount v1.0.0 of a plugin at the path ``old``, and v1.1.0 at ``new``."""
    for path, version in ((old, "v1.0.0"), (new, "v1.1.0")):
        plugin = build_plugin(server.plugin_directory / f"weather-{version}", version=version)
        server.register("weather", plugin)
        server.mount(path, "weather", version=version)


def with_drift(server: Server) -> None:
    """Mount two plugins: one is in order, one is configured for another version than it runs."""
    mount_versions(server, "weather", "weather-eu")
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
def window(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Browser]:
    """A browser that shows nothing yet."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with Browser.started(tmp_path_factory.mktemp("window") / "browser") as started:
        yield started


@pytest.fixture
def browser(window: Browser, report: Report) -> Browser:
    """A browser that shows the page."""
    window.open(report.page)
    return window


def width(browser: Browser) -> int:
    """Return the width of the page, which is that of the window where nothing scrolls sideways."""
    return int(browser.run("return document.documentElement.scrollWidth"))


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
    for phone in PHONES:
        browser.resize(*phone)
        assert width(browser) <= phone[0]
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


# All of them without a place to break a line.
LONG = "long-" * 15 + "name!"
# The options that a browser would change the names of.
ODD = ["two  blanks", 'a "quoted" one', "South & sons <b>"]


def long_cluster(name: str) -> dict[str, t.Any]:
    """Return the variables of a cluster of which everything has a long name."""
    runs = {"version": f"v1.0.0-{LONG}", "sha256": "1" * 64}
    mount = {
        "path": f"{LONG}/",
        "configured": runs,
        "expected": runs,
        "running": runs,
        "current": True,
        "alive": None,
        "error": f"no answer of {LONG}",
    }
    plugin = {"type": "secret", "name": LONG, "versions": [runs], "mounts": [mount]}
    node = {"name": LONG, "role": "standby", "error": f"no answer of {LONG}", "mounts": []}
    asked = {"item": LONG, "nodes": [node], "mounts": [mount]}
    return {
        "plugin_report_cluster": {"name": name},
        "plugin_report_info": {
            "plugins": [{**plugin, "pin": runs["version"]}],
            "warnings": [f"permission denied: 403 from GET https://{LONG}/v1/sys/auth: null"],
        },
        "plugin_report_each": {"results": [asked]},
    }


def page_of(directory: pathlib.Path, hosts: list[dict[str, t.Any]]) -> pathlib.Path:
    """Write the page of these clusters, without a server."""
    template = REPOSITORY / "playbooks" / "templates" / "plugin_report.html.j2"
    page = directory / "page.html"
    report = {**report_of(hosts), "made": "today"}
    run = Ansible(directory).playbook(
        {"ansible.builtin.template": {"src": str(template), "dest": str(page)}},
        options=["-e", json.dumps({"__plugin_report": report})],
    )
    assert run.returncode == 0, run.output
    return page


def test_long_and_odd_names_on_the_page(window: Browser, tmp_path: pathlib.Path) -> None:
    unknown = {"plugins": [], "warnings": ["permission denied: 403 from GET /v1/sys/mounts"]}
    failed = {"msg": f"cannot connect to {LONG}"}
    hosts = [long_cluster(name) for name in (LONG, *ODD)]
    hosts.append({"plugin_report_cluster": {"name": f"{LONG}2"}, "plugin_report_info": failed})
    hosts.append({"plugin_report_cluster": {"name": "hidden"}, "plugin_report_info": unknown})
    window.open(page_of(tmp_path, hosts))
    for phone in PHONES:
        window.resize(*phone)
        assert width(window) <= phone[0]
        # Nothing is wider than the row that it is in, either.
        assert not window.run(
            "return [...document.querySelectorAll('main :not(thead, thead *)')]"
            ".filter(it => it.offsetParent && it.getBoundingClientRect().right > innerWidth)"
            ".map(it => it.outerHTML)"
        )
    # What is not known of a cluster has no mount; the reason is there all the same.
    hidden = "tr[data-cluster=hidden] "
    assert window.text(f"{hidden}.chip") == "not known"
    assert window.text(f"{hidden}.why") == unknown["warnings"][0]
    assert window.text(".tile[data-state=unknown] strong") == "5"
    window.resize(900, 844)
    assert width(window) <= 900
    window.resize(*DESKTOP)
    assert width(window) <= DESKTOP[0]
    for name in ODD:
        # As a click does: by the place in the list.
        window.run(
            "const list = document.querySelector('#cluster');"
            "list.selectedIndex = arguments[0]; list.dispatchEvent(new Event('change'))",
            2 + ODD.index(name),
        )
        assert mounts(window) == [f"{LONG}/"]
        shown = "return document.querySelector('tbody tr:not([hidden])').dataset.cluster"
        assert window.run(shown) == name


class Limited(t.NamedTuple):
    """A report on one server, by tokens that may not read all of it, as a job of AWX runs it."""

    report: Report
    url: str


READ = 'path "{}" {{ capabilities = ["read"] }}'
# What the token of a cluster may read, and then the states of plugin weather, tide and the cluster.
MAY_READ: dict[str, tuple[list[str], list[tuple[str, str, str]]]] = {
    "catalog only": (
        ["sys/plugins/catalog"],
        [("tide", "", "not known"), ("weather", "", "not known")],
    ),
    "no mounts of auth": (
        ["sys/plugins/catalog", "sys/mounts"],
        [("tide", "", "not known"), ("weather", "weather/", "not known")],
    ),
    "no catalog": (["sys/mounts", "sys/auth"], [("weather", "weather/", "not known")]),
    "mounts of auth only": (["sys/auth"], [("", "", "not known")]),
    "nothing": (["no/such"], [("", "", "unreachable")]),
}
WELL = [("weather", "weather/", "ok"), ("tide", "", "not mounted")]
ASKED = ["sys/plugins/catalog", "sys/mounts", "sys/auth", "sys/plugins/pins"]
LEFT_OUT = "pa55w0rd"
QUERY = "canary=5f2c9e"


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Limited]:
    """The report of a job whose login is an AppRole, and of clusters with their own tokens."""
    directory = tmp_path_factory.mktemp("limited")
    with running_server() as server:
        weather = build_plugin(server.plugin_directory / "weather", version="v1.0.0")
        server.register("weather", weather)
        server.mount("weather", "weather", version="v1.0.0")
        server.register("tide", build_plugin(server.plugin_directory / "tide", kind="auth"))
        job = logins.approle(server)
        policy = "\n".join(map(READ.format, ASKED))
        server.call("PUT", "sys/policies/acl/logins", {"policy": policy})
        (directory / "token").write_text(server.token)
        clusters: list[dict[str, t.Any]] = [
            {"name": name, "token": server.new_token("\n".join(map(READ.format, paths)))}
            for name, (paths, _states) in MAY_READ.items()
        ]
        clusters += [
            {"name": "by its token", "token": server.token},
            {"name": "by its file", "token_path": str(directory / "token"), "auth_method": ""},
            {"name": "by the job"},
            {"name": "by its role", **{key: job[key] for key in ("role_id", "secret_id")}},
            {"name": "by its method", "auth_method": "token", "token": server.token},
            {"namespace": "", "token": server.token},
            {"token": server.token},
            {"namespace": "team-a", "token": server.token},
            {"namespace": "team-b/", "token": server.token},
        ]
        for cluster in clusters:
            cluster["url"] = server.url
        clusters += [
            {"url": f"http://user:{LEFT_OUT}@127.0.0.1:1"},
            {"url": f"http://us#er:{LEFT_OUT}@127.0.0.1:1"},
            {"name": f"http://user:{LEFT_OUT}@127.0.0.1:1", "url": NOWHERE},
            {"url": f"http://127.0.0.1:1?{QUERY}"},
        ]
        (directory / "clusters.json").write_text(json.dumps({"plugin_report_clusters": clusters}))
        run = Ansible(directory).play_file(
            REPOSITORY / "docs" / "awx" / "project" / "report.yml",
            options=[
                *("-vvv", "-e", "@clusters.json", "-e", "plugin_report_directory=out"),
                *("-e", f"vaultops_auth_method={job['auth_method']}"),
            ],
            BAO_APPROLE_ROLE_ID=job["role_id"],
            BAO_APPROLE_SECRET_ID=job["secret_id"],
        )
        assert run.returncode == 0, run.output
        secrets = [LEFT_OUT, server.token, job["secret_id"]]
        yield Limited(Report(run, directory / "out", secrets), server.url)


def states_of(limited: Limited, cluster: str) -> list[tuple[str, str, str]]:
    """Return plugin, mount and state of each row of a cluster in the table."""
    rows = csv.DictReader(limited.report.text("csv").splitlines())
    return [
        (row["plugin"], row["mount"], row["state"]) for row in rows if row["cluster"] == cluster
    ]


@pytest.mark.parametrize("cluster", MAY_READ)
def test_what_may_not_be_read_is_not_known(limited: Limited, cluster: str) -> None:
    """It is a row in each file, and counts."""
    expected = MAY_READ[cluster][1]
    assert states_of(limited, cluster) == expected
    rows = [row for row in limited.report.data["rows"] if row["cluster"] == cluster]
    found = [(row["plugin"] or "", row["mount"] or "", row["state"]) for row in rows]
    assert found == [(*names, "unknown") for *names, state in expected if state == "not known"]
    assert all(row["reason"] for row in rows)
    chips = limited.report.text("html").count(f'data-state="unknown" data-cluster="{cluster}"')
    assert chips == len(rows)


def test_what_is_not_known_counts(limited: Limited) -> None:
    data = limited.report.data
    unknown = [row for row in data["rows"] if row["state"] == "unknown"]
    assert len(unknown) == 6
    assert data["counts"]["unknown"] == 6
    assert ", 6 not known" in limited.report.run.output
    assert "<strong>6</strong><span>not known</span>" in limited.report.text("html")


@pytest.mark.parametrize(
    "cluster",
    ["by its token", "by its file", "by the job", "by its role", "by its method"],
)
def test_a_cluster_with_a_login_of_its_own(limited: Limited, cluster: str) -> None:
    """The method of the job is for those without one."""
    assert states_of(limited, cluster) == WELL


def test_entries_of_one_address(limited: Limited) -> None:
    """A namespace tells them apart, else a number: in each file, and in the filter."""
    url = limited.url
    numbered = [f"{url} #{number}" for number in (11, 12)]
    inside = {f"{url} (namespace {name})": name for name in ("team-a", "team-b")}
    for name in numbered:
        assert states_of(limited, name) == WELL
        assert f'<option value="{name}">' in limited.report.text("html")
    table = list(csv.DictReader(limited.report.text("csv").splitlines()))
    clusters = {each["name"]: each for each in limited.report.data["clusters"]}
    for name, namespace in inside.items():
        assert [row["namespace"] for row in table if row["cluster"] == name] == [namespace]
        assert clusters[name]["namespace"] == namespace
        # There is no such namespace: the server says so.
        assert f"<b>{name}</b> cannot be reported" in limited.report.text("html")
    assert len(clusters) == limited.report.data["counts"]["clusters"] == 18


def test_no_secret_of_an_address_is_shown(limited: Limited) -> None:
    """Not as the name of a host either, at the highest verbosity that users take."""
    files = "".join(map(limited.report.text, ("html", "csv", "json")))
    everything = limited.report.run.output + files
    assert not [secret for secret in limited.report.tokens if secret in everything]
    assert QUERY not in everything
    hosts = re.findall(r"^(report_\d+_\w*) +: ok=", limited.report.run.output, re.MULTILINE)
    # Those with a user name have no part of the address.
    assert {f"report_{number}_default" for number in (15, 16, 17)} <= set(hosts)
    assert "report_18_127_0_0_1" in hosts
    assert "report_1_catalog_only" in hosts


@pytest.mark.openbao_only("Community has no namespaces")
def test_a_login_in_root_reports_on_a_namespace(server: Server, tmp_path: pathlib.Path) -> None:
    server.call("POST", "sys/namespaces/team")
    server.mount("there", "kv", namespace="team")
    policy = 'path "team/sys/*" { capabilities = ["read"] }'
    server.call("PUT", "sys/policies/acl/logins", {"policy": policy})
    role = logins.approle(server)
    cluster = {"url": server.url, "namespace": "team", "auth_namespace": "", **role}
    variables = {"plugin_report_clusters": [cluster], "plugin_report_builtin": True}
    (tmp_path / "clusters.json").write_text(json.dumps(variables))
    options = ["-e", "@clusters.json", "-e", "plugin_report_directory=out"]
    run = Ansible(tmp_path).play_file(pathlib.Path("vaultops.vault.plugin_report"), options=options)
    assert run.returncode == 0, run.output
    data = json.loads((tmp_path / "out" / "plugin_report.json").read_text())
    rows = [row for row in data["rows"] if row["mount"] == "there/"]
    assert [(row["namespace"], row["state"]) for row in rows] == [("team", "ok")]


@pytest.mark.each_core
def test_a_version_that_is_gone_is_drift_of_its_mounts_alone(
    server: Server, tmp_path: pathlib.Path
) -> None:
    """The nodes are asked about the plugin's other mounts, which could be reloaded."""
    mount_versions(server, "gone", "well")
    server.call("DELETE", "sys/plugins/catalog/secret/weather?version=v1.0.0")
    playbook = pathlib.Path("vaultops.vault.plugin_report")
    check = Ansible(tmp_path, server).play_file(playbook, options=["--check"])
    assert "plugin_report.html (not written: check mode): 1 clusters, 2 mounts; " in check.output
    assert not (tmp_path / "plugin_report").exists()
    run = Ansible(tmp_path, server).play_file(playbook)
    assert run.returncode == 0, run.output
    assert "plugin_report.html: 1 clusters, 2 mounts; " in run.output
    data = json.loads((tmp_path / "plugin_report" / "plugin_report.json").read_text())
    rows = {row["mount"]: (row["state"], row["reason"], len(row["nodes"])) for row in data["rows"]}
    assert rows == {
        "gone/": ("drift", "nothing to load is registered, runs v1.0.0", 0),
        "well/": ("ok", None, 1),
    }


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
    "variables of the playbook itself": (
        {"plugin_report_faults": [], "plugin_report_options": ["addr"]},
        "plugin_report_faults is not a variable of the report; plugin_report_options is not a var",
    ),
    "a boolean that is none": (
        {"plugin_report_nodes": "maybe"},
        "plugin_report_nodes is not true or false",
    ),
    "another one": (
        {"plugin_report_builtin": ["canary-5f2c9e"]},
        "plugin_report_builtin is not true or false",
    ),
    "a list of plugins": (
        {"plugin_report_plugin": ["weather"]},
        "plugin_report_plugin is not the name of one plugin",
    ),
}


@pytest.mark.each_core
@pytest.mark.parametrize("empty", ["", " ", None, "false"], ids=repr)
def test_blanks_are_not_given(server: Server, tmp_path: pathlib.Path, empty: str | None) -> None:
    plugin = build_plugin(server.plugin_directory / "weather", version="v1.0.0")
    server.register("weather", plugin)
    server.mount("weather", "weather", version="v1.0.0")
    blank = empty if empty != "false" else "\n"
    names = ("clusters", "directory", "plugin", "builtin")
    variables: dict[str, t.Any] = {f"plugin_report_{name}": blank for name in names}
    variables["plugin_report_nodes"] = empty
    # As a workflow hands it on from an earlier job.
    variables["plugin_report"] = {"rows": [], "clusters": [], "counts": {}, "made": "before"}
    playbook = pathlib.Path("vaultops.vault.plugin_report")
    options = ["-e", json.dumps(variables)]
    run = Ansible(tmp_path, server).play_file(playbook, options=options)
    assert run.returncode == 0, run.output
    (asked,) = [
        task for task in run.tasks if task.name == "Ask each node of the cluster what it runs"
    ]
    assert (asked.status == "skipped") is (empty == "false")
    data = json.loads((tmp_path / "plugin_report" / "plugin_report.json").read_text())
    assert [row["mount"] for row in data["rows"]] == ["weather/"]


@pytest.mark.each_core
@pytest.mark.parametrize("name", ["clusters", "directory", "plugin"])
def test_a_variable_of_a_variable_that_is_not_there(tmp_path: pathlib.Path, name: str) -> None:
    """It is not empty: the report would be one on another cluster."""
    options = ["-e", json.dumps({f"plugin_report_{name}": "{{ no_such_variable }}"})]
    environment = {"BAO_ADDR": NOWHERE, "BAO_TOKEN": "t"}
    run = Ansible(tmp_path).play_file(
        pathlib.Path("vaultops.vault.plugin_report"), options=options, **environment
    )
    assert run.returncode != 0
    assert "'no_such_variable' is undefined" in run.output
    assert not (tmp_path / "plugin_report").exists()


@pytest.mark.each_core
def test_two_reports_in_one_run(server: Server, tmp_path: pathlib.Path) -> None:
    """Each has its own clusters, whatever the inventory calls a group."""
    plays = [
        {
            "import_playbook": "vaultops.vault.plugin_report",
            "vars": {
                "plugin_report_directory": name,
                "plugin_report_clusters": [{"name": name, "url": url} for url in urls],
            },
        }
        for name, urls in {"first": [server.url, NOWHERE], "second": [server.url]}.items()
    ]
    (tmp_path / "two.json").write_text(json.dumps(plays))
    (tmp_path / "hosts").write_text("[plugin_report_hosts]\nother ansible_connection=local\n")
    run = Ansible(tmp_path, server).play_file(tmp_path / "two.json", options=["-i", "hosts"])
    assert run.returncode == 0, run.output
    clusters = {
        name: [
            cluster["name"]
            for cluster in json.loads((tmp_path / name / "plugin_report.json").read_text())[
                "clusters"
            ]
        ]
        for name in ("first", "second")
    }
    assert clusters == {"first": ["first #1", "first #2"], "second": ["second"]}


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
