"""Signals: what stops a reactor that runs in the main thread, and how a signal wakes it."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import TypeAlias

    _Handler: TypeAlias = Callable[[int, FrameType | None], Any]

__all__ = ["SignalHandlers", "in_main_thread"]


def in_main_thread() -> bool:
    """Tell whether this is the thread in which Python runs signal handlers, the only one that may install them."""
    return threading.current_thread() is threading.main_thread()


class SignalHandlers:
    """The signal handlers of one run of a reactor, and those that they replaced."""

    def __init__(self, wakeup: int, interrupt: _Handler, terminate: _Handler, interrupted: _Handler) -> None:
        """Prepare, but install nothing.

        :param wakeup: a descriptor that wakes the reactor when a byte is written to it; -1 if there is none.
        :param interrupt: for SIGINT, which is left alone if the program has a handler of its own for it.
        :param terminate: for SIGTERM.
        :param interrupted: for SIGBREAK, where there is that signal.
        """
        self._wakeup = wakeup
        self._handlers: dict[int, _Handler] = {signal.SIGTERM: terminate}
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._handlers[signal.SIGINT] = interrupt
        if hasattr(signal, "SIGBREAK"):  # Windows, for Ctrl-Break
            self._handlers[signal.SIGBREAK] = interrupted
        self._installed: dict[int, tuple[_Handler, Any]] = {}
        self._previous_wakeup = -1

    def install(self) -> None:
        """Install the handlers and have signals wake the reactor.

        :raises ValueError: in another than the main thread.
        """
        if self._wakeup >= 0:
            self._previous_wakeup = signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        for number, handler in self._handlers.items():
            installed = self._chained(handler)
            self._installed[number] = installed, signal.signal(number, installed)

    def _chained(self, handler: _Handler) -> _Handler:
        """Wrap *handler* so that whoever had a wake-up descriptor before is woken by this signal, too."""
        previous = self._previous_wakeup
        if previous < 0:
            return handler

        def chained(number: int, frame: FrameType | None) -> Any:
            with suppress(OSError):  # full or closed: it has been woken, or has gone
                os.write(previous, bytes((number,)))
            return handler(number, frame)

        return chained

    def uninstall(self) -> None:
        """Put back what was there before, but for what somebody replaced since.  Does nothing the second time."""
        for number, (installed, previous) in self._installed.items():
            # A previous handler of None was installed by C code; Python cannot put it back.
            if signal.getsignal(number) is installed and previous is not None:
                signal.signal(number, previous)
        self._installed.clear()
        if self._wakeup >= 0:
            current = signal.set_wakeup_fd(-1)
            with suppress(OSError, ValueError):  # it was closed meanwhile
                previous_wakeup = self._previous_wakeup if current == self._wakeup else current
                signal.set_wakeup_fd(previous_wakeup, warn_on_full_buffer=False)
            self._wakeup = -1
