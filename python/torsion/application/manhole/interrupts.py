"""Ctrl-C while code blocks: then the reactor hears nothing, so a thread listens to the connection instead.

While a prompt's code runs for more than a moment, a thread waits for its operator: for the request to interrupt, which it looks at and
leaves for the reactor to read, or for the connection's end.  It then sends the main thread a signal, whose handler raises ``KeyboardInterrupt``
where the code stands, also in a call such as ``time.sleep``.  The handler looks at a flag that is lowered before anything else
happens, so nothing but the operator's code is ever interrupted.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
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
        """Know where to listen.  Call :meth:`close` in the end.

        :param descriptor: returns the descriptor of the operator's connection, a stream socket; -1 if there is none.
        :param requests: returns how many requests to interrupt are in what it is given, which may begin and end anywhere.
        """
        self.sent = 0
        self._descriptor = descriptor
        self._requests = requests
        self._running = False
        self._turn = 0
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._watcher: threading.Thread | None = None

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call *function*, which is interrupted when the operator wants it: by ``KeyboardInterrupt``.

        It needs the main thread and signals; elsewhere, and within another such call, it is just called.
        """
        number = getattr(signal, "SIGURG", None)  # ignored where there is no handler, and used by nobody
        if self._running or number is None or sys.platform == "win32" or not in_main_thread() or not self._watches():
            return function(*args)
        before = signal.signal(number, self._raise)
        try:
            self._turn += 1
            self._wanted.set()
            try:
                self._running = True
                return function(*args)
            finally:
                self._running = False
        finally:
            self._running = False  # as the signal may have come just before that
            self._wanted.clear()
            signal.signal(number, before if before is not None else signal.SIG_DFL)

    def close(self) -> None:
        """Listen no more."""
        self._closing.set()
        self._wanted.set()
        if self._watcher is not None:
            self._watcher.join()

    def _watches(self) -> bool:
        """Have the thread, if there can be one; it is made when it is needed first."""
        if self._watcher is None and not self._closing.is_set() and (descriptor := self._descriptor()) >= 0:
            try:
                copy = os.dup(descriptor)
            except OSError:  # there are no more descriptors; the operator may be about to find out why
                return False
            watcher = threading.Thread(target=self._watch, args=(copy,), name="torsion manhole", daemon=True)
            try:
                watcher.start()
            except RuntimeError:  # likewise threads
                os.close(copy)
                return False
            self._watcher = watcher
        return self._watcher is not None

    def _raise(self, number: int, frame: FrameType | None) -> None:
        """Interrupt the code that stands at *frame*, unless it is not the operator's, or must not be left in its midst: then the
        signal comes again."""
        if self._running and frame is not None and not str(frame.f_globals.get("__name__")).startswith(_LEFT_ALONE):
            self.sent += 1
            raise KeyboardInterrupt

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _watch(self, descriptor: int) -> None:
        with socket.socket(fileno=descriptor) as operator:
            operator.setblocking(False)  # as it is, whatever the default timeout of sockets is here
            while not self._closing.is_set():
                self._wanted.wait()
                turn = self._turn
                # Most code is done by then, and costs no more than this.
                if not self._closing.wait(_LOOK_SECONDS):
                    self._listen(operator, turn)

    def _listen(self, operator: socket.socket, turn: int) -> None:
        """Listen to the operator for as long as the same code runs."""
        main = threading.main_thread().ident
        assert main is not None
        before = self.sent
        while self._running and self._turn == turn:
            requests = self._look(operator)
            if requests is None or self.sent < requests:  # those that were heard wait to be read
                signal.pthread_kill(main, signal.SIGURG)
            heard = requests is None and self.sent > before
            if self._closing.wait(AGAIN_SECONDS if heard else _LOOK_SECONDS):
                return

    def _look(self, operator: socket.socket) -> int | None:
        """Return how many requests are there to be read, or None if the operator has gone."""
        try:
            data = operator.recv(_LOOK_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            return 0
        except ConnectionError:
            return None
        return self._requests(data) if data else None
