# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/awx has for AWX: its credential in all forms, its jobs, and a job that is killed."""

from __future__ import annotations

import json
import pathlib
import shutil
import time
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._auth.methods import chosen_identity
from ansible_collections.vaultops.vault.plugins.module_utils._auth.options import AUTH_SPEC
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.connection import (
    CONNECTION_SPEC,
    Connection,
)
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible
from ansible_collections.vaultops.vault.tests.support.awx import (
    AWX,
    Job,
    done,
    import_document,
    objects,
)
from ansible_collections.vaultops.vault.tests.support.documents import with_programs
from ansible_collections.vaultops.vault.tests.support.external_plugin import (
    BuiltPlugin,
    build_plugin,
)
from ansible_collections.vaultops.vault.tests.support.server import Server, ServerError

URL = "https://vault.example.com:8200"
# What a user may fill in; the rest is left empty, or is not there at all.
ENTERED: dict[str, dict[str, str]] = {
    "token": {"token": "a-token"},
    "token and namespace": {"token": "a-token", "vault_namespace": "team-a"},
    "AppRole": {"role_id": "a-role", "secret_id": "a-secret"},
    "CA": {"token": "a-token", "ca": "a CA"},
}
EMPTY = dict.fromkeys(("vault_namespace", "token", "role_id", "secret_id", "ca"), "")
# As AWX checks the type of a credential when it is saved.
OF_A_FIELD = {"id", "type", "label", "help_text", "secret", "multiline"}


@pytest.mark.parametrize("left_empty", [EMPTY, {}], ids=["empty", "absent"])
@pytest.mark.parametrize("entered", ENTERED.values(), ids=ENTERED)
def test_the_credential(
    entered: dict[str, str],
    left_empty: dict[str, str],
    tls_ca: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """AWX's own code injects it, and the modules' own code reads what it injects."""
    inputs = {**left_empty, **entered, "url": URL}
    if "ca" in entered:
        inputs["ca"] = tls_ca
    job = Job(tmp_path / "job", {})
    shown = job.inject(objects()["awx_credential_type"], inputs)
    assert "a-token" not in str(shown)
    assert "a-secret" not in str(shown)
    for name, value in job.environment.items():
        monkeypatch.setenv(name, value)
    params = dict.fromkeys({**CONNECTION_SPEC, **AUTH_SPEC})
    (extra,) = [word[1:] for word in job.arguments if word.startswith("@")]
    method = pathlib.Path(extra).read_text(encoding="utf-8").split(":")[1].strip()
    connection = Connection.from_params(params)
    identity = chosen_identity({**params, "auth_method": method})
    assert connection.url == URL
    assert connection.namespace == entered.get("vault_namespace", "")
    from_file = connection.origins["ca_cert"] == "from the variable BAO_CACERT"
    assert from_file == ("ca" in entered)
    assert identity.token == entered.get("token")
    if "role_id" in entered:
        assert identity.login is not None
        assert identity.login.body == {"role_id": "a-role", "secret_id": "a-secret"}


def test_a_field_named_namespace(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a credential type of one's own may do, and what it is told then."""
    fields = [{"id": "namespace", "type": "string", "label": "Namespace"}]
    own = {"inputs": {"fields": fields}, "injectors": {"env": {"BAO_NAMESPACE": "{{ namespace }}"}}}
    job = Job(tmp_path / "job", {})
    job.inject(own, {})
    monkeypatch.setenv("BAO_NAMESPACE", job.environment["BAO_NAMESPACE"])
    with pytest.raises(OptionError, match=r"Jinja's own .namespace.*variable BAO_NAMESPACE"):
        Connection.from_params(dict.fromkeys(CONNECTION_SPEC))


@pytest.fixture
def tls_ca() -> str:
    """A CA certificate."""
    import trustme

    return trustme.CA().cert_pem.bytes().decode()


def test_the_credential_type() -> None:
    """As AWX checks it (awx/main/fields.py): names, and texts of ASCII."""
    kind = objects()["awx_credential_type"]
    for field in kind["inputs"]["fields"]:
        assert set(field) <= OF_A_FIELD
        # Jinja has these names itself, and AWX leaves out what is empty.
        assert field["id"] not in ("tower", "namespace", "cycler", "dict", "joiner", "lipsum")
    for name, template in kind["injectors"]["env"].items():
        assert not name.startswith("ANSIBLE_")
        assert template.isascii()


def test_the_document_to_import() -> None:
    """To write it again: python -m tests.support.awx from the folder of the checkout."""
    assert json.loads((AWX / "awx-import.json").read_text(encoding="utf-8")) == import_document()


def test_what_refers_to_what() -> None:
    everything = objects()
    playbooks = {path.name for path in (AWX / "project").glob("*.yml")}
    templates = {template["name"]: template for template in everything["awx_job_templates"]}
    assert {template["playbook"] for template in templates.values()} < playbooks
    nodes = {node["identifier"]: node for node in everything["awx_workflow"]["nodes"]}
    for node in nodes.values():
        job = node["unified_job_template"]
        assert job["type"] == "workflow_approval" or job["name"] in templates
        for others in node.get("related", {}).values():
            assert {other["identifier"] for other in others} <= set(nodes)
    # Of a job behind an edge of that kind, AWX does not count the failure.
    always = [
        each for node in nodes.values() for each in node.get("related", {}).get("always_nodes", [])
    ]
    assert always == [{"identifier": "after"}]
    after = nodes["after"]["unified_job_template"]["name"]
    assert templates[after]["playbook"] == "after.yml"
    # A workflow hands its answers to all that ask for them.
    asked = {question["variable"] for question in everything["awx_workflow"]["survey"]}
    assert asked == {q["variable"] for q in templates["Vault plugins - upgrade"]["survey"]}


class Weather(t.NamedTuple):
    """A server with two mounts of a plugin, and the job that works on it."""

    server: Server
    old: BuiltPlugin
    job: Job

    def serves(self, mount: str) -> str:
        """Return the version that a mount serves, empty for none."""
        try:
            return str(self.server.info(mount)["version"])
        except ServerError:
            return ""


@pytest.fixture
def weather(tls_server: Server, tmp_path: pathlib.Path) -> Weather:
    """The project of docs/awx, and the credential for a server with TLS."""
    old, new = (
        build_plugin(tls_server.plugin_directory / f"weather-{version}", version=version)
        for version in ("v1.0.0", "v1.1.0")
    )
    for plugin in (old, new):
        tls_server.register("weather", plugin)
    for mount in ("weather", "weather-eu"):
        tls_server.mount(mount, "weather", version="v1.0.0")
    ansible = Ansible(tmp_path, tls_server)
    job = Job(tmp_path / "job", with_programs(ansible.environment()))
    shutil.copytree(AWX / "project", job.project, dirs_exist_ok=True)
    job.inventory("localhost\n")  # which does not say that it is local
    assert tls_server.ca_cert is not None
    ca = tls_server.ca_cert.read_text(encoding="utf-8")
    inputs = {**EMPTY, "url": tls_server.url, "token": tls_server.token, "ca": ca}
    job.inject(objects()["awx_credential_type"], inputs)
    return Weather(tls_server, old, job)


@pytest.mark.slow
def test_the_jobs(weather: Weather) -> None:
    """The nodes of the workflow, with the artifacts of each for the next."""
    empty = {"canary": "", "scope": "", "state": ""}
    before = weather.job.launch("info.yml", {"plugin": "weather"})
    assert before.rc == 0, before.output
    assert before.artifacts["plugin_info_result"]["summary"] == [
        "weather secret v1.0.0: 2 mounts",
        "weather secret v1.1.0: no mounts",
    ]

    answers = {"plugin": "weather", "version": "v1.1.0 ", "mounts": "weather\r\n\r\nweather-eu\r\n"}
    upgrade = weather.job.launch("upgrade.yml", {**answers, **empty, **before.artifacts})
    assert upgrade.rc == 0, upgrade.output
    assert "plugin_upgrade: the reload may take up to 260 s; do not cancel it" in upgrade.output
    handed_on = upgrade.artifacts["plugin_upgrade_result"]
    assert [
        (row["path"], row["before"]["version"], row["after"]["version"])
        for row in handed_on["mounts"]
    ] == [("weather/", "v1.0.0", "v1.1.0"), ("weather-eu/", "v1.0.0", "v1.1.0")]
    assert weather.serves("weather") == weather.serves("weather-eu") == "v1.1.0"

    weather.old.fault("exit")
    back = {"plugin": "weather", "version": "v1.0.0", "mounts": "weather"}
    failed = weather.job.launch("upgrade.yml", {**back, **empty, **upgrade.artifacts})
    assert failed.rc != 0
    assert "the old version again" in failed.artifacts["plugin_upgrade_result"]["msg"]
    after = weather.job.launch("after.yml", {"plugin": "weather", **failed.artifacts})
    assert after.rc != 0  # else the workflow would be successful
    assert "the old version again" in after.last_result["msg"]
    assert weather.server.token not in "".join(
        job.everything for job in (before, upgrade, failed, after)
    )


@pytest.mark.slow
@pytest.mark.each_core
@pytest.mark.parametrize(
    ("artifacts", "why"),
    [
        ({}, "the job before this one ended without a result: it was cancelled, "),
        ({"plugin_upgrade_result": {"failed": True, "msg": "rolled back"}}, "rolled back"),
        ({"plugin_rollout_result": {"failed": True, "msg": "not verified"}}, "not verified"),
        (
            {
                "plugin_upgrade_result": {"failed": False, "changed": True},
                "plugin_rollout_result": {"failed": True, "msg": "not verified"},
            },
            "not verified",
        ),
        ({"plugin_upgrade_result": {"failed": True}}, "the job before this one failed"),
        (
            {"plugin_upgrade_result": {}, "plugin_rollout_result": {}},
            "the job before this one ended without a result",
        ),
        ({"plugin_upgrade_result": {"changed": False}}, None),
        ({"plugin_rollout_result": {"changed": True}}, None),
    ],
    ids=[
        "no result",
        "upgrade failed",
        "rollout failed",
        "one of two failed",
        "failed without a word",
        "looked at before",
        "upgraded",
        "rolled out",
    ],
)
def test_the_last_job_of_a_workflow(
    weather: Weather, artifacts: dict[str, t.Any], why: str | None
) -> None:
    """It shows what runs, also where the job before it was cancelled and has handed nothing on."""
    # That of the first job is handed on to all.
    first: dict[str, t.Any] = {"plugin_info_result": {"summary": []}}
    after = weather.job.launch("after.yml", {"plugin": "weather", **first, **artifacts})
    shown = [result["msg"] for result in after.results if isinstance(result.get("msg"), list)]
    assert shown == [["weather secret v1.0.0: 2 mounts", "weather secret v1.1.0: no mounts"]]
    assert (after.rc == 0) is (why is None)
    assert after.artifacts["plugin_upgrade_result"] == {}
    assert after.artifacts["plugin_rollout_result"] == {}
    assert why is None or after.last_result["msg"].startswith(why)
    # The first job has none before it.
    alone = weather.job.launch("info.yml", {"plugin": "weather"})
    assert alone.rc == 0, alone.output


@pytest.mark.slow
def test_a_job_that_fails_hands_on_why(weather: Weather) -> None:
    told = (
        "version not given, so nothing was done: the survey of the job template has to ask for it"
    )
    cases = {
        "reload": ({"plugin": "", "mounts": "weather\nnope"}, 'mount "nope/" does not exist'),
        "upgrade": ({"plugin": "weather"}, told),
        "info": ({"plugin": "a/b"}, "a/b"),
    }
    for name, (answers, why) in cases.items():
        job = weather.job.launch(f"{name}.yml", answers)
        assert job.rc != 0, job.output
        handed_on = job.artifacts[f"plugin_{name}_result"]
        assert handed_on["failed"] is True
        assert why in handed_on["msg"]
        assert handed_on["msg"] in [result.get("msg") for result in job.results]


GUIDE = (REPOSITORY / "docs" / "awx.md").read_text(encoding="utf-8")
POLICY = (REPOSITORY / "docs" / "policies" / "plugin_rollout.hcl").read_text(encoding="utf-8")


@pytest.fixture
def rollout(weather: Weather) -> Weather:
    """With a node, and the file of a version that only the project has."""
    files = weather.job.project / "files"
    build_plugin(files / "weather-v1.2.0", version="v1.2.0")
    node = f"n1 ansible_connection=local plugin_rollout_directory={weather.server.plugin_directory}"
    python = "[all:vars]\nansible_python_interpreter={{ ansible_playbook_python }}\n"
    weather.job.inventory(f"localhost\n[vault]\n{node}\n{python}")
    return weather


def as_user(weather: Weather, **login: str) -> None:
    """Give the job the credential of a user who is not root."""
    ca = weather.server.ca_cert
    assert ca is not None
    weather.job.arguments.clear()
    inputs = {**EMPTY, "url": weather.server.url, "ca": ca.read_text(encoding="utf-8"), **login}
    weather.job.inject(objects()["awx_credential_type"], inputs)


@pytest.mark.slow
@pytest.mark.each_core
def test_a_rollout_with_approle(rollout: Weather) -> None:
    """In all variables, what is empty is not given, and blanks around an answer do not matter."""
    server = rollout.server
    server.call("PUT", "sys/policies/acl/rollout", {"policy": POLICY})
    server.call("POST", "sys/auth/approle", {"type": "approle"})
    server.call("POST", "auth/approle/role/awx", {"token_policies": "rollout"})
    role_id = server.call("GET", "auth/approle/role/awx/role-id")["role_id"]
    secret_id = server.call("POST", "auth/approle/role/awx/secret-id")["secret_id"]
    as_user(rollout, role_id=role_id, secret_id=secret_id)
    names = ("type", "scope", "mode", "batch", "wait_timeout", "keep", "cleanup", "delegate_to")
    empty = {f"plugin_rollout_{name}": "" for name in names}
    blanks = {"plugin": " weather", "version": "v1.2.0 ", "canary": "weather-eu\r\n"}
    up = rollout.job.launch("rollout.yml", {**blanks, **empty})
    assert up.rc == 0, up.output
    assert rollout.serves("weather") == rollout.serves("weather-eu") == "v1.2.0"
    handed_on = up.artifacts["plugin_rollout_result"]
    assert [row["path"] for row in handed_on["mounts"]] == ["weather-eu/", "weather/"]
    assert handed_on["nodes"]  # the role's own default is the scope global, and not the module's
    assert secret_id not in up.everything
    # As written, for a version that is there.
    values = ("secret", "local", "0755", "1", "60", "1", "false", "localhost")
    padded = {name: f" {value} " for name, value in zip(empty, values, strict=True)}
    mounts = {"plugin_rollout_mounts": "weather/\nweather-eu,"}
    again = rollout.job.launch("rollout.yml", {**blanks, **padded, **mounts})
    assert again.rc == 0, again.output
    assert again.artifacts["plugin_rollout_result"]["changed"] is False


@pytest.mark.slow
@pytest.mark.each_core
@pytest.mark.parametrize("check", ["", "--check"])
@pytest.mark.parametrize("mounts", [{"canary": "nope"}, {"plugin_rollout_mounts": "cubbyhole"}])
def test_a_mount_that_is_not_there_is_refused_first(
    rollout: Weather, mounts: dict[str, str], check: str
) -> None:
    rollout.job.arguments.append(check)
    before = sorted(path.name for path in rollout.server.plugin_directory.iterdir())
    answers = {"plugin": "weather", "version": "v1.2.0", **mounts}
    job = rollout.job.launch("rollout.yml", answers)
    assert job.rc != 0
    (path,) = mounts.values()
    assert job.last_result["msg"] == (
        f'there is no mount "{path}/" of the secret plugin "weather": see the module plugin_info '
        "for its mounts; nothing was changed on n1"
    )
    assert sorted(path.name for path in rollout.server.plugin_directory.iterdir()) == before
    catalog = rollout.server.call("GET", "sys/plugins/catalog")["detailed"]
    assert "v1.2.0" not in [row["version"] for row in catalog if row["name"] == "weather"]


@pytest.mark.slow
@pytest.mark.each_core
def test_what_is_said_of_a_rollout_that_moved_no_mount(rollout: Weather) -> None:
    """Which mounts there are cannot be read, so it begins; what became of it is told as it is."""
    directory = rollout.server.plugin_directory
    blind = POLICY.replace('path "sys/mounts" {', 'path "nowhere" {')
    as_user(rollout, token=rollout.server.new_token(blind))
    answers = {"plugin": "weather", "version": "v1.2.0", "canary": "weather"}
    job = rollout.job.launch("rollout.yml", answers)
    assert job.rc != 0
    told = job.artifacts["plugin_rollout_result"]["msg"]
    assert "permission denied" in told
    assert told.endswith(
        "no mount was moved (the file is on every node, and the version is registered)"
    )
    failed = [result["msg"] for result in job.results if "msg" in result]
    assert told in failed
    assert (directory / "weather-v1.2.0").exists()
    assert rollout.serves("weather") == "v1.0.0"


@pytest.mark.slow
@pytest.mark.parametrize(
    "login",
    [
        {},
        {"token": "s.of-another-server"},
        {"role_id": "r", "secret_id": "s", "vaultops_auth_method": "approle"},
    ],
    ids=["none", "unknown", "refused"],
)
def test_without_a_login_nothing_is_copied(rollout: Weather, login: dict[str, str]) -> None:
    method = login.pop("vaultops_auth_method", "")
    as_user(rollout, **login)
    answers = {"plugin": "weather", "version": "v1.2.0", "canary": "weather"}
    job = rollout.job.launch("rollout.yml", {**answers, "vaultops_auth_method": method})
    assert job.rc != 0
    assert job.last_result["msg"].endswith("; nothing was changed on n1")
    assert ("cannot log in by approle: " in job.last_result["msg"]) is bool(method)
    assert not (rollout.server.plugin_directory / "weather-v1.2.0").exists()


@pytest.mark.slow
@pytest.mark.openbao_only("Vault starts the old plugin again, with the next request")
def test_a_job_that_is_killed_and_launched_again(weather: Weather) -> None:
    """What a cancelled job, or one over its timeout, does in a container: SIGKILL to all."""
    pid = weather.server.info("weather")["pid"]
    weather.old.fault("sleep 60")
    answers = {"plugin": "", "mounts": "weather\n", "scope": "", "state": ""}
    thread, runner = weather.job.start("reload.yml", answers)
    told = "plugin_reload: the reload may take up to 130 s; do not cancel it"
    deadline = time.monotonic() + 100
    # The line is sent before the request, but reaches the job's output on a way of its own.
    while pathlib.Path(f"/proc/{pid}").exists() or told not in done(runner).output:
        assert time.monotonic() < deadline, done(runner).output
        time.sleep(0.05)
    weather.job.kill()
    thread.join(60)
    assert done(runner).rc != 0
    assert weather.serves("weather") == ""
    weather.old.heal()

    again = weather.job.launch("reload.yml", {**answers, "state": "current"})
    assert again.rc == 0, again.output
    assert again.artifacts["plugin_reload_result"]["verified"] is True
    assert weather.serves("weather") == weather.serves("weather-eu") == "v1.0.0"


# What the modules of awx.awx 24.6.1 take of what is used here: a stand-in for each, as the
# registries at hand do not have that collection.
STAND_IN = """
from ansible.module_utils.basic import AnsibleModule
SPECS = {
    "credential_type": {
        "name": {"required": True}, "description": {}, "inputs": {"type": "dict"},
        "kind": {"choices": ["cloud", "net"]}, "injectors": {"type": "dict"},
    },
    "project": {
        "name": {"required": True}, "description": {}, "organization": {}, "scm_url": {},
        "scm_type": {"choices": ["manual", "git", "svn", "insights", "archive"]},
        "scm_update_on_launch": {"type": "bool"}, "wait": {"type": "bool", "default": True},
    },
    "job_template": {
        "name": {"required": True}, "description": {}, "organization": {}, "project": {},
        "playbook": {}, "inventory": {}, "credentials": {"type": "list", "elements": "str"},
        "timeout": {"type": "int"}, "survey_enabled": {"type": "bool"},
        "survey_spec": {"type": "dict"},
    },
    "workflow_job_template": {
        "name": {"required": True}, "description": {}, "organization": {},
        "survey_enabled": {"type": "bool"}, "survey_spec": {"type": "dict"},
        "destroy_current_nodes": {"type": "bool", "default": False},
        "workflow_nodes": {"type": "list", "elements": "dict"},
    },
}
module = AnsibleModule(argument_spec=SPECS["MODULE"])
module.exit_json(changed=False, asked=module.params)
"""


@pytest.mark.slow
def test_the_playbook_that_makes_it_on_handwritten_modules(tmp_path: pathlib.Path) -> None:
    """controller.yml and awx-import.json make the same."""
    ansible = Ansible(tmp_path)
    ansible.environment()
    modules = tmp_path / "collections" / "ansible_collections" / "awx" / "awx" / "plugins/modules"
    modules.mkdir(parents=True)
    names = ("credential_type", "project", "job_template", "workflow_job_template")
    for name in names:
        (modules / f"{name}.py").write_text(STAND_IN.replace("MODULE", name))
    run = ansible.play_file(AWX / "controller.yml")
    assert run.returncode == 0, run.output
    kind, project, templates, workflow = (task.result for task in run.tasks)
    # The job templates need a credential, and that the type.
    first = ansible.play_file(AWX / "controller.yml", options=["--tags", "credential_type"])
    assert [task.result["asked"] for task in first.tasks] == [kind["asked"]]
    assert "controller.yml --tags credential_type" in GUIDE
    document = import_document()
    (same,) = document["credential_types"]
    for name in ("name", "kind", "inputs", "injectors"):
        assert kind["asked"][name] == same[name]
    assert project["asked"]["scm_url"] == document["projects"][0]["scm_url"]
    made = [each["asked"] for each in templates["results"]]
    assert [
        (each["name"], each["playbook"], each["timeout"], each["survey_spec"]) for each in made
    ] == [
        (each["name"], each["playbook"], each["timeout"], each["related"]["survey_spec"])
        for each in document["job_templates"]
    ]
    (same,) = document["workflow_job_templates"]
    assert workflow["asked"]["survey_spec"] == same["related"]["survey_spec"]
    nodes = [node["identifier"] for node in workflow["asked"]["workflow_nodes"]]
    assert nodes == [node["identifier"] for node in same["related"]["workflow_nodes"]]
    assert all(document["job_templates"][0]["inventory"]["name"] == m["inventory"] for m in made)
