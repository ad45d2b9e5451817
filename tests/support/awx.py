# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX hands them to ansible-runner, and credentials as AWX injects them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import typing as t
from threading import Thread

import yaml
from ansible_runner.interface import run_async
from awx_plugins.interfaces._temporary_private_api import ManagedCredentialType
from awx_plugins.interfaces._temporary_private_credential_api import Credential
from awx_plugins.interfaces._temporary_private_inject_api import inject_credential

from .ansible_runs import REPOSITORY

# By it all processes of a job are found.
MARK = "VAULTOPS_TEST_JOB"
SECONDS = 300

# Those that stand in for the credential's, in a test's own environment.
CONNECTION = ("BAO_ADDR", "BAO_TOKEN", "BAO_CACERT")


@dataclasses.dataclass(frozen=True)
class Done:
    """A job that has ended: what it printed, and its events in order."""

    rc: int
    output: str
    events: list[dict[str, t.Any]]

    @property
    def everything(self) -> str:
        """All that AWX keeps of it."""
        return self.output + json.dumps(self.events)

    @property
    def results(self) -> list[dict[str, t.Any]]:
        """The results of all tasks."""
        ends = ("runner_on_ok", "runner_on_failed")
        return [event["event_data"]["res"] for event in self.events if event["event"] in ends]

    @property
    def last_result(self) -> dict[str, t.Any]:
        """The result of the last task."""
        return self.results[-1]

    @property
    def artifacts(self) -> dict[str, t.Any]:
        """What it hands on to the next nodes of a workflow: what AWX takes of the last event."""
        (stats,) = [event for event in self.events if event["event"] == "playbook_on_stats"]
        found: dict[str, t.Any] = stats["event_data"].get("artifact_data", {})
        return found


class Job:
    """The private data directory of a job: ``project`` is what AWX has checked out."""

    def __init__(self, directory: pathlib.Path, environment: t.Mapping[str, str]) -> None:
        self.directory = directory
        self.project = directory / "project"
        self.project.mkdir(parents=True)
        self.environment: dict[str, t.Any] = dict(environment)
        self.arguments: list[str] = []
        self.launches = 0

    def inventory(self, text: str) -> None:
        """Write the inventory."""
        (self.directory / "inventory").mkdir(exist_ok=True)
        (self.directory / "inventory" / "hosts").write_text(text)

    def inject(
        self, credential_type: t.Mapping[str, t.Any], inputs: t.Mapping[str, str]
    ) -> dict[str, t.Any]:
        """Give it a credential, in the place of the test's own variables; return what AWX shows."""
        for name in CONNECTION:
            self.environment.pop(name, None)
        (self.directory / "env").mkdir(exist_ok=True)
        shown: dict[str, t.Any] = {}
        inject_credential(
            ManagedCredentialType(
                namespace="vaultops",
                name=str(credential_type.get("name", "OpenBao or Vault")),
                kind="external",
                inputs=credential_type["inputs"],
                injectors=credential_type["injectors"],
            ),
            _Entered(dict(inputs)),
            self.environment,
            shown,
            self.arguments,
            str(self.directory),
        )
        # AWX has the directory in a container, as /runner.
        for name, value in self.environment.items():
            self.environment[name] = value.replace("/runner/env/", f"{self.directory}/env/")
        self.arguments = [
            word.replace("/runner/env/", f"{self.directory}/env/") for word in self.arguments
        ]
        return shown

    def launch(self, playbook: str, answers: t.Mapping[str, t.Any]) -> Done:
        """Run a playbook of the project; ``answers`` are those to the survey."""
        thread, job = self.start(playbook, answers)
        thread.join(SECONDS)
        return done(job)

    def start(self, playbook: str, answers: t.Mapping[str, t.Any]) -> tuple[Thread, t.Any]:
        """Start a playbook of the project, and return the thread that runs it, and the runner."""
        self.launches += 1
        thread, job = run_async(
            private_data_dir=str(self.directory),
            ident=str(self.launches),
            playbook=playbook,
            envvars={**self.environment, MARK: str(self.directory)},
            extravars=dict(answers),
            cmdline=" ".join(self.arguments) or None,
            quiet=True,
        )
        return thread, job

    def kill(self) -> None:
        """Kill all processes of it at once, as the end of its container does."""
        mark = f"{MARK}={self.directory}".encode()
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)


def done(job: t.Any) -> Done:
    """Return what became of a job that has ended."""
    with job.stdout as file:
        output = file.read()
    # Where Ansible itself was killed, there is no exit status.
    return Done(-1 if job.rc is None else job.rc, output, list(job.events))


class _Entered(Credential):
    """A credential as a user has entered it in AWX."""

    def __init__(self, inputs: dict[str, t.Any]) -> None:
        self.inputs = inputs

    def get_input(self, field_name: str, default: t.Any = None) -> t.Any:
        return self.inputs.get(field_name, default)

    def get_input_keys(self) -> list[str]:
        return list(self.inputs)


# docs/awx, as the command `awx import` takes it.
AWX = REPOSITORY / "docs" / "awx"


class _Loader(yaml.SafeLoader):
    """Reads YAML of Ansible."""


_Loader.add_constructor("!unsafe", lambda loader, node: str(node.value))


def objects() -> dict[str, t.Any]:
    """Return what docs/awx/objects.yml describes, its variables filled in."""
    text = (AWX / "objects.yml").read_text(encoding="utf-8")
    plain = yaml.load(text, _Loader)
    for name in ("organization", "inventory", "credential", "machine_credential"):
        text = text.replace(f'"{{{{ awx_{name} }}}}"', json.dumps(plain[f"awx_{name}"]))
    found: dict[str, t.Any] = yaml.load(text, _Loader)
    return found


def import_document() -> dict[str, t.Any]:
    """Return what `awx import` takes: each object with the natural keys of others."""
    all_objects = objects()
    organization = {"type": "organization", "name": all_objects["awx_organization"]}

    def key(kind: str, name: str) -> dict[str, t.Any]:
        return {"type": kind, "organization": organization, "name": name}

    def survey(template: dict[str, t.Any]) -> dict[str, t.Any]:
        return {"name": template["name"], "description": "", "spec": template["survey"]}

    own_type = all_objects["awx_credential_type"]
    type_key = {"type": "credential_type", "name": own_type["name"], "kind": own_type["kind"]}
    machine_key = {"type": "credential_type", "name": "Machine", "kind": "ssh"}
    credentials = {
        all_objects["awx_credential"]: type_key,
        all_objects["awx_machine_credential"]: machine_key,
    }
    project = all_objects["awx_project"]
    workflow = all_objects["awx_workflow"]
    workflow_key = key("workflow_job_template", workflow["name"])

    def node_key(identifier: str) -> dict[str, t.Any]:
        kind = "workflow_job_template_node"
        return {"type": kind, "workflow_job_template": workflow_key, "identifier": identifier}

    def node(described: dict[str, t.Any]) -> dict[str, t.Any]:
        template = described["unified_job_template"]
        related: dict[str, t.Any] = {
            name: [node_key(other["identifier"]) for other in others]
            for name, others in described.get("related", {}).items()
        }
        made: dict[str, t.Any] = {"identifier": described["identifier"]}
        if template["type"] == "workflow_approval":
            approval = {name: template[name] for name in ("name", "description", "timeout")}
            related["create_approval_template"] = approval
        else:
            made["unified_job_template"] = key("job_template", template["name"])
        return {**made, "related": related, "natural_key": node_key(described["identifier"])}

    return {
        "credential_types": [{**own_type, "natural_key": type_key}],
        "projects": [
            {
                **project,
                "organization": organization,
                "natural_key": key("project", project["name"]),
            }
        ],
        "job_templates": [
            {
                **{name: template[name] for name in ("name", "description", "playbook")},
                "job_type": "run",
                "organization": organization,
                "inventory": key("inventory", all_objects["awx_inventory"]),
                "project": key("project", project["name"]),
                "timeout": 0,
                "survey_enabled": True,
                "related": {
                    "credentials": [
                        {**key("credential", name), "credential_type": credentials[name]}
                        for name in template["credentials"]
                    ],
                    "survey_spec": survey(template),
                },
                "natural_key": key("job_template", template["name"]),
            }
            for template in all_objects["awx_job_templates"]
        ],
        "workflow_job_templates": [
            {
                "name": workflow["name"],
                "description": workflow["description"],
                "organization": organization,
                "survey_enabled": True,
                "related": {
                    "workflow_nodes": [node(each) for each in workflow["nodes"]],
                    "survey_spec": survey(workflow),
                },
                "natural_key": workflow_key,
            }
        ],
    }


if __name__ == "__main__":
    text = json.dumps(import_document(), indent=2)
    (AWX / "awx-import.json").write_text(f"{text}\n", encoding="utf-8")
