"""The reactor's own life: running, stopping, and what is to happen at either end of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torsion.internet.defer import Deferred


class IAddress(Interface):
    """Where one end of a connection is, or where something listens.

    A marker: what an address consists of is said by its class (see ``torsion.internet.address``).
    """


class ILoggingContext(Interface):
    """Something that log lines can be attributed to."""

    def logPrefix() -> str:
        """Return a short name that marks the log lines written on behalf of this object, such as its class's name."""


class IReactorCore(Interface):
    """An event loop: it can be run and stopped, and tells whoever asks when it starts and stops."""

    running = Attribute(
        """True from the moment the ``startup`` event has fired until the ``during`` phase of ``shutdown`` begins."""
    )

    def resolve(name: str, timeout: Sequence[int] = (1, 3, 11, 45)) -> Deferred[str]:
        """Look up the IPv4 address of a host.

        :param name: the host's name, or an address in dotted-quad form, which is handed back as it is.
        :param timeout: how many seconds to wait for an answer, one number for each attempt; the sum bounds the look-up.
        :returns: a Deferred that fires with the address in dotted-quad form. It fails with
            :class:`torsion.internet.error.DNSLookupError` if the name has no address, and with
            :class:`torsion.internet.defer.TimeoutError` or a DNSLookupError if no answer came in time.
        """

    def run() -> None:
        """Fire the ``startup`` event, then serve timers, connections and calls from threads until :meth:`stop`.

        :raises torsion.internet.error.ReactorAlreadyRunning: if this reactor is running already.
        """

    def stop() -> None:
        """Fire the ``shutdown`` event and let :meth:`run` return once all three of its phases are over.

        :raises torsion.internet.error.ReactorNotRunning: if the reactor is not running, or was told to stop before.
        """

    def crash() -> None:
        """Let :meth:`run` return as soon as the current turn is over, without firing the ``shutdown`` event.

        Connections are not closed and triggers not called. Meant for tests and for the very last resort.
        """

    def iterate(delay: float) -> None:
        """Take one turn: serve what is due, waiting at most *delay* seconds for something to happen.

        :param delay: the longest wait in seconds; 0 never waits.
        """

    def fireSystemEvent(eventType: str) -> None:
        """Call the triggers of an event: all of ``before``, then all of ``during``, then all of ``after``.

        The ``during`` phase waits for every Deferred that a ``before`` trigger returned. An exception that a trigger
        raises is logged, and the others are called all the same.

        :param eventType: ``startup``, ``shutdown``, ``persist``, or a name of the application's own.
        """

    def addSystemEventTrigger(
        phase: str, eventType: str, callable: Callable[..., Any], *args: object, **kwargs: object
    ) -> Any:
        """Have something called when a system event fires.

        :param phase: ``before``, ``during`` or ``after``. What a ``before`` trigger returns, if it is a Deferred,
            holds the later phases back until it fires.
        :param eventType: the name of the event, as for :meth:`fireSystemEvent`.
        :param callable: what to call; *args* and *kwargs* are handed to it.
        :returns: a token for :meth:`removeSystemEventTrigger`.
        :raises KeyError: if *phase* is none of the three.
        """

    def removeSystemEventTrigger(triggerID: Any) -> None:
        """Take a trigger back.

        :param triggerID: what :meth:`addSystemEventTrigger` returned.
        :raises ValueError: if the trigger was removed before or is not of this reactor.
        :raises TypeError: if *triggerID* is no such token.
        """

    def callWhenRunning(callable: Callable[..., Any], *args: object, **kwargs: object) -> Any | None:
        """Call something at once if the reactor runs, or else when it starts.

        :param callable: what to call; *args* and *kwargs* are handed to it.
        :returns: None if the call was made, otherwise a token for :meth:`removeSystemEventTrigger`.
        """


class IReactorDaemonize(Interface):
    """A reactor that must know when its process forks into the background."""

    def beforeDaemonize() -> None:
        """Be told that the process is about to fork; called in the parent."""

    def afterDaemonize() -> None:
        """Be told that the process has forked; called in the child that goes on."""


class IServiceCollection(Interface):
    """A set of services, each known by its name.

    Kept for code written for Twisted; new code uses the interface of the same name in
    ``torsion.application.service``.
    """

    def getServiceNamed(serviceName: str) -> Any:
        """Return the service called *serviceName*.

        :raises KeyError: if there is none.
        """

    def addService(service: Any) -> None:
        """Put *service* into the collection, under the name it bears.

        :raises RuntimeError: if the name is taken.
        """

    def removeService(service: Any) -> None:
        """Take *service* out of the collection.

        :raises KeyError: if it is not in it.
        """
