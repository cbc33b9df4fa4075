"""The exceptions of :mod:`torsion.internet.defer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torsion.python.failure import Failure

__all__ = [
    "AlreadyCalledError",
    "AlreadyTryingToLockError",
    "CancelledError",
    "FailureGroup",
    "FirstError",
    "NotACoroutineError",
    "QueueOverflow",
    "QueueUnderflow",
    "TimeoutError",
    "not_a_coroutine",
]


class AlreadyCalledError(Exception):
    """A Deferred was fired a second time.

    With debugging on (:func:`setDebugging`) the message says where it was made and where it was fired first.
    """


class CancelledError(Exception):
    """The result of a Deferred that was cancelled, unless its canceller gave it another one."""


class TimeoutError(Exception):
    """Something did not happen in the time it was given.  ``args`` are the seconds and what was waited for."""


class NotACoroutineError(TypeError):
    """A coroutine, a generator or a Deferred was needed, and something else was given."""


def not_a_coroutine(thing: object) -> NotACoroutineError:
    """Return the error that says that *thing* is no coroutine."""
    return NotACoroutineError(f"{thing!r} is not a coroutine or a Deferred; call the async function first")


class QueueOverflow(Exception):
    """:meth:`DeferredQueue.put`: as many objects as the queue may hold are waiting to be fetched."""


class QueueUnderflow(Exception):
    """:meth:`DeferredQueue.get`: as many callers as the queue allows are waiting for an object."""


class AlreadyTryingToLockError(Exception):
    """:meth:`DeferredFilesystemLock.deferUntilLocked` was called while an earlier call was still waiting for the lock."""


class FirstError(Exception):
    """The first failure among several Deferreds (:func:`gatherResults`, :class:`DeferredList` with ``fireOnOneErrback``).

    :ivar subFailure: the failure itself.
    :ivar index: which of the Deferreds it came from, counted from zero.
    """

    def __init__(self, failure: Failure, index: int) -> None:
        super().__init__(failure, index)
        self.subFailure = failure
        self.index = index

    def __repr__(self) -> str:
        """Name the index and the exception, not the traceback."""
        return f"FirstError[#{self.index}, {self.subFailure.value!r}]"

    def __str__(self) -> str:
        """Name the index and give the failure's own text, traceback included."""
        return f"FirstError[#{self.index}, {self.subFailure}]"

    def __eq__(self, other: object) -> bool:
        """Tell whether *other* is a FirstError with an equal failure at the same index."""
        if not isinstance(other, FirstError):
            return NotImplemented
        return (self.index, self.subFailure) == (other.index, other.subFailure)

    def __hash__(self) -> int:
        """Agree with ``==``."""
        return hash((self.index, self.subFailure))


class FailureGroup(Exception):
    """All Deferreds of a :func:`race` failed.

    :ivar failures: their failures, in the order of the Deferreds.
    """

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__(*failures)
        self.failures = failures

    def __str__(self) -> str:
        """Say how many failed, and how."""
        return f"{len(self.failures)} failed: " + "; ".join(repr(each.value) for each in self.failures)
