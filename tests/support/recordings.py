# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real server answered to real tasks: how it is kept, and how such a task is run.

recorder.py writes the files, tests/integration/test_recorded.py replays them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import pathlib
import types
import typing as t
from unittest import mock

RECORDED = pathlib.Path(__file__).resolve().parents[1] / "recorded"
# No such host: all requests go to the proxy, which records them or replays what it has.
URL = "http://vault.test:8200"
TOKEN = "a-token-of-the-recordings"
# The operation of a plain request.
REQUEST = "request"
OPERATIONS = "ansible_collections.vaultops.vault.plugins.module_utils._operations"


@dataclasses.dataclass(frozen=True)
class Task:
    """A task and its result; the connection is left out of ``options``."""

    operation: str
    options: dict[str, t.Any]
    check_mode: bool
    result: dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A request of the task with the number ``task``, and the server's answer.

    ``path`` has no /v1/ but the query; ``body`` and ``answer`` are what JSON they held, or None.
    """

    task: int
    method: str
    path: str
    body: t.Any
    status: int
    headers: dict[str, str]
    answer: t.Any

    @property
    def request(self) -> str:
        """The request in words."""
        body = "" if self.body is None else f" {json.dumps(self.body, sort_keys=True)}"
        return f"{self.method} {self.path}{body}"


@dataclasses.dataclass(frozen=True)
class Recording:
    """A scenario: what was arranged, in words, its tasks, and what was sent for them."""

    product: str
    version: str
    arranged: str
    tasks: list[Task]
    exchanges: list[Exchange]

    @classmethod
    def read(cls, path: pathlib.Path) -> Recording:
        """Read a file."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            content["product"],
            content["version"],
            content["arranged"],
            [Task(**task) for task in content["tasks"]],
            [Exchange(**exchange) for exchange in content["exchanges"]],
        )

    def write(self, path: pathlib.Path) -> None:
        """Write a file, in lines that a diff can show."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = dataclasses.asdict(self)
        path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


class OptionsRefused(ValueError):
    """Ansible itself does not take the options of a task."""


class PlainRequest:
    """In the place of an operation: a request of the client, and what the client made of it."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "method": {"type": "str"},
        "path": {"type": "str"},
        "body": {"type": "dict"},
        "query": {"type": "dict"},
    }
    CONSTRAINTS: t.ClassVar[dict[str, t.Any]] = {}

    @staticmethod
    def run(client: t.Any, params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        """Send the request."""
        names = ("method", "path", "body")
        answer = client.request(*(params[name] for name in names), query=params["query"])
        return {"changed": False, **answer._asdict()}


def recorded_files() -> list[pathlib.Path]:
    """Return all recordings."""
    return sorted(RECORDED.glob("*/*.json"))


def run_task(
    operation: str,
    options: dict[str, t.Any],
    check_mode: bool,
    *,
    proxy: str,
    token: str,
    variables: t.Mapping[str, str] = types.MappingProxyType({}),
) -> dict[str, t.Any]:
    """Run a task of the collection in this process, through ``proxy``; return its result.

    The options are validated as the fronts do it; ``variables`` are those of the client.  Failures
    are told at once, as ``retries`` is 0.
    """
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    from ansible_collections.vaultops.vault.plugins.module_utils._front import given, perform
    from ansible_collections.vaultops.vault.plugins.module_utils._http.distance import NEAR

    chosen: t.Any = PlainRequest
    if operation != REQUEST:
        chosen = importlib.import_module(f"{OPERATIONS}.{operation}")
    connection: dict[str, t.Any] = {"url": URL, "proxies": proxy, "retries": 0}
    if not {"auth_method", "token", "token_path"} & {*options} and "BAO_TOKEN" not in variables:
        connection["token"] = token
    spec = perform.argument_spec(chosen)
    validator = ArgumentSpecValidator(spec, **chosen.CONSTRAINTS)
    checked = validator.validate(given.given_options({**connection, **options}, spec))
    if checked.error_messages:
        raise OptionsRefused(f"{operation} {options}: {checked.error_messages}")
    # What is kept is replayed request by request: to a near server they go one after the other.
    NEAR.note(URL, 0.0)
    with _client_variables(variables):
        outcome = perform.perform(chosen, checked.validated_parameters, check_mode)
    result = {**outcome.result, "warnings": outcome.warnings}
    as_data: dict[str, t.Any] = json.loads(json.dumps(result))
    return as_data


def _client_variables(variables: t.Mapping[str, str]) -> contextlib.AbstractContextManager[t.Any]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VAULT_", "BAO_")) and not name.lower().endswith("_proxy")
    }
    return mock.patch.dict(os.environ, {**kept, **variables}, clear=True)
