# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the connection options, said once."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of CONNECTION_SPEC in module_utils/_http/connection.py."""

    DOCUMENTATION = r"""
requirements:
  - The Python library C(requests) on the host that runs the task.
options:
  url:
    description:
      - Address of the Vault or OpenBao server, starting with V(https://) or V(http://), or the Unix
        socket of an agent or proxy, starting with V(unix://). A Unix socket needs the Python
        library C(requests-unixsocket2).
      - If not given, the environment variable E(BAO_ADDR) or E(VAULT_ADDR) is used, else
        V(https://127.0.0.1:8200). As with the command line clients, E(BAO_ADDR) takes precedence
        over E(VAULT_ADDR) whenever it is set, even if it is empty. The same holds for the pairs of
        variables of all other options.
      - The module follows one redirect per request, never from https to http, and only to the same
        host or to the address that the server itself reports as its leader, because the token is
        sent along. Later requests of the task go to the new address directly. A request that
        changes something does not follow if the standby may have forwarded it before; its outcome
        is then unknown.
    type: str
    aliases: [vault_address]
  namespace:
    description:
      - The namespace to work in, such as V(team-a) or V(team-a/dev).
      - If not given, the environment variable E(BAO_NAMESPACE) or E(VAULT_NAMESPACE) is used, else
        the root namespace. An empty string means the root namespace, whatever the environment says.
    type: str
    aliases: [vault_namespace]
  ca_cert:
    description:
      - CA certificates in PEM format to verify the server's certificate with, as a file or a
        directory of files.
      - If not given, the first of these environment variables that is set is used. E(BAO_CACERT) or
        E(VAULT_CACERT) is a file, E(BAO_CACERT_BYTES) or E(VAULT_CACERT_BYTES) is PEM text, and
        E(BAO_CAPATH) or E(VAULT_CAPATH) is a directory. If none is set, the CA bundle of
        C(requests) is used, which E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE) can replace.
    type: path
    aliases: [cacert, ssl_ca_cert]
  validate_certs:
    description:
      - Whether to verify the server's certificate and host name. With V(false), anyone on the
        network path can read the token.
      - If not given, the opposite of the environment variable E(BAO_SKIP_VERIFY) or
        E(VAULT_SKIP_VERIFY) is used, else V(true).
    type: bool
  client_cert:
    description:
      - File with the TLS client certificate in PEM format, for a server that requires one. Requires
        O(client_key).
      - If not given, the environment variable E(BAO_CLIENT_CERT) or E(VAULT_CLIENT_CERT) is used.
    type: path
  client_key:
    description:
      - File with the private key of O(client_cert) in PEM format, without a passphrase.
      - If not given, the environment variable E(BAO_CLIENT_KEY) or E(VAULT_CLIENT_KEY) is used.
    type: path
  tls_server_name:
    description:
      - Server name to send (SNI) and to verify the server's certificate against, if it differs from
        the host name in O(url).
      - If not given, the environment variable E(BAO_TLS_SERVER_NAME) or E(VAULT_TLS_SERVER_NAME)
        is used.
    type: str
  proxies:
    description:
      - Address of a proxy, or a mapping with one address each for V(http) and V(https).
      - If not given, the environment variable E(BAO_PROXY_ADDR) or E(VAULT_PROXY_ADDR) is used,
        else E(BAO_HTTP_PROXY) or E(VAULT_HTTP_PROXY), else the common variables such as
        E(HTTPS_PROXY) and E(NO_PROXY). A proxy with a scheme such as V(socks5://) needs the Python
        library C(PySocks).
    type: raw
  timeout:
    description:
      - Timeout for an answer of the server, in seconds or as a duration in the format of the
        command line clients, such as V(60s) or V(1m30s). It bounds the whole exchange, from
        connecting to the last byte of the answer.
      - If not given, the environment variable E(BAO_CLIENT_TIMEOUT) or E(VAULT_CLIENT_TIMEOUT) is
        used, else V(60s).
      - It never shortens the wait for a reload, because a client that disconnects during a reload
        can cause an outage.
    type: str
  connect_timeout:
    description:
      - Timeout for connecting to the server, in seconds or as a duration. If not given, V(10s).
    type: str
  retries:
    description:
      - How many times to retry a request.
      - Reads, logins, and requests that set a pin or the version of a mount are retried after a
        refused or broken connection, a timeout, status 412 or 429, and a status 5xx other than 501
        that comes from the server itself. All other requests are retried only if the server
        certainly did not act on them, which means if no connection was made, and after status 412
        and 429.
      - The module waits 1 to 1.5 seconds before a retry, or as long as the server requests with
        C(Retry-After), and at most one minute in total. It reports retries in a warning.
      - If not given, the environment variable E(BAO_MAX_RETRIES) or E(VAULT_MAX_RETRIES) is used,
        else V(2).
    type: int
"""
