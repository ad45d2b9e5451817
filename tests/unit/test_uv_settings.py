# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""uv looks for packages where pip does."""

from __future__ import annotations

from ansible_collections.vaultops.vault.tests.support import uv_settings

# As `pip config list` prints it.
LISTING = """\
:env:.timeout='7'
global.cert='/etc/ca.pem'
global.index-url='https://one.example/simple'
install.extra-index-url='\\nhttps://three.example/simple\\nhttps://four.example/simple'
install.find-links='/opt/wheels /srv/wheels'
install.index-url='https://two.example/simple'
"""


def test_what_pip_reads() -> None:
    assert uv_settings.from_pip(LISTING) == {
        "SSL_CERT_FILE": "/etc/ca.pem",
        "UV_DEFAULT_INDEX": "https://two.example/simple",
        "UV_FIND_LINKS": "/opt/wheels,/srv/wheels",
        "UV_HTTP_TIMEOUT": "7",
        "UV_INDEX": "https://three.example/simple https://four.example/simple",
    }


def test_no_settings() -> None:
    assert uv_settings.from_pip("") == {}
