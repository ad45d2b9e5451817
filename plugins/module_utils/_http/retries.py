# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a request is sent again, and after which wait: the rules of the command line clients.

API: https://developer.hashicorp.com/vault/api-docs#http-status-codes
"""

from __future__ import annotations

import random

from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    NoAnswer,
    Refused,
    Unreachable,
    VaultError,
)

# The whole of a request's waits, whatever the server asks for by Retry-After.
TOTAL_SECONDS = 60.0

_WAIT = (1.0, 1.5)

# The server's words for a login with the request that needs a second factor.
WITH_MFA = "inline authentication with login MFA"
# And for one in a namespace that does not exist.
NO_LOGIN_NAMESPACE = "inline auth namespace was not found"
# The server's words about what a moment later is the same: a locked namespace, a file that is gone,
# a login that needs a second factor, or another namespace.
_LASTING = (
    "locked by an administrator",
    "no such file or directory",
    WITH_MFA,
    NO_LOGIN_NAMESPACE,
)
_NOT_IMPLEMENTED = 501


class Retries:
    """Counts the retries of one request.

    ``limit`` bounds them.  ``repeatable`` says that the request may have reached the server and
    can be sent again all the same: a read or a login, never a reload.
    """

    def __init__(self, limit: int, repeatable: bool) -> None:
        self.limit = limit
        self.repeatable = repeatable
        self.count = 0
        self.waited = 0.0
        self.reason = ""

    def next_wait(self, error: VaultError) -> float | None:
        """Return the seconds to wait before the next try, None where there is to be none."""
        if self.count >= self.limit or not self._may_retry(error):
            return None
        # Jitter, so that many hosts do not come back at the same moment.
        wait = error.retry_after or random.SystemRandom().uniform(*_WAIT)
        if self.waited + wait > TOTAL_SECONDS:
            return None
        self.count += 1
        self.waited += wait
        self.reason = error.what
        return wait

    def warning(self, request: str) -> str:
        """Return the warning about the retries of ``request``."""
        times = "once" if self.count == 1 else f"{self.count} times"
        return f"{request} was retried {times}: {self.reason}"

    def _may_retry(self, error: VaultError) -> bool:
        if isinstance(error, Unreachable):
            return True
        if isinstance(error, Refused) and error.status is not None:
            # With 412 and 429 the server did nothing; 472 and 473 are lasting states of a node.
            if error.status in (412, 429):
                return True
            if error.status == _NOT_IMPLEMENTED or any(part in error.what for part in _LASTING):
                return False
            return self.repeatable and error.status >= 500
        # A broken connection has no status; a gateway is without its server, or busy, for a moment.
        passes = error.status is None or error.status == 429 or error.status >= 500
        return self.repeatable and isinstance(error, NoAnswer) and passes
