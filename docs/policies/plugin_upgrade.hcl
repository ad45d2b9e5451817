# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Move mounts to another version of their plugin. To allow one mount only, use
# "sys/mounts/my-secrets/tune" instead of "sys/mounts/+/tune".

path "sys/mounts/+/tune" {
  capabilities = ["update"]
}

# Authentication mounts. Unlike sys/auth/+/tune, this path needs no sudo.
path "sys/mounts/auth/+/tune" {
  capabilities = ["update"]
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

path "sys/auth" {
  capabilities = ["read"]
}

path "sys/plugins/catalog" {
  capabilities = ["read"]
}

# For scope=global: list the nodes.
path "sys/ha-status" {
  capabilities = ["read"]
}

path "sys/storage/raft/configuration" {
  capabilities = ["read"]
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
