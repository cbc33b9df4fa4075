"""Ctrl-C while code blocks: then the reactor hears nothing, so a thread listens to the connection instead.

While a prompt's code runs, a thread waits for its operator: for the request to interrupt, which it looks at and leaves for the
reactor to read, or for the connection's end.  It then sends the main thread a signal, whose handler raises ``KeyboardInterrupt``
where the code stands, also in a call such as ``time.sleep``.  The handler looks at a flag that is lowered before anything else
happens, so nothing but the operator's code is ever interrupted.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.signals import in_main_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["AGAIN_SECONDS", "Interrupts"]

AGAIN_SECONDS = 1.0
"""How often, in seconds, code is interrupted whose operator has gone; it may catch the first one."""

# Where code is not interrupted: here, where what is printed is kept; and in what measures which lines run, with locks of its own.
_LEFT_ALONE = (__name__.rpartition(".")[0] + ".", "coverage.")

_LOOK_SECONDS = 0.05
_LOOK_BYTES = 65536


class Interrupts:
    """Interrupts what one prompt runs.

    :ivar sent: how often that was done; the reactor reads as many requests later, when they mean nothing any more.
    """

    def __init__(self, descriptor: Callable[[], int], requests: Callable[[bytes], int]) -> None:
        """Know where to listen.

        :param descriptor: returns the descriptor of the operator's connection, a stream socket; -1 if there is none.
        :param requests: returns how many requests to interrupt are in what it is given, which may begin and end anywhere.
        """
        self.sent = 0
        self._descriptor = descriptor
        self._requests = requests
        self._running = False

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call *function*, which is interrupted when the operator wants it: by ``KeyboardInterrupt``.

        It needs the main thread and signals; elsewhere, and within another such call, it is just called.
        """
        number = getattr(signal, "SIGURG", None)  # ignored where there is no handler, and used by nobody
        descriptor = self._descriptor()
        if self._running or number is None or descriptor < 0 or sys.platform == "win32" or not in_main_thread():
            return function(*args)
        before = signal.signal(number, self._raise)
        stop, stopped = socket.socketpair()
        watcher = threading.Thread(
            target=self._watch, args=(os.dup(descriptor), stopped, number), name="torsion manhole", daemon=True
        )
        try:
            watcher.start()
            try:
                self._running = True
                return function(*args)
            finally:
                self._running = False
        finally:
            self._running = False  # as the signal may have come just before that
            signal.signal(number, before if before is not None else signal.SIG_DFL)
            stop.close()
            if watcher.ident is not None:  # else it could not be started
                watcher.join()
            stopped.close()

    def _raise(self, number: int, frame: FrameType | None) -> None:
        """Interrupt the code that stands at *frame*, unless it is not the operator's, or must not be left in its midst: then the
        signal comes again."""
        if self._running and frame is not None and not str(frame.f_globals.get("__name__")).startswith(_LEFT_ALONE):
            self.sent += 1
            raise KeyboardInterrupt

    def _watch(self, descriptor: int, stopped: socket.socket, number: int) -> None:
        main = threading.main_thread().ident
        assert main is not None
        before = self.sent
        with socket.socket(fileno=descriptor) as operator:
            operator.setblocking(False)  # as it is, whatever the default timeout of sockets is here
            both, end = select.poll(), select.poll()
            both.register(operator, select.POLLIN)
            both.register(stopped, select.POLLIN)
            end.register(stopped, select.POLLIN)
            events = both.poll()
            while not any(each == stopped.fileno() for each, _ in events):
                requests = self._look(operator)
                if requests is None or self.sent < requests:  # those that were heard wait to be read
                    signal.pthread_kill(main, number)
                # It stays readable, as nobody reads: so look again after a while.
                heard = requests is None and self.sent > before
                events = end.poll(int(1000 * (AGAIN_SECONDS if heard else _LOOK_SECONDS)))

    def _look(self, operator: Any) -> int | None:
        """Return how many requests are there to be read, or None if the operator has gone."""
        with suppress(BlockingIOError):
            try:
                data = operator.recv(_LOOK_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            except ConnectionError:
                return None
            return self._requests(data) if data else None
        return 0
