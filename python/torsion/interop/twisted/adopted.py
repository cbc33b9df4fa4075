"""Sockets that were made elsewhere, as Twisted's applications know them once they are adopted."""

from __future__ import annotations

from torsion.internet.transports.adopted import (
    AdoptedPort,
    AdoptedStreams,
    AdoptedUNIXPort,
    AdoptedUNIXStreams,
    Family,
)
from torsion.interop.twisted.dialect import TWISTED
from torsion.interop.twisted.ports import TCPPort, UNIXPort
from torsion.interop.twisted.streams import StreamOwning, TCPServer, UNIXServer

__all__ = ["ADOPTED"]


class _TCPPort(TCPPort, AdoptedPort):
    """A TCP port over a socket that listened already."""


class _UNIXPort(UNIXPort, AdoptedUNIXPort):
    """A port over a Unix socket that listened already."""


class _TCPStreams(StreamOwning, AdoptedStreams):
    """Owns a TCP connection that was adopted."""

    dialect = TWISTED
    streams = TCPServer


class _UNIXStreams(StreamOwning, AdoptedUNIXStreams):
    """Owns a connection over a Unix socket that was adopted."""

    dialect = TWISTED
    streams = UNIXServer


ADOPTED = Family(TWISTED, _TCPPort, _UNIXPort, _TCPStreams, _UNIXStreams)
"""What adopted sockets become."""
