"""What is served where: the page, its figures as JSON and for Prometheus, and two words for whoever watches processes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from torsion.application.status.answers import JSON, TEXT, Answer, failure
from torsion.application.status.metrics import OPENMETRICS, PROMETHEUS, metrics, wants_openmetrics
from torsion.application.status.page import page
from torsion.application.status.sharing import Shared
from torsion.internet.defer import maybeDeferred

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.application.status.names import HostNames
    from torsion.application.status.requests import Request
    from torsion.application.status.shape import Snapshot
    from torsion.internet.defer import Deferred

__all__ = ["PATHS", "Site"]

PATHS = ("/", "/status.json", "/metrics", "/health", "/ready")
"""All that there is."""

_SERVING = ("ready", "reloading")


class Site:
    """Makes the answers to requests, from snapshots that somebody else makes."""

    def __init__(
        self,
        reactor: Any,
        source: Callable[[], Snapshot | Deferred[Snapshot]],
        *,
        state: Callable[[], Any] | None = None,
        names: HostNames | None = None,
    ) -> None:
        """Make one.

        :param reactor: keeps the time.
        :param source: returns a snapshot, or a Deferred of one.
        :param state: returns the state alone, or a Deferred of it; where that takes a snapshot, None.
        :param names: the hosts that may be asked for; None for all, as on a UNIX socket, where no browser comes by itself.
        """
        self._snapshots: Shared[Snapshot] = Shared(reactor, source)
        self._state = state
        self._names = names
        self._page = page()

    def answer(self, request: Request) -> Answer | Deferred[Answer]:
        """Return what a request is to be answered, or a Deferred of it."""
        path = request.path
        if path == "/health":  # that this is said is what it says; to know it is of no use to strangers
            return Answer(200, TEXT, b"alive\n")
        if path == "/ready":
            return self._get_state().addCallback(_ready)
        if self._names is not None and not self._names.allow(request.host):
            return failure(
                421, "This server does not answer to that name. Use its address, or start it with --status-name NAME."
            )
        if path == "/":
            return self._page
        if path == "/status.json":
            return self._snapshots.get().addCallback(_json)
        if path == "/metrics":
            return self._snapshots.get().addCallback(_metrics, request.accept)
        return failure(404, f"There is nothing here. What there is: {', '.join(PATHS)}")

    def _get_state(self) -> Deferred[str]:
        if self._state is not None:
            state: Deferred[str] = maybeDeferred(self._state)
            return state
        return self._snapshots.get().addCallback(lambda snapshot: snapshot["state"])


def _ready(state: str) -> Answer:
    return Answer(200 if state in _SERVING else 503, TEXT, f"{state}\n".encode())


def _json(snapshot: Snapshot) -> Answer:
    return Answer(200, JSON, json.dumps(snapshot, separators=(",", ":"), allow_nan=False).encode("ascii"))


def _metrics(snapshot: Snapshot, accept: str) -> Answer:
    openmetrics = wants_openmetrics(accept)
    text = metrics(snapshot, openmetrics=openmetrics)
    return Answer(200, OPENMETRICS if openmetrics else PROMETHEUS, text.encode())
