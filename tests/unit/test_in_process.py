# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The in-process front keeps Ansible's worker as it was, whatever an operation does."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import threading
import types
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import argument_spec
from ansible_collections.vaultops.vault.plugins.module_utils._http.interruption import (
    Interruption,
    let_end,
)
from ansible_collections.vaultops.vault.plugins.plugin_utils import _in_process
from ansible_collections.vaultops.vault.plugins.plugin_utils._in_process import (
    InProcessAction,
    is_own,
    plain,
)


class Front(InProcessAction):
    """An action around an operation that is just ``run``, in a task with ``environment:``."""

    def __init__(self, run: t.Callable[..., t.Any], environment: dict[str, str]) -> None:
        task = types.SimpleNamespace(action="some.module", check_mode=False, diff=False, args={})
        self._task = t.cast("t.Any", task)
        self.operation = t.cast("t.Any", types.SimpleNamespace(SPEC={}, CONSTRAINTS={}, run=run))
        self._wanted_environment = environment

    def _compute_environment_string(self, raw_environment_out: t.Any = None) -> str:
        raw_environment_out.update(self._wanted_environment)
        return ""


def test_a_mistake_in_an_operation_is_a_failed_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAO_TOKEN", "canary-of-a-token")

    def mistaken(client: t.Any, params: t.Any, check_mode: bool) -> t.Any:
        raise KeyError(client.token)

    failing = Front(mistaken, {})
    params = ArgumentSpecValidator(argument_spec(failing.operation)).validate({})
    result = failing._performed(params.validated_parameters).result
    assert result["failed"] is True
    assert result["msg"] == "unexpected KeyError in some.module; please report it"
    assert "mistaken" in result["exception"]
    assert "canary" not in str(result)


def test_the_environment_is_restored_after_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAO_ADDR", "http://before")
    before = dict(os.environ)
    front = Front(lambda *_: {}, {"BAO_ADDR": "http://inside", "VAULT_NEW": "x"})

    def disturbed() -> None:
        with front._task_environment():
            assert (os.environ["BAO_ADDR"], os.environ["VAULT_NEW"]) == ("http://inside", "x")
            os.environ["LEFT_BEHIND"] = "y"
            del os.environ["BAO_ADDR"]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        disturbed()
    assert dict(os.environ) == before


def test_deprecations_and_warnings_are_carried_over() -> None:
    front = Front(lambda *_: {"changed": False}, {})
    of_us = {"collection_name": "vaultops.vault"}
    front.operation.SPEC = {
        "new": {
            "aliases": ["old"],
            "deprecated_aliases": [{"name": "old", "version": "9", **of_us}],
        },
        "gone": {"removed_in_version": "8", "removed_from_collection": "vaultops.vault"},
    }
    front._task.args = {"old": "x", "gone": "y", "namespace": "a", "vault_namespace": "a"}
    result, _signal = front._run_in_process()
    told = {deprecation["msg"]: deprecation for deprecation in result["deprecations"]}
    alias, option = sorted(told)
    assert alias.startswith("Alias 'old' is deprecated")
    assert told[alias].items() >= {"version": "9", **of_us}.items()
    assert option.startswith("Param 'gone' is deprecated")
    assert told[option].items() >= {"version": "8", **of_us}.items()
    assert result["warnings"] == ["Both option namespace and its alias vault_namespace are set."]


class Tagged(str):
    """A text with something on it, as Ansible's tagged and unsafe texts are."""

    __slots__ = ()

    def __str__(self) -> str:
        return "not this"


@pytest.mark.parametrize(
    "value",
    [None, True, 0, 1.5, "text", ["a", 1], {"a": ["b"]}, ("a", "b")],
    ids=repr,
)
def test_plain_values_stay(value: t.Any) -> None:
    expected = list(value) if isinstance(value, tuple) else value
    assert plain(value) == expected
    assert plain(value).__class__ is expected.__class__


def test_a_tagged_text_becomes_a_text() -> None:
    (text,) = plain([Tagged("as it is")])
    assert text.__class__ is str
    assert text == "as it is"


def test_its_own_interpreter_by_any_name(tmp_path: pathlib.Path) -> None:
    folder = pathlib.Path(sys.executable).parent
    (tmp_path / "link").symlink_to(folder)
    assert is_own(sys.executable)
    assert is_own(str(tmp_path / "link" / pathlib.Path(sys.executable).name))
    # Another virtual environment has a link to the same file, and other libraries.
    (tmp_path / "python").symlink_to(pathlib.Path(sys.executable).resolve())
    assert not is_own(str(tmp_path / "python"))
    assert not is_own("/nowhere/python")


@pytest.mark.parametrize("late", [True, False])
def test_ansibles_own_signal_tells_more_than_that_it_is_gone(
    monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """A busy machine may bring it to the worker after the worker has seen that Ansible is gone."""
    watches = set(threading.enumerate())

    def gone() -> int:
        if late:
            os.kill(os.getpid(), signal.SIGTERM)
        return 1

    monkeypatch.setattr(_in_process, "LOOK_EVERY", 0.5)
    with Interruption(lambda _line: None) as interruption, _in_process._watch_over_ansible():
        let_end("the reload", "it costs something")
        (watch,) = set(threading.enumerate()) - watches
        monkeypatch.setattr(os, "getppid", gone)
        watch.join(10)
    assert interruption.signal_name == ("SIGTERM" if late else "SIGHUP")
