"""What a Deferred remembers for the humans: where it was made and fired, and a failure that nobody has handled."""

from __future__ import annotations

import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from torsion.python.reflect import safe_repr

from ._errors import AlreadyCalledError, CancelledError
from ._kinds import Bound

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from torsion.logger import Logger
    from torsion.python.failure import Failure

    from ._kinds import Entry

__all__ = [
    "MOST_NOTED",
    "DebugInfo",
    "NotedSteps",
    "callers",
    "cancelled",
    "fired_before",
    "functions_of",
    "log",
    "logError",
    "passthru",
    "warn_circular",
]

_T = TypeVar("_T")


@cache
def log() -> Logger:
    """Return where what happens to Deferreds is told."""
    # As dear to load as all the rest, and in a process that loses no failure nobody needs it.
    from torsion.logger import Logger

    return Logger("torsion.internet.defer")


_OWN_PACKAGE = __name__.rpartition(".")[0]


MOST_NOTED = 100
"""So many of the callbacks that were added last are remembered: a Deferred may live long and get any number of them."""


def _user() -> FrameType:
    """Return the frame of whoever uses Deferreds."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_OWN_PACKAGE):
        frame = frame.f_back
    return frame


hidden: tuple[str, ...] = ()
"""Parts of the names of files whose frames :func:`callers` leaves out.  Who runs tests sets it: of a stack of fifty frames, two are
the test's."""


def callers() -> list[str]:
    """Return the call stack of whoever uses Deferreds: text lines, innermost last, without the frames of this package, nor
    those of files that are :data:`hidden`.
    """
    # Only debugging needs the module, and it is not cheap to load.
    import traceback

    frames = traceback.extract_stack(_user())
    if hidden:
        frames[:] = [each for each in frames if not any(part in each.filename.replace("\\", "/") for part in hidden)]
    return frames.format()


def _marked(mark: str, title: str, stack: list[str] | None) -> str:
    if stack is None:
        return ""
    return "".join(f" {mark}:{line}\n" for line in [f" {title}", *"".join(stack).splitlines()])


class DebugInfo:
    """Kept by a Deferred that is being debugged or holds a failure; logs that failure when both are garbage.

    It is an object apart, so that the price of a finalizer is paid by the Deferreds that need one and by no others.

    :ivar creator: text lines, the stack that made the Deferred (debugging only).
    :ivar added: of each step that was added, the names of its functions, and the code and line that added it (debugging
        only).
    :ivar invoker: text lines, the stack that fired it (debugging only).
    :ivar failResult: the failure that nobody has handled so far, or ``None``.
    """

    creator: list[str] | None = None
    invoker: list[str] | None = None
    added: deque[tuple[str, CodeType, int]] | None = None
    failResult: Failure | None = None

    def __init__(self) -> None:
        log()  # while it can be loaded: at the end of the interpreter, when most failures are lost, it cannot

    def note_added(self, functions: Iterable[object]) -> None:
        """Remember that whoever uses Deferreds adds a step with these *functions* now."""
        if self.added is None:
            self.added = deque(maxlen=MOST_NOTED)
        frame = _user()
        names = ", ".join(getattr(function, "__qualname__", None) or safe_repr(function) for function in functions)
        self.added.append((names, frame.f_code, frame.f_lineno))

    def stacks(self) -> str:
        """Return what is known as text.

        Lines are marked with ``C:`` for the creation, ``A:`` for the callbacks that were added, ``I:`` for the invocation.
        """
        added = [
            f'{names} by File "{code.co_filename}", line {line}, in {code.co_name}\n'
            for names, code, line in self.added or ()
        ]
        return (
            _marked("C", "Deferred was created:", self.creator)
            + _marked("A", "Callbacks were added:", added or None)
            + _marked("I", "First Invoker was:", self.invoker)
        )

    def __del__(self) -> None:
        """Log the failure that is left, if one is."""
        failure = self.failResult
        if failure is not None:
            stacks = self.stacks()
            log().critical("Unhandled error in Deferred:", isError=True)
            log().failure("(debug: {debugInfo})" if stacks else "", failure, debugInfo=stacks)


class NotedSteps(list["Entry"]):
    """The steps of a Deferred that is being debugged: remembers who adds them."""

    __slots__ = ("_info",)

    def __init__(self, info: DebugInfo) -> None:
        super().__init__()
        self._info = info

    def append(self, entry: Entry, /) -> None:
        """Add *entry*."""
        if functions := functions_of(entry):
            self._info.note_added(functions)
        super().append(entry)


def functions_of(entry: Entry) -> list[object]:
    """Return the functions of *entry*, each once, or what it fires; nothing if it waits for the result."""
    callback, errback, args, _ = entry
    if callable(args) and args.__name__ != "forward":
        return []
    functions = (callback,) if errback is callback else (callback, errback)
    return [
        function.function if isinstance(function, Bound) else function for function in functions if function is not None
    ]


def cancelled(debug: bool, why: str | None) -> CancelledError:
    """Return the error of a Deferred that is being cancelled, with a text if *why* is one; with *debug*, a note says by whom."""
    error = CancelledError() if why is None else CancelledError(why)
    if debug:
        frame = _user()
        error.add_note(
            f'It was cancelled by File "{frame.f_code.co_filename}", line {frame.f_lineno}, in {frame.f_code.co_name}'
        )
    return error


def fired_before(info: DebugInfo | None) -> AlreadyCalledError:
    """Return the error that says that a Deferred was fired already, and where, if *info* knows."""
    if info is not None and (stacks := info.stacks()):
        return AlreadyCalledError("\n" + stacks)
    error = AlreadyCalledError()  # as Twisted has it; a note tells the rest
    error.add_note("It was fired before; setDebugging(True) has this error tell where.")
    return error


def logError(err: Failure) -> Failure:
    """Log *err* and return it: an errback that reports a failure and lets it pass.

    :param err: the failure.
    """
    log().failure("", err)
    return err


def passthru(arg: _T) -> _T:
    """Return *arg*: the callback that changes nothing."""
    return arg


def warn_circular(callback: Callable[..., Any]) -> None:
    """Warn, in the place where *callback* is written, that it returned the very Deferred it was called by."""
    message = (
        "Callback returned the Deferred it was attached to; this breaks the callback chain and will raise an exception in"
        " the future."
    )
    code = getattr(callback, "__code__", None)
    if code is None:
        warnings.warn(message, DeprecationWarning, stacklevel=3)
        return
    last = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
    namespace = getattr(callback, "__globals__", {})
    warnings.warn_explicit(
        message,
        DeprecationWarning,
        code.co_filename,
        last,
        module=namespace.get("__name__"),
        registry=namespace.setdefault("__warningregistry__", {}),
    )
