"""``IReactorFDSet`` over an engine's watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import classImplements

from torsion.internet.interfaces import IReactorFDSet
from torsion.internet.reactors.overengine import OverEngine

if TYPE_CHECKING:
    from torsion.internet.interfaces import IReadDescriptor, IWriteDescriptor
    from torsion.internet.transports.descriptors import Descriptors

__all__ = ["ProvidesFDSet"]


class ProvidesFDSet(OverEngine):
    """Descriptors that are made elsewhere."""

    _descriptors: Descriptors | None = None

    @property
    def _foreign(self) -> Descriptors:
        if self._descriptors is None:
            from torsion.internet.transports.descriptors import Descriptors

            self._descriptors = Descriptors(self)
        return self._descriptors

    def addReader(self, reader: IReadDescriptor) -> None:
        """Call *reader*'s ``doRead`` in each turn in which its descriptor can be read.

        :param reader: an object with ``fileno``, ``doRead`` and ``connectionLost``; adding it twice is adding it once.
        :raises OSError: if the system does not take the descriptor: it is closed, or a transport's of this reactor.
        """
        self._foreign.add_reader(reader)

    def addWriter(self, writer: IWriteDescriptor) -> None:
        """Call *writer*'s ``doWrite`` in each turn in which its descriptor can be written.

        :param writer: an object with ``fileno``, ``doWrite`` and ``connectionLost``; adding it twice is adding it once.
        :raises OSError: as :meth:`addReader`.
        """
        self._foreign.add_writer(writer)

    def removeReader(self, reader: IReadDescriptor) -> None:
        """Watch *reader* no more; does nothing if it is not watched, and may come after its descriptor was closed."""
        self._foreign.remove_reader(reader)

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        """Watch *writer* no more; does nothing if it is not watched, and may come after its descriptor was closed."""
        self._foreign.remove_writer(writer)

    def removeAll(self) -> list[Any]:
        """Close all ports, give up all attempts to connect, watch nothing more, and return what that was."""
        descriptors = [] if self._descriptors is None else self._descriptors.remove_all()
        return descriptors + super().removeAll()

    def getReaders(self) -> list[IReadDescriptor]:
        """Return the readers that are watched."""
        return self._foreign.readers()

    def getWriters(self) -> list[IWriteDescriptor]:
        """Return the writers that are watched."""
        return self._foreign.writers()


classImplements(ProvidesFDSet, IReactorFDSet)
