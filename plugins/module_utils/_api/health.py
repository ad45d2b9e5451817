# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server this is, and what scope=global means to it.

API: https://openbao.org/api-docs/system/health/ and https://openbao.org/api-docs/system/leader/
"""

from __future__ import annotations

import re
import typing as t
from functools import partial

from ansible_collections.vaultops.vault.plugins.module_utils._errors import Refused, VaultError
from ansible_collections.vaultops.vault.plugins.module_utils._http.client import VaultClient
from ansible_collections.vaultops.vault.plugins.module_utils._http.fields import Fields
from ansible_collections.vaultops.vault.plugins.module_utils._http.together import together

# What scope=global does: all nodes reload, and the server has a report of each; all nodes reload,
# without reports; only the node that answers reloads; only one node runs plugins; unknown.
REPORTED, UNREPORTED, IGNORED, NEEDLESS, UNKNOWN = (
    "reported",
    "unreported",
    "ignored",
    "needless",
    "unknown",
)

# Product, whether Enterprise, from which version on, what scope=global does: the first row counts.
_GLOBAL = (
    ("Vault", True, (), REPORTED),  # also where a listener hides the version
    ("Vault", False, (), NEEDLESS),  # its standbys run no plugins
    ("OpenBao", False, (2, 7, 2), UNREPORTED),
    ("OpenBao", False, (2, 5), IGNORED),  # its standbys run plugins of their own
    ("OpenBao", False, (0,), NEEDLESS),
)

# Whatever its state, a server is to answer 200: the body has the rest.
_ALWAYS_200 = dict.fromkeys(
    (
        "standbycode",
        "performancestandbycode",
        "drsecondarycode",
        "haunhealthycode",
        "sealedcode",
        "uninitcode",
        "removedcode",
    ),
    "200",
)


class Server(t.NamedTuple):
    """What a server says of itself: ``product`` is OpenBao, Vault, or empty where it does not say.

    ``role`` is active, standby, performance standby, sealed or not initialized, empty for unknown.
    ``ha`` says whether it is part of a cluster, None where that was not asked; ``leader`` is the
    URL that its active node advertises.
    """

    product: str = ""
    version: str = ""
    enterprise: bool = False
    role: str = ""
    cluster_id: str = ""
    ha: bool | None = None
    leader: str = ""

    @property
    def name(self) -> str:
        """Product, edition and version in words."""
        edition = " Enterprise" if self.enterprise else ""
        return f"{self.product}{edition} {self.version}".rstrip() if self.product else "this server"

    @property
    def cli(self) -> str:
        """The name of the product's command line client."""
        return "bao" if self.product == "OpenBao" else "vault"

    @property
    def leaves_failed_down(self) -> bool:
        """Whether it drops the old plugin of a mount whose reload failed; Vault keeps it."""
        return self.product == "OpenBao"

    @property
    def standbys_learn(self) -> bool:
        """Whether a standby learns of a mount's new version before it is restarted."""
        return self.product != "OpenBao" or self._numbers >= (2, 7)

    @property
    def _numbers(self) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", self.version)[:3])

    @property
    def global_scope(self) -> str:
        """What scope=global does here, by the table above."""
        if self.ha is False:
            return NEEDLESS
        for product, enterprise, start, meaning in _GLOBAL:
            if (product, enterprise) == (self.product, self.enterprise) and self._numbers >= start:
                return meaning
        return UNKNOWN


def read_server(client: VaultClient) -> Server:
    """Return what the server says without a token, in two requests; what it hides is unknown."""
    looks: list[t.Callable[[], t.Any]] = [
        partial(read_health, client),
        partial(client.request, "GET", "sys/leader", namespace="", anonymous=True, plain=True),
    ]
    try:
        server, answer = together(client, looks, quick=True)
        leader = answer.plain
        address = leader.text("leader_address").rstrip("/")
        found: Server = server._replace(ha=leader.required_flag("ha_enabled"), leader=address)
    except VaultError:
        return Server()
    return found


def read_health(client: VaultClient) -> Server:
    """Return what ``sys/health`` says; raises VaultError."""
    answer = client.request(
        "GET", "sys/health", query=_ALWAYS_200, namespace="", anonymous=True, plain=True
    ).plain
    version = answer.text("version")
    return Server(
        product=_product(answer, version),
        version=version.partition("+")[0],
        enterprise=answer.flag("enterprise") or "+ent" in version or "+prem" in version,
        role=_role(answer),
        cluster_id=answer.text("cluster_id"),
    )


def takes_inline_auth(client: VaultClient) -> bool | None:
    """Tell whether a login may go with each request, None where that is unknown.

    Raises VaultError where the server cannot be reached.
    """
    try:
        product = read_health(client).product
    except Refused:
        return None
    return product == "OpenBao" if product else None


def known_server(client: VaultClient) -> Server:
    """Return which server this is, for a message: unknown where it does not say."""
    try:
        return read_health(client)
    except VaultError:
        return Server()


def cli_name(client: VaultClient) -> str:
    """Return the name of the product's command line client, for a message."""
    return known_server(client).cli


def _product(answer: Fields, version: str) -> str:
    if "performance_standby" in answer:
        return "Vault"  # a listener with redact_version hides its version, and not this
    return "OpenBao" if version else ""


def _role(answer: Fields) -> str:
    if not answer.required_flag("initialized"):
        return "not initialized"
    if answer.required_flag("sealed"):
        return "sealed"
    if answer.flag("performance_standby"):
        return "performance standby"
    return "standby" if answer.required_flag("standby") else "active"
