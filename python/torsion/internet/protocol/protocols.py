"""Protocols over byte streams: one object for each connection."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from torsion.internet.error import ConnectionDone
from torsion.internet.interfaces.core import ILoggingContext
from torsion.internet.interfaces.protocol import IProtocol
from torsion.python.failure import Failure

connectionDone = Failure(ConnectionDone())
"""The reason of a connection that was closed in order, for those who call ``connectionLost`` by hand."""


class BaseProtocol:
    """What all protocols have in common: the transport, and whether they were given one."""

    connected: bool | int = False
    """Whether :meth:`makeConnection` was called."""

    transport: Any = None
    """The connection, from :meth:`makeConnection` on.

    What it can do depends on its kind; a subclass may narrow the type to ``ITCPTransport``, for instance.
    """

    def makeConnection(self, transport: Any) -> None:
        """Take the transport, then call :meth:`connectionMade`. Called by the reactor, once.

        :param transport: the connection.
        """
        self.connected = True
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """Be told that the connection stands: the place to greet the peer, or to start a timeout. Does nothing here."""


@implementer(IProtocol, ILoggingContext)
class Protocol(BaseProtocol):
    """One end of a connection. Subclass it and write :meth:`dataReceived`.

    It is made by a factory, which it then finds in :attr:`factory`; what outlives the connection belongs there. It
    answers by ``self.transport.write`` and closes by ``self.transport.loseConnection``.
    """

    factory: Any = None
    """The factory that made it, if one did."""

    def logPrefix(self) -> str:
        """Return the class's name."""
        return self.__class__.__name__

    def dataReceived(self, data: bytes) -> None:
        """Take some bytes from the peer. They come in order, but cut anywhere. Does nothing here.

        :param data: at least one byte.
        """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be told that the connection is closed, whoever closed it. Called once, last. Does nothing here.

        Let go here of what refers to the protocol, so that it can be collected.

        :param reason: a Failure that wraps :class:`torsion.internet.error.ConnectionDone` if it was closed in order,
            else what broke it.
        """
