"""Services named after transports: each calls the reactor's method of that name when it starts, and undoes it when it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from zope.interface import implementer

from torsion.application.connections import drainConnections
from torsion.application.draining import IDrains, IListens
from torsion.application.service import Service
from torsion.internet._current import current_reactor
from torsion.internet.defer import maybeDeferred

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred

__all__ = [
    "MulticastServer",
    "SSLClient",
    "SSLServer",
    "TCPClient",
    "TCPServer",
    "UDPServer",
    "UNIXClient",
    "UNIXDatagramClient",
    "UNIXDatagramServer",
    "UNIXServer",
]


class _Transport(Service):
    """Base of the services of this file.

    :ivar reactor: the reactor; None for the one that runs, or is installed, when the service starts.
    :ivar args: what to call its method with.
    :ivar kwargs: likewise, by name.
    """

    method: ClassVar[str]
    """The method's name, less ``listen`` or ``connect``."""

    volatile: ClassVar[list[str]] = []
    """The names of attributes that a copy of the service does not have."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take the arguments for the reactor's method.

        :param args: what to call the method with when the service starts.
        :param kwargs: likewise, by name, but for ``reactor``: the reactor; None for the one that runs, or is installed,
            when the service starts.
        """
        self.reactor: Any = kwargs.pop("reactor", None)
        self.args = args
        self.kwargs = kwargs

    def __getstate__(self) -> dict[str, Any]:
        """Return what is to be kept of the service; a copy of it has no port and no connection."""
        state = super().__getstate__()
        for name in self.volatile:
            state.pop(name, None)
        return state

    def _call(self, prefix: str) -> Any:
        reactor = current_reactor() if self.reactor is None else self.reactor
        return getattr(reactor, prefix + self.method)(*self.args, **self.kwargs)


class _Server(_Transport):
    """Listens from :meth:`privilegedStartService` on."""

    volatile: ClassVar[list[str]] = ["_port"]
    _port: Any = None

    def privilegedStartService(self) -> None:
        """Listen, while there may still be the right to.

        :raise torsion.internet.error.CannotListenError: if that cannot be done.
        """
        super().privilegedStartService()
        if self._port is None:
            self._port = self._call("listen")

    def startService(self) -> None:
        """Listen, unless it does.

        :raise torsion.internet.error.CannotListenError: if that cannot be done.
        """
        super().startService()
        if self._port is None:
            self._port = self._call("listen")

    def stopService(self) -> Deferred[Any] | None:
        """Listen no more.

        :returns: a Deferred that fires when the port is closed, or None if there was none.
        """
        super().stopService()
        port, self._port = self._port, None
        return None if port is None else maybeDeferred(port.stopListening)


@implementer(IListens, IDrains)
class _StreamServer(_Server):
    """Accepts connections, and can wait for their end."""

    volatile: ClassVar[list[str]] = ["_port", "_last"]
    _last: Any = None
    """The port that does not listen any more, and whose connections go on."""

    def stopListening(self) -> Deferred[Any] | None:
        """Accept no more connections; those that there are go on.  See :class:`~torsion.application.draining.IListens`."""
        if self._port is None:
            return None
        self._last, self._port = self._port, None
        return maybeDeferred(self._last.stopListening)

    def drain(self) -> Deferred[Any]:
        """Finish the connections; see :func:`~torsion.application.connections.drainConnections`."""
        factory = self.args[1] if len(self.args) > 1 else self.kwargs.get("factory")
        return drainConnections(self._port or self._last, factory)

    def stopService(self) -> Deferred[Any] | None:
        """Listen no more.

        :returns: a Deferred that fires when the port is closed, or None if there was none.
        """
        self._last = None
        return super().stopService()


class _Client(_Transport):
    """Connects when it is started."""

    volatile: ClassVar[list[str]] = ["_connection"]
    _connection: Any = None

    def startService(self) -> None:
        """Connect, unless it has."""
        super().startService()
        if self._connection is None:
            self._connection = self._call("connect")

    def stopService(self) -> Deferred[Any] | None:
        """Disconnect, or connect no more.

        It is not waited for; where that matters, take a :class:`~torsion.application.clientservice.ClientService`.
        """
        super().stopService()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()
        return None


class TCPServer(_StreamServer):
    """Listens as by ``reactor.listenTCP``."""

    method = "TCP"


class SSLServer(_StreamServer):
    """Listens as by ``reactor.listenSSL``."""

    method = "SSL"


class UNIXServer(_StreamServer):
    """Listens as by ``reactor.listenUNIX``."""

    method = "UNIX"


class UDPServer(_Server):
    """Receives as by ``reactor.listenUDP``."""

    method = "UDP"


class MulticastServer(_Server):
    """Receives as by ``reactor.listenMulticast``."""

    method = "Multicast"


class UNIXDatagramServer(_Server):
    """Receives as by ``reactor.listenUNIXDatagram``."""

    method = "UNIXDatagram"


class TCPClient(_Client):
    """Connects as by ``reactor.connectTCP``."""

    method = "TCP"


class SSLClient(_Client):
    """Connects as by ``reactor.connectSSL``."""

    method = "SSL"


class UNIXClient(_Client):
    """Connects as by ``reactor.connectUNIX``."""

    method = "UNIX"


class UNIXDatagramClient(_Client):
    """Sends and receives as by ``reactor.connectUNIXDatagram``."""

    method = "UNIXDatagram"

    def stopService(self) -> Deferred[Any] | None:
        """Send and receive no more.

        :returns: a Deferred that fires when the port is closed, or None if there was none.
        """
        Service.stopService(self)
        port, self._connection = self._connection, None
        return None if port is None else maybeDeferred(port.stopListening)
