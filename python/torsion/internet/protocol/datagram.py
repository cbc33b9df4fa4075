"""Protocols over datagrams: one object for each socket."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from torsion.internet.interfaces.core import ILoggingContext
from torsion.logger import Logger
from torsion.python.failure import Failure


class AbstractDatagramProtocol:
    """What all datagram protocols have in common: when they start and stop, and what comes in."""

    transport: Any = None
    """The socket, from :meth:`makeConnection` until the first port stops."""

    numPorts: int = 0
    """How many ports use this protocol now."""

    noisy: bool = True
    """Whether to log the start and the stop of this protocol."""

    _lifeLog = Logger()

    def __getstate__(self) -> dict[str, Any]:
        """Return what is worth pickling: all but the socket."""
        return {**self.__dict__, "transport": None}

    def makeConnection(self, transport: Any) -> None:
        """Take the socket, then start. Called by the port when it begins to listen.

        :param transport: the socket.
        :raises RuntimeError: if this protocol has a socket already.
        """
        if self.transport is not None:
            raise RuntimeError(f"{self!r} serves {self.transport!r} already: give each port a protocol of its own")
        self.transport = transport
        self.doStart()

    def doStart(self) -> None:
        """Be told that one more port uses this protocol; the first one calls :meth:`startProtocol`.

        Not for overriding.
        """
        if self.numPorts == 0:
            if self.noisy:
                self._lifeLog.info("Starting protocol {protocol!r}", protocol=self)
            self.startProtocol()
        self.numPorts += 1

    def doStop(self) -> None:
        """Be told that one port no longer uses this protocol; the last one calls :meth:`stopProtocol`.

        Not for overriding.

        :raises RuntimeError: if no port uses it.
        """
        if self.numPorts == 0:
            raise RuntimeError(f"{self!r} cannot be stopped: no port uses it")
        self.numPorts -= 1
        self.transport = None
        if self.numPorts == 0:
            if self.noisy:
                self._lifeLog.info("Stopping protocol {protocol!r}", protocol=self)
            self.stopProtocol()

    def startProtocol(self) -> None:
        """Be told that the socket is there: the place to send first, or to connect it. Does nothing here."""

    def stopProtocol(self) -> None:
        """Be told that the socket is closed, and nothing can be sent any more. Does nothing here."""

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """Take a datagram. Does nothing here.

        :param datagram: the whole of it, unless it was longer than the port's ``maxPacketSize``.
        :param addr: where it came from: for UDP a tuple whose first two parts are host and port, for a Unix socket
            its path.
        """


@implementer(ILoggingContext)
class DatagramProtocol(AbstractDatagramProtocol):
    """A protocol over UDP. Subclass it and write :meth:`datagramReceived`.

    It answers by ``self.transport.write(datagram, addr)``.
    """

    def logPrefix(self) -> str:
        """Return the class's name."""
        return self.__class__.__name__

    def connectionRefused(self) -> None:
        """Be told that nobody listens at the peer; only if the socket is connected. Does nothing here.

        The system may tell of it late or never.
        """


class ConnectedDatagramProtocol(DatagramProtocol):
    """A protocol over datagrams to and from one peer, over a Unix socket."""

    def datagramReceived(self, datagram: bytes) -> None:  # type: ignore[override]  # there is one peer, so no address
        """Take a datagram. Does nothing here.

        :param datagram: the whole of it, unless it was longer than the port's ``maxPacketSize``.
        """

    def connectionFailed(self, failure: Failure) -> None:
        """Be told that the socket could not be connected to its peer. Does nothing here.

        :param failure: wraps the cause.
        """
