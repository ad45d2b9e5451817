# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Register container runtimes for plugins, and remove them. HashiCorp Vault only: OpenBao has none.

path "sys/plugins/runtimes/catalog" {
  capabilities = ["read"]
}

path "sys/plugins/runtimes/catalog/*" {
  capabilities = ["update", "delete", "sudo"]
}

# For state=absent: find the plugins that need the runtime.
path "sys/plugins/catalog" {
  capabilities = ["read"]
}
