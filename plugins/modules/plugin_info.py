# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plugin_info
short_description: Tell which plugins HashiCorp Vault or OpenBao has, and which of them run
version_added: 0.1.0
author:
  - the vaultops.vault authors (@vaultops)
description:
  - Tells of each plugin which versions are registered, which is pinned, and of each of its mounts
    what it is configured for, what it is expected to run, and what it runs.
  - A mount that does not run what it is expected to run is not current;
    M(vaultops.vault.plugin_reload) with O(vaultops.vault.plugin_reload#module:state=current)
    reloads just those.
  - Needs three requests, and one more with HashiCorp Vault, for any number of mounts.
extends_documentation_fragment:
  - vaultops.vault._attributes
  - vaultops.vault._attributes.actiongroup_vault
  - vaultops.vault._connection
  - vaultops.vault._auth
attributes:
  check_mode:
    support: full
    details:
      - The module changes nothing, and does the same in check mode.
  diff_mode:
    support: N/A
options:
  name:
    description:
      - Only the plugin of this name, builtin or not.
    type: str
  type:
    description:
      - Only plugins of this type.
    type: str
    choices: [auth, secret, database]
  mounts:
    description:
      - Only these mounts, and the plugins behind them, builtin or not. A list of paths, or paths
        separated by commas; authentication mounts start with V(auth/).
      - V(transit), V(transit/) and V(/transit) name the same mount.
    type: list
    elements: str
  builtin:
    description:
      - Whether to tell of plugins that only the server itself brings, without O(name) and
        O(mounts). Without them the result is about the plugins that somebody has registered.
    type: bool
    default: false
notes:
  - The mounts are those of the namespace; the catalog and the pins are those of the whole server.
  - What is said to run is what the server loaded last. It does not prove that the plugin answers;
    a reload with its looks does.
  - Database plugins have connections and no mounts. Parts of the server itself, such as C(sys/)
    and C(auth/token/), are left out.
  - The token needs C(read) on C(sys/plugins/catalog), C(sys/mounts) and C(sys/auth), and on
    C(sys/plugins/pins) with HashiCorp Vault, without sudo. A part that it may not read is null, and
    a warning says so; if it may read none of what was asked for, the task fails.
seealso:
  - module: vaultops.vault.plugin
  - module: vaultops.vault.plugin_pin
  - module: vaultops.vault.plugin_reload
"""

EXAMPLES = r"""
- name: See what is registered and what runs
  vaultops.vault.plugin_info:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
  register: plugins

- name: Show it
  ansible.builtin.debug:
    var: plugins.summary

- name: See whether a mount runs what it should
  vaultops.vault.plugin_info:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    mounts: my-secrets
  register: mine

- name: Fail where it does not
  ansible.builtin.assert:
    that: mine.plugins[0].mounts[0].current
    fail_msg: "{{ mine.summary | join(', ') }}"
"""

RETURN = r"""
plugins:
  description: The plugins that were asked for, by type and name.
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
      description: The registered versions, the newest last; null where the catalog was not read.
      type: list
      elements: dict
      contains:
        version:
          description: Version of the entry, empty for none.
          type: str
          sample: v1.1.0
        sha256:
          description: The sha256 of the plugin's file, empty for a builtin plugin.
          type: str
          sample: 8b29b369c0f2b5f7f5318e740b9b6444486e1747d565e87d33cca328974e3130
        builtin:
          description: Whether the server itself brings it.
          type: bool
          sample: false
    pin:
      description: The pinned version; null for none, and where pins were not read.
      type: str
      sample: null
    mounts:
      description:
        - The mounts of the plugin in the namespace; null for a database plugin, and where they were
          not read.
      type: list
      elements: dict
      contains:
        path:
          description: Path of the mount, authentication mounts with C(auth/).
          type: str
          sample: my-secrets/
        accessor:
          description: Accessor of the mount.
          type: str
          sample: my-plugin_1a2b3c4d
        configured:
          description:
            - The version that the mount is configured for, empty for none, and the sha256 that is
              registered for it, null where nothing is.
          type: dict
          sample: {version: v1.1.0, sha256: 8b29b369c0f2}
        expected:
          description:
            - What a reload would start, which is the pinned version, else the configured one, else
              the entry without a version, else the builtin plugin. Null where nothing is
              registered, and where that is not known.
          type: dict
          sample: {version: v1.1.0, sha256: 8b29b369c0f2}
        running:
          description: What the server loaded last.
          type: dict
          sample: {version: v1.0.0, sha256: 84452321a9d1}
        current:
          description:
            - Whether RV(plugins[].mounts[].running) is RV(plugins[].mounts[].expected). Also
              V(false) where nothing is registered for the mount, so that a reload could not bring
              it back. Null where that is not known.
          type: bool
          sample: false
summary:
  description:
    - The same in lines, one for each registered version with the mounts that are expected to run
      it.
  returned: success
  type: list
  elements: str
  sample:
    - "my-plugin secret v1.0.0: no mounts"
    - "my-plugin secret v1.1.0: 2 mounts, 1 not current (my-secrets/ runs v1.0.0)"
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
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_info


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin_info)


if __name__ == "__main__":
    main()
