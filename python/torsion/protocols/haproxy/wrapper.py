"""The protocol that reads a PROXY header, then passes everything on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.internet.protocol.wrapping import ProtocolWrapper, WrappingFactory
from torsion.logger import Logger
from torsion.protocols.haproxy.errors import InvalidNetworkProtocol, InvalidProxyHeader, MissingAddressData
from torsion.protocols.haproxy.info import ProxyInfo
from torsion.python.failure import Failure
from torsion.wire import RemoteProtocolError
from torsion.wire.haproxy import Header, HeaderReader, MissingAddress, UnknownProtocol

if TYPE_CHECKING:
    from typing import Any

    from torsion.internet.interfaces import IAddress

__all__ = ["HAProxyProtocolWrapper", "HAProxyWrappingFactory"]

_log = Logger("torsion.protocols.haproxy")


class HAProxyProtocolWrapper(ProtocolWrapper):
    """Reads the PROXY header, and is a transport whose ``getPeer`` and ``getHost`` say what that said.

    The wrapped protocol's ``connectionMade`` is called when the proxy connects, before the header has come in, so there the
    addresses are still those of the connection to the proxy.  In ``dataReceived`` they are the client's.  What does not
    begin with a header is disconnected; the protocol is told so by an :class:`InvalidProxyHeader`.

    :ivar proxyInfo: what the header said, a :class:`ProxyInfo`; None until it has come in.
    """

    proxyInfo: ProxyInfo | None = None

    def __init__(self, factory: HAProxyWrappingFactory, wrappedProtocol: Any) -> None:
        """Wrap a protocol, for a factory."""
        super().__init__(factory, wrappedProtocol)
        self._reader: HeaderReader | None = HeaderReader()
        self._failure: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        """Read the header; pass on what follows."""
        reader = self._reader
        if reader is None:
            if self._failure is None:
                self.wrappedProtocol.dataReceived(data)
            return
        reader.receive_data(data)
        try:
            event = reader.next_event()
        except RemoteProtocolError as error:
            self._refuse(_explained(error))
            return
        if isinstance(event, Header):
            self._reader = None
            self.proxyInfo = ProxyInfo.of(event)
            if rest := reader.take_rest():
                self.wrappedProtocol.dataReceived(rest)

    def _refuse(self, problem: InvalidProxyHeader) -> None:
        self._reader = None
        self._failure = Failure(problem)
        peer = self.transport.getPeer()
        _log.warn("{peer} was disconnected, since its PROXY header is wrong: {problem}", peer=peer, problem=problem)
        # What the protocol may have written was for somebody else than whoever this is.
        abort = getattr(self.transport, "abortConnection", None)
        (self.transport.loseConnection if abort is None else abort)()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # nobody calls it without
        """Pass this on; where the header was wrong, that is the reason."""
        super().connectionLost(reason if self._failure is None else self._failure)

    def getPeer(self) -> IAddress:
        """Return where the client is, or the proxy if it did not tell."""
        info = self.proxyInfo
        return super().getPeer() if info is None or info.source is None else info.source

    def getHost(self) -> IAddress:
        """Return where the client connected to, or this end if the proxy did not tell."""
        info = self.proxyInfo
        return super().getHost() if info is None or info.destination is None else info.destination


def _explained(error: RemoteProtocolError) -> InvalidProxyHeader:
    """Return the error that Twisted's API has for this one."""
    problem = _ERRORS.get(type(error), InvalidProxyHeader)(str(error))
    problem.__cause__ = error
    return problem


_ERRORS = {UnknownProtocol: InvalidNetworkProtocol, MissingAddress: MissingAddressData}


class HAProxyWrappingFactory(WrappingFactory):
    """Wraps the protocols of another factory, so that they know whom a proxy connects them with."""

    protocol = HAProxyProtocolWrapper

    def logPrefix(self) -> str:
        """Return the wrapped factory's prefix for log lines."""
        prefix = getattr(self.wrappedFactory, "logPrefix", None)
        return type(self.wrappedFactory).__name__ if prefix is None else str(prefix())
