# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that is far away: what goes there and comes back takes its time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import typing as t
import urllib.parse


@contextlib.contextmanager
def far_away(server_url: str, seconds: float) -> t.Iterator[str]:
    """Run a TCP proxy on loopback, whose round trip takes ``seconds``; yields its address."""
    upstream = urllib.parse.urlsplit(server_url)
    loop = asyncio.new_event_loop()
    started: list[asyncio.Server] = []
    ready = threading.Event()

    async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Write each part ``seconds / 2`` after it came."""
        parts: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            data = b"."
            while data:
                data = await source.read(65536)
                await parts.put((loop.time() + seconds / 2, data))

        reading = asyncio.ensure_future(read())
        try:
            while True:
                due, data = await parts.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    break
                target.write(data)
                await target.drain()
            target.write_eof()
        finally:
            reading.cancel()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.sleep(seconds)  # the handshake of TCP
            to = await asyncio.open_connection(upstream.hostname, upstream.port)
            await asyncio.gather(
                pass_on(reader, to[1]), pass_on(to[0], writer), return_exceptions=True
            )
            to[1].close()
            writer.close()

    async def main() -> None:
        started.append(await asyncio.start_server(serve, "127.0.0.1", 0))
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(main())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    port = started[0].sockets[0].getsockname()[1]
    try:
        yield f"{upstream.scheme}://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
