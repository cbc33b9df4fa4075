"""Tells Twisted of torsion's reactor: ``twistd --reactor=torsion``.  Nothing of torsion is loaded until it is chosen."""

from twisted.application.reactors import Reactor

torsion = Reactor(
    "torsion", "torsion.interop.twisted", "torsion's reactor, written in Rust; native timers, TCP, UDP and Unix sockets"
)
