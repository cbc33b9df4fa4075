"""TLS of asyncio's own, on the loop that turns inside a reactor: what applications ask databases over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("cryptography", reason="the certificates are made with it")

from unit.internet.tls.kit import HOST, stdlib_client, stdlib_server
from unit.interop.asyncio.test_loop import run

MUCH = bytes(range(256)) * 2000


def test_streams_are_opened_over_tls(tmp_path: Any) -> None:
    async def main(reactor: Any) -> bytes:
        async def answer(reader: Any, writer: Any) -> None:
            writer.write(await reader.readexactly(len(MUCH)))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=stdlib_server(tmp_path))
        where = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*where, ssl=stdlib_client(), server_hostname=HOST)
        writer.write(MUCH)
        await writer.drain()
        back = await reader.read(-1)
        writer.close()
        await writer.wait_closed()
        server.close()
        return bytes(back)

    assert run(main) == MUCH


def test_streams_change_to_tls(tmp_path: Any) -> None:
    async def main(reactor: Any) -> bytes:
        async def answer(reader: Any, writer: Any) -> None:
            assert await reader.readline() == b"STARTTLS\n"
            writer.write(b"go on\n")
            await writer.drain()
            await writer.start_tls(stdlib_server(tmp_path))
            writer.write((await reader.readline()).upper())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"go on\n"
        await writer.start_tls(stdlib_client(), server_hostname=HOST)
        writer.write(b"in secret\n")
        line = await reader.readline()
        writer.close()
        server.close()
        return bytes(line)

    assert run(main) == b"IN SECRET\n"
