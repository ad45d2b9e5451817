# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plugin_upgrade
short_description: Move mounts of HashiCorp Vault or OpenBao to another version of their plugin
version_added: 0.1.0
author:
  - the vaultops.vault authors (@vaultops)
description:
  - B(The options that matter) are O(plugin), O(version) and O(canary), and O(scope) for a cluster.
    All others have defaults that fit; most are about the connection and the login, which come from
    E(BAO_ADDR) and E(BAO_TOKEN), or E(VAULT_ADDR) and E(VAULT_TOKEN), if they are set. So the
    shortest task is
    C(ansible localhost -m vaultops.vault.plugin_upgrade -a "plugin=my-plugin version=v1.1.0").
  - Moves the mounts of a plugin (O(plugin)) to another registered version (O(version)), newer or
    older. The module configures the mounts for the version, reloads them, and verifies that each of
    them runs it and passes a health check, on every node with O(scope=global). O(canary) and
    O(batch) limit how many mounts move at a time.
  - If a mount fails, the module rolls back all mounts that have started to move. It restores their
    previous version, reloads them, and verifies them again. Then the task fails and reports both
    the failure and the result of the rollback. If a mount is down at the end, the message names it
    first.
  - If all mounts already run the version and pass the health check, the module changes nothing.
extends_documentation_fragment:
  - vaultops.vault._attributes
  - vaultops.vault._attributes.actiongroup_vault
  - vaultops.vault._attributes.interrupted
  - vaultops.vault._reload
  - vaultops.vault._connection
  - vaultops.vault._auth
attributes:
  check_mode:
    support: full
    details:
      - Reads the catalog and the mounts, changes nothing, and predicts what would run.
  diff_mode:
    support: full
    details:
      - One line per mount with path, plugin, version and the first eight digits of the sha256, and
        one for the pin where it moves.
options:
  plugin:
    description:
      - Name of the plugin in the catalog.
    type: str
    required: true
  type:
    description:
      - Type of the plugin. Required only if an auth and a secret plugin have the same name.
    type: str
    choices: [auth, secret]
  version:
    description:
      - The version to move to, such as V(v1.2.0) or V(1.2.0). It must be registered in the catalog,
        see M(vaultops.vault.plugin).
    type: str
    required: true
  mounts:
    description:
      - Paths of the mounts to move, all of them mounts of O(plugin). Paths of authentication mounts
        start with V(auth/).
      - A list, or a text, separated by commas or one a line.
      - If not given, all mounts of the plugin in the namespace. An empty list counts as not given.
    type: list
    elements: str
  canary:
    description:
      - Path of a mount to move and verify first. The other mounts follow only if it succeeds.
      - It is moved also if O(mounts) does not name it.
    type: str
  batch:
    description:
      - How many mounts to move and verify at a time, after the O(canary). V(0) moves all at once.
    type: int
    default: 0
  pin:
    description:
      - Whether to pin the version for the whole plugin instead of configuring it for each mount.
        HashiCorp Vault supports pins from 1.16 on. If the plugin is pinned already, the module
        always moves the pin, because the server then refuses to configure a version for a mount.
      - A pin applies to all mounts in all namespaces. Mounts that this task does not select follow
        at their next reload. A warning names those of this namespace.
      - If the plugin is pinned to O(version) already, and the upgrade fails, the rollback pins it
        to the version that the mounts ran.
    type: bool
    default: false
  force:
    description:
      - Whether to move a mount that cannot be rolled back. This is a mount that runs a plugin
        without a version, unless the same file is also registered with a version, because the
        server cannot configure a mount back to no version. It is also a mount that runs a version
        that is no longer in the catalog.
      - Where a pin is moved, it is also a mount that runs another version than its next start
        would, because the pin was changed and the mount was not reloaded since. It is none if it
        runs O(version) already.
      - A mount that is down needs no force, as it has nothing to lose. With O(scope=global) it
        does, because it may run on another node.
    type: bool
    default: false
notes:
  - The token needs C(update) on C(sys/mounts/<path>/tune) of each mount, with C(auth/) in the path
    of an authentication mount, and on C(sys/plugins/reload/backend). It needs C(read) on
    C(sys/mounts), C(sys/mounts/*), C(sys/auth) and C(sys/plugins/catalog). It does not need sudo.
    With pins, it needs C(read) on C(sys/plugins/pins), and C(update) and C(delete) on
    C(sys/plugins/pins/<type>/<name>).
  - Copy the plugin's file to every node before the upgrade. The server's API does not show files.
    The role C(vaultops.vault.plugin_rollout) copies the file to the nodes and checks it.
  - The standbys of OpenBao 2.6 learn of a new version only when they start, so the module refuses
    O(scope=global) there. Upgrade with O(scope=local) at the active node, then restart the
    standbys.
  - One process of a multiplexed plugin serves all mounts of a version, so mounts that are not
    selected may be restarted too. RV(siblings) lists them.
  - A rollback always requests the path help as its health check, whatever O(probe) says.
seealso:
  - module: vaultops.vault.plugin
  - module: vaultops.vault.plugin_info
  - module: vaultops.vault.plugin_reload
  - name: Upgrade a plugin
    description: The same steps by hand, for HashiCorp Vault.
    link: https://developer.hashicorp.com/vault/docs/upgrading/plugins
"""

EXAMPLES = r"""
- name: Move all mounts of a plugin to a version, on every node, with a canary
  vaultops.vault.plugin_upgrade:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    version: v1.1.0
    canary: my-secrets
    scope: global

- name: Preview an upgrade
  vaultops.vault.plugin_upgrade:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    version: v1.1.0
  check_mode: true
  diff: true

- name: Return to the previous version
  vaultops.vault.plugin_upgrade:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    version: v1.0.0
"""

RETURN = r"""
plugin:
  description: Name of the plugin.
  returned: success, or failure after the plan was made
  type: str
  sample: my-plugin
type:
  description: Type of the plugin.
  returned: success, or failure after the plan was made
  type: str
  sample: secret
version:
  description: The version that the task requests.
  returned: success, or failure after the plan was made
  type: str
  sample: v1.1.0
sha256:
  description: The sha256 of the catalog entry of RV(version).
  returned: success, or failure after the plan was made
  type: str
  sample: 8b29b369c0f2
rolled_back:
  description:
    - V(true) if the upgrade failed and all mounts that had started to move run their previous
      version again, V(false) if some of them do not or this is unknown. Null if the upgrade did not
      fail, or failed before it changed anything.
  returned: success, or failure after the plan was made
  type: bool
  sample: null
siblings:
  description: Mounts of the plugin that run one of the versions involved and were not selected.
  returned: success, or failure after the plan was made
  type: list
  elements: str
  sample: []
mounts:
  description: The selected mounts, in the order in which they move.
  returned: success, or failure after the plan was made
  type: list
  elements: dict
  contains:
    path:
      description: Path of the mount.
      type: str
      sample: my-secrets/
    type:
      description: V(secret) or V(auth).
      type: str
      sample: secret
    plugin:
      description: Name of the plugin.
      type: str
      sample: my-plugin
    accessor:
      description: Accessor of the mount.
      type: str
      sample: my-plugin_1a2b3c4d
    reloaded:
      description: Whether the last reload reloaded the mount; null if unknown.
      type: bool
      sample: true
    alive:
      description:
        - Whether the plugin answers, in check mode before the upgrade. Null if this is unknown.
      type: bool
      sample: true
    error:
      description: Why the mount is down or not as expected; null if no error is known.
      type: str
      sample: null
    before:
      description: What ran before the task.
      type: dict
      sample: {version: v1.0.0, sha256: 84452321a9d1}
    after:
      description: What runs now, or in check mode what would run; null if it is not known.
      type: dict
      sample: {version: v1.1.0, sha256: 8b29b369c0f2}
nodes:
  description:
    - The nodes of the cluster after the last reload, as M(vaultops.vault.plugin_reload) returns
      them, each with all mounts that were reloaded, and with what these ran before the task.
  returned: with O(scope=global) and O(wait), except in check mode, if a reload was tried
  type: list
  elements: dict
  sample: []
status:
  description: HTTP status of the server's answer; null if there was none.
  returned: failure
  type: int
  sample: 400
errors:
  description: The server's error messages, unchanged.
  returned: failure
  type: list
  elements: str
  sample: ['cannot reload plugin on "my-secrets/": ...']
request_id:
  description: The server's ID of the request, as in its audit log; null if it reported none.
  returned: failure
  type: str
  sample: null
"""

from ansible_collections.vaultops.vault.plugins.module_utils._front.entry import run_module
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_upgrade


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin_upgrade)


if __name__ == "__main__":
    main()
