"""Several Deferreds as one: all of them, the first of them, the first failure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

from torsion.python.failure import Failure

from ._debug import log
from ._errors import FailureGroup, FirstError
from ._twins import Deferred, collect_fired

__all__ = ["FAILURE", "SUCCESS", "DeferredList", "gatherResults", "race"]

_T = TypeVar("_T")

SUCCESS = True
"""Marks a result in the list that a :class:`DeferredList` fires with."""
FAILURE = False
"""Marks a :class:`Failure` in the list that a :class:`DeferredList` fires with."""


class DeferredList(Deferred["list[tuple[bool, Any]]"]):
    """Fires when all of some Deferreds have: with a list of (:data:`SUCCESS`, result) and (:data:`FAILURE`, failure).

    The items are in the order of the Deferreds.  The Deferreds keep their results, for callbacks added later.

    :param deferredList: the Deferreds.
    :param fireOnOneCallback: fire with (result, index) of the first one that succeeds.
    :param fireOnOneErrback: fail with a :class:`FirstError` for the first one that fails.
    :param consumeErrors: take the failures off the Deferreds, whose results become None; else each is still to be
        handled there.

    :ivar fireOnOneCallback: as given.
    :ivar fireOnOneErrback: as given.
    """

    fireOnOneCallback = False
    fireOnOneErrback = False

    def __init__(
        self,
        deferredList: Iterable[Deferred[Any]],
        fireOnOneCallback: bool = False,
        fireOnOneErrback: bool = False,
        consumeErrors: bool = False,
    ) -> None:
        super().__init__()
        self._deferreds = deferreds = list(deferredList)
        self.resultList: list[tuple[bool, Any] | None] = [None] * len(deferreds)
        self.fireOnOneCallback = fireOnOneCallback
        self.fireOnOneErrback = fireOnOneErrback
        self.consumeErrors = consumeErrors
        # Those that have results, which would only pass through a callback.
        begin = 0 if fireOnOneCallback else collect_fired(deferreds, self.resultList)
        self._missing = len(deferreds) - begin
        if not self._missing and not fireOnOneCallback:
            self.callback(cast("Any", self.resultList))
            return
        succeeded, failed = self._succeeded, self._failed
        for index in range(begin, len(deferreds)):
            where = (index,)
            deferreds[index].addCallbacks(succeeded, failed, where, None, where, None)

    def _succeeded(self, result: _T, index: int) -> _T:
        self.resultList[index] = (SUCCESS, result)
        self._missing -= 1
        if self.fireOnOneCallback:
            if not self.called:
                self.callback(cast("Any", (result, index)))
        elif not self._missing and not self.called:
            self.callback(cast("Any", self.resultList))
        return result

    def _failed(self, failure: Failure, index: int) -> Failure | None:
        self.resultList[index] = (FAILURE, failure)
        self._missing -= 1
        if not self.called:
            if self.fireOnOneErrback:
                self.errback(FirstError(failure, index))
            elif not self._missing:
                self.callback(cast("Any", self.resultList))
        return None if self.consumeErrors else failure

    def cancel(self, why: str | None = None) -> None:
        """Cancel every Deferred of the list, unless the list has fired.

        What they make of it decides how the list fires.  A canceller that raises is logged.

        :param why: what the errors are to say.
        """
        if self.called:
            return super().cancel(why)
        _cancel_all(self._deferreds, why)
        return None


def _cancel_all(deferreds: Iterable[Deferred[Any]], why: str | None = None) -> None:
    for deferred in deferreds:
        try:
            deferred.cancel() if why is None else deferred.cancel(why)  # a subclass may know of no reasons
        except Exception:  # noqa: BLE001  # whatever it is, the others are to be cancelled as well
            log().failure("Exception raised by the canceller of a Deferred")


def _results(pairs: list[tuple[bool, Any]]) -> list[Any]:
    return [result for _, result in pairs]


def gatherResults(deferredList: Iterable[Deferred[_T]], consumeErrors: bool = False) -> Deferred[list[_T]]:
    """Return a Deferred of the list of all results, in the order of the Deferreds.

    It fails with a :class:`FirstError` as soon as one of them fails.  Cancelling it cancels them all.

    :param deferredList: the Deferreds.
    :param consumeErrors: take failures off the Deferreds; else each is still to be handled there, too.
    """
    return DeferredList(deferredList, fireOnOneErrback=True, consumeErrors=consumeErrors).addCallback(_results)


def race(ds: Sequence[Deferred[_T]]) -> Deferred[tuple[int, _T]]:
    """Return a Deferred of (index, result) of the first Deferred that succeeds; the others are cancelled.

    It fails with a :class:`FailureGroup` if all of them fail.  Cancelling it cancels them all.  The results are taken
    off the Deferreds.  Without any Deferreds it never fires.

    :param ds: the Deferreds.
    """
    failures: list[Failure | None] = [None] * len(ds)
    missing = len(ds)
    decided = False

    def cancel(_: Deferred[Any]) -> None:
        _cancel_all(ds)

    def succeeded(result: _T, index: int) -> None:
        nonlocal decided
        if not decided:
            decided = True
            _cancel_all(other for other in ds if other is not ds[index])
            winner.callback((index, result))

    def failed(failure: Failure, index: int) -> None:
        nonlocal missing
        failures[index] = failure
        missing -= 1
        if not missing:
            winner.errback(FailureGroup(cast("list[Failure]", failures)))

    winner: Deferred[tuple[int, _T]] = Deferred(cancel)
    for index, deferred in enumerate(ds):
        deferred.addCallbacks(succeeded, failed, where := (index,), None, where, None)
    return winner
