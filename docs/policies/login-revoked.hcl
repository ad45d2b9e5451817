# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Take the token back, after a task that logged in or by the module login with state=revoked.
# The policy "default" has both; a login without it needs them.

path "auth/token/revoke-self" {
  capabilities = ["update"]
}

# For check mode.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
