"""``Failure``: an exception as an object that can be kept, passed on, asked about, printed and raised again.

Making one is cheap (asynchronous error paths make many): it takes the exception and its traceback and looks at neither.
Frames, names of base classes and text are worked out when they are asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Any, NoReturn, Protocol, TypeVar

from torsion.python._frames import Frame, Position, Variables, frames_of, place_of, positions_of, spell_out, stand_in
from torsion.python.reflect import fullyQualifiedName, qual, safe_repr, safe_str

__all__ = [
    "DO_POST_MORTEM",
    "EXCEPTION_CAUGHT_HERE",
    "DefaultException",
    "Failure",
    "NoCurrentExceptionError",
    "count",
    "format_frames",
    "startDebugMode",
    "traceupLength",
]

# Inside Failure, "type" is an attribute.
_ErrorClass = type[BaseException]
_ErrorType = TypeVar("_ErrorType", bound=type[BaseException] | str)

count = 0
"""How many Failures were made so far; each carries its number as ``count``."""
traceupLength = 4
"""Kept for compatibility: frames above the one that caught the exception are no longer recorded."""
EXCEPTION_CAUGHT_HERE = "--- <exception caught here> ---"
"""Kept for compatibility: the line that parted the frames above the catcher from those below."""
DO_POST_MORTEM = True
"""Whether ``startDebugMode``'s Failures enter the debugger."""


class DefaultException(Exception):
    """Raised by a Failure whose value is no exception; carries that value."""


class NoCurrentExceptionError(Exception):
    """A Failure was asked for the exception that is being handled, and none is.

    The remedy: make it inside an ``except`` block, or give it an exception.
    """


class _Writable(Protocol):
    def write(self, text: str, /) -> object: ...


def _standard_error() -> _Writable:
    return sys.stderr


default_file: Callable[[], _Writable] = _standard_error
"""Returns where ``printTraceback`` writes to if no file is given.  The old logging module sets it to its error file."""


class Failure(BaseException):
    """An exception together with where it came from.

    :ivar type: the class of the exception.
    :ivar value: the exception itself.
    :ivar tb: its traceback, or ``None``.
    :ivar captureVars: whether the variables of the frames were captured.
    :ivar pickled: true for a Failure that was unpickled.
    :ivar count: the number of this Failure in the process.
    """

    type: _ErrorClass
    value: BaseException
    tb: TracebackType | None = None
    captureVars: bool = False
    pickled: int = 0
    count: int = 0

    # Set only where they differ from what type and tb give: after cleanFailure, unpickling or assignment.
    _positions: tuple[Position, ...] | None = None
    _frames: list[Frame] | None = None
    _parents: list[str] | None = None

    def __init__(
        self,
        exc_value: BaseException | None = None,
        exc_type: _ErrorClass | None = None,
        exc_tb: TracebackType | None = None,
        captureVars: bool = False,
    ) -> None:
        """Keep *exc_value*, or the exception that is being handled.

        :param exc_value: the exception.  ``None`` stands for the one being handled; then the next two are not looked at.
            For a Failure, the new one becomes its twin.
        :param exc_type: its class, if it shall be another than the exception's own.
        :param exc_tb: its traceback, if it shall be another than the exception's own.
        :param captureVars: copy the variables of all frames now, to be shown by ``printDetailedTraceback``.  This is
            slow and keeps the variables alive.
        :raise NoCurrentExceptionError: if no exception is given and none is being handled.
        """
        global count
        if exc_value is None:
            exc_value = sys.exception()
            if exc_value is None:
                raise NoCurrentExceptionError("no exception is being handled: give Failure an exception")
            exc_type = exc_tb = None
        if isinstance(exc_value, Failure):
            self.__dict__.update(exc_value.__dict__)
            return
        count += 1
        self.count = count
        self.type = exc_type or exc_value.__class__
        self.value = exc_value
        if exc_tb is not None:
            self.tb = exc_tb
        elif isinstance(exc_value, BaseException):
            self.tb = exc_value.__traceback__
        if captureVars:
            self.captureVars = True
            self._frames = frames_of(self.tb, True)

    # --- asking ------------------------------------------------------------------------------------------------------

    def check(self, *errorTypes: _ErrorType) -> _ErrorType | None:
        """Return the first of *errorTypes* that the exception is an instance of, or ``None``.

        :param errorTypes: exception classes, or their dotted names.
        """
        ours = self.type
        by_name = self._parents is not None or not isinstance(ours, type)
        for wanted in errorTypes:
            if isinstance(wanted, str):
                if wanted in self.parents:
                    return wanted
            elif (not by_name and issubclass(ours, wanted)) or (by_name and qual(wanted) in self.parents):
                return wanted
        return None

    def trap(self, *errorTypes: _ErrorType) -> _ErrorType:
        """Return the first of *errorTypes* that the exception is an instance of; raise the exception if none is.

        For the head of an errback that knows how to deal with some errors only.

        :param errorTypes: exception classes, or their dotted names.
        """
        found = self.check(*errorTypes)
        if found is None:
            self.raiseException()
        return found

    def getErrorMessage(self) -> str:
        """Return the exception's message; never raises."""
        return safe_str(self.value)

    @property
    def parents(self) -> list[str]:
        """The dotted names of the exception's class and all its bases, nearest first."""
        if self._parents is None:
            # Not kept: check() takes a stored list for one that somebody has set.
            return [qual(base) for base in self.type.__mro__]
        return self._parents

    @parents.setter
    def parents(self, parents: list[str]) -> None:
        self._parents = parents

    @property
    def frames(self) -> list[Frame]:
        """The frames from the one that caught the exception down to the one that raised it.

        Each is a tuple of function name, file name, line number, locals and globals.
        """
        if self._frames is None:
            if self._positions is not None:
                self._frames = [place_of(position) for position in self._positions]
            else:
                self._frames = frames_of(self.tb)
        return self._frames

    @frames.setter
    def frames(self, frames: list[Frame]) -> None:
        self._frames = frames
        self._positions = None

    @property
    def stack(self) -> list[Frame]:
        """Always empty.  Frames above the one that caught the exception are no longer recorded (deprecated)."""
        _deprecate_stack()
        return []

    @stack.setter
    def stack(self, stack: list[Frame]) -> None:
        _deprecate_stack()

    def getTracebackObject(self) -> TracebackType | None:
        """Return the traceback, or a look-alike made of the recorded frames, or ``None`` if there are none.

        The look-alike, of a cleaned or unpickled Failure, suits the ``traceback`` module and debuggers.
        """
        if self.tb is not None:
            return self.tb
        return stand_in(self._positions, self._frames or ())

    # --- raising -----------------------------------------------------------------------------------------------------

    def raiseException(self) -> NoReturn:
        """Raise the exception, with its old traceback below the new frames."""
        error = self._raisable()
        try:
            # The new traceback refers to this frame: without the two names nothing here leads back to it.
            del self
            raise error
        finally:
            del error

    def throwExceptionIntoGenerator(self, g: Generator[Any, Any, Any]) -> Any:
        """Raise the exception inside the generator *g*, where it last yielded; return what it yields next.

        :raise StopIteration: if *g* ends.
        :raise BaseException: whatever *g* raises.
        """
        return g.throw(self._raisable())

    def _raisable(self) -> BaseException:
        value: object = self.value
        if not isinstance(value, BaseException):
            return DefaultException(value)
        # A Failure that came from Twisted before 24.7 has stand-ins for frames, to be shown only.
        return value.with_traceback(self.tb if isinstance(self.tb, TracebackType) else None)

    # --- letting go and passing on -----------------------------------------------------------------------------------

    def cleanFailure(self) -> None:
        """Let go of the frames, and so of all variables in them; function names and lines are kept.

        Captured variables become text.  The exception loses its ``__traceback__``.
        """
        if self.captureVars:
            self._frames = spell_out(self.frames)
        elif self.tb is not None and self._frames is None:
            self._positions = positions_of(self.tb)
        self.tb = None
        if isinstance(self.value, BaseException):
            self.value.__traceback__ = None

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in self.__dict__.items() if not name.startswith("_")}
        frames = spell_out(self.frames) if self.captureVars else self.frames
        state.update(tb=None, frames=frames, parents=self.parents, stack=[], pickled=1)
        return state

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        names = {"frames": "_frames", "parents": "_parents"}
        for name, value in (state or {}).items():
            if name != "stack":
                self.__dict__[names.get(name, name)] = value

    def __reduce__(self) -> tuple[Any, ...]:
        return (_blank, (self.__class__,), self.__getstate__())

    # --- text --------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"<{fullyQualifiedName(self.__class__)} {self._type_name()}: {self.getErrorMessage()}>"

    def __str__(self) -> str:
        return f"[Failure instance: {self.getBriefTraceback()}]"

    def _type_name(self) -> str:
        # A Failure that came over a network may know its class by name only.
        return qual(self.type) if isinstance(self.type, type) else str(self.type)

    def getTraceback(self, elideFrameworkCode: bool | int = False, detail: str = "default") -> str:
        """Return the traceback as text.

        :param elideFrameworkCode: leave out frames of torsion itself, unless there are no others.
        :param detail: ``"default"``, ``"brief"`` or ``"verbose"``.
        :raise ValueError: if *detail* is something else.
        """
        pieces: list[str] = []
        self._write(pieces.append, elideFrameworkCode, detail)
        return "".join(pieces)

    def getBriefTraceback(self) -> str:
        """Return a short traceback, one line a frame, as text."""
        return self.getTraceback(detail="brief")

    def printTraceback(
        self, file: _Writable | None = None, elideFrameworkCode: bool | int = False, detail: str = "default"
    ) -> None:
        """Write the traceback to *file*.

        :param file: has a ``write`` that takes text; ``None`` stands for the log's error file or standard error.
        :param elideFrameworkCode: leave out frames of torsion itself, unless there are no others.
        :param detail: ``"default"``, ``"brief"`` or ``"verbose"``.
        :raise ValueError: if *detail* is something else.
        """
        if file is None:
            file = default_file()
        self._write(file.write, elideFrameworkCode, detail)

    def printBriefTraceback(self, file: _Writable | None = None, elideFrameworkCode: bool | int = False) -> None:
        """Write a short traceback, one line a frame, to *file*; see ``printTraceback``."""
        self.printTraceback(file, elideFrameworkCode, detail="brief")

    def printDetailedTraceback(self, file: _Writable | None = None, elideFrameworkCode: bool | int = False) -> None:
        """Write the traceback with all captured variables to *file*; see ``printTraceback``."""
        self.printTraceback(file, elideFrameworkCode, detail="verbose")

    def _write(self, write: Callable[[str], object], elide: bool | int, detail: str) -> None:
        frames = self.frames
        if elide:
            frames = [frame for frame in frames if not frame[1].startswith(_PACKAGE)] or frames
        text = safe_str(self.value)
        if detail == "verbose":
            write(f"*--- Failure #{self.count} {'(pickled) ' if self.pickled else ''}---\n")
        elif detail == "brief":
            write(f"{'Traceback' if frames else 'Traceback (failure with no frames)'}: {safe_str(self.type)}: {text}\n")
        else:
            write("Traceback (most recent call last):\n")
        shown = "verbose-vars-not-captured" if detail == "verbose" and not self.captureVars else detail
        format_frames(frames, write, shown)
        if detail == "brief":
            return
        if shown == "verbose-vars-not-captured" and frames:
            write(" [Capture of Locals and Globals disabled (use captureVars=True)]\n")
        write(f"{'' if frames else 'Failure: '}{self._type_name()}: {text}\n")
        for note in getattr(self.value, "__notes__", ()):
            write(f"{safe_str(note)}\n")
        if detail == "verbose":
            write(f"*--- End of Failure #{self.count} ---\n")


_PACKAGE = __file__.removesuffix("failure.py").rstrip("/\\").removesuffix("python")


def _blank(cls: type[Failure]) -> Failure:
    """Return an empty Failure for unpickling to fill."""
    return cls.__new__(cls)


def _deprecate_stack() -> None:
    import warnings

    warnings.warn("torsion.python.failure.Failure.stack is always empty; use frames", DeprecationWarning, stacklevel=3)


_DETAILS = ("default", "brief", "verbose", "verbose-vars-not-captured")


def format_frames(frames: Iterable[Frame], write: Callable[[str], object], detail: str = "default") -> None:
    """Write *frames* as text.

    :param frames: tuples of function, file name, line number, locals, globals; outermost first.
    :param write: is called with pieces of text.
    :param detail: ``"default"`` looks as Python's own tracebacks, ``"brief"`` is one line a frame, ``"verbose"`` adds
        the captured variables and ``"verbose-vars-not-captured"`` is the same without them.
    :raise ValueError: if *detail* is none of these.
    """
    if detail == "default":
        source_of: Callable[[str, int], str]
        try:
            # Costs two milliseconds; only a process that prints a traceback needs it.
            from linecache import getline as source_of
        except ImportError:  # at the very end of a program nothing can be imported any more

            def source_of(_path: str, _line: int) -> str:
                return ""

        for name, path, line, _, _ in frames:
            write(f'  File "{path}", line {line}, in {name}\n')
            if source := source_of(path, line).strip():
                write(f"    {source}\n")
    elif detail == "brief":
        for name, path, line, _, _ in frames:
            write(f"{path}:{line}:{name}\n")
    elif detail in _DETAILS:
        for name, path, line, local, shared in frames:
            write(f"{path}:{line}: {name}(...)\n")
            if detail == "verbose":
                _write_variables(write, " [ Locals ]\n", local)
                _write_variables(write, " ( Globals )\n", shared)
    else:
        raise ValueError(f"detail must be one of {', '.join(_DETAILS)}, not {detail!r}")


def _write_variables(write: Callable[[str], object], heading: str, variables: Variables) -> None:
    write(heading)
    for name, value in variables:
        write(f"  {name} : {safe_repr(value)}\n")


_plain_init = Failure.__init__


def _debugging_init(
    self: Failure,
    exc_value: BaseException | None = None,
    exc_type: type[BaseException] | None = None,
    exc_tb: TracebackType | None = None,
    captureVars: bool = False,
) -> None:
    _plain_init(self, exc_value, exc_type, exc_tb, captureVars)
    if DO_POST_MORTEM and self.tb is not None:
        import pdb  # noqa: T100 - this is what the debug mode is for

        pdb.post_mortem(self.tb)


def startDebugMode() -> None:
    """From now on, open the debugger at the place of the exception whenever a ``Failure`` with a traceback is made."""
    Failure.__init__ = _debugging_init  # type: ignore[method-assign]  # that is how debugging is switched on
