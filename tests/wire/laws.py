"""The laws that every codec obeys, as tests: the kit's own, applied to ourselves.  A codec registers once, in its own test file::

TestLineLaws = laws.of(laws.Subject(...))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from torsion.testing.laws import codec_laws, framer_laws
from torsion.wire import RemoteProtocolError


@dataclass(frozen=True)
class Subject:
    """A codec under the laws."""

    new: Callable[[], Any]
    """Makes a reader."""
    encode: Callable[[Any], bytes]
    """Gives the bytes of one event."""
    events: st.SearchStrategy[Any]
    """Events that may be sent."""
    noise: st.SearchStrategy[bytes]
    """Bytes that are nearly right."""
    longest: int
    """The most bytes that an unfinished message may have."""


def of(subject: Subject) -> type:
    """Return a class of tests, one for each law."""
    return codec_laws(subject.new, subject.encode, subject.events, RemoteProtocolError, subject.longest, subject.noise)


def of_framer(subject: Subject) -> type:
    """Return the class of :func:`of` with the laws of those readers that take events back."""
    return framer_laws(subject.new, subject.encode, subject.events, RemoteProtocolError, subject.longest, subject.noise)
