"""A connection to a prompt, at the prompt's end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.manhole.interpreter import Interpreter, Outcome, TooMuchOutput
from torsion.application.manhole.interrupts import Interrupts
from torsion.application.manhole.messages import LONGEST, VERSION, MessageError, checked, decode, encode, interrupts
from torsion.internet.defer import Deferred
from torsion.internet.interfaces import IPushProducer
from torsion.logger import Logger
from torsion.protocols.basic import LineOnlyReceiver

if TYPE_CHECKING:
    from torsion.application.manhole.server import ManholeFactory

__all__ = ["CHUNK", "UNREAD", "Session"]

UNREAD = 1 << 20
"""How many characters of output are kept for an operator who does not read them, before what prints is told."""

CHUNK = 1 << 15
"""How many characters go into one message; six bytes each at worst."""

_log = Logger("torsion.application.manhole")


@implementer(IPushProducer)
class Session(LineOnlyReceiver):
    """Understands an operator's client, and has an ``Interpreter`` do what it asks for.

    As a producer it is told whether the client reads: what it does not read is kept here, up to :data:`UNREAD`.
    """

    delimiter = b"\n"
    MAX_LENGTH = LONGEST
    factory: ManholeFactory

    def __init__(self) -> None:
        self.interpreter: Interpreter | None = None
        self._output: list[tuple[str, str]] = []
        self._kept = 0
        self._lost = 0
        self._paused = False
        self._sending: Any = None
        self._pressed: list[Deferred[None]] = []
        self._number: int | None = None
        self._thread = threading.get_ident()
        self._interrupts = Interrupts(self._descriptor, interrupts)

    # --- the connection -----------------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Welcome the operator."""
        self.transport.registerProducer(self, True)
        refusal = self.factory.entered(self)
        if refusal is not None:
            self.refuse(refusal)
            return
        self.interpreter = Interpreter(
            self.factory.names(),
            self.emit,
            seconds=self.factory.reactor.seconds,
            call=self._interrupts.call,
            pressed=self._waitForReader,
        )
        self._send({"is": "welcome", "version": VERSION, "text": self.factory.banner()})

    def connectionLost(self, reason: Any = None) -> None:
        """The operator has gone: cancel what runs for nobody."""
        self._output.clear()
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        if self.interpreter is not None:
            self.interpreter.close()
        self._interrupts.close()
        self._release()
        self.factory.left(self)

    def _descriptor(self) -> int:
        fileno = getattr(self.transport, "fileno", None)  # a front of another kind may have none
        return int(fileno()) if self.connected and fileno is not None else -1

    def refuse(self, why: str) -> None:
        """Tell the operator why nothing more comes, and hang up."""
        self._send({"is": "refused", "why": why})
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    # --- what comes in ------------------------------------------------------------------------------------------------

    def lineReceived(self, line: bytes) -> None:
        """Do what a line asks for."""
        if self.interpreter is None:
            return
        try:
            message = checked(decode(line))
        except MessageError as problem:
            self.refuse(str(problem))
            return
        match message["do"]:
            case "run":
                self._run(message)
            case "interrupt":
                self._interrupt(message["id"])
            case "complete":
                names = self.interpreter.complete(message["text"])
                self._send({"is": "names", "id": message["id"], "names": names})

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a line that is too long."""
        self.refuse(f"a line has {LONGEST} bytes at most")

    def _run(self, message: dict[str, Any]) -> None:
        if self._number is not None:
            self.refuse("a command is running; wait until it is done, or interrupt it")
            return
        assert self.interpreter is not None
        self._number = message["id"]
        _log.debug("Manhole: {source!r}", source=message["source"])
        self.interpreter.run(message["source"], message.get("final", False)).addCallback(self._done, message["id"])

    def _done(self, outcome: Outcome, number: int) -> None:
        self._number = None
        if not self.connected:
            return
        self.flush()
        if outcome.complete:
            # What waits to be read goes first, or the operator would see it after the next prompt.
            self._after({"is": "done", "id": number, "ok": outcome.ok, "leave": outcome.leave})
        else:
            self._send({"is": "more", "id": number})

    def _after(self, message: dict[str, Any]) -> None:
        waiting = self._waitForReader()
        if waiting is None:
            self._send(message)
        else:
            waiting.addCallback(lambda _: self._after(message) if self.connected else None)

    def _interrupt(self, number: int) -> None:
        if self._interrupts.sent:  # it was heard at once, in another way
            self._interrupts.sent -= 1
        elif self._number == number and self.interpreter is not None:
            self.interpreter.interrupt()

    # --- what goes out ------------------------------------------------------------------------------------------------

    def _send(self, message: dict[str, Any]) -> None:
        self.transport.write(encode(message))

    def emit(self, kind: str, text: str) -> None:
        """Show the operator *text*, soon.  It may be called in any thread.

        :raises TooMuchOutput: if too much of it waits to be read.
        """
        if threading.get_ident() != self._thread:
            self.factory.reactor.callFromThread(self._keep, kind, text)
            return
        room = max(UNREAD - self._kept, 0)
        if len(text) > room and kind not in ("note", "traceback"):  # which are short
            self._keep(kind, text[:room])
            if self._number is not None:
                raise TooMuchOutput(f"more than {UNREAD} characters of output wait to be read; the rest was not shown")
            self._lost += len(text) - room
            return
        self._keep(kind, text)

    def _keep(self, kind: str, text: str) -> None:
        if not text or not self.connected or self._kept > 2 * UNREAD:
            return
        self._kept += len(text)
        self._output += [(kind, text[start : start + CHUNK]) for start in range(0, len(text), CHUNK)]
        if self._sending is None and not self._paused:
            self._sending = self.factory.reactor.callLater(0, self._sendSoon)

    def _sendSoon(self) -> None:
        self._sending = None
        self.flush()

    def flush(self) -> None:
        """Send what is kept, as far as it is read."""
        while self._output and not self._paused:
            kind = self._output[0][0]
            texts, length = [], 0
            for each, text in self._output:
                if each != kind or length + len(text) > CHUNK:
                    break
                texts.append(text)
                length += len(text)
            del self._output[: len(texts)]
            self._kept -= length
            self._send({"is": "output", "kind": kind, "text": "".join(texts)})
        if self._lost and not self._paused:
            self._send(
                {"is": "output", "kind": "note", "text": f"[{self._lost} characters of output were not shown]\n"}
            )
            self._lost = 0
        if not self._output:
            self._release()

    def _waitForReader(self) -> Deferred[None] | None:
        """Return a Deferred that fires when the operator has read most of the output, or None if that is so."""
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        self.flush()
        if not self._output:
            return None
        waiting: Deferred[None] = Deferred(self._pressed.remove)
        self._pressed.append(waiting)
        return waiting

    def _release(self) -> None:
        pressed, self._pressed = self._pressed, []
        for waiting in pressed:
            waiting.callback(None)

    def pauseProducing(self) -> None:
        """The operator does not read."""
        self._paused = True

    def resumeProducing(self) -> None:
        """The operator reads again."""
        self._paused = False
        self.flush()

    def stopProducing(self) -> None:
        """The connection is over; ``connectionLost`` follows."""
        self._paused = True
