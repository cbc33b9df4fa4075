"""A file of lines that a thread writes: a disk that is slow, or a pipe whose reader is, holds no response up."""

from __future__ import annotations

from pathlib import Path
from threading import Condition, Thread
from typing import IO, Final

from torsion.logger import Logger

__all__ = ["AccessLog"]

_log = Logger()

MOST_KEPT: Final = 16 * 1024 * 1024
"""How many characters may wait to be written: some 100,000 lines.  More are dropped, and counted, rather than that the memory
of a process grows with a disk that has stopped."""

LONGEST_FAREWELL: Final = 5.0
"""The seconds that closing waits for what is left to be written."""


class AccessLog:
    """A file that is appended to, in the order in which :meth:`write` is called.

    :ivar dropped: how many writes were lost, to a disk that was full or had stopped.
    """

    def __init__(self, path: str) -> None:
        """Open the file, which is made if there is none.

        :raises OSError: if it cannot be opened.
        """
        self._path = path
        self._file: IO[str] = Path(path).open("a", encoding="utf-8", errors="backslashreplace", newline="\n")  # noqa: SIM115 - `close`
        self._waiting: list[str] = []
        self._kept = 0
        self._closing = False
        self._failed = False
        self._change = Condition()
        self._thread: Thread | None = None
        self.dropped = 0

    def write(self, text: str) -> None:
        """Have *text* written soon; does nothing once it is closed."""
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
            try:
                self._file.write("".join(lines))
                self._file.flush()
            except (OSError, ValueError):  # the disk is full; or it was closed in the meantime
                self.dropped += len(lines)
                if not self._failed:
                    self._failed = True
                    _log.failure("The access log {path} cannot be written to: its lines are lost", path=self._path)
            else:
                self._failed = False

    def close(self) -> None:
        """Write what is left, for five seconds at most, and close the file."""
        with self._change:
            self._closing = True
            self._change.notify()
            thread = self._thread
        if thread is not None:
            thread.join(LONGEST_FAREWELL)
            if thread.is_alive():
                _log.warn("The access log {path} is closed before all of its lines are written", path=self._path)
                return  # the thread has the file; the end of the process closes it
        try:
            self._file.close()
        except OSError:
            _log.failure("The access log {path} could not be closed", path=self._path)
