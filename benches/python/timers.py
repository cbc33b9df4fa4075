"""Timers and call queues: `timers.py IMPLEMENTATION` prints one JSON object, CPU nanoseconds for each operation.

IMPLEMENTATION: torsion, twisted, asyncio, uvloop.

schedule   a call in the future, among a million of them with delays spread over half a second
cancel     one of those
fire       one of the rest, all of them due
soon       callLater(0) or call_soon: many asked for at once, until the last has run
thread     callFromThread or call_soon_threadsafe, from another thread, until the last has run
timeout    set a timeout of 30 seconds, and cancel it
put-off    put such a timeout off (`reset`; asyncio has to cancel and set it again)
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from threading import Thread
from typing import Any

SCALE = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
MANY = int(1_000_000 * SCALE)
SOME = int(200_000 * SCALE)


class Loop:
    """What the measurement needs of a loop: `run` must be called once, with a generator that yields to wait for a call."""

    later: Callable[..., Any]  # (seconds, callable) -> something with cancel()
    soon: Callable[..., Any]
    thread: Callable[..., Any]
    put_off: Callable[[Any], Any]
    run: Callable[[Callable[[Loop], Iterator[None]]], None]


def twisted_like(package: str) -> Loop:
    """Return the global reactor of *package*."""
    if package == "twisted" and sys.platform == "linux":
        import_module("twisted.internet.epollreactor").install()
    reactor = import_module(f"{package}.internet.reactor")
    loop = Loop()
    loop.later = reactor.callLater
    loop.soon = partial(reactor.callLater, 0)
    loop.thread = reactor.callFromThread

    def put_off(timer: Any) -> Any:
        timer.reset(30)
        return timer

    def run(steps: Callable[[Loop], Iterator[None]]) -> None:
        reactor.callWhenRunning(proceed, steps(loop), reactor.stop)
        reactor.run()

    loop.put_off, loop.run = put_off, run
    return loop


def asyncio_like(*, uvloop: bool) -> Loop:
    """Return a new event loop."""
    import asyncio

    events = import_module("uvloop").new_event_loop() if uvloop else asyncio.new_event_loop()
    loop = Loop()
    loop.later, loop.soon, loop.thread = events.call_later, events.call_soon, events.call_soon_threadsafe

    def put_off(timer: Any) -> Any:
        timer.cancel()
        return events.call_later(30, nothing)

    def run(steps: Callable[[Loop], Iterator[None]]) -> None:
        events.call_soon(proceed, steps(loop), events.stop)
        events.run_forever()
        events.close()

    loop.put_off, loop.run = put_off, run
    return loop


advance: Callable[[], None]


def proceed(steps: Iterator[None], stop: Callable[[], object]) -> None:
    """Take the steps; each waits for somebody to call `advance`."""
    global advance

    def advance() -> None:
        if next(steps, steps) is steps:
            stop()

    advance()


def nothing() -> None:
    """Be called."""


def delays(count: int) -> Iterator[float]:
    """Give *count* delays that look random and are the same each time."""
    seed = 12345
    for _ in range(count):
        seed = (1103515245 * seed + 12345) & 0x7FFFFFFF
        yield 0.5 + (seed % 100_000) / 200_000


def measure(loop: Loop, results: dict[str, float]) -> Iterator[None]:
    """Fill *results*."""
    clock = time.process_time_ns
    waits = list(delays(MANY))
    fired = 0

    def fire() -> None:
        nonlocal fired
        fired += 1
        if fired == MANY // 2:
            results["fire"] = (clock() - began) / fired
            loop.soon(advance)

    later = loop.later
    began = clock()
    timers = [later(wait, fire) for wait in waits]
    results["schedule"] = (clock() - began) / MANY
    began = clock()
    for timer in timers[::2]:
        timer.cancel()
    results["cancel"] = (clock() - began) / (MANY / 2)
    del timers
    until = time.monotonic() + 1.1
    while time.monotonic() < until:  # so that all are due, and firing them is all that is measured
        pass
    began = clock()
    yield

    soon = loop.soon
    began = clock()
    for _ in range(SOME - 1):
        soon(nothing)
    soon(advance)
    yield
    results["soon"] = (clock() - began) / SOME

    def from_thread() -> None:
        call = loop.thread
        for _ in range(SOME // 2 - 1):
            call(nothing)
        call(advance)

    began = clock()
    Thread(target=from_thread).start()
    yield
    results["thread"] = (clock() - began) / (SOME // 2)

    began = clock()
    for _ in range(SOME // 100):
        for timer in [later(30, nothing) for _ in range(100)]:
            timer.cancel()
    soon(advance)
    yield
    results["timeout"] = (clock() - began) / SOME

    timer, put_off = later(30, nothing), loop.put_off
    began = clock()
    for _ in range(SOME):
        timer = put_off(timer)
    results["put-off"] = (clock() - began) / SOME
    timer.cancel()


if __name__ == "__main__":
    implementation = sys.argv[1]
    found: dict[str, float] = {}
    chosen = (
        twisted_like(implementation)
        if implementation in {"torsion", "twisted"}
        else asyncio_like(uvloop=implementation == "uvloop")
    )
    chosen.run(lambda loop: measure(loop, found))
    print(json.dumps(found))
