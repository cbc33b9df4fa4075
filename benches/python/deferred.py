"""Deferreds and coroutines: `deferred.py IMPLEMENTATION` prints one JSON object, CPU nanoseconds for each operation.

IMPLEMENTATION: torsion, twisted; asyncio, uvloop (futures and tasks: `futures.py`).

callbacks       a Deferred, ten callbacks, fired
make            a Deferred
fired           succeed() and one callback
arguments       a Deferred, ten callbacks with arguments of their own, fired
yields          an inlineCallbacks generator that yields ten fired Deferreds
awaits          a coroutine that awaits ten fired Deferreds
await-pending   a coroutine that awaits a Deferred that fires then
chain           ten Deferreds, each waiting for the next one, the last one fired
gather          gatherResults of ten fired Deferreds
gather-pending  gatherResults of ten Deferreds that fire then
errback         a failure that passes three callbacks and is handled

`compare.py deferred` runs it for all, in turns, and compares them.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import futures

ROUNDS = 3
TIMES = int(10_000 * (float(sys.argv[2]) if len(sys.argv) > 2 else 1.0))
ERROR = ValueError("an error")


def same(result: Any) -> Any:
    return result


def second(_: Any, other: Any) -> Any:
    return other


def handled(failure: Any) -> None:
    pass


def with_callbacks(defer: Any) -> dict[str, Callable[[], Any]]:
    """Return the operations without coroutines, by name."""
    Deferred, succeed = defer.Deferred, defer.succeed

    def callbacks() -> None:
        deferred = Deferred()
        for _ in range(10):
            deferred.addCallback(same)
        deferred.callback(1)

    def arguments() -> None:
        deferred = Deferred()
        for _ in range(10):
            deferred.addCallback(second, 1)
        deferred.callback(1)

    def fired() -> None:
        succeed(1).addCallback(same)

    def chain() -> None:
        deferreds = [Deferred() for _ in range(10)]
        for index in range(9):
            deferreds[index].addCallback(lambda _, following=deferreds[index + 1]: following)
            deferreds[index].callback(None)
        deferreds[9].callback(1)

    def errback() -> None:
        deferred = Deferred()
        deferred.addCallback(same).addCallback(same).addCallback(same).addErrback(handled)
        deferred.errback(ERROR)

    return {
        "callbacks": callbacks,
        "make": Deferred,
        "fired": fired,
        "arguments": arguments,
        "chain": chain,
        "errback": errback,
    }


def with_coroutines(defer: Any) -> dict[str, Callable[[], Any]]:
    """Return the operations with generators and coroutines, by name."""
    Deferred, succeed, ensureDeferred = defer.Deferred, defer.succeed, defer.ensureDeferred

    @defer.inlineCallbacks
    def yields() -> Any:
        for _ in range(10):
            yield succeed(1)

    async def ten_awaits() -> None:
        for _ in range(10):
            await succeed(1)

    def awaits() -> None:
        ensureDeferred(ten_awaits())

    async def one_await(deferred: Any) -> Any:
        return await deferred

    def await_pending() -> None:
        deferred = Deferred()
        ensureDeferred(one_await(deferred))
        deferred.callback(1)

    return {"yields": yields, "awaits": awaits, "await-pending": await_pending}


def gathered(defer: Any) -> dict[str, Callable[[], Any]]:
    """Return the operations on several Deferreds, by name."""
    Deferred, succeed, gatherResults = defer.Deferred, defer.succeed, defer.gatherResults

    def gather() -> None:
        gatherResults([succeed(1) for _ in range(10)])

    def gather_pending() -> None:
        deferreds = [Deferred() for _ in range(10)]
        gatherResults(deferreds)
        for deferred in deferreds:
            deferred.callback(1)

    return {"gather": gather, "gather-pending": gather_pending}


def measure(operation: Callable[[], Any], times: int) -> float:
    """Return the CPU nanoseconds that *operation* takes."""
    gc.collect()
    begun = time.process_time_ns()
    for _ in range(times):
        operation()
    return (time.process_time_ns() - begun) / times


def main() -> None:
    figures = {}
    implementation, batch = sys.argv[1], 1
    if implementation in ("asyncio", "uvloop"):
        operations, batch = futures.operations(implementation), futures.BATCH
    else:
        defer = import_module(f"{implementation}.internet.defer")
        operations = with_callbacks(defer) | with_coroutines(defer) | gathered(defer)
    for name, operation in operations.items():
        measure(operation, TIMES // batch // 10)
        figures[name] = sorted(measure(operation, TIMES // batch) for _ in range(ROUNDS))[ROUNDS // 2] / batch
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
