# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Move mounts to another version of their plugin. "sys/mounts/my-secrets/tune" in the place of
# "sys/mounts/+/tune" allows one mount only.

path "sys/mounts/+/tune" {
  capabilities = ["update"]
}

# Authentication mounts; unlike sys/auth, this needs no sudo.
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

# For scope=global: which nodes there are.
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
