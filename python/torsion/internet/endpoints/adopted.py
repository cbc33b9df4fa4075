"""A listening socket that was opened elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import fail, succeed
from torsion.internet.error import AlreadyListened
from torsion.internet.interfaces import IStreamServerEndpoint
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IListeningPort, IProtocolFactory

__all__ = ["AdoptedStreamServerEndpoint"]


def _set_non_blocking(fileno: int) -> None:
    os.set_blocking(fileno, False)


@implementer(IStreamServerEndpoint)
class AdoptedStreamServerEndpoint:
    """A descriptor to listen at, once.

    :ivar reactor: what adopts the descriptor.
    :ivar fileno: the descriptor.
    :ivar addressFamily: the family of its socket.
    """

    _close = staticmethod(os.close)
    _setNonBlocking = staticmethod(_set_non_blocking)

    def __init__(self, reactor: Any, fileno: int, addressFamily: int) -> None:
        """Describe a descriptor.

        :param reactor: provides ``IReactorSocket``.
        :param fileno: the descriptor of a listening ``SOCK_STREAM`` socket.  It is this endpoint's from now on.
        :param addressFamily: the family of the socket, such as ``socket.AF_INET``.
        """
        self.reactor = reactor
        self.fileno = fileno
        self.addressFamily = addressFamily
        self._used = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of descriptor {self.fileno}>"

    def listen(self, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen, and give each connection to a protocol that *factory* makes.

        The reactor listens at a duplicate; the descriptor is closed.

        :returns: a Deferred that fires with the port.  It fails with
            :class:`torsion.internet.error.AlreadyListened` the second time, with :class:`OSError` if the descriptor is
            none, or with what the reactor raises.
        """
        if self._used:
            return fail(AlreadyListened(f"descriptor {self.fileno} was handed over before; listen once"))
        try:
            self._setNonBlocking(self.fileno)
            port = self.reactor.adoptStreamPort(self.fileno, self.addressFamily, factory)
            self._used = True
            self._close(self.fileno)
        except Exception:  # noqa: BLE001 - whatever it is, it is what listening came to
            return fail(Failure())
        return succeed(port)
