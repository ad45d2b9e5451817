# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers' words for a plugin that does not run, or did not start.

Other words say nothing of the plugin: they may be its own, or come from an agent on the way.
"""

from __future__ import annotations

import re

# Of the server: there is no process, and it does not start one.
NO_BACKEND = ("no handler for route", "backend is nil")
# Of the server: there is no such mount, or no more, as it was disabled or moved meanwhile.
NO_MOUNT = "route entry not found"
# Of the operating system, about a file that the server cannot start or read.
_NO_FILE = re.compile(r"\b(?:fork/exec|open|stat|lstat|readlink) \S+: ")
# Of the server and of go-plugin.
_NO_START = (
    "invalid backend version",
    "error while validating the command path",
    "checksums did not match",
    "error verifying checksum",
    "timeout while waiting for plugin to start",
    "plugin exited before we could connect",
    "Unrecognized remote plugin message",
    "plugin not found in the catalog",
    "plugin is shut down",
    "Error while dialing",
)
# Of gRPC in the server: the plugin's process is gone, before or after it got the request.
_ENDED = re.compile(
    "code = Unavailable desc = "
    "(?:error reading from server|transport is closing|connection error: desc = .transport: )"
)

# Of a mount whose disabling has begun and failed; it stays so until that is done.
_BEING_REMOVED = "is tainted"


def is_being_removed(words: str) -> bool:
    """Tell whether ``words`` say that a mount is being removed, so that nothing revives it."""
    return _BEING_REMOVED in words


def did_not_start(words: str) -> bool:
    """Tell whether ``words`` say that a plugin did not start, or does not run any more."""
    return any(part in words for part in _NO_START) or bool(_NO_FILE.search(words))


def ended_while_asked(words: str) -> bool:
    """Tell whether ``words`` say that the plugin's process ended before it had answered.

    It crashed, or was ended by a reload: a later request starts it again.
    """
    return bool(_ENDED.search(words))
