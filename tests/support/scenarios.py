# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What recorder.py records: each scenario arranges a Vault in dev mode and runs tasks.

Its docstring says what was arranged.  tests/integration/test_recorded.py says what must come of it.
"""

from __future__ import annotations

import typing as t

import yaml

if t.TYPE_CHECKING:
    from .recorder import Recorder

PLUGIN = "ext"
OLD, NEW, UNKNOWN = "v1.0.0", "v1.1.0", "v7.0.0"
PINS, PIN = "sys/plugins/pins", f"sys/plugins/pins/secret/{PLUGIN}"

Scenario = t.Callable[["Recorder"], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """Make a function one of the scenarios."""
    SCENARIOS[function.__name__] = function
    return function


@scenario
def reload_by_mounts(recorder: Recorder) -> None:
    """The mounts a and b run a plugin: both are reloaded, in check mode first, and are current."""
    recorder.register(OLD)
    recorder.mount("a", "b")
    recorder.task("plugin_reload", mounts=["a", "b"], check_mode=True)
    recorder.task("plugin_reload", mounts=["a", "b"])
    recorder.task("plugin_reload", mounts=["a", "b"], state="current")


@scenario
def reload_by_plugin(recorder: Recorder) -> None:
    """The mounts a and b run the old version and are configured for the new one: reload by name."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a", "b")
    for path in ("a", "b"):
        recorder.server.tune_version(path, NEW)
    recorder.task("plugin_reload", plugin=PLUGIN, state="current")
    recorder.task("plugin_reload", plugin=PLUGIN, plugin_type="secret")


@scenario
def reload_of_an_unknown_plugin(recorder: Recorder) -> None:
    """No plugin has that name: the collection's look knows it, and without a look the server."""
    recorder.task("plugin_reload", plugin="nope")
    recorder.task("plugin_reload", plugin="nope", verify=False)
    recorder.task("plugin_reload", plugin="nope", plugin_type="secret", verify=False)


@scenario
def reload_of_an_unknown_mount(recorder: Recorder) -> None:
    """The mounts a and b are there, gone is not: with the collection's look, and without."""
    recorder.register(OLD)
    recorder.mount("a", "b")
    recorder.task("plugin_reload", mounts=["a", "gone", "b"])
    recorder.task("plugin_reload", mounts=["a", "gone", "b"], verify=False)


@scenario
def reload_of_a_plugin_mounted_nowhere(recorder: Recorder) -> None:
    """The plugin is registered and mounted nowhere, as is a builtin one, and one for databases."""
    plugin = recorder.register(OLD)
    entry = {"command": plugin.path.name, "sha256": plugin.sha256}
    # The server registers what does not start, and not each build of it has builtin ones.
    recorder.server.call("PUT", "sys/plugins/catalog/database/ext-database", entry)
    recorder.task("plugin_reload", plugin=PLUGIN)
    recorder.task("plugin_reload", plugin=PLUGIN, verify=False)
    recorder.task("plugin_reload", plugin="transit")
    recorder.task("plugin_reload", plugin="ext-database")


@scenario
def reload_with_scope_global(recorder: Recorder) -> None:
    """One node of Community, with the mount a; a plugin that nobody knows; a start that fails."""
    plugin = recorder.register(OLD)
    recorder.mount("a")
    recorder.task("plugin_reload", mounts=["a"], scope="global")
    recorder.task("plugin_reload", plugin="nope", scope="global", verify=False)
    plugin.fault("exit")
    recorder.task("plugin_reload", mounts=["a"], scope="global")
    recorder.down("a")


@scenario
def reload_of_the_servers_own(recorder: Recorder) -> None:
    """The mount sys is part of the server."""
    recorder.task("plugin_reload", mounts=["sys"])


@scenario
def failed_start_by_mount(recorder: Recorder) -> None:
    """The plugin of the mounts a and b does not start any more; in the end it is healed."""
    plugin = recorder.register(OLD)
    recorder.mount("a", "b")
    plugin.fault("exit")
    recorder.task("plugin_reload", mounts=["a", "b"])
    recorder.down("a", "b")
    plugin.heal()
    recorder.task("plugin_reload", mounts=["a", "b"], state="current")


@scenario
def failed_start_by_plugin(recorder: Recorder) -> None:
    """The mounts a and b are configured for a version that does not start: reload by name."""
    recorder.register(OLD)
    recorder.register(NEW).fault("exit")
    recorder.mount("a", "b")
    for path in ("a", "b"):
        recorder.server.tune_version(path, NEW)
    recorder.task("plugin_reload", plugin=PLUGIN)
    recorder.serves(a=OLD, b=OLD)


@scenario
def failed_start_without_a_file(recorder: Recorder) -> None:
    """The file of the new version of mount a is gone, and then another one than was registered."""
    recorder.register(OLD)
    plugin = recorder.register(NEW)
    recorder.mount("a")
    recorder.server.tune_version("a", NEW)
    plugin.path.unlink()
    recorder.task("plugin_reload", mounts=["a"])
    recorder.build(NEW)
    recorder.task("plugin_reload", mounts=["a"])
    recorder.serves(a=OLD)


@scenario
def file_that_may_not_be_executed(recorder: Recorder) -> None:
    """The process of a has ended, its file may not be executed; in the end it may be again."""
    plugin = recorder.register(OLD)
    recorder.mount("a")
    recorder.end_process("a")
    plugin.path.chmod(0o644)
    recorder.task("plugin_reload", mounts=["a"], state="current", check_mode=True)
    recorder.task("plugin_reload", mounts=["a"], state="current")
    recorder.down("a")
    plugin.path.chmod(0o755)
    recorder.task("plugin_reload", mounts=["a"], state="current")


@scenario
def pins(recorder: Recorder) -> None:
    """Two versions; no pin at first: one is set, again, moved, removed, and removed again."""
    recorder.register(OLD)
    recorder.register(NEW)
    plugin: dict[str, t.Any] = {"name": PLUGIN, "type": "secret"}
    recorder.task("plugin_pin", **plugin, state="absent")
    recorder.task("plugin_pin", **plugin, version="v7.0.0")
    recorder.task("plugin_pin", **plugin, version=OLD, check_mode=True)
    recorder.task("plugin_pin", **plugin, version="1.0.0")
    recorder.task("plugin_pin", **plugin, version=OLD)
    recorder.task("plugin_pin", **plugin, version=NEW)
    recorder.task("plugin_pin", **plugin, version=OLD, state="absent")
    recorder.task("plugin", **plugin, version=NEW, state="absent")
    recorder.task("plugin_pin", **plugin, state="absent", check_mode=True)
    recorder.task("plugin_pin", **plugin, version=NEW, state="absent")
    recorder.task("plugin_pin", **plugin, state="absent")


@scenario
def pins_decide_what_is_current(recorder: Recorder) -> None:
    """The mount a runs the old version, and the new one is pinned: it is not current."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a")
    recorder.server.call("PUT", f"sys/plugins/pins/secret/{PLUGIN}", {"version": NEW})
    recorder.task("plugin_reload", mounts=["a"], state="current", check_mode=True)
    recorder.task("plugin_reload", mounts=["a"], state="current")


@scenario
def upgrade(recorder: Recorder) -> None:
    """The mounts a and b move to the new version, b first; once more, nothing is to do."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a", "b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, canary="b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, canary="b")


@scenario
def upgrade_with_a_pin(recorder: Recorder) -> None:
    """The mounts a and b get the new version by a first pin; then the old one by moving the pin."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a", "b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, pin=True, check_mode=True)
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, pin=True, canary="b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=OLD)
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=OLD)


@scenario
def upgrade_rolls_back(recorder: Recorder) -> None:
    """The new version does not start: b, which goes first, runs the old one again."""
    recorder.register(OLD)
    recorder.register(NEW).fault("exit")
    recorder.mount("a", "b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, canary="b")
    recorder.serves(a=OLD, b=OLD)


@scenario
def upgrade_rolls_a_pin_back(recorder: Recorder) -> None:
    """The new version does not start: the old pin is put back."""
    recorder.register(OLD)
    recorder.register(NEW).fault("exit")
    recorder.mount("a", "b")
    recorder.server.call("PUT", f"sys/plugins/pins/secret/{PLUGIN}", {"version": OLD})
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, canary="b")
    recorder.serves(a=OLD, b=OLD)


@scenario
def upgrade_removes_its_pin(recorder: Recorder) -> None:
    """The new version does not start, and there was no pin: the new pin is removed."""
    recorder.register(OLD)
    recorder.register(NEW).fault("exit")
    recorder.mount("a", "b")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, canary="b", pin=True)
    recorder.serves(a=OLD, b=OLD)


@scenario
def upgrade_by_force_puts_its_pin_back(recorder: Recorder) -> None:
    """No mount runs what is pinned, and the new version does not start: the old pin is put back."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.register("v1.2.0").fault("exit")
    recorder.mount("a", "b")
    recorder.server.call("PUT", f"sys/plugins/pins/secret/{PLUGIN}", {"version": NEW})
    recorder.task("plugin_upgrade", plugin=PLUGIN, version="v1.2.0")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version="v1.2.0", force=True)
    recorder.serves(a=OLD, b=OLD)


@scenario
def upgrade_to_what_is_pinned_already(recorder: Recorder) -> None:
    """The new version, which is pinned, crashes at each request: the pin is moved to what ran."""
    recorder.register(OLD)
    recorder.register(NEW).fault("crash")
    recorder.mount("a", "b")
    recorder.server.call("PUT", f"sys/plugins/pins/secret/{PLUGIN}", {"version": NEW})
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, canary="b")
    recorder.serves(a=OLD, b=OLD)


@scenario
def upgrade_of_a_pin_that_is_hidden(recorder: Recorder) -> None:
    """A pin is in effect and the token may not read the pins: the server refuses the version."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a")
    recorder.server.call("PUT", f"sys/plugins/pins/secret/{PLUGIN}", {"version": OLD})
    rules = "\n".join(
        f'path "{path}" {{ capabilities = ["create", "read", "update", "list", "sudo"] }}'
        for path in ("sys/mounts*", "sys/auth", "sys/plugins/catalog*", "sys/plugins/reload/*")
    )
    recorder.token = recorder.server.new_token(rules)
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW)
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, pin=True)


@scenario
def namespace_that_is_ignored(recorder: Recorder) -> None:
    """Community has no namespaces, and ignores the header: each module refuses."""
    recorder.register(OLD)
    recorder.mount("a")
    recorder.task("plugin_reload", mounts=["a"], namespace="team")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=OLD, namespace="team")
    recorder.task("plugin_info", namespace="team")


@scenario
def bad_token(recorder: Recorder) -> None:
    """The server does not know the token."""
    recorder.register(OLD)
    recorder.mount("a")
    for options in ({}, {"verify": False}):
        recorder.task("plugin_reload", mounts=["a"], token="not-a-token", **options)
    recorder.task("plugin_info", token="not-a-token")


@scenario
def plugin_registered_and_removed(recorder: Recorder) -> None:
    """A file is there: it is registered, again, and removed, again; one is in use by mount a."""
    plugin = recorder.build(OLD)
    entry: dict[str, t.Any] = {"name": PLUGIN, "type": "secret", "version": OLD}
    file: dict[str, t.Any] = {"command": plugin.path.name, "sha256": plugin.sha256}
    recorder.task("plugin", **entry, **file, check_mode=True)
    recorder.task("plugin", **entry, **file)
    recorder.task("plugin", **entry, **file)
    recorder.mount("a")
    recorder.task("plugin", **entry, state="absent")
    recorder.server.call("DELETE", "sys/mounts/a")
    recorder.task("plugin", **entry, state="absent")
    recorder.task("plugin", **entry, state="absent")


@scenario
def plugin_info(recorder: Recorder) -> None:
    """Two versions, the mounts a and b, and a pin: all, one plugin, and one mount."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a", "b")
    recorder.server.call("PUT", f"sys/plugins/pins/secret/{PLUGIN}", {"version": NEW})
    recorder.task("plugin_info")
    recorder.task("plugin_info", name=PLUGIN, type="secret")
    recorder.task("plugin_info", mounts=["a"])


# What plugin_reload and plugin_upgrade need, but for pins.
RULES = "\n".join(
    f'path "{path}" {{ capabilities = ["read", "update"] }}'
    for path in (
        "sys/mounts",
        "sys/mounts/*",
        "sys/auth",
        "sys/plugins/catalog",
        "sys/plugins/reload/*",
    )
)


@scenario
def sealed(recorder: Recorder) -> None:
    """The server is sealed: with the collection's look, without, for all nodes, and plugin_info."""
    recorder.register(OLD)
    recorder.mount("a")
    recorder.seal()
    recorder.task("plugin_reload", mounts=["a"])
    recorder.task("plugin_reload", mounts=["a"], verify=False)
    recorder.task("plugin_reload", mounts=["a"], scope="global")
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=OLD)
    recorder.task("plugin_info")


@scenario
def tokens_that_may_less(recorder: Recorder) -> None:
    """No token; one that may nothing; one that may not read the pins."""
    recorder.register(OLD)
    recorder.mount("a")
    recorder.task("plugin_reload", mounts=["a"], auth_method="none")
    nothing = recorder.new_token('path "nothing" { capabilities = ["read"] }')
    recorder.task("plugin_reload", mounts=["a"], token=nothing)
    recorder.task("plugin_reload", mounts=["a"], token=nothing, verify=False)
    limited = recorder.new_token(RULES)
    recorder.task("plugin_reload", mounts=["a"], token=limited)
    recorder.task("plugin_info", name=PLUGIN, token=limited)


@scenario
def tokens_that_may_not_pin(recorder: Recorder) -> None:
    """A pin is in effect: the token may not read it, or not write it, or not read the catalog."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a")
    recorder.server.call("PUT", PIN, {"version": OLD})
    blind = recorder.new_token(RULES)
    read = f'path "{PINS}" {{ capabilities = ["read"] }}'
    reader = recorder.new_token(f"{RULES}\n{read}")
    plugin: dict[str, t.Any] = {"name": PLUGIN, "type": "secret"}
    recorder.task("plugin_upgrade", plugin=PLUGIN, version=NEW, token=reader)
    recorder.task("plugin_pin", **plugin, version=NEW, token=blind)
    recorder.task("plugin_pin", **plugin, version=NEW, token=reader)
    recorder.task("plugin_pin", **plugin, state="absent", token=reader)
    recorder.task("plugin_pin", **plugin, version=NEW, token=recorder.new_token(read))
    recorder.serves(a=OLD)


@scenario
def unknown_api_paths(recorder: Recorder) -> None:
    """Paths that this server does not have, by plain requests: below sys, and below no mount."""
    recorder.request("GET", "sys/plugins/nope")
    recorder.request("GET", "nope/info")
    recorder.request("GET", "nope", query={"help": "1"})
    recorder.request("GET", "sys/plugins/reload/backend/status", query={"reload_id": "an-id"})
    recorder.request("LIST", "sys/namespaces")


@scenario
def ended_process(recorder: Recorder) -> None:
    """The process of the mount a has ended, and then it does not start any more either."""
    plugin = recorder.register(OLD)
    recorder.mount("a")
    recorder.end_process("a")
    recorder.task("plugin_reload", mounts=["a"], state="current")
    recorder.serves(a=OLD)
    recorder.end_process("a")
    plugin.fault("exit")
    recorder.task("plugin_reload", mounts=["a"], state="current", check_mode=True)
    recorder.down("a")


@scenario
def dead_after_an_unseal(recorder: Recorder) -> None:
    """Unsealed without the plugin's file, the mount a has no backend; later the file is back."""
    plugin = recorder.register(OLD)
    recorder.mount("a")
    away = plugin.path.with_suffix(".away")
    recorder.seal()
    plugin.path.rename(away)
    recorder.unseal()
    recorder.task("plugin_reload", mounts=["a"], state="current", check_mode=True)
    recorder.task("plugin_reload", mounts=["a"])
    recorder.down("a")
    away.rename(plugin.path)
    recorder.down("a")
    recorder.task("plugin_reload", mounts=["a"], state="current", check_mode=True)
    recorder.task("plugin_reload", mounts=["a"], state="current")
    recorder.serves(a=OLD)


@scenario
def lost_after_the_reload(recorder: Recorder) -> None:
    """The reload of a succeeds: then its process ends for good; and then the server is sealed."""
    plugin = recorder.register(OLD)
    recorder.mount("a")

    def ends() -> None:
        recorder.end_process("a")
        plugin.path.chmod(0o644)

    recorder.after_reload.append(ends)
    recorder.task("plugin_reload", mounts=["a"])
    recorder.down("a")
    plugin.path.chmod(0o755)
    recorder.serves(a=OLD)
    recorder.after_reload.append(recorder.seal)
    recorder.task("plugin_reload", mounts=["a"])


@scenario
def another_file_at_the_same_path(recorder: Recorder) -> None:
    """The file of the running version of a is another one than was registered: it cannot start."""
    plugin = recorder.register(OLD)
    recorder.mount("a")
    content = plugin.path.read_bytes()
    plugin.path.unlink()
    plugin.path.write_bytes(content + b"\n# another\n")
    plugin.path.chmod(0o755)
    recorder.task("plugin_reload", mounts=["a"])
    recorder.down("a")
    recorder.task("plugin_reload", plugin=PLUGIN)
    recorder.down("a")
    recorder.task("plugin_reload", mounts=["a"], state="current", check_mode=True)


@scenario
def siblings_of_a_multiplexed_plugin(recorder: Recorder) -> None:
    """The mounts a and b share a process; its file may not be executed: a is reloaded."""
    plugin = recorder.register(OLD, multiplexed=True)
    recorder.mount("a", "b")
    plugin.path.chmod(0o644)
    recorder.task("plugin_reload", mounts=["a"])
    recorder.down("a", "b")


@scenario
def builtin_plugins(recorder: Recorder) -> None:
    """Two builtin plugins, and one version registered of a plugin that is a part of the server."""
    recorder.server.mount("kv", "kv")
    recorder.server.mount("keys", "transit")
    recorder.task("plugin_reload", plugin="kv")
    recorder.task("plugin_reload", mounts=["kv", "keys"])
    recorder.task("plugin_reload", mounts=["kv", "keys"], state="current")
    recorder.task("plugin_info", name="kv")
    recorder.task("plugin_pin", name="kv", type="secret", version="v9.9.9")


@scenario
def reload_by_type(recorder: Recorder) -> None:
    """A secrets plugin at a and an auth plugin at in have one name: by type, and by none."""
    recorder.register(OLD)
    auth = recorder.build(OLD, name="in", kind="auth")
    recorder.server.register(PLUGIN, auth)
    recorder.mount("a")
    recorder.server.mount("in", PLUGIN, kind="auth", version=OLD)
    recorder.server.info("auth/in")
    recorder.task("plugin_reload", plugin=PLUGIN, plugin_type="secret")
    recorder.task("plugin_reload", plugin=PLUGIN, plugin_type="auth")
    recorder.task("plugin_reload", plugin=PLUGIN, plugin_type="database")
    recorder.task("plugin_reload", plugin=PLUGIN, plugin_type="unknown")


@scenario
def not_to_be_pinned(recorder: Recorder) -> None:
    """Two versions, the old one pinned; an auth plugin of another name: what is refused."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.server.call("PUT", PIN, {"version": OLD})
    login = recorder.build(OLD, name="login", kind="auth")
    recorder.server.register("login", login)
    for name, version in (
        (PLUGIN, UNKNOWN),
        ("etx", OLD),
        ("login", OLD),
        ("kv", "v0.0.0+builtin"),
        (PLUGIN, "1.1"),
        (PLUGIN, ""),
    ):
        recorder.task("plugin_pin", name=name, type="secret", version=version)
    recorder.request("PUT", PIN, body={"version": UNKNOWN})


@scenario
def tune_while_pinned(recorder: Recorder) -> None:
    """The old version is pinned: the server refuses to configure the mount a for another one."""
    recorder.register(OLD)
    recorder.register(NEW)
    recorder.mount("a")
    recorder.server.call("PUT", PIN, {"version": OLD})
    recorder.request("POST", "sys/mounts/a/tune", body={"plugin_version": NEW})


@scenario
def examples_of_plugin_pin(recorder: Recorder) -> None:
    """The examples of the module's documentation, one after the other."""
    from ansible_collections.vaultops.vault.plugins.modules import plugin_pin

    for version in (OLD, NEW):
        recorder.register(version, name="my-plugin")
    recorder.server.mount("my-secrets", "my-plugin", version=OLD)
    for task in yaml.safe_load(plugin_pin.EXAMPLES):
        del task["name"]
        ((module, options),) = task.items()
        del options["url"], options["token"]
        recorder.task(module.rpartition(".")[2], **options)


@scenario
def registrations_that_are_refused(recorder: Recorder) -> None:
    """A file of another version; removal of the pinned version; images without what they need."""
    old = recorder.register(OLD)
    recorder.server.call("PUT", PIN, {"version": OLD})
    entry: dict[str, t.Any] = {"name": PLUGIN, "type": "secret", "version": NEW}
    file: dict[str, t.Any] = {"sha256": old.sha256, "command": old.path.name}
    image: dict[str, t.Any] = {"oci_image": "registry.example/ext"}
    recorder.task("plugin", **entry, **file)
    recorder.task("plugin", **{**entry, "version": OLD}, state="absent", force=True)
    recorder.request("DELETE", f"sys/plugins/catalog/secret/{PLUGIN}", query={"version": OLD})
    recorder.task("plugin", **entry, **image)
    recorder.request("POST", f"sys/plugins/catalog/secret/{PLUGIN}", body={"version": NEW, **image})
    recorder.task("plugin", **entry, **image, sha256="c" * 64, runtime="nope")


@scenario
def runtimes(recorder: Recorder) -> None:
    """No runtime at first: one is registered, again, changed, shown and removed, each twice."""
    name: dict[str, t.Any] = {"name": "gvisor"}
    settings: dict[str, t.Any] = {
        "oci_runtime": "runc",
        "cgroup_parent": "/plugins",
        "cpu_nanos": 500_000_000,
        "memory_bytes": 268_435_456,
        "rootless": True,
    }
    recorder.task("plugin_runtime", **name, **settings, check_mode=True)
    recorder.task("plugin_runtime", **name, **settings)
    recorder.task("plugin_runtime", **name, **settings)
    recorder.task("plugin_runtime", **name, oci_runtime="runc", cpu_nanos=1)
    recorder.task("plugin_info", type="secret", name="kv")
    recorder.task("plugin_runtime", **name)
    recorder.task("plugin_runtime", **name, state="absent", check_mode=True)
    recorder.task("plugin_runtime", **name, state="absent")
    recorder.task("plugin_runtime", **name, state="absent")
