"""Deferreds: `deferred.py IMPLEMENTATION` prints one JSON object, CPU nanoseconds for each operation.

IMPLEMENTATION: torsion, twisted.

create     make a Deferred
callbacks  make one, add ten callbacks, fire it
errback    make one, add three callbacks and an errback, fail it
awaits     a coroutine that awaits ten fired Deferreds
pending    a coroutine that awaits a Deferred which is fired later
yields     an inlineCallbacks generator that yields ten fired Deferreds
gather     gatherResults of ten fired Deferreds
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

COUNT = 20_000
ROUNDS = 3

defer: Any = import_module(f"{sys.argv[1]}.internet.defer")
FAULT = ValueError("planned")


def same(value: Any) -> Any:
    """Be a callback."""
    return value


def ignore(failure: Any) -> None:
    """Be an errback."""


def create(count: int) -> None:
    """Make Deferreds."""
    make = defer.Deferred
    for _ in range(count):
        make()


def callbacks(count: int) -> None:
    """Run ten callbacks each."""
    make = defer.Deferred
    for _ in range(count):
        deferred = make()
        for _ in range(10):
            deferred.addCallback(same)
        deferred.callback(1)


def errback(count: int) -> None:
    """Let a failure pass three callbacks."""
    make = defer.Deferred
    for _ in range(count):
        deferred = make()
        deferred.addCallback(same).addCallback(same).addCallback(same).addErrback(ignore)
        deferred.errback(FAULT)


async def await_ten() -> None:
    """Await what has fired."""
    succeed = defer.succeed
    for _ in range(10):
        await succeed(1)


def awaits(count: int) -> None:
    """Run coroutines that never have to wait."""
    ensure = defer.ensureDeferred
    for _ in range(count):
        ensure(await_ten())


async def await_one(deferred: Any) -> Any:
    """Await what has not fired."""
    return await deferred


def pending(count: int) -> None:
    """Run coroutines that wait once."""
    make, ensure = defer.Deferred, defer.ensureDeferred
    for _ in range(count):
        deferred = make()
        ensure(await_one(deferred))
        deferred.callback(1)


@defer.inlineCallbacks
def yield_ten() -> Iterator[Any]:
    """Yield what has fired."""
    succeed = defer.succeed
    for _ in range(10):
        yield succeed(1)


def yields(count: int) -> None:
    """Run generators that never have to wait."""
    for _ in range(count):
        yield_ten()


def gather(count: int) -> None:
    """Gather what has fired."""
    succeed, together = defer.succeed, defer.gatherResults
    for _ in range(count):
        together([succeed(1) for _ in range(10)])


def cost(work: Callable[[int], None]) -> float:
    """Return the median CPU time of one operation of *work*."""
    work(COUNT // 10)
    found = []
    for _ in range(ROUNDS):
        gc.collect()
        began = time.process_time_ns()
        work(COUNT)
        found.append((time.process_time_ns() - began) / COUNT)
    return statistics.median(found)


if __name__ == "__main__":
    every = (create, callbacks, errback, awaits, pending, yields, gather)
    print(json.dumps({work.__name__: cost(work) for work in every}))
