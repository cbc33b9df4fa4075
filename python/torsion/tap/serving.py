"""What servers at one or several endpoints share: their options, and a service that ends well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from zope.interface import implementer

from torsion.application.draining import DrainingFactory, IDrains, IListens
from torsion.application.service import Service
from torsion.internet._current import current_reactor
from torsion.internet.defer import Deferred, gatherResults, maybeDeferred
from torsion.internet.endpoints import serverFromString
from torsion.logger import Logger
from torsion.python.usage import CompleteList, Completions, Options, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.internet.interfaces import IListeningPort

__all__ = ["DRAIN_SECONDS", "Server", "ServerOptions", "seconds"]

DRAIN_SECONDS = 5.0
"""How long connections may take to send what they owe when the server stops, before they are aborted.  Long enough for a
peer that reads slowly, short enough for those who wait for the process to end: supervisors commonly allow ten seconds."""

_LONGEST = 1e9  # seconds, some thirty years: more is a slip of the finger


def seconds(text: str) -> float:
    """Return the number of seconds that *text* is.

    :raise ValueError: if it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < _LONGEST:
        raise ValueError(f"{text!r} is no number of seconds")
    return number


class ServerOptions(Options):
    """Where to listen, and how long to wait at the end."""

    synopsis = "--listen ENDPOINT [--listen ENDPOINT ...]"
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        ["drain", None, DRAIN_SECONDS, "Seconds that connections may take to end when the server stops.", seconds],
    ]
    compData = Completions(multiUse=["listen"], optActions={"listen": CompleteList(["tcp:", "unix:", "ssl:"])})

    def __init__(self) -> None:
        """Listen nowhere yet."""
        super().__init__()
        self["listen"] = []

    def opt_listen(self, endpoint: str) -> None:
        r"""Where to listen, such as tcp:7000 or tcp:7000:interface=127.0.0.1; may be given several times."""
        self["listen"].append(endpoint)

    def postOptions(self) -> None:
        """Take the endpoints apart.

        :raise UsageError: if there is none, or one that cannot be used.
        """
        if not self["listen"]:
            raise UsageError("say where to listen: --listen ENDPOINT")
        reactor = current_reactor()
        try:
            self["endpoints"] = [serverFromString(reactor, endpoint) for endpoint in self["listen"]]
        except ValueError as problem:
            raise UsageError(str(problem)) from problem


@implementer(IDrains, IListens)
class Server(Service):
    """Listens at endpoints, and lets connections end before it stops."""

    def __init__(self, name: str, endpoints: Sequence[Any], factory: DrainingFactory, drain: float) -> None:
        """Prepare it.

        :param name: what the server calls itself in the log.
        :param endpoints: where to listen.
        :param factory: makes the protocols.
        :param drain: how many seconds connections may take to end when the service is stopped.
        """
        self.name = name
        self._log = Logger("torsion.tap")
        self._endpoints = list(endpoints)
        self._factory = factory
        self._drain = drain
        self._ports: list[IListeningPort] = []
        self._listening: Deferred[Any] | None = None

    def privilegedStartService(self) -> None:
        """Begin to listen."""
        listening = [endpoint.listen(self._factory).addCallback(self._opened) for endpoint in self._endpoints]
        self._listening = gatherResults(listening, consumeErrors=True)

    def startService(self) -> None:
        """Begin to listen, if that has not been done."""
        if self._listening is None:
            self.privilegedStartService()
        super().startService()

    def _opened(self, port: IListeningPort) -> None:
        self._ports.append(port)
        address: Any = port.getHost()
        if hasattr(address, "port"):
            host = f"[{address.host}]" if ":" in address.host else address.host
            where = f"{host}:{address.port}"
        else:
            where = str(getattr(address, "name", address))
        self._log.info("{name}: listening on {where}", name=f"torsion {self.name}", where=where)

    def whenListening(self) -> Deferred[Any] | None:
        """Return a Deferred that fires when all endpoints listen, or fails if one cannot."""
        return self._listening

    def stopListening(self) -> Deferred[Any]:
        """Accept nothing new."""
        ports, self._ports = self._ports, []
        return gatherResults([maybeDeferred(port.stopListening) for port in ports], consumeErrors=True)

    def drain(self) -> Deferred[None]:
        """Let the connections end."""
        return self._factory.drain()

    def stopService(self) -> Deferred[Any]:
        """Stop listening, let connections end, and abort those that take too long."""
        super().stopService()
        stopped = self.stopListening()
        stopped.addBoth(lambda _: self._end())
        self._listening = None
        return stopped

    def _end(self) -> Deferred[None]:
        drained = self._factory.drain()
        if not drained.called:
            timer = current_reactor().callLater(self._drain, self._factory.abort)
            drained.addCallback(lambda _: timer.cancel() if timer.active() else None)
        return drained
