# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plugin runtime of HashiCorp Vault: there as the task wants it, or not there."""

from __future__ import annotations

import re
import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    list_entries,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_runtimes import (
    Runtime,
    deregister_runtime,
    register_runtime,
    require_runtimes,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.read_back import (
    attempt,
    await_written,
    remove,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    OptionError,
    PermissionDenied,
    VaultError,
    if_permitted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._text import quoted
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params, Result, Spec

SPEC: Spec = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["container"], "default": "container"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "oci_runtime": {"type": "str", "default": ""},
    "cgroup_parent": {"type": "str", "default": ""},
    "cpu_nanos": {"type": "int", "default": 0},
    "memory_bytes": {"type": "int", "default": 0},
    "rootless": {"type": "bool", "default": False},
}

CONSTRAINTS: dict[str, t.Any] = {}

_NAME = re.compile(r"\w(?:[\w.-]*\w)?", re.ASCII)
# The server keeps numbers in 64 bits with a sign.
_LARGEST = 2**63 - 1


def run(client: VaultClient, params: Params, check_mode: bool) -> Result:
    """Read, write what differs, read it back; in check mode only read.  Raises VaultError."""
    wanted = _wanted(params)
    before = _find(require_runtimes(client), wanted)
    if params["state"] == "absent":
        return _remove(client, before, check_mode)
    return _ensure(client, wanted, before, check_mode)


def _wanted(params: Params) -> Runtime:
    """Return the runtime that the options describe; raises OptionError."""
    name = params["name"].strip()
    if not _NAME.fullmatch(name):
        raise OptionError(
            f'name "{params["name"]}" is not a valid name for a plugin runtime',
            next_step="give letters, digits, and _ . - between them",
        )
    for option in ("cpu_nanos", "memory_bytes"):
        if not 0 <= params[option] <= _LARGEST:
            raise OptionError(
                f"{option} is {params[option]}, and must be from 0 to {_LARGEST}",
                next_step="give 0 for no limit",
            )
    return Runtime(
        type=params["type"],
        name=name,
        oci_runtime=params["oci_runtime"].strip(),
        cgroup_parent=params["cgroup_parent"].strip(),
        cpu_nanos=params["cpu_nanos"],
        memory_bytes=params["memory_bytes"],
        rootless=params["rootless"],
    )


def _ensure(
    client: VaultClient, wanted: Runtime, before: Runtime | None, check_mode: bool
) -> Result:
    """Register the runtime where no equal one is there."""
    if before == wanted:
        return _result(False, before, before)
    if not check_mode:
        _register(client, wanted, before)
    return _result(True, before, wanted)


def _remove(client: VaultClient, before: Runtime | None, check_mode: bool) -> Result:
    """Remove the runtime where no plugin of the catalog names it."""
    if before is None:
        return _result(False, None, None)
    _refuse_needed(client, before)
    if not check_mode:
        remove(
            client,
            before,
            partial(deregister_runtime, client, before),
            lambda: _find(require_runtimes(client), before) is not None,
        )
    return _result(True, before, None)


def _refuse_needed(client: VaultClient, runtime: Runtime) -> None:
    """Raise OptionError where a plugin names the runtime: the server would refuse it, too."""
    denied: list[PermissionDenied] = []
    entries = if_permitted(partial(list_entries, client), denied)
    users = [entry for entry in entries or () if entry.runtime == runtime.name]
    if users:
        paths = [" ".join(filter(None, (e.kind, e.name, e.version))) for e in users]
        raise OptionError(
            f"{runtime} is needed by {quoted(paths)}",
            next_step="register these plugins with another runtime, or remove them, first, with "
            "the module plugin; nothing was removed",
            result={"runtime": runtime._asdict(), "users": paths},
        )
    if denied:
        client.warn(
            f"permission denied reading which plugins need {runtime} ({denied[0].where}): skipped "
            "that check, which the server makes, too, when it removes a runtime"
        )


def _register(client: VaultClient, wanted: Runtime, before: Runtime | None) -> None:
    """Write the runtime, and read it; raises VaultError where it is not as it was written."""
    after: Runtime | None = None

    def read() -> Runtime | None:
        nonlocal after
        after = _find(require_runtimes(client), wanted)
        return after if after == wanted else None

    what = f"{wanted} was registered"
    lost = attempt(partial(register_runtime, client, wanted), what)
    if await_written(client, lost, what, read) is not None:
        return
    there = after.settings if after else {}
    differing = [name for name, value in there.items() if value != wanted.settings[name]]
    raise VaultError(
        f"the server accepted the registration of {wanted}, but "
        + (f"it differs in {', '.join(differing)}" if differing else "does not list it"),
        next_step="see whether this version of the server knows all options; its log may say more",
        result={"changed": after != before, "runtime": _as_result(after)},
    )


def _find(runtimes: t.Sequence[Runtime], wanted: Runtime) -> Runtime | None:
    same = (each for each in runtimes if (each.type, each.name) == (wanted.type, wanted.name))
    return next(same, None)


def _result(changed: bool, before: Runtime | None, after: Runtime | None) -> Result:
    return {
        "changed": changed,
        "runtime": _as_result(after),
        "before": _as_result(before),
        "diff": {"before": _line(before), "after": _line(after)},
    }


def _as_result(runtime: Runtime | None) -> Result | None:
    return runtime._asdict() if runtime else None


def _line(runtime: Runtime | None) -> str:
    """Return a runtime in one line of a diff, without what the server sets itself."""
    if runtime is None:
        return ""
    settings = [f"{name}={value}" for name, value in runtime.settings.items() if value]
    return " ".join([runtime.type, runtime.name, *settings]) + "\n"
