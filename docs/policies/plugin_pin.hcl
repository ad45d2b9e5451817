# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Pin plugins to a version, and remove pins. HashiCorp Vault only: OpenBao has no pins.

path "sys/plugins/catalog" {
  capabilities = ["read"]
}

path "sys/plugins/pins" {
  capabilities = ["read"]
}

path "sys/plugins/pins/*" {
  capabilities = ["update", "delete"]
}
