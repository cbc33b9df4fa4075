"""``IReactorTCP`` over an engine's streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import classImplements

from torsion.internet.interfaces import IReactorTCP2
from torsion.internet.interfaces.binding import Binding
from torsion.internet.reactors.overengine import OverEngine
from torsion.internet.transports.connector import Connector
from torsion.internet.transports.listener import Port

if TYPE_CHECKING:
    from torsion.internet.interfaces import IProtocolFactory

__all__ = ["ProvidesTCP"]


class ProvidesTCP(OverEngine):
    """TCP ports and connections."""

    def listenTCP(
        self, port: int | Binding, factory: IProtocolFactory, backlog: int = 50, interface: str | None = None
    ) -> Port:
        """Accept connections, and give each to a protocol that *factory* makes.

        :param port: the port's number, 0 to let the system choose; or a binding, which says the interface as well and may
            share the port. (Its ``reuseAddress`` changes nothing: ports do that where it does what it should.)
        :param factory: asked for one protocol for each connection.
        :param backlog: how many connections the system may keep waiting to be accepted.
        :param interface: the numeric IPv4 or IPv6 address to listen at, or a name of this computer; empty means all IPv4
            addresses.
        :returns: the port, listening.
        :raises torsion.internet.error.CannotListenError: if the address is taken, is not ours or may not be used.
        :raises TypeError: if *port* is no int or *interface* no str.
        :raises ValueError: if a binding says another interface.
        """
        shared = False
        if isinstance(port, Binding):
            binding = port
            if interface is not None and interface != binding.interface:
                raise ValueError(f"interface {interface!r} disagrees with {binding!r}; leave it out")
            port, interface, shared = binding.port, binding.interface, binding.reusePort
        listening = Port(port, factory, backlog, interface or "", self, shared)
        listening.startListening()
        return listening

    def connectTCP(
        self,
        host: str,
        port: int | str,
        factory: IProtocolFactory,
        timeout: float = 30.0,
        bindAddress: tuple[str, int] | Binding | None = None,
    ) -> Connector:
        """Connect to a TCP port; the factory is told how it ends.

        :param host: the host's name, which is looked up as by :meth:`resolve`, or its numeric address.
        :param port: the port's number, or the name of a service the system knows.
        :param factory: a client factory.
        :param timeout: after how many seconds to give up; 0 or None means never.
        :param bindAddress: the address and port of this end, if it matters; or a binding, which may share the port.
        :returns: the connector.
        :raises TypeError: if *host*, *timeout* or *bindAddress* is of a wrong type.
        :raises ValueError: if *timeout* is negative or not finite.
        :raises torsion.internet.error.ServiceNameUnknownError: if *port* is a name that the system does not know.
        """
        shared = False
        if isinstance(bindAddress, Binding):
            shared = bindAddress.reusePort
            bindAddress = (bindAddress.interface, bindAddress.port)
        connector = Connector(host, port, factory, timeout, bindAddress, self, shared)
        connector.connect()
        return connector


classImplements(ProvidesTCP, IReactorTCP2)
