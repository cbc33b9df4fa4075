"""Frames as plain data: taking them from a traceback, and standing in for a traceback that is gone.

A frame is the tuple ``(function, file name, line number, locals, globals)``.  Locals and globals are ``()`` where they
were not captured, else lists of ``(name, value)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import CodeType, TracebackType
from typing import Any, cast

from torsion.python.reflect import safe_repr

__all__ = ["Frame", "Position", "Variables", "frames_of", "place_of", "positions_of", "spell_out", "stand_in"]

Variables = Sequence[tuple[str, Any]]
Frame = tuple[str, str, int, Variables, Variables]
Position = tuple[CodeType, int, int]
"""Where a frame stood: its code, the index of the instruction, the line.  Holds no variable alive."""


def positions_of(tb: TracebackType | None) -> tuple[Position, ...]:
    """Return where each frame of *tb* stood, outermost first."""
    positions = []
    while tb is not None:
        positions.append((tb.tb_frame.f_code, tb.tb_lasti, tb.tb_lineno))
        tb = tb.tb_next
    return tuple(positions)


def place_of(position: Position) -> Frame:
    """Return *position* as a frame without variables."""
    code, _, line = position
    return (code.co_name, code.co_filename, line, (), ())


def frames_of(tb: TracebackType | None, captureVars: bool = False) -> list[Frame]:
    """Return the frames of *tb*, outermost first, with copies of their variables if *captureVars*."""
    if not captureVars:
        return [place_of(position) for position in positions_of(tb)]
    frames: list[Frame] = []
    while tb is not None:
        frame, code = tb.tb_frame, tb.tb_frame.f_code
        frames.append((code.co_name, code.co_filename, tb.tb_lineno, _items(frame.f_locals), _items(frame.f_globals)))
        tb = tb.tb_next
    return frames


def _items(variables: dict[str, Any]) -> Variables:
    # The builtins module sits in every namespace and tells nobody anything.
    return [(name, value) for name, value in variables.items() if name != "__builtins__"]


def spell_out(frames: Iterable[Frame]) -> list[Frame]:
    """Return *frames* with every variable replaced by its ``repr``, so that no object is held alive."""
    return [(name, path, line, _spelled(local), _spelled(shared)) for name, path, line, local, shared in frames]


def _spelled(variables: Variables) -> Variables:
    return [(name, safe_repr(value)) for name, value in variables] if variables else variables


class _Frame:
    """What the ``traceback`` and ``pdb`` modules read of a frame."""

    f_trace = None

    def __init__(self, code: CodeType, index: int, line: int, local: Variables, shared: Variables) -> None:
        self.f_code = code
        self.f_lasti = index
        self.f_lineno = line
        self.f_locals = dict(local)
        self.f_globals = dict(shared)
        self.f_builtins: dict[str, Any] = {}
        self.f_back: _Frame | None = None


class _Traceback:
    """One link of a traceback that was rebuilt from plain data."""

    def __init__(self, frame: _Frame) -> None:
        self.tb_frame = frame
        self.tb_lasti = frame.f_lasti
        self.tb_lineno = frame.f_lineno
        self.tb_next: _Traceback | None = None


def _nowhere() -> None: ...


def _code_named(name: str, path: str, line: int) -> CodeType:
    code: CodeType = _nowhere.__code__
    return code.replace(co_name=name, co_filename=path, co_firstlineno=line)


def stand_in(positions: Iterable[Position] | None, frames: Iterable[Frame]) -> TracebackType | None:
    """Return what looks like a traceback to ``traceback.extract_tb``, ``dis.distb`` and debuggers.

    :param positions: where the frames stood, if that is still known: keeps the marks under the failing expression.
    :param frames: the frames, used where *positions* is ``None``.
    :return: the outermost link, or ``None`` if there are no frames.
    """
    if positions is not None:
        rebuilt = [_Frame(code, index, line, (), ()) for code, index, line in positions]
    else:
        rebuilt = [_Frame(_code_named(name, path, line), -1, line, a, b) for name, path, line, a, b in frames]
    outer: _Traceback | None = None
    for caller, frame in zip([None, *rebuilt], rebuilt, strict=False):
        frame.f_back = caller
    for frame in reversed(rebuilt):
        link = _Traceback(frame)
        link.tb_next = outer
        outer = link
    return cast("TracebackType | None", outer)
