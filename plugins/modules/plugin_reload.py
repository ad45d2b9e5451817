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
  - The server stops a plugin before it starts the new one. A reload that fails leaves the mount
    down until a reload of it succeeds, so the failure of this module names the mount and the
    remedy.
extends_documentation_fragment:
  - vaultops.vault._attributes
  - vaultops.vault._attributes.actiongroup_vault
  - vaultops.vault._connection
  - vaultops.vault._auth
attributes:
  check_mode:
    support: full
    details:
      - Nothing is sent to the server, and the task is reported as changed, since a reload always
        restarts the plugin.
  diff_mode:
    support: none
    details:
      - A reload changes nothing that the server's answer shows.
options:
  plugin:
    description:
      - Name of the plugin in the catalog. All its mounts in the namespace are reloaded.
      - The server stops at the first mount that fails.
    type: str
  mounts:
    description:
      - Paths of the mounts to reload, as a list or separated by commas. Authentication mounts
        start with V(auth/).
      - V(transit), V(transit/) and V(/transit) name the same mount. A mount that is named twice is
        reloaded once.
      - The server goes on after a mount that fails.
      - A path that contains a comma needs the list.
    type: list
    elements: str
  scope:
    description:
      - V(local) reloads on the node that answers only.
      - V(global) asks the server to reload on all nodes of the cluster. Vault Enterprise and
        OpenBao from 2.7.2 on do; other versions reload on one node all the same.
    type: str
    choices: [local, global]
    default: local
notes:
  - The token needs the ACL capability C(update) on C(sys/plugins/reload/backend), without sudo.
  - The wait for the server's answer lasts as long as the server may need, 130 seconds for each
    mount, because the server cancels a reload when its client hangs up, and what it has stopped by
    then stays down. O(timeout) can make it longer, not shorter. Do not cut a reload off by the
    keyword C(timeout) of the task either.
  - The request is sent once, and never repeated by the module.
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

- name: Reload on all nodes of the cluster
  vaultops.vault.plugin_reload:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    scope: global

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
  returned: always, but when an option cannot be used
  type: str
  sample: local
reload_id:
  description:
    - The server's id of the reload, of the last one where the mounts needed several requests.
    - Null when nothing was sent or the server refused.
  returned: always, but when an option cannot be used
  type: str
  sample: 9c2aa202-1f7a-8a1c-5f1e-0e3c2d6b7a90
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

from ansible_collections.vaultops.vault.plugins.module_utils._module import run_module
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_reload


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin_reload)


if __name__ == "__main__":
    main()
