"""One operator's prompt: runs blocks of code, waits for what they wait for, and shows what comes of it.  It knows no transport.

Whoever has a connection to an operator (``session`` over a private UNIX socket; a terminal over telnet or SSH) gives it a function that
shows text, and lines; the rest is here.
"""

from __future__ import annotations

import inspect
from contextvars import copy_context
from types import CoroutineType
from typing import TYPE_CHECKING, Any, NamedTuple

from torsion.application.manhole import streams
from torsion.application.manhole.compiling import Blocks
from torsion.application.manhole.completing import complete
from torsion.application.manhole.showing import show
from torsion.application.manhole.tracebacks import report
from torsion.internet.defer import CancelledError, Deferred, ensureDeferred
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import CodeType

__all__ = ["BLOCKED_SECONDS", "BusyError", "Interpreter", "Outcome", "TooMuchOutput"]

BLOCKED_SECONDS = 0.5
"""For how many seconds code may keep the reactor from everything else before the operator is told."""

_log = Logger("torsion.application.manhole")


class BusyError(Exception):
    """A block was to be run while another one runs."""


class TooMuchOutput(BaseException):
    """Code printed more than can be kept until the operator has read it.

    As with ``KeyboardInterrupt``, no ``except Exception`` catches it.
    """


class Outcome(NamedTuple):
    """What came of a block.

    :ivar complete: whether it was one; if not, nothing was run, and more lines are needed.
    :ivar ok: whether it ran to its end.
    :ivar leave: whether it asked to leave the prompt, as ``exit()`` does.
    """

    complete: bool
    ok: bool
    leave: bool = False


def _plainly(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


class Interpreter:
    """A prompt.

    :ivar namespace: the names at hand; ``_`` is the last value that was shown.
    """

    def __init__(
        self,
        namespace: dict[str, Any],
        emit: Callable[[str, str], None],
        *,
        seconds: Callable[[], float],
        call: Callable[..., Any] = _plainly,
        pressed: Callable[[], Deferred[Any] | None] = lambda: None,
    ) -> None:
        """Begin, with the output of what runs here going to *emit*.  Call :meth:`close` in the end.

        :param namespace: the names at hand.
        :param emit: shows a text to the operator. It is given its kind: ``"out"`` or ``"err"`` (printed), ``"value"``, ``"traceback"``,
            ``"note"`` (what the prompt itself has to say).
        :param seconds: a clock, such as ``reactor.seconds``.
        :param call: calls a function with arguments, so that it can be interrupted though it blocks.
        :param pressed: returns a Deferred to be waited for before code goes on, as what it has printed was not read yet; or None.
        """
        self.namespace = namespace
        self.emit = emit
        self._seconds = seconds
        self._call = call
        self._pressed = pressed
        self._blocks = Blocks()
        self._shown: list[Deferred[Any]] = []
        self._running: Deferred[Any] | None = None
        self._finished: Deferred[Outcome] | None = None
        self._interrupts = 0
        self._longest = 0.0
        self._closed = False
        streams.attach()

    # --- running ------------------------------------------------------------------------------------------------------

    def run(self, source: str, final: bool = False) -> Deferred[Outcome]:
        """Run a block, statement after statement, and wait for what it gives: coroutines, and Deferreds that it would show.

        :param source: its lines.
        :param final: there will be no more lines: what is not complete is an error.
        :returns: a Deferred that fires with what came of it. It never fails.
        :raises BusyError: if a block runs.
        """
        if self._finished is not None:
            raise BusyError("a command is running; interrupt it first, or use another session")
        context = copy_context()
        context.run(streams.CURRENT.set, self)
        try:
            codes = context.run(self._blocks.compile, source, final)
        except Exception as problem:  # noqa: BLE001 - SyntaxError, or what else a text makes the compiler raise
            self.emit("traceback", report(problem, frames=False))
            return _fired(Outcome(True, False))
        if codes is None:
            return _fired(Outcome(False, True))
        finished: Deferred[Outcome] = Deferred()
        self._finished = finished
        self._interrupts, self._longest = 0, 0.0
        running = context.run(ensureDeferred, self._run(codes))
        self._running = running
        running.addBoth(self._end, finished)
        return finished

    def _end(self, outcome: Any, finished: Deferred[Outcome]) -> None:
        if finished is not self._finished:  # it was left alone meanwhile
            return
        self._running = self._finished = None
        if not isinstance(outcome, Outcome):
            _log.error("Manhole: {problem}", problem=outcome)  # a mistake in here, not in what was typed
            outcome = Outcome(True, False)
        if self._longest >= BLOCKED_SECONDS:
            self.emit(
                "note",
                f"[this blocked the whole process for {self._longest:.1f} s; what takes long belongs into deferToThread]\n",
            )
        finished.callback(outcome)

    async def _run(self, codes: list[CodeType]) -> Outcome:
        shown = self._shown = []
        try:
            for code in codes:
                if code.co_flags & inspect.CO_COROUTINE:
                    coroutine = eval(code, self.namespace)  # noqa: S307 - that is what the operator wants; nothing of it runs yet
                    await ensureDeferred(self._drive(coroutine))
                else:
                    self._step(eval, code, self.namespace)
                while shown:
                    value = await shown.pop(0)
                    self._step(self.display, value)
        except SystemExit as problem:
            if problem.code not in (None, 0):
                self.emit("note", f"{problem}\n")
            return Outcome(True, True, leave=True)
        except KeyboardInterrupt as problem:
            self.emit("traceback", report(problem))
        except CancelledError as problem:
            self.emit("traceback", "KeyboardInterrupt: it was cancelled\n" if self._interrupts else report(problem))
        except TooMuchOutput as problem:
            self.emit("note", f"\n[{problem}]\n")
        except BaseException as problem:  # noqa: BLE001 - whatever it is, it is the operator's to see, and ends nothing
            self.emit("traceback", report(problem))
        else:
            return Outcome(True, True)
        return Outcome(True, False)

    def _step(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a piece of the operator's code, which may be interrupted; note how long it took."""
        began = self._seconds()
        try:
            return self._call(function, *args)
        finally:
            self._longest = max(self._longest, self._seconds() - began)

    def _drive(self, coroutine: CoroutineType[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Run *coroutine* step by step, each of which can be interrupted, and none while too much output waits to be read."""
        step, value = coroutine.send, None
        while True:
            try:
                waiting = self._step(step, value)
            except StopIteration as end:
                return end.value
            except BaseException:
                coroutine.close()  # it may not even have begun
                raise
            try:
                value = yield waiting
                step = coroutine.send
                while (pressed := self._pressed()) is not None:
                    yield pressed
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as problem:  # noqa: BLE001 - it is raised where the coroutine waits
                step, value = coroutine.throw, problem

    # --- what its code does -------------------------------------------------------------------------------------------

    def display(self, value: object) -> None:
        """Show the value of an expression, unless it is None; a Deferred is waited for first, and its result shown."""
        if value is None:
            return
        if isinstance(value, Deferred):
            self._shown.append(_watched(value))
            return
        self.namespace["_"] = value
        self.emit("value", show(value) + "\n")
        if isinstance(value, CoroutineType):
            self.emit("note", "[a coroutine, which has not begun: await it]\n")

    # --- what the operator does ---------------------------------------------------------------------------------------

    def interrupt(self) -> bool:
        """Cancel what the block that runs is waiting for.  If that is of no avail, the next call leaves it to itself.

        :returns: whether one is running.
        """
        finished, running = self._finished, self._running
        if finished is None or running is None:
            return False
        self._interrupts += 1
        if self._interrupts > 1:
            self._finished = self._running = None
            self.emit("note", "[it goes on where nobody waits for it]\n")
            finished.callback(Outcome(True, False))
        else:
            running.cancel()
        return True

    def complete(self, text: str) -> list[str]:
        """Return what the name *text*, which may have dots in it, may become; see :func:`complete`."""
        context = copy_context()
        context.run(streams.CURRENT.set, self)
        try:
            names: list[str] = context.run(self._call, complete, text, self.namespace)
        except BaseException:  # noqa: BLE001 - attributes are looked at, and may do anything; or the operator has interrupted it
            return []
        return names

    def close(self) -> None:
        """Leave: cancel what runs, and give back what was attached.  Does nothing the second time."""
        if self._closed:
            return
        self._closed = True
        self.emit = _nowhere
        running, self._running, self._finished = self._running, None, None
        if running is not None:
            running.cancel()
        self._blocks.forget()
        streams.detach()


def _nowhere(kind: str, text: str) -> None:
    """Show nothing: the operator has gone."""


def _fired(outcome: Outcome) -> Deferred[Outcome]:
    fired: Deferred[Outcome] = Deferred()
    fired.callback(outcome)
    return fired


def _watched(source: Deferred[Any]) -> Deferred[Any]:
    """Return a Deferred of what *source* comes to, which leaves its result to others; an error counts as handled here."""
    watched: Deferred[Any] = Deferred(lambda _: source.cancel())

    def succeeded(result: Any) -> Any:
        if not watched.called:
            watched.callback(result)
        return result

    def failed(failure: Any) -> None:
        if not watched.called:
            watched.errback(failure)

    source.addCallbacks(succeeded, failed)
    return watched
