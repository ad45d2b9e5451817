# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import socket

from ansible_collections.vaultops.vault.tests.support.server import (
    PORTS_OF_A_PROCESS,
    free_port,
    own_ports,
)


def test_no_two_have_ports_in_common() -> None:
    """The port of a node that is down stays its own, whatever other processes start."""
    first, second = own_ports(), own_ports()
    turns = 2 * PORTS_OF_A_PROCESS
    others = set(itertools.islice(second, turns))
    assert set(itertools.islice(first, turns)).isdisjoint(others)
    assert free_port() not in others


def test_a_port_in_use_is_not_free() -> None:
    with socket.socket() as used:
        used.bind(("127.0.0.1", free_port()))
        taken = used.getsockname()[1]
        assert taken not in {free_port() for _turn in range(PORTS_OF_A_PROCESS)}
