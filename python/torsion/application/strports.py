"""Listening at a place that is described by a text, such as ``tcp:8080`` or ``unix:/run/it.socket``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.application.endpointservice import StreamServerEndpointService
from torsion.internet._current import current_reactor
from torsion.internet.defer import Deferred, maybeDeferred
from torsion.internet.endpoints import serverFromString
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.internet.interfaces import IListeningPort, IProtocolFactory

__all__ = ["listen", "service"]


def service(description: str, factory: IProtocolFactory | None, reactor: Any = None) -> StreamServerEndpointService:
    """Make a service that listens.

    A place where nobody can listen, such as a port in use, keeps the program from starting: the service raises that as it
    is started.

    :param description: where; see :func:`torsion.internet.endpoints.serverFromString`.
    :param factory: makes a protocol for each connection.
    :param reactor: the reactor; None for the one that runs, or is installed.
    :returns: the service.
    :raise ValueError: if the description cannot be understood; the message quotes it and points at what is wrong.
    """
    if reactor is None:
        reactor = current_reactor()
    made = StreamServerEndpointService(serverFromString(reactor, description), factory)  # type: ignore[arg-type]  # Twisted takes None
    made._raiseSynchronously = True
    return made


def listen(description: str, factory: IProtocolFactory) -> IListeningPort:
    """Listen with the reactor that runs, or is installed.

    :param description: where; see :func:`torsion.internet.endpoints.serverFromString`.
    :param factory: makes a protocol for each connection.
    :returns: the port.
    :raise ValueError: if the description cannot be understood; the message quotes it and points at what is wrong.
    :raise torsion.internet.error.CannotListenError: if nobody can listen there.
    :raise RuntimeError: if it takes time to tell: such a place needs :func:`service`.
    """
    port: Any = None
    listening: Deferred[Any] = maybeDeferred(serverFromString(current_reactor(), description).listen, factory)
    if not listening.called:
        listening.addErrback(lambda _: None).cancel()
        raise RuntimeError(f"whether anybody can listen at {description!r} is not known at once; use strports.service")

    def got(result: Any) -> None:
        nonlocal port
        port = result

    listening.addBoth(got)
    if isinstance(port, Failure):
        port.raiseException()
    result: IListeningPort = port
    return result
