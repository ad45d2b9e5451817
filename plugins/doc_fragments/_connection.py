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
      - Address of the Vault or OpenBao server, with V(https://) or V(http://), or the unix socket
        of an agent or proxy, with V(unix://). The latter needs the Python library
        C(requests-unixsocket2).
      - If not given, the environment variable E(BAO_ADDR) or E(VAULT_ADDR) is used, else
        V(https://127.0.0.1:8200). As for the command line clients, a E(BAO_ADDR) that is set wins
        over E(VAULT_ADDR), even when it is empty; the same holds for each pair of variables below.
      - A redirect is followed once, never from https to http, and only to the same host or to the
        address that the server itself names as its leader, since the token goes along.
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
      - CA certificates in PEM form that the server's certificate is checked against, a file or a
        folder of files.
      - If not given, the environment variables E(BAO_CACERT) or E(VAULT_CACERT) (a file), else
        E(BAO_CACERT_BYTES) or E(VAULT_CACERT_BYTES) (PEM text), else E(BAO_CAPATH) or
        E(VAULT_CAPATH) (a folder) are used, else the certificate authorities of C(requests), which
        E(REQUESTS_CA_BUNDLE) can change.
    type: path
    aliases: [cacert, ssl_ca_cert]
  validate_certs:
    description:
      - Whether to check the server's certificate and name. V(false) lets anybody on the network
        read the token.
      - If not given, the opposite of the environment variable E(BAO_SKIP_VERIFY) or
        E(VAULT_SKIP_VERIFY) is used, else V(true).
    type: bool
  client_cert:
    description:
      - File of the client's own certificate in PEM form, for a server that demands one. Needs
        O(client_key).
      - If not given, the environment variable E(BAO_CLIENT_CERT) or E(VAULT_CLIENT_CERT) is used.
    type: path
  client_key:
    description:
      - File of the key of O(client_cert) in PEM form, without a passphrase.
      - If not given, the environment variable E(BAO_CLIENT_KEY) or E(VAULT_CLIENT_KEY) is used.
    type: path
  tls_server_name:
    description:
      - The name to ask the server for (SNI) and to check its certificate against, if it is not the
        one in O(url).
      - If not given, the environment variable E(BAO_TLS_SERVER_NAME) or E(VAULT_TLS_SERVER_NAME)
        is used.
    type: str
  proxies:
    description:
      - Address of a proxy, or a mapping from V(http) and V(https) to one each.
      - If not given, the environment variable E(BAO_PROXY_ADDR) or E(VAULT_PROXY_ADDR), else
        E(BAO_HTTP_PROXY) or E(VAULT_HTTP_PROXY) is used, else those that other programs know, such
        as E(HTTPS_PROXY) and E(NO_PROXY).
    type: raw
  timeout:
    description:
      - How long to wait for an answer, in seconds or as the command line clients spell a duration,
        such as V(60s) or V(1m30s).
      - If not given, the environment variable E(BAO_CLIENT_TIMEOUT) or E(VAULT_CLIENT_TIMEOUT) is
        used, else V(60s).
      - It never shortens the wait for a reload, which hanging up would turn into an outage.
    type: str
  connect_timeout:
    description:
      - How long connecting may take, in seconds or as a duration. If not given, V(10s).
    type: str
  retries:
    description:
      - How often a request is repeated. Reads and logins are repeated after a broken connection,
        after status 412 and 429, and after 5xx but 501; all other requests only where the server
        certainly did not act on them, which is when nobody listened, and after 412 and 429.
      - The wait before a repeat is 1 to 1.5 seconds, or what the server wishes by C(Retry-After),
        up to a minute in all. A warning tells of repeats.
      - If not given, the environment variable E(BAO_MAX_RETRIES) or E(VAULT_MAX_RETRIES) is used,
        else V(2).
    type: int
"""
