"""Lines that a thread writes: a disk that is slow, or a pipe whose reader is, holds no response up."""

from __future__ import annotations

from pathlib import Path
from threading import Condition, Thread
from typing import IO, Final

from torsion.logger import Logger

__all__ = ["AccessLog", "BackgroundLines"]

_log = Logger()

MOST_KEPT: Final = 16 * 1024 * 1024
"""How many characters may wait to be written: some 100,000 lines.  More are dropped, and counted, rather than that the memory
of a process grows with a disk that has stopped."""

LONGEST_FAREWELL: Final = 5.0
"""The seconds that closing waits for what is left to be written."""


class BackgroundLines:
    """Has a thread write lines in the order in which :meth:`write` was called; the thread is begun with the first of them.

    :ivar dropped: how many lines were lost, since whatever they are written to could not take them.
    """

    def __init__(self, name: str) -> None:
        """Make one.

        :param name: what to call it in the log of the process.
        """
        self._name = name
        self._waiting: list[str] = []
        self._kept = 0
        self._told = 0
        self._closing = False
        self._change = Condition()
        self._thread: Thread | None = None
        self.dropped = 0

    def put(self, lines: list[str]) -> int:
        """Write some lines; called in the thread.

        :returns: how many of them could not be written.
        """
        raise NotImplementedError  # each kind of log writes in its own way

    def end(self) -> None:
        """Let go of what was written to; called once, when all is written."""

    def write(self, text: str) -> None:
        """Have a line, with its end, written soon; does nothing once it is closed."""
        with self._change:
            if self._closing or self._kept > MOST_KEPT:
                self.dropped += 1
                return
            self._waiting.append(text)
            self._kept += len(text)
            if self._thread is None:
                self._thread = Thread(target=self._work, name="access log", daemon=True)
                self._thread.start()
            elif len(self._waiting) == 1:
                self._change.notify()

    def _work(self) -> None:
        while True:
            with self._change:
                while not self._waiting:
                    if self._closing:
                        return
                    self._change.wait()
                lines, self._waiting, self._kept = self._waiting, [], 0
            lost = self.put(lines)
            with self._change:
                self.dropped += lost
                untold = self.dropped - self._told
                if not lost:
                    self._told = self.dropped
            if untold and not lost:
                self._tell(untold)

    def _tell(self, lost: int) -> None:
        _log.warn("The access log {name} has lost lines: {lost}", name=self._name, lost=lost)

    def close(self, wait: float = LONGEST_FAREWELL) -> bool:
        """Take no more lines, write what is left, and let go.

        :param wait: the seconds to wait for that; what takes longer goes on in its thread, until the process ends.
        :returns: whether all is written.
        """
        with self._change:
            self._closing = True
            self._change.notify()
            thread = self._thread
        if thread is not None:
            thread.join(wait)
            if thread.is_alive():
                return False
            self._thread = None
        if self.dropped > self._told:
            self._tell(self.dropped - self._told)
            self._told = self.dropped
        self.end()
        return True


class AccessLog(BackgroundLines):
    """A file that is appended to.

    Several processes may append to the same file: lines are not torn as long as the system writes them at once.
    """

    def __init__(self, path: str) -> None:
        """Open the file, which is made if there is none.

        :raises OSError: if it cannot be opened.
        """
        super().__init__(path)
        self._file: IO[bytes] = Path(path).open("ab", buffering=0)  # noqa: SIM115 - `end`
        self._torn = False
        self._failed = False

    def put(self, lines: list[str]) -> int:
        """Write some lines."""
        data = "".join(lines).encode("utf-8", "backslashreplace")
        rest = memoryview(
            b"\n" + data if self._torn else data
        )  # what follows half a line is not to be taken for its rest
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except (OSError, ValueError):  # the disk is full, the pipe has no reader; or it was closed in the meantime
            written = len(data) - len(rest)
            if written > 0:
                self._torn = data[written - 1] != 0x0A
            if not self._failed:
                self._failed = True
                _log.failure("The access log {path} cannot be written to: its lines are lost", path=self._name)
            return data.count(b"\n", max(written, 0))
        self._torn = self._failed = False
        return 0

    def close(self, wait: float = LONGEST_FAREWELL) -> bool:
        """Write what is left, and close the file."""
        done = super().close(wait)
        if not done and wait:
            _log.warn("The access log {path} is left before all of its lines are written", path=self._name)
        return done

    def end(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError:
            _log.failure("The access log {path} could not be closed", path=self._name)
