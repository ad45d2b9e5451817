# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the value of an option came from: the option itself, a variable, a file, the default."""

from __future__ import annotations

import os
import pathlib
import platform
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError

# A user who exports variables beside the playbook may not know that they stay there.
_OF_THE_CONTROLLER = (
    "variables of the controller do not reach another host: give the options, or run the task on "
    "the controller (delegate_to: localhost)"
)
THE_DEFAULT = "the default"


class Setting(t.NamedTuple):
    """The value of ``option``; ``origin`` is where it came from, in words."""

    option: str
    value: t.Any
    origin: str

    def error(self, what: str, next_step: str) -> OptionError:
        """Return the error that says ``what`` is wrong with it, and where it came from."""
        return OptionError(f"{self.option} {what}", where=self.origin, next_step=next_step)

    def expanded(self) -> Setting:
        """Return it with the home directory for its ``~``; raises OptionError where none is."""
        try:
            return self._replace(value=str(pathlib.Path(self.value).expanduser()))
        except (RuntimeError, KeyError):  # KeyError: before Python 3.10
            # A container may run as any uid, without an entry in /etc/passwd.
            raise self.error(
                f'"{self.value}" is in a home directory that is not known to user {os.getuid()}',
                "set HOME where the task runs, or give an absolute path",
            ) from None

    def text_of_file(self) -> str:
        """Return the text of the file that it names; raises OptionError."""
        return self._text_of(pathlib.Path(self.value))

    def is_folder(self) -> bool:
        """Tell whether it names a folder; raises OptionError where nothing can have such a name."""
        path = pathlib.Path(self.value)
        try:
            return path.is_dir()
        except (OSError, ValueError) as error:
            raise self._unreadable(path, error) from None

    def texts_of_folder(self) -> list[str] | None:
        """Return the texts of the files in the folder that it names, None where it is no folder.

        Raises OptionError.
        """
        if not self.is_folder():
            return None
        path = pathlib.Path(self.value)
        try:
            files = sorted(file for file in path.iterdir() if file.is_file())
        except (OSError, ValueError) as error:
            raise self._unreadable(path, error) from None
        return [self._text_of(file) for file in files]

    def _text_of(self, path: pathlib.Path) -> str:
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError) as error:
            raise self._unreadable(path, error) from None

    def _unreadable(self, path: pathlib.Path, error: Exception) -> OptionError:
        reason = getattr(error, "strerror", None) or str(error)
        return self.error(
            f'"{path}" cannot be read: {reason[:1].lower() + reason[1:]}',
            "give a file in PEM form on the host that runs the task",
        )


def read_setting(
    option: str, given: t.Any, variables: t.Sequence[str] = (), default: t.Any = ""
) -> Setting:
    """Return the option as ``given``, else by the first of ``variables`` that has a text.

    Each of ``variables`` is the name behind BAO_ and VAULT_.  Of such a pair, a BAO_x that is set
    wins even when it is empty, as for the command line clients.
    """
    if given is not None and given != "":
        return Setting(option, given, f"from the option {option}")
    for name in variables:
        variable = f"BAO_{name}" if f"BAO_{name}" in os.environ else f"VAULT_{name}"
        value = text_of_variable(variable)
        if value:
            return Setting(option, value, f"from the variable {variable}")
    return Setting(option, default, THE_DEFAULT)


def text_of_variable(name: str) -> str:
    """Return the text of a variable, without blanks around it: blanks alone are none."""
    return os.environ.get(name, "").strip()


def not_set(name: str) -> tuple[str, str]:
    """Return that neither BAO_``name`` nor VAULT_``name`` gives a value, and what to do."""
    first, second = f"BAO_{name}", f"VAULT_{name}"
    if first in os.environ and text_of_variable(second):
        what = f"{first} is set and empty, so that {second} is not read,"
        return f"{what} on {this_host()}", f"unset {first}, or give it a value"
    empty = [variable for variable in (first, second) if variable in os.environ]
    if not empty:
        return f"{first} and {second} are not set on {this_host()}", _OF_THE_CONTROLLER
    what = f"{first} and {second} are set and empty"
    if len(empty) == 1:
        other = second if empty == [first] else first
        what = f"{empty[0]} is set and empty, and {other} is not set,"
    return f"{what} on {this_host()}", f"give {empty[0]} a value"


def this_host() -> str:
    """Return the host on which the task runs, in words."""
    name = platform.node()
    return f'host "{name}"' if name else "the host that runs the task"


def client_variable(name: str) -> str:
    """Return the variable BAO_``name``, else VAULT_``name``, else nothing."""
    return str(read_setting(name, None, [name]).value)


def fits_header(text: str) -> bool:
    """Tell whether ``text`` can go into a header of HTTP: see `as_header`."""
    return text.isprintable()


def as_header(text: str) -> str:
    """Return ``text`` as `requests` sends it in UTF-8, as the servers read it, and not Latin-1."""
    return text.encode().decode("latin-1")
