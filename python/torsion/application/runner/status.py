"""``--status``: a view into the process, for browsers, for Prometheus and for ``torsion top``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.fitting import Fitting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torsion.application.runner.run import Run
    from torsion.application.status.place import Place

__all__ = ["Status"]


def _place(text: str) -> Place:
    from torsion.application.status.place import place

    return place(text)


class Status(Fitting):
    """Serves the page of status.

    Where several processes serve together, each keeps its own figures, and the one that has their answers to show puts its own
    *source* and *state* in place before the service is made.

    :ivar source: returns the snapshot to show, or a Deferred of it.
    :ivar state: returns the state for ``/ready``, or a Deferred of it.
    """

    optParameters: ClassVar[Sequence[Sequence[Any]]] = (
        (
            "status",
            None,
            None,
            "Show what goes on at this endpoint, such as tcp:9000 (this machine only, unless it has interface=), or in a UNIX socket: PATH.",
            _place,
        ),
        (
            "status-name",
            None,
            None,
            "A name by which browsers may ask for it, besides addresses and localhost; * for any.",
        ),
    )

    source: Callable[[], Any]
    state: Callable[[], Any]

    def fit(self, run: Run) -> None:
        """Gather figures and serve them, if there is to be a page."""
        place: Place | None = run.options["status"]
        if place is None:
            return
        from torsion.application.runner.statuspage import Gathering
        from torsion.application.status.snapshot import observe

        observation = observe(run)
        self.source = observation.snapshot
        self.state = observation.state
        run.operating.addService(Gathering(observation))
        if run.worker is None:
            run.onMade.append(lambda: self._serve(run, place))

    def _serve(self, run: Run, place: Place) -> None:
        from torsion.application.runner.statuspage import StatusService

        names = [run.options["status-name"]] if run.options["status-name"] else []
        service = StatusService(run, place, self.source, self.state, names)
        if place.path is None or run.predecessor is None:
            run.operating.addService(service)
        # Else the socket is the predecessor's until that has left its place.
        run.onTakeOver.append(lambda: service.take_over(run.operating))
        run.onSuccession.append(service.leave)
