# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small OpenBao or Vault plugin for tests and demos: go-plugin protocol 5, gRPC on h2.

``bao read <mount>/info`` says which process answers, so that a test sees whether a reload
really started a new one. ``build_plugin`` makes one executable file of this template.
Linux only: the socket has an abstract address, so there is no file to leave behind.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable

TYPE_CHECKING = False  # typing takes as long to import as all that stands above
if TYPE_CHECKING:
    import ssl

    from h2.connection import H2Connection

# The builder replaces these values.
VERSION = ""  # what the plugin says of itself, "" = unversioned
BUILD = "dev"  # any label
KIND = "secret"  # or "auth"
MULTIPLEXED = False  # True: one process serves all mounts of this version
PEM = ""  # certificate and key; stands in lines, so that the plugin is its own PEM file

# The magic cookie of all OpenBao and Vault plugins: a check that a server started us, no secret.
COOKIE = "6669da05-b1c8-4f49-97d9-c8e5bed98e20"
CRASH = "crash"
BOOT = os.urandom(16).hex()
STARTED = time.time()
READS: dict[str, int] = {}  # per mount

HELP = {
    "": 'The test plugin of the vaultops.vault collection. It has one path, "info".',
    "info": "Read which process answers: pid, version, build, boot, started, mount, reads.",
}

# Protobuf messages, field numbers to values. Of what we receive, only bytes are of use.
Received = dict[int, bytes]
Sent = dict[int, "int | str | Sent"]

# The numbers are those of backend.proto in the SDK.
UNSUPPORTED_OPERATION: Sent = {2: {1: 5, 2: "unsupported operation"}}
UNSUPPORTED_PATH: Sent = {2: {1: 6, 2: "unsupported path"}}
LEASE_NANOSECONDS = 3600 * 10**9


def encode(fields: Sent) -> bytes:
    """Write a protobuf message."""
    message = b""
    for field, value in fields.items():
        if isinstance(value, int):
            message += varint(field << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else encode(value)
            message += varint(field << 3 | 2) + varint(len(data)) + data
    return message


def varint(number: int) -> bytes:
    """Write a number as protobuf does, seven bits to a byte."""
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def decode(message: bytes) -> Received:
    """Read a protobuf message: the last value of each field that is a string or a message."""
    fields, position = {}, 0

    def number() -> int:
        nonlocal position
        byte, position = message[position], position + 1
        return byte if byte < 128 else byte & 127 | number() << 7

    while position < len(message):
        field, wire_type = divmod(number(), 8)
        size = {1: 8, 5: 4}.get(wire_type) or number()
        if wire_type:  # 0 is a number, which has been read
            fields[field], position = message[position : position + size], position + size
    return fields


def handle_request(args: Received) -> Sent:
    """Answer a request to a mount in the way of the SDK's framework."""
    import json

    if read_fault_file() == CRASH:
        os._exit(3)
    request = decode(args[2])
    operation, path, mount = (request.get(field, b"").decode() for field in (3, 4, 12))
    data: dict[str, object]
    if operation == "help" and path in HELP:
        data = {"help": HELP[path], "see_also": []}
    elif operation == "read" and path == "info":
        READS[mount] = READS.get(mount, 0) + 1
        data = {
            "pid": os.getpid(),
            "version": VERSION,
            "build": BUILD,
            "boot": BOOT,
            "started": STARTED,
            "mount": mount,
            "reads": READS[mount],
        }
    elif operation == "read" and path == "lease":
        # It cannot be revoked: the mount cannot be disabled either.
        lease: Sent = {1: LEASE_NANOSECONDS, 4: {1: int(time.time())}}
        return {1: {1: {1: lease, 2: "{}"}, 3: "{}"}}
    else:
        return UNSUPPORTED_PATH if operation in ("help", "read") else UNSUPPORTED_OPERATION
    return {1: {3: json.dumps(data)}}


SHUTDOWN = "/plugin.GRPCController/Shutdown"
ANSWERS: dict[str, Callable[[Received], Sent]] = {
    "/pb.Backend/HandleRequest": handle_request,
    "/pb.Backend/Type": lambda _: {1: 2 if KIND == "auth" else 1},
    "/pb.Backend/HandleExistenceCheck": lambda _: {},
    "/pb.Backend/SpecialPaths": lambda _: {},
    "/pb.Backend/Setup": lambda _: {},
    "/pb.Backend/Initialize": lambda _: {},
    "/pb.Backend/InvalidateKey": lambda _: {},
    "/pb.Backend/Cleanup": lambda _: {},
    "/logical.PluginVersion/Version": lambda _: {1: VERSION},
    "/pluginutil.multiplexing.PluginMultiplexing/MultiplexingSupport": lambda _: {1: MULTIPLEXED},
    "/grpc.health.v1.Health/Check": lambda _: {1: 1},
    SHUTDOWN: lambda _: {},
}


# Must stay open: if the broker's ends, the server's Cleanup, so each reload, waits for ever.
SILENT = ("/plugin.GRPCBroker/StartStream", "/plugin.GRPCStdio/StreamStdio")
UNIMPLEMENTED = [("grpc-status", "12")]


def serve(listener: socket.socket) -> None:
    """Answer the server's calls until it says Shutdown or is gone."""
    # Imported late: the server waits for our handshake, not for these.
    import ssl
    from threading import Thread

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(__file__)
    context.load_verify_locations(cadata=os.environ["PLUGIN_CLIENT_CERT"])  # AutoMTLS
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    # The server reads our stdout: when it dies, this end of the pipe becomes "readable".
    while sys.stdout not in select.select([listener, sys.stdout], [], [])[0]:
        client, _address = listener.accept()
        Thread(target=serve_connection, args=(context, client), daemon=True).start()


def serve_connection(context: ssl.SSLContext, client: socket.socket) -> None:
    """Answer the calls on a connection one after the other, until Shutdown or its end."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import DataReceived, RequestReceived, StreamEnded

    connection = context.wrap_socket(client, server_side=True)
    http = H2Connection(H2Configuration(client_side=False, header_encoding=None))
    http.initiate_connection()
    calls: dict[int, tuple[str, bytearray]] = {}
    while True:
        connection.sendall(http.data_to_send())
        if not (received := connection.recv(65536)):
            return
        for event in http.receive_data(received):
            if isinstance(event, RequestReceived):
                calls[event.stream_id] = dict(event.headers)[b":path"].decode(), bytearray()
            elif isinstance(event, DataReceived):
                http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                calls[event.stream_id][1].extend(event.data)
            elif isinstance(event, StreamEnded) and event.stream_id in calls:
                path, message = calls.pop(event.stream_id)
                if path not in SILENT:
                    answer_call(http, event.stream_id, path, bytes(message[5:]))
                if path == SHUTDOWN:
                    connection.sendall(http.data_to_send())
                    os._exit(0)


def answer_call(http: H2Connection, stream: int, path: str, message: bytes) -> None:
    """Answer a call of gRPC: five bytes and a message of protobuf each way, and a status."""
    http.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
    if path not in ANSWERS:
        http.send_headers(stream, UNIMPLEMENTED, end_stream=True)
        return
    reply = encode(ANSWERS[path](decode(message)))
    http.send_data(stream, b"\0" + len(reply).to_bytes(4, "big") + reply)
    http.send_headers(stream, [("grpc-status", "0")], end_stream=True)


def read_fault_file() -> str:
    """Return what a file ``<plugin>.fault`` beside the plugin says, empty where there is none."""
    try:
        with open(f"{__file__}.fault", encoding="utf-8") as file:  # noqa: PTH123 (5 ms to import)
            return file.read()
    except FileNotFoundError:
        return ""


def obey_fault_file() -> None:
    """Exit or sleep at the start if the fault file says so."""
    fault = read_fault_file()
    if fault in ("", CRASH):
        return
    action, _space, seconds = fault.partition(" ")
    # A sleeper wakes up when the server is gone, too.
    if action != "sleep" or select.select([sys.stdout], [], [], float(seconds))[0]:
        sys.exit(f"broken on purpose: {fault}")


def run() -> None:
    """Start as go-plugin wants it: check the cookie, listen, print the handshake, serve."""
    if os.environ.get("VAULT_BACKEND_PLUGIN") != COOKIE:
        sys.exit("this is a plugin: an OpenBao or Vault server starts it")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's business
    obey_fault_file()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # the kernel picks a free abstract address, Go writes it with an at sign
        listener.listen()
        address = listener.getsockname().replace(b"\0", b"@", 1).decode()
        certificate = PEM.split("-----")[2].replace("\n", "").rstrip("=")
        print(f"1|5|unix|{address}|grpc|{certificate}", flush=True)
        serve(listener)
    os._exit(0)  # every reload would wait for Python's own clean-up


if __name__ == "__main__":
    run()
