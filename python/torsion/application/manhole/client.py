"""The operator's end of a connection to a prompt, without a reactor: it blocks, as its terminal does."""

from __future__ import annotations

import queue
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torsion.application.localpeer import connectLocally
from torsion.application.manhole.messages import VERSION, MessageError, decode, encode

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

__all__ = ["ANSWER_SECONDS", "Client", "LeftError"]

ANSWER_SECONDS = 2.0
"""How long to wait for names, in seconds: whoever pressed Tab types on otherwise."""

_INTERRUPT: dict[str, Any] = {}  # stands among the answers where SIGINT came

_LONGEST = 1 << 22  # a line from a prompt: a chunk of output, each character as six bytes, or many names


class LeftError(Exception):
    """The session is over."""


class Client:
    """A session at a prompt.

    :ivar welcome: what the prompt said first.
    :ivar interrupted: whether a block was ever interrupted.
    """

    def __init__(self, path: str | os.PathLike[str], show: Callable[[str, str], None]) -> None:
        """Connect.

        :param path: the prompt's socket.
        :param show: called with the kind and the text of all output, in a thread of its own.
        :raises torsion.application.localpeer.LocalConnectError: if that cannot be done.
        :raises LeftError: if the prompt refuses, or is none.
        """
        self._show = show
        self.interrupted = False
        self._number = 0
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._names: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._why = "the process has ended the session"
        self._lock = threading.Lock()
        self._connection = connectLocally(path)
        self._connection.settimeout(None)
        self._reader = threading.Thread(target=self._read, name="torsion manhole", daemon=True)
        self._reader.start()
        try:
            first = self._next()
        except BaseException:
            self.close()
            raise
        if first.get("is") != "welcome" or first.get("version") != VERSION:
            self.close()
            raise LeftError(f"no prompt of this version is there: it says {first!r}")
        self.welcome = str(first.get("text", ""))

    def close(self) -> None:
        """Leave."""
        import socket

        try:
            self._connection.shutdown(socket.SHUT_RDWR)  # which ends the reader, too
        except OSError:
            pass
        if threading.current_thread() is not self._reader:
            self._reader.join()
        self._connection.close()

    def _read(self) -> None:
        try:
            with self._connection.makefile("rb") as lines:
                while (line := lines.readline(_LONGEST)).endswith(b"\n"):
                    self._received(decode(line))
        except (OSError, MessageError) as problem:
            self._why = str(problem)
        finally:
            self._answers.put(None)
            self._names.put(None)

    def _received(self, message: dict[str, Any]) -> None:
        match message.get("is"):
            case "output":
                self._show(str(message.get("kind")), str(message.get("text")))
            case "names":
                self._names.put(message)
            case "refused":
                self._why = str(message.get("why"))
            case _:
                self._answers.put(message)

    def _next(self) -> dict[str, Any]:
        message = self._answers.get()
        if message is None:
            self._answers.put(None)
            raise LeftError(self._why)
        return message

    def _send(self, message: dict[str, Any]) -> None:
        try:
            with self._lock:
                self._connection.sendall(encode(message))
        except OSError:
            pass  # the reader knows why

    def run(self, source: str, final: bool = False) -> dict[str, Any]:
        """Run a block.  SIGINT, while it runs and if this is the main thread, is passed on to it.

        :returns: ``{"is": "more"}``, or ``{"is": "done", "ok": ..., "leave": ...}``.
        :raises LeftError: if the session has ended.
        """
        self._number += 1
        number = self._number
        with self._passing_on():
            self._send({"do": "run", "id": number, "source": source, "final": final})
            while True:
                answer = self._next()
                if answer is _INTERRUPT:
                    self.interrupted = True
                    self._send({"do": "interrupt", "id": number})
                elif answer.get("id") == number and answer.get("is") in ("more", "done"):
                    return answer

    @contextmanager
    def _passing_on(self) -> Iterator[None]:
        """Have SIGINT say so among the answers, instead of raising an exception wherever the thread is."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, lambda *_: self._answers.put(_INTERRUPT))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            over = False
            while not self._answers.empty():
                left = self._answers.get()
                over |= left is None
                self.interrupted |= left is _INTERRUPT  # it came when nothing ran any more
            if over:
                self._answers.put(None)

    def complete(self, text: str) -> list[str]:
        """Return what the name *text* may become; nothing if the prompt does not answer in time."""
        self._number += 1
        self._send({"do": "complete", "id": self._number, "text": text})
        try:
            while (answer := self._names.get(timeout=ANSWER_SECONDS)) is not None:
                if answer.get("id") == self._number:
                    return [str(name) for name in answer.get("names", ())]
            self._names.put(None)
        except queue.Empty:
            pass
        return []
