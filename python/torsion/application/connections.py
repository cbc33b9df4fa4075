"""The end of the connections that a port has accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.application.draining import IDrainingFactory
from torsion.internet._current import current_reactor
from torsion.internet.defer import maybeDeferred, succeed
from torsion.internet.interfaces import IReactorInspection

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred

__all__ = ["drainConnections", "stopListening"]


def stopListening(port: Any) -> Deferred[Any]:
    """Have a port listen no more, or what an endpoint gave in its place: a connection, as that of standard input and output.

    :param port: the port.
    :returns: a Deferred that fires when it is closed.
    """
    return maybeDeferred(getattr(port, "stopListening", None) or port.loseConnection)


def drainConnections(port: Any, factory: Any) -> Deferred[Any]:
    """Have the connections end that a port has accepted.

    A factory that is an :class:`~torsion.application.draining.IDrainingFactory` ends them itself.  Otherwise they are waited
    for, as long as their peers and protocols take; and where the reactor does not know its connections, they are not.

    :param port: the port, which as a rule listens no more; None if it never did.
    :param factory: what has made its protocols.
    :returns: a Deferred that fires when they are all gone.  It can be cancelled, which leaves them alone.
    """
    if IDrainingFactory.providedBy(factory):
        return maybeDeferred(factory.drain)
    if port is not None:
        reactor = getattr(port, "reactor", None)
        if reactor is None:
            reactor = current_reactor()
        if IReactorInspection.providedBy(reactor):
            drained: Deferred[Any] = reactor.drained(port)
            return drained
    return succeed(None)
