"""Sockets that listen already, for reactors to serve in place of new ones: handed over by another process."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from zope.interface import Interface

if TYPE_CHECKING:
    import socket

    from torsion.internet.interfaces.stream import IListeningPort


class ListeningAddress(NamedTuple):
    """What a program has asked to listen at.

    :ivar kind: ``TCP`` (also for TLS), ``UDP``, ``UNIX``, or ``UNIXDatagram``.
    :ivar interface: the numeric address in its canonical text, ``0.0.0.0`` where the program said nothing and a number behind
        ``%`` for a scope; for Unix sockets the absolute path, or the abstract name with its NUL, as :func:`os.fsdecode` has it.
    :ivar port: the port's number as it was asked for, so 0 if the system may choose; 0 for Unix sockets.
    """

    kind: str
    interface: str
    port: int = 0


class IHandedPort(Interface):
    """What the ports of reactors can be told besides, by who hands their sockets over.

    Ports without a file have nothing to do for it.  A port that has adopted a socket leaves its file, its permissions and the
    lock beside it alone until it is told otherwise.
    """

    def fileno() -> int:
        """Return the descriptor of the socket, or -1 if the port does not listen any more."""

    def given_away() -> None:
        """Another process serves the socket from now on: when this port stops, the file and its lock are to stay."""

    def kept() -> None:
        """Undo :meth:`given_away`: nothing came of it."""

    def taken_over() -> None:
        """Who served the socket before has left it to this port: the file is this one's now, with its permissions and lock.

        :raises OSError: if one of these cannot be had.
        """


class IListeningSockets(Interface):
    """Where a reactor gets sockets from that listen already: the ``sockets`` of a reactor, if it is not None.

    ``listenTCP``, ``listenSSL``, ``listenUNIX``, ``listenUDP`` and their kin ask it in the reactor's thread.  Without it they
    bind sockets of their own, as they do for addresses that it knows nothing of.
    """

    def take(address: ListeningAddress, port: IListeningPort) -> socket.socket | None:
        """Return a socket to serve at *address*: it is the caller's then, who closes it after having duplicated it.

        A stream socket may be bound only; the reactor lets it listen then.

        :param address: what was asked for.  The same may be asked for several times, as port 0 is: each socket is to be
            returned once, in the order in which the process before has asked for them.
        :param port: what asks, and does not listen yet.  What else was asked for are its attributes: ``backlog``, ``reusePort``,
            ``mode`` and ``wantPID``, as far as its kind has them.
        :returns: the socket, or None to have a new one bound.
        :raises OSError: if nobody can listen there; the program is told as of an address that is taken.
        """

    def opened(address: ListeningAddress, port: IListeningPort) -> None:
        """Be told that a port listens, whether with a socket that was taken from here or with one of its own.

        :param address: what was asked for.
        :param port: the port, which provides :class:`IHandedPort` as well.
        """

    def closed(address: ListeningAddress, port: IListeningPort) -> None:
        """Be told that a port has stopped, of which :meth:`opened` told."""
