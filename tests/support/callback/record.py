# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes each task's result as a line of JSON to the file named by $VAULTOPS_TEST_EVENTS."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: record
type: notification
short_description: Record the results of tasks for the tests
description:
  - Writes each task's result as a line of JSON to the file named by E(VAULTOPS_TEST_EVENTS).
author: the vaultops.vault authors
"""


class CallbackModule(CallbackBase):
    """The recorder; it sees the results as every other callback does, secrets masked."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def _record(self, status: str, result: t.Any) -> None:
        shown = {
            key: value for key, value in result._result.items() if not key.startswith("_ansible_")
        }
        event = {"name": result._task.get_name(), "status": status, "result": shown}
        line = json.dumps(event, default=str)
        with pathlib.Path(os.environ["VAULTOPS_TEST_EVENTS"]).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._record("ok", result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._record("failed", result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._record("skipped", result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._record("unreachable", result)
