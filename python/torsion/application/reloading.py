"""Reloading: services that read their configuration again, and the report of what a reload did.

``torsion.application.runner.reload`` does the whole of it: logs, changed code, services.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zope.interface import Interface

from torsion.internet._current import current_reactor
from torsion.internet.defer import CancelledError, Deferred, maybeDeferred
from torsion.python.failure import Failure

from .draining import describe

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RELOAD_SECONDS", "IReloads", "ReloadError", "ReloadReport", "Trouble", "reloadServices"]


RELOAD_SECONDS = 60.0
"""How long a service may take to reload, in seconds: it may read its configuration over the network. One that never ends would keep
all reloads to come waiting."""


class IReloads(Interface):
    """A service that can take on a changed configuration while it runs."""

    def reload() -> Deferred[Any] | None:
        """Read the configuration again and go by it, without dropping a connection.

        Whoever cannot, since what it reads has an error, goes on as it was and raises, with the input named. There is never a
        second call before the Deferred of the first has fired; it is cancelled after :data:`RELOAD_SECONDS`.

        :returns: a Deferred that fires once that is done, or None if it is.
        """


class ReloadError(Exception):
    """Services could not reload, and go on as they were.

    :ivar reloaded: what to call the services that did.
    :ivar failed: for each that did not, what to call it, and the Failure.
    """

    def __init__(self, reloaded: list[str], failed: list[tuple[str, Failure]]) -> None:
        super().__init__("; ".join(f"{name} could not reload: {why.value}" for name, why in failed))
        self.reloaded = reloaded
        self.failed = failed


def reloadServices(services: Iterable[Any]) -> Deferred[list[str]]:
    """Have services reload, one after the other; those that have no :class:`IReloads` have nothing to read.

    :param services: in the order in which they were started.
    :returns: a Deferred that fires with what to call those that reloaded. It fails with :class:`ReloadError` if some could
        not; the others have reloaded all the same.
    """
    return Deferred.fromCoroutine(_reload([each for each in services if IReloads.providedBy(each)]))


async def _reload(services: list[Any]) -> list[str]:
    reloaded: list[str] = []
    failed: list[tuple[str, Failure]] = []
    for service in services:
        try:
            result = await _within_time(service)
        except ReloadError as error:  # a collection's
            reloaded += error.reloaded
            failed += error.failed
        except Exception:  # noqa: BLE001 - the fault of one service is not the next one's
            failed.append((describe(service), Failure()))
        else:
            if hasattr(service, "addService"):  # a collection, which tells of its services
                reloaded += result or []
            else:
                reloaded.append(describe(service))
    if failed:
        raise ReloadError(reloaded, failed)
    return reloaded


def _within_time(service: Any) -> Deferred[Any]:
    reloading: Deferred[Any] = maybeDeferred(service.reload)
    if not reloading.called and not hasattr(service, "addService"):  # a collection's services have their own time
        reloading.addTimeout(RELOAD_SECONDS, current_reactor(), _told)
    return reloading


def _told(result: Any, seconds: float) -> Any:
    if isinstance(result, Failure) and result.check(CancelledError):
        raise TimeoutError(f"it has not done so within {seconds:g} seconds, and was cancelled")
    return result


@dataclass(frozen=True)
class Trouble:
    """Something that a reload could not do; it goes on as it was.

    :ivar what: the name of a module, something in it (as in ``"shop.Basket"``), a service or a log file.
    :ivar why: the reason, in a line.
    :ivar traceback: the lines of a traceback, if it raised.
    """

    what: str
    why: str
    traceback: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass
class ReloadReport:
    """What a reload did.

    :ivar logs: the log files that were opened anew.
    :ivar rebuilt: for each module that was rebuilt, what changed in it, in the order in which that was done.
    :ivar services: the services that read their configuration again.
    :ivar failed: what went wrong: modules that cannot be run, services and log files.
    :ivar notUpdated: what of the code goes on as it was though its source has changed, with why; it takes a restart.
    :ivar seconds: how long it took.
    """

    logs: list[str] = field(default_factory=list)
    rebuilt: dict[str, list[str]] = field(default_factory=dict)
    services: list[str] = field(default_factory=list)
    failed: list[Trouble] = field(default_factory=list)
    notUpdated: list[Trouble] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nothing went wrong."""
        return not self.failed

    @property
    def complete(self) -> bool:
        """Whether the program now is what the sources and the configuration say."""
        return not self.failed and not self.notUpdated

    def __str__(self) -> str:
        lines = [f"reloaded in {self.seconds:.3f} s: {self._counts()}"]
        lines += [f"  opened anew: {name}" for name in self.logs]
        lines += [
            f"  rebuilt {name}: {', '.join(changes) or 'nothing changed'}" for name, changes in self.rebuilt.items()
        ]
        lines += [f"  reloaded: {name}" for name in self.services]
        lines += [f"  not updated: {each}" for each in self.notUpdated]
        for each in self.failed:
            lines.append(f"  failed: {each}")
            lines += [f"    {line}" for line in each.traceback.splitlines()]
        return "\n".join(lines)

    def _counts(self) -> str:
        counts = [
            (len(self.logs), "log file", "log files"),
            (len(self.rebuilt), "module", "modules"),
            (len(self.services), "service", "services"),
            (len(self.notUpdated), "thing not updated", "things not updated"),
            (len(self.failed), "failure", "failures"),
        ]
        return (
            ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in counts if number)
            or "nothing to do"
        )

    def include(self, answer: dict[str, Any], who: str) -> None:
        """Take in what another process did.

        :param answer: its report, as of :meth:`asDict`.
        :param who: what to call it where something went wrong.
        """
        self.logs += [name for name in answer["logs"] if name not in self.logs]
        self.rebuilt.update(answer["rebuilt"])
        self.services += [name for name in answer["services"] if name not in self.services]
        self.failed += [Trouble(f"{who}: {each['what']}", each["why"], each["traceback"]) for each in answer["failed"]]
        for each in answer["notUpdated"]:
            trouble = Trouble(**each)
            if trouble not in self.notUpdated:  # it is the same in all of them, as a rule
                self.notUpdated.append(trouble)

    def asDict(self) -> dict[str, Any]:
        """Return the report as what JSON can hold: the fields by their names, ``ok``, ``complete`` and the ``text``."""
        return {
            "ok": self.ok,
            "complete": self.complete,
            "logs": self.logs,
            "rebuilt": self.rebuilt,
            "services": self.services,
            "failed": [vars(each) for each in self.failed],
            "notUpdated": [vars(each) for each in self.notUpdated],
            "seconds": self.seconds,
            "text": str(self),
        }
