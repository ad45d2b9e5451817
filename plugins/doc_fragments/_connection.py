# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the connection options, said once."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of CONNECTION_SPEC in module_utils/_options.py."""

    DOCUMENTATION = r"""
requirements:
  - The Python library C(requests) on the host that runs the task.
options:
  url:
    description:
      - Address of the Vault or OpenBao server, with V(https://) or V(http://).
      - If not given, the environment variable E(BAO_ADDR) or E(VAULT_ADDR) is used, else
        V(https://127.0.0.1:8200). As for the command line clients, a E(BAO_ADDR) that is set wins
        over E(VAULT_ADDR), even when it is empty; the same holds for each pair of variables below.
      - A redirect of the server is not followed, it is reported.
    type: str
    aliases: [vault_address]
  namespace:
    description:
      - The namespace to work in, such as V(team-a) or V(team-a/dev).
      - If not given, the environment variable E(BAO_NAMESPACE) or E(VAULT_NAMESPACE) is used, else
        the root namespace. An empty string is the root namespace whatever the environment says.
    type: str
    aliases: [vault_namespace]
  ca_cert:
    description:
      - A file of CA certificates in PEM form that the server's certificate is checked against.
      - If not given, the environment variable E(BAO_CACERT) or E(VAULT_CACERT) is used, else the
        certificate authorities of C(requests), which E(REQUESTS_CA_BUNDLE) can change.
    type: path
    aliases: [cacert, ssl_ca_cert]
  validate_certs:
    description:
      - Whether to check the server's certificate and name. V(false) lets anybody on the network
        read the token.
      - If not given, the opposite of the environment variable E(BAO_SKIP_VERIFY) or
        E(VAULT_SKIP_VERIFY) is used, else V(true).
    type: bool
  timeout:
    description:
      - How long to wait for an answer, in seconds or as the command line clients spell a duration,
        such as V(60s) or V(1m30s). Connecting alone may take 10 seconds at most.
      - If not given, the environment variable E(BAO_CLIENT_TIMEOUT) or E(VAULT_CLIENT_TIMEOUT) is
        used, else V(60s).
      - It never shortens the wait for a reload, which hanging up would turn into an outage.
    type: str
"""
