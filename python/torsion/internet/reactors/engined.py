"""What all reactors share that run on torsion's own engine, whoever makes it turn."""

from __future__ import annotations

from torsion.internet.reactors.provides.daemonize import ProvidesDaemonize
from torsion.internet.reactors.provides.fdset import ProvidesFDSet
from torsion.internet.reactors.provides.inspection import ProvidesInspection
from torsion.internet.reactors.provides.process import ProvidesProcess
from torsion.internet.reactors.provides.sockets import ProvidesSockets
from torsion.internet.reactors.provides.tcp import ProvidesTCP
from torsion.internet.reactors.provides.ticks import ProvidesTicks
from torsion.internet.reactors.provides.tls import ProvidesTLS
from torsion.internet.reactors.provides.udp import ProvidesUDP
from torsion.internet.reactors.provides.unix import ProvidesUNIX
from torsion.internet.reactors.provides.unixdatagram import ProvidesUNIXDatagram

__all__ = ["EngineReactor"]


class EngineReactor(
    ProvidesDaemonize,
    ProvidesFDSet,
    ProvidesInspection,
    ProvidesProcess,
    ProvidesSockets,
    ProvidesTCP,
    ProvidesTLS,
    ProvidesUDP,
    ProvidesUNIX,
    ProvidesUNIXDatagram,
    ProvidesTicks,
):
    """A reactor over the native engine: timers, threads, and every transport that the engine has."""
