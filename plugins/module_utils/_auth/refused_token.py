# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A 403 for a token that the server does not accept, and not for what its policies lack."""

from __future__ import annotations

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    Refused,
    TokenNotAccepted,
)

# Of Vault from 1.13 on; others say no more than "permission denied".
_CERTAIN = ("bad token", "invalid token")


def is_invalid(error: Refused) -> bool:
    """Tell a token that is not valid from one that may not: only ACLs answer in a multi-error."""
    return is_certain(error) or "\n".join(error.errors).strip() == "permission denied"


def is_certain(error: Refused) -> bool:
    """Tell whether the server itself says so: a plugin may deny a request in the other words."""
    return any(part in "\n".join(error.errors) for part in _CERTAIN)


def not_accepted(error: Refused, identity: str) -> TokenNotAccepted:
    """Return the error for ``identity``, a token that is not valid."""
    return error.told_as(
        TokenNotAccepted,
        f"{error.what}: the server does not accept {identity}",
        "it has expired, was revoked, has no uses left (num_uses), is bound to other addresses, or "
        "is of another server; give a token that is valid",
    )
