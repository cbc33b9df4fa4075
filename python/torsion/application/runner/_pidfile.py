"""Files that hold the number of a running process."""

from __future__ import annotations

import errno
import os
from os import getpid, kill
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from zope.interface import Interface, implementer

from torsion.logger import Logger

if TYPE_CHECKING:
    from torsion.python.filepath import FilePath

__all__ = [
    "AlreadyRunningError",
    "IPIDFile",
    "InvalidPIDFileError",
    "NoPIDFound",
    "NonePIDFile",
    "PIDFile",
    "StalePIDFileError",
]


class AlreadyRunningError(Exception):
    """The process that a PID file names is running."""


class InvalidPIDFileError(Exception):
    """A PID file holds no number of a process."""


class StalePIDFileError(Exception):
    """A PID file names a process that there is not."""


class NoPIDFound(Exception):
    """There is no PID file."""


class IPIDFile(Interface):
    """Keeps the number of a running process, and tells whether it still runs.

    As a context manager it holds this process's number meanwhile.
    """

    def read() -> int:
        """Return the number.

        :raise NoPIDFound: if there is none.
        """

    def writeRunningPID() -> None:
        """Keep the number of this process.

        :raise OSError: if that is not possible.
        """

    def remove() -> None:
        """Keep none any more.

        :raise OSError: if that is not possible.
        """

    def isRunning() -> bool:
        """Tell whether there is a number, and a process of that number.

        :raise StalePIDFileError: if there is a number, but no such process.
        """

    def __enter__() -> Any:
        """Keep the number of this process.

        :raise AlreadyRunningError: if that of another is kept, which is running.
        """

    def __exit__(  # noqa: PLE0302, PYI036 - an interface's methods have no self
        excType: type[BaseException] | None,
        excValue: BaseException | None,  # noqa: PYI036 - as above
        traceback: TracebackType | None,  # noqa: PYI036 - as above
    ) -> bool | None:
        """Keep none any more."""


@implementer(IPIDFile)
class PIDFile:
    """A file with the number of a process, in decimal digits, and the end of the line."""

    _log = Logger()

    @staticmethod
    def _format(pid: int) -> bytes:
        return f"{int(pid)}\n".encode("ascii")

    def __init__(self, filePath: FilePath[Any]) -> None:
        """Know the file; it need not exist.

        :param filePath: where it is.
        """
        self.filePath = filePath

    def read(self) -> int:
        """Return the number in the file.

        :raise NoPIDFound: if there is no file.
        :raise InvalidPIDFileError: if it holds something else.
        :raise OSError: if it cannot be read.
        """
        try:
            with self.filePath.open() as file:
                content = file.readline()
        except OSError as problem:
            if problem.errno == errno.ENOENT:
                raise NoPIDFound("PID file does not exist") from None
            raise
        try:
            return int(content)
        except ValueError:
            raise InvalidPIDFileError(f"non-integer PID value in PID file: {content!r}") from None

    def _write(self, pid: int) -> None:
        """Put the number *pid* into the file.

        :raise ValueError: if it is no number.
        :raise OSError: if the file cannot be written.
        """
        self.filePath.setContent(self._format(pid))

    def writeRunningPID(self) -> None:
        """Put the number of this process into the file; see :meth:`_write`."""
        self._write(getpid())

    def remove(self) -> None:
        """Remove the file.

        :raise OSError: if that is not possible.
        """
        self.filePath.remove()

    def isRunning(self) -> bool:
        """Tell whether there is a file, and a process of the number in it.

        :raise StalePIDFileError: if there is no such process.
        :raise InvalidPIDFileError, OSError: as :meth:`read`.
        :raise NotImplementedError: on systems other than POSIX ones, where to ask for a process would end it.
        """
        try:
            pid = self.read()
        except NoPIDFound:
            return False
        if os.name != "posix":
            raise NotImplementedError(f"isRunning is not implemented on {os.name}")
        try:
            kill(pid, 0)
        except OSError as problem:
            if problem.errno == errno.ESRCH:
                raise StalePIDFileError("PID file refers to non-existing process") from None
            if problem.errno != errno.EPERM:  # which somebody else's process gives
                raise
        return True

    def __enter__(self) -> Self:
        """Put the number of this process into the file.

        :raise AlreadyRunningError: if there is that of another process, which is running.
        """
        try:
            if self.isRunning():
                raise AlreadyRunningError(f"the process {self.read()}, which {self.filePath.path} names, is running")
        except StalePIDFileError:
            self._log.info("Replacing stale PID file: {log_source}")
        self.writeRunningPID()
        return self

    def __exit__(
        self, excType: type[BaseException] | None, excValue: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the file."""
        self.remove()


@implementer(IPIDFile)
class NonePIDFile:
    """What stands for a PID file where there is none: it never names a process."""

    def read(self) -> int:
        """Raise :class:`NoPIDFound`."""
        raise NoPIDFound("PID file does not exist")

    def _write(self, pid: int) -> None:
        raise OSError(errno.EPERM, "there is no PID file to be written")

    def writeRunningPID(self) -> None:
        """Raise :class:`OSError` with ``EPERM``."""
        self._write(0)

    def remove(self) -> None:
        """Raise :class:`OSError` with ``ENOENT``."""
        raise OSError(errno.ENOENT, "there is no PID file to be removed")

    def isRunning(self) -> bool:
        """Return False."""
        return False

    def __enter__(self) -> Self:
        """Do nothing."""
        return self

    def __exit__(
        self, excType: type[BaseException] | None, excValue: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Do nothing."""
