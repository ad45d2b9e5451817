# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plugin_pin
short_description: Pin the version of plugins of HashiCorp Vault
version_added: 0.1.0
author:
  - the vaultops.vault authors (@vaultops)
description:
  - Pins a plugin to a version that all its mounts are to run, whatever each of them is configured
    for, or removes the pin.
  - A pin takes effect when a mount is reloaded, so reload the mounts with
    M(vaultops.vault.plugin_reload) afterwards.
  - HashiCorp Vault has pins from 1.16 on. OpenBao has none; there the task fails, with nothing
    changed. M(vaultops.vault.plugin_upgrade) moves the mounts one by one instead.
extends_documentation_fragment:
  - vaultops.vault._attributes
  - vaultops.vault._attributes.actiongroup_vault
  - vaultops.vault._connection
  - vaultops.vault._auth
attributes:
  check_mode:
    support: full
    details:
      - Everything is read, and nothing is written.
  diff_mode:
    support: full
    details:
      - One line, with type, name and the pinned version.
options:
  name:
    description:
      - Name of the plugin in the catalog.
    type: str
    required: true
  type:
    description:
      - What the plugin is.
    type: str
    choices: [auth, secret, database]
    required: true
  version:
    description:
      - The version to pin, such as V(v1.2.0) or V(1.2.0). It must be in the catalog, and not be
        that of a builtin plugin.
      - With O(state=absent) a pin to another version is left alone; if not given, any pin goes.
    type: str
  state:
    description:
      - V(present) pins O(version), in the place of another one.
      - V(absent) removes the pin, so that each mount runs the version that it is configured for
        after its next reload.
    type: str
    choices: [present, absent]
    default: present
notes:
  - While a plugin is pinned, its mounts cannot be tuned to another version.
  - Pins are those of the whole server. They are written in the root namespace, whatever
    O(namespace) says.
  - The token needs C(read) on C(sys/plugins/pins), and C(update) or C(delete) on
    C(sys/plugins/pins/<type>/<name>); to pin, also C(read) on C(sys/plugins/catalog).
seealso:
  - module: vaultops.vault.plugin
  - module: vaultops.vault.plugin_info
  - module: vaultops.vault.plugin_reload
  - module: vaultops.vault.plugin_upgrade
  - name: Vault API documentation
    description: Pinned plugin versions.
    link: https://developer.hashicorp.com/vault/api-docs/system/plugins-pins
"""

EXAMPLES = r"""
- name: Let all mounts of a plugin run one version
  vaultops.vault.plugin_pin:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    name: my-plugin
    type: secret
    version: v1.1.0

- name: Reload those that do not run it yet
  vaultops.vault.plugin_reload:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    state: current

- name: Let each mount run what it is configured for
  vaultops.vault.plugin_pin:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    name: my-plugin
    type: secret
    state: absent
"""

RETURN = r"""
pin:
  description: The pin as it is now, in check mode as it would be; null for none.
  returned: success
  type: dict
  contains:
    type:
      description: V(auth), V(secret) or V(database).
      type: str
      sample: secret
    name:
      description: Name of the plugin.
      type: str
      sample: my-plugin
    version:
      description: The pinned version.
      type: str
      sample: v1.1.0
before:
  description: The pin as it was, with the same fields as RV(pin); null for none.
  returned: success
  type: dict
  sample: {type: secret, name: my-plugin, version: v1.0.0}
status:
  description: HTTP status of the server's answer, null when there was none.
  returned: failure
  type: int
  sample: 403
errors:
  description: The server's own words, as it sent them.
  returned: failure
  type: list
  elements: str
  sample: [permission denied]
request_id:
  description: The server's id of the request, to be found in its audit log, where it told one.
  returned: failure
  type: str
  sample: null
"""

from ansible_collections.vaultops.vault.plugins.module_utils._front.module import run_module
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_pin


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin_pin)


if __name__ == "__main__":
    main()
