# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry of the plugin catalog: there as the task wants it, or not there."""

from __future__ import annotations

import shlex
import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_catalog import (
    CORRECT_PLUGIN,
    CatalogEntry,
    Registration,
    canonical_version,
    deregister,
    entry_path,
    list_entries,
    read_registration,
    register,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import (
    Catalog,
    read_catalog,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.read_back import (
    attempt,
    await_written,
    remove,
)
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.usage import Usage, find_usage
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.wanted import Wanted
from ansible_collections.vaultops.vault.plugins.module_utils._errors import (
    OptionError,
    PermissionDenied,
    VaultError,
    if_permitted,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import together
from ansible_collections.vaultops.vault.plugins.module_utils._text import and_more, quoted
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params, Result, Spec

SPEC: Spec = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["auth", "secret", "database"], "required": True},
    "version": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "sha256": {"type": "str"},
    "src": {"type": "path"},
    "command": {"type": "str"},
    # Ansible takes an option "args" of any module for itself.
    "arguments": {"type": "list", "elements": "str"},
    "env": {"type": "raw", "no_log": True},
    "oci_image": {"type": "str"},
    "runtime": {"type": "str"},
    "update_env": {"type": "str", "choices": ["on_create", "always"], "default": "on_create"},
    "force": {"type": "bool", "default": False},
}

_SKIPPED = "skipped the check whether the server's configuration declares the entry"

CONSTRAINTS: dict[str, t.Any] = {
    "mutually_exclusive": [("sha256", "src"), ("src", "oci_image")],
    "required_by": {"runtime": ("oci_image",)},
    "required_if": [("update_env", "always", ("env",))],
}


def run(client: VaultClient, params: Params, check_mode: bool) -> Result:
    """Read, write what differs, read it back; in check mode only read.  Raises VaultError."""
    wanted = Wanted.from_params(params)
    client.secrets |= wanted.secrets
    catalog = read_catalog(client)
    if params["state"] == "absent":
        return _remove(client, wanted, catalog, force=params["force"], check_mode=check_mode)
    always = params["update_env"] == "always"
    force = params["force"]
    return _ensure(client, wanted, catalog, always=always, force=force, check_mode=check_mode)


def _ensure(
    client: VaultClient,
    wanted: Wanted,
    catalog: Catalog,
    *,
    always: bool,
    force: bool,
    check_mode: bool,
) -> Result:
    """Register the plugin where no equal entry is there, or ``always``."""
    found = wanted.find_in(catalog)
    before = _read(client, found) if found else None
    wanted = wanted.settled_by(found)
    if before is not None and before.entry.misspelled:
        raise _misspelled(before, changed=False)
    if before is not None and not always and _is_met_by(wanted, before):
        if before.command is None:
            client.warn(
                f"{_not_readable(before.entry)}: skipped the check of its command and arguments"
            )
        return _result(False, before, before)
    _refuse_unfit(wanted, catalog, found)
    touched = _touched(client, wanted, catalog, before)
    _refuse_declared(client, wanted, catalog, touched, force=force)
    if check_mode:
        return _result(True, before, wanted.as_registration())
    after = _register(client, wanted, catalog, before)
    if after.entry.misspelled:
        raise _misspelled(after, changed=True)
    earlier = (there for there in touched if there.entry.version == after.entry.version)
    return _result(True, next(earlier, None), after)


def _remove(
    client: VaultClient, wanted: Wanted, catalog: Catalog, *, force: bool, check_mode: bool
) -> Result:
    """Remove the entry where nothing needs it, or ``force`` says so."""
    misspelled = catalog.misspelled(wanted.kind, wanted.name, wanted.version)
    entry = wanted.find_in(catalog) or misspelled
    if entry is None or not wanted.names(entry):
        _warn_of_others(client, wanted, catalog)
        return _result(False, None, None)
    _refuse_another_file(wanted, entry)
    if entry.version and catalog.pin_of(entry.kind, entry.name) == entry.version:
        raise OptionError(
            f"{entry} is the pinned version",
            next_step="remove the pin first, with the module plugin_pin",
        )
    before = _read(client, entry)
    _refuse_declared(client, wanted, catalog, [before], force=force)
    usage = find_usage(client, catalog, entry)
    if not force:
        _refuse_needed(before, usage)
    client.warn(*_losses(entry, usage))
    if misspelled not in (None, entry):
        client.warn(f"{misspelled} is an entry of its own: run the task again to remove it, too")
    if not check_mode:
        remove(
            client,
            entry,
            partial(deregister, client, entry),
            lambda: any(_key(other) == _key(entry) for other in list_entries(client)),
        )
    return _result(True, before, None)


def _read(client: VaultClient, entry: CatalogEntry) -> Registration:
    """Return what the token may read of ``entry``."""
    denied: list[PermissionDenied] = []
    return if_permitted(partial(read_registration, client, entry), denied) or Registration(entry)


def _is_met_by(wanted: Wanted, there: Registration) -> bool:
    """Tell whether ``there`` is as wanted, as far as the token may read it.

    An entry that the server itself cannot read has lost its file: it is written again.
    """
    return not there.failure and not wanted.differs_from(there)


def _misspelled(there: Registration, *, changed: bool) -> VaultError:
    """Return the error for an entry in which a plugin reported its version in another spelling."""
    version = there.entry.version
    return VaultError(
        f"{there.entry} is registered, but no mount can run it: the plugin reports its version as "
        f'"{version}", and the server looks for "{canonical_version(version)}"',
        next_step=f"{CORRECT_PLUGIN}, and register that; state=absent with version "
        f"{canonical_version(version)} removes the entry",
        result={"changed": changed, "plugin": _as_result(there)},
    )


def _refuse_another_file(wanted: Wanted, entry: CatalogEntry) -> None:
    """Raise OptionError where the version is that of another file than the task names."""
    if wanted.sha256 not in ("", entry.sha256.lower()):
        raise OptionError(
            f"{entry} has another sha256 ({entry.sha256}) than the task names ({wanted.sha256}); "
            "nothing was removed",
            next_step="give the sha256 of the entry, or leave sha256 and src out",
        )


def _touched(
    client: VaultClient, wanted: Wanted, catalog: Catalog, before: Registration | None
) -> list[Registration]:
    """Return the entries that a registration may replace."""
    touched = [before] if before else []
    if wanted.version:
        return touched
    # The plugin may report its version, and is then registered in the place of that version.
    known = [there.entry for there in touched]
    others = catalog.external(wanted.kind, wanted.name)
    reads = [partial(_read, client, entry) for entry in others if entry not in known]
    return touched + together(client, reads)


def _refuse_unfit(wanted: Wanted, catalog: Catalog, found: CatalogEntry | None) -> None:
    """Raise OptionError for what the server would ignore, or what would stand in for a builtin."""
    if wanted.oci_image and catalog.openbao:
        raise OptionError(
            "OpenBao does not run plugins in containers, and would ignore oci_image",
            next_step="register the plugin's file, or let a plugin block in the server's "
            "configuration fetch it from an image",
        )
    named = catalog.named(wanted.kind, wanted.name)
    if found is None and not wanted.version and any(entry.builtin for entry in named):
        raise OptionError(
            f'"{wanted.name}" is a builtin {wanted.kind} plugin, and an entry without a version '
            "would replace it on all its mounts",
            next_step="give version, so that each mount keeps what it is configured for",
        )


def _refuse_declared(
    client: VaultClient,
    wanted: Wanted,
    catalog: Catalog,
    touched: t.Sequence[Registration],
    *,
    force: bool,
) -> None:
    """Raise OptionError for an entry that the server's configuration declares, or may declare.

    OpenBao would take the write, and not load its configuration the next time.  ``force`` is for
    what cannot be read, not for what is known.
    """
    for there in touched:
        if there.declarative:
            raise OptionError(
                f"{there.entry} is declared in the server's configuration, which would no longer "
                "load if it was changed here",
                next_step="change the plugin block of the configuration"
                + ("" if wanted.version else ", or give version to mean another entry"),
            )
        unread = there.declarative is None and catalog.openbao
        if there.failure:
            client.warn(
                f"the server cannot read {there.entry} by itself ({there.failure}): {_SKIPPED}"
            )
        elif unread and force:
            client.warn(f"{_not_readable(there.entry)}: {_SKIPPED}")
        elif unread:
            raise OptionError(
                f"{_not_readable(there.entry)}: the server's configuration may declare it, and "
                "what is declared there must not be changed here",
                next_step="give the token these rights, or set force=true to change it all the "
                "same",
            )


def _not_readable(entry: CatalogEntry) -> str:
    path = entry_path(entry.kind, entry.name)
    return f'permission denied reading {entry} by itself ("read" and "sudo" on "{path}")'


def _register(
    client: VaultClient, wanted: Wanted, catalog: Catalog, before: Registration | None
) -> Registration:
    """Write the entry, and return what is read of it; raises VaultError."""
    after: Registration | None = None

    def read() -> Registration | None:
        nonlocal after
        entry = wanted.landed_in(list_entries(client), catalog.entries)
        after = _read(client, entry) if entry else None
        return after if after is not None and not wanted.differs_from(after) else None

    what = f'{wanted.kind} plugin "{wanted.name}" is registered'
    lost = attempt(partial(register, client, wanted.kind, wanted.name, wanted.as_body()), what)
    if lost is not None and before is not None and not wanted.differs_from(before):
        raise lost  # what is read again does not tell it from what was there
    found = await_written(client, lost, what, read)
    if found is not None:
        if found.failure:
            client.warn(f"the server cannot read {found.entry} by itself: {found.failure}")
        return wanted.complete(found)
    differing = ", ".join(wanted.differs_from(after)) if after else ""
    raise VaultError(
        f'the server accepted the registration of {wanted.kind} plugin "{wanted.name}", but '
        + (f"its entry differs in {differing}" if differing else "does not list it"),
        next_step="see whether this version of the server knows all options; its log may say more",
        result={"changed": after != before, "plugin": _as_result(after)},
    )


def _key(entry: CatalogEntry) -> tuple[str, str, str]:
    return entry.kind, entry.name, entry.version


def _refuse_needed(before: Registration, usage: Usage) -> None:
    """Raise OptionError where something needs the entry, or that is not known."""
    result = {"plugin": _as_result(before), "users": list(usage.users)}
    unknown = f"{usage.unknown[0]}{and_more(usage.unknown)}" if usage.unknown else ""
    if usage.users:
        raise OptionError(
            f"{before.entry} is needed by {quoted(usage.users)}{'; ' if unknown else ''}{unknown}",
            next_step="move them to another version, or disable them, first; force=true removes it "
            "all the same, and then they may not start again after a reload",
            result=result,
        )
    if unknown:
        raise OptionError(
            unknown,
            next_step=f"{usage.next_step}, or set force=true to remove it all the same",
            result=result,
        )


def _losses(entry: CatalogEntry, usage: Usage) -> list[str]:
    """Return the warnings for a removal that is forced."""
    warnings = []
    if usage.users:
        users = quoted(usage.users)
        warnings.append(
            f"{users} may not start again after a reload, nor be rolled back: {entry} is removed"
        )
    if usage.unknown:
        warnings.append(f"{usage.unknown[0]}{and_more(usage.unknown)}: skipped that check")
    return warnings


def _warn_of_others(client: VaultClient, wanted: Wanted, catalog: Catalog) -> None:
    """Warn of what is left of the name: leaving version out may be a mistake."""
    others = catalog.named(wanted.kind, wanted.name)
    if others and not wanted.version:
        versions = ", ".join(entry.version or "no version" for entry in others)
        client.warn(
            f'{wanted.kind} plugin "{wanted.name}" is in the catalog with {versions}: without '
            f"version, only an entry {'with this sha256' if wanted.sha256 else 'that has none'} is "
            "removed"
        )


def _result(changed: bool, before: Registration | None, after: Registration | None) -> Result:
    return {
        "changed": changed,
        "plugin": _as_result(after),
        "before": _as_result(before),
        "diff": {"before": _line(before), "after": _line(after)},
    }


def _as_result(there: Registration | None) -> Result | None:
    if there is None:
        return None
    entry = there.entry
    return {
        "type": entry.kind,
        "name": entry.name,
        "version": entry.version,
        "sha256": entry.sha256,
        "command": there.command,
        "arguments": None if there.args is None else list(there.args),
        "oci_image": entry.oci_image,
        "runtime": entry.runtime,
        "builtin": entry.builtin,
        "declarative": there.declarative,
    }


def _line(there: Registration | None) -> str:
    """Return an entry in one line of a diff, nothing where there is none."""
    if there is None:
        return ""
    entry = there.entry
    started = [there.command or "", *(there.args or [])]
    image = f"{entry.oci_image} {entry.runtime}".strip()
    words = [entry.kind, entry.name, entry.version, entry.sha256[:8], image, *map(_quoted, started)]
    return " ".join(filter(None, words)) + "\n"


def _quoted(word: str) -> str:
    return shlex.quote(word) if word else ""
