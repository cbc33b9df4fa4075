"""The life of a stream, as the native engine has it in a table (``rust/reactor/src/stream/state.rs``), told in Python.

The contract suite compares the two; what is said there of the states and of their rules holds here.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["Action", "Input", "StreamState"]


class Input(Enum):
    """What happens to a stream."""

    PAUSE = auto()
    RESUME = auto()
    PEER_END = auto()
    END_KEPT = auto()
    END_REFUSED = auto()
    LOSE = auto()
    LOSE_WRITE = auto()
    ABORT = auto()
    FLUSHED = auto()
    OUTBOX_FULL = auto()
    STREAMING_PRODUCER = auto()
    PULL_PRODUCER = auto()
    NO_PRODUCER = auto()
    FAILED = auto()
    HOOK_RAISED = auto()


class Action(Enum):
    """What is to be done about it."""

    DELIVER_END = auto()
    SHUT_WRITE = auto()
    DELIVER_WRITE_CLOSED = auto()
    PAUSE_PRODUCER = auto()
    RESUME_PRODUCER = auto()
    CLEAR_OUTBOX = auto()
    FLUSH = auto()
    CLOSE_DONE = auto()
    CLOSE_LOST = auto()
    CLOSE_ABORTED = auto()
    CLOSE_RAISED = auto()
    STOP_PRODUCER = auto()


class _Half(Enum):
    OPEN = auto()
    PAUSED = auto()
    CLOSING = auto()
    CLOSED = auto()


class _Life(Enum):
    OPEN = auto()
    DRAINING = auto()
    ABORTING = auto()
    CLOSED = auto()


class _Producer(Enum):
    NONE = auto()
    FREE = auto()
    PAUSED = auto()
    PULL = auto()


_Actions: TypeAlias = "tuple[Action, ...]"

_OPEN_ONLY = frozenset(
    (
        Input.PAUSE,
        Input.RESUME,
        Input.PEER_END,
        Input.END_KEPT,
        Input.END_REFUSED,
        Input.LOSE,
        Input.LOSE_WRITE,
    )
)
_NOT_WHILE_ABORTING = _OPEN_ONLY | {Input.ABORT, Input.OUTBOX_FULL}


class StreamState:
    """Where a stream stands: its two halves, its producer, and whether it is on its way out.

    :ivar reading: whether what is read may be delivered.
    :ivar accepts_writes: whether what the user writes is to be queued; else it is dropped in silence.
    :ivar calm: whether an empty outbox is known to ask for nothing.
    """

    __slots__ = ("_life", "_producer", "_read", "_write", "accepts_writes", "calm", "reading")

    def __init__(self) -> None:
        self._read = self._write = _Half.OPEN
        self._life = _Life.OPEN
        self._producer = _Producer.NONE
        self.reading = self.accepts_writes = True
        self.calm = False

    @property
    def deaf(self) -> bool:
        """Whether nothing will be delivered any more."""
        return self._life is not _Life.OPEN or self._read is _Half.CLOSED

    @property
    def aborting(self) -> bool:
        """Whether the stream closes at the next flush, whatever is queued."""
        return self._life is _Life.ABORTING

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self._life is _Life.CLOSED

    def apply(self, what: Input) -> _Actions:
        """Take *what* in, and return what is to be done, in this order."""
        actions = self._apply(what)
        self.calm = what is Input.FLUSHED and not actions  # until something else happens
        self.reading = self._life is _Life.OPEN and self._read is _Half.OPEN
        self.accepts_writes = self._life in (_Life.OPEN, _Life.DRAINING) and self._write is not _Half.CLOSED
        return actions

    def _apply(self, what: Input) -> _Actions:
        if self._life is _Life.CLOSED:
            return (
                (Action.STOP_PRODUCER,) if what in (Input.STREAMING_PRODUCER, Input.PULL_PRODUCER) else ()
            )  # one that came too late
        if self._life is not _Life.OPEN and what in _OPEN_ONLY:
            return ()
        if self._life is _Life.ABORTING and what in _NOT_WHILE_ABORTING:
            return ()
        return self._obey(what)

    def _obey(self, what: Input) -> _Actions:
        match what:
            case Input.PAUSE | Input.RESUME:
                return self._turn_read(what)
            case Input.PEER_END:
                if self._read is _Half.CLOSED:
                    return ()
                self._read = _Half.CLOSED
                return (Action.DELIVER_END,)
            case Input.END_KEPT:
                both = self._read is _Half.CLOSED and self._write is _Half.CLOSED
                return self._end(Action.CLOSE_DONE) if both else ()
            case Input.END_REFUSED:
                return self._end(Action.CLOSE_DONE)
            case Input.LOSE:
                self._life = _Life.DRAINING
                return (Action.FLUSH,)
            case Input.LOSE_WRITE:
                if self._write is not _Half.OPEN:
                    return ()
                self._write = _Half.CLOSING
                return (Action.FLUSH,)
            case Input.ABORT:
                self._life = _Life.ABORTING
                return (Action.CLEAR_OUTBOX, Action.FLUSH)
            case Input.FLUSHED:
                return self._settle()
            case Input.FAILED:
                return self._end(Action.CLOSE_ABORTED if self.aborting else Action.CLOSE_LOST)
            case Input.HOOK_RAISED:
                return self._end(Action.CLOSE_RAISED)
            case _:
                return self._produce(what)

    def _turn_read(self, what: Input) -> _Actions:
        before, after = (_Half.OPEN, _Half.PAUSED) if what is Input.PAUSE else (_Half.PAUSED, _Half.OPEN)
        if self._read is before:
            self._read = after
            return (Action.FLUSH,)
        return ()

    def _produce(self, what: Input) -> _Actions:
        match what:
            case Input.OUTBOX_FULL:
                if self._producer is not _Producer.FREE:
                    return ()
                self._producer = _Producer.PAUSED
                return (Action.PAUSE_PRODUCER,)
            case Input.STREAMING_PRODUCER:
                self._producer = _Producer.FREE
                return ()
            case Input.PULL_PRODUCER:
                self._producer = _Producer.PULL
                return (Action.RESUME_PRODUCER,)
            case _:
                self._producer = _Producer.NONE
                return (Action.FLUSH,)

    def _settle(self) -> _Actions:
        """Everything is sent: let the producer go on, or else do what was waiting for it."""
        if self._life is _Life.ABORTING:
            return self._end(Action.CLOSE_ABORTED)
        if self._producer is _Producer.PAUSED:
            self._producer = _Producer.FREE
            return (Action.RESUME_PRODUCER,)
        if self._producer is _Producer.PULL:
            return (Action.RESUME_PRODUCER,)
        if self._life is _Life.DRAINING or (self._write is _Half.CLOSED and self._read is _Half.CLOSED):
            return self._end(Action.CLOSE_DONE)
        if self._write is _Half.CLOSING:
            self._write = _Half.CLOSED
            return (Action.SHUT_WRITE, Action.DELIVER_WRITE_CLOSED)
        return ()

    def _end(self, how: Action) -> _Actions:
        self._life = _Life.CLOSED
        if self._producer is _Producer.NONE:
            return (how,)
        self._producer = _Producer.NONE
        return (how, Action.STOP_PRODUCER)
