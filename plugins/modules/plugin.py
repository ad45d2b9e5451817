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
  - B(The options that matter) are O(name), O(type), O(version), and O(src) or O(command) with
    O(sha256). Most others are about the connection and the login, which come from E(BAO_ADDR) and
    E(BAO_TOKEN), or E(VAULT_ADDR) and E(VAULT_TOKEN), if they are set.
  - Registers a plugin in the catalog (O(state=present)), or removes it from the catalog
    (O(state=absent)). O(type), O(name) and O(version) identify the entry. If the entry already
    matches the task, the module writes nothing.
  - During registration, the server runs the plugin to ask for its version. The module reads the
    entry back and returns it as the server stored it.
  - Registering a plugin does not start it on any mount. Use M(vaultops.vault.plugin_upgrade) to
    move mounts to a registered version, and M(vaultops.vault.plugin_reload) to restart mounts after
    their entry was overwritten.
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
      - Reads everything, writes nothing, and predicts the entry. If O(version) is not given, only
        the server can find out the version that the plugin reports, so RV(plugin) is predicted
        without a version.
  diff_mode:
    support: full
    details:
      - One line per entry with type, name, version, the first eight digits of the sha256, image,
        command and arguments.
options:
  name:
    description:
      - Name of the plugin in the catalog.
    type: str
    required: true
  type:
    description:
      - Type of the plugin. The same name can be registered once for each type.
    type: str
    choices: [auth, secret, database]
    required: true
  version:
    description:
      - Semantic version of the plugin with all three numbers, such as V(v1.2.0) or V(1.2.0).
      - If the plugin reports a version of its own, this must be the same version. The server
        refuses any other. The plugin has to report it in the server's spelling, such as V(v1.2.0).
        If it reports V(1.2.0) or V(v1.2), the server refuses every O(version), and without
        O(version) registers an entry that no mount of the plugin can run. The module then fails.
        O(state=absent) removes such an entry, too.
      - If not given, a plugin that reports a version is registered under that version, and the next
        run finds the entry by its sha256. A plugin that reports none is registered without a
        version.
      - If not given with O(state=absent), the module removes the entry with the sha256 of O(sha256)
        or O(src), or, without those, the entry without a version.
      - Required to register a plugin under the name of a builtin plugin. Without a version, the
        entry would replace the builtin plugin on all its mounts, so the module refuses it.
    type: str
  state:
    description:
      - V(present) registers the plugin, or overwrites an entry that differs.
      - V(absent) removes the entry. The module refuses to remove an entry that is still in use, see
        O(force), or whose sha256 is not the one of O(sha256) or O(src), if given. It always refuses
        to remove the pinned version; remove the pin with M(vaultops.vault.plugin_pin) first.
    type: str
    choices: [present, absent]
    default: present
  sha256:
    description:
      - The sha256 of the plugin's file, as 64 hexadecimal digits in either case. With O(oci_image),
        the ID of the image, as C(docker images --no-trunc) prints it, without the leading
        C(sha256:).
      - The server does not compare it with the file until it starts the plugin. It compares it with
        the image at once.
      - V(present) requires this option, or O(src). O(oci_image) requires this option.
    type: str
  src:
    description:
      - The plugin's file on the host that runs the task. The module reads it to compute the sha256
        and does not copy it. Copy the file to the C(plugin_directory) of each node first.
      - Mutually exclusive with O(sha256) and O(oci_image).
    type: path
  command:
    description:
      - Name of the plugin's file in the C(plugin_directory) of the server.
      - If not given, the file name of O(src), else O(name). With O(oci_image), the default is the
        command of the image.
    type: str
  arguments:
    description:
      - Arguments of O(command). Anyone who can read the entry in the catalog can read them. Pass
        secrets in O(env).
    type: list
    elements: str
  env:
    description:
      - Environment variables of the plugin, as a mapping or as a list of V(NAME=value).
      - All values are treated as secrets and masked in all output, each one together with its name,
        and from four characters on also alone.
      - The server never returns them, so the module cannot compare them; see O(update_env).
    type: raw
  update_env:
    description:
      - V(on_create) sends O(env) whenever the entry has to be written, but never writes the entry
        because of O(env) alone.
      - V(always) writes the entry on each run, and always reports a change. Requires O(env).
    type: str
    choices: [on_create, always]
    default: on_create
  oci_image:
    description:
      - Image of a plugin that the server runs in a container, without its tag. If
        O(version) is given, the tag has to be O(version) without the leading V(v). HashiCorp Vault
        supports this from 1.15 on, OpenBao does not.
      - Each node needs the image, because the server does not pull it, a container engine with the
        API of Docker, and the OCI runtime that O(runtime) names, by default C(runsc).
    type: str
  runtime:
    description:
      - Name of the plugin runtime for O(oci_image), as registered in HashiCorp Vault with
        M(vaultops.vault.plugin_runtime). Requires O(oci_image).
    type: str
  force:
    description:
      - With O(state=absent), the module checks the mounts of all namespaces, and for a database
        plugin the connections of all database mounts. If one of them is configured for the entry,
        runs it, or would load it at its next reload, or if one of them cannot be read, the module
        refuses to remove the entry. They cannot be read if the token may not, if a namespace is
        locked, if a mount from before Vault 1.0 does not name its plugin, or if a proxy answers
        with the namespaces or mounts of another namespace.
      - V(true) removes the entry all the same. The server accepts the removal without a warning.
        Whatever needs the entry keeps running until its next reload or the next start of the
        server, and then fails to start.
      - If the token may not read whether the configuration of an OpenBao server declares the entry,
        the module refuses to change or remove it. V(true) changes or removes it all the same, with
        a warning. It never does so with an entry that is known to be declared.
    type: bool
    default: false
notes:
  - The module always writes an entry as a whole. Whatever the task leaves out, such as O(arguments)
    or O(env), is removed from an entry that it overwrites.
  - The server registers a plugin even if it does not start, except for a plugin in a container.
    Only a mount or a reload proves that the plugin works.
  - The configuration of an OpenBao server can declare plugins (C(plugin_auto_register)). The module
    does not write or remove such an entry. OpenBao would accept the change, but then fail to load
    its configuration.
  - OpenBao 2.7.2 cannot read an entry whose file is gone from the C(plugin_directory) of the node
    that answers. The module then goes by the list of entries, always writes the entry, and cannot
    check whether the server's configuration declares it.
  - The catalog belongs to the whole server. The module writes it in the root namespace, whatever
    O(namespace) says.
  - The token needs C(read) on C(sys/plugins/catalog). On C(sys/plugins/catalog/<type>/<name>) it
    needs C(read), C(update) or C(delete), and C(sudo). Without C(read) and C(sudo) there, the
    module cannot compare command and arguments, and warns about it. On OpenBao it then
    changes or removes the entry only with O(force=true).
  - O(state=absent) also needs C(read) on C(sys/mounts) and C(sys/auth), and C(list) on
    C(sys/namespaces), in each namespace. For a database plugin, it needs C(list) on
    C(<mount>/config) and C(read) on C(<mount>/config/<name>) of each database mount.
seealso:
  - module: vaultops.vault.plugin_info
  - module: vaultops.vault.plugin_pin
  - module: vaultops.vault.plugin_reload
  - module: vaultops.vault.plugin_runtime
  - module: vaultops.vault.plugin_upgrade
  - name: Vault API documentation
    description: The plugin catalog of HashiCorp Vault.
    link: https://developer.hashicorp.com/vault/api-docs/system/plugins-catalog
  - name: OpenBao API documentation
    description: The plugin catalog of OpenBao.
    link: https://openbao.org/api-docs/system/plugins-catalog/
"""

EXAMPLES = r"""
- name: Register a version of a plugin, with the sha256 of a local file
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

- name: Remove a version that is no longer in use
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
    - The entry as it is in the catalog now, or in check mode as it would be; null if there is none.
    - If the module refused to remove the entry because it is or may be in use, that entry.
  returned: success, and when the removal was refused because the entry is or may be in use
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
      description: Version of the entry; empty if it has none.
      type: str
      sample: v1.1.0
    sha256:
      description: The sha256 of the plugin's file or image.
      type: str
      sample: 8b29b369c0f2b5f7f5318e740b9b6444486e1747d565e87d33cca328974e3130
    command:
      description: Name of the file in the plugin directory; null if it cannot be read.
      type: str
      sample: my-plugin-v1.1.0
    arguments:
      description: Arguments of the command; null if they cannot be read.
      type: list
      elements: str
      sample: []
    oci_image:
      description: Image of a plugin that runs in a container; empty for others.
      type: str
      sample: ""
    runtime:
      description: Runtime of a plugin that runs in a container; empty for others.
      type: str
      sample: ""
    builtin:
      description: Always V(false), because the module does not manage builtin plugins.
      type: bool
      sample: false
    declarative:
      description:
        - Whether the configuration of an OpenBao server declares the entry; null if that cannot
          be read.
      type: bool
      sample: false
before:
  description:
    - The entry before the task, with the same fields as RV(plugin); null if there was none.
  returned: success
  type: dict
  sample: null
users:
  description:
    - The mounts, and the connections of database mounts, that are known to need the entry. The
      message says what could not be read. The paths include the namespace.
  returned: when the removal was refused because the entry is or may be in use
  type: list
  elements: str
  sample: [my-secrets/, team-a/my-secrets/]
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
  sample:
    - "plugin version mismatch: my-plugin reported version (v1.0.0) did not match requested version
      (v1.1.0)"
request_id:
  description: The server's ID of the request, as in its audit log; null if it reported none.
  returned: failure
  type: str
  sample: null
"""

from ansible_collections.vaultops.vault.plugins.module_utils._front.entry import run_module
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin)


if __name__ == "__main__":
    main()
