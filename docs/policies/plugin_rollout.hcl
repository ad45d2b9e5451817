# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# For the role plugin_rollout: all rights that plugin, plugin_upgrade and plugin_info need in it.

path "sys/plugins/catalog" {
  capabilities = ["read"]
}

path "sys/plugins/catalog/*" {
  capabilities = ["read", "update", "delete", "sudo"]
}

path "sys/plugins/reload/backend" {
  capabilities = ["update"]
}

path "sys/mounts" {
  capabilities = ["read"]
}

path "sys/mounts/*" {
  capabilities = ["read"]
}

path "sys/mounts/+/tune" {
  capabilities = ["update"]
}

path "sys/mounts/auth/+/tune" {
  capabilities = ["update"]
}

path "sys/auth" {
  capabilities = ["read"]
}

# For scope=global: list the nodes.
path "sys/ha-status" {
  capabilities = ["read"]
}

path "sys/storage/raft/configuration" {
  capabilities = ["read"]
}

# For plugin_rollout_cleanup: find the mounts in other namespaces that use an old version.
# This is for four levels of namespaces: each + stands for one level.
path "sys/namespaces" {
  capabilities = ["list"]
}

path "+/sys/mounts" {
  capabilities = ["read"]
}

path "+/sys/auth" {
  capabilities = ["read"]
}

path "+/sys/namespaces" {
  capabilities = ["list"]
}

path "+/+/sys/mounts" {
  capabilities = ["read"]
}

path "+/+/sys/auth" {
  capabilities = ["read"]
}

path "+/+/sys/namespaces" {
  capabilities = ["list"]
}

path "+/+/+/sys/mounts" {
  capabilities = ["read"]
}

path "+/+/+/sys/auth" {
  capabilities = ["read"]
}

path "+/+/+/sys/namespaces" {
  capabilities = ["list"]
}

path "+/+/+/+/sys/mounts" {
  capabilities = ["read"]
}

path "+/+/+/+/sys/auth" {
  capabilities = ["read"]
}

path "+/+/+/+/sys/namespaces" {
  capabilities = ["list"]
}

# HashiCorp Vault only: pinned versions.
path "sys/plugins/pins" {
  capabilities = ["read"]
}

path "sys/plugins/pins/*" {
  capabilities = ["update", "delete"]
}

# HashiCorp Vault only: plugin_info lists the plugin runtimes.
path "sys/plugins/runtimes/catalog" {
  capabilities = ["read"]
}
