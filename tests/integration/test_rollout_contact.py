# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user of the role meets before anything is copied: no server is needed to say it."""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

import pytest
import yaml

from ansible_collections.vaultops.vault.plugins.module_utils._front.given import given_options
from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import argument_spec
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_upgrade
from ansible_collections.vaultops.vault.tests.support.ansible_runs import REPOSITORY, Ansible, Run

PLAYBOOK = REPOSITORY / "playbooks" / "plugin_rollout.yml"
FOR_AWX = REPOSITORY / "playbooks" / "plugin_rollout_awx.yml"
VARIABLES = REPOSITORY / "roles" / "plugin_rollout" / "vars" / "main.yml"
NODES = "[vault]\nn1\nn2\n[vault:vars]\nplugin_rollout_directory=/nowhere\n"


@pytest.fixture
def ansible(tmp_path: pathlib.Path) -> Ansible:
    """Ansible with an inventory of two nodes that are not there."""
    own = "ansible_python_interpreter={{ ansible_playbook_python }}"
    local = f"ansible_connection=local\n{own}\n"
    (tmp_path / "inventory").write_text(NODES + local)
    (tmp_path / "others").write_text("[others]\nn1\n")
    return Ansible(tmp_path)


REQUIRED: dict[str, t.Any] = {
    "plugin_rollout_name": "w",
    "plugin_rollout_version": "v1.0.0",
    "plugin_rollout_src": "/nowhere",
}


def roll_out(
    ansible: Ansible,
    *options: str,
    inventory: str = "inventory",
    playbook: pathlib.Path = PLAYBOOK,
    **variables: t.Any,
) -> Run:
    """Run a playbook of the collection."""
    given = ["-e", json.dumps(variables)]
    return ansible.play_file(playbook, options=["-i", inventory, *given, *options])


def test_no_variables(ansible: Ansible) -> None:
    run = roll_out(ansible)
    assert run.returncode != 0
    missing = "missing required arguments: plugin_rollout_name, plugin_rollout_src, plugin_rollout_"
    assert missing in run.output
    assert "is undefined" not in run.output


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ([], "vault"),
        (["-e", "plugin_rollout_hosts=vault:&n9"], "vault:&n9"),
        (["-e", '{"plugin_rollout_hosts": ["n8", "n9"]}'], "n8,n9"),
    ],
)
def test_no_nodes(ansible: Ansible, options: list[str], pattern: str) -> None:
    run = roll_out(ansible, *options, inventory="others" if pattern == "vault" else "inventory")
    assert run.returncode != 0
    assert f'no host of the inventory is in "{pattern}", so nothing was done' in run.result.message


@pytest.mark.each_core
@pytest.mark.parametrize("playbook", [PLAYBOOK, FOR_AWX], ids=lambda path: path.stem)
def test_hosts_of_a_variable_that_is_not_there(ansible: Ansible, playbook: pathlib.Path) -> None:
    """They are not empty: the group vault may be another cluster."""
    hosts = '{"plugin_rollout_hosts": "{{ no_such_nodes }}"}'
    run = roll_out(ansible, "-e", hosts, playbook=playbook)
    assert run.returncode != 0
    assert "'no_such_nodes' is undefined" in run.output


@pytest.mark.each_core
@pytest.mark.parametrize("hosts", ['["n1", ""]', '[" "]', '["n1", null]'], ids=str)
def test_an_empty_item_of_the_hosts(ansible: Ansible, hosts: str) -> None:
    run = roll_out(ansible, "-e", f'{{"plugin_rollout_hosts": {hosts}}}')
    assert run.returncode != 0
    assert run.result.message == "plugin_rollout_hosts has an empty item, so nothing was done"


@pytest.mark.each_core
@pytest.mark.parametrize("playbook", [PLAYBOOK, FOR_AWX], ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("hosts", "nodes"),
    [
        (["n1"], ["n1"]),
        (["n1", "n2"], ["n1", "n2"]),
        ([], ["n1", "n2"]),
        (" ", ["n1", "n2"]),
        (None, ["n1", "n2"]),
        ("n2", ["n2"]),
        (" n2,", ["n2"]),
    ],
    ids=str,
)
def test_which_hosts(
    ansible: Ansible, playbook: pathlib.Path, hosts: t.Any, nodes: list[str]
) -> None:
    answers = {"plugin": "w", "version": "v1.0.0"}
    variables: dict[str, t.Any] = {**REQUIRED, **answers, "plugin_rollout_hosts": hosts}
    run = roll_out(ansible, playbook=playbook, **variables)
    assert run.returncode != 0
    told = [task.message for task in run.tasks if task.failed]
    assert len(told) == len(nodes)
    for message in told:
        assert "on the controller is not there; nothing was changed" in message
    for node in nodes:
        assert f"fatal: [{node}" in run.output


@pytest.mark.parametrize("playbook", [PLAYBOOK, FOR_AWX], ids=lambda path: path.stem)
def test_hosts_that_the_inventory_names(ansible: Ansible, playbook: pathlib.Path) -> None:
    """What names the hosts of a play sees no variable of the inventory."""
    text = "[web]\nn1\n\n[all:vars]\nplugin_rollout_hosts=web\n"
    (ansible.directory / "of another name").write_text(text)
    run = roll_out(ansible, inventory="of another name", playbook=playbook)
    assert run.returncode != 0
    assert 'no host of the inventory is in "vault", so nothing was done' in run.result.message


@pytest.mark.each_core
@pytest.mark.parametrize("playbook", [PLAYBOOK, FOR_AWX], ids=lambda path: path.stem)
@pytest.mark.parametrize("inventory", ["with nodes", "without"])
def test_a_limit_that_leaves_no_node(
    ansible: Ansible, playbook: pathlib.Path, inventory: str
) -> None:
    """It leaves no localhost either, and a play without hosts is green."""
    (ansible.directory / "without").write_text("[web]\nweb1\n")
    (ansible.directory / "with nodes").write_text(f"[web]\nweb1\n{NODES}")
    run = roll_out(ansible, "--limit", "web1", inventory=inventory, playbook=playbook)
    assert run.returncode != 0
    assert 'no host of the inventory is in "vault" and in the limit "web1"' in run.result.message


@pytest.mark.each_core
@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        ({}, "plugin, version"),
        ({"plugin": "w"}, "version"),
        ({"plugin": " ", "version": "v1.0.0"}, "plugin"),
        ({"plugin": None, "version": "v1.0.0"}, "plugin"),
        ({"plugin": "w", "version": None}, "version"),
    ],
)
def test_an_answer_that_the_survey_did_not_ask_for(
    ansible: Ansible, answers: dict[str, t.Any], missing: str
) -> None:
    run = roll_out(ansible, playbook=FOR_AWX, **answers)
    assert run.returncode != 0
    assert run.result.message == (
        f"{missing} not given, so nothing was done: the survey of the job template has to ask for "
        "it"
    )


@pytest.mark.each_core
@pytest.mark.parametrize("folder", ["", " ", None], ids=repr)
def test_files_beside_the_playbook(ansible: Ansible, folder: str | None) -> None:
    variables: dict[str, t.Any] = {"plugin": "w", "version": "v1.0.0", "plugin_files": folder}
    run = roll_out(ansible, playbook=FOR_AWX, **variables)
    assert run.returncode != 0
    beside = FOR_AWX.parent / "files" / "w-v1.0.0"
    assert f"{beside} on the controller is not there" in run.output


DEFAULTS: dict[str, t.Any] = yaml.safe_load(VARIABLES.read_text(encoding="utf-8"))[
    "__plugin_rollout_defaults"
]
EMPTY: list[t.Any] = ["", "  ", "\n", None, []]


def given(ansible: Ansible, cases: t.Sequence[tuple[str, t.Any]]) -> list[t.Any]:
    """Return what the role takes of each of the cases, which are a variable and its value."""
    values = {f"case_{number}": value for number, (_name, value) in enumerate(cases)}
    run = ansible.playbook(
        {"ansible.builtin.include_vars": str(VARIABLES)},
        *(
            {
                "ansible.builtin.debug": {"var": f"__plugin_rollout_taken.{name}"},
                "vars": {f"plugin_rollout_{name}": f"{{{{ case_{number} }}}}"},
            }
            for number, (name, _value) in enumerate(cases)
        ),
        options=["-e", json.dumps(values)],
    )
    assert run.returncode == 0, run.output
    return [
        task[f"__plugin_rollout_taken.{name}"]
        for task, (name, _value) in zip(run.tasks[1:], cases, strict=True)
    ]


@pytest.mark.each_core
def test_an_empty_variable_is_not_given(ansible: Ansible) -> None:
    cases = [(name, value) for name in DEFAULTS for value in EMPTY[:3]]
    cases += [(name, None) for name in DEFAULTS]
    cases += [(name, []) for name, value in DEFAULTS.items() if isinstance(value, list)]
    taken = given(ansible, cases)
    for case, value in zip(cases, taken, strict=True):
        # ansible-core makes texts of numbers up to 2.18.
        assert str(value) == str(DEFAULTS[case[0]]), case


@pytest.mark.each_core
def test_blanks_around_a_variable_do_not_count(ansible: Ansible) -> None:
    texts = [name for name, value in DEFAULTS.items() if not isinstance(value, list)]
    lists = [name for name, value in DEFAULTS.items() if isinstance(value, list)]
    cases: list[tuple[str, t.Any]] = [(name, " a b\n") for name in texts]
    expected: list[t.Any] = ["a b"] * len(texts)
    for text in ("a, b", "a\nb\n", " a\r\n\r\n b\r\n", "a,,b,", ' ["a", "b"]\n'):
        cases += [(name, text) for name in lists]
        expected += [["a", "b"]] * len(lists)
    assert given(ansible, cases) == expected


LISTS: list[tuple[t.Any, list[str]]] = [
    ('["a, b", "c"]', ["a, b", "c"]),
    (' [ "a" ,\n"\\u00e4\\"b" ] \n', ["a", '\u00e4"b']),
    ("[]", []),
    ('["a", 5, true]', ["a", "5", "True"]),
    # What is no JSON is no list, though YAML would read one.
    ("[a]", ["[a]"]),
    ("[a, b]", ["[a", "b]"]),
    ('["a", 007]', ['["a"', "007]"]),
    # A list of nothing but empty items is not empty: that would mean all mounts.
    (",", [""]),
    (" ,\n", [""]),
    ([""], [""]),
    ([None], [""]),
    ("[null]", [""]),
    (["a", ""], ["a", ""]),
    (["a", None], ["a", ""]),
    ('["a", ""]', ["a", ""]),
    ("a,,b,\n", ["a", "b"]),
    (2024, ["2024"]),
]


@pytest.mark.each_core
def test_a_list_is_taken_as_the_modules_take_it(ansible: Ansible) -> None:
    expected = [items for _value, items in LISTS]
    assert given(ansible, [("mounts", value) for value, _items in LISTS]) == expected
    spec = argument_spec(plugin_upgrade)
    for value, items in LISTS:
        taken = given_options({"mounts": value}, spec).get("mounts", [])
        assert ["" if item is None else str(item) for item in taken] == items, value


def mount(version: str, alive: bool | None, error: str = "", **more: t.Any) -> dict[str, t.Any]:
    """Return what plugin_upgrade says of a mount; None as ``after`` is not known."""
    ran, runs = {"version": "v1.0.0"}, {"version": version}
    row = {"path": "w/", "alive": alive, "error": error or None, "before": ran, "after": runs}
    return {**row, **more}


LINES = {
    "moved": (mount("v1.1.0", True), "w/ ran v1.0.0, runs v1.1.0"),
    "down": (mount("v1.1.0", False, "does not answer"), "w/ ran v1.0.0, runs down"),
    "a wrong probe": (mount("v1.1.0", True, "not the probe"), "w/ ran v1.0.0, runs v1.1.0"),
    "not known": (mount("v1.1.0", None, "no answer"), "w/ ran v1.0.0, runs unknown"),
    "not read": (mount("", None, after=None), "w/ ran v1.0.0, runs unknown"),
    "an entry without version": (mount("", True), "w/ ran v1.0.0, runs no version"),
}


def test_the_last_line(ansible: Ansible) -> None:
    run = ansible.playbook(
        {"ansible.builtin.include_vars": str(VARIABLES)},
        *(
            {
                "ansible.builtin.debug": {"msg": "{{ __plugin_rollout_line }}"},
                "vars": {
                    "__plugin_rollout_given": {"name": "w"},
                    "__plugin_rollout_upgraded": {"mounts": [row]},
                },
            }
            for row, _line in LINES.values()
        ),
    )
    lines = [result.message for result in run.tasks if result.message]
    assert lines == [f"w: {line}" for _row, line in LINES.values()]


def test_a_misspelled_variable(ansible: Ansible) -> None:
    run = roll_out(ansible, **REQUIRED, plugin_rollout_canery="w")
    assert run.returncode != 0
    told = (
        "plugin_rollout_canery is not a variable of the role: see "
        "ansible-doc -t role vaultops.vault.plugin_rollout; nothing was changed on"
    )
    assert {task.message for task in run.tasks if task.failed} == {f"{told} n1", f"{told} n2"}


# Names that the role's own variables had, and would be taken for by a slip.
SLIPS: dict[str, t.Any] = {
    "file": "x",
    "folder": "x",
    "link": "x",
    "node": "x",
    "number": 1,
    "given": {},
    "defaults": {},
    "options": [],
    "own": [],
    "unknown": [],
    "wrong": [],
    "refusal": "",
    "missing": [],
    "paths": "x",
    "file_name": "x",
    "file_here": "x",
    "connection": "local",
    "cluster": [],
}


@pytest.mark.each_core
@pytest.mark.parametrize("where", ["command line", "inventory"])
def test_the_roles_own_variables_are_none_of_a_user(ansible: Ansible, where: str) -> None:
    names = [f"plugin_rollout_{name}" for name in SLIPS]
    values = dict(zip(names, SLIPS.values(), strict=True))
    if where == "inventory":
        (ansible.directory / "group_vars").mkdir()
        (ansible.directory / "group_vars" / "all.json").write_text(json.dumps(values))
        values = {}
    run = roll_out(ansible, **REQUIRED, **values)
    assert run.returncode != 0
    messages = [task.message for task in run.tasks if task.failed]
    assert len(messages) == 2
    for name in names:
        for message in messages:
            assert f"{name} is not a variable of the role" in message


def test_the_roles_own_variables_begin_with_underscores() -> None:
    role = VARIABLES.parents[1]
    own = set(yaml.safe_load(VARIABLES.read_text(encoding="utf-8")))
    for path in sorted(role.glob("tasks/*.yml")):
        text = path.read_text(encoding="utf-8")
        own |= set(re.findall(r"(?:register|loop_var): (\w+)", text))
    assert {name for name in own if not name.startswith("__plugin_rollout_")} == set()


NOT_ONE_PATH = "plugin_rollout_canary is not the path of one mount"
EMPTY_MOUNT = (
    "plugin_rollout_mounts has an empty item: name the mounts, or leave it out for all of them"
)
EMPTY_NODE = (
    "plugin_rollout_nodes has an empty item: name the nodes, or leave it out for the hosts of the "
    "play"
)
NOT_A_PATH = "an item of plugin_rollout_mounts is not the path of a mount"


@pytest.mark.each_core
@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"canary": "weather\nweather-eu"}, NOT_ONE_PATH),
        ({"canary": "/"}, NOT_ONE_PATH),
        ({"canary": "auth/"}, NOT_ONE_PATH),
        ({"mounts": ["a", "b\nc"]}, NOT_A_PATH),
        ({"mounts": "a, sys/auth"}, NOT_A_PATH),
        ({"mounts": ","}, EMPTY_MOUNT),
        ({"mounts": [""]}, EMPTY_MOUNT),
        ({"mounts": ["weather", " "]}, EMPTY_MOUNT),
        ({"mounts": '["weather", ""]'}, EMPTY_MOUNT),
        ({"nodes": " ,"}, EMPTY_NODE),
        ({"nodes": ["n1", ""]}, EMPTY_NODE),
        ({"type": "database"}, "plugin_rollout_type is not auth or secret"),
        ({"scope": "all"}, "plugin_rollout_scope is not local or global"),
    ],
)
def test_what_needs_no_server_to_be_refused(
    ansible: Ansible, variables: dict[str, t.Any], told: str
) -> None:
    given_values = {f"plugin_rollout_{name}": value for name, value in variables.items()}
    run = roll_out(ansible, **REQUIRED, **given_values)
    assert run.returncode != 0
    assert sorted(task.message for task in run.tasks if task.failed) == [
        f"{told}; nothing was changed on {node}" for node in ("n1", "n2")
    ]


@pytest.mark.each_core
@pytest.mark.parametrize("name", ["mounts", "nodes"])
@pytest.mark.parametrize("items", [[None], ["n1", None]], ids=str)
def test_an_item_that_is_null_is_refused(
    ansible: Ansible, name: str, items: list[str | None]
) -> None:
    variables: dict[str, t.Any] = {**REQUIRED, f"plugin_rollout_{name}": items}
    run = roll_out(ansible, **variables)
    assert run.returncode != 0
    messages = [task.message for task in run.tasks if task.failed]
    assert len(messages) == 2
    for message in messages:
        # The validation of ansible-core up to 2.18 refuses it before the role does.
        assert f"plugin_rollout_{name} has an empty item" in message or "NoneType" in message
