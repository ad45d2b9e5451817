# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects in an answer, read field by field with the types that the API gives them.

An answer with a field of another type is none of the server's: that raises NoAnswer.  A field that
is missing or null is empty, as servers leave out what is not set.
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import NoAnswer

CHECK_URL = (
    "check that url is the address of the API of Vault or OpenBao, and what answers for it on the "
    "way"
)


class Fields:
    """An object of an answer; ``where`` names the request, for the error."""

    __slots__ = ("_values", "_where")

    def __init__(self, values: object, where: str) -> None:
        """Wrap ``values``; raises NoAnswer where they are no object."""
        if not isinstance(values, dict):
            raise NoAnswer("the answer has no data", where=where, next_step=CHECK_URL)
        self._values: dict[str, t.Any] = values
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """Return a text, empty where there is none."""
        return self._field(name, str) or ""

    def required_text(self, name: str) -> str:
        """Return a text that the API always sends."""
        return self.text(name) or self._raise(name)

    def require(self, name: str) -> None:
        """Raise NoAnswer where there is no field ``name``, whatever is in it."""
        if name not in self._values:
            self._raise(name)

    def require_nothing(self, name: str) -> None:
        """Raise NoAnswer where ``name`` is there: the API leaves it out, or sends null."""
        if self._values.get(name) is not None:
            self._raise(name)

    def flag(self, name: str) -> bool:
        """Return a boolean, False where there is none."""
        return bool(self._field(name, bool))

    def required_flag(self, name: str) -> bool:
        """Return a boolean that the API always sends."""
        value = self._field(name, bool)
        return bool(self._raise(name) if value is None else value)

    def number(self, name: str) -> int:
        """Return a whole number, 0 where there is none."""
        value = self._field(name, int)
        return self._raise(name) if isinstance(value, bool) else int(value or 0)

    def texts(self, name: str) -> list[str]:
        """Return a list of texts, empty where there is none."""
        values = self._field(name, list) or []
        return values if all(isinstance(value, str) for value in values) else self._raise(name)

    def required_texts(self, name: str) -> list[str]:
        """Return a list of texts that the API always sends."""
        self.require(name)
        return self.texts(name)

    def object(self, name: str) -> Fields:
        """Return an object, an empty one where there is none."""
        return Fields(self._field(name, dict) or {}, self._where)

    def objects(self, name: str) -> list[Fields]:
        """Return a list of objects, empty where there is none."""
        return [Fields(value, self._where) for value in self._field(name, list) or []]

    def required_objects(self, name: str) -> list[Fields]:
        """Return a list of objects that the API always sends; null is an empty one."""
        self.require(name)
        return self.objects(name)

    def each(self) -> t.Iterator[tuple[str, Fields]]:
        """Yield the name and the object of each field: the API sends a map of objects."""
        for name, value in self._values.items():
            yield name, Fields(value, self._where)

    def as_dict(self) -> dict[str, t.Any]:
        """Return all of it, unchecked."""
        return self._values

    def _field(self, name: str, kind: type[T]) -> T | None:
        value = self._values.get(name)
        return value if value is None or isinstance(value, kind) else self._raise(name)

    def _raise(self, name: str) -> t.NoReturn:
        raise NoAnswer(
            f'the answer does not have "{name}" as the API has it',
            where=self._where,
            next_step=CHECK_URL,
        )


def nothing_there(what: str, where: str) -> NoAnswer:
    """Return the error for a list without ``what``, of which each server has one."""
    return NoAnswer(
        f"the answer has no {what}, and each server has one", where=where, next_step=CHECK_URL
    )


T = t.TypeVar("T")
