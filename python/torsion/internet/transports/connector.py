"""A TCP connection to be made: its host is looked up, then tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from torsion.internet.transports.connecting import Attempt, BaseConnector
from torsion.internet.transports.numeric import (
    host_name,
    isIPAddress,
    isIPv6Address,
    local_end,
    port_number,
    resolve_interface,
    service_port,
)
from torsion.internet.transports.stream import TCPConnection

if TYPE_CHECKING:
    from torsion._native import Stream
    from torsion._native._core import SocketAddress
    from torsion.internet.address import IPv4Address, IPv6Address
    from torsion.internet.transports.owner import Home
    from torsion.python.failure import Failure

__all__ = ["Connector"]


class Connector(BaseConnector):
    """A TCP connection to be made."""

    streams: ClassVar[type[Stream]] = TCPConnection
    """What its connections are."""

    def __init__(
        self,
        host: str,
        port: int | str,
        factory: Any,
        timeout: float | None,
        bindAddress: tuple[str, int] | None,
        reactor: Home,
        reusePort: bool = False,
    ) -> None:
        """Prepare a connection; :meth:`connect` makes it.

        :raises TypeError, ValueError: if one of these cannot be used, whatever the system says.
        :raises torsion.internet.error.ServiceNameUnknownError: if *port* is a name that the system does not know.
        """
        super().__init__(factory, timeout, reactor)
        self.host = host_name(host)
        self.port = service_port(port)
        self.bindAddress = local_end(bindAddress)
        self.reusePort = reusePort

    def getDestination(self) -> IPv4Address | IPv6Address:
        """Return where the connection goes, as it was asked for."""
        dialect = self.dialect
        kind = dialect.IPv6Address if isIPv6Address(self.host) else dialect.IPv4Address
        return kind("TCP", self.host, self.port)  # type: ignore[no-any-return]  # the dialect's class

    def destination(self) -> str:
        """Return that for people to read."""
        return f"{self.host}:{self.port}"

    def locate(self, address: SocketAddress) -> IPv4Address | IPv6Address:
        """Return *address* as an ``IAddress``."""
        return self.dialect.address_of(address)  # type: ignore[no-any-return]  # the dialect's class

    def begin(self, attempt: Attempt) -> None:
        """Look the host up if that is needed, then connect."""
        host = self.host
        if isIPAddress(host) or isIPv6Address(host):
            self._start(attempt, host)
            return
        # A program may bring its own resolver. Whatever that raises, returns or answers costs the attempt, no more.
        attempt.resolving = resolving = self.dialect.maybeDeferred(self.reactor.resolve, host)

        def resolved(address: str) -> None:
            attempt.resolving = None
            if self._attempt is attempt:
                self._start(attempt, address)

        def unresolved(failure: Failure) -> None:
            attempt.resolving = None
            self.fail_soon(attempt, failure)

        resolving.addCallback(resolved).addErrback(unresolved)

    def _start(self, attempt: Attempt, host: str) -> None:
        try:
            port = port_number(self.port)
            address = resolve_interface(host, port)
        except (OSError, OverflowError, TypeError, ValueError) as problem:  # ValueError: it can be no name
            self.fail_soon(attempt, self.dialect.Failure(self.unusable(host, problem)))
            return
        try:
            local = None if self.bindAddress is None else self._local(address)
        except (OSError, OverflowError, TypeError, ValueError) as problem:
            self.fail_soon(
                attempt,
                self.dialect.Failure(self.dialect.error.ConnectBindError(None, f"{self.bindAddress!r}: {problem}")),
            )
            return
        options = {"reuse_port": True} if self.reusePort else {}  # not every engine knows of it
        try:
            attempt.native = self.reactor.engine.connect(address, local, self, self.streams, **options)
        except OSError as problem:
            self.fail_soon(attempt, self.dialect.Failure(self.explain_errno(problem.errno or 0, str(problem.strerror))))
        except ValueError as problem:  # an address that the engine reads in another way than the system does
            self.fail_soon(attempt, self.dialect.Failure(self.unusable(host, problem)))

    def unusable(self, host: str, problem: Exception) -> Exception:
        """Return the error to tell the factory for an address that cannot be one, as *problem* says."""
        return self.dialect.error.ConnectError(string=f"{host!r} port {self.port!r}: {problem}")  # type: ignore[no-any-return]  # the dialect's class

    def _local(self, address: SocketAddress) -> SocketAddress:
        """Return this end's address, of the same family as *address*."""
        assert self.bindAddress is not None
        host, port = self.bindAddress
        if not host and len(address) == 4:
            host = "::"
        return resolve_interface(host, port_number(port))

    def explain_errno(self, errno: int, text: str) -> Any:
        """Return the error to tell the factory for the system's *errno*."""
        # The system does not tell what it objects to. Errors about an address are about ours, where we asked for one.
        if self.bindAddress is not None:
            import errno as numbers

            if errno in (numbers.EADDRINUSE, numbers.EADDRNOTAVAIL, numbers.EACCES, numbers.EINVAL):
                return self.dialect.error.ConnectBindError(errno, text)
        return self.dialect.error.getConnectError((errno, text))
