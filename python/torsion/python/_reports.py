"""Where the modules of this floor report what nobody waits for.

They stand below the logger and cannot import it.  The logger installs itself here when it is imported; until then
reports go to standard error.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torsion.python.failure import Failure

__all__ = ["install", "note", "report"]


class _Report(Protocol):
    def __call__(self, message: str, failure: Failure, /) -> object: ...


class _Note(Protocol):
    def __call__(self, message: str, /) -> object: ...


def _report_to_stderr(message: str, failure: Failure, /) -> None:
    _note_to_stderr(f"{message}\n{failure.getTraceback()}")


def _note_to_stderr(message: str, /) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{message}\n")


_report: _Report = _report_to_stderr
_note: _Note = _note_to_stderr


def report(message: str, failure: Failure) -> None:
    """Report that something failed; *message* says what was being done."""
    _report(message, failure)


def note(message: str) -> None:
    """Report something of interest to whoever watches the program."""
    _note(message)


def install(report: _Report, note: _Note) -> None:
    """Send reports and notes to these two from now on."""
    global _report, _note
    _report = report
    _note = note
