# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS: the CA certificates to trust, and the client's own certificate."""

from __future__ import annotations

import re
import ssl
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._http.environment import (
    Setting,
    read_setting,
    text_of_variable,
)
from ansible_collections.vaultops.vault.plugins.module_utils._http.trust import is_loaded
from ansible_collections.vaultops.vault.plugins.module_utils._parsing import parse_bool

_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"
# A file may also hold certificates in other forms, such as TRUSTED CERTIFICATE.
_ANY_CERTIFICATE = "CERTIFICATE-----"
_WHOLE_CERTIFICATE = re.compile(f"({_CERTIFICATE})(.*?)({_END})", re.DOTALL)
# What may stand for a line break where a variable has to be one line; base64 has none of it.
_BREAKS = re.compile(r"\\[rn]|\s")
_PRIVATE_KEY = "PRIVATE KEY-----"
_GIVE_PEM = "give certificates in PEM form"


class Trust(t.NamedTuple):
    """``verify`` as `requests` has it: a file, True or False; ``pem``: certificates in no file.

    ``origin`` is where the choice came from, in words.
    """

    verify: bool | str
    pem: str = ""
    origin: str = "the default"


def read_trust(params: t.Mapping[str, t.Any], encrypted: bool) -> Trust:
    """Read ca_cert and validate_certs, else their variables; raises OptionError.

    As for the command line clients: a file, else PEM text, else a folder.  Where the connection is
    not ``encrypted``, what other programs set for theirs does not matter.
    """
    if not _validate_certs(params["validate_certs"]):
        return Trust(False)
    chosen = read_setting("ca_cert", params["ca_cert"], ["CACERT"])
    if not chosen.value:
        text = read_setting("ca_cert", None, ["CACERT_BYTES"])
        if text.value:
            return Trust(True, _checked_bytes(text), text.origin)
        chosen = read_setting("ca_cert", None, ["CAPATH"])
    if not chosen.value:
        return _trust_of_requests() if encrypted else Trust(True)
    chosen = chosen.expanded()
    texts = chosen.texts_of_folder()
    if texts is not None:
        # OpenSSL would find only files named by a hash; the command line clients read them all.
        pem = _checked_pem("\n".join(texts), f'the folder "{chosen.value}"', chosen)
        return Trust(True, pem, chosen.origin)
    return _trust_of_file(chosen)


def _trust_of_requests() -> Trust:
    """Trust as `requests` itself does, and as every other task on this host that uses it."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        path = text_of_variable(variable)
        if path:
            bundle = Setting("ca_cert", path, f"from the variable {variable}")
            if bundle.is_folder():
                return Trust(path, origin=bundle.origin)  # named by hashes, as OpenSSL wants it
            return _trust_of_file(bundle)
    return Trust(True)


def _trust_of_file(file: Setting) -> Trust:
    if is_loaded(str(file.value)):
        return Trust(str(file.value), origin=file.origin)
    text = file.text_of_file()
    if not text.strip():
        raise file.error(f'"{file.value}" is empty', f"{_GIVE_PEM}, or leave it out")
    if _ANY_CERTIFICATE not in text:
        raise file.error(f'"{file.value}" holds no CA certificate', _GIVE_PEM)
    return Trust(str(file.value), origin=file.origin)


def read_client_cert(params: t.Mapping[str, t.Any]) -> tuple[str, str] | None:
    """Read the files of the client's certificate and key; raises OptionError.

    With auth_method=cert, those of that method are taken first.
    """
    cert = read_setting("client_cert", params["client_cert"], ["CLIENT_CERT"])
    key = read_setting("client_key", params["client_key"], ["CLIENT_KEY"])
    if params.get("auth_method") == "cert" and params.get("cert_auth_public_key"):
        cert = read_setting("cert_auth_public_key", params["cert_auth_public_key"])
        key = read_setting("cert_auth_private_key", params.get("cert_auth_private_key"))
    if not cert.value and not key.value:
        return None
    if not cert.value or not key.value:
        alone = cert if cert.value else key
        raise alone.error(
            f'"{alone.value}" is alone: client_cert and client_key come together',
            "give both, or neither; the variables are *_CLIENT_CERT and *_CLIENT_KEY",
        )
    cert, key = cert.expanded(), key.expanded()
    texts = (cert.text_of_file(), key.text_of_file())
    if "ENCRYPTED" in texts[1]:
        # OpenSSL would ask for the passphrase at a terminal that no user sees.
        raise key.error(
            f'"{key.value}" is encrypted',
            "give a key without a passphrase, readable by the user of the task only",
        )
    if _ANY_CERTIFICATE not in texts[0]:
        raise cert.error(
            f'"{cert.value}" holds no certificate', "give the client's own in PEM form"
        )
    if _PRIVATE_KEY not in texts[1]:
        raise key.error(f'"{key.value}" holds no private key', "give it in PEM form")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert.value, key.value)
    except ssl.SSLError as error:
        reason = (error.reason or "cannot be read").lower().replace("_", " ")
        raise key.error(
            f'"{key.value}" cannot be used with the certificate "{cert.value}": {reason}',
            "give the certificate's own key, both files whole and in PEM form",
        ) from None
    return cert.value, key.value


def _checked_pem(text: str, source: str, setting: Setting) -> str:
    if _CERTIFICATE not in text:
        raise setting.error(f"is unusable: there is no CA certificate in {source}", _GIVE_PEM)
    return text


def _checked_bytes(text: Setting) -> str:
    lines = len(text.value.splitlines())
    held = "one line only" if lines == 1 else f"{lines} lines"
    what = f"is unusable: the variable holds {held}, and"
    in_one_line = f"{_GIVE_PEM}; in one line, \\n or a blank stands for each line break"
    if _CERTIFICATE not in text.value:
        raise text.error(f"{what} no CA certificate", in_one_line)
    if _END not in text.value:
        raise text.error(
            f"{what} the certificate in it has no end",
            "an env file, with which AWX starts a container, cuts a value at its first line break: "
            "put the certificates into a file, and name that in BAO_CACERT or VAULT_CACERT",
        )
    # Only these: a comment beside them may have any letters.
    pem = "".join(map(_with_line_breaks, _WHOLE_CERTIFICATE.finditer(text.value)))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError, TypeError):
        raise text.error(f"{what} the certificate in it cannot be read", in_one_line) from None
    return pem


def _with_line_breaks(certificate: re.Match[str]) -> str:
    begin, body, end = certificate.groups()
    return "\n".join(["", begin, *re.findall(".{1,64}", _BREAKS.sub("", body)), end, ""])


def _validate_certs(option: bool | None) -> bool:
    if option is not None:
        return option
    setting = read_setting("validate_certs", None, ["SKIP_VERIFY"])
    skip = parse_bool(setting.value or "false")
    if skip is None:
        raise setting.error(
            f'is unknown: the variable BAO_SKIP_VERIFY or VAULT_SKIP_VERIFY is "{setting.value}"',
            "set it to true or false, or set the option validate_certs",
        )
    return not skip
