# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plugin_info
short_description: List the plugins of HashiCorp Vault or OpenBao, and the versions that run
version_added: 0.1.0
author:
  - the vaultops.vault authors (@vaultops)
description:
  - No option is required. O(name) limits the answer to a plugin, and O(health) asks each mount.
    Most others are about the connection and the login, which come from E(BAO_ADDR) and
    E(BAO_TOKEN), or E(VAULT_ADDR) and E(VAULT_TOKEN), if they are set. So the shortest task is
    C(ansible localhost -m vaultops.vault.plugin_info).
  - Lists each plugin with its registered versions, its pinned version and its mounts, and for each
    mount the configured, the expected and the running version. Without O(name), O(type) and
    O(mounts), it lists all external plugins in the catalog.
  - A mount is current if it runs what it is expected to run. To reload the mounts that are not,
    use O(vaultops.vault.plugin_reload#module:state=current).
  - Apart from a login, and without O(commands) and O(health), the module sends at most six
    requests, whatever the number of mounts. They read the catalog (in a namespace of HashiCorp
    Vault at the second attempt), the mounts and the authentication mounts, and with HashiCorp Vault
    the pins and the plugin runtimes.
extends_documentation_fragment:
  - vaultops.vault._attributes
  - vaultops.vault._attributes.actiongroup_vault
  - vaultops.vault._attributes.interrupted
  - vaultops.vault._connection
  - vaultops.vault._auth
attributes:
  check_mode:
    support: full
    details:
      - The module only reads, and does the same in check mode.
  diff_mode:
    support: N/A
options:
  name:
    description:
      - List only the plugin of this name, builtin or not.
    type: str
  type:
    description:
      - List only plugins of this type.
    type: str
    choices: [auth, secret, database]
  mounts:
    description:
      - List only these mounts and their plugins, builtin or not. Give paths as a list, or as a
        text, separated by commas or one a line. Paths of authentication mounts start with V(auth/).
      - V(transit), V(transit/) and V(/transit) name the same mount.
    type: list
    elements: str
  builtin:
    description:
      - Whether to include plugins that exist only as a part of the server. O(name) and O(mounts)
        include them in any case.
    type: bool
    default: false
  commands:
    description:
      - Whether to read the command of each registered version, too, at a request for each. It needs
        C(read) and C(sudo) on C(sys/plugins/catalog/<type>/<name>).
    type: bool
    default: false
  health:
    description:
      - Whether to ask each listed mount whether its plugin answers, as
        M(vaultops.vault.plugin_reload) does. The answer is RV(plugins[].mounts[].alive). What is
        down is named in RV(summary), and in a warning.
      - The question goes to the node that answers. It makes the server try to start a plugin that
        does not run.
    type: bool
    default: false
notes:
  - The mounts are those of the namespace. The catalog, the pins and the plugin runtimes belong to
    the whole server.
  - The running version is what the server loaded last. It does not show whether the plugin runs;
    O(health) does.
  - To see what is down on each node of a cluster, run M(vaultops.vault.plugin_reload) in check mode
    with O(vaultops.vault.plugin_reload#module:state=current) and
    O(vaultops.vault.plugin_reload#module:scope=global).
  - Database plugins have connections instead of mounts. Parts of the server itself, such as C(sys/)
    and C(auth/token/), are not listed.
  - The token needs C(read) on C(sys/plugins/catalog), C(sys/mounts) and C(sys/auth), and with
    HashiCorp Vault on C(sys/plugins/pins) and C(sys/plugins/runtimes/catalog), without sudo.
    What it may not read is null in the result, with a warning. If it may read nothing of what the
    task asks for, the task fails.
seealso:
  - module: vaultops.vault.plugin
  - module: vaultops.vault.plugin_pin
  - module: vaultops.vault.plugin_reload
  - module: vaultops.vault.plugin_runtime
"""

EXAMPLES = r"""
- name: List what is registered and what runs
  vaultops.vault.plugin_info:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
  register: plugins

- name: Show the summary
  ansible.builtin.debug:
    var: plugins.summary

- name: Check whether a mount is current
  vaultops.vault.plugin_info:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    mounts: my-secrets
  register: mine

- name: Fail if it is not
  ansible.builtin.assert:
    that: mine.plugins[0].mounts[0].current
    fail_msg: "{{ mine.summary | join(', ') }}"

- name: See what is down
  vaultops.vault.plugin_info:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    health: true
"""

RETURN = r"""
plugins:
  description: The selected plugins, sorted by type and name.
  returned: success
  type: list
  elements: dict
  contains:
    type:
      description: V(auth), V(secret) or V(database).
      type: str
      sample: secret
    name:
      description: Name of the plugin.
      type: str
      sample: my-plugin
    versions:
      description: The registered versions, newest last; null if the catalog could not be read.
      type: list
      elements: dict
      contains:
        version:
          description: Version of the entry; empty if it has none.
          type: str
          sample: v1.1.0
        sha256:
          description: The sha256 of the plugin's file; empty for a builtin plugin.
          type: str
          sample: 8b29b369c0f2b5f7f5318e740b9b6444486e1747d565e87d33cca328974e3130
        builtin:
          description: Whether this version is part of the server itself.
          type: bool
          sample: false
        command:
          description:
            - Name of the file in the plugin directory; empty for a builtin plugin, null if it could
              not be read. Only with O(commands=true).
          type: str
          sample: my-plugin-v1.1.0
        error:
          description:
            - Why the command could not be read, in the server's words; null if it could. Only with
              O(commands=true). OpenBao 2.7.2 cannot read an entry whose file is gone.
          type: str
          sample: null
    pin:
      description: The pinned version; null if there is none or pins could not be read.
      type: str
      sample: null
    mounts:
      description:
        - The mounts of the plugin in the namespace; null for a database plugin, and if they could
          not be read.
      type: list
      elements: dict
      contains:
        path:
          description: Path of the mount. Authentication mounts start with C(auth/).
          type: str
          sample: my-secrets/
        accessor:
          description: Accessor of the mount.
          type: str
          sample: my-plugin_1a2b3c4d
        configured:
          description:
            - The version that the mount is configured for, empty if it has none, and the sha256
              that is registered for it, null if there is none.
          type: dict
          sample: {version: v1.1.0, sha256: 8b29b369c0f2}
        expected:
          description:
            - What a reload would start, which is the pinned version, else the configured version,
              else the entry without a version, else the builtin plugin. Null if no such entry is
              registered, or if this is unknown.
          type: dict
          sample: {version: v1.1.0, sha256: 8b29b369c0f2}
        running:
          description: What the server loaded last for this mount.
          type: dict
          sample: {version: v1.0.0, sha256: 84452321a9d1}
        current:
          description:
            - Whether RV(plugins[].mounts[].running) equals RV(plugins[].mounts[].expected). Also
              V(false) if nothing is registered that the mount could load, so that it would not
              restart after a reload, and with O(health=true) if it is down. Null if this is
              unknown.
          type: bool
          sample: false
        alive:
          description:
            - Whether the plugin answers; null if this is unknown. Only with O(health=true).
          type: bool
          sample: true
        error:
          description:
            - Why the plugin does not answer, or why that is unknown; else null. Only with
              O(health=true).
          type: str
          sample: null
summary:
  description:
    - The result as lines of text, one for each registered version with the mounts that are
      expected to run it.
  returned: success
  type: list
  elements: str
  sample:
    - "my-plugin secret v1.0.0: no mounts"
    - "my-plugin secret v1.1.0: 2 mounts, 1 not current (my-secrets/ runs v1.0.0)"
runtimes:
  description:
    - The plugin runtimes of the server, whatever plugins were selected, as
      M(vaultops.vault.plugin_runtime) registers them. Empty on OpenBao, and on HashiCorp Vault
      before 1.15, which have none. Null if the catalog or the runtimes could not be read.
  returned: success
  type: list
  elements: dict
  contains:
    type:
      description: Always V(container).
      type: str
      sample: container
    name:
      description: Name of the runtime.
      type: str
      sample: gvisor
    oci_runtime:
      description: The OCI runtime of the container engine; empty for the default, C(runsc).
      type: str
      sample: runsc
    cgroup_parent:
      description: Parent cgroup of each container; empty if the container engine chooses it.
      type: str
      sample: ""
    cpu_nanos:
      description: CPU limit of each container, in billionths of a CPU; V(0) for none.
      type: int
      sample: 500000000
    memory_bytes:
      description: Memory limit of each container in bytes; V(0) for none.
      type: int
      sample: 268435456
    rootless:
      description: Whether the container engine runs without root.
      type: bool
      sample: false
status:
  description: HTTP status of the server's answer; null if there was none.
  returned: failure
  type: int
  sample: 403
errors:
  description: The server's error messages, unchanged.
  returned: failure
  type: list
  elements: str
  sample: [permission denied]
request_id:
  description: The server's ID of the request, as in its audit log; null if it reported none.
  returned: failure
  type: str
  sample: null
"""

from ansible_collections.vaultops.vault.plugins.module_utils._front.entry import run_module
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_info


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin_info)


if __name__ == "__main__":
    main()
