# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugin runtimes on a real HashiCorp Vault, on OpenBao that has none, and by hand-written answers.

That containers run with them is not shown: that needs a container engine. A stand-in for one shows
what Vault asks of it, and what is told of its refusals.
"""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
import yaml

from ansible_collections.vaultops.vault.plugins.modules import plugin_runtime
from ansible_collections.vaultops.vault.tests.support.ansible_runs import (
    REPOSITORY,
    Ansible,
    TaskResult,
)
from ansible_collections.vaultops.vault.tests.support.external_plugin import build_plugin
from ansible_collections.vaultops.vault.tests.support.handwritten import (
    Answer,
    HandwrittenServer,
    SeenRequest,
    handwritten_server,
)
from ansible_collections.vaultops.vault.tests.support.http_servers import QuietHandler, serving
from ansible_collections.vaultops.vault.tests.support.products import (
    PRODUCT_VARIABLE,
    VAULT_VARIABLE,
    vault_binary,
)
from ansible_collections.vaultops.vault.tests.support.proxy import counting_proxy
from ansible_collections.vaultops.vault.tests.support.server import Server, running_server

MODULE = "vaultops.vault.plugin_runtime"
PLUGIN = "vaultops.vault.plugin"
INFO = "vaultops.vault.plugin_info"
FRONTS = {"in process": True, "as a module": False}
CATALOG = "sys/plugins/runtimes/catalog"
POLICY = REPOSITORY / "docs" / "policies" / "plugin_runtime.hcl"
TOKEN = {"VAULT_TOKEN": "a-token-of-the-tests"}
IMAGE = {"name": "ext", "type": "secret", "version": "v1.0.0", "oci_image": "registry/ext"}

Options = dict[str, t.Any]


@pytest.fixture
def vault_server(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Server]:
    """A real, fresh, unsealed HashiCorp Vault, where the machine has one."""
    if not vault_binary():
        pytest.skip(f"{VAULT_VARIABLE} names no binary of HashiCorp Vault")
    monkeypatch.setenv(PRODUCT_VARIABLE, "Vault")
    with running_server() as running:
        yield running


@pytest.fixture
def vault_ansible(tmp_path: pathlib.Path, vault_server: Server) -> Ansible:
    """Ansible with url and token of ``vault_server`` in its environment."""
    return Ansible(tmp_path, vault_server)


def task(options: Options, **more: t.Any) -> dict[str, t.Any]:
    """Return a task of the module under test, about the runtime ``gvisor`` if nothing else."""
    return {MODULE: {"name": "gvisor", **options}, **more}


def runtime(name: str = "gvisor", **settings: t.Any) -> dict[str, t.Any]:
    """Return a runtime as the result and the server show it."""
    return {
        "type": "container",
        "name": name,
        "oci_runtime": "",
        "cgroup_parent": "",
        "cpu_nanos": 0,
        "memory_bytes": 0,
        "rootless": False,
        **settings,
    }


def there(server: Server) -> list[dict[str, t.Any]]:
    """Return the runtimes that the server has."""
    return list(server.call("GET", CATALOG)["runtimes"])


def needing_plugin(server: Server, name: str = "ext") -> None:
    """Register a plugin that names the runtime ``gvisor``, which Vault allows to a process, too."""
    built = build_plugin(server.plugin_directory / name, version="v1.0.0")
    body = {"command": built.path.name, "sha256": built.sha256, "runtime": "gvisor"}
    path = f"sys/plugins/catalog/secret/{name}"
    server.call("POST", path, {**body, "version": "v1.0.0"})


ALL: Options = {
    "oci_runtime": "runc",
    "cgroup_parent": "/plugins",
    "cpu_nanos": 500_000_000,
    "memory_bytes": 268_435_456,
    "rootless": True,
}
STEPS: dict[str, tuple[Options, dict[str, t.Any]]] = {
    "would register": (ALL, {"check_mode": True, "diff": True}),
    "registers": (ALL, {"diff": True}),
    "is there": (ALL, {}),
    "changes": ({"oci_runtime": "runc", "cpu_nanos": 1}, {"diff": True}),
    "would change": ({}, {"check_mode": True}),
    "defaults": ({}, {}),
    "are there": ({"type": "container"}, {}),
    "would remove": ({"state": "absent"}, {"check_mode": True}),
    "removes": ({"state": "absent"}, {"diff": True}),
    "is gone": ({"state": "absent"}, {}),
}


def assert_steps(results: dict[str, TaskResult]) -> None:
    """Compare what the steps reported with what they were to report."""
    one, two, three = runtime(**ALL), runtime(oci_runtime="runc", cpu_nanos=1), runtime()
    for result in results.values():
        assert not result.failed, result.message
    assert {
        name: (result["changed"], result["before"], result["runtime"])
        for name, result in results.items()
    } == {
        "would register": (True, None, one),
        "registers": (True, None, one),
        "is there": (False, one, one),
        "changes": (True, one, two),
        "would change": (True, two, three),
        "defaults": (True, two, three),
        "are there": (False, three, three),
        "would remove": (True, three, None),
        "removes": (True, three, None),
        "is gone": (False, None, None),
    }
    line = (
        "container gvisor oci_runtime=runc cgroup_parent=/plugins cpu_nanos=500000000 "
        "memory_bytes=268435456 rootless=True\n"
    )
    for name in ("would register", "registers"):
        assert results[name]["diff"] == {"before": "", "after": line}
    assert results["changes"]["diff"] == {
        "before": line,
        "after": "container gvisor oci_runtime=runc cpu_nanos=1\n",
    }
    assert results["removes"]["diff"] == {"before": "container gvisor\n", "after": ""}


@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
def test_there_and_gone_each_once(
    vault_server: Server, vault_ansible: Ansible, in_process: bool
) -> None:
    token = {"BAO_TOKEN": vault_server.new_token(POLICY.read_text(encoding="utf-8"))}
    with counting_proxy() as proxy:
        cases = vault_ansible.cases(
            {
                name: task(options, **more, vars={"vaultops_in_process": in_process})
                for name, (options, more) in STEPS.items()
            },
            **token,
            **proxy.environment,
        )
    assert_steps(cases.results)
    own = f"{CATALOG}/container/gvisor"
    assert proxy.posts == [f"POST {own}"] * 3 + [f"DELETE {own}"]
    assert there(vault_server) == []
    assert "WARNING" not in cases.run.output


@pytest.mark.slow
def test_the_server_has_what_was_written(vault_server: Server, vault_ansible: Ansible) -> None:
    large = 2**63 - 1
    tasks = {
        "all": task(ALL),
        "large": task({"name": "A.b-c_d", "cpu_nanos": large, "memory_bytes": str(large)}),
        "small": task({"name": "n"}),
    }
    cases = vault_ansible.cases(tasks)
    assert [result["changed"] for result in cases.results.values()] == [True] * 3
    made = [runtime("A.b-c_d", cpu_nanos=large, memory_bytes=large), runtime(**ALL), runtime("n")]
    assert there(vault_server) == made
    info = vault_ansible.cases({"info": {INFO: {}}, "mounts": {INFO: {"mounts": "secret"}}})
    for result in info.results.values():
        assert result["runtimes"] == made


@pytest.mark.slow
def test_module_defaults(vault_server: Server, tmp_path: pathlib.Path) -> None:
    defaults = {
        "group/vaultops.vault.vault": {"url": vault_server.url, "token": vault_server.token}
    }
    run = Ansible(tmp_path).playbook(task({}, module_defaults=defaults))
    assert run.result["changed"] is True, run.output


@pytest.mark.slow
def test_what_plugins_need_stays(vault_server: Server, vault_ansible: Ansible) -> None:
    vault_server.call("POST", f"{CATALOG}/container/gvisor", {})
    needing_plugin(vault_server)
    rules = 'path "sys/plugins/runtimes/catalog{}" {{ capabilities = ["read", "delete", "sudo"] }}'
    blind = vault_server.new_token(rules.format("") + rules.format("/*"))
    gone: Options = {"state": "absent"}
    with counting_proxy() as proxy:
        cases = vault_ansible.cases(
            {
                "check mode": task(gone, check_mode=True),
                "in process": task(gone),
                "as a module": task(gone, vars={"vaultops_in_process": False}),
                "blind check mode": task({**gone, "token": blind}, check_mode=True),
                "blind": task({**gone, "token": blind}),
            },
            **proxy.environment,
        )
    for name in ("check mode", "in process", "as a module"):
        result = cases.results[name]
        assert (result.failed, result["changed"], result["status"]) == (True, False, None)
        assert result.message == (
            'plugin runtime "gvisor" is needed by "secret ext v1.0.0"; register these plugins with '
            "another runtime, or remove them, first, with the module plugin; nothing was removed"
        )
        assert result["users"] == ["secret ext v1.0.0"]
        assert result["runtime"] == runtime()
    assert cases.results["blind check mode"]["changed"] is True
    for name in ("blind check mode", "blind"):
        (warning,) = cases.results[name]["warnings"]
        assert "skipped that check, which the server makes, too" in warning
    refused = cases.results["blind"]
    assert (refused.failed, refused["changed"], refused["status"]) == (True, False, 400)
    assert 'cannot remove plugin runtime "gvisor": unable to delete "gvisor"' in refused.message
    assert "; register these plugins with another runtime, or remove them" in refused.message
    assert proxy.posts == [f"DELETE {CATALOG}/container/gvisor"]
    assert there(vault_server) == [runtime()]


@pytest.mark.slow
def test_what_the_token_may_not(vault_server: Server, vault_ansible: Ansible) -> None:
    vault_server.call("POST", f"{CATALOG}/container/old", {})
    lists = "".join(
        f'path "{path}" {{ capabilities = ["read"] }}\n'
        for path in (CATALOG, "sys/plugins/catalog", "sys/mounts", "sys/auth", "sys/plugins/pins")
    )
    no_sudo = f'path "{CATALOG}/*" {{ capabilities = ["update", "delete"] }}'
    tokens = {
        "nothing": vault_server.new_token('path "sys/x" { capabilities = ["read"] }'),
        "lists": vault_server.new_token(lists),
        "no sudo": vault_server.new_token(lists + no_sudo),
        "no runtimes": vault_server.new_token(lists.replace(CATALOG, "sys/x")),
    }
    cases = vault_ansible.cases(
        {
            "read": task({"token": tokens["nothing"]}),
            "write": task({"token": tokens["lists"]}),
            "write without sudo": task({"token": tokens["no sudo"]}),
            "remove": task({"token": tokens["no sudo"], "name": "old", "state": "absent"}),
            "is there": task({"token": tokens["lists"], "name": "old"}),
            "info": {INFO: {"token": tokens["lists"]}},
            "info without": {INFO: {"token": tokens["no runtimes"]}},
        }
    )
    results = cases.results
    told = {
        "read": f'has the ACL capability "read" on "{CATALOG}"',
        "write": f'"update" and "sudo" on "{CATALOG}/container/gvisor"',
        "write without sudo": f'"update" and "sudo" on "{CATALOG}/container/gvisor"',
        "remove": f'"delete" and "sudo" on "{CATALOG}/container/old"',
    }
    for name, text in told.items():
        result = results[name]
        assert (result.failed, result["changed"], result["status"]) == (True, False, 403)
        assert text in result.message
    assert results["is there"]["changed"] is False
    assert results["info"]["runtimes"] == [runtime("old")]
    assert "warnings" not in results["info"].result
    assert results["info without"]["runtimes"] is None
    (warning,) = results["info without"]["warnings"]
    assert f"permission denied: 403 from GET {vault_server.url}" in warning
    assert there(vault_server) == [runtime("old")]


WRONG: dict[str, tuple[Options, str]] = {
    "a name with a slash": ({"name": "a/b"}, 'name "a/b" is not a valid name for a plugin runtime'),
    "a name with a plus": ({"name": "a+b"}, 'name "a+b" is not a valid name for a plugin runtime'),
    "no name": ({"name": " "}, "missing required arguments: name"),
    "negative": ({"cpu_nanos": -1}, "cpu_nanos is -1, and must be from 0 to 9223372036854775807"),
    "too large": ({"memory_bytes": 2**63}, "memory_bytes is 9223372036854775808, and must be from"),
    "another type": ({"type": "vm"}, "value of type must be one of: container, got: vm"),
}


@pytest.mark.slow
def test_what_cannot_be_sent(tmp_path: pathlib.Path, subtests: pytest.Subtests) -> None:
    with handwritten_server({}) as server:
        cases = Ansible(tmp_path).cases(
            {
                f"{name} | {front}": task(
                    {"url": server.url, **options}, vars={"vaultops_in_process": in_process}
                )
                for name, (options, _told) in WRONG.items()
                for front, in_process in FRONTS.items()
            },
            **TOKEN,
        )
    for name, (_options, told) in WRONG.items():
        with subtests.test(name):
            both = [cases.results[f"{name} | {front}"] for front in FRONTS]
            assert all(result.failed and told in result.message for result in both)
            assert both[0].message == both[1].message
    assert server.seen == []


@pytest.mark.slow
@pytest.mark.openbao_only("Vault has them")
def test_openbao_has_no_plugin_runtimes(server: Server, ansible: Ansible) -> None:
    tokens = {
        "the policy": server.new_token(POLICY.read_text(encoding="utf-8")),
        "may not read": server.new_token('path "sys/x" { capabilities = ["read"] }'),
    }
    tasks = {
        f"{name} | {state} | {front}": task(
            {"state": state, "token": token}, vars={"vaultops_in_process": in_process}
        )
        for name, token in tokens.items()
        for state in ("present", "absent")
        for front, in_process in FRONTS.items()
    }
    with counting_proxy() as proxy:
        cases = ansible.cases({**tasks, "info": {INFO: {}}}, **proxy.environment)
    for name in tasks:
        result = cases.results[name]
        assert (result.failed, result["changed"]) == (True, False)
        assert result["status"] == (404 if "the policy" in name else 403)
        assert result.message.startswith("OpenBao has no plugin runtimes (40")
        assert "; plugins run as processes there: register the plugin's file" in result.message
    assert proxy.posts == []
    assert proxy.seen.count(f"GET {CATALOG}") == len(tasks)
    assert cases.results["info"]["runtimes"] == []


@pytest.mark.each_core
def test_every_example_of_the_documentation_runs(
    vault_server: Server, tmp_path: pathlib.Path
) -> None:
    text = plugin_runtime.EXAMPLES.replace("https://vault.example.com:8200", vault_server.url)
    tasks = yaml.safe_load(text)
    extra = ["-e", f"vault_token={vault_server.token}"]
    run = Ansible(tmp_path).playbook(*tasks, options=extra)
    assert run.returncode == 0, run.output
    assert [result["changed"] for result in run.tasks] == [True] * 3
    made = runtime(oci_runtime="runsc", cpu_nanos=500_000_000, memory_bytes=268_435_456)
    assert there(vault_server) == [made]


class Engine(QuietHandler):
    """A container engine that has one image, and creates no container: nothing else answers here.

    API: https://docs.docker.com/reference/api/engine/
    """

    created: t.ClassVar[list[dict[str, t.Any]]]

    def do(self) -> None:
        """Answer one request of the server."""
        text = self.body()
        status, answer = 200, t.cast("t.Any", [])
        if self.path.endswith("/images/json") or "/images/json?" in self.path:
            answer = [{"Id": f"sha256:{'a' * 64}"}]
        elif "/containers/create" in self.path:
            host = json.loads(text)["HostConfig"]
            self.created.append(host)
            status, answer = 400, {"message": f"unknown or invalid runtime name: {host['Runtime']}"}
        body = b"" if self.command == "HEAD" else json.dumps(answer).encode()
        self.reply(status, body, {"Api-Version": "1.43", "Content-Type": "application/json"})


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[type[Engine]]:
    """A stand-in of a container engine, which the servers of the test find."""

    class Own(Engine):
        created: t.ClassVar[list[dict[str, t.Any]]] = []

    with serving(Own) as url:
        monkeypatch.setenv("DOCKER_HOST", url.replace("http:", "tcp:"))
        yield Own


@pytest.mark.slow
def test_containers_that_vault_cannot_run(
    engine: type[Engine], vault_server: Server, vault_ansible: Ansible
) -> None:
    """The words are Vault's and its Docker client's; those of the engine are of a stand-in."""
    image = {**IMAGE, "sha256": "a" * 64}
    with counting_proxy() as proxy:
        cases = vault_ansible.cases(
            {
                "limits": task({**ALL, "oci_runtime": "my-oci"}),
                "default": task({"name": "default"}),
                "no sha256": {PLUGIN: IMAGE},
                "runtime": {PLUGIN: {**image, "runtime": "nope"}},
                "tag": {PLUGIN: {**image, "oci_image": "registry/ext:1.0.0"}},
                "image": {PLUGIN: {**image, "sha256": "b" * 64}},
                "container": {PLUGIN: {**image, "runtime": "gvisor"}},
                "container by default": {PLUGIN: {**image, "runtime": "default"}},
            },
            **proxy.environment,
        )
    told = {
        "no sha256": "without the sha256 of its image; give sha256: the id of the image",
        "runtime": (
            'cannot register secret plugin "ext": specified plugin runtime "nope", but failed to '
            'retrieve config: failed to retrieve container plugin runtime "nope": plugin runtime '
            "not found (400 from POST"
        ),
        "tag": "; give oci_image without a tag",
        "image": "; pull the image on each node, with version (without the leading v) as its tag",
        "container": "; check on each node that the container engine knows the oci_runtime",
        "container by default": "unknown or invalid runtime name: runsc (400 from POST",
    }
    for name, text in told.items():
        result = cases.results[name]
        assert (result.failed, result["changed"]) == (True, False)
        assert text in result.message
    message = cases.results["runtime"].message
    assert "; register the runtime first, with the module plugin_runtime" in message
    assert "%!w" in cases.results["runtime"]["errors"][0]
    assert len(proxy.posts) == 2 + len(told) - 1
    names = ("Runtime", "CgroupParent", "NanoCpus", "Memory")
    settings = {tuple(host[name] for name in names) for host in engine.created}
    assert settings == {("my-oci", "/plugins", 500_000_000, 268_435_456), ("runsc", "", 0, 0)}


@pytest.mark.slow
def test_no_container_engine(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    ansible: Ansible = request.getfixturevalue("vault_ansible")
    cases = ansible.cases({"image": {PLUGIN: {**IMAGE, "sha256": "a" * 64}}})
    assert cases.results["image"]["status"] == 400
    assert "; start the container engine on each node" in cases.results["image"].message


class HandwrittenVault:
    """A Vault with plugin runtimes: the answers are those of runtimes.json in tests/recorded."""

    def __init__(self, server: HandwrittenServer) -> None:
        self.kept: dict[str, dict[str, t.Any]] = {}
        self.server, self.original = server, server.answer

    def answer(self, request: SeenRequest) -> Answer:
        """Return what Vault answers, which depends on what it was sent before."""
        _start, _slash, name = request.path.partition(f"{CATALOG}/container/")
        if not name:
            return self.original(request)
        self.server.seen.append(request)
        if request.method == "POST":
            self.kept[name] = runtime(name, **request.body)
        else:
            del self.kept[name]
        self.server.answers[f"GET /v1/{CATALOG}"] = well(runtimes=[*self.kept.values()])
        return Answer(204)


def well(**data: t.Any) -> Answer:
    """Return a successful answer, as Vault 1.20.0-beta1 wraps it in tests/recorded."""
    return Answer(
        200,
        {
            "request_id": "531cc97a-f4b0-b012-f360-375004cfacb1",
            "lease_id": "",
            "renewable": False,
            "lease_duration": 0,
            "data": data,
            "wrap_info": None,
            "warnings": None,
            "auth": None,
            "mount_type": "system",
        },
    )


BUILTIN = {
    "builtin": True,
    "deprecation_status": "supported",
    "name": "kv",
    "type": "secret",
    "version": "v0.21.0+builtin",
}
VAULT = {
    f"GET /v1/{CATALOG}": well(runtimes=[]),
    "GET /v1/sys/plugins/catalog": well(detailed=[BUILTIN]),
    "GET /v1/sys/plugins/pins": well(pinned_versions=[]),
    "GET /v1/sys/mounts": well(**{"sys/": {"type": "system", "accessor": "system_12345678"}}),
    "GET /v1/sys/auth": well(**{"token/": {"type": "token", "accessor": "auth_token_12345678"}}),
}
UNSUPPORTED = Answer(404, {"errors": ["1 error occurred:\n\t* unsupported path\n\n"]})
HEALTH = {"initialized": True, "sealed": False, "standby": False, "performance_standby": False}


@pytest.mark.each_core
@pytest.mark.parametrize("in_process", FRONTS.values(), ids=FRONTS.keys())
def test_handwritten_vault_there_and_gone(tmp_path: pathlib.Path, in_process: bool) -> None:
    with handwritten_server(dict(VAULT)) as server:
        server.answer = HandwrittenVault(server).answer  # type: ignore[method-assign]
        cases = Ansible(tmp_path).cases(
            {
                name: task(
                    {"url": server.url, **options}, **more, vars={"vaultops_in_process": in_process}
                )
                for name, (options, more) in STEPS.items()
            },
            **TOKEN,
        )
    assert_steps(cases.results)
    writes = [(seen.method, seen.body) for seen in server.seen if seen.method != "GET"]
    assert writes[0] == ("POST", ALL)
    assert [method for method, _body in writes] == ["POST", "POST", "POST", "DELETE"]


@pytest.mark.slow
def test_handwritten_answers_of_other_servers(tmp_path: pathlib.Path) -> None:
    # vault/logical_system_paths.go of 1.14 has no such path, and PluginRuntimeConfig of 1.15,
    # sdk/helper/pluginruntimeutil, no rootless; an empty list of 1.15 leaves runtimes out.
    # vault/plugincatalog/plugin_runtime_catalog.go has the words of a removal that comes too late.
    older = {**VAULT, f"GET /v1/{CATALOG}": UNSUPPORTED}
    health = {"GET /v1/sys/health": Answer(200, {**HEALTH, "version": "1.14.8"})}
    row = {name: value for name, value in runtime().items() if name != "rootless"}
    unknown = {**VAULT, f"GET /v1/{CATALOG}": well(runtimes=[row])}
    written = {f"POST /v1/{CATALOG}/container/gvisor": Answer(204)}
    empty = {**VAULT, f"GET /v1/{CATALOG}": well()}
    gone = Answer(500, {"errors": ["1 error occurred:\n\t* plugin runtime not found\n\n"]})
    listed = {f"GET /v1/{CATALOG}": well(runtimes=[runtime()])}
    with (
        handwritten_server({**older, **health}) as before_1_15,
        handwritten_server({**unknown, **written}) as before_1_16,
        handwritten_server(empty) as empty_before_1_16,
        handwritten_server(
            {**VAULT, f"DELETE /v1/{CATALOG}/container/gvisor": gone}, once=listed
        ) as faster,
    ):
        cases = Ansible(tmp_path).cases(
            {
                "before 1.15": task({"url": before_1_15.url}),
                "info before 1.15": {INFO: {"url": before_1_15.url}},
                "before 1.16": task({"url": before_1_16.url}),
                "rootless before 1.16": task({"url": before_1_16.url, "rootless": True}),
                "empty before 1.16": task({"url": empty_before_1_16.url}, check_mode=True),
                "another was faster": task({"url": faster.url, "state": "absent"}),
            },
            **TOKEN,
        )
    results = cases.results
    assert (
        "Vault 1.14.8 has no plugin runtimes, which HashiCorp Vault has from 1.15 on (404 from GET"
        in results["before 1.15"].message
    )
    assert results["info before 1.15"]["runtimes"] == []
    assert len(before_1_15.seen) == 2 + 5
    assert results["before 1.16"]["changed"] is False
    failed = results["rootless before 1.16"]
    # What was there before has not changed.
    assert (failed.failed, failed["changed"], failed["runtime"]) == (True, False, runtime())
    assert (
        'the server accepted the registration of plugin runtime "gvisor", but it differs in '
        "rootless; see whether this version of the server knows all options" in failed.message
    )
    assert results["empty before 1.16"]["changed"] is True
    assert results["another was faster"]["changed"] is True


@pytest.mark.slow
def test_handwritten_containers_without_what_they_need(tmp_path: pathlib.Path) -> None:
    # As in tests/recorded/vault-1.20.0-beta1/registrations_that_are_refused.json.
    words = 'specified plugin runtime "nope", but failed to retrieve config: '
    nested = 'failed to retrieve container plugin runtime "nope": plugin runtime not found'
    go = f"{words}%!w(*fmt.wrapError=&{{{nested} 0x14928cb0}})"
    own = "/v1/sys/plugins/catalog/secret/ext"
    answers = {
        f"GET {own}": Answer(404, {"errors": []}),
        **VAULT,
        f"POST {own}": Answer(400, {"errors": [go]}),
    }
    with handwritten_server(answers) as server:
        here = {**IMAGE, "url": server.url}
        cases = Ansible(tmp_path).cases(
            {
                "no sha256": {PLUGIN: here},
                "no runtime": {PLUGIN: {**here, "sha256": "a" * 64, "runtime": "nope"}},
            },
            **TOKEN,
        )
    assert cases.results["no sha256"].message == (
        "a plugin in a container cannot be registered without the sha256 of its image; give "
        "sha256: the id of the image without the leading sha256:, as docker images --no-trunc "
        "prints it on a node; nothing was registered"
    )
    refused = cases.results["no runtime"]
    assert f"{words}{nested} (400 from POST" in refused.message
    assert (
        "with the module plugin_runtime, or correct runtime: the module plugin_info"
        in refused.message
    )
    assert refused["errors"] == [go]
    assert [seen.method for seen in server.seen] == ["GET", "GET", "POST"]
