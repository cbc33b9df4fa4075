"""Factories for connectors."""

from __future__ import annotations

from torsion.internet.interfaces.stream import IConnector
from torsion.internet.protocol.factory import _P, Factory
from torsion.python.failure import Failure


class ClientFactory(Factory[_P]):
    """A factory for connectors: it makes a protocol for each connection, and is told how attempts and connections end.

    To connect again, call ``connector.connect()`` from :meth:`clientConnectionFailed` or :meth:`clientConnectionLost`.
    """

    def startedConnecting(self, connector: IConnector) -> None:
        """Be told that an attempt begins. Does nothing here.

        :param connector: by which the attempt can be given up (``stopConnecting``).
        """

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Be told that an attempt failed. Does nothing here.

        :param connector: by which to try again.
        :param reason: a Failure that wraps what went wrong, mostly a :class:`torsion.internet.error.ConnectError`.
        """

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """Be told that a connection is closed, after its protocol was. Does nothing here.

        :param connector: by which to connect again.
        :param reason: the Failure that the protocol's ``connectionLost`` was given.
        """
