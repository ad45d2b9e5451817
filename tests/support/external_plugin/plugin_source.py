# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small OpenBao or Vault plugin for tests and demos: go-plugin protocol 5, gRPC by grpclib.

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

# The builder replaces these values.
VERSION = ""  # what the plugin says of itself, "" = unversioned
BUILD = "dev"  # any label
KIND = "secret"  # or "auth"
MULTIPLEXED = False  # True: one process serves all mounts of this version
PEM = ""  # certificate and key; stands in lines, so that the plugin is its own PEM file

# The magic cookie of all OpenBao and Vault plugins: a check that a server started us, no secret.
COOKIE = "6669da05-b1c8-4f49-97d9-c8e5bed98e20"
BOOT = os.urandom(16).hex()
STARTED = time.time()
READS: dict[str, int] = {}

HELP = {
    "": 'The test plugin of the vaultops.vault collection. Its one path is "info".',
    "info": "Read it to see which process answers: pid, version, build, boot, started, mount, reads.",
}
UNSUPPORTED_OPERATION, UNSUPPORTED_PATH = 5, 6  # ProtoError.err_type in the SDK's backend.proto

# What we send: field numbers to values. What we receive: only strings and messages, as bytes.
Fields = dict[int, "int | str | Fields"]


def varint(number: int) -> bytes:
    """Encode a number as protobuf does, seven bits to a byte."""
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def encode(fields: Fields) -> bytes:
    """Encode a protobuf message."""
    message = b""
    for field, value in fields.items():
        if isinstance(value, int):
            message += varint(field << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else encode(value)
            message += varint(field << 3 | 2) + varint(len(data)) + data
    return message


def decode(message: bytes) -> dict[int, bytes]:
    """Decode a protobuf message: the last value of each field that is a string or a message."""
    fields, position = {}, 0

    def number() -> int:
        nonlocal position
        byte, position = message[position], position + 1
        return byte if byte < 128 else byte & 127 | number() << 7

    while position < len(message):
        field, wire_type = divmod(number(), 8)
        size = number() if wire_type in (0, 2) else {1: 8, 5: 4}[wire_type]
        if wire_type:
            fields[field], position = message[position : position + size], position + size
    return fields


def handle_request(args: dict[int, bytes]) -> Fields:
    """Answer a logical request as the SDK's framework would: HandleRequestArgs to its reply."""
    import json

    request = decode(args[2])
    operation, path, mount = (request.get(field, b"").decode() for field in (3, 4, 12))
    data: dict[str, object]
    if operation not in ("read", "help"):
        return {2: {1: UNSUPPORTED_OPERATION, 2: "unsupported operation"}}
    if path not in HELP or (operation, path) == ("read", ""):
        return {2: {1: UNSUPPORTED_PATH, 2: "unsupported path"}}
    if operation == "help":
        data = {"help": HELP[path], "see_also": []}
    else:
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
    return {1: {3: json.dumps(data)}}


def serve(listener: socket.socket) -> None:
    """Answer the server's calls until it says Shutdown or is gone."""
    # Imported late: the server waits for our handshake, not for these.
    import asyncio
    import ssl
    from collections.abc import Callable
    from typing import Any

    from grpclib.const import Cardinality, Handler
    from grpclib.encoding.base import CodecBase
    from grpclib.server import Server, Stream

    class Protobuf(CodecBase):
        __content_subtype__ = "proto"

        def encode(self, message: Fields, message_type: object) -> bytes:
            return encode(message)

        def decode(self, data: bytes, message_type: object) -> dict[int, bytes]:
            return decode(data)

    def unary(reply: Callable[[dict[int, bytes]], Fields]) -> Handler:
        async def call(stream: Stream[Any, Any]) -> None:
            await stream.send_message(reply(await stream.recv_message() or {}))

        return Handler(call, Cardinality.UNARY_UNARY, None, None)

    async def listen_only(stream: Stream[Any, Any]) -> None:
        async for _message in stream:
            pass

    def shutdown(_request: object) -> Fields:
        stopped.set()
        return {}

    class Plugin:
        def __mapping__(self) -> dict[str, Handler]:
            silent = Handler(listen_only, Cardinality.STREAM_STREAM, None, None)
            backend = "HandleExistenceCheck SpecialPaths Cleanup InvalidateKey Setup Initialize"
            return {
                **{f"/pb.Backend/{name}": unary(lambda _: {}) for name in backend.split()},
                "/pb.Backend/HandleRequest": unary(handle_request),
                "/pb.Backend/Type": unary(lambda _: {1: 2 if KIND == "auth" else 1}),
                "/logical.PluginVersion/Version": unary(lambda _: {1: VERSION}),
                "/pluginutil.multiplexing.PluginMultiplexing/MultiplexingSupport": unary(
                    lambda _: {1: MULTIPLEXED}
                ),
                "/grpc.health.v1.Health/Check": unary(lambda _: {1: 1}),
                "/plugin.GRPCController/Shutdown": unary(shutdown),
                "/plugin.GRPCStdio/StreamStdio": silent,
                # Must stay open: if it ends, the server's Cleanup, so each reload, waits for ever.
                "/plugin.GRPCBroker/StartStream": silent,
            }

    stopped = asyncio.Event()

    async def main() -> None:
        # The server reads our stdout: when it dies, this end of the pipe becomes "readable".
        asyncio.get_running_loop().add_reader(sys.stdout, stopped.set)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(__file__)
        context.load_verify_locations(cadata=os.environ["PLUGIN_CLIENT_CERT"])  # AutoMTLS
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["h2"])
        await Server([Plugin()], codec=Protobuf()).start(sock=listener, ssl=context)
        await stopped.wait()

    asyncio.run(main())


def obey_fault_file() -> None:
    """Exit or sleep if a test has put a file ``<plugin>.fault`` beside the plugin that says so."""
    try:
        with open(f"{__file__}.fault", encoding="utf-8") as file:
            action, _space, seconds = file.read().strip().partition(" ")
    except FileNotFoundError:
        return
    # A sleeper wakes up when the server is gone, too.
    if action != "sleep" or select.select([sys.stdout], [], [], float(seconds))[0]:
        sys.exit(f"{file.name}: {action}")


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


if __name__ == "__main__":
    run()
