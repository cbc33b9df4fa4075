"""What the reactor calls: protocols, one for each connection, and the factories that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from typing import Any

    from torsion.internet.interfaces.core import IAddress
    from torsion.python.failure import Failure


class IProtocol(Interface):
    """One end of one connection: it is told of all that happens on it and answers through its transport.

    The calls come in this order: :meth:`makeConnection` (which calls :meth:`connectionMade`), any number of
    :meth:`dataReceived`, one :meth:`connectionLost`. An exception in any of them is logged and costs this connection,
    and no other.
    """

    def dataReceived(data: bytes) -> None:
        """Take some bytes that came in, in the order in which the peer sent them.

        How they are cut into calls means nothing: a message may come in pieces, and several in one call.

        :param data: at least one byte.
        """

    def connectionLost(reason: Failure) -> None:
        """Be told that the connection is closed, whoever closed it. Called once, last; nothing can be written any more.

        :param reason: a Failure that wraps :class:`torsion.internet.error.ConnectionDone` if it was closed in order,
            or :class:`torsion.internet.error.ConnectionLost` (or a subclass) if it broke, or whatever exception a
            method of the protocol raised.
        """

    def makeConnection(transport: Any) -> None:
        """Take the transport of a fresh connection, then call :meth:`connectionMade`.

        :param transport: the connection, an ``ITransport``.
        """

    def connectionMade() -> None:
        """Be told that the connection stands. The transport is in place and may be written to."""


class IProtocolFactory(Interface):
    """Makes protocols: one for each connection accepted by a port, or made by a connector."""

    def buildProtocol(addr: IAddress | None) -> Any:
        """Make a protocol for a new connection.

        :param addr: where the peer is.
        :returns: an :class:`IProtocol`, or None to have the connection closed at once.
        """

    def doStart() -> None:
        """Be told that one more port or connector begins to use this factory."""

    def doStop() -> None:
        """Be told that one port or connector has ceased to use this factory."""


class IHalfCloseableProtocol(Interface):
    """A protocol that can live on with one direction of its connection closed.

    Without it, a peer that closes its sending side loses the whole connection.
    """

    def readConnectionLost() -> None:
        """Be told that the peer sends nothing more. Writing goes on; call ``loseConnection`` when done.

        An exception raised here closes the connection, with that exception as the reason.
        """

    def writeConnectionLost() -> None:
        """Be told that our sending side is closed, after ``loseWriteConnection`` and once everything was sent.

        An exception raised here closes the connection, with that exception as the reason.
        """


class IFileDescriptorReceiver(Interface):
    """A protocol on a Unix socket that accepts open files from its peer."""

    def fileDescriptorReceived(descriptor: int) -> None:
        """Take an open file that the peer sent.

        It comes before the data it was sent along with.

        :param descriptor: its number in this process, owned by the receiver, who has to close it.
        """
