# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plugin_runtime
short_description: Register container runtimes for plugins of HashiCorp Vault
version_added: 0.1.0
author:
  - the vaultops.vault authors (@vaultops)
description:
  - Registers a plugin runtime (O(state=present)), or removes it (O(state=absent)). If the runtime
    already matches the task, the module writes nothing.
  - A plugin runtime tells HashiCorp Vault how to start the containers of plugins that name it in
    O(vaultops.vault.plugin#module:runtime). A plugin in a container that names none runs with the
    OCI runtime C(runsc), without limits.
  - HashiCorp Vault supports plugin runtimes from 1.15 on. OpenBao has none, so the task fails there
    and changes nothing.
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
      - Reads everything, writes nothing, and predicts the runtime.
  diff_mode:
    support: full
    details:
      - One line with the type, the name, and each setting that is not the default.
options:
  name:
    description:
      - Name of the runtime, made of letters, digits, and V(_), V(.) and V(-) between them.
    type: str
    required: true
  type:
    description:
      - Type of the runtime. HashiCorp Vault has only one.
    type: str
    choices: [container]
    default: container
  state:
    description:
      - V(present) registers the runtime, or overwrites it if it differs.
      - V(absent) removes the runtime. The server refuses that while a plugin in the catalog names
        the runtime, and cannot be forced. So the module reads the catalog first, and names these
        plugins in its error, also in check mode.
    type: str
    choices: [present, absent]
    default: present
  oci_runtime:
    description:
      - Name of the OCI runtime, as the container engine of each node knows it, such as V(runsc) or
        V(runc). If empty, the server uses C(runsc), which is gVisor.
    type: str
    default: ""
  cgroup_parent:
    description:
      - Parent cgroup of each container, to limit several plugins together.
      - If empty, the container engine chooses it.
    type: str
    default: ""
  cpu_nanos:
    description:
      - CPU limit of each container, in billionths of a CPU. V(500000000) is half a CPU.
      - V(0) is no limit.
    type: int
    default: 0
  memory_bytes:
    description:
      - Memory limit of each container in bytes. With a size such as V(256m) use the filter
        C(ansible.builtin.human_to_bytes).
      - V(0) is no limit.
    type: int
    default: 0
  rootless:
    description:
      - Whether the container engine runs without root. Required if it does, and the images of the
        plugins do not run as root either.
      - HashiCorp Vault supports this from 1.16 on. On an older server the task fails with V(true),
        after the runtime was written without it.
    type: bool
    default: false
notes:
  - The module always writes a runtime as a whole, as the server does. A setting that the task
    leaves out gets its default.
  - A change takes effect when a plugin starts. Reload the plugins that use the runtime with
    M(vaultops.vault.plugin_reload) afterwards.
  - The server checks nothing of a runtime when it is registered. Whether the nodes have its OCI
    runtime, and its cgroup, shows when a plugin is registered with it.
  - Runtimes belong to the whole server. The module writes them in the root namespace, whatever
    O(namespace) says.
  - The token needs C(read) on C(sys/plugins/runtimes/catalog). On
    C(sys/plugins/runtimes/catalog/container/<name>) it needs C(update) or C(delete), and C(sudo).
    O(state=absent) also needs C(read) on C(sys/plugins/catalog); without it the module warns, and
    leaves the check to the server.
seealso:
  - module: vaultops.vault.plugin
  - module: vaultops.vault.plugin_info
  - module: vaultops.vault.plugin_reload
  - name: Vault API documentation
    description: The catalog of plugin runtimes.
    link: https://developer.hashicorp.com/vault/api-docs/system/plugins-runtimes-catalog
  - name: Containerized plugins
    description: What the nodes of HashiCorp Vault need to run plugins in containers.
    link: https://developer.hashicorp.com/vault/docs/plugins/containerized-plugins
"""

EXAMPLES = r"""
- name: Register a runtime with half a CPU and 256 MiB for each plugin
  vaultops.vault.plugin_runtime:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    name: gvisor
    oci_runtime: runsc
    cpu_nanos: 500000000
    memory_bytes: "{{ '256m' | ansible.builtin.human_to_bytes }}"

- name: Register the default runtime of Docker under another name
  vaultops.vault.plugin_runtime:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    name: docker
    oci_runtime: runc

- name: Remove a runtime that no plugin needs
  vaultops.vault.plugin_runtime:
    url: https://vault.example.com:8200
    token: "{{ vault_token }}"
    name: docker
    state: absent
"""

RETURN = r"""
runtime:
  description:
    - The runtime as it is now, or in check mode as it would be; null if there is none.
    - If the module refused to remove the runtime because plugins need it, that runtime.
  returned: success, and when the removal was refused because plugins need the runtime
  type: dict
  contains:
    type:
      description: Always V(container).
      type: str
      sample: container
    name:
      description: Name of the runtime.
      type: str
      sample: gvisor
    oci_runtime:
      description: The OCI runtime of the container engine; empty for the default, C(runsc).
      type: str
      sample: runsc
    cgroup_parent:
      description: Parent cgroup of each container; empty if the container engine chooses it.
      type: str
      sample: ""
    cpu_nanos:
      description: CPU limit of each container, in billionths of a CPU; V(0) for none.
      type: int
      sample: 500000000
    memory_bytes:
      description: Memory limit of each container in bytes; V(0) for none.
      type: int
      sample: 268435456
    rootless:
      description: Whether the container engine runs without root.
      type: bool
      sample: false
before:
  description:
    - The runtime before the task, with the same fields as RV(runtime); null if there was none.
  returned: success
  type: dict
  sample: null
users:
  description: The plugins that need the runtime, each with its type, name and version.
  returned: when the removal was refused because plugins need the runtime
  type: list
  elements: str
  sample: [secret my-plugin v1.1.0]
status:
  description: HTTP status of the server's answer; null if there was none.
  returned: failure
  type: int
  sample: 404
errors:
  description: The server's error messages, unchanged.
  returned: failure
  type: list
  elements: str
  sample: [unsupported path]
request_id:
  description: The server's ID of the request, as in its audit log; null if it reported none.
  returned: failure
  type: str
  sample: null
"""

from ansible_collections.vaultops.vault.plugins.module_utils._front.entry import run_module
from ansible_collections.vaultops.vault.plugins.module_utils._operations import plugin_runtime


def main() -> None:
    """Entry point of the module on a target."""
    run_module(plugin_runtime)


if __name__ == "__main__":
    main()
