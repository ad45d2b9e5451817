# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Revoke the token: at the end of a task that logged in, or with the module login and state=revoked.
# The policy "default" has both rights; a login without that policy needs this one.

path "auth/token/revoke-self" {
  capabilities = ["update"]
}

# For check mode.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
