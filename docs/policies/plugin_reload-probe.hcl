# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Reload with preflight and verification. The probe reads a path below the mount.

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

# HashiCorp Vault only: pinned versions.
path "sys/plugins/pins" {
  capabilities = ["read"]
}

# HashiCorp Vault only: plugin_info lists the plugin runtimes.
path "sys/plugins/runtimes/catalog" {
  capabilities = ["read"]
}

# For probe=info: the path that the probe reads, here of the mount my-secrets/.
path "my-secrets/info" {
  capabilities = ["read"]
}
