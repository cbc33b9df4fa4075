"""What servers at one or several endpoints share: their options, and a service that ends well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.quantities import seconds
from torsion.application.service import MultiService
from torsion.internet._current import current_reactor
from torsion.internet.defer import Deferred, TimeoutError
from torsion.logger import Logger
from torsion.python.usage import CompleteList, Completions, Options, UsageError

if TYPE_CHECKING:
    from torsion.internet.interfaces import IListeningPort, IProtocolFactory

__all__ = ["Server", "ServerOptions", "shown"]

_log = Logger("torsion.tap")


class ServerOptions(Options):
    """Where to listen, and how long to wait at the end."""

    synopsis = "--listen ENDPOINT [--listen ENDPOINT ...]"
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        [
            "drain",
            None,
            None,
            "Seconds that connections may take to end when the server stops, if less than --grace.",
            seconds(),
        ],
    ]
    compData = Completions(multiUse=["listen"], optActions={"listen": CompleteList(["tcp:", "unix:", "ssl:"])})

    def __init__(self) -> None:
        """Listen nowhere yet."""
        super().__init__()
        self["listen"] = []

    def opt_listen(self, endpoint: str) -> None:
        """Where to listen, such as tcp:7000 or tcp:7000:interface=127.0.0.1; may be given several times."""
        self["listen"].append(endpoint)

    def postOptions(self) -> None:
        """Take the endpoints apart.

        :raise UsageError: if there is none, or one that cannot be used.
        """
        from torsion.internet.endpoints import serverFromString

        if not self["listen"]:
            raise UsageError("say where to listen: --listen ENDPOINT")
        reactor = current_reactor()
        try:
            for endpoint in self["listen"]:
                serverFromString(reactor, endpoint)
        except (ValueError, ImportError) as problem:
            raise UsageError(str(problem)) from problem


class Server(MultiService):
    """Listens at endpoints with one factory, tells where, and lets connections end before it stops."""

    def __init__(
        self, name: str, endpoints: Sequence[str], factory: IProtocolFactory, drain: float | None = None
    ) -> None:
        """Prepare it.

        :param name: what the server calls itself in the log.
        :param endpoints: descriptions of where to listen.
        :param factory: makes the protocols; if it has a method ``drain``, that is asked to end their connections.
        :param drain: how many seconds connections may take to end when the server stops, before they are aborted; None for as long
            as the command allows.
        """
        from torsion.application.strports import service

        super().__init__()
        self.setName(name)
        self.factory = factory
        self.endpoints = tuple(endpoints)
        self._seconds = drain
        for endpoint in endpoints:
            service(endpoint, factory).setServiceParent(self)

    def startService(self) -> None:
        """Begin to listen."""
        super().startService()
        listening = [service for service in self if hasattr(service, "whenListening")]  # others may have been added
        for number, service in enumerate(listening):
            # A failure is told by the service itself.
            service.whenListening().addCallbacks(self._listens, lambda _: None, callbackArgs=(number,))

    def _listens(self, port: IListeningPort, number: int) -> None:
        # Not before the reactor runs: whoever reads this may take it that all has started.
        current_reactor().callWhenRunning(
            _log.info, "torsion {name}: listening on {where}", name=self.name, where=self.told(port.getHost(), number)
        )

    def told(self, address: Any, number: int) -> str:
        """Return what to say of the *address* at which the endpoint of that *number* listens, the first being 0."""
        return shown(address)

    def drain(self) -> Deferred[Any]:
        """Let the connections end, and abort those that take too long."""
        drained: Deferred[Any] = super().drain()
        if self._seconds is not None:
            drained.addTimeout(self._seconds, current_reactor())
            drained.addErrback(self._late)
        return drained

    def _late(self, failure: Any) -> None:
        failure.trap(TimeoutError)
        abort = getattr(self.factory, "abort", None)
        if abort is not None:  # else they are cut at the end
            abort()


def shown(address: Any) -> str:
    """Return the text of *address* for people: ``host:port``, or a path."""
    if hasattr(address, "port"):
        return f"[{address.host}]:{address.port}" if ":" in address.host else f"{address.host}:{address.port}"
    name = getattr(address, "name", None)
    return str(address) if name is None else name.decode(errors="replace") if isinstance(name, bytes) else str(name)
