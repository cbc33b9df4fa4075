"""inetd: listens for many services on behalf of programs that run only while they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.draining import describe
from torsion.application.reloading import IReloads
from torsion.application.service import MultiService
from torsion.application.transports import TCPServer
from torsion.internet.defer import Deferred, maybeDeferred, succeed
from torsion.internet.error import CannotListenError
from torsion.internet.protocol import Factory
from torsion.logger import Logger
from torsion.runner.doors import Door, shown
from torsion.runner.inetd import internalProtocols
from torsion.runner.inetdconf import InetdConf, InetdService, ServicesConf

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Inetd", "InetdError", "read"]

_log = Logger("torsion.runner.inetd")

INTERNAL = "internal"


class InetdError(Exception):
    """Some services cannot be offered; the others are.

    :ivar problems: a line for each.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read(path: str) -> list[InetdService]:
    """Return the services that the file *path* asks for.

    :raise OSError: if it cannot be read, or the list of services' names cannot.
    :raise torsion.runner.inetdconf.InvalidConfError, torsion.runner.inetdconf.UnknownService: if it cannot be understood.
    """
    known = ServicesConf()
    try:
        known.parseFile()
    except FileNotFoundError:
        pass  # then numbers alone can be used
    conf = InetdConf(known)
    with Path(path).open(encoding="utf-8", errors="surrogateescape") as file:
        conf.parseFile(file)
    return conf.services


def _place(what: InetdService) -> tuple[Any, ...]:
    """Return where *what* is offered, and in which of two ways: what is to be the same for a service to go on."""
    return what.program == INTERNAL, what.socketType, what.protocol, what.interface, what.port


class _Internal(TCPServer):
    """A service that needs no program; its connections are cut when it stops, as nothing in them is worth waiting for."""

    def __init__(self, what: str, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._what = what

    def privilegedStartService(self) -> None:
        listens = self._port is not None
        super().privilegedStartService()
        if not listens:
            _log.info("inetd: {what} listening on {where}", what=self._what, where=shown(self._port.getHost()))

    def drain(self) -> Deferred[Any]:
        return succeed(None)


@implementer(IReloads)
class Inetd(MultiService):
    """Offers the services of a file, and reads it anew when it is told to.

    :ivar path: the file.
    """

    def __init__(self, reactor: Any, path: str, internal: bool = True) -> None:
        """Prepare to offer what the file asks for, which is read now.

        :param reactor: provides ``IReactorTCP``, ``IReactorFDSet`` and ``IReactorProcess``.
        :param path: the file; see ``inetdconf``.
        :param internal: whether to offer the services that need no program.
        :raise OSError, torsion.runner.inetdconf.InvalidConfError, torsion.runner.inetdconf.UnknownService: as :func:`read`.
        """
        super().__init__()
        self.path = path
        self._reactor = reactor
        self._internal = internal
        self._offered: dict[tuple[Any, ...], tuple[InetdService, Any]] = {}
        self._wanted = read(path)

    def privilegedStartService(self) -> None:
        """Listen.  What cannot be offered is logged, and does not keep the rest from it."""
        super().privilegedStartService()
        self._offer_first()

    def startService(self) -> None:
        """Serve."""
        self._offer_first()
        super().startService()

    def _offer_first(self) -> None:
        wanted, self._wanted = self._wanted, []
        for problem in self._offer(wanted):
            _log.error("{path}: {problem}", path=self.path, problem=problem)

    def reload(self) -> Deferred[Any]:
        """Read the file again: offer what is new, offer no more what is gone; the rest goes on, with other programs if it says so.

        :returns: a Deferred that fires, with a list of this service's description, when that is done. It fails with :class:`InetdError` if some
            services cannot be offered, or, while all goes on as it was, with what :func:`read` raised.
        """
        return Deferred.fromCoroutine(self._reload())

    async def _reload(self) -> list[str]:
        wanted = read(self.path)
        places = {_place(what) for what in wanted}
        for place in [each for each in self._offered if each not in places]:
            what, service = self._offered.pop(place)
            _log.info("{what!r} is offered no more", what=what)
            await maybeDeferred(service.disownServiceParent)
        problems = self._offer(wanted)
        if problems:
            raise InetdError([f"{self.path}: {each}" for each in problems])
        return [describe(self)]  # as a collection does

    def _offer(self, wanted: Iterable[InetdService]) -> list[str]:
        """Offer what is not offered yet; return what is the matter with those services that cannot be."""
        problems = []
        seen = set()
        for what in wanted:
            place = _place(what)
            if place in seen:
                problems.append(f"{what!r}: there is another one at the same place; that one is offered")
                continue
            seen.add(place)
            try:
                self._offer_one(place, what)
            except (CannotListenError, ValueError, LookupError, OSError) as problem:
                problems.append(f"{what!r}: {problem}")
        return problems

    def _offer_one(self, place: tuple[Any, ...], what: InetdService) -> None:
        before = self._offered.get(place)
        if before is not None:
            if before[0] != what and isinstance(before[1], Door):
                before[1].define(what)
            self._offered[place] = what, before[1]
            return
        service = self._internal_service(what) if what.program == INTERNAL else Door(self._reactor, what)
        if service is None:
            return
        try:
            service.setServiceParent(self)  # which starts it, if this runs
            if not self.running:
                service.privilegedStartService()
        except BaseException:
            if service in self.services:  # else it is in no collection already
                self.services.remove(service)
            service.parent = None
            raise
        self._offered[place] = what, service

    def _internal_service(self, what: InetdService) -> Any:
        if not self._internal:
            return None
        name = what.programArgs[0] if what.programArgs else what.name
        protocol = internalProtocols.get(name)
        if protocol is None:
            raise ValueError(f"there is no internal service {name!r}; there are {', '.join(internalProtocols)}")
        if (what.socketType, what.protocol.rstrip("46")) != ("stream", "tcp"):
            # Answers to datagrams go to whoever is said to have sent them: RFC 5358 tells what becomes of that.
            raise ValueError("internal services are offered over stream tcp only")
        interface = what.interface or ("::" if what.protocol.endswith("6") else "")
        factory = Factory.forProtocol(protocol)
        factory.noisy = False
        return _Internal(name, what.port, factory, interface=interface, reactor=self._reactor)
