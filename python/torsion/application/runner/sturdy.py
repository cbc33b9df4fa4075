"""Observers that outlive the place that they write to: a full disk, a reader that has gone away."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.runner.terminal import complain
from torsion.logger import ILogObserver

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.logger import LogEvent

__all__ = ["Descriptor", "SturdyObserver"]


class Descriptor:
    """A stream that writes text to a descriptor at once, and keeps nothing: what cannot be written is not tried again at the end.

    ``isatty`` tells as any stream's.
    """

    def __init__(self, descriptor: int, encoding: str = "utf-8") -> None:
        """Write to *descriptor*, which stays its owner's."""
        self._descriptor = descriptor
        self.encoding = encoding
        self.errors = "backslashreplace"

    def write(self, text: str) -> int:
        """Write all of *text*.

        :raise OSError: if it cannot be written, or not as a whole.
        """
        data = memoryview(text.encode(self.encoding, self.errors))
        while data:
            data = data[os.write(self._descriptor, data) :]
        return len(text)

    def flush(self) -> None:
        """Do nothing: all is written."""

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Tell whether this is a terminal."""
        return os.isatty(self._descriptor)


def unbuffered(stream: IO[Any]) -> Any:
    """Return a :class:`Descriptor` for *stream*, after what it holds back was written; or itself, if it has no descriptor."""
    try:
        stream.flush()
        return Descriptor(stream.fileno(), getattr(stream, "encoding", None) or "utf-8")
    except (OSError, ValueError, AttributeError):  # nobody reads it, it is closed, it is a test's
        return stream


@implementer(ILogObserver)
class SturdyObserver:
    """Shows events to another observer, and goes on where that cannot write them: that is told once, and how many were lost when it can."""

    def __init__(self, observer: Callable[[LogEvent], object], name: str, *, tell: bool = True) -> None:
        """Protect *observer*.

        :param name: what to call the place that it writes to.
        :param tell: whether to tell of losses on standard error.
        """
        self._observer = observer
        self._name = name
        self._tell = tell
        self.lost = 0

    def __call__(self, event: LogEvent) -> None:
        """Show *event*, or lose it."""
        try:
            self._observer(event)
        except (OSError, ValueError) as problem:  # ValueError: the file is closed
            self.lost += 1
            if self.lost == 1 and self._tell:
                why = getattr(problem, "strerror", None) or problem
                complain(f"cannot write to the log {self._name}: {why}; events are lost until it can be written to")
        else:
            if self.lost:
                lost, self.lost = self.lost, 0
                if self._tell:
                    complain(f"the log {self._name} can be written to again; {lost} events were lost")
