# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plugin_reload
short_description: Reload plugins of HashiCorp Vault or OpenBao
version_added: 0.1.0
author:
  - the vaultops.vault authors (@vaultops)
description:
  - Restarts the process of an external secrets or authentication plugin, so that its mounts run
    the version that they are configured for.
  - Select the mounts by the name of their plugin (O(plugin)) or one by one (O(mounts)).
  - The server stops a plugin before it starts the new one, so a reload that fails is an outage of
    the mount until a reload of it succeeds. Therefore the module looks first, and refuses what
    could not come back; then it reloads; then it looks again and asks each plugin for an answer.
  - The result tells for each mount what ran before, what runs after, and whether it was reloaded.
    What cannot be known is told as unknown.
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
      - All the looks are done, nothing is reloaded, and the result predicts what would run.
  diff_mode:
    support: full
    details:
      - One line a mount, with path, plugin, version and the first eight digits of the sha256; where
        the nodes of a cluster differ, one line a mount and node.
options:
  plugin:
    description:
      - Name of the plugin in the catalog. All its mounts in the namespace are reloaded.
      - The server stops at the first mount that fails, which keeps the other mounts serving.
    type: str
  mounts:
    description:
      - Paths of the mounts to reload, as a list or separated by commas. Authentication mounts
        start with V(auth/).
      - V(transit), V(transit/) and V(/transit) name the same mount. A mount that is named twice is
        reloaded once. Each path must be that of a mount; a path inside a mount is refused.
      - The server goes on after a mount that fails.
      - A path that contains a comma needs the list.
    type: list
    elements: str
  plugin_type:
    description:
      - Reload O(plugin) of this type in all namespaces, by an endpoint that HashiCorp Vault has
        from 1.16 on, in the root namespace only. OpenBao does not have it.
      - The result lists the mounts of the root namespace.
    type: str
    choices: [auth, secret, database, unknown]
  state:
    description:
      - V(reloaded) always reloads.
      - V(current) reloads only the mounts that do not run what they are expected to run, or whose
        plugin does not answer. A mount is expected to run the pinned version, else its configured
        version, else the catalog entry without a version, by version and sha256. If there is none,
        nothing is sent and the task is not changed.
    type: str
    choices: [reloaded, current]
    default: reloaded
  verify:
    description:
      - V(false) sends the bare request, with no look before or after. The result then has the
        server's own word only.
    type: bool
    default: true
notes:
  - The reload needs the ACL capability C(update) on C(sys/plugins/reload/backend), without sudo.
    The looks need C(read) on C(sys/mounts), C(sys/mounts/*), C(sys/auth) and
    C(sys/plugins/catalog), and on C(sys/plugins/pins) with HashiCorp Vault. A token that may not
    look can reload all the same; a warning says what was not checked, and RV(verified) is V(false).
  - O(timeout) never shortens the wait for the reload. Do not cut it off by the keyword C(timeout)
    of the task either, for the reason that O(reload_timeout) gives.
  - The reload is never repeated where the server may have acted on it. More than 990 mounts go in
    one request too.
  - A token with a limited number of uses needs one for each request, looks and questions included.
  - A builtin plugin runs inside the server and has no process to lose, so it is not asked for an
    answer.
seealso:
  - name: Vault API documentation
    description: Reload plugins, as HashiCorp Vault has it.
    link: https://developer.hashicorp.com/vault/api-docs/system/plugins-reload
  - name: OpenBao API documentation
    description: Reload plugins, as OpenBao has it.
    link: https://openbao.org/api-docs/system/plugins-reload/
"""

EXAMPLES = r"""
- name: Reload all mounts of a plugin
  vaultops.vault.plugin_reload:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin

- name: Reload a secrets mount and an authentication mount
  vaultops.vault.plugin_reload:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    mounts:
      - my-secrets
      - auth/my-login

- name: Reload on all nodes of the cluster, and prove it of each
  vaultops.vault.plugin_reload:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    scope: global
    wait_timeout: 2m

- name: Reload only the mounts that do not run what they are configured for
  vaultops.vault.plugin_reload:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    state: current

- name: Let a request of your own prove that the plugin works
  vaultops.vault.plugin_reload:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    mounts: my-secrets
    probe: info

- name: Send the bare request, and believe the server
  vaultops.vault.plugin_reload:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    verify: false

- name: Say once for many tasks where the server is
  module_defaults:
    group/vaultops.vault.vault:
      url: https://vault.example.com:8200
      namespace: team-a
      token: "{{ vault_token }}"
  block:
    - name: Reload a mount of the namespace
      vaultops.vault.plugin_reload:
        mounts: team-secrets
"""

RETURN = r"""
scope:
  description: The scope that was asked for.
  returned: when the looks were done
  type: str
  sample: local
reload_id:
  description:
    - The server's id of the reload, of the last one where the mounts needed several requests.
    - Null when nothing was sent or the server refused.
  returned: when the looks were done
  type: str
  sample: 9c2aa202-1f7a-8a1c-5f1e-0e3c2d6b7a90
verified:
  description:
    - Whether the looks were possible and agree with the server's word, so that each mount is
      known to serve, and to run what it is expected to run where the catalog could be read.
    - In check mode, and when nothing had to be reloaded, whether the looks were possible.
    - With O(scope=global), whether all nodes are known to be well, those that O(nodes) leaves out
      too.
  returned: when the looks were done
  type: bool
  sample: true
mounts:
  description: What is known of each mount that was meant, empty where the token may not look.
  returned: when the looks were done
  type: list
  elements: dict
  contains:
    path:
      description: Path of the mount, authentication mounts with C(auth/).
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
      description: Whether the mount was reloaded and is not known to be down; null is unknown.
      type: bool
      sample: true
    error:
      description: Why the mount is not well, in the server's words; null where nothing is known.
      type: str
      sample: null
    before:
      description: What the server said that the mount runs, before the reload.
      type: dict
      sample: {version: v1.0.0, sha256: 84452321a9d1}
    after:
      description:
        - What the server says that the mount runs, after the reload; in check mode what it would
          run. Null where that could not be read.
      type: dict
      sample: {version: v1.1.0, sha256: 8b29b369c0f2}
nodes:
  description:
    - What is known of each node, by name. A node that runs no plugins itself has no mounts here.
  returned: with O(scope=global) and O(wait)
  type: list
  elements: dict
  contains:
    address:
      description: URL of the node, null where the cluster does not know it now.
      type: str
      sample: https://n2.example.com:8200
    name:
      description: Name of the node in the cluster, or its host and port.
      type: str
      sample: n2
    role:
      description: V(active), V(standby) or V(performance standby); null where it did not say.
      type: str
      sample: standby
    ok:
      description:
        - Whether it is proven to run what it should; null in check mode, and where nobody asked it
          or it had nothing to report.
      type: bool
      sample: true
    error:
      description: Why the node is not well, null where nothing is known against it.
      type: str
      sample: null
    mounts:
      description:
        - The mounts as this node tells them. RV(nodes[].mounts[].reloaded) is null where the node
          ran the same before and after, as nobody tells whether it was restarted.
      type: list
      elements: dict
      contains:
        path:
          description: Path of the mount.
          type: str
          sample: my-secrets/
        reloaded:
          description: Whether it was reloaded; null is unknown.
          type: bool
          sample: true
        error:
          description: Why the mount is not well on this node.
          type: str
          sample: null
        before:
          description: What it ran before the reload.
          type: dict
          sample: {version: v1.0.0, sha256: 84452321a9d1}
        after:
          description: What it runs now; in check mode what it would run.
          type: dict
          sample: {version: v1.1.0, sha256: 8b29b369c0f2}
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
  sample: ['plugin not found in the catalog: "nope"']
request_id:
  description: The server's id of the request, to be found in its audit log, where it told one.
  returned: failure
  type: str
  sample: null
"""

from ansible_collections.vaultops.vault.plugins.module_utils._front.module import run_module
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_reload


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin_reload)


if __name__ == "__main__":
    main()
