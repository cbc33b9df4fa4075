"""Servers for the command line: they listen at several places and stop cleanly."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from torsion.internet.defer import Deferred, gatherResults, maybeDeferred
from torsion.internet.protocol import ServerFactory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torsion.internet.interfaces import IListeningPort

__all__ = ["DRAIN_SECONDS", "DrainingFactory", "serve"]

DRAIN_SECONDS = 5.0
"""How long connections may take to send what they owe when the server stops, before they are aborted.  Long enough for a
peer that reads slowly, short enough for those who wait for the process to end: supervisors commonly allow ten seconds."""

_FAILED = 2


class DrainingFactory(ServerFactory):
    """A factory that knows its connections and can bring them to an end.

    Its protocols call :meth:`opened` and :meth:`closed`, and have a method ``finish`` that closes the connection once all
    is sent.
    """

    noisy = False

    def __init__(self) -> None:
        self.connections: set[Any] = set()
        self._drained: Deferred[None] | None = None

    def opened(self, protocol: Any) -> None:
        """Have another connection."""
        self.connections.add(protocol)
        if self._drained is not None:  # accepted while the ports were being closed
            protocol.finish()

    def closed(self, protocol: Any) -> None:
        """Have one connection less."""
        self.connections.discard(protocol)
        if not self.connections and self._drained is not None and not self._drained.called:
            self._drained.callback(None)

    def drain(self, reactor: Any, seconds: float) -> Deferred[None]:
        """Finish all connections, and abort those that have not ended after some time.

        :param reactor: keeps the time.
        :param seconds: how long to wait.
        :returns: a Deferred that fires when there are no connections any more.
        """
        drained = self._drained = Deferred()
        for protocol in list(self.connections):
            protocol.finish()
        if self.connections:
            timer = reactor.callLater(seconds, self._abort)
            drained.addCallback(lambda _: timer.cancel() if timer.active() else None)
        elif not drained.called:
            drained.callback(None)
        return drained

    def _abort(self) -> None:
        for protocol in list(self.connections):
            protocol.transport.abortConnection()


class _Server:
    """One run of a server."""

    def __init__(self, reactor: Any, name: str, factory: DrainingFactory, drain: float) -> None:
        self._reactor = reactor
        self._name = name
        self._factory = factory
        self._drain = drain
        self._ports: list[IListeningPort] = []
        self.status = 0

    def start(self, endpoints: Iterable[Any]) -> None:
        for endpoint in endpoints:
            endpoint.listen(self._factory).addCallback(self._listening).addErrback(self._failed)

    def _listening(self, port: IListeningPort) -> None:
        self._ports.append(port)
        address: Any = port.getHost()
        host = f"[{address.host}]" if ":" in address.host else address.host
        _say(f"{self._name}: listening on {host}:{address.port}", sys.stdout)

    def _failed(self, reason: Any) -> None:
        _say(f"{self._name}: {reason.value}", sys.stderr)
        if not self.status:
            self.status = _FAILED
            self._reactor.stop()

    def stop(self) -> Deferred[Any]:
        stopped = gatherResults([maybeDeferred(port.stopListening) for port in self._ports], consumeErrors=True)
        return stopped.addBoth(lambda _: self._factory.drain(self._reactor, self._drain))


def _say(text: str, where: TextIO) -> None:
    """Print a line if it can be: a server serves, or fails, whether or not somebody still reads what it says."""
    with suppress(OSError, ValueError):  # ValueError: that stream is closed, or has no such letters
        print(text, file=where, flush=True)


def serve(name: str, descriptions: Sequence[str], factory: DrainingFactory, drain: float) -> int:
    """Listen at all *descriptions* until SIGINT or SIGTERM, then close the ports and let connections drain.

    :param name: what the server calls itself.
    :param descriptions: of endpoints, such as ``tcp:7000``.
    :param factory: makes the protocols.
    :param drain: how many seconds connections may take to end.
    :returns: the exit status: 0, or 2 if it could not listen at one of the places; the reason is printed then.
    """
    from torsion.internet import reactor
    from torsion.internet.endpoints import serverFromString

    try:
        endpoints = [serverFromString(reactor, description) for description in descriptions]
    except ValueError as error:
        _say(f"{name}: {error}", sys.stderr)
        return _FAILED
    server = _Server(reactor, name, factory, drain)
    reactor.callWhenRunning(server.start, endpoints)
    reactor.addSystemEventTrigger("before", "shutdown", server.stop)
    reactor.run()
    return server.status
