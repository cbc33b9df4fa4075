"""Whose output is whose: what code at a prompt prints goes to that prompt, what others print to where it always went.

A context variable tells which prompt runs the code; it follows coroutines, and what they wait for, but neither threads nor calls
that are scheduled.  While there are prompts, stand-ins are in the place of ``sys.stdout``, ``sys.stderr``, ``sys.stdin`` and
``sys.displayhook``, and look at it.
"""

from __future__ import annotations

import io
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CURRENT", "Prompt", "attach", "detach"]


class Prompt(Protocol):
    """What a prompt does with the output of its code."""

    def emit(self, kind: str, text: str, /) -> None:
        """Show *text*, of the kind ``"out"`` or ``"err"``."""

    def display(self, value: object, /) -> None:
        """Show the value of an expression."""


CURRENT: ContextVar[Prompt | None] = ContextVar("torsion manhole", default=None)
"""The prompt whose code runs, if any does."""


class _Output(io.TextIOBase):
    """Stands for an output stream: gives to the current prompt what its code prints, and all else to the stream itself."""

    def __init__(self, real: Any, kind: str) -> None:
        super().__init__()
        self._torsion_real = real
        self._torsion_kind = kind

    def write(self, text: str) -> int:
        """Write *text*."""
        prompt = CURRENT.get()
        if prompt is not None:
            if not isinstance(text, str):
                raise TypeError(f"write() argument must be str, not {type(text).__name__}")
            prompt.emit(self._torsion_kind, text)
            return len(text)
        return int(self._torsion_real.write(text) or 0) if self._torsion_real is not None else len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]  # Buffer in typeshed, which no text stream takes
        """Write each of *lines*."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Have what was written go out."""
        if CURRENT.get() is None and self._torsion_real is not None:
            self._torsion_real.flush()

    def isatty(self) -> bool:
        """Tell whether it is a terminal: a prompt's output is none."""
        return CURRENT.get() is None and self._torsion_real is not None and bool(self._torsion_real.isatty())

    def fileno(self) -> int:
        """Return the stream's descriptor; a prompt's output has none."""
        if CURRENT.get() is not None or self._torsion_real is None:
            raise io.UnsupportedOperation("fileno")
        return int(self._torsion_real.fileno())

    def writable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Close the stream; a prompt's stays open."""
        if CURRENT.get() is None and self._torsion_real is not None:
            self._torsion_real.close()

    def __del__(self) -> None:
        """Leave the stream alone, which others hold; the base class would close it."""

    def __getattribute__(self, name: str) -> Any:
        if name in (
            "buffer",
            "encoding",
            "errors",
            "newlines",
            "name",
            "mode",
            "closed",
            "line_buffering",
            "reconfigure",
        ):
            real = object.__getattribute__(self, "_torsion_real")
            if real is None or (CURRENT.get() is not None and name in ("buffer", "reconfigure")):
                return False if name == "closed" else super().__getattribute__(name)
            return getattr(real, name)
        return super().__getattribute__(name)


class _Input(io.TextIOBase):
    """Stands for standard input: at its end for code at a prompt, which would wait for the process's own terminal."""

    def __init__(self, real: Any) -> None:
        super().__init__()
        self._torsion_real = real

    def readline(self, *args: Any) -> str:  # type: ignore[override]  # whatever the real one takes
        """Read a line."""
        return (
            "" if CURRENT.get() is not None or self._torsion_real is None else str(self._torsion_real.readline(*args))
        )

    def read(self, *args: Any) -> str:
        """Read all, or so many characters."""
        return "" if CURRENT.get() is not None or self._torsion_real is None else str(self._torsion_real.read(*args))

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return CURRENT.get() is None and self._torsion_real is not None and bool(self._torsion_real.isatty())

    def fileno(self) -> int:
        """Return the stream's descriptor."""
        if CURRENT.get() is not None or self._torsion_real is None:
            raise io.UnsupportedOperation("fileno")
        return int(self._torsion_real.fileno())

    def readable(self) -> bool:
        """Return True."""
        return True

    def __del__(self) -> None:
        """Leave the stream alone, as others hold it."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("buffer", "encoding", "errors", "newlines", "name", "mode", "closed"):
            real = object.__getattribute__(self, "_torsion_real")
            if real is not None and CURRENT.get() is None:
                return getattr(real, name)
            return False if name == "closed" else super().__getattribute__(name)
        return super().__getattribute__(name)


def _displayhook(value: object) -> None:
    prompt = CURRENT.get()
    if prompt is not None:
        prompt.display(value)
    else:
        _previous.get("displayhook", sys.__displayhook__)(value)


_previous: dict[str, Any] = {}
_installed: dict[str, Any] = {}
_count = 0


def attach() -> None:
    """Have one more prompt, which is to be given what its code prints."""
    global _count
    _count += 1
    if _count > 1:
        return
    for name in ("stdout", "stderr", "stdin", "displayhook"):
        _previous[name] = getattr(sys, name)
    _installed.update(
        stdout=_Output(sys.stdout, "out"),
        stderr=_Output(sys.stderr, "err"),
        stdin=_Input(sys.stdin),
        displayhook=_displayhook,
    )
    for name, each in _installed.items():
        setattr(sys, name, each)


def detach() -> None:
    """Have one prompt less; the last one puts back what was there, but for what somebody has replaced meanwhile."""
    global _count
    _count -= 1
    if _count > 0:
        return
    for name, each in _installed.items():
        if getattr(sys, name) is each:
            setattr(sys, name, _previous[name])
    _installed.clear()
    _previous.clear()
