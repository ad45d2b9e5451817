# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must come of the tasks of scenarios.py, whatever the collection says.

By hand, from what the scenario arranges and from what it sees of the server itself (``serves`` and
``down``).  test_recorded.py holds the replayed recordings against it, and a real Vault.
"""

from __future__ import annotations

import re
import typing as t

from .recordings import Exchange, Task
from .scenarios import NEW, OLD, PIN

DOWN = "down"
SERVES = "serves"
SHA256 = re.compile(r" [0-9a-f]{8}\b")
BUILTIN = re.compile(r"\bv[\w.-]+\+builtin[\w.]*")


class Truth(t.NamedTuple):
    """What is true after a task.

    ``reloaded`` has the mounts that were; ``after`` is the state in the words of the result's diff:
    a mount with what serves there, or that it is down.  ``says`` must be among what the user reads,
    ``never`` must not.  ``writes`` are the requests that change something, None if any will do.
    """

    changed: bool
    verified: bool | None = None
    failed: bool = False
    reloaded: str = ""
    after: str = ""
    says: tuple[str, ...] = ()
    never: str = ""
    writes: tuple[str, ...] | None = None


def differences(truth: Truth, task: Task, exchanges: t.Sequence[Exchange]) -> list[str]:
    """Return in what a task's result is not true."""
    result, text = task.result, spoken(task.result)
    is_so = {
        "changed": result["changed"],
        "verified": result.get("verified"),
        "failed": result.get("failed", False),
        "reloaded": reloaded(result),
        "after": after(result),
        "writes": writes(exchanges),
    }
    expected = truth._asdict()
    if truth.writes is None:
        expected["writes"] = () if task.check_mode else is_so["writes"]
    return [
        *(
            f"{name} is {value!r}, and not {expected[name]!r}"
            for name, value in is_so.items()
            if value != expected[name]
        ),
        *(f"does not say {words!r}: {text}" for words in truth.says if words not in text),
        *([f"says {truth.never!r}: {text}"] if truth.never and truth.never in text else []),
    ]


def reloaded(result: dict[str, t.Any]) -> str:
    """Return the paths of the mounts that were reloaded."""
    return " ".join(row["path"] for row in result.get("mounts", []) if row["reloaded"])


def after(result: dict[str, t.Any]) -> str:
    """Return the state after the task, without sha256 and the versions of builtin plugins."""
    lines = result.get("summary") or result.get("diff", {}).get("after", "").splitlines()
    lines = [*lines, *(f"runtime {row['name']}" for row in result.get("runtimes") or [])]
    return BUILTIN.sub("builtin", ", ".join(SHA256.sub("", line) for line in lines))


def spoken(result: dict[str, t.Any]) -> str:
    """Return all that a user reads in a result."""
    rows = [row["error"] for row in result.get("mounts", []) if row["error"]]
    return " | ".join([result.get("msg", ""), *result["warnings"], *rows])


def writes(exchanges: t.Iterable[Exchange]) -> tuple[str, ...]:
    """Return the requests that change something, with the values in their bodies."""
    return tuple(
        " ".join([each.method, each.path, *_values(each.body)])
        for each in exchanges
        if each.method not in ("GET", "LIST")
    )


def _values(body: t.Any) -> list[str]:
    values = [value for _name, value in sorted((body or {}).items())]
    return [" ".join(value) if isinstance(value, list) else str(value) for value in values]


def refused(*says: str) -> Truth:
    """Return the truth of a task that fails before it sends anything that changes something."""
    return Truth(False, failed=True, says=says, writes=())


def denied(*says: str, sent: str, verified: bool | None = None, after: str = "") -> Truth:
    """Return the truth of a task whose first change the server refuses."""
    return Truth(False, verified, failed=True, says=says, writes=(sent,), after=after)


def lost(*says: str, after: str) -> Truth:
    """Return the truth of a reload that fails, after which mounts are down."""
    return Truth(True, False, failed=True, after=after, says=says, never=SERVES)


def kept(*says: str, after: str) -> Truth:
    """Return the truth of a reload that fails, after which the old version serves."""
    return Truth(True, False, failed=True, after=after, says=says)


def well(reloaded: str, after: str, *says: str, verified: bool = True) -> Truth:
    """Return the truth of a reload that succeeds."""
    return Truth(True, verified, reloaded=reloaded, after=after, says=says)


def down_before(*says: str) -> Truth:
    """Return the truth of check mode on the mount a, which is down: a reload may revive it."""
    return Truth(True, False, reloaded="a/", after=ext(OLD, "a"), says=says)


def current(after: str) -> Truth:
    """Return the truth of a task that finds all as it should be."""
    return Truth(False, True, after=after, writes=())


def nothing(*says: str, verified: bool = False) -> Truth:
    """Return the truth of a reload that succeeds, and for which there was nothing to reload."""
    return Truth(False, verified, says=says)


def ext(version: str, *paths: str) -> str:
    """Return the mounts of the plugin ext as ``after`` has them."""
    return ", ".join(f"{path}/ ext {version}" for path in paths)


def pinned(changed: bool, after: str, *writes: str) -> Truth:
    """Return the truth of plugin_pin."""
    return Truth(changed, after=after, writes=writes)


RELOAD = "POST sys/plugins/reload/backend"
RELOAD_A, RELOAD_B = f"{RELOAD} a/", f"{RELOAD} b/"
PIN_OLD, PIN_NEW, UNPIN = f"POST {PIN} {OLD}", f"POST {PIN} {NEW}", f"DELETE {PIN}"
IS_OLD, IS_NEW = f"secret ext pinned to {OLD}", f"secret ext pinned to {NEW}"
NOTHING = "no plugins were reloaded"
ROLLED_BACK = 'the mount serves the old version again: secret plugin "ext" v1.1.0 does not work: '
NO_START = "Unrecognized remote plugin message"
NO_EXEC = "permission denied"
NAMESPACE = 'the server ignores namespace "team"'
SEALED = "Vault is sealed"
ENTRY = f"secret ext {OLD} ext-{OLD}"
# A mount of a pinned plugin is current where it runs the pinned version.
INVENTORY = f"ext secret {OLD}: no mounts, ext secret {NEW}, pinned: {{}} not current ({{}})"
BOTH = INVENTORY.format("2 mounts, 2", f"a/ runs {OLD}, b/ runs {OLD}")
ALL_OF_A_RUNTIME = (
    "container gvisor oci_runtime=runc cgroup_parent=/plugins cpu_nanos=500000000 "
    "memory_bytes=268435456 rootless=True"
)


def rolled_back(*writes: str, pin: str = "") -> Truth:
    """Return the truth of an upgrade whose canary b was rolled back, and its ``pin`` with it."""
    return Truth(
        True,
        failed=True,
        reloaded="b/",  # its process was started anew
        after=f"{pin}{ext(OLD, 'b')}, {ext(OLD, 'a')}",
        says=(ROLLED_BACK, NO_START),
        never=DOWN,
        writes=writes,
    )


TRUTHS: dict[str, list[Truth]] = {
    "reload_by_mounts": [
        well("a/ b/", ext(OLD, "a", "b")),
        well("a/ b/", ext(OLD, "a", "b")),
        current(ext(OLD, "a", "b")),
    ],
    "reload_by_plugin": [
        well("a/ b/", ext(NEW, "a", "b")),
        well("a/ b/", ext(NEW, "a", "b")),
    ],
    "reload_by_type": [
        well("a/", ext(OLD, "a")),
        well("auth/in/", ext(OLD, "auth/in")),
        nothing(NOTHING),
        well("a/ auth/in/", ext(OLD, "a", "auth/in")),
    ],
    "reload_of_an_unknown_plugin": [
        refused('plugin "nope" is not in the catalog', "nothing was reloaded"),
        nothing(NOTHING),
        nothing(NOTHING),
    ],
    "reload_of_an_unknown_mount": [
        refused('mount "gone/" does not exist', '"vault secrets list"', "nothing was reloaded"),
        # Without the look, nobody knows that the server has reloaded the two others.
        Truth(True, False, failed=True, says=('cannot fetch mount entry on "gone/"',)),
    ],
    "reload_of_a_plugin_mounted_nowhere": [
        Truth(False, True, says=('plugin "ext" is mounted nowhere here',), writes=()),
        nothing(NOTHING),
        Truth(False, True, says=('plugin "transit" is mounted nowhere here',), writes=()),
        nothing(NOTHING, "only the server knows what it runs"),
    ],
    "reload_with_scope_global": [
        well("a/", ext(OLD, "a")),
        nothing(NOTHING),
        lost(NO_START, 'down: "a/"', after=ext(DOWN, "a")),
    ],
    "reload_of_the_servers_own": [
        refused('mount "sys/" is a part of the server itself', "nothing was reloaded"),
    ],
    "builtin_plugins": [
        well("kv/ secret/", "kv/ kv builtin, secret/ kv builtin"),
        well("kv/ keys/", "kv/ kv builtin, keys/ transit builtin"),
        current("kv/ kv builtin, keys/ transit builtin"),
        Truth(False, after="kv secret builtin: 2 mounts"),
        refused('secret plugin "kv" v9.9.9 is not in the catalog', "nothing was pinned"),
    ],
    "failed_start_by_mount": [
        # The old version is the broken one.
        lost(NO_START, 'down: "a/", "b/"', "fix the plugin", after=ext(DOWN, "a", "b")),
        current(ext(OLD, "a", "b")),
    ],
    "failed_start_by_plugin": [
        kept(NO_START, f"serves {OLD}", after=ext(OLD, "a", "b")),
    ],
    "failed_start_without_a_file": [
        kept(
            "no such file or directory",
            f"still serves {OLD}",
            "fix the plugin",
            after=ext(OLD, "a"),
        ),
        kept(
            "checksums did not match", f"still serves {OLD}", "fix the plugin", after=ext(OLD, "a")
        ),
    ],
    "another_file_at_the_same_path": [
        lost("checksums did not match", 'down: "a/"', "fix the plugin", after=ext(DOWN, "a")),
        lost("checksums did not match", 'down: "a/"', after=ext(DOWN, "a")),
        down_before("does not answer: checksums did not match"),
    ],
    "file_that_may_not_be_executed": [
        down_before("does not answer: fork/exec"),
        lost(NO_EXEC, 'down: "a/"', "fix the plugin", after=ext(DOWN, "a")),
        current(ext(OLD, "a")),
    ],
    "siblings_of_a_multiplexed_plugin": [
        lost(NO_EXEC, 'down too, with the same plugin: "b/"', after=ext(DOWN, "a")),
    ],
    "ended_process": [
        current(ext(OLD, "a")),
        down_before("does not answer: Unrecognized remote plugin message"),
    ],
    "dead_after_an_unseal": [
        down_before("does not answer: no handler for route"),
        lost("no such file or directory", 'down: "a/"', after=ext(DOWN, "a")),
        down_before("does not answer: no handler for route"),
        well("a/", ext(OLD, "a")),
    ],
    "lost_after_the_reload": [
        lost("1 of 1 mounts are down after a reload", NO_EXEC, after=ext(DOWN, "a")),
        well("a/", ext("unknown", "a"), f'"a/" could not be verified: {SEALED}', verified=False),
    ],
    "sealed": [
        refused(SEALED, "unseal the server", "nothing was reloaded"),
        denied(SEALED, "unseal the server", sent=RELOAD_A, verified=False),
        refused(SEALED, "unseal the server", "nothing was reloaded"),
        refused(SEALED, "unseal the server", "nothing was changed"),
        refused(SEALED, "unseal the server"),
    ],
    "bad_token": [
        refused("invalid token", "the server does not accept the token", "nothing was reloaded"),
        denied(
            "invalid token", "the server does not accept the token", sent=RELOAD_A, verified=False
        ),
        refused("invalid token", "the server does not accept the token"),
    ],
    "tokens_that_may_less": [
        denied("permission denied", sent=RELOAD_A, verified=False),
        denied('"update" on "sys/plugins/reload/backend"', sent=RELOAD_A, verified=False),
        denied('"update" on "sys/plugins/reload/backend"', sent=RELOAD_A, verified=False),
        well("a/", ext(OLD, "a"), "permission denied reading the pinned versions", verified=False),
        # What the mount is expected to run, and so whether it is current, is not known.
        Truth(
            False,
            after=f"ext secret {OLD}, ext secret: 1 mount (a/ runs {OLD})",
            says=("permission denied reading sys/plugins/pins",),
            writes=(),
        ),
    ],
    "tokens_that_may_not_pin": [
        denied(
            "nothing was changed",
            f'"update" on "{PIN}"',
            sent=PIN_NEW,
            after=f"{IS_OLD}, {ext(OLD, 'a')}",
        ),
        refused('"read" on "sys/plugins/pins"'),
        denied(f'"update" on "{PIN}"', sent=PIN_NEW),
        denied(f'"delete" on "{PIN}"', sent=UNPIN),
        refused('"read" on "sys/plugins/catalog"'),
    ],
    "namespace_that_is_ignored": [
        refused(NAMESPACE, "nothing was reloaded"),
        refused(NAMESPACE, "nothing was changed"),
        refused(NAMESPACE),
    ],
    "unknown_api_paths": [
        refused("unsupported path (404", "this server has no such API path"),
        refused('no handler for route "nope/info". route entry not found'),
        refused('no handler for route "nope". route entry not found'),
        refused("enterprise-only feature (404"),
        refused("enterprise-only feature (404"),
    ],
    "pins": [
        pinned(False, ""),
        refused('secret plugin "ext" v7.0.0 is not in the catalog', "nothing was pinned"),
        pinned(True, IS_OLD),
        pinned(True, IS_OLD, PIN_OLD),
        pinned(False, IS_OLD),
        pinned(True, IS_NEW, PIN_NEW),
        pinned(False, IS_NEW),  # to be absent was another one
        refused(f'secret plugin "ext" {NEW} is the pinned version; remove the pin first'),
        pinned(True, ""),
        pinned(True, "", UNPIN),
        pinned(False, ""),
    ],
    "pins_decide_what_is_current": [
        well("a/", ext(NEW, "a")),
        well("a/", ext(NEW, "a")),
    ],
    "not_to_be_pinned": [
        refused("v7.0.0 is not in the catalog; registered are v1.0.0, v1.1.0"),
        refused('is not in the catalog (did you mean "ext"?)', "nothing was pinned"),
        refused('secret plugin "login" v1.0.0 is not in the catalog', "nothing was pinned"),
        refused("is that of a builtin plugin"),
        refused('version "1.1" is not a semantic version'),
        refused("version is empty"),
        denied("plugin not found in the catalog", "(400 from", sent=f"PUT {PIN} v7.0.0"),
    ],
    "tune_while_pinned": [
        denied(
            f"as a pinned version {OLD} is in effect (400", sent=f"POST sys/mounts/a/tune {NEW}"
        ),
    ],
    "examples_of_plugin_pin": [
        Truth(True, after="secret my-plugin pinned to v1.1.0"),
        well("my-secrets/", "my-secrets/ my-plugin v1.1.0"),
        Truth(True),
    ],
    "upgrade": [
        Truth(
            True,
            reloaded="b/ a/",
            after=f"{ext(NEW, 'b')}, {ext(NEW, 'a')}",
            writes=(
                f"POST sys/mounts/b/tune {NEW}",
                RELOAD_B,
                f"POST sys/mounts/a/tune {NEW}",
                RELOAD_A,
            ),
        ),
        Truth(False, after=f"{ext(NEW, 'b')}, {ext(NEW, 'a')}", writes=()),
    ],
    "upgrade_with_a_pin": [
        Truth(True, reloaded="a/ b/", after=f"{IS_NEW}, {ext(NEW, 'a', 'b')}"),
        # No mount is configured itself: the server would refuse it.
        Truth(
            True,
            reloaded="b/ a/",
            after=f"{IS_NEW}, {ext(NEW, 'b')}, {ext(NEW, 'a')}",
            writes=(PIN_NEW, RELOAD_B, RELOAD_A),
        ),
        Truth(
            True,
            reloaded="a/ b/",
            after=f"{IS_OLD}, {ext(OLD, 'a', 'b')}",
            writes=(PIN_OLD, f"{RELOAD} a/ b/"),
        ),
        Truth(False, after=ext(OLD, "a", "b"), writes=()),
    ],
    # The server has kept the old version: no second reload is sent.
    "upgrade_rolls_back": [
        rolled_back(f"POST sys/mounts/b/tune {NEW}", RELOAD_B, f"POST sys/mounts/b/tune {OLD}"),
    ],
    "upgrade_rolls_a_pin_back": [rolled_back(PIN_NEW, RELOAD_B, PIN_OLD, pin=f"{IS_OLD}, ")],
    "upgrade_removes_its_pin": [rolled_back(PIN_NEW, RELOAD_B, UNPIN)],
    "upgrade_by_force_puts_its_pin_back": [
        refused('mount "a/" (and 1 more) could not be rolled back', f"pin the plugin to {OLD}"),
        Truth(
            True,
            failed=True,
            after=f"{IS_NEW}, {ext(OLD, 'a', 'b')}",
            says=('cannot roll back "a/", "b/"', f"the plugin is pinned to {NEW}, as before"),
            writes=(PIN_NEW.replace(NEW, "v1.2.0"), f"{RELOAD} a/ b/", PIN_NEW),
        ),
    ],
    "upgrade_to_what_is_pinned_already": [
        Truth(
            True,
            failed=True,
            reloaded="b/",
            after=f"{IS_OLD}, {ext(OLD, 'b', 'a')}",
            says=(
                "the mount serves the old version again",
                f"the plugin is pinned to {OLD} now, which is what the mounts ran",
            ),
            writes=(RELOAD_B, PIN_OLD, RELOAD_B),
        ),
    ],
    "upgrade_of_a_pin_that_is_hidden": [
        denied(
            f'nothing was changed: cannot configure mount "a/" for {NEW}',
            "give the token the capability read on sys/plugins/pins",
            f"a pinned version {OLD} is in effect",
            sent=f"POST sys/mounts/a/tune {NEW}",
            after=ext(OLD, "a"),
        ),
        refused('"read" on "sys/plugins/pins"', "nothing was changed"),
    ],
    "plugin_registered_and_removed": [
        Truth(True, after=ENTRY),
        Truth(True, after=ENTRY),
        Truth(False, after=ENTRY, writes=()),
        refused(f'secret plugin "ext" {OLD} is needed by "a/"'),
        Truth(True, writes=(f"DELETE sys/plugins/catalog/secret/ext?version={OLD}",)),
        Truth(False, writes=()),
    ],
    "registrations_that_are_refused": [
        Truth(False, failed=True, says=("plugin version mismatch", "that the plugin reports")),
        refused("is the pinned version; remove the pin first"),
        denied(
            "cannot delete a pinned version",
            sent=f"DELETE sys/plugins/catalog/secret/ext?version={OLD}",
        ),
        refused("without the sha256 of its image", "nothing was registered"),
        # From Vault 1.20.1 on the words are those of a container that cannot be started.
        denied(sent=f"POST sys/plugins/catalog/secret/ext registry.example/ext {NEW}"),
        Truth(False, failed=True, says=("plugin runtime not found", "module plugin_runtime")),
    ],
    "runtimes": [
        Truth(True, after=ALL_OF_A_RUNTIME),
        Truth(True, after=ALL_OF_A_RUNTIME),
        Truth(False, after=ALL_OF_A_RUNTIME, writes=()),
        Truth(True, after="container gvisor oci_runtime=runc cpu_nanos=1"),
        Truth(False, after="kv secret builtin: 1 mount, runtime gvisor"),
        Truth(True, after="container gvisor"),
        Truth(True),
        Truth(True, writes=("DELETE sys/plugins/runtimes/catalog/container/gvisor",)),
        Truth(False, writes=()),
    ],
    "plugin_info": [
        Truth(False, after=BOTH, writes=()),
        Truth(False, after=BOTH, writes=()),
        Truth(
            False,
            after=INVENTORY.format("1 mount, 1", f"a/ runs {OLD}"),
            writes=(),
        ),
    ],
}
