# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS: the CA certificates to trust, and the client's own certificate."""

from __future__ import annotations

import os
import pathlib
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    client_variable,
)
from ansible_collections.vaultops.vault.plugins.module_utils._parsing import parse_bool

_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


class Trust(t.NamedTuple):
    """``verify`` as `requests` has it: a file, True or False; ``pem``: certificates in no file."""

    verify: bool | str
    pem: str = ""


def read_trust(params: t.Mapping[str, t.Any]) -> Trust:
    """Read ca_cert and validate_certs, else their variables; raises OptionError.

    As for the command line clients: a file, else PEM text, else a folder.
    """
    if not _validate_certs(params["validate_certs"]):
        return Trust(False)
    chosen = params["ca_cert"] or client_variable("CACERT")
    if not chosen and client_variable("CACERT_BYTES"):
        return Trust(True, _checked_pem(client_variable("CACERT_BYTES"), "*_CACERT_BYTES"))
    chosen = chosen or client_variable("CAPATH")
    if not chosen:
        # As `requests` itself does, and as every other task on this host that uses it.
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        return Trust(bundle or True)
    path = pathlib.Path(chosen).expanduser()
    if path.is_dir():
        # OpenSSL would find only files named by a hash; the command line clients read them all.
        files = sorted(file for file in path.iterdir() if file.is_file())
        return Trust(True, _checked_pem("\n".join(map(_text, files)), f'the folder "{path}"'))
    _readable(path, "ca_cert")
    return Trust(str(path))


def read_client_cert(params: t.Mapping[str, t.Any]) -> tuple[str, str] | None:
    """Read the files of the client's certificate and key; raises OptionError.

    With auth_method=cert, those of that method are taken first.
    """
    cert = params["client_cert"] or client_variable("CLIENT_CERT")
    key = params["client_key"] or client_variable("CLIENT_KEY")
    if params.get("auth_method") == "cert" and params.get("cert_auth_public_key"):
        cert, key = params["cert_auth_public_key"], params.get("cert_auth_private_key")
    if not cert and not key:
        return None
    if not cert or not key:
        raise OptionError(
            "client_cert and client_key come together",
            next_step="give both, or neither; the variables are *_CLIENT_CERT and *_CLIENT_KEY",
        )
    paths = pathlib.Path(cert).expanduser(), pathlib.Path(key).expanduser()
    _readable(paths[0], "client_cert")
    _readable(paths[1], "client_key")
    if "ENCRYPTED" in _text(paths[1]):
        # OpenSSL would ask for the passphrase at a terminal that no user sees.
        raise OptionError(
            f'client_key "{paths[1]}" is encrypted',
            next_step="give a key without a passphrase, readable by the user of the task only",
        )
    return str(paths[0]), str(paths[1])


def _readable(path: pathlib.Path, option: str) -> None:
    if not os.access(path, os.R_OK):
        raise OptionError(
            f'{option} "{path}" cannot be read',
            next_step="give a file in PEM form on the host that runs the task",
        )


def _text(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _checked_pem(text: str, source: str) -> str:
    if _CERTIFICATE not in text:
        raise OptionError(
            f"there is no CA certificate in {source}",
            next_step="give certificates in PEM form",
        )
    return text


def _validate_certs(option: bool | None) -> bool:
    if option is not None:
        return option
    text = client_variable("SKIP_VERIFY")
    skip = parse_bool(text or "false")
    if skip is None:
        raise OptionError(
            f'the variable BAO_SKIP_VERIFY or VAULT_SKIP_VERIFY is "{text}"',
            next_step="set it to true or false, or set the option validate_certs",
        )
    return not skip
