# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Reload on all nodes of a cluster (scope=global), with preflight and verification of each node.

path "sys/plugins/reload/backend" {
  capabilities = ["update"]
}

path "sys/mounts" {
  capabilities = ["read"]
}

path "sys/mounts/*" {
  capabilities = ["read"]
}

path "sys/auth" {
  capabilities = ["read"]
}

path "sys/plugins/catalog" {
  capabilities = ["read"]
}

# The nodes and their addresses. This right and the next one are needed in the root namespace, also
# for mounts of another namespace.
path "sys/ha-status" {
  capabilities = ["read"]
}

# The names of the nodes, and the nodes that are down. Raft storage only.
path "sys/storage/raft/configuration" {
  capabilities = ["read"]
}

# HashiCorp Vault only: pinned versions.
path "sys/plugins/pins" {
  capabilities = ["read"]
}

# HashiCorp Vault Enterprise only: the reports of the nodes.
path "sys/plugins/reload/backend/status" {
  capabilities = ["read"]
}

# HashiCorp Vault only: plugin_info lists the plugin runtimes.
path "sys/plugins/runtimes/catalog" {
  capabilities = ["read"]
}
