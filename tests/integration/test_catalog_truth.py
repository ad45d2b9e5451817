# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Catalog entries that cannot be read, mounted or told apart; and who needs an entry, in truth."""

from __future__ import annotations

import pathlib
import typing as t
from urllib.parse import quote

import pytest

from ansible_collections.vaultops.vault.tests.support.ansible_runs import (
    Ansible,
    Cases,
    TaskResult,
)
from ansible_collections.vaultops.vault.tests.support.cluster import Cluster
from ansible_collections.vaultops.vault.tests.support.editing_proxy import (
    EditingProxy,
    editing_proxy,
    page,
    rows,
)
from ansible_collections.vaultops.vault.tests.support.external_plugin import (
    BuiltPlugin,
    build_plugin,
)
from ansible_collections.vaultops.vault.tests.support.faults import FAULTS, fault_proxy
from ansible_collections.vaultops.vault.tests.support.fixtures import ExternalPlugin
from ansible_collections.vaultops.vault.tests.support.recordings import run_task
from ansible_collections.vaultops.vault.tests.support.server import Server

Options = dict[str, t.Any]


def task(module: str = "plugin", **options: t.Any) -> dict[str, t.Any]:
    """Return a task about the secrets plugin ``ext`` if nothing else."""
    named = {"name": "ext", "type": "secret"} if module in ("plugin", "plugin_pin") else {}
    return {f"vaultops.vault.{module}": {**named, **options}}


def absent(**options: t.Any) -> dict[str, t.Any]:
    """Return a task that removes version v1.0.0 of ``ext`` if nothing else."""
    return task(**{"version": "v1.0.0", "state": "absent", **options})


def build(server: Server, name: str, version: str = "") -> BuiltPlugin:
    """Return a plugin in the server's directory that is not registered."""
    return build_plugin(server.plugin_directory / name, version=version)


def listed(server: Server, name: str = "ext") -> list[tuple[str, str]]:
    """Return version and sha256 of the entries of a plugin, as the server lists them."""
    entries = server.call("GET", "sys/plugins/catalog")["detailed"]
    return [(row["version"], row["sha256"]) for row in entries if row["name"] == name]


def outcomes(cases: Cases) -> dict[str, tuple[bool, bool]]:
    """Return of each case whether it failed, and whether it says that something changed."""
    return {name: (each.failed, each["changed"]) for name, each in cases.results.items()}


def warnings(result: TaskResult) -> str:
    """Return what the user is warned of."""
    return "\n".join(result.result.get("warnings", []))


OK, CHANGED, FAILED, FAILED_CHANGED = (False, False), (False, True), (True, False), (True, True)


# The registered file is gone: OpenBao 2.7.2 cannot read such an entry, and changes and removes it.


def test_an_entry_whose_file_is_gone(server: Server, ansible: Ansible) -> None:
    other = build(server, "other", "v1.0.0")
    gone = {
        name: build(server, name, "v1.0.0") for name in ("changed", "removed", "forced", "same")
    }
    gone |= {name: build(server, name) for name in ("plain", "plain-landed")}
    for name, plugin in gone.items():
        server.register(name, plugin)
        plugin.path.unlink()
    path = "sys/plugins/catalog/secret/same?version=v1.0.0"
    unreadable = not server.request("GET", path).ok
    there: Options = {"src": str(other.path), "command": "other"}
    cases = ansible.cases(
        {
            "would change": {**task(name="changed", version="v1.0.0", **there), "check_mode": True},
            "change": task(name="changed", version="v1.0.0", **there),
            "again": task(name="changed", version="v1.0.0", **there),
            "land": task(name="plain-landed", **there),
            "remove": absent(name="removed"),
            "remove again": absent(name="removed"),
            "remove by force": absent(name="forced", force=True),
            "remove the one without a version": absent(name="plain", version=""),
            "the file that is gone": task(
                name="same", version="v1.0.0", sha256=gone["same"].sha256
            ),
        }
    )
    # A server that reads such an entry sees that nothing is to be written.
    same = FAILED if unreadable else OK
    assert outcomes(cases) == {
        "would change": CHANGED,
        "change": CHANGED,
        "again": OK,
        "land": CHANGED,
        "remove": CHANGED,
        "remove again": OK,
        "remove by force": CHANGED,
        "remove the one without a version": CHANGED,
        "the file that is gone": same,
    }
    assert listed(server, "changed") == [("v1.0.0", other.sha256)]
    assert listed(server, "removed") == listed(server, "forced") == listed(server, "plain") == []
    results = cases.results
    assert results["change"]["before"]["sha256"] == gone["changed"].sha256
    assert results["change"]["plugin"]["command"] == "other"
    if unreadable:
        assert results["change"]["before"]["command"] is None
        assert "no such file or directory" in warnings(results["remove"])
        assert "was retried" not in cases.run.output
        assert "put the file into the plugin_directory" in results["the file that is gone"].message


@pytest.mark.slow
@pytest.mark.openbao_only("a standby of Vault forwards each read")
def test_a_standby_without_the_file(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    """The standby that answers looks for the file in its own plugin directory."""
    everywhere = cluster.plugin("v1.0.0")
    for name in ("removed", "changed"):
        cluster.active.register(name, build(cluster.active, name, "v1.0.0"))
    change = task(name="changed", version="v1.0.0", src=str(everywhere.path))
    cases = Ansible(tmp_path, cluster.standbys[0]).cases(
        {"remove": absent(name="removed"), "change": change, "again": change}
    )
    assert outcomes(cases) == {"remove": CHANGED, "change": CHANGED, "again": OK}
    assert "no such file or directory" in warnings(cases.results["remove"])


# Removing what was not meant, and removing by force.


def test_another_file_than_the_entry_has_is_not_removed(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    built = external_plugin("v1.0.0")
    other = build(server, "other", "v1.0.0")
    wrong = {
        "sha256": absent(sha256=other.sha256),
        "src": absent(src=str(other.path)),
        "by force": absent(sha256=other.sha256, force=True),
        "in check mode": {**absent(sha256=other.sha256), "check_mode": True},
    }
    cases = ansible.cases(wrong)
    assert outcomes(cases) == dict.fromkeys(wrong, FAILED)
    for result in cases.results.values():
        assert f"has another sha256 ({built.sha256})" in result.message
        assert "nothing was removed" in result.message
    assert listed(server) == [("v1.0.0", built.sha256)]
    right = ansible.cases({"right": absent(sha256=built.sha256.upper())})
    assert outcomes(right) == {"right": CHANGED}


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_force_while_a_namespace_is_locked(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    external_plugin("v1.0.0")
    server.call("POST", "sys/namespaces/team")
    server.call("POST", "sys/namespaces/inner", namespace="team")
    server.mount("mine", "ext", version="v1.0.0", namespace="team/inner")
    server.call("POST", "sys/namespaces/api-lock/lock/inner", namespace="team")
    cases = ansible.cases({"plain": absent()})
    assert outcomes(cases) == {"plain": FAILED}
    told = cases.results["plain"].message
    assert (
        'it is unknown who needs secret plugin "ext" v1.0.0: in namespace "team/inner/", '
        "API access to this namespace" in told
    )
    assert "set force=true to remove it all the same" in told
    assert "; unlock the namespace (sys/namespaces/api-lock/unlock), or ask who" in told
    assert cases.results["plain"]["users"] == []
    # What is known to need it is not all.
    server.mount("here", "ext", version="v1.0.0")
    known = ansible.cases({"known": absent()}).results["known"]
    assert known["users"] == ["here/"]
    assert 'is needed by "here/"; it is unknown who needs' in known.message
    server.call("DELETE", "sys/mounts/here")
    cases = ansible.cases({"force": absent(force=True)})
    assert outcomes(cases) == {"force": CHANGED}
    assert "has been locked" in warnings(cases.results["force"])
    assert "was retried" not in cases.run.output
    assert listed(server) == []


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_a_namespace_of_any_letters(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    """The header that names it goes out in UTF-8, as the server reads it."""
    external_plugin("v1.0.0")
    for name in ("n\u00fc", "\u540d"):
        server.call("POST", f"sys/namespaces/{quote(name)}")
        body = {"type": "ext", "config": {"plugin_version": "v1.0.0"}}
        server.call("POST", f"{quote(name)}/sys/mounts/mine", body)
    inside = {"namespace": "n\u00fc"}
    cases = ansible.cases(
        {
            "info": task("plugin_info", name="ext", **inside),
            "reload": task("plugin_reload", mounts="mine", **inside),
            "upgrade": task("plugin_upgrade", plugin="ext", version="v1.0.0", **inside),
            "remove": absent(),
            "elsewhere": task("plugin_reload", mounts="n\u00fc/mine"),
            "invisible": task("plugin_info", namespace="n\u200b"),
        }
    )
    assert outcomes(cases) == {
        "info": OK,
        "reload": CHANGED,
        "upgrade": OK,
        "remove": FAILED,
        "elsewhere": FAILED,
        "invisible": FAILED,
    }
    (plugin,) = cases.results["info"]["plugins"]

    assert [mount["path"] for mount in plugin["mounts"]] == ["mine/"]
    assert cases.results["remove"]["users"] == ["n\u00fc/mine/", "\u540d/mine/"]
    assert 'set namespace to "n\u00fc" for the mount "mine/"' in cases.results["elsewhere"].message
    assert "namespace contains characters that no HTTP header" in cases.results["invisible"].message


# A plugin that reports its version in a spelling that the server does not look for.


@pytest.mark.parametrize("spelling", ["1.0.0", "v1.0", "1.0.0-rc.1"])
def test_a_version_in_another_spelling(server: Server, ansible: Ansible, spelling: str) -> None:
    built = build(server, "ext", spelling)
    number = {"v1.0": "1.0.0"}.get(spelling, spelling)
    there = task(src=str(built.path))
    first = ansible.cases(
        {
            "by version": task(src=str(built.path), version=number),
            "register": there,
            "again": there,
            "upgrade": task("plugin_upgrade", plugin="ext", version=number),
        }
    )
    assert outcomes(first) == {
        "by version": FAILED,
        "register": FAILED_CHANGED,
        "again": FAILED,
        "upgrade": FAILED,
    }
    assert listed(server) == [(spelling, built.sha256)]
    for name in ("by version", "register", "again", "upgrade"):
        told = first.results[name].message
        assert "build the plugin so that it reports its version" in told, name
    assert f'reports its version as "{spelling}"' in first.results["register"].message
    assert first.results["register"]["plugin"]["version"] == spelling

    server.mount("by-full-name", f"ext/{spelling}")
    gone = absent(version=number)
    second = ansible.cases({"in use": gone})
    assert outcomes(second) == {"in use": FAILED}
    assert second.results["in use"]["users"] == ["by-full-name/"]
    server.call("DELETE", "sys/mounts/by-full-name")
    third = ansible.cases(
        {"would remove": {**gone, "check_mode": True}, "remove": gone, "no": gone}
    )
    assert outcomes(third) == {"would remove": CHANGED, "remove": CHANGED, "no": OK}
    assert listed(server) == []


def test_a_version_in_another_spelling_beside_the_right_one(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible
) -> None:
    wrong = build(server, "wrong", "1.0.0")
    body = {"command": "wrong", "sha256": wrong.sha256}
    server.call("POST", "sys/plugins/catalog/secret/ext", body)
    right = external_plugin("v1.0.0")
    other = build(server, "other")
    both = [("1.0.0", wrong.sha256), ("v1.0.0", right.sha256)]
    first = ansible.cases(
        {
            "another build, without a version": task(src=str(other.path)),
            "not by the version of the other": absent(sha256=wrong.sha256),
        }
    )
    assert outcomes(first) == {
        "another build, without a version": CHANGED,
        "not by the version of the other": FAILED,
    }
    assert sorted(listed(server)) == [("", other.sha256), *both]
    second = ansible.cases({"by sha256": absent(version="", sha256=wrong.sha256)})
    assert outcomes(second) == {"by sha256": CHANGED}
    assert sorted(listed(server)) == [("", other.sha256), both[1]]

    server.call("POST", "sys/plugins/catalog/secret/ext", body)
    third = ansible.cases({"one": absent(), "the other": absent(), "none": absent()})
    assert outcomes(third) == {"one": CHANGED, "the other": CHANGED, "none": OK}
    assert "run the task again to remove it, too" in warnings(third.results["one"])


@pytest.mark.vault_only("OpenBao has no pins")
def test_a_version_in_another_spelling_cannot_be_pinned(server: Server, ansible: Ansible) -> None:
    built = build(server, "ext", "1.0.0")
    body = {"command": "ext", "sha256": built.sha256}
    server.call("POST", "sys/plugins/catalog/secret/ext", body)
    cases = ansible.cases({"pin": task("plugin_pin", version="1.0.0")})
    assert outcomes(cases) == {"pin": FAILED}
    assert 'its plugin reports the version as "1.0.0"' in cases.results["pin"].message


# Mounts from before Vault 1.0, whose rows do not name their plugin.


def before_1_0(proxy: EditingProxy, path: str) -> None:
    """Let the row of a mount be one from before Vault 1.0, in the listing and by itself."""

    def listing(data: dict[str, t.Any]) -> None:
        data[f"{path}/"]["type"] = "plugin"

    def row(data: dict[str, t.Any]) -> None:
        data["type"] = "plugin"

    proxy.edits["GET sys/mounts"] = rows(listing)
    proxy.edits[f"GET sys/mounts/{path}"] = rows(row)


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside another"])
def test_handwritten_rows_that_do_not_name_their_plugin(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, alone: bool
) -> None:
    external_plugin("v1.0.0")
    external_plugin("v1.1.0")
    for path in ["old"] if alone else ["old", "new"]:
        server.mount(path, "ext", version="v1.0.0")
    before = server.info("old")["pid"]
    with editing_proxy() as proxy:
        before_1_0(proxy, "old")
        cases = ansible.cases(
            {
                "info": task("plugin_info", name="ext"),
                "info of all": task("plugin_info"),
                "reload": task("plugin_reload", plugin="ext"),
                "reload it": task("plugin_reload", mounts="old"),
                "upgrade": task("plugin_upgrade", plugin="ext", version="v1.1.0"),
                "upgrade it": task("plugin_upgrade", plugin="ext", version="v1.1.0", mounts="old"),
                "remove": absent(version="v1.0.0"),
                "remove by force": absent(version="v1.0.0", force=True),
            },
            **proxy.environment,
        )
    unnamed = 'mount "old/" is of type plugin, from before Vault 1.0'
    assert outcomes(cases) == {
        "info": OK,
        "info of all": OK,
        "reload": CHANGED,
        "reload it": CHANGED,
        "upgrade": OK if alone else CHANGED,
        "upgrade it": FAILED,
        "remove": FAILED,
        "remove by force": CHANGED,
    }
    for name in ("info", "reload", "reload it", "upgrade", "remove by force"):
        assert unnamed in warnings(cases.results[name]), name
    for name in ("upgrade it", "remove"):
        assert unnamed in cases.results[name].message, name
    assert server.info("old")["pid"] != before
    assert [cases.results[name]["verified"] for name in ("reload", "reload it")] == [False, False]
    of_all = {row["name"]: row["mounts"] for row in cases.results["info of all"]["plugins"]}
    assert [(row["path"], row["current"]) for row in of_all["plugin"]] == [("old/", None)]


# A listing of namespaces that cannot be true is unknown.


@pytest.fixture
def nested(server: Server, external_plugin: ExternalPlugin) -> Server:
    """A server with a plugin that two namespaces do not need, and one below them does."""
    external_plugin("v1.0.0")
    for name in ("team", "other"):
        server.call("POST", f"sys/namespaces/{name}")
    server.call("POST", "sys/namespaces/team", namespace="team")
    server.mount("mine", "ext", version="v1.0.0", namespace="team/team")
    return server


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_a_proxy_that_drops_the_namespace(nested: Server, ansible: Ansible) -> None:
    straight = ansible.cases({"remove": absent()})
    assert straight.results["remove"]["users"] == ["team/team/mine/"]
    nested.call("DELETE", "sys/mounts/mine", namespace="team/team")
    for methods in (("GET", "LIST"), ("LIST",), ("GET",)):
        with editing_proxy() as proxy:
            proxy.strips, proxy.strips_of = ("X-Vault-Namespace",), methods
            cases = ansible.cases({"remove": absent()}, **proxy.environment)
        assert outcomes(cases) == {"remove": FAILED}, methods
        told = cases.results["remove"].message
        assert "answers as another namespace does" in told
        assert "see whether a proxy drops the header X-Vault-Namespace" in told
        assert len(proxy.seen) < 20
    assert len(listed(nested)) == 1
    with editing_proxy() as proxy:
        proxy.strips = ("X-Vault-Namespace",)
        forced = ansible.cases({"remove": absent(force=True)}, **proxy.environment)
    assert outcomes(forced) == {"remove": CHANGED}
    assert "skipped that check" in warnings(forced.results["remove"])


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_a_proxy_that_drops_the_namespace_and_a_token_that_reads_no_mounts(
    nested: Server, ansible: Ansible
) -> None:
    rules = {
        "sys/plugins/catalog": '"read"',
        "sys/plugins/catalog/*": '"read", "delete", "sudo"',
        "sys/namespaces": '"list"',
        "+/sys/namespaces": '"list"',
    }
    text = "".join(f'path "{path}" {{ capabilities = [{may}] }}\n' for path, may in rules.items())
    token = nested.new_token(text)
    with editing_proxy() as proxy:
        proxy.strips = ("X-Vault-Namespace",)
        cases = ansible.cases(
            {"remove": absent(), "force": absent(force=True)},
            BAO_TOKEN=token,
            **proxy.environment,
        )
    assert outcomes(cases) == {"remove": FAILED, "force": CHANGED}
    assert len(proxy.seen) < 40


@pytest.mark.parametrize("listing", ["sys/namespaces", "database/config"])
def test_a_page_of_something_else_is_no_empty_list(
    server: Server, external_plugin: ExternalPlugin, ansible: Ansible, listing: str
) -> None:
    built = external_plugin("v1.0.0")
    kind = "secret"
    if listing == "database/config":
        kind = "database"
        server.mount("database", "database")
        body = {"command": built.path.name, "sha256": built.sha256, "version": "v1.0.0"}
        server.call("POST", "sys/plugins/catalog/database/ext", body)
    for edit in (page(404), lambda _status, _body: (200, b'{"status": "ok"}')):
        with editing_proxy() as proxy:
            proxy.edits[f"LIST {listing}"] = edit
            cases = ansible.cases({"remove": absent(type=kind)}, **proxy.environment)
        assert outcomes(cases) == {"remove": FAILED}
        assert "it is unknown who needs" in cases.results["remove"].message
    straight = ansible.cases({"remove": absent(type=kind)})
    assert outcomes(straight) == {"remove": CHANGED}


@pytest.mark.openbao_only("namespaces are Enterprise's on Vault")
def test_an_answer_with_nothing_in_it_does_not_mean_that_nobody_needs_an_entry(
    server: Server, external_plugin: ExternalPlugin
) -> None:
    external_plugin("v1.0.0")
    server.call("POST", "sys/namespaces/team", {})
    server.mount("ext", "ext", version="v1.0.0", namespace="team")
    options = {"name": "ext", "type": "secret", "version": "v1.0.0", "state": "absent"}
    with fault_proxy(server.url) as proxy:

        def remove() -> dict[str, t.Any]:
            return run_task("plugin", options, False, proxy=proxy.url, token=server.token)

        assert 'is needed by "team/ext/"' in remove()["msg"]
        requests = list(proxy.seen)
        assert "LIST sys/namespaces" in requests
        for position, request in enumerate(requests):
            proxy.arm(FAULTS["data with nothing in it"], position)
            result = remove()
            assert result["failed"], request
            assert not result["changed"], request
            assert proxy.writes == [], request
    assert server.info("ext", namespace="team")["version"] == "v1.0.0"
