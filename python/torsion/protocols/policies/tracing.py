"""What goes over a connection, written down: in a file for each connection, or in the log."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from torsion.internet.protocol.wrapping import ProtocolWrapper, WrappingFactory
from torsion.logger import Logger

if TYPE_CHECKING:
    from torsion.internet.interfaces import IAddress
    from torsion.python.failure import Failure

__all__ = ["SpewingFactory", "SpewingProtocol", "TrafficLoggingFactory", "TrafficLoggingProtocol"]

_ELIDED = b"<... elided>"


class TrafficLoggingProtocol(ProtocolWrapper):
    """Writes what goes over a connection to a file, an event to a line.

    A line begins with what happened and the connection's number: ``C 1: b'…'`` the other side sent this, ``S 1: b'…'``
    this side wrote it, ``SV 1: […]`` this side wrote several pieces at once, ``S 1: *`` this side asked for the end; a
    Failure after ``C 1:`` is why the connection was lost, which is the last line.
    """

    def __init__(
        self,
        factory: WrappingFactory,
        wrappedProtocol: Any,
        logfile: TextIO,
        lengthLimit: int | None = None,
        number: int = 0,
    ) -> None:
        """Wrap a protocol.

        :param factory: what made this.
        :param wrappedProtocol: the protocol.
        :param logfile: open for writing text.
        :param lengthLimit: how many bytes of a piece of data are written down at most; None for all.
        :param number: the connection's number.
        """
        super().__init__(factory, wrappedProtocol)
        self.logfile = logfile
        self.lengthLimit = lengthLimit
        self._number = number

    def _log(self, line: str) -> None:
        # Reasons may quote anything, and the file's encoding is the system's choice.
        line = line.encode("ascii", "backslashreplace").decode("ascii")
        with suppress(OSError, ValueError):  # a full disk, or a closed file, is no reason to lose the connection
            self.logfile.write(line + "\n")
            self.logfile.flush()

    def _shortened(self, data: bytes) -> bytes:
        limit = self.lengthLimit
        if limit is None or len(data) <= limit:
            return bytes(data)
        return bytes(data[: max(0, limit - len(_ELIDED))]) + _ELIDED

    def connectionMade(self) -> None:
        """Write this down."""
        self._log("*")

    def dataReceived(self, data: bytes) -> None:
        """Write this down, and pass it on."""
        self._log(f"C {self._number}: {self._shortened(data)!r}")
        super().dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # nobody calls it without
        """Write this down, and pass it on."""
        self._log(f"C {self._number}: {reason!r}")
        super().connectionLost(reason)

    def write(self, data: bytes) -> None:
        """Write this down, and pass it on."""
        self._log(f"S {self._number}: {self._shortened(data)!r}")
        super().write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write this down, and pass it on."""
        pieces = list(iovec)  # it may be a generator, which can be read once
        self._log(f"SV {self._number}: {[self._shortened(piece) for piece in pieces]!r}")
        super().writeSequence(pieces)

    def loseConnection(self) -> None:
        """Write this down, and pass it on."""
        self._log(f"S {self._number}: *")
        super().loseConnection()


class TrafficLoggingFactory(WrappingFactory):
    """Wraps a factory so that what goes over each connection is written to a file of its own.

    The files are named by the prefix, a hyphen and the connection's number, from 1.
    """

    protocol = TrafficLoggingProtocol

    _counter = 0

    def __init__(self, wrappedFactory: Any, logfilePrefix: str, lengthLimit: int | None = None) -> None:
        """Wrap a factory.

        :param wrappedFactory: makes the protocols.
        :param logfilePrefix: with which the files' names begin; a folder's name may be part of it.
        :param lengthLimit: how many bytes of a piece of data are written down at most; None for all.
        """
        super().__init__(wrappedFactory)
        self.logfilePrefix = logfilePrefix
        self.lengthLimit = lengthLimit
        self._opened: set[TextIO] = set()

    def open(self, name: str) -> TextIO:
        """Open a connection's file, which is emptied if it exists.

        An override may return whatever text can be written to; what it opens, it closes.

        :param name: the file's name.
        :raises OSError: if it cannot be opened: the connection is then not made.
        """
        file = open(name, "w")  # noqa: SIM115, PTH123 - closed by unregisterProtocol; it is written in ASCII
        self._opened.add(file)
        return file

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Have the wrapped factory make a protocol, and wrap it; None if it makes none."""
        wrapped = self.wrappedFactory.buildProtocol(addr)
        if wrapped is None:
            return None
        self._counter += 1
        logfile = self.open(f"{self.logfilePrefix}-{self._counter}")
        try:
            return self.protocol(self, wrapped, logfile, self.lengthLimit, self._counter)
        except BaseException:
            self._close(logfile)
            raise

    def unregisterProtocol(self, p: Any) -> None:
        """Be told that a connection is lost: close its file, unless :meth:`open` was overridden."""
        super().unregisterProtocol(p)
        self._close(p.logfile)

    def _close(self, logfile: TextIO) -> None:
        if logfile in self._opened:
            self._opened.remove(logfile)
            logfile.close()

    def resetCounter(self) -> None:
        """Number the connections from 1 again, into the same files."""
        self._counter = 0


class SpewingProtocol(ProtocolWrapper):
    """Logs what goes over a connection."""

    _log = Logger()

    def dataReceived(self, data: bytes) -> None:
        """Log this, and pass it on."""
        self._log.info("Received: {data!r}", data=data)
        super().dataReceived(data)

    def write(self, data: bytes) -> None:
        """Log this, and pass it on."""
        self._log.info("Sending: {data!r}", data=data)
        super().write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Log this, and pass it on."""
        pieces = list(data)
        self._log.info("Sending: {data!r}", data=pieces)
        super().writeSequence(pieces)


class SpewingFactory(WrappingFactory):
    """Wraps a factory so that what goes over its connections is logged."""

    protocol = SpewingProtocol
