"""The reactor whose turns are taken by somebody else's loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.internet import _current
from torsion.internet.reactors.engined import EngineReactor
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.internet.reactors.hosted.driver import Driver

__all__ = ["HostedReactor"]

_log = Logger("torsion.internet.reactors.hosted")


class HostedReactor(EngineReactor):
    """torsion's engine inside a foreign loop.

    The loop watches the engine's descriptor and keeps one timer, and takes a turn that does not wait when either calls for
    it.  Nothing is polled.

    :meth:`run` runs the foreign loop.  Where somebody else runs it, the reactor is part of it: one that is made while the
    loop runs starts by itself, soon; else :meth:`startRunning` starts it, before the loop or in it.  Then :meth:`stop` fires the ``shutdown``
    event and leaves the loop running.

    :ivar driver: the foreign loop.
    """

    def __init__(self, driver: Driver) -> None:
        """Make a reactor.

        :param driver: the foreign loop.
        """
        super().__init__()
        self.driver = driver
        self._attached = False
        self._ours = False  # whether it is run() that runs the foreign loop
        self._alarm: float | None = None  # when the driver's timer calls
        self._startup_due = False  # whether the startup event is to be fired in the loop's first turn
        self._settling = False  # whether the shutdown event is being fired, with no turn going on
        self._doubt: BaseException | None = None  # what the foreign loop raised last, if no turn was taken since
        self._problem: BaseException | None = None  # what keeps the engine from taking any more turns
        if driver.running():
            driver.set_timer(0.0, self._start)

    # --- running -----------------------------------------------------------------------------------------------------

    def run(self, installSignalHandlers: bool = True) -> None:
        """Run the foreign loop until :meth:`stop` or :meth:`crash`; the ``startup`` event is the first that happens in it.

        While somebody else runs that loop, start and return at once; the signals are then that one's business.  If the loop
        ends by itself, as one of windows does when the last is closed, the reactor stops.

        :param installSignalHandlers: as for every reactor.
        :raises torsion.internet.error.ReactorAlreadyRunning: if the reactor is running.
        :raises torsion.internet.error.WrongThreadError: if another thread is making it turn.
        :raises TypeError: if the foreign loop cannot watch descriptors.
        """
        if self.driver.running():
            self.startRunning(installSignalHandlers=False)
            return
        self._join(installSignalHandlers)
        self._startup_due = True
        self.mainLoop()

    def startRunning(self, installSignalHandlers: bool = True) -> None:
        """Fire the ``startup`` event, and be part of the foreign loop from now on, whoever runs it.

        :raises torsion.internet.error.ReactorAlreadyRunning: if the reactor is running.
        :raises torsion.internet.error.WrongThreadError: if another thread is making it turn.
        :raises TypeError: if the foreign loop cannot watch descriptors.
        """
        self._join(installSignalHandlers)
        self.fireSystemEvent("startup")

    def _join(self, installSignalHandlers: bool) -> None:
        """Begin a run, but for its event, and be part of the loop."""
        if self._attached:
            self._enter(installSignalHandlers)  # which refuses
        self._attach()
        try:
            self._enter(installSignalHandlers)
        except BaseException:
            self._detach()
            raise
        self._looping = True

    def _start(self) -> None:
        """Start in a loop that ran already when the reactor was made."""
        self._alarm = None
        if not self._attached:
            try:
                self.startRunning(installSignalHandlers=False)
            except Exception:  # noqa: BLE001 - the foreign loop has no use for it
                _log.failure("A reactor could not start in the loop that it was made in")

    def mainLoop(self) -> None:
        """Run the foreign loop until the reactor is stopped or crashes.

        :raises torsion.internet.error.WrongThreadError, OSError: as :meth:`run` of every reactor.
        """
        self._ours = True
        try:
            while self._started:
                try:
                    self.driver.run()
                except BaseException as problem:  # noqa: BLE001 - told further down, or raised
                    if self._doubt is not None:
                        raise self._doubt from None  # without a turn in between: this loop does not run
                    self._doubt = problem
                    self.engine.wake()
                else:
                    break
            if self._problem is not None:
                raise self._problem
            self.engine.wakeup_fileno()  # which refuses in a process that was forked off within this run
            if self._startup_due:
                self._start_up()  # the loop ended before it took a turn
            if self._started:
                # The loop has ended under us, and may be unable to run again: the engine turns by itself until all is shut down.
                self._detach()
                if not self._stopping:
                    self.stop()
                super().mainLoop()
        finally:
            self._ours = False
            self._problem = self._doubt = None
            self._startup_due = False
            self._started = self._stopping = self._fire_shutdown = self.running = False
            self._end_run()

    def iterate(self, delay: float = 0.0) -> None:
        """Take one turn: make the calls that are due, and serve input and output.  Nothing else of the foreign loop is served.

        :param delay: how many seconds to wait at most for something to do.
        """
        self.engine.turn(delay)
        self._settle()

    def stop(self) -> None:
        """Fire the ``shutdown`` event soon, then let :meth:`run` return; a loop that somebody else runs goes on.

        :raises torsion.internet.error.ReactorNotRunning: if it is not running, or was told to stop before.
        """
        super().stop()
        self.engine.wake()

    def crash(self) -> None:
        """End the run soon, without the ``shutdown`` event: ports and connections stay open."""
        super().crash()
        if self._ours:
            self.engine.wake()
        elif not (self._settling or self.engine.running):  # else _settle does it, after what the turn goes on to do
            self._end_run()

    # --- turns -------------------------------------------------------------------------------------------------------

    def _attach(self) -> None:
        self.engine.attach()
        try:
            descriptor = self.engine.fileno()
            if descriptor < 0:
                raise TypeError("this system has no descriptor that another loop could watch: use the native reactor")
            self.driver.watch(descriptor, self._turn)
        except BaseException:
            self.engine.detach()
            raise
        self._attached = True
        self.engine.wake()  # what was asked for before

    def _detach(self) -> None:
        if self._attached:
            self._attached = False
            self._alarm = None
            self.driver.clear_timer()
            self.driver.unwatch()
            self.engine.detach()

    def _turn(self) -> None:
        """Take a turn that does not wait; what the driver calls."""
        doubt, self._doubt = self._doubt, None
        if doubt is not None:
            # The loop works, so it was a signal handler that raised, or another thing that the loop calls; as in every reactor,
            # that ends nothing.
            _log.failure("Unexpected error in the main loop", Failure(doubt, type(doubt), doubt.__traceback__))
        try:
            if self._startup_due:
                self._start_up()
            # A run that is ending takes no further turn, but for those within what the last one called.
            if self.engine.running or (self._started and not self._fire_shutdown):
                self.engine.turn(0.0)
        except BaseException as problem:  # noqa: BLE001 - the foreign loop has no use for it
            if self._ends_run(problem):
                self._problem = problem
                self._started = self._stopping = self._fire_shutdown = self.running = False
                if not self._ours:
                    _log.failure("The reactor's engine failed, and the reactor ends")
            else:
                _log.failure("Unexpected error in the main loop")
        self._settle()

    def _start_up(self) -> None:
        self._startup_due = False
        self.fireSystemEvent("startup")

    def _alarmed(self) -> None:
        self._alarm = None
        self._turn()

    def _settle(self) -> None:
        """Do what follows a turn.  After a turn within another one, that is left to the outer one."""
        if self.engine.running or self._settling:
            return
        if self._fire_shutdown:
            self._settling = True
            try:
                self._shut_down()
            finally:
                self._settling = False
        if not self._started:
            if self._ours:
                self.driver.stop()
            else:
                self._end_run()
        elif self._attached:
            deadline = self.engine.next_deadline()
            # An alarm that has become too early is left as it is: it costs one turn, moving it costs as much each time.
            if deadline is not None and (self._alarm is None or deadline < self._alarm):
                self._alarm = deadline
                self.driver.set_timer(max(0.0, deadline - self.engine.seconds()), self._alarmed)

    def _end_run(self) -> None:
        self._detach()
        self._looping = False
        self._leave()

    def _leave(self) -> None:
        if self._entered:
            # Reactors that share a loop may end in any order.
            _current.forget(self)
            _current.enter(self)
        super()._leave()

    def _given_up(self) -> None:
        super()._given_up()
        self._attached = False  # the other process may share the loop's own poller: nothing must be taken out of that

    # --- signals -----------------------------------------------------------------------------------------------------

    def _wakeup_descriptor(self) -> int:
        """A loop that hears signals has the process's wake-up descriptor to itself."""
        return -1 if self.driver.hears_signals else super()._wakeup_descriptor()
