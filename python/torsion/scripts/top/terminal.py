"""A terminal that is drawn on: keys come in as they are pressed, and all is as before at the end."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Self

__all__ = ["Terminal", "TerminalError"]

# ECMA-48 and xterm's control sequences: the other screen, and the cursor.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"


class TerminalError(Exception):
    """There is no terminal to draw on; the text says why."""


class Terminal:
    """Standard input and output, where they are a terminal; a context within which it is drawn on.

    :ivar colours: whether it has colours, and they are wanted.
    :ivar letters: whether it has letters beyond ASCII.
    """

    def __init__(self) -> None:
        """Look what there is.

        :raises TerminalError: if it is no terminal.
        """
        try:
            import termios
            import tty
        except ImportError as problem:
            raise TerminalError("there are no terminals of this kind on this system") from problem
        self._termios, self._tty = termios, tty
        if sys.stdin is None or sys.stdout is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise TerminalError("this is no terminal")
        if os.environ.get("TERM", "dumb") == "dumb":
            raise TerminalError("this terminal cannot be drawn on (TERM is dumb or not set)")
        self.colours = not os.environ.get("NO_COLOR")
        self._encoding = sys.stdout.encoding or "ascii"
        self._in, self._out = sys.stdin.fileno(), sys.stdout.fileno()
        self._before: list[Any] = []
        self._handlers: dict[int, Any] = {}
        self._woken, self._waker = -1, -1
        self._shown: list[str] = []

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._before = self._termios.tcgetattr(self._in)
        self._tty.setcbreak(self._in)
        for number in (signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._signalled)
        self._leaving = False
        self._write(_ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave all as it was."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        with suppress(OSError):
            self._write(_LEAVE)
        with suppress(self._termios.error):
            self._termios.tcsetattr(self._in, self._termios.TCSADRAIN, self._before)
        os.close(self._woken)
        os.close(self._waker)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGWINCH:
            self._leaving = True
        self.wake()

    def wake(self) -> None:
        """End a wait that is going on, or else the next one; may be called in any thread."""
        with suppress(OSError):
            os.write(self._waker, b"\0")

    def size(self) -> tuple[int, int]:
        """Return how many columns and lines there are."""
        with suppress(OSError):
            columns, lines = os.get_terminal_size(self._out)
            if columns > 0 and lines > 0:
                return columns, lines
        return shutil.get_terminal_size()

    def wait(self, seconds: float) -> str | None:
        """Wait for keys, a change of size or :meth:`wake`; return the keys, or None if the terminal is gone or to be left."""
        ready, _, _ = select.select([self._in, self._woken], [], [], max(0.0, seconds))
        keys = ""
        if self._woken in ready:
            os.read(self._woken, 4096)
        if self._in in ready:
            try:
                data = os.read(self._in, 1024)
            except OSError:
                data = b""
            if not data:
                return None
            keys = data.decode("utf-8", "replace")
        return None if self._leaving else keys

    def show(self, lines: list[str]) -> None:
        """Draw lines; only those that have changed are written."""
        _, height = self.size()
        lines = lines[:height]
        text = ""
        if len(self._shown) != height:
            text, self._shown = "\x1b[2J", [""] * height
        for number, line in enumerate([*lines, *[""] * (height - len(lines))]):
            if line != self._shown[number]:
                text += f"\x1b[{number + 1};1H\x1b[0m{line}\x1b[0m\x1b[K"
                self._shown[number] = line
        self._write(text)

    def forget(self) -> None:
        """Draw everything anew the next time: the size has changed."""
        self._shown = []

    def _write(self, text: str) -> None:
        data = text.encode(self._encoding, "replace")
        while data:
            data = data[os.write(self._out, data) :]
