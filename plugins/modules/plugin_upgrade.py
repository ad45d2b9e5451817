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
  - Configures the mounts of a plugin for another registered version, newer or older, reloads them,
    and proves that each of them runs it and answers, on every node with O(scope=global).
  - If one of them does not, all mounts that have begun to move are put back to the version that
    they ran, reloaded, and asked again. Then the task fails and tells both stories. A mount that is
    down at the end stands first in the message.
  - Nothing is sent where all mounts run the version already.
extends_documentation_fragment:
  - vaultops.vault._attributes
  - vaultops.vault._attributes.actiongroup_vault
  - vaultops.vault._reload
  - vaultops.vault._connection
  - vaultops.vault._auth
attributes:
  check_mode:
    support: full
    details:
      - Catalog and mounts are looked at, nothing is changed, and the result predicts what would
        run.
  diff_mode:
    support: full
    details:
      - One line a mount, with path, plugin, version and the first eight digits of the sha256.
options:
  plugin:
    description:
      - Name of the plugin in the catalog.
    type: str
    required: true
  type:
    description:
      - Type of the plugin. Only needed where an auth and a secret plugin have the same name.
    type: str
    choices: [auth, secret]
  version:
    description:
      - The version to move to, such as V(v1.2.0) or V(1.2.0). It must be in the catalog; see
        M(vaultops.vault.plugin).
    type: str
    required: true
  mounts:
    description:
      - Paths of the mounts to move, all of this plugin. Authentication mounts start with V(auth/).
      - If not given, all mounts of the plugin in the namespace.
    type: list
    elements: str
  canary:
    description:
      - Path of a mount that is moved and proven first. Only if it works the others follow.
    type: str
  batch:
    description:
      - How many mounts are moved and proven at a time, after the O(canary); V(0) is all at once.
    type: int
    default: 0
  pin:
    description:
      - Whether to pin the version for the whole plugin instead of configuring it at each mount.
        HashiCorp Vault has pins from 1.16 on. A plugin that is pinned is moved by its pin in any
        case, since the server then refuses a version of the mount's own.
      - A pin holds for all mounts, in all namespaces; those that are not named here follow when
        they are reloaded the next time.
    type: bool
    default: false
  force:
    description:
      - Whether to move a mount that has no way back. That is one that runs a plugin without a
        version, as the server configures no mount back to none, unless the same file is registered
        with a version too; and one that runs a version that is no longer in the catalog.
    type: bool
    default: false
notes:
  - The token needs C(update) on C(sys/mounts/<path>/tune) of each mount, with C(auth/) in the path
    of an authentication mount, and on C(sys/plugins/reload/backend), and C(read) on C(sys/mounts),
    C(sys/mounts/*), C(sys/auth) and C(sys/plugins/catalog); no sudo. With pins, C(read) on
    C(sys/plugins/pins), and C(update) and C(delete) on C(sys/plugins/pins/<type>/<name>).
  - The plugin's file has to be on every node before. The server's API does not show files; the role
    C(vaultops.vault.plugin_rollout) puts them there and checks them.
  - OpenBao 2.6 tells its standbys of a new version only when they start. There O(scope=global) is
    refused; upgrade at the active node and restart the standbys.
  - One process of a multiplexed plugin serves all mounts of a version, so mounts that are not moved
    may be restarted too. RV(siblings) names them.
seealso:
  - module: vaultops.vault.plugin
  - module: vaultops.vault.plugin_info
  - module: vaultops.vault.plugin_reload
  - name: Upgrade a plugin
    description: The steps that this module takes, by hand.
    link: https://developer.hashicorp.com/vault/docs/upgrading/plugins
"""

EXAMPLES = r"""
- name: Move all mounts of a plugin to a version, on every node, one mount first
  vaultops.vault.plugin_upgrade:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    version: v1.1.0
    canary: my-secrets
    scope: global

- name: See what would happen
  vaultops.vault.plugin_upgrade:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    version: v1.1.0
  check_mode: true
  diff: true

- name: Go back
  vaultops.vault.plugin_upgrade:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    version: v1.0.0
"""

RETURN = r"""
plugin:
  description: Name of the plugin.
  returned: when the plan could be made
  type: str
  sample: my-plugin
type:
  description: Type of the plugin.
  returned: when the plan could be made
  type: str
  sample: secret
version:
  description: The version that was to be reached.
  returned: when the plan could be made
  type: str
  sample: v1.1.0
sha256:
  description: The sha256 of that version's catalog entry.
  returned: when the plan could be made
  type: str
  sample: 8b29b369c0f2
rolled_back:
  description:
    - Null where the upgrade did not fail, or had changed nothing by then. V(true) if all mounts
      that had begun to move serve their old version again, V(false) if not.
  returned: when the plan could be made
  type: bool
  sample: null
siblings:
  description: Mounts that run one of the versions involved, and were not to be moved.
  returned: when the plan could be made
  type: list
  elements: str
  sample: []
mounts:
  description: The mounts that were to be moved, in the order in which they are.
  returned: when the plan could be made
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
      description: Whether the last reload reloaded the mount; null is unknown.
      type: bool
      sample: true
    error:
      description: Why the mount is not well, null where nothing is known against it.
      type: str
      sample: null
    before:
      description: What it ran before the task.
      type: dict
      sample: {version: v1.0.0, sha256: 84452321a9d1}
    after:
      description: What it runs now; in check mode what it would run.
      type: dict
      sample: {version: v1.1.0, sha256: 8b29b369c0f2}
nodes:
  description:
    - What the last reload made known of each node, as M(vaultops.vault.plugin_reload) tells it.
  returned: with O(scope=global) and O(wait)
  type: list
  elements: dict
  sample: []
status:
  description: HTTP status of the server's answer, null when there was none.
  returned: failure
  type: int
  sample: 400
errors:
  description: The server's own words, as it sent them.
  returned: failure
  type: list
  elements: str
  sample: ['cannot reload plugin on "my-secrets/": ...']
request_id:
  description: The server's id of the request, to be found in its audit log, where it told one.
  returned: failure
  type: str
  sample: null
"""

from ansible_collections.vaultops.vault.plugins.module_utils._front.module import run_module
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_upgrade


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin_upgrade)


if __name__ == "__main__":
    main()
