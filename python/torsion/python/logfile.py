"""Log files that are put aside when they are large enough or a day is over: ``LogFile`` and ``DailyLogFile``.

What is written at once stands in the file whole or not at all: where the disk is full in the middle of it, the part that fitted is
taken back, and the error is raised.  Rotating goes on with the old file where it cannot make a new one; then, too, what is written
is kept, and the trouble is reported once.  All methods may be called from any thread; ``reopen`` and ``rotate`` also from
a signal handler, which may have interrupted a write: they wait for its end.
"""

from __future__ import annotations

import io
import os
import stat
import time
from collections.abc import Callable
from errno import EAGAIN
from threading import RLock
from typing import IO, Any, Self

from torsion.python import _reports
from torsion.python.failure import Failure

__all__ = ["BaseLogFile", "DailyLogFile", "LogFile", "LogReader"]

_NEW_FILE = 0o666
"""The mode of new files where none is given, less the umask."""


class BaseLogFile:
    """A file that is appended to, and put aside when ``shouldRotate`` says so.

    :ivar name: the file's name.
    :ivar directory: the folder that it is in; those that were put aside are there, too.
    :ivar path: both.
    :ivar defaultMode: the mode that new files are given, or ``None``.
    :ivar closed: whether the file was closed.
    """

    synchronized = ("write", "rotate")

    def __init__(self, name: str, directory: str, defaultMode: int | None = None) -> None:
        """Open the file, and make it if it does not exist.

        :param name: its name, without a folder.
        :param directory: the folder.
        :param defaultMode: the mode of files, such as ``0o640``; ``None`` leaves the mode of a file that exists as it is, and
            gives it to those that follow.
        :raise OSError: if it cannot be opened.
        """
        self.directory = directory
        self.name = name
        self.path = os.path.join(directory, name)  # noqa: PTH118 - a text, also where the folder is ""
        if defaultMode is None:
            defaultMode = _mode_of(self.path)
        self.defaultMode = defaultMode
        self.closed = False
        self._lock = RLock()
        self._busy = False
        self._waiting: list[Callable[[], object]] = []
        self._reported = False
        self._file: io.FileIO
        self._openFile()

    @classmethod
    def fromFullPath(cls, filename: str, *args: Any, **kwargs: Any) -> Self:
        """Open the file at the path *filename*; the other arguments are those of the class, without the folder."""
        path = os.path.abspath(filename)  # noqa: PTH100 - links in it stay what they are
        return cls(os.path.basename(path), os.path.dirname(path), *args, **kwargs)  # noqa: PTH119, PTH120 - the two halves of a text

    # --- to be given by subclasses -----------------------------------------------------------------------------------

    def shouldRotate(self) -> bool:
        """Return whether to rotate before the next write."""
        raise NotImplementedError(f"{type(self).__name__} must say when to rotate")

    def rotate(self) -> None:
        """Put the file aside and begin a new one."""
        raise NotImplementedError(f"{type(self).__name__} must say how to rotate")

    # --- writing -----------------------------------------------------------------------------------------------------

    def write(self, data: str | bytes) -> None:
        """Append *data*; text as UTF-8.  Rotate before, if it is time.

        :raise OSError: if it cannot be written; then nothing of it is.
        :raise ValueError: if the file is closed.
        :raise TypeError: if *data* is neither text nor bytes.
        """
        if isinstance(data, str):
            data = data.encode("utf-8", "backslashreplace")
        elif not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"a log file takes text or bytes, not {type(data).__name__}")
        with self._lock:
            if self._busy:
                # A signal handler, or what reports that rotating failed, logs while something else is being done.
                self._waiting.append(lambda: self._write(data))
            else:
                self._alone(self._rotate_and_write, data)

    def _alone(self, work: Callable[..., object], *args: Any) -> None:
        """Do *work*, and after it whatever was asked for meanwhile."""
        self._busy = True
        try:
            work(*args)
        finally:
            try:
                self._do_waiting()
            finally:
                self._busy = False
            if self._waiting:  # a signal has come between the two
                self._alone(self._do_waiting)

    def _do_waiting(self) -> None:
        while self._waiting:
            self._waiting.pop(0)()

    def _rotate_and_write(self, data: bytes) -> None:
        if self.closed:
            raise ValueError(f"the log file {self.path} is closed")
        if self.shouldRotate():
            try:
                self._rotate()
                self._reported = False
            except OSError:
                if not self._reported:
                    self._reported = True
                    _reports.report(f"The log file {self.path} could not be rotated, and grows", Failure())
        self._write(data)

    def _write(self, data: bytes) -> None:
        file = self._file
        before = self._end()
        written = 0
        try:
            while written < len(data):
                count = file.write(data[written:] if written else data)
                if count is None:
                    raise BlockingIOError(EAGAIN, "the log file takes no more at the moment")
                written += count
        except OSError as error:
            error.filename = self.path
            # Unless somebody else wrote there meanwhile.
            if written and self._end() == before + written:
                try:
                    file.truncate(before)
                except OSError:
                    pass  # it is a pipe or a device
                else:
                    written = 0
            raise
        finally:
            self._written(written)

    def _written(self, count: int) -> None:
        """Note that *count* more bytes are in the file."""

    def _end(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def flush(self) -> None:
        """Do nothing but what a file's ``flush`` does: all is written already."""
        self._file.flush()

    def close(self) -> None:
        """Close the file; closing it again does nothing."""
        with self._lock:
            self.closed = True
            self._file.close()

    # --- opening -----------------------------------------------------------------------------------------------------

    def _openFile(self) -> None:
        """Open the file for appending, as ``_file``."""

        def opener(path: str, flags: int) -> int:
            # Made with its mode, not changed to it: else others could open it in between.
            return os.open(
                path, flags | getattr(os, "O_CLOEXEC", 0), _NEW_FILE if self.defaultMode is None else self.defaultMode
            )

        # Appending, so that whatever shortens the file under our hands leaves no hole; readable for whoever looks at it.
        self._file = io.FileIO(self.path, "a+", opener=opener)
        if self.defaultMode is not None and stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            try:
                os.chmod(self.path, self.defaultMode)  # noqa: PTH101 - as above
            except OSError:
                pass  # it belongs to somebody else, and can be written to all the same

    def _replaceFile(self) -> None:
        """Open the path anew, and close what was open; if it cannot be opened, keep that."""
        before = self._file
        try:
            self._openFile()
        except BaseException:
            self._file = before
            raise
        before.close()

    def reopen(self) -> None:
        """Close the file, and open or make the one that is now at its path: some other program has put it aside.

        May be called from a signal handler: ``signal.signal(SIGHUP, lambda *_: logFile.reopen())``.

        :raise OSError: if it cannot be opened; then the old file stays open, and is written to.
        """
        self._when_idle(self._reopen)

    def _reopen(self) -> None:
        if not self.closed:
            self._replaceFile()

    def _when_idle(self, work: Callable[[], object]) -> None:
        with self._lock:
            if self._busy:
                self._waiting.append(work)
            else:
                self._alone(work)

    def _rotate(self) -> None:
        """Call ``rotate``, from within a write."""
        self._busy = False
        try:
            self.rotate()
        finally:
            self._busy = True

    def _may_rotate(self) -> bool:
        return not self.closed and os.access(self.directory or ".", os.W_OK) and os.access(self.path, os.W_OK)

    def _put_aside(self, name: str) -> None:
        """Rename the file to *name* and begin a new one; if that cannot be made, have everything as it was.

        :raise OSError: if it cannot be done.
        """
        if os.name == "nt":
            self._file.close()  # an open file cannot be renamed there
            try:
                os.replace(self.path, name)  # noqa: PTH105 - as above
            finally:
                self._openFile()
            return
        os.replace(self.path, name)  # noqa: PTH105 - as above
        try:
            self._replaceFile()
        except OSError:
            os.replace(name, self.path)  # noqa: PTH105 - as above
            raise

    # --- reading -----------------------------------------------------------------------------------------------------

    def getCurrentLog(self) -> LogReader:
        """Return a reader of the file that is being written to.

        :raise OSError: if it cannot be read.
        """
        return LogReader(self.path)


def _mode_of(path: str) -> int | None:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116 - a text, as everywhere here
    except OSError:
        return None


class LogFile(BaseLogFile):
    """A log file that is put aside when it has reached a size: ``name.1`` is the latest of those, ``name.2`` is older.

    :ivar size: how many bytes are in the file.
    :ivar rotateLength: how many bytes are enough.
    :ivar maxRotatedFiles: how many files are kept beside the one that is written to; ``None`` for all of them.
    """

    def __init__(
        self,
        name: str,
        directory: str,
        rotateLength: int | None = 1_000_000,
        defaultMode: int | None = None,
        maxRotatedFiles: int | None = None,
    ) -> None:
        """Open the file; see ``BaseLogFile``.

        :param rotateLength: how many bytes are enough; ``None`` or 0 never rotates by itself.
        :param maxRotatedFiles: how many files to keep beside this one; ``None`` for all.
        :raise ValueError: if one of them is negative.
        :raise TypeError: if one of them is no whole number.
        """
        _check_count("rotateLength", rotateLength)
        _check_count("maxRotatedFiles", maxRotatedFiles)
        self.rotateLength = rotateLength
        self.maxRotatedFiles = maxRotatedFiles
        self.size = 0
        super().__init__(name, directory, defaultMode)

    def _openFile(self) -> None:
        super()._openFile()
        self.size = self._end()

    def _written(self, count: int) -> None:
        self.size += count

    def shouldRotate(self) -> bool:
        """Return whether the file is large enough."""
        return bool(self.rotateLength and self.size >= self.rotateLength)

    def rotate(self) -> None:
        """Put the file aside as number 1, those that were before it one higher; remove those that are too many.

        Does nothing where the file or its folder may not be written to.

        :raise OSError: if it cannot be done for another reason; then the old file is written to, and nothing is lost.
        """
        self._when_idle(self._rotate_numbers)

    def _rotate_numbers(self) -> None:
        if not self._may_rotate():
            return
        numbers = self.listLogs()
        # Only as far as there is no gap, so that trying again and again, while no new file can be made, moves nothing on.
        run = 0
        while run < len(numbers) and numbers[run] == run + 1:
            run += 1
        if self.maxRotatedFiles is not None:
            run = min(run, self.maxRotatedFiles - 1)
        # The oldest first, and no further after an error: the next one would fall upon a file that is still there.
        for number in range(run, 0, -1):
            os.replace(f"{self.path}.{number}", f"{self.path}.{number + 1}")  # noqa: PTH105 - a text, as everywhere here
        self._put_aside(f"{self.path}.1")
        if self.maxRotatedFiles is not None:
            for number in self.listLogs():
                if number > self.maxRotatedFiles:
                    os.remove(f"{self.path}.{number}")  # noqa: PTH107 - as above

    def listLogs(self) -> list[int]:
        """Return the numbers of the files that were put aside, the latest first."""
        begin = f"{self.name}."
        endings = [name[len(begin) :] for name in os.listdir(self.directory or ".") if name.startswith(begin)]  # noqa: PTH208 - as above
        return sorted(int(ending) for ending in endings if ending.isdecimal() and ending.isascii() and ending[0] != "0")

    def getLog(self, identifier: int) -> LogReader:
        """Return a reader of the file with the number *identifier*.

        :raise ValueError: if there is none.
        """
        name = f"{self.path}.{identifier:d}" if isinstance(identifier, int) else _refuse(identifier)
        return _reader(name)


def _check_count(name: str, count: object) -> None:
    if count is None:
        return
    if not isinstance(count, int):
        raise TypeError(f"{name} must be a whole number or None, not {count!r}")
    if count < 0:
        raise ValueError(f"{name} must be 0 or more, or None, not {count!r}")


def _refuse(identifier: object) -> str:
    raise TypeError(f"log files that were put aside have numbers, and {identifier!r} is none")


def _reader(name: str) -> LogReader:
    try:
        return LogReader(name)
    except FileNotFoundError:
        raise ValueError(f"there is no log file {name}") from None


class DailyLogFile(BaseLogFile):
    """A log file that is put aside when a day is over, as ``name.2026_11_21``.  Days are those of local time.

    :ivar lastDate: the year, month and day of the latest write.
    """

    lastDate: tuple[int, int, int]

    def _openFile(self) -> None:
        super()._openFile()
        self.lastDate = self.toDate(os.fstat(self._file.fileno()).st_mtime)

    def _written(self, count: int) -> None:
        self.lastDate = max(self.lastDate, self.toDate())

    def shouldRotate(self) -> bool:
        """Return whether the latest write was on another day."""
        return self.toDate() > self.lastDate

    def toDate(self, *args: float) -> tuple[int, int, int]:
        """Return year, month and day of a time, in seconds since the epoch; without one, of today."""
        return time.localtime(*args)[:3]

    def suffix(self, tupledate: float | tuple[int, int, int]) -> str:
        """Return the ending of the file of a day, which is given as year, month and day, or as a time in it."""
        if isinstance(tupledate, int | float):
            tupledate = self.toDate(tupledate)
        return "_".join(map(str, tupledate))

    def rotate(self) -> None:
        """Put the file aside under its date.

        Does nothing where there is a file of that name already, and where the file or its folder may not be written to.

        :raise OSError: if it cannot be done for another reason; then the old file is written to, and nothing is lost.
        """
        self._when_idle(self._rotate_date)

    def _rotate_date(self) -> None:
        name = f"{self.path}.{self.suffix(self.lastDate)}"
        if self._may_rotate() and not os.path.exists(name):  # noqa: PTH110 - a text, as everywhere here
            self._put_aside(name)

    def getLog(self, identifier: float | tuple[int, int, int]) -> LogReader:
        """Return a reader of the file of a day, which is given as year, month and day, or as a time in it.

        :raise ValueError: if there is none.
        """
        day = identifier if isinstance(identifier, tuple) else self.toDate(identifier)
        if day == self.lastDate:
            return self.getCurrentLog()
        return _reader(f"{self.path}.{self.suffix(day)}")


class LogReader:
    """Reads a log file, some lines at a time."""

    def __init__(self, name: str) -> None:
        """Open the file *name*; what is no UTF-8 in it is shown escaped.

        :raise OSError: if it cannot be opened.
        """
        self._file: IO[str] = open(name, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115, PTH123 - close() is below

    def readLines(self, lines: int = 10) -> list[str]:
        """Return the next lines, at most *lines*, with their ends; fewer at the end of the file."""
        found: list[str] = []
        for _ in range(lines):
            line = self._file.readline()
            if not line:
                break
            found.append(line)
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()
