# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory and a RADIUS server on loopback, from Debian's packages slapd and freeradius."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import typing as t

from .programs import running_program
from .server import free_port

START_SECONDS = 20.0

_SLAPD = """
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=test"
directory {directory}
"""
_PEOPLE = """
dn: dc=test
objectClass: dcObject
objectClass: organization
dc: test
o: test

dn: cn=bob,dc=test
objectClass: person
cn: bob
sn: bob
userPassword: a-password
"""
_RADIUSD = """
libdir = /usr/lib/freeradius
logdir = {directory}
run_dir = {directory}
security {{
  reject_delay = 0
}}
client here {{
  ipaddr = 127.0.0.1
  secret = shared
}}
modules {{
  pap {{
  }}
  files {{
    usersfile = {directory}/users
  }}
}}
server default {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {port}
  }}
  authorize {{
    files
    pap
  }}
  authenticate {{
    Auth-Type PAP {{
      pap
    }}
  }}
}}
"""


def program(name: str) -> str | None:
    """Return the path of a server's program, None where it is not installed."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


@contextlib.contextmanager
def directory_server(directory: pathlib.Path) -> t.Iterator[str]:
    """Run slapd with cn=bob,dc=test in it; yields its address."""
    config, people, data = directory / "slapd.conf", directory / "people", directory / "data"
    data.mkdir()
    config.write_text(_SLAPD.format(directory=data))
    people.write_text(_PEOPLE)
    load = [str(program("slapadd")), "-f", str(config), "-l", str(people)]
    subprocess.run(load, check=True, capture_output=True)
    port = free_port()
    address = f"ldap://127.0.0.1:{port}"
    command = [str(program("slapd")), "-d", "0", "-h", address, "-f", str(config)]
    log = directory / "slapd.log"
    with running_program(command, log, lambda: _listens(port), start_seconds=START_SECONDS):
        yield address


@contextlib.contextmanager
def radius_server(directory: pathlib.Path) -> t.Iterator[int]:
    """Run FreeRADIUS with a user bob, the shared secret is "shared"; yields its UDP port."""
    port = free_port()
    log = directory / "radius.log"
    (directory / "users").write_text('bob Cleartext-Password := "a-password"\n')
    (directory / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n")
    (directory / "radiusd.conf").write_text(_RADIUSD.format(directory=directory, port=port))
    command = [str(program("freeradius")), "-f", "-l", "stdout", "-d", str(directory)]

    def is_ready() -> bool:
        return "Ready to process" in log.read_text()

    with running_program(command, log, is_ready, start_seconds=START_SECONDS):
        yield port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
