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
  - B(The options that matter) are O(plugin) or O(mounts), O(state), and O(scope) for a cluster. All
    others have defaults that fit; most are about the connection and the login, which come from
    E(BAO_ADDR) and E(BAO_TOKEN), or E(VAULT_ADDR) and E(VAULT_TOKEN), if they are set. So the
    shortest task is C(ansible localhost -m vaultops.vault.plugin_reload -a plugin=my-plugin).
  - Restarts the process of an external secrets or authentication plugin, so that its mounts run
    the version that they are configured for. Select the mounts by the name of their plugin
    (O(plugin)) or by path (O(mounts)). O(state=current) reloads only the mounts that need it, and
    O(scope=global) reloads on all nodes of a cluster.
  - The server stops a plugin before it starts the new process. If the new process does not start,
    the mount is down on OpenBao until a reload of it succeeds; HashiCorp Vault tries to start the
    old version again with the next request. Therefore the module runs preflight checks, and
    refuses to reload a mount whose plugin is no longer in the catalog.
  - After the reload, the module verifies that each mount runs the expected version and passes a
    health check. The result lists for each mount what ran before, what runs now, and whether it was
    reloaded. Whatever is unknown is reported as null.
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
      - Runs the preflight checks, reloads nothing, and predicts what would run.
  diff_mode:
    support: full
    details:
      - One line per mount with path, plugin, version and the first eight digits of the sha256. If
        the nodes of a cluster differ, one line per mount and node.
options:
  plugin:
    description:
      - Name of the plugin in the catalog. Selects all its mounts in the namespace. To list the
        names, use C(bao plugin list) on OpenBao and C(vault plugin list) on HashiCorp Vault.
      - If the reload of a mount fails, the server stops and does not touch the mounts after it.
        With O(state=current), it continues with the remaining mounts.
      - Exactly one of O(plugin) and O(mounts) is required. An option that is empty, as a survey may
        leave it, counts as not given.
    type: str
  mounts:
    description:
      - Paths of the mounts to reload, as a list, or as a text, separated by commas or one a line.
        Paths of authentication mounts start with V(auth/). To list the paths, use
        C(bao secrets list) and C(bao auth list) on OpenBao, and C(vault secrets list) and
        C(vault auth list) on HashiCorp Vault.
      - V(transit), V(transit/) and V(/transit) name the same mount. A mount that is given twice is
        reloaded once. The preflight checks refuse a path inside a mount.
      - If the reload of a mount fails, the server continues with the remaining mounts.
      - A path that contains a comma has to be given in a list.
    type: list
    elements: str
  plugin_type:
    description:
      - Reload O(plugin) of this type in all namespaces. This uses an endpoint that HashiCorp Vault
        has from 1.16 on, in the root namespace only. OpenBao does not have it.
      - The result lists the mounts of the root namespace only. So O(state=current), which has to
        inspect each mount, refuses it on servers with namespaces.
      - Mutually exclusive with O(mounts).
    type: str
    choices: [auth, secret, database, unknown]
  state:
    description:
      - V(reloaded) always reloads the mounts.
      - V(current) reloads only the mounts that do not run the expected version and sha256, or that
        fail the health check. The expected version is the pinned version of the plugin, else the
        configured version of the mount, else the catalog entry without a version. If no mount needs
        a reload, the module sends none and reports no change.
      - V(current) requires that the token can read the mounts and the catalog. It cannot be
        combined with O(verify=false).
    type: str
    choices: [reloaded, current]
    default: reloaded
  verify:
    description:
      - V(false) sends only the reload, without preflight checks before and verification after it.
        The result then contains only what the server itself reports.
    type: bool
    default: true
notes:
  - The reload needs the ACL capability C(update) on C(sys/plugins/reload/backend), without sudo.
    The checks need C(read) on C(sys/mounts), C(sys/mounts/*), C(sys/auth) and
    C(sys/plugins/catalog), and on C(sys/plugins/pins) with HashiCorp Vault. With
    O(state=reloaded), a token without C(read) can reload all the same. A warning names the checks
    that were skipped, and RV(verified) is V(false).
  - O(timeout) never shortens the wait for the reload. Do not set the task keyword C(timeout)
    either. On the controller the reload ends first, then the task fails, and the mounts are not
    verified.
  - The module never sends a reload again if the server may have acted on it.
  - More than 990 mounts fit in one request too, unless a path contains a comma.
  - A token with a limited number of uses needs one use for each request, including those of checks
    and probes.
  - A builtin plugin runs inside the server and has no process of its own, so it gets no health
    check.
seealso:
  - name: Vault API documentation
    description: The reload of plugins in HashiCorp Vault.
    link: https://developer.hashicorp.com/vault/api-docs/system/plugins-reload
  - name: OpenBao API documentation
    description: The reload of plugins in OpenBao.
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

- name: Reload on all nodes of the cluster, and verify each of them
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

- name: Use a request of your own as the health check
  vaultops.vault.plugin_reload:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    mounts: my-secrets
    probe: info

- name: Reload without preflight checks and verification
  vaultops.vault.plugin_reload:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    verify: false

- name: Set the connection once for many tasks
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
  description: The requested scope.
  returned: success, or failure after the preflight checks
  type: str
  sample: local
reload_id:
  description:
    - The server's ID of the reload. If the mounts needed several requests, that of the last one.
    - Null if nothing was sent, or if the server did not confirm the reload.
  returned: success, or failure after the preflight checks
  type: str
  sample: 9c2aa202-1f7a-8a1c-5f1e-0e3c2d6b7a90
verified:
  description:
    - Whether the verification succeeded, which means that each mount passed the health check of
      O(probe) and runs what it is expected to run; with O(probe=false), only that it runs that. It
      is V(false) if mounts, catalog or pins could not be read.
    - In check mode, and if nothing had to be reloaded, whether all of these could be read, and no
      mount was found to be down.
    - With O(scope=global), V(true) only if all nodes are verified too, including those that
      O(nodes) leaves out.
  returned: success, or failure after the preflight checks
  type: bool
  sample: true
mounts:
  description: The selected mounts; empty with O(verify=false), and if they could not be read.
  returned: success, or failure after the preflight checks
  type: list
  elements: dict
  contains:
    path:
      description: Path of the mount. Authentication mounts start with C(auth/).
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
      description:
        - Whether the mount was reloaded and is not known to be down, or in check mode whether it
          would be reloaded. Null if unknown.
      type: bool
      sample: true
    alive:
      description:
        - Whether the plugin answers, in check mode before the reload. Null if this is unknown or
          was not asked.
      type: bool
      sample: true
    error:
      description:
        - Why the mount is down or not as expected, as the server reports it; null if no error is
          known.
      type: str
      sample: null
    before:
      description: Version and sha256 that ran before the reload, as the server reported them.
      type: dict
      sample: {version: v1.0.0, sha256: 84452321a9d1}
    after:
      description:
        - Version and sha256 that run after the reload, as the server reports them, or in check mode
          those that would run. Null if they could not be read.
      type: dict
      sample: {version: v1.1.0, sha256: 8b29b369c0f2}
nodes:
  description:
    - The nodes of the cluster. A node that runs no plugins itself has no mounts here.
  returned: with O(scope=global) and O(wait), if the nodes are known
  type: list
  elements: dict
  contains:
    address:
      description: URL of the node; null if the cluster does not know it at the moment.
      type: str
      sample: https://n2.example.com:8200
    name:
      description: Name of the node in the cluster, or its host and port.
      type: str
      sample: n2
    role:
      description:
        - V(active), V(standby), V(performance standby), V(sealed) or V(not initialized); null if
          the node did not report it.
      type: str
      sample: standby
    ok:
      description:
        - Whether the node is verified to run what it is expected to run. Null in check mode, and if
          the node was not asked or had nothing to report.
      type: bool
      sample: true
    error:
      description: Why the node is not verified; null if no error is known.
      type: str
      sample: null
    mounts:
      description:
        - The mounts as this node reports them. RV(nodes[].mounts[].reloaded) is null if the node
          ran the same version before and after, and no answer shows whether it reloaded.
      type: list
      elements: dict
      contains:
        path:
          description: Path of the mount.
          type: str
          sample: my-secrets/
        reloaded:
          description: Whether the mount was reloaded on this node; null if unknown.
          type: bool
          sample: true
        alive:
          description: Whether the plugin answers on this node; null if this is unknown.
          type: bool
          sample: true
        error:
          description: Why the mount is not well on this node; null if no error is known.
          type: str
          sample: null
        before:
          description: What ran before the reload.
          type: dict
          sample: {version: v1.0.0, sha256: 84452321a9d1}
        after:
          description: What runs now, or in check mode what would run.
          type: dict
          sample: {version: v1.1.0, sha256: 8b29b369c0f2}
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
  sample: ['plugin not found in the catalog: "nope"']
request_id:
  description: The server's ID of the request, as in its audit log; null if it reported none.
  returned: failure
  type: str
  sample: null
"""

from ansible_collections.vaultops.vault.plugins.module_utils._front.entry import run_module
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_reload


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin_reload)


if __name__ == "__main__":
    main()
