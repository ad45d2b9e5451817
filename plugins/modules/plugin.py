# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plugin
short_description: Register plugins in the catalog of HashiCorp Vault or OpenBao
version_added: 0.1.0
author:
  - the vaultops.vault authors (@vaultops)
description:
  - Makes sure that an entry of the plugin catalog is there as the task describes it
    (O(state=present)), or that it is not there (O(state=absent)).
  - An entry is found by O(type), O(name) and O(version). One that is equal already is left alone,
    and nothing is written.
  - The server runs a plugin when it is registered, and asks for its version. The module reads back
    what the server made of it, and tells that.
  - To register a plugin does not start it on any mount. M(vaultops.vault.plugin_upgrade) moves
    mounts to a registered version; after an entry was overwritten, M(vaultops.vault.plugin_reload)
    starts it anew.
extends_documentation_fragment:
  - vaultops.vault._attributes
  - vaultops.vault._attributes.actiongroup_vault
  - vaultops.vault._connection
  - vaultops.vault._auth
attributes:
  check_mode:
    support: full
    details:
      - Everything is read, nothing is written, and the result predicts the entry. Only the server
        can tell the version of a plugin that is registered without O(version), so RV(plugin) is
        predicted without one.
  diff_mode:
    support: full
    details:
      - One line an entry, with type, name, version, the first eight digits of the sha256, image,
        command and arguments.
options:
  name:
    description:
      - Name of the plugin in the catalog.
    type: str
    required: true
  type:
    description:
      - What the plugin is. The same name can be registered for each type.
    type: str
    choices: [auth, secret, database]
    required: true
  version:
    description:
      - Semantic version of the plugin with all of its three numbers, such as V(v1.2.0) or V(1.2.0).
      - It must be the version that the plugin reports of itself, if it reports one; the server
        refuses any other.
      - If not given, a plugin that reports a version is registered in that version, and found
        there by its sha256 the next time; one that reports none is registered without a version.
        With O(state=absent) the entry of O(sha256) or O(src) goes, else that without a version.
      - An entry without a version would replace a builtin plugin of the same name on all its
        mounts, so that is refused.
    type: str
  state:
    description:
      - V(present) registers the plugin, or overwrites an entry that differs.
      - V(absent) removes the entry, unless somebody still needs it; see O(force).
    type: str
    choices: [present, absent]
    default: present
  sha256:
    description:
      - The sha256 of the plugin's file, 64 hexadecimal digits in either case.
      - The server does not compare it with the file before the plugin is started.
      - V(present) needs it, or O(src), or O(oci_image).
    type: str
  src:
    description:
      - The plugin's file on the host that runs the task. The module computes its sha256, and does
        not copy it; it needs not be the file of the server.
    type: path
  command:
    description:
      - Name of the plugin's file in the C(plugin_directory) of the server.
      - If not given, the name of the file O(src), else O(name); with O(oci_image) what the image
        says.
    type: str
  arguments:
    description:
      - Arguments for O(command). They can be read by those who may read the catalog; give secrets
        in O(env).
    type: list
    elements: str
  env:
    description:
      - Environment variables of the plugin, as a mapping or as a list of V(NAME=value).
      - All values count as secrets, and are masked in all output. Ansible masks the values of a
        mapping wherever they occur, so a value such as V(1) would make the output unreadable.
        Those of a list are masked with their names, and without from four characters on.
      - The server never returns them, so they cannot be compared; see O(update_env).
    type: raw
  update_env:
    description:
      - V(on_create) sends O(env) whenever the entry has to be written, and never writes for
        O(env) alone.
      - V(always) writes the entry each time, and each time the task is changed.
    type: str
    choices: [on_create, always]
    default: on_create
  oci_image:
    description:
      - Image of a plugin that the server runs in a container. HashiCorp Vault has that from 1.15
        on, OpenBao does not.
    type: str
  runtime:
    description:
      - Name of the plugin runtime for O(oci_image), as it is registered in HashiCorp Vault.
    type: str
  force:
    description:
      - With O(state=absent) the module looks at the mounts of all namespaces, and for a database
        plugin at the connections of all database mounts. If one of them is configured for the
        entry, runs it, or would load it, or if they cannot be read, the entry is not removed.
      - V(true) removes it all the same. The server takes the removal without a word, and what
        needs the entry goes on until its next reload or the next start of the server, and does
        not come back from that.
    type: bool
    default: false
notes:
  - An entry is written as a whole. What a task leaves out is not in the entry that it writes, also
    if it was there before, O(arguments) and O(env) too.
  - A plugin that does not start is registered all the same, since the server asks for the version
    only if it can. What proves a plugin is a mount or a reload.
  - The configuration of an OpenBao server can declare plugins (C(plugin_auto_register)). The
    module never writes or removes such an entry, which the server would let happen, and then not
    load its configuration.
  - The catalog is that of the whole server. It is written in the root namespace, whatever
    O(namespace) says.
  - The token needs C(read) on C(sys/plugins/catalog), and C(read), C(update) or C(delete), and
    C(sudo), on C(sys/plugins/catalog/<type>/<name>). Without C(read) and C(sudo) on the latter an
    entry is compared by its sha256 only, and a warning says so; with OpenBao it cannot be changed.
    O(state=absent) needs C(read) on C(sys/mounts), C(sys/auth), and C(list) on C(sys/namespaces),
    in each namespace.
seealso:
  - module: vaultops.vault.plugin_info
  - module: vaultops.vault.plugin_pin
  - module: vaultops.vault.plugin_reload
  - module: vaultops.vault.plugin_upgrade
  - name: Vault API documentation
    description: Plugin catalog, as HashiCorp Vault has it.
    link: https://developer.hashicorp.com/vault/api-docs/system/plugins-catalog
  - name: OpenBao API documentation
    description: Plugin catalog, as OpenBao has it.
    link: https://openbao.org/api-docs/system/plugins-catalog/
"""

EXAMPLES = r"""
- name: Register a version of a plugin whose file is at hand
  vaultops.vault.plugin:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    name: my-plugin
    type: secret
    version: v1.1.0
    src: dist/my-plugin-v1.1.0

- name: Register a plugin by its sha256, with arguments and a secret in its environment
  vaultops.vault.plugin:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    name: my-login
    type: auth
    sha256: "{{ my_login_sha256 }}"
    command: my-login
    arguments: [--log-level=info]
    env:
      - "API_KEY={{ api_key }}"

- name: Remove the version that nobody needs any longer
  vaultops.vault.plugin:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    name: my-plugin
    type: secret
    version: v1.0.0
    state: absent
"""

RETURN = r"""
plugin:
  description:
    - The entry as it is in the catalog now, in check mode as it would be; null where there is none.
    - If O(state=absent) was refused because somebody needs the entry, the entry.
  returned: success, and when somebody needs the entry
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
      description: Version of the entry, empty for none.
      type: str
      sample: v1.1.0
    sha256:
      description: The sha256 of the plugin's file or image.
      type: str
      sample: 8b29b369c0f2b5f7f5318e740b9b6444486e1747d565e87d33cca328974e3130
    command:
      description: Name of the file in the plugin directory; null where the token may not read it.
      type: str
      sample: my-plugin-v1.1.0
    arguments:
      description: Arguments of the command; null where the token may not read them.
      type: list
      elements: str
      sample: []
    oci_image:
      description: Image of a plugin that runs in a container, else empty.
      type: str
      sample: ""
    runtime:
      description: Runtime of a plugin that runs in a container, else empty.
      type: str
      sample: ""
    builtin:
      description: Always V(false); builtin plugins are no entries.
      type: bool
      sample: false
    declarative:
      description:
        - Whether the configuration of an OpenBao server declares the entry; null where the token
          may not read that.
      type: bool
      sample: false
before:
  description:
    - The entry as it was, with the same fields as RV(plugin); null where there was none.
  returned: success
  type: dict
  sample: null
users:
  description:
    - Who needs the entry, mounts and connections of database mounts, by their paths from the root
      namespace on.
  returned: when O(state=absent) was refused because of them
  type: list
  elements: str
  sample: [my-secrets/, team-a/my-secrets/]
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
  sample:
    - "plugin version mismatch: my-plugin reported version (v1.0.0) did not match requested version
      (v1.1.0)"
request_id:
  description: The server's id of the request, to be found in its audit log, where it told one.
  returned: failure
  type: str
  sample: null
"""

from ansible_collections.vaultops.vault.plugins.module_utils._front.module import run_module
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin)


if __name__ == "__main__":
    main()
