"""The Deferred: a result that is not there yet, and the callbacks that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from torsion.python.failure import Failure

from . import _debug
from ._driver import Driver, is_steps, start
from ._errors import not_a_coroutine
from ._foreign import given_out
from ._kinds import (
    DEFERRED_TYPES,
    FAILED,
    GO_ON,
    INTERRUPTED,
    NO_KEYWORDS,
    PAUSE,
    PAUSE_SHIFT,
    RUNNING,
    UNFIRED,
    Bound,
    Entry,
    failure_here,
    is_failure,
)
from ._outside import Future, FutureLoop, add_timeout, from_future, to_future
from ._run import forward, ready, run

if TYPE_CHECKING:
    from torsion.internet.interfaces import IReactorTime

__all__ = ["Deferred"]

_T = TypeVar("_T")
_NextT = TypeVar("_NextT")
_P = ParamSpec("_P")


class Deferred(Generic[_T]):
    """A result that is not there yet.

    Whoever makes one gives it away and calls :meth:`callback` or :meth:`errback` on it later, once.  Whoever got it
    adds callbacks, which are called in the order they were added, each with what the one before returned.  A callback
    that raises or returns a :class:`Failure` makes the next *errback* be called instead.  One that returns a Deferred
    makes the rest wait for that Deferred's result.  In a coroutine, ``await`` it.

    :param canceller: called with the Deferred by :meth:`cancel`; it should stop the work and may fire the Deferred.
    """

    debug: bool = False
    """Remember where Deferreds are made and fired, and capture the variables of failures.  See :func:`setDebugging`."""

    # The fields that every Deferred has or gets; what few have is found in the class or in __dict__.
    __slots__ = ("__dict__", "__weakref__", "_canceller", "_chain", "_hold", "result")

    result: Any
    _chain: list[Entry]
    _hold: int
    _canceller: Callable[[Deferred[Any]], object] | Driver | None

    _chainedTo: Deferred[Any] | None = None
    _suppress: bool = False
    _info: _debug.DebugInfo | None = None

    def __init__(self, canceller: Callable[[Deferred[Any]], object] | None = None) -> None:
        self._chain = []
        self._hold = UNFIRED
        self._canceller = canceller
        if self.debug:
            self._info = info = _debug.DebugInfo()
            info.creator = _debug.callers()
            self._chain = _debug.NotedSteps(info)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        DEFERRED_TYPES.add(cls)

    # --- adding callbacks ------------------------------------------------------------------------------------------

    @overload
    def addCallbacks(
        self,
        callback: Callable[..., Deferred[_NextT] | Failure],
        errback: Callable[..., Deferred[_NextT] | Failure] | None = None,
        callbackArgs: tuple[Any, ...] | None = (),
        callbackKeywords: Mapping[str, Any] | None = NO_KEYWORDS,
        errbackArgs: tuple[Any, ...] | None = (),
        errbackKeywords: Mapping[str, Any] | None = NO_KEYWORDS,
    ) -> Deferred[_NextT]: ...
    @overload
    def addCallbacks(
        self,
        callback: Callable[..., _NextT | Failure],
        errback: Callable[..., _NextT | Failure] | None = None,
        callbackArgs: tuple[Any, ...] | None = (),
        callbackKeywords: Mapping[str, Any] | None = NO_KEYWORDS,
        errbackArgs: tuple[Any, ...] | None = (),
        errbackKeywords: Mapping[str, Any] | None = NO_KEYWORDS,
    ) -> Deferred[_NextT]: ...
    @overload
    def addCallbacks(
        self,
        callback: Callable[..., Any] | None,
        errback: Callable[..., Any] | None = None,
        callbackArgs: tuple[Any, ...] | None = (),
        callbackKeywords: Mapping[str, Any] | None = NO_KEYWORDS,
        errbackArgs: tuple[Any, ...] | None = (),
        errbackKeywords: Mapping[str, Any] | None = NO_KEYWORDS,
    ) -> Deferred[Any]: ...
    def addCallbacks(
        self,
        callback: Callable[..., Any] | None,
        errback: Callable[..., Any] | None = None,
        callbackArgs: tuple[Any, ...] | None = (),
        callbackKeywords: Mapping[str, Any] | None = NO_KEYWORDS,
        errbackArgs: tuple[Any, ...] | None = (),
        errbackKeywords: Mapping[str, Any] | None = NO_KEYWORDS,
    ) -> Deferred[Any]:
        """Add a callback and an errback for the same step: one of the two is called.

        :param callback: called with the result.
        :param errback: called with the :class:`Failure`; without one, the failure passes on.
        :param callbackArgs: further arguments of the callback, after the result.
        :param callbackKeywords: its keyword arguments.
        :param errbackArgs: further arguments of the errback, after the failure.
        :param errbackKeywords: its keyword arguments.
        :returns: this Deferred.
        """
        if errback is None:
            self._add(callback, None, callbackArgs, callbackKeywords)
        elif callback is None:
            self._add(None, errback, errbackArgs, errbackKeywords)
        elif callbackArgs is errbackArgs and callbackKeywords is errbackKeywords:
            self._add(callback, errback, callbackArgs, callbackKeywords)
        else:
            self._add(
                Bound(callback, callbackArgs or (), callbackKeywords or {}),
                Bound(errback, errbackArgs or (), errbackKeywords or {}),
            )
        return self

    @overload
    def addCallback(
        self, callback: Callable[Concatenate[_T, _P], Deferred[_NextT] | Failure], *args: _P.args, **kwargs: _P.kwargs
    ) -> Deferred[_NextT]: ...
    @overload
    def addCallback(
        self, callback: Callable[Concatenate[_T, _P], _NextT | Failure], *args: _P.args, **kwargs: _P.kwargs
    ) -> Deferred[_NextT]: ...
    def addCallback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
        """Add *callback*, to be called with the result and these arguments; failures pass it by.

        :returns: this Deferred.
        """
        if args or kwargs:
            entry: Entry = (callback, None, args, kwargs)
        else:
            entry = (callback, None, None, None)
        if self._hold >= UNFIRED:
            self._chain.append(entry)
        else:
            self._add_and_run(entry)
        return self

    @overload
    def addErrback(
        self,
        errback: Callable[Concatenate[Failure, _P], Deferred[_NextT] | Failure],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Deferred[_T | _NextT]: ...
    @overload
    def addErrback(
        self, errback: Callable[Concatenate[Failure, _P], _NextT | Failure], *args: _P.args, **kwargs: _P.kwargs
    ) -> Deferred[_T | _NextT]: ...
    def addErrback(self, errback: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
        """Add *errback*, to be called with the :class:`Failure` and these arguments; other results pass it by.

        :returns: this Deferred.
        """
        if args or kwargs:
            entry: Entry = (None, errback, args, kwargs)
        else:
            entry = (None, errback, None, None)
        if self._hold >= UNFIRED:
            self._chain.append(entry)
        else:
            self._add_and_run(entry)
        return self

    @overload
    def addBoth(
        self, callback: Callable[Concatenate[Any, _P], Deferred[_NextT] | Failure], *args: _P.args, **kwargs: _P.kwargs
    ) -> Deferred[_NextT]: ...
    @overload
    def addBoth(
        self, callback: Callable[Concatenate[Any, _P], _NextT | Failure], *args: _P.args, **kwargs: _P.kwargs
    ) -> Deferred[_NextT]: ...
    def addBoth(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
        """Add *callback*, to be called with the result or the :class:`Failure`, and these arguments.

        :returns: this Deferred.
        """
        if args or kwargs:
            entry: Entry = (callback, callback, args, kwargs)
        else:
            entry = (callback, callback, None, None)
        if self._hold >= UNFIRED:
            self._chain.append(entry)
        else:
            self._add_and_run(entry)
        return self

    def addTimeout(
        self,
        timeout: float,
        clock: IReactorTime,
        onTimeoutCancel: Callable[[_T | Failure, float], Any] | None = None,
    ) -> Deferred[Any]:
        """Cancel this Deferred if it has no result, up to the callbacks added so far, in *timeout* seconds.

        :param timeout: seconds.
        :param clock: what measures them, such as the reactor.
        :param onTimeoutCancel: called with the result (mostly a :class:`CancelledError` failure) and *timeout* if the
            time ran out; what it returns or raises is the new result.  The default turns the :class:`CancelledError`
            into a :class:`TimeoutError`.
        :returns: this Deferred.
        """
        add_timeout(self, timeout, clock, onTimeoutCancel)
        return self

    def chainDeferred(self, d: Deferred[Any]) -> Deferred[None]:
        """Fire *d* with this Deferred's result when it has one; the result here is None afterwards.

        Since *d* cannot be fired by anything else then, an error of it is *d*'s to handle.

        :returns: this Deferred.
        """
        d._chainedTo = self
        hooks = tuple(getattr(hook, "__func__", None) for hook in (d.callback, d.errback))
        if type(d) is Deferred and hooks == _HOOKS:
            self._add(d, d, forward)
        else:
            self.addCallbacks(d.callback, d.errback)  # which it may have replaced
        return self  # type: ignore[return-value]  # of another type from here on

    def _add(self, callback: Any, errback: Any, args: Any = None, keywords: Mapping[str, Any] | None = None) -> None:
        entry: Entry = (callback, errback, args or (() if keywords else None), keywords)
        if self._hold >= UNFIRED:
            self._chain.append(entry)
        else:
            self._add_and_run(entry)

    def _add_and_run(self, entry: Entry) -> None:
        if self._info is not None and self._info.creator is not None and (functions := _debug.functions_of(entry)):
            self._info.note_added(functions)
        if self._hold < INTERRUPTED:
            self._chain = [entry]
        else:
            self._chain.append(entry)
        run(self)

    # --- firing ----------------------------------------------------------------------------------------------------

    def callback(self, result: _T | Failure) -> None:
        """Fire: *result* is here.  Runs the callbacks that were added so far.

        :param result: the result; a :class:`Failure` makes the errbacks run.
        :raises AlreadyCalledError: if it was fired before.
        """
        hold = self._hold
        if not hold & UNFIRED:
            self._refuse()
            return
        self._canceller = None
        self.result = result
        if self.debug:
            self._note_invoker()
        hold -= UNFIRED
        if is_failure(result):
            hold += FAILED
        self._hold = hold
        if hold < UNFIRED:
            if self._chain:
                run(self)
            elif hold:
                self._blame(cast("Failure", result))

    def errback(self, fail: Failure | BaseException | None = None) -> None:
        """Fire with a failure.  Runs the callbacks that were added so far.

        :param fail: what went wrong; None stands for the exception that is being handled.
        :raises AlreadyCalledError: if it was fired before.
        :raises NoCurrentExceptionError: if *fail* is None and no exception is being handled.
        """
        if fail is None:
            fail = Failure(captureVars=self.debug)
        elif not isinstance(fail, Failure):
            fail = Failure(fail)
        self.callback(fail)

    def _accept(self, result: Any) -> Deferred[Any] | None:
        """Do what :meth:`callback` does up to running the callbacks; return self if there are some to be run now."""
        hold = self._hold
        if not hold & UNFIRED:
            self._refuse()
            return None
        self._canceller = None
        self.result = result
        if self.debug:
            self._note_invoker()
        self._hold = hold - UNFIRED
        if is_failure(result):
            self._hold += FAILED
        return ready(self)

    def _refuse(self) -> None:
        """Ignore the one result that comes after a cancellation; else complain that there is a second one."""
        if self._suppress:
            self._suppress = False
        else:
            raise _debug.fired_before(self._info)

    def cancel(self, why: str | None = None) -> None:
        """Ask whoever is to fire this Deferred to give up, and fire it with :class:`CancelledError` if that did not.

        If it has fired and waits for another Deferred that a callback returned, that one is cancelled.  If it has a
        result already, nothing happens.  Without a canceller, one later call of :meth:`callback` or :meth:`errback`
        is ignored, since whoever calls cannot know of the cancellation.

        :param why: what the error is to say.  A canceller that fires the Deferred itself has its own words.
        """
        current: Any = self
        waiter: Deferred[Any] | None = None
        seen = set()
        try:
            while current not in seen:
                if current is not self and type(current).cancel is not Deferred.cancel:
                    current.cancel() if why is None else current.cancel(
                        why
                    )  # which may be from before there were reasons
                    return
                seen.add(current)
                if not current._hold & UNFIRED:
                    inner = getattr(current, "result", None)
                    if type(inner) not in DEFERRED_TYPES:
                        return
                elif isinstance(canceller := current._canceller, Driver):
                    inner, waiter = canceller.waiting, current
                    if inner is None:  # the coroutine itself is the caller: it goes on, to no avail
                        current._suppress = True
                        current.errback(_debug.cancelled(current.debug, why))
                        return
                else:
                    current._cancel_here(canceller, why)
                    return
                current = inner
        except Exception:
            if waiter is None or not waiter._hold & UNFIRED:
                raise
            waiter._suppress = True
            waiter.errback(failure_here())

    def _cancel_here(self, canceller: Callable[[Deferred[Any]], object] | None, why: str | None) -> None:
        if canceller is None:
            self._suppress = True
        elif canceller(self) is GO_ON:
            return
        if self._hold & UNFIRED:
            self.errback(_debug.cancelled(self.debug, why))

    # --- state -----------------------------------------------------------------------------------------------------

    @property
    def called(self) -> bool:
        """Whether it was fired."""
        return not self._hold & UNFIRED

    @property
    def paused(self) -> int:
        """How many pauses are in force, a wait for another Deferred included."""
        return self._hold >> PAUSE_SHIFT

    def pause(self) -> None:
        """Run no callbacks until :meth:`unpause` was called as often.

        Called by one of this Deferred's own callbacks, it takes effect after those that are there to be run.
        """
        if self._hold < INTERRUPTED:
            self._chain = []
        self._hold += PAUSE

    def unpause(self) -> None:
        """Take back one :meth:`pause`; runs the callbacks that can run now.

        :raises RuntimeError: if it is not paused.
        """
        if self._hold < PAUSE:
            raise RuntimeError(f"{self!r} is not paused: call pause() once for each unpause()")
        self._hold -= PAUSE
        if self._hold < UNFIRED:
            run(self)

    @property
    def callbacks(self) -> list[tuple[tuple[Any, tuple[Any, ...], Mapping[str, Any]], ...]]:
        """The steps that have not run yet: pairs of (callback, args, keywords) and (errback, args, keywords).

        It is a copy to look at; changing it changes nothing.
        """
        pairs: list[tuple[tuple[Any, tuple[Any, ...], Mapping[str, Any]], ...]] = []
        for callback, errback, args, keywords in getattr(self, "_chain", ()):
            if args is None or isinstance(args, tuple):
                pairs.append((_shown(callback, args, keywords), _shown(errback, args, keywords)))
            else:
                pairs.append(((args, (callback,), {}),) * 2)
        return pairs

    def __repr__(self) -> str:
        """Say what it waits for or what its result is."""
        text = f"<{type(self).__name__} at {id(self):#x}"
        result = getattr(self, "result", self)
        if self._chainedTo is not None and (result is self or type(result) in DEFERRED_TYPES):
            text += f" waiting on Deferred at {id(self._chainedTo):#x}"
        elif result is not self:
            text += f" current result: {result!r}"
        return text + ">"

    def _note_invoker(self) -> None:
        if self._info is None:
            self._info = _debug.DebugInfo()
        self._info.invoker = _debug.callers()

    def _blame(self, failure: Failure) -> None:
        """Have *failure* logged if nobody handles it."""
        if self._info is None:
            self._info = _debug.DebugInfo()
        self._info.failResult = failure

    def _absolve(self) -> None:
        """Forget the failure: it was handled, or is another Deferred's now."""
        if self._info is not None:
            self._info.failResult = None

    # --- coroutines and futures ------------------------------------------------------------------------------------

    def __await__(self) -> Generator[Deferred[_T], Any, _T]:
        """Wait in a coroutine; also ``yield from`` in a generator.

        The result stays: a fired Deferred can be awaited again.
        """
        hold = self._hold
        if hold:
            if hold & ~(RUNNING | FAILED | INTERRUPTED):
                result = yield self
                if result is self:  # sent back by one who does not know us: another library's coroutine, then
                    result = yield given_out(self)
                return result  # type: ignore[no-any-return]  # a result may be anything
            if is_failure(self.result):
                self._absolve()
                self.result.raiseException()
        return self.result  # type: ignore[no-any-return]  # a result may be anything

    __iter__ = __await__

    @classmethod
    def fromCoroutine(
        cls, coro: Coroutine[Deferred[Any], Any, _NextT] | Generator[Any, Any, _NextT]
    ) -> Deferred[_NextT]:
        """Start a coroutine, or a generator that yields Deferreds, and return a Deferred of what it returns.

        Cancelling the Deferred cancels what the coroutine is waiting for.

        :raises NotACoroutineError: if *coro* is neither.
        """
        if not is_steps(coro):
            raise not_a_coroutine(coro)
        return start(Deferred, coro)

    def asFuture(self, loop: FutureLoop) -> Future[_T]:
        """Return an ``asyncio.Future`` of *loop* that gets this Deferred's result, which is None here afterwards.

        Cancelling the future cancels this Deferred.
        """
        return to_future(self, loop)

    @classmethod
    def fromFuture(cls, future: Future[_NextT]) -> Deferred[_NextT]:
        """Return a Deferred of the result of an ``asyncio.Future``.

        Cancelling it cancels the future; it then fails with what the future raises, ``asyncio.CancelledError``.
        """
        return from_future(Deferred, future)


DEFERRED_TYPES.add(Deferred)
_HOOKS = Deferred.callback, Deferred.errback


def _shown(function: Any, args: Any, keywords: Any) -> tuple[Any, tuple[Any, ...], Mapping[str, Any]]:
    """Return a half of a step as :attr:`Deferred.callbacks` shows it."""
    if function is None:
        return _debug.passthru, (), {}
    if isinstance(function, Bound):
        return function.function, function.args, function.keywords
    return function, args or (), keywords or {}
