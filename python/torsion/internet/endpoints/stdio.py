"""Standard input and output as a place to listen at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import execute
from torsion.internet.error import NoProtocol
from torsion.internet.interfaces import IStreamServerEndpoint

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IProtocolFactory

__all__ = ["StandardIOEndpoint"]


@implementer(IStreamServerEndpoint)
class StandardIOEndpoint:
    """This process' standard input and output, as one connection that is there already."""

    def __init__(self, reactor: Any) -> None:
        """Describe them.

        :param reactor: what reads and writes.
        """
        self._reactor = reactor

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def listen(self, stdioProtocolFactory: IProtocolFactory) -> Deferred[Any]:
        """Read and write, for a protocol that *stdioProtocolFactory* makes.

        :returns: a Deferred that fires with a :class:`torsion.internet.stdio.StandardIO`, the protocol's transport; or
            fails with what the factory raised, or with :class:`torsion.internet.error.NoProtocol` if it made none.
        """
        return execute(self._listen, stdioProtocolFactory)

    def _listen(self, factory: IProtocolFactory) -> Any:
        from torsion.internet.stdio import PipeAddress, StandardIO

        protocol = factory.buildProtocol(PipeAddress())
        if protocol is None:
            raise NoProtocol(f"{factory!r} made no protocol for standard input and output")
        return StandardIO(protocol, reactor=self._reactor)
