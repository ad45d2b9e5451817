# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile each file of the collection once, in the process of a module.

The files of a module come as sources in a zip, and Python's own import compiles each of them twice:
once only to find its name.  Importing this puts a finder before it; files that are in no zip, and
those of others, are left to Python.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import pkgutil
import sys
import types
import typing as t
import zipimport

_OURS = f"{__name__.rpartition('.')[0]}."


class _Loader(importlib.abc.InspectLoader):
    """Runs the source of one module of a zip."""

    def __init__(self, archive: zipimport.zipimporter, path: str) -> None:
        self._archive = archive
        self._path = path

    def get_source(self, fullname: str) -> str | None:
        return self._archive.get_source(fullname)

    def is_package(self, fullname: str) -> bool:
        return self._archive.is_package(fullname)

    def get_code(self, fullname: str) -> types.CodeType:
        return self.source_to_code(self.get_source(fullname) or "", self._path)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self,
        fullname: str,
        path: t.Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(_OURS) or not path:
            return None
        archive = pkgutil.get_importer(path[0])
        if not isinstance(archive, zipimport.zipimporter):
            return None
        try:
            is_package = archive.is_package(fullname)
        except ImportError:
            return None
        base = f"{path[0]}/{fullname.rpartition('.')[2]}"
        file = f"{base}/__init__.py" if is_package else f"{base}.py"
        spec = importlib.machinery.ModuleSpec(
            fullname, _Loader(archive, file), origin=file, is_package=is_package
        )
        if is_package:
            spec.submodule_search_locations = [base]
        return spec


sys.meta_path.insert(0, _Finder())
