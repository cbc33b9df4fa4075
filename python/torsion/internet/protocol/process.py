"""Protocols for child processes."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from torsion.internet.interfaces.process import IProcessProtocol
from torsion.internet.protocol.protocols import BaseProtocol
from torsion.python.failure import Failure


@implementer(IProcessProtocol)
class ProcessProtocol(BaseProtocol):
    """Told of all that happens to one child process.

    It tells standard output and error apart by methods of their own; override :meth:`childDataReceived` and
    :meth:`childConnectionLost` if the child has other pipes.
    """

    transport: Any = None
    """The process, an ``IProcessTransport``, once it was started."""

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Take some bytes that the child wrote: calls :meth:`outReceived` or :meth:`errReceived`.

        :param childFD: the number of the descriptor in the child: 1 for standard output, 2 for standard error.
        :param data: at least one byte.
        """
        if childFD == 1:
            self.outReceived(data)
        elif childFD == 2:
            self.errReceived(data)

    def outReceived(self, data: bytes) -> None:
        """Take some bytes from standard output. Does nothing here."""

    def errReceived(self, data: bytes) -> None:
        """Take some bytes from standard error. Does nothing here."""

    def childConnectionLost(self, childFD: int) -> None:
        """Be told that a pipe is closed: calls the method for it, if it is one of the first three.

        :param childFD: the number of the descriptor in the child.
        """
        if childFD == 0:
            self.inConnectionLost()
        elif childFD == 1:
            self.outConnectionLost()
        elif childFD == 2:
            self.errConnectionLost()

    def inConnectionLost(self) -> None:
        """Be told that standard input is closed. Does nothing here."""

    def outConnectionLost(self) -> None:
        """Be told that standard output is closed. Does nothing here."""

    def errConnectionLost(self) -> None:
        """Be told that standard error is closed. Does nothing here."""

    def processExited(self, reason: Failure) -> None:
        """Be told that the child has ended, while its pipes may still hold data. Does nothing here.

        :param reason: a Failure that wraps :class:`torsion.internet.error.ProcessDone` after exit status 0, or else
            :class:`torsion.internet.error.ProcessTerminated`.
        """

    def processEnded(self, reason: Failure) -> None:
        """Be told that the child has ended and all its pipes are closed. Called once, last. Does nothing here.

        :param reason: the same as for :meth:`processExited`.
        """
