"""When everything listens: what a run waits for before it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.defer import Deferred, gatherResults

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["whenListening"]


def _services(service: Any) -> Iterator[Any]:
    yield service
    children = getattr(service, "services", None)
    if isinstance(children, list):
        for child in list(children):
            yield from _services(child)


def whenListening(service: Any) -> Deferred[Any]:
    """Wait for all listeners among *service* and what is in it.

    :returns: a Deferred that fires when each service that has a method ``whenListening`` says so, or fails as the first of them does.
    """
    waiting = [each.whenListening() for each in _services(service) if callable(getattr(each, "whenListening", None))]
    gathered = gatherResults(waiting, consumeErrors=True)
    return gathered.addErrback(_unwrap)


def _unwrap(failure: Any) -> Any:
    from torsion.internet.defer import FirstError

    return failure.value.subFailure if failure.check(FirstError) else failure
