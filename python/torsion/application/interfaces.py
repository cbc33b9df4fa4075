"""The interfaces of services, of what holds them, and of what makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torsion.internet.defer import Deferred
    from torsion.python.usage import Options

__all__ = ["IProcess", "IService", "IServiceCollection", "IServiceMaker"]


class IServiceMaker(Interface):
    """A kind of service that the command offers as a sub-command; a plugin."""

    tapname = Attribute("The sub-command, as it is typed: a short text without blanks.")
    description = Attribute("What the service does, in one line, for the list of sub-commands.")
    options = Attribute("The class of its options, a ``torsion.python.usage.Options``.")

    def makeService(options: Options) -> Any:
        """Make a service.

        :param options: an instance of ``options``, which has parsed the sub-command's arguments.
        :returns: an ``IService``.
        """


class IService(Interface):
    """A part of a program that is started and stopped.

    A service is started in two steps.  What needs the rights of root, such as listening at a port under 1024, is done in
    ``privilegedStartService``; after that of all services the process gives those rights up, and ``startService`` follows.
    """

    name = Attribute("What the service is called among its siblings, a text, or None.")
    running = Attribute("Whether it has been started, and not stopped since.")
    parent = Attribute("The ``IServiceCollection`` that it is in, or None.")

    def setName(name: str) -> None:
        """Name the service.

        :raise RuntimeError: if it is in a collection, which may know it by its name.
        """

    def setServiceParent(parent: Any) -> None:
        """Move the service into a collection, out of the one that it is in.

        :param parent: an ``IServiceCollection``, or something that can be adapted to one, such as an application.
        :raise RuntimeError: if a service there has the same name.
        """

    def disownServiceParent() -> Deferred[Any] | None:
        """Take the service out of its collection, which stops it if that is running.

        :returns: None, or a Deferred that fires when it has stopped.
        """

    def privilegedStartService() -> None:
        """Do what has to be done before the process gives up its rights; called before ``startService``."""

    def startService() -> None:
        """Start."""

    def stopService() -> Deferred[Any] | None:
        """Stop.

        :returns: None, or a Deferred that fires when the service has stopped.
        """


class IServiceCollection(Interface):
    """A collection of services."""

    def getServiceNamed(name: str) -> Any:
        """Return the service that is called *name*.

        :raise KeyError: if there is none.
        """

    def __iter__() -> Iterator[Any]:
        """Iterate over the services, in the order in which they were added."""

    def addService(service: Any) -> None:
        """Take a service in, and start it if the collection is running.  Called by its ``setServiceParent`` alone.

        :raise RuntimeError: if a service here has the same name.
        """

    def removeService(service: Any) -> Deferred[Any] | None:
        """Let a service go, and stop it if the collection is running.  Called by its ``disownServiceParent`` alone.

        :returns: None, or a Deferred that fires when it has stopped.
        :raise ValueError: if it is not here.
        """


class IProcess(Interface):
    """What an application wants its process to be."""

    processName = Attribute("What the process is to be called in the list of processes, a text, or None.")
    uid = Attribute("The number of the user to run as, or None.")
    gid = Attribute("The number of the group to run as, or None.")
