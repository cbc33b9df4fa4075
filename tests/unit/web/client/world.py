"""Servers that are played by the tests, at the other ends of connections in memory."""

from __future__ import annotations

from typing import Any

from torsion.internet.defer import Deferred, succeed
from torsion.internet.error import ConnectionAborted, ConnectionDone
from torsion.internet.protocol import Protocol
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransport
from torsion.python.failure import Failure
from torsion.web.client import Agent, HTTPConnectionPool, Timeouts

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Wire(StringTransport):
    """A connection."""

    protocol: Any
    open = True
    paused = False

    def getPeer(self) -> Any:
        return ("peer", 80)

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def loseConnection(self) -> None:
        self.lose(ConnectionDone())

    def abortConnection(self) -> None:
        self.lose(ConnectionAborted())

    # --- the server's side

    def lose(self, why: Exception) -> None:
        if self.open:
            self.open = False
            self.protocol.connectionLost(Failure(why))

    def take(self) -> bytes:
        """Return what was written since the last time."""
        data: bytes = self.value()
        self.clear()
        return data

    def say(self, data: bytes, step: int = 0) -> None:
        """Send *data*, all at once or *step* bytes at a time."""
        for start in range(0, len(data), step or len(data)):
            self.protocol.dataReceived(data[start : start + (step or len(data))])


class World:
    """A place to connect to, whatever the URI says, for an agent."""

    def __init__(self, *, persistent: bool = True, timeouts: Timeouts | None = None, late: bool = False) -> None:
        self.clock = Clock()
        self.pool = HTTPConnectionPool(self.clock, persistent)
        self.agent: Any = Agent.usingEndpointFactory(self.clock, self, self.pool, timeouts=timeouts)
        self.wires: list[Wire] = []
        self.uris: list[Any] = []
        self.late = late
        self.connecting: list[Deferred[Any]] = []

    def endpointForURI(self, uri: Any) -> Any:
        self.uris.append(uri)
        return self

    def connect(self, factory: Any) -> Deferred[Any]:
        if self.late:
            waiting: Deferred[Any] = Deferred()
            self.connecting.append(waiting)
            return waiting
        wire = Wire()
        protocol = wire.protocol = factory.buildProtocol(None)
        self.wires.append(wire)
        protocol.makeConnection(wire)
        return succeed(protocol)

    @property
    def wire(self) -> Wire:
        return self.wires[-1]

    def get(self, uri: bytes = b"http://a/", method: bytes = b"GET", headers: Any = None, body: Any = None) -> Asked:
        return Asked(self.agent.request(method, uri, headers, body))


class Asked:
    """A request that was made, and what came of it."""

    def __init__(self, deferred: Deferred[Any]) -> None:
        self.deferred = deferred
        self.results: list[Any] = []
        deferred.addBoth(self.results.append)

    @property
    def answered(self) -> bool:
        return bool(self.results)

    @property
    def response(self) -> Any:
        [found] = self.results
        if isinstance(found, Failure):
            found.raiseException()
        return found

    @property
    def error(self) -> Any:
        [found] = self.results
        assert isinstance(found, Failure), found
        return found.value


class Reader(Protocol):
    """Reads a body."""

    def __init__(self) -> None:
        self.got = b""
        self.end: Any = None

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def connectionLost(self, reason: Any = None) -> None:
        assert self.end is None, "the end came twice"
        self.end = reason.value


def read(response: Any) -> Reader:
    reader = Reader()
    response.deliverBody(reader)
    return reader
