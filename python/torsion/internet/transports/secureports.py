"""Ports and connectors whose connections are secure from their beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.transports.connector import Connector
from torsion.internet.transports.listener import Port
from torsion.internet.transports.stream import TLSConnection
from torsion.internet.transports.tls import acceptable_protocols

if TYPE_CHECKING:
    from torsion._native import Stream
    from torsion._native._core import SocketAddress
    from torsion.internet.interfaces import IProtocolFactory
    from torsion.internet.transports.owner import Home
    from torsion.internet.transports.tls import Road

__all__ = ["TLSConnector", "TLSPort"]


class TLSPort(Port):
    """A port that speaks TLS to whoever connects.

    :ivar road: how its connections are secured.
    """

    streams = TLSConnection
    kind = "TLS"

    def __init__(
        self, port: int, factory: IProtocolFactory, road: Road, backlog: int, interface: str, reactor: Home
    ) -> None:
        super().__init__(port, factory, backlog, interface, reactor)
        self.road = road

    def factory_name(self) -> str:
        """Return by what name log lines are to call the factory."""
        return f"{super().factory_name()} (TLS)"

    def accepted(self, stream: Stream, address: SocketAddress, /) -> None:
        """A connection came in: secure it, and make it a protocol."""
        stream.start_tls(self.road.context(acceptable_protocols(self.factory)))
        super().accepted(stream, address)


class TLSConnector(Connector):
    """A connection that speaks TLS as soon as it stands.

    :ivar road: how it is secured.
    """

    streams = TLSConnection

    def __init__(
        self,
        host: Any,
        port: Any,
        factory: Any,
        road: Road,
        timeout: float | None,
        bindAddress: tuple[str, int] | None,
        reactor: Home,
    ) -> None:
        super().__init__(host, port, factory, timeout, bindAddress, reactor)
        self.road = road

    def connected(self, stream: Stream, /) -> None:
        """The connection stands: secure it, and make it a protocol."""
        stream.start_tls(self.road.context(acceptable_protocols(self.factory)), self.road.server_name)
        super().connected(stream)
