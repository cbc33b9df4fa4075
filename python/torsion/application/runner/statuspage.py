"""What a run starts and stops for its page of status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.application.endpointservice import StreamServerEndpointService
from torsion.application.runner.errors import StartError
from torsion.application.service import Service
from torsion.application.status.names import HostNames
from torsion.application.status.place import exposed, url
from torsion.application.status.protocol import StatusFactory
from torsion.application.status.site import Site
from torsion.internet.error import CannotListenError
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torsion.application.runner.run import Run
    from torsion.application.service import MultiService
    from torsion.application.status.place import Place
    from torsion.application.status.snapshot import Observation
    from torsion.internet.defer import Deferred

__all__ = ["Gathering", "StatusService"]

_log = Logger("torsion.application.status")


class Gathering(Service):
    """Gathers, while it runs, what a snapshot needs and nobody else remembers."""

    def __init__(self, observation: Observation) -> None:
        """Gather for *observation*, the log at once, so that what fails at the start is counted."""
        self._observation = observation
        observation.watch_log()

    def startService(self) -> None:
        """Measure the loop's lag."""
        super().startService()
        self._observation.lag.start()

    def stopService(self) -> None:
        """Gather no more."""
        super().stopService()
        self._observation.lag.stop()
        self._observation.unwatch_log()


class StatusService(StreamServerEndpointService):
    """Serves the page."""

    _raiseSynchronously = True

    def __init__(
        self,
        run: Run,
        place: Place,
        source: Callable[[], Any],
        state: Callable[[], Any],
        names: Iterable[str] = (),
    ) -> None:
        """Make a service.

        :param run: whose page it is.
        :param place: where to listen.
        :param source: returns a snapshot, or a Deferred of it.
        :param state: returns the state, or a Deferred of it.
        :param names: hosts that may be asked for, besides those of :class:`HostNames`.
        :raises StartError: if it is no place.
        """
        self._run = run
        self._place = place
        secure = place.path is None and place.description.startswith(("ssl:", "tls:"))
        self._url: Callable[[Any], str] = lambda address: url(address, secure)
        site = Site(run.reactor, source, state=state, names=None if place.path is not None else HostNames(names))
        factory = StatusFactory(run.reactor, site.answer, lambda: run.state in ("stopping", "stopped"))
        try:
            endpoint = place.endpoint(run.reactor, run.predecessor)
        except ValueError as problem:
            # What follows points at the place in the description, which the first line quotes.
            raise StartError(f"--status: {str(problem).partition(chr(10))[0]}", 2) from problem
        super().__init__(endpoint, factory)
        self.setName("status")

    def _listen(self) -> None:
        try:
            super()._listen()
        except CannotListenError as problem:
            raise StartError(f"--status {self._place.description}: {problem}") from problem

    def startService(self) -> None:
        """Listen, and say where."""
        super().startService()
        self.whenListening().addCallbacks(self._tell_where, self._cannot)

    def _tell_where(self, port: Any) -> None:
        address = port.getHost()
        _log.info("Status at {url}", url=self._url(address))
        who = exposed(address)
        if who is not None:
            _log.warn(
                "{who} can see the status of this process at {address}: its connections, errors and stacks. "
                "To show them to this machine alone, leave the interface out.",
                who=who[0].upper() + who[1:],
                address=self._url(address),
            )

    def _cannot(self, failure: Any) -> None:
        if self.running:
            self._run.fail(StartError(f"--status {self._place.description}: {failure.value}"))

    def take_over(self, operating: MultiService) -> None:
        """Listen, now that the predecessor does no more, or the successor is gone."""
        if self.parent is None:
            self.setServiceParent(operating)
        elif not self.running:
            self.startService()

    def leave(self) -> Deferred[Any] | None:
        """Listen no more: another process has taken the place of this one, and shows its own figures there."""
        stopped: Deferred[Any] | None = self.stopService() if self.running else None
        return stopped
