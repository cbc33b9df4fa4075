"""``LoggingFile``: a file to write to whose lines become events."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, NoReturn

from torsion.logger.levels import LogLevel
from torsion.logger.logger import Logger

__all__ = ["LoggingFile"]


class LoggingFile:
    """Looks like a file open for writing, and emits each whole line as an event, with the text in ``log_io``.

    Stands for ``sys.stdout`` and ``sys.stderr`` once logging has begun.
    """

    _softspace = 0

    def __init__(self, logger: Logger, level: LogLevel = LogLevel.info, encoding: str | None = None) -> None:
        """Send lines to *logger*.

        :param logger: emits the events.
        :param level: of the events.
        :param encoding: of bytes that are written; ``None`` stands for Python's default.
        """
        self.level = level
        self.log = logger
        self._encoding = encoding or sys.getdefaultencoding()
        self._rest = ""
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
        return self._closed

    @property
    def encoding(self) -> str:
        """How bytes that are written are decoded."""
        return self._encoding

    @property
    def mode(self) -> str:
        """``"w"``."""
        return "w"

    @property
    def newlines(self) -> None:
        """``None``: line ends are not translated."""
        return None

    @property
    def name(self) -> str:
        """Tells namespace and level."""
        return f"<{self.__class__.__name__} {self.log.namespace}#{self.level.name}>"

    @property
    def softspace(self) -> int:
        """A relic of Python 2's print statement (deprecated)."""
        _deprecate_softspace()
        return self._softspace

    @softspace.setter
    def softspace(self, value: int) -> None:
        _deprecate_softspace()
        self._softspace = value

    def close(self) -> None:
        """Close the file; writing raises from now on."""
        self._closed = True

    def flush(self) -> None:
        """Do nothing: a line is out as soon as it is whole."""

    def isatty(self) -> bool:
        """Return ``False``."""
        return False

    def writable(self) -> bool:
        """Return ``True``."""
        return True

    def readable(self) -> bool:
        """Return ``False``."""
        return False

    def seekable(self) -> bool:
        """Return ``False``."""
        return False

    def write(self, message: str | bytes) -> int:
        """Take *message*, and emit an event for each line that it ends.

        :return: the length of *message*.
        :raise ValueError: if the file is closed.
        """
        if self._closed:
            raise ValueError("I/O operation on closed file")
        text = message.decode(self._encoding) if isinstance(message, bytes) else message
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self.log.emit(self.level, format="{log_io}", log_io=line)
        return len(message)

    def writelines(self, lines: Iterable[str | bytes]) -> None:
        """Write each of *lines*; no line ends are added."""
        for line in lines:
            self.write(line)

    def _refuse(self, *args: Any) -> NoReturn:
        """Raise ``OSError``: this file can only be written to."""
        # UnsupportedOperation is an OSError; print and the like look out for it.
        from io import UnsupportedOperation

        raise UnsupportedOperation("a file that logs can only be written to")

    fileno = next = read = readline = readlines = seek = tell = truncate = xreadlines = _refuse


def _deprecate_softspace() -> None:
    import warnings

    warnings.warn("LoggingFile.softspace means nothing since Python 3", DeprecationWarning, stacklevel=3)
