# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any answer, and any option: no exception, no false `changed`, no other path, no write in check.

The server is handwritten: it answers as recorded, but for what hypothesis spoils.
"""

from __future__ import annotations

import collections
import importlib
import json
import re
import resource
import time
import typing as t

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.vaultops.vault.tests.support import trust
from ansible_collections.vaultops.vault.tests.support.hostile import (
    CLIENT_TOKEN,
    LOGIN,
    SECRET_ID,
    HostileServer,
    Reply,
    Scene,
    Spoilt,
    any_scene,
    hostile_server,
    plans,
    scenes,
    texts,
    values,
)
from ansible_collections.vaultops.vault.tests.support.recordings import (
    OPERATIONS,
    TOKEN,
    OptionsRefused,
    run_task,
)

# One process has the counts of all.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hostile")]
SCENES = any_scene()
# Bounds of one task: seconds, and what the process may grow, in bytes.
LONGEST, MOST_MEMORY = 30.0, 128 * 1024**2
# Of the connection and the login; not those that would lead to another server.
COMMON = {
    "namespace": {"type": "str"},
    "timeout": {"type": "str"},
    "connect_timeout": {"type": "str"},
    "tls_server_name": {"type": "str"},
    "mount_point": {"type": "str"},
    "role_id": {"type": "str"},
    "token": {"type": "str"},
    "ca_cert": {"type": "str"},
}
# What a task may ask for; {names} stand for the options as they were given.
READABLE = re.compile(
    r"sys/(health|leader|ha-status|mounts|auth|namespaces|in-flight-req|plugins/pins"
    r"|internal/ui/mounts|storage/raft/configuration|plugins/catalog|plugins/runtimes/catalog"
    r"|plugins/catalog/(auth|secret|database)/[^/]+|plugins/reload/backend/status)"
    r"|auth/token/lookup-self"
)
WRITABLE = {
    "login": [],
    "plugin": ["sys/plugins/catalog/{type}/{name}"],
    "plugin_info": [],
    "plugin_pin": ["sys/plugins/pins/{type}/{name}"],
    "plugin_reload": ["sys/plugins/reload/backend", "sys/plugins/reload/{plugin_type}/{plugin}"],
    "plugin_runtime": ["sys/plugins/runtimes/catalog/container/{name}"],
    "plugin_upgrade": [
        "sys/plugins/reload/backend",
        "sys/mounts/{mount}/tune",
        "sys/plugins/pins/secret/{plugin}",
        "sys/plugins/pins/auth/{plugin}",
    ],
}
# Of the mounts that the recorded answers name.
MOUNTS = ("a", "b", "kv", "keys", "my-secrets", "login")


@pytest.fixture(scope="module")
def server() -> t.Iterator[HostileServer]:
    """The server of all tests here."""
    with hostile_server() as running:
        yield running


@pytest.fixture(scope="module")
def tried(request: pytest.FixtureRequest) -> t.Iterator[collections.Counter[str]]:
    """What was tried here, by test and module: noted in the end, where nothing failed."""
    counts: collections.Counter[str] = collections.Counter()
    failed = request.session.testsfailed
    yield counts
    if request.session.testsfailed == failed:
        trust.note("hostile", tried=counts)


def _named(name: str) -> Scene:
    return next(scene for scene in scenes() if scene.name == name)


def run(
    scene: Scene, options: dict[str, t.Any], check: bool, server: HostileServer
) -> dict[str, t.Any]:
    """Run a task; what must hold of any result is checked here."""
    before, since = _peak(), time.monotonic()
    with trust.short_pauses():
        result = run_task(scene.task.operation, options, check, proxy=server.url, token=TOKEN)
    assert time.monotonic() - since < LONGEST
    assert _peak() - before < MOST_MEMORY
    assert isinstance(result["changed"], bool)
    shown = json.dumps({**result, "login": None})
    assert not any(secret in shown for secret in (TOKEN, CLIENT_TOKEN, SECRET_ID))
    for text in (result.get("msg", "ok"), *result["warnings"]):
        assert text.isprintable(), text
    assert not (check and [seen for seen in server.seen if seen.is_write])
    return result


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _quick(options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return options that let no task wait long for nodes that do not come."""
    return {"wait_timeout": "50ms", "wait_interval": "10ms"} if "scope" in options else {}


def _is_told(server: HostileServer, scene: Scene) -> bool:
    """Tell whether the server's own word came back to a write, or after it."""
    if scene.task.operation == "login":
        return any(seen.own_word for seen in server.seen if seen.method == "POST")
    first = next((n for n, seen in enumerate(server.seen) if seen.is_write), None)
    return first is not None and any(seen.own_word for seen in server.seen[first:])


@trust.examples
@example(_named("pins 7"), {0: Reply(200, b"\xff\xfe{\x00}\x00")}, False, False, False)
@given(
    scene=SCENES,
    plan=plans,
    logs_in=st.booleans(),
    check=st.booleans(),
    openbao=st.booleans(),
)
def test_handwritten_answers_of_any_kind(
    server: HostileServer,
    tried: collections.Counter[str],
    scene: Scene,
    plan: dict[int, Spoilt],
    logs_in: bool,
    check: bool,
    openbao: bool,
) -> None:
    server.begin(scene, plan, openbao)
    tried[f"answers to {scene.task.operation}"] += 1
    options = {**_quick(scene.task.options), **scene.task.options}
    if logs_in and scene.name != "login":
        options = {**options, **LOGIN}
        options.pop("token", None)
    result = run(scene, options, check, server)
    if result["changed"] and not check:
        assert _is_told(server, scene), result


def _value(spec: dict[str, t.Any]) -> st.SearchStrategy[t.Any]:
    kinds: dict[str, st.SearchStrategy[t.Any]] = {
        "str": texts,
        "path": texts,
        "list": st.lists(texts, max_size=3),
        "int": st.integers(),
        "bool": st.booleans(),
        "raw": values,
    }
    if "choices" in spec:
        return st.sampled_from(spec["choices"])
    return kinds[spec["type"]]


@st.composite
def scenes_with_options(draw: st.DrawFn) -> tuple[Scene, dict[str, t.Any]]:
    """Draw a scene, and other values for some of its task's options."""
    scene = draw(SCENES)
    operation: t.Any = importlib.import_module(f"{OPERATIONS}.{scene.task.operation}")
    spec = {**operation.SPEC, **COMMON}
    names = draw(st.lists(st.sampled_from(sorted(spec)), min_size=1, max_size=3, unique=True))
    options = {name: draw(_value(spec[name])) for name in names}
    if {"mount_point", "role_id"} & options.keys():
        options = {**LOGIN, **options}
        options.pop("token", None)
    return scene, options


def _meant(template: str, options: dict[str, t.Any]) -> list[str]:
    """Return the paths that a template means, of the options as they were given."""
    names = [options.get("mounts") or (), MOUNTS] if "{mount}" in template else [[""]]
    given = {name: str(value).strip() for name, value in options.items()}
    try:
        return [
            template.format(**{**given, "mount": mount.strip().strip("/")})
            for group in names
            for mount in group
        ]
    except KeyError:
        return []


def _assert_meant(server: HostileServer, scene: Scene, options: dict[str, t.Any]) -> None:
    """Hold each request against what the options mean."""
    operation = scene.task.operation
    mount_point = str(options.get("mount_point") or "")
    # What is blank is not given.
    login = (mount_point if mount_point.strip() else "approle").strip("/")
    writable = [path for each in WRITABLE[operation] for path in _meant(each, options)]
    writable += [f"auth/{login}/login", "auth/token/revoke-self"]
    mounts = [*MOUNTS, *(mount.strip().strip("/") for mount in options.get("mounts") or ())]
    recorded = {exchange.path.partition("?")[0] for exchange in scene.exchanges}
    for seen in server.seen:
        assert seen.target.startswith("/v1/"), seen
        assert not {".", ".."} & set(seen.path.split("/")), seen
        if seen.method not in ("GET", "LIST"):
            assert seen.path in writable, (seen, writable)
        elif not READABLE.fullmatch(seen.path) and seen.path not in recorded:
            inner = seen.path.removeprefix("sys/mounts/")
            assert any(f"{inner}/".startswith(f"{mount}/") for mount in mounts), seen


@trust.examples
@given(chosen=scenes_with_options(), check=st.booleans())
# What failed once: half a character in a path, another path, a message of two lines.
@example(chosen=(_named("login"), {**LOGIN, "mount_point": "\ud800"}), check=False)
@example(chosen=(_named("login"), {**LOGIN, "mount_point": "../sys/seal"}), check=False)
@example(chosen=(_named("upgrade 0"), {"plugin": "a\nb"}), check=False)
@example(chosen=(_named("upgrade 0"), {"canary": "a\nb"}), check=False)
def test_handwritten_answers_to_options_of_any_kind(
    server: HostileServer,
    tried: collections.Counter[str],
    chosen: tuple[Scene, dict[str, t.Any]],
    check: bool,
) -> None:
    scene, other = chosen
    server.begin(scene, {})
    options = {**_quick({"scope": 1} if "scope" in other else {}), **scene.task.options, **other}
    if "auth_method" in options:
        options.pop("token", None)
    try:
        run(scene, options, check, server)
        tried[f"options of {scene.task.operation}"] += 1
    except OptionsRefused:
        tried["options that Ansible itself refuses"] += 1
    _assert_meant(server, scene, options)
