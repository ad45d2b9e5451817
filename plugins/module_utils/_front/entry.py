# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module imports first: each file that it imports after this one is compiled once.

Ansible sends a module's files in a zip.  Python's importer compiles a file of a zip to say what it
is called, and again to run it: half of what the import of this collection takes on a target.
"""

from __future__ import annotations

import os
import typing as t
import zipimport

if t.TYPE_CHECKING:
    from ansible_collections.vaultops.vault.plugins.module_utils._front.perform import Operation


def file_name(importer: zipimport.zipimporter, fullname: str) -> str:
    """Return the name of a module's source file in the zip of ``importer``.

    Raises ZipImportError if it is not there.  As zipimporter.get_filename, of a zip without
    compiled files: https://docs.python.org/3/library/zipimport.html
    """
    end = f"{os.sep}__init__.py" if importer.is_package(fullname) else ".py"
    name = fullname.rpartition(".")[2]
    return f"{importer.archive}{os.sep}{importer.prefix}{name}{end}"


def run_module(operation: Operation) -> None:
    """Run ``operation`` as the module of this process: prints the result and exits."""
    from ansible_collections.vaultops.vault.plugins.module_utils._front import module

    module.run(operation)


if isinstance(globals().get("__loader__"), zipimport.zipimporter):
    setattr(zipimport.zipimporter, "get_filename", file_name)  # noqa: B010 - else a type error
