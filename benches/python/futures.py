"""What `deferred.py` measures, on asyncio's futures and tasks; for `asyncio` and `uvloop`.

Futures tell of their results in another turn of the loop, so a hundred of each are made at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

BATCH = 100
ERROR = ValueError("an error")


def nothing(_: Any) -> None:
    pass


async def ten_awaits(new: Callable[[], Any]) -> None:
    for _ in range(10):
        future = new()
        future.set_result(1)
        await future


async def one_await(future: Any) -> Any:
    return await future


async def fails() -> None:
    raise ERROR


def operations(implementation: str) -> dict[str, Callable[[], Any]]:
    """Return the operations by name; each does its work BATCH times."""
    loop = import_module(implementation).new_event_loop()
    new = loop.create_future

    def repeated(work: Callable[[], Awaitable[Any]]) -> Callable[[], Any]:
        return lambda: loop.run_until_complete(work())

    async def callbacks() -> None:
        for _ in range(BATCH):
            future = new()
            for _ in range(10):
                future.add_done_callback(nothing)
            future.set_result(1)
        await asyncio.sleep(0)

    async def make() -> None:
        for _ in range(BATCH):
            new()

    async def fired() -> None:
        for _ in range(BATCH):
            future = new()
            future.set_result(1)
            future.add_done_callback(nothing)
        await asyncio.sleep(0)

    async def awaits() -> None:
        for task in [loop.create_task(ten_awaits(new)) for _ in range(BATCH)]:
            await task

    async def await_pending() -> None:
        futures = [new() for _ in range(BATCH)]
        tasks = [loop.create_task(one_await(future)) for future in futures]
        await asyncio.sleep(0)
        for future in futures:
            future.set_result(1)
        for task in tasks:
            await task

    async def gather() -> None:
        for _ in range(BATCH):
            futures = [new() for _ in range(10)]
            for future in futures:
                future.set_result(1)
            await asyncio.gather(*futures)

    async def errback() -> None:
        for task in [loop.create_task(fails()) for _ in range(BATCH)]:
            try:
                await task
            except ValueError:
                pass

    named = {"callbacks": callbacks, "make": make, "fired": fired, "errback": errback}
    named |= {"yields": awaits, "awaits": awaits, "await-pending": await_pending, "gather": gather}
    return {name: repeated(work) for name, work in named.items()}
