"""Torsion: Twisted's programming model on a reactor written in Rust.

The package is a house.  Each floor may import the floors below it, never one above or beside it::

    __main__, scripts      the command line
    protocols              protocol classes to build on: lines, prefixed strings, netstrings
    internet               the reactor, transports, endpoints, Deferreds, timers, and their interfaces
    logger                 events, observers, formatting
    python                 Failure and the other tools that know nothing of networking
    wire                   codecs: bytes to events and back, without a socket or a clock
    _native                the border to Rust

Importing this package loads none of them and installs no reactor; ``torsion.internet.reactor`` does.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
