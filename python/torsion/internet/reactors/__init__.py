"""The flavours of reactor, and what they are made of.

``engine`` what a flavour runs on, in words · ``base`` everything that is the same in all: ``triggers`` system events,
``names`` and ``resolver``, ``signals``, ``fork`` · ``engined`` what all share that run on the engine written in Rust, with the mixins in
``provides`` · ``native`` the flavour whose loop is that engine's own · ``hosted`` the flavours inside other loops · ``memory``
the flavour for tests · ``choose`` flavours by name (``flavours``; ``installer`` those of plugins), and which one is the process's.

Importing this loads none of them.
"""

from torsion.internet.reactors.choose import available, install, installReactor

__all__ = ["available", "install", "installReactor"]
