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
  - Pins a plugin to a version (O(state=present), O(version)), or removes the pin
    (O(state=absent)). All mounts of a pinned plugin run the pinned version, whatever version each
    of them is configured for.
  - A pin takes effect when a mount is reloaded. Reload the mounts with
    M(vaultops.vault.plugin_reload) afterwards.
  - HashiCorp Vault supports pins from 1.16 on. OpenBao has no pins, so the task fails there and
    changes nothing. Use M(vaultops.vault.plugin_upgrade) instead, which moves the mounts one by
    one.
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
      - Reads everything and writes nothing.
  diff_mode:
    support: full
    details:
      - One line with the type, the name and the pinned version.
options:
  name:
    description:
      - Name of the plugin in the catalog.
    type: str
    required: true
  type:
    description:
      - Type of the plugin.
    type: str
    choices: [auth, secret, database]
    required: true
  version:
    description:
      - The version to pin, such as V(v1.2.0) or V(1.2.0). It must be registered in the catalog, and
        must not be the version of a builtin plugin. Required with O(state=present).
      - With O(state=absent), the module removes the pin only if it pins this version. If not given,
        it removes any pin.
    type: str
  state:
    description:
      - V(present) pins O(version), and replaces a pin to another version.
      - V(absent) removes the pin. After its next reload, each mount runs the version that it is
        configured for.
    type: str
    choices: [present, absent]
    default: present
notes:
  - While a plugin is pinned, the server refuses to tune its mounts to another version.
  - Pins apply to the whole server. The module writes them in the root namespace, whatever
    O(namespace) says.
  - The token needs C(read) on C(sys/plugins/pins), and C(update) or C(delete) on
    C(sys/plugins/pins/<type>/<name>). To pin, it also needs C(read) on C(sys/plugins/catalog).
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
- name: Pin a plugin to a version
  vaultops.vault.plugin_pin:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    name: my-plugin
    type: secret
    version: v1.1.0

- name: Reload the mounts that do not run it yet
  vaultops.vault.plugin_reload:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    plugin: my-plugin
    state: current

- name: Remove the pin
  vaultops.vault.plugin_pin:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    name: my-plugin
    type: secret
    state: absent
"""

RETURN = r"""
pin:
  description: The pin as it is now, or in check mode as it would be; null if there is none.
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
  description: The pin before the task, with the same fields as RV(pin); null if there was none.
  returned: success
  type: dict
  sample: {type: secret, name: my-plugin, version: v1.0.0}
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
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_pin


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin_pin)


if __name__ == "__main__":
    main()
