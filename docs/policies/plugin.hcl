# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Register plugins, and remove catalog entries that are not in use. To allow one plugin only, use
# "sys/plugins/catalog/secret/my-plugin" instead of "sys/plugins/catalog/*".

path "sys/plugins/catalog" {
  capabilities = ["read"]
}

path "sys/plugins/catalog/*" {
  capabilities = ["read", "update", "delete", "sudo"]
}

# HashiCorp Vault only: the module refuses to remove a pinned version.
path "sys/plugins/pins" {
  capabilities = ["read"]
}

# For state=absent: find the mounts that use the entry, in the root namespace and in those below it.
# This is for four levels of namespaces: each + stands for one level.
path "sys/mounts" {
  capabilities = ["read"]
}

path "sys/auth" {
  capabilities = ["read"]
}

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

# For type=database and state=absent: read the connections of each database mount.
path "database/config" {
  capabilities = ["list"]
}

path "database/config/*" {
  capabilities = ["read"]
}
