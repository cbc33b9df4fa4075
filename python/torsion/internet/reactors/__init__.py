"""The flavours of reactor, and what they are made of.

``engine`` what a flavour runs on, in words · ``base`` everything that is the same in all: ``triggers`` system events,
``names`` and ``resolver``, ``signals`` · ``native`` the flavour that runs on the engine written in Rust · ``choose`` flavours
by name, and which one is the process's.

Importing this loads none of them.
"""
