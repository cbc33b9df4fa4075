"""The contract between a reactor and the engine it runs on.

An engine is one event loop's worth of state: a poller, timers, transports, and a queue of calls from other threads.
It knows nothing of factories, Deferreds or Failures. What it promises:

* It takes *turns*. In a turn it makes the calls that came from other threads, then those whose time has come, then
  serves input and output, for which it waits until the next timer is due. A call that is asked for during a turn is
  made in the next one.
* Everything is called in the thread that runs the engine. ``call_from_thread``, ``wake`` and ``seconds`` may be used in
  any thread; the rest raises :class:`torsion.internet.error.WrongThreadError` in a wrong one.
* What escapes from a call is handed to its owner's ``raised``, whatever it is, and the loop goes on.
* A turn may be taken within a call made by another turn. It leaves alone what that call is about.
* A method that starts something returns before the outcome is told.

``torsion._native.Engine`` is the one written in Rust; its stub tells the rest. Transports are made by the engine's
``listen`` and ``connect``, which are no part of this: only the flavours that have sockets call them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Engine"]


class Engine(Protocol):
    """What :class:`torsion.internet.reactors.base.ReactorBase` asks of an engine."""

    def seconds(self) -> float:
        """Return the time in seconds; it never goes back."""

    def call_later(self, delay: float, callable: Callable[..., object], /, *args: Any, **kw: Any) -> Any:
        """Call *callable* in *delay* seconds, and return that call to come, an ``IDelayedCall``.

        Raises :class:`ValueError` for a delay that is negative or not finite.
        """

    def delayed_calls(self) -> Sequence[Any]:
        """Return the calls that are still to come."""

    def call_from_thread(self, callable: Callable[..., object], /, *args: Any, **kw: Any) -> None:
        """Call *callable* in the engine's thread, soon; calls of one thread stay in order."""

    def wake(self) -> None:
        """End a wait that is going on, or else the next one."""

    def wakeup_fileno(self) -> int:
        """Return a descriptor that wakes the engine when a byte is written to it, or -1."""

    def run(self) -> None:
        """Take turns until :meth:`stop`.  Raises what a signal handler raises; it may be called again then.

        Raises, in no frame below this, :class:`OSError` if the system refuses to wait, and
        :class:`torsion.internet.error.WrongThreadError` if another thread takes a turn; to call it again is of no use then.
        """

    def stop(self) -> None:
        """Let :meth:`run` return after the turn that is going on."""

    def turn(self, timeout: float | None = 0.0, /) -> None:
        """Take one turn, waiting at most *timeout* seconds for something to do; None waits until there is."""

    def close(self) -> None:
        """Close every descriptor and tell the owners of connections.  The engine may be used again afterwards."""
