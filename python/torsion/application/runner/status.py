"""``--status``: a view into the process, for browsers, for Prometheus and for ``torsion top``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.fitting import Fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.application.runner.run import Run
    from torsion.application.status.place import Place
    from torsion.application.status.snapshot import Observation

__all__ = ["Status"]


def _place(text: str) -> Place:
    from torsion.application.status.place import place

    return place(text)


class Status(Fitting):
    """Serves the page of status; where several processes serve together, each gathers its figures and the master shows them all."""

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
            "Names by which browsers may ask for it, parted by commas, besides addresses and localhost; * for any.",
        ),
    )

    def fit(self, run: Run) -> None:
        """Gather figures and serve them, if there is to be a page."""
        place: Place | None = run.options["status"]
        if place is None:
            return
        from torsion.application.runner.statuspage import Gathering
        from torsion.application.status.snapshot import observe

        observation = observe(run)
        run.operating.addService(Gathering(observation))
        if run.worker is None:
            run.onMade.append(lambda: self._serve(run, place, observation))

    def _serve(self, run: Run, place: Place, observation: Observation) -> None:
        from torsion.application.runner.statuspage import StatusService
        from torsion.application.runner.workers import Workers

        names = [name.strip() for name in (run.options["status-name"] or "").split(",") if name.strip()]
        shown: Any = observation
        master = next((each.master for each in run.fittings if isinstance(each, Workers)), None)
        if master is not None:
            from torsion.application.runner.statuscrew import Crew

            shown = Crew(master, observation)
        service = StatusService(run, place, shown.snapshot, shown.state, names)
        if place.path is None or run.predecessor is None:
            service.setServiceParent(run.operating)
        # Else the socket is the predecessor's until that has left its place.
        run.onTakeOver.append(lambda: service.take_over(run.operating))
        run.onSuccession.append(service.leave)
