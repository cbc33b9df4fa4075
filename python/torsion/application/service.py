"""Services: the parts of a program that are started and stopped together.

A :class:`Service` is one part, a :class:`MultiService` holds some and is a part itself, and an :func:`Application` is the
outermost of them with what is to be known of its process.  A :class:`ServiceMaker` tells the command of a kind of service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.draining import IDrains, IListens, describe, drainServices
from torsion.application.interfaces import IProcess, IService, IServiceCollection, IServiceMaker
from torsion.application.reloading import IReloads, reloadServices
from torsion.internet.defer import CancelledError, DeferredList, maybeDeferred
from torsion.logger import Logger
from torsion.plugin import IPlugin
from torsion.python.components import Componentized
from torsion.python.reflect import namedAny

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from torsion.internet.defer import Deferred
    from torsion.python.failure import Failure

__all__ = [
    "Application",
    "IProcess",
    "IService",
    "IServiceCollection",
    "IServiceMaker",
    "MultiService",
    "Process",
    "Service",
    "ServiceMaker",
    "loadApplication",
]

_log = Logger("torsion.application.service")


@implementer(IService)
class Service:
    """A service that does nothing.

    Override :meth:`startService` and :meth:`stopService`, and call these in there, which keep :attr:`running`.
    """

    running: bool | int = False
    """Whether the service has been started, and not stopped since."""

    name: str | None = None
    """What it is called among its siblings."""

    parent: Any = None
    """The collection that it is in."""

    def __getstate__(self) -> dict[str, Any]:
        """Return what is to be kept of a service; a copy is not running."""
        state = vars(self).copy()
        state.pop("running", None)
        return state

    def setName(self, name: str) -> None:
        """Name the service; see :meth:`IService.setName`.

        :raise RuntimeError: if it is in a collection, which may know it by its name.
        """
        if self.parent is not None:
            raise RuntimeError(f"{self!r} cannot be called {name!r} any more: it is in a collection; name it before")
        self.name = name

    def setServiceParent(self, parent: Any) -> None:
        """Move the service into a collection; see :meth:`IService.setServiceParent`.

        :param parent: an ``IServiceCollection``, or something that can be adapted to one, such as an application.
        :raise RuntimeError: if a service there has the same name; this one is in no collection then.
        """
        if self.parent is not None:
            self.disownServiceParent()
        collection = IServiceCollection(parent)
        self.parent = collection
        try:
            collection.addService(self)
        except BaseException:
            if self not in collection:
                self.parent = None
            raise

    def disownServiceParent(self) -> Deferred[Any] | None:
        """Take the service out of its collection; see :meth:`IService.disownServiceParent`.

        :raise RuntimeError: if it is in none.
        """
        parent, self.parent = self.parent, None
        if parent is None:
            raise RuntimeError(f"{self!r} is in no collection that it could be taken out of")
        stopped: Deferred[Any] | None = parent.removeService(self)
        return stopped

    def privilegedStartService(self) -> None:
        """Do nothing."""

    def startService(self) -> None:
        """Note that the service is running."""
        self.running = True

    def stopService(self) -> Deferred[Any] | None:
        """Note that the service is not running."""
        self.running = False
        return None


@implementer(IServiceCollection, IDrains, IListens, IReloads)
class MultiService(Service):
    """A service of services, which are started and stopped with it.

    They are started in the order in which they were added.  One that raises then ends the start: what it raised is
    raised, those after it are not started, and those before it run until this service is stopped.

    They are stopped in reverse order, all at once: none waits for another, nor does one that fails keep another from
    being stopped.
    """

    def __init__(self) -> None:
        self.services: list[Any] = []
        self.namedServices: dict[str, Any] = {}

    def privilegedStartService(self) -> None:
        """Call that of each service."""
        super().privilegedStartService()
        for service in self:
            service.privilegedStartService()

    def startService(self) -> None:
        """Start each service."""
        super().startService()
        for service in self:
            service.startService()

    def stopService(self) -> Deferred[Any]:
        """Stop each service, the last one first.

        :returns: a Deferred that fires with a list of ``(success, result)``, as that of a ``DeferredList``, in the order of
            stopping, when all have stopped or failed to.  A failure is logged with the name of its service.
        """
        super().stopService()
        stopping = []
        for service in reversed(list(self)):
            stopped = maybeDeferred(service.stopService)
            stopped.addErrback(self._not_stopped, service)
            stopping.append(stopped)
        return DeferredList(stopping, consumeErrors=True)

    def _not_stopped(self, failure: Failure, service: Any) -> Failure:
        if not failure.check(CancelledError):
            _log.failure("The service {name} failed to stop", failure, name=describe(service), service=service)
        elif not isinstance(service, MultiService):  # which has told of its own services
            _log.error("The service {name} has not stopped in time", name=describe(service), service=service)
        return failure

    def stopListening(self) -> Deferred[Any]:
        """Have those services listen no more that are :class:`~torsion.application.draining.IListens`, all at once.

        :returns: a Deferred that fires when they do not.  A failure is logged with the name of its service.
        """
        stopping = []
        for service in reversed(list(self)):
            if IListens.providedBy(service):
                stopped = maybeDeferred(service.stopListening)
                stopped.addErrback(self._listens_still, service)
                stopping.append(stopped)
        return DeferredList(stopping)

    def _listens_still(self, failure: Failure, service: Any) -> None:
        if not failure.check(CancelledError):  # else whoever asked waits no longer, and it is to be stopped at once
            _log.failure("The service {name} did not stop listening", failure, name=describe(service), service=service)

    def drain(self) -> Deferred[None]:
        """Have those services drain that are :class:`~torsion.application.draining.IDrains`, one after the other, the last
        one first: what a service uses was started before it, and is drained after it.

        :returns: a Deferred as of :func:`~torsion.application.draining.drainServices`.
        """
        return drainServices(reversed(list(self)))

    def reload(self) -> Deferred[list[str]]:
        """Have those services reload that are :class:`~torsion.application.reloading.IReloads`, in the order of their start.

        :returns: a Deferred as of :func:`~torsion.application.reloading.reloadServices`.
        """
        return reloadServices(self)

    def getServiceNamed(self, name: str) -> Any:
        """Return the service that is called *name*.

        :raise KeyError: if there is none.
        """
        return self.namedServices[name]

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the services, as they are now."""
        return iter(list(self.services))

    def addService(self, service: Any) -> None:
        """Take a service in; see :meth:`IServiceCollection.addService`."""
        if service.name is not None:
            if service.name in self.namedServices:
                raise RuntimeError(
                    f"there is a service called {service.name!r} already: names are for one service each"
                )
            self.namedServices[service.name] = service
        self.services.append(service)
        if self.running:
            # It may be too late for what needs rights, but nobody else is going to call it.
            service.privilegedStartService()
            service.startService()

    def removeService(self, service: Any) -> Deferred[Any] | None:
        """Let a service go; see :meth:`IServiceCollection.removeService`."""
        if service.name is not None:
            self.namedServices.pop(service.name, None)
        self.services.remove(service)
        if not self.running:
            return None
        # Not everybody waits for the end of a service, but whoever removes one from a running program does.
        return maybeDeferred(service.stopService)


@implementer(IProcess)
class Process:
    """What an application wants its process to be.

    :ivar uid: the number of the user to run as; None to remain who started it.
    :ivar gid: the number of the group to run as; likewise.
    """

    processName: str | None = None
    """What the process is to be called in the list of processes."""

    def __init__(self, uid: int | None = None, gid: int | None = None) -> None:
        self.uid = uid
        self.gid = gid


def Application(name: str, uid: int | None = None, gid: int | None = None) -> Componentized:
    """Make an application: an object that can be adapted to :class:`IService`, :class:`IServiceCollection` and :class:`IProcess`.

    :param name: what it is called.
    :param uid: the number of the user to run as; None to remain who started it.
    :param gid: the number of the group to run as; likewise.
    :returns: a ``Componentized`` with a :class:`MultiService` and a :class:`Process`.
    """
    application = Componentized()
    for component in MultiService(), Process(uid, gid):
        application.addComponent(component, ignoreClass=True)
    IService(application).setName(name)
    return application


def loadApplication(filename: str | PathLike[str], kind: str, passphrase: str | None = None) -> Any:
    """Run a file of Python that makes an application.

    :param filename: the file, in which a variable ``application`` is set.
    :param kind: ``"python"``.
    :param passphrase: not used.
    :returns: the application.
    :raise ValueError: if *kind* is another.
    :raise KeyError: if the file does not set the variable.  What running it raises goes through.
    """
    del passphrase  # a parameter of Twisted's, for applications that were kept encrypted
    if kind != "python":
        raise ValueError(f"an application is read from Python, not from a {kind!r}")
    from torsion.application.sourcefile import load

    return vars(load(filename))["application"]


@implementer(IPlugin, IServiceMaker)
class ServiceMaker:
    """Tells the command of a kind of service; the module that knows all about it is imported only when it is asked for.

    A plugin: put one into a drop-in module, or name it in an entry point.

    :ivar name: what the kind of service is called.
    :ivar module: the dotted name of a module that has ``Options``, a class, and ``makeService``, which takes an instance.
    :ivar description: what the service does, in one line.
    :ivar tapname: the sub-command, as it is typed.
    """

    def __init__(self, name: str, module: str, description: str, tapname: str) -> None:
        self.name = name
        self.module = module
        self.description = description
        self.tapname = tapname

    @property
    def options(self) -> Any:
        """The class of the options."""
        return namedAny(self.module).Options

    @property
    def makeService(self) -> Any:
        """What makes a service of parsed options."""
        return namedAny(self.module).makeService
