"""Tests that wait for Deferreds and coroutines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsion.internet._current import current_reactor
from torsion.testing.cases.marks import MISSING, marked
from torsion.testing.cases.synchronous import SynchronousTestCase
from torsion.testing.running import DEFAULT_TIMEOUT, Watch, wait_for

__all__ = ["TestCase"]


class TestCase(SynchronousTestCase):
    """Tests whose methods may return Deferreds, or be coroutines: the reactor runs until these have fired.

    The same holds for ``setUp``, ``tearDown`` and whatever ``addCleanup`` is given.  A test fails if it leaves a connection, a port, a
    delayed call, a thread or an unhandled error behind; each is named, with where it was made.  It may take two minutes, or as many
    seconds as ``timeout`` says.
    """

    __test__ = True

    @property
    def reactor(self) -> Any:
        """The reactor that the test runs on: the process's."""
        return current_reactor()

    def getTimeout(self) -> float | None:
        """Return after how many seconds the test fails; None for never."""
        found = marked(self, getattr(self, self._testMethodName), "timeout")
        if found is MISSING:
            return DEFAULT_TIMEOUT
        return None if found is None else float(found)

    def _make_watch(self) -> Watch:
        return Watch(self.reactor)

    def _wait(self, outcome: Any, what: str) -> None:
        wait_for(self.reactor, outcome, self.getTimeout(), f"{what} of {self.id()}")

    # The four places at which unittest calls what a test defines; its own IsolatedAsyncioTestCase hangs in here as well.

    def _callSetUp(self) -> None:
        self._wait(self.setUp(), "setUp")  # type: ignore[func-returns-value]  # it may return a Deferred

    def _callTestMethod(self, method: Callable[[], Any]) -> None:
        self._wait(method(), "the test")

    def _callTearDown(self) -> None:
        self._wait(self.tearDown(), "tearDown")  # type: ignore[func-returns-value]  # as above

    def _callCleanup(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        self._wait(function(*args, **kwargs), "a cleanup")
