# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS contexts, each made once: loading the usual CA certificates takes 25 ms of a core.

A context is kept as long as its files are the same.  One that is there before a fork is inherited,
so a process that had to make one leaves word for its parent (Notice), which makes it, too.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import pathlib
import ssl
import tempfile
import typing as t

# transport.py reports that requests is missing: nothing comes here before it is there.
with contextlib.suppress(ImportError):
    from requests.utils import DEFAULT_CA_BUNDLE_PATH
    from urllib3.exceptions import SSLError
    from urllib3.util.ssl_ import create_urllib3_context

# A file as it is: another one at that path, or another content, has others.
_State = t.Tuple[int, ...]


class TlsSettings(t.NamedTuple):
    """What makes a TLS context: see Connection.  Contexts of other names share no state."""

    verify: bool | str
    ca_pem: str = ""
    client_cert: tuple[str, str] | None = None
    server_name: str = ""

    @property
    def ca_path(self) -> str:
        """The file or folder of CA certificates, empty for none."""
        if not self.verify or self.ca_pem:
            return ""
        return DEFAULT_CA_BUNDLE_PATH if self.verify is True else str(self.verify)

    def state(self) -> tuple[_State, ...]:
        """Return the state of the files; raises OSError where one is gone."""
        return tuple(map(_state, filter(None, (self.ca_path, *(self.client_cert or ())))))


# With the state of the files by then.
_contexts: dict[TlsSettings, tuple[tuple[_State, ...], ssl.SSLContext]] = {}


def context_for(settings: TlsSettings) -> ssl.SSLContext:
    """Return the context for ``settings``, made if there is none; raises SSLError or OSError."""
    state = settings.state()
    kept = _contexts.get(settings)
    if kept is None or kept[0] != state:
        kept = _contexts[settings] = state, _made(settings)
        NOTICE.leave(settings)
    return kept[1]


def is_loaded(path: str) -> bool:
    """Tell whether a context trusts the certificates of the file at ``path``, as it is now."""
    states = [state for settings, (state, _context) in _contexts.items() if settings.verify == path]
    try:
        return bool(states) and _state(path) in [state[0] for state in states]
    except OSError:
        return False


def _made(settings: TlsSettings) -> ssl.SSLContext:
    # As urllib3 makes its own: TLS version, ciphers, options.
    required = ssl.CERT_REQUIRED if settings.verify else ssl.CERT_NONE
    context = create_urllib3_context(cert_reqs=required)
    try:
        if settings.ca_pem:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(settings.ca_pem)
                file.flush()
                context.load_verify_locations(file.name)
        elif settings.ca_path:
            is_folder = pathlib.Path(settings.ca_path).is_dir()
            context.load_verify_locations(**{"capath" if is_folder else "cafile": settings.ca_path})
    except OSError as error:
        raise SSLError(error) from error
    if settings.client_cert:
        context.load_cert_chain(*settings.client_cert)
    return context


def _state(path: str) -> _State:
    try:
        found = pathlib.Path(path).stat()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OSError(f'"{path}" cannot be read: {reason}') from None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class Notice:
    """A note that a worker leaves for the process that forked it: which context is needed.

    It is nothing, until open() is called before the fork.
    """

    SIZE = 8192

    def __init__(self) -> None:
        self._memory: mmap.mmap | None = None

    def open(self) -> None:
        """Share the note with all processes that are forked from now on."""
        self._memory = mmap.mmap(-1, self.SIZE)

    def leave(self, settings: TlsSettings) -> None:
        """Write ``settings`` down, if all certificates are in files."""
        text = json.dumps(settings).encode().ljust(self.SIZE)
        if self._memory is not None and not settings.ca_pem and len(text) == self.SIZE:
            self._memory[:] = text

    def take(self) -> None:
        """Make the context that was written down, if one was."""
        if self._memory is None or not self._memory[0]:
            return
        text, self._memory[:] = self._memory[:], bytes(self.SIZE)
        # Two workers may have written at a time; and the worker has reported what is wrong.
        with contextlib.suppress(ValueError, TypeError, OSError, SSLError):
            verify, ca_pem, cert, name = json.loads(text)
            context_for(TlsSettings(verify, ca_pem, tuple(cert) if cert else None, name))
            self._memory[:] = bytes(self.SIZE)


NOTICE = Notice()
