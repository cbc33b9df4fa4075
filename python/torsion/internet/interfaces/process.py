"""Child processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

from torsion.internet.interfaces.stream import ITransport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torsion.python.failure import Failure


class IProcessTransport(ITransport):
    """A running child process, as its protocol sees it. What is written goes to its standard input."""

    pid = Attribute("""The child's process id (an int), or None once it has ended and was reaped.""")

    def closeStdin() -> None:
        """Close the child's standard input once everything written is sent."""

    def closeStdout() -> None:
        """Read no more of the child's standard output; the child gets an error when it writes there."""

    def closeStderr() -> None:
        """Read no more of the child's standard error; the child gets an error when it writes there."""

    def closeChildFD(descriptor: int) -> None:
        """Close our end of the pipe to one of the child's descriptors, once everything written to it is sent.

        :param descriptor: its number in the child.
        """

    def writeToChild(childFD: int, data: bytes) -> None:
        """Send *data* to one of the child's descriptors.

        :param childFD: its number in the child.
        :raises KeyError: if there is no pipe to it.
        """

    def loseConnection() -> None:
        """Close standard input, output and error. The child lives on until it ends by itself."""

    def signalProcess(signalID: str | int) -> None:
        """Send a signal to the child.

        :param signalID: a number, or a name such as ``KILL``, ``TERM``, ``INT`` or ``HUP``.
        :raises torsion.internet.error.ProcessExitedAlready: if it has ended.
        :raises ValueError: for a name that is no signal's.
        """


class IProcessProtocol(Interface):
    """Told of all that happens to one child process."""

    def makeConnection(process: IProcessTransport) -> None:
        """Take the process, which has just been started.

        :param process: the way to write to it and to signal it.
        """

    def childDataReceived(childFD: int, data: bytes) -> None:
        """Take some bytes that the child wrote.

        :param childFD: the number, in the child, of the descriptor that it wrote to: 1 is standard output.
        :param data: at least one byte.
        """

    def childConnectionLost(childFD: int) -> None:
        """Be told that a pipe is closed, by either end.

        :param childFD: the number of the descriptor in the child.
        """

    def processExited(reason: Failure) -> None:
        """Be told that the child has ended. Pipes may still hold data, which follows.

        :param reason: a Failure that wraps :class:`torsion.internet.error.ProcessDone` after exit status 0, or else
            :class:`torsion.internet.error.ProcessTerminated`.
        """

    def processEnded(reason: Failure) -> None:
        """Be told that the child has ended and that all its pipes are closed. Called once, last.

        :param reason: the same as for :meth:`processExited`.
        """


class IReactorProcess(Interface):
    """A reactor that can start child processes."""

    def spawnProcess(
        processProtocol: IProcessProtocol,
        executable: bytes | str,
        args: Sequence[bytes | str],
        env: Mapping[bytes | str, bytes | str] | None = None,
        path: bytes | str | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: bool | tuple[int, int, str | bytes] = False,
        childFDs: Mapping[int, int | str] | None = None,
    ) -> IProcessTransport:
        """Start a program. Its pipes are read and written by the reactor, so nothing blocks.

        Text is encoded as file names are. No argument, name or value may contain a NUL.

        :param processProtocol: told of all that happens to it.
        :param executable: the program's path; the search path is not consulted unless the platform does so.
        :param args: its arguments, the first of which is by custom the program's name.
        :param env: its environment; None for a copy of ours. A reactor's own method may have an empty one as its default, as
            Twisted's and torsion's have.
        :param path: the folder in which it starts; None for ours.
        :param uid: the user to become first, which takes privileges; None for ours. Not on Windows.
        :param gid: the group to become first, which takes privileges; None for ours. Not on Windows.
        :param usePTY: connect it to a new pseudo-terminal instead of pipes: true, or a tuple of the master's
            descriptor, the slave's descriptor and the slave's name. Not on Windows.
        :param childFDs: for each descriptor of the child: ``r`` for a pipe that we read, ``w`` for a pipe that we
            write, or the number of one of our descriptors to hand on. None for ``{0: "w", 1: "r", 2: "r"}``.
            Not with *usePTY*, and not on Windows.
        :returns: the process.
        :raises OSError: if the system cannot start another process. A reactor may tell the protocol
            of a program that cannot be found instead, as of a process that ended with an error.
        """
