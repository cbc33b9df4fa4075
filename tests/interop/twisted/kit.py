"""Running a reactor of Twisted's in a test."""

from __future__ import annotations

from typing import Any

from twisted.internet import defer

__all__ = ["TIMEOUT", "close", "run", "spin"]

TIMEOUT = 8
"""After how many seconds a test that waits is given up."""


def run(reactor: Any, start: Any = None) -> Any:
    """Run until something stops the reactor; with *start*, a coroutine function, until that is done, and return its result."""
    results: list[Any] = []
    late: list[bool] = []
    giving_up = reactor.callLater(TIMEOUT, lambda: (late.append(True), reactor.stop()))

    def begin() -> None:
        done = defer.ensureDeferred(start())
        done.addBoth(results.append)
        done.addBoth(lambda _: reactor.stop())

    if start is not None:
        reactor.callWhenRunning(begin)
    reactor.run(installSignalHandlers=False)
    assert not late, "it took too long"
    giving_up.cancel()
    if results and hasattr(results[0], "raiseException"):
        results[0].raiseException()
    return results[0] if results else None


def close(reactor: Any) -> None:
    """End everything that *reactor* has open, and what it has for itself."""
    reactor.disconnectAll()
    for reader in list(reactor._internalReaders):
        reactor.removeReader(reader)
        reader.connectionLost(None)


async def spin(reactor: Any, turns: int = 3) -> None:
    """Let some turns pass."""
    for _ in range(turns):
        turn: defer.Deferred[None] = defer.Deferred()
        reactor.callLater(0, turn.callback, None)
        await turn
