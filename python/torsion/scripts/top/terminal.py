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

    :ivar colours: whether colours are wanted (https://no-color.org).
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
        self._leaving = self._pausing = False

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._before = self._termios.tcgetattr(self._in)
        for number in (signal.SIGWINCH, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
            self._handlers[number] = signal.signal(number, self._signalled)
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave all as it was."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._end()
        os.close(self._woken)
        os.close(self._waker)

    def _begin(self) -> None:
        self._tty.setcbreak(self._in)
        self.forget()
        self._write(_ENTER)

    def _end(self) -> None:
        self._write(_LEAVE)
        with suppress(self._termios.error):  # the terminal is gone
            self._termios.tcsetattr(self._in, self._termios.TCSADRAIN, self._before)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGTSTP:
            self._pausing = True
        elif number != signal.SIGWINCH:
            self._leaving = True
        self.wake()

    def _pause(self) -> None:
        """Leave the terminal to the shell until that has us go on."""
        self._pausing = False
        self._end()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._begin()

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
        if self._pausing:
            self._pause()
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
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except OSError:  # the terminal is gone
            self._leaving = True
