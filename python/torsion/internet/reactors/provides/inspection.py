"""``IReactorInspection`` over what an engine counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from zope.interface import classImplements

from torsion.internet.interfaces.inspection import (
    ConnectionFigures,
    DatagramFigures,
    DescriptorFigures,
    IReactorInspection,
    ListenerFigures,
    LoopFigures,
    ThreadFigures,
)
from torsion.internet.reactors.overengine import OverEngine
from torsion.internet.transports.datagramowner import DatagramPort
from torsion.internet.transports.listener import BasePort
from torsion.internet.transports.pipe import PipeStream
from torsion.internet.transports.unixstream import UNIXNames

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred

__all__ = ["ProvidesInspection"]

_new = tuple.__new__


class ProvidesInspection(OverEngine):
    """Tells of what the reactor serves."""

    def connections(self, listener: Any = None) -> list[ConnectionFigures]:
        """Tell of all open stream connections, in no order that means anything; pipes are left out.

        :param listener: a port (``IListeningPort``), to be told of those only that it has accepted.
        :raises torsion.internet.error.WrongThreadError: if the reactor runs in another thread.
        """
        return [
            # As ConnectionFigures(...), in half the time.
            _new(
                ConnectionFigures,
                (
                    stream,
                    _innermost(stream.protocol),
                    owner if isinstance(owner, BasePort) else None,
                    "UNIX" if isinstance(stream, UNIXNames) else "TCP",
                    opened,
                    read,
                    written,
                    queued,
                ),
            )
            for stream, opened, read, written, queued in self.engine.connections(listener)
            if not isinstance(stream, PipeStream)
            for owner in (stream.owner,)
        ]

    def drained(self, listener: Any) -> Deferred[None]:
        """Wait until no connection that a port has accepted is open any more.

        :param listener: a port (``IListeningPort``) that, as a rule, listens no more.
        :returns: a Deferred that fires with None, at once if there is none now, else when the protocol of the last one was told
            of its end.  It can be cancelled, which changes nothing for the connections.
        :raises torsion.internet.error.WrongThreadError: if the reactor runs in another thread.
        """
        from torsion.internet.reactors.drained import drained  # few programs need it

        return drained(self.engine, listener)

    def listeners(self) -> list[ListenerFigures]:
        """Tell of the ports that listen for stream connections, in the order in which they began.

        :raises torsion.internet.error.WrongThreadError: if the reactor runs in another thread.
        """
        ports = [port for port in self.open_handles if isinstance(port, BasePort)]
        opened = dict.fromkeys(ports, 0)
        for stream, *_ in self.engine.connections(None):
            owner = cast("BasePort", stream.owner)
            if owner in opened:
                opened[owner] += 1
        return [
            ListenerFigures(port, port.factory, port.kind, port.getHost(), port.accepted_so_far(), count)
            for port, count in opened.items()
        ]

    def datagramPorts(self) -> list[DatagramFigures]:
        """Tell of the ports for datagrams, in the order in which they began.

        :raises torsion.internet.error.WrongThreadError: if the reactor runs in another thread.
        """
        told = []
        for port in self.open_handles:
            if isinstance(port, DatagramPort) and (figures := port.statistics()):
                address = port.getHost()  # type: ignore[attr-defined]  # each kind has one
                told.append(
                    DatagramFigures(
                        port,
                        port.protocol,
                        "UDP" if hasattr(address, "port") else "UNIX",
                        address,
                        figures["datagrams_read"],
                        figures["bytes_read"],
                        figures["datagrams_written"],
                        figures["bytes_written"],
                        figures["datagrams_dropped"],
                    )
                )
        return told

    def descriptors(self) -> DescriptorFigures:
        """Tell how many descriptors of each sort are served.

        :raises torsion.internet.error.WrongThreadError: if the reactor runs in another thread.
        """
        return DescriptorFigures(**self.engine.holdings())

    def loop(self) -> LoopFigures:
        """Tell what the loop has done; begins a new measure of :attr:`LoopFigures.longest`.

        :raises torsion.internet.error.WrongThreadError: if the reactor runs in another thread.
        """
        return LoopFigures(**self.engine.pulse())

    def threads(self) -> ThreadFigures:
        """Tell how the reactor's threads stand; all zero while it has had none."""
        pool = self.threadpool
        if pool is None:
            return ThreadFigures(0, 0, 0, 0, 0)
        now = pool.statistics()
        return ThreadFigures(now.maximum, now.workers, now.busy, now.queued, now.completed)


def _innermost(protocol: Any) -> Any:
    """Return the program's own protocol, under what wraps it: a TLS layer, policies."""
    while (inner := getattr(protocol, "wrappedProtocol", None)) is not None:
        protocol = inner
    return protocol


classImplements(ProvidesInspection, IReactorInspection)
