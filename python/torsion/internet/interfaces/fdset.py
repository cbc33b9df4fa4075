"""Descriptors that are made elsewhere and watched by the reactor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

from torsion.internet.interfaces.core import ILoggingContext

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from torsion.python.failure import Failure


class IFileDescriptor(ILoggingContext):
    """Something with a descriptor that a reactor can watch."""

    def fileno() -> int:
        """Return the descriptor's number, or -1 once it is closed."""

    def connectionLost(reason: Failure) -> None:
        """Be told that the descriptor is of no more use and not watched any more. Close it here.

        Called when a method of this object has returned or raised an exception, when the descriptor turns out to be
        closed, and when the reactor shuts down.

        :param reason: a Failure that wraps the cause.
        """


class IReadDescriptor(IFileDescriptor):
    """Something that reads when there is something to read."""

    def doRead() -> Any:
        """Read what has arrived, without blocking.

        :returns: None to go on, or an exception that tells why reading is over; ``connectionLost`` follows then.
        """


class IWriteDescriptor(IFileDescriptor):
    """Something that writes when there is room."""

    def doWrite() -> Any:
        """Write some of what is waiting, without blocking.

        :returns: None to go on, or an exception that tells why writing is over; ``connectionLost`` follows then.
        """


class IReadWriteDescriptor(IReadDescriptor, IWriteDescriptor):
    """Something that both reads and writes."""


class IHalfCloseableDescriptor(Interface):
    """A descriptor whose two directions can be closed one by one."""

    def writeConnectionLost(reason: Failure) -> None:
        """Be told that nothing can be written any more, while reading goes on.

        :param reason: a Failure that wraps the cause.
        """

    def readConnectionLost(reason: Failure) -> None:
        """Be told that nothing can be read any more, while writing goes on.

        :param reason: a Failure that wraps the cause.
        """


class IReactorFDSet(Interface):
    """A reactor that can watch descriptors made elsewhere.

    Watching goes by object: one that is added twice is watched once.
    """

    def addReader(reader: IReadDescriptor) -> None:
        """Call *reader*'s ``doRead`` whenever its descriptor can be read."""

    def addWriter(writer: IWriteDescriptor) -> None:
        """Call *writer*'s ``doWrite`` whenever its descriptor can be written."""

    def removeReader(reader: IReadDescriptor) -> None:
        """Watch *reader* no more; does nothing if it is not watched."""

    def removeWriter(writer: IWriteDescriptor) -> None:
        """Watch *writer* no more; does nothing if it is not watched."""

    def removeAll() -> Sequence[Any]:
        """Watch nothing more but what the reactor needs itself.

        :returns: all readers and writers that were watched, each once.
        """

    def getReaders() -> Sequence[IReadDescriptor]:
        """Return the readers that are watched."""

    def getWriters() -> Sequence[IWriteDescriptor]:
        """Return the writers that are watched."""


class IReactorWin32Events(Interface):
    """A reactor that can wait for event objects of Windows."""

    def addEvent(event: Any, fd: Any, action: str) -> None:
        """Call a method whenever an event is signalled.

        :param event: the event's handle.
        :param fd: the object to call.
        :param action: the name of its method. What it returns other than None ends the watching, and is handed to
            the object's ``connectionLost``.
        """

    def removeEvent(event: Any) -> None:
        """Wait for *event* no more.

        :raises KeyError: if it was not waited for.
        """
