"""Connectors and ports that do nothing but know where they lead."""

from __future__ import annotations

from zope.interface import implementer

from torsion.internet.defer import Deferred
from torsion.internet.interfaces.core import IAddress
from torsion.internet.interfaces.stream import IConnector, IListeningPort


@implementer(IConnector)
class _FakeConnector:
    """A connector whose connection comes never about, unless the test makes it.

    :param address: where it leads.
    :ivar stoppedConnecting: whether it was told to give up.
    """

    stoppedConnecting = False
    _disconnected = False

    def __init__(self, address: IAddress) -> None:
        self._address = address

    def stopConnecting(self) -> None:
        """Remember that it was called."""
        self.stoppedConnecting = True

    def disconnect(self) -> None:
        """Remember that it was called."""
        self._disconnected = True

    def connect(self) -> None:
        """Do nothing."""

    def getDestination(self) -> IAddress:
        """Return the address that it was made with."""
        return self._address


@implementer(IListeningPort)
class _FakePort:
    """A port that nobody connects to.

    :param hostAddress: where it listens.
    """

    def __init__(self, hostAddress: IAddress) -> None:
        self._hostAddress = hostAddress

    def startListening(self) -> None:
        """Do nothing."""

    def stopListening(self) -> Deferred[None] | None:
        """Return None: nothing has to be waited for."""
        return None

    def getHost(self) -> IAddress:
        """Return the address that it was made with."""
        return self._hostAddress
