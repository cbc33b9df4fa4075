"""Descriptions of sockets that this process was started with: ``systemd:`` and ``fd:``."""

from __future__ import annotations

import os
import socket
from functools import cache
from typing import TYPE_CHECKING, Any

from torsion.internet.endpoints.adopted import AdoptedStreamServerEndpoint
from torsion.python.systemd import ListenFDs

if TYPE_CHECKING:
    from torsion.internet.endpoints.arguments import Arguments

__all__ = ["from_number", "from_systemd", "inherited"]

DOMAINS = {"INET": socket.AF_INET, "INET6": socket.AF_INET6}
if hasattr(socket, "AF_UNIX"):
    DOMAINS["UNIX"] = socket.AF_UNIX


@cache
def inherited() -> ListenFDs:
    """Return what systemd handed over; it tells once, so that is kept."""
    return ListenFDs.fromEnvironment()


def from_systemd(reactor: Any, given: Arguments) -> AdoptedStreamServerEndpoint:
    """Make the endpoint of ``systemd:domain=INET:name=NAME``, or ``index=NUMBER``."""
    there = inherited()
    if given.has("index") == given.has("name"):
        raise given.wrong("needs either an index or a name to tell which socket is meant", "name")
    if given.has("name"):
        name = given.text("name")
        named = there.inheritedNamedDescriptors()
        if name not in named:
            known = ", ".join(map(repr, named)) or "none"
            raise given.wrong(f"names socket {name!r}, which systemd did not hand over; it did: {known}", "name")
        return _adopted(reactor, given, "name", named[name])
    descriptors = there.inheritedDescriptors()
    index = given.number("index", 0, 2**31)
    if index >= len(descriptors):
        raise given.wrong(f"means socket {index}, counted from 0, and systemd handed {len(descriptors)} over", "index")
    return _adopted(reactor, given, "index", descriptors[index])


def from_number(reactor: Any, given: Arguments) -> AdoptedStreamServerEndpoint:
    """Make the endpoint of ``fd:NUMBER``."""
    return _adopted(reactor, given, "number", given.number("number", 0, 2**31 - 1))


def _adopted(reactor: Any, given: Arguments, which: str, fileno: int) -> AdoptedStreamServerEndpoint:
    if given.has("domain"):
        domain = given.text("domain")
        if domain not in DOMAINS:
            raise given.wrong(f"has domain {domain!r}; known are {', '.join(DOMAINS)}", "domain")
        return AdoptedStreamServerEndpoint(reactor, fileno, DOMAINS[domain])
    try:
        with socket.socket(fileno=os.dup(fileno)) as found:
            family = found.family
    except OSError as error:
        raise given.wrong(f"means descriptor {fileno}, which is no socket here: {error.strerror}", which) from error
    if family not in DOMAINS.values():
        raise given.wrong(f"means descriptor {fileno}, a socket of {family!r}; known are {', '.join(DOMAINS)}", which)
    return AdoptedStreamServerEndpoint(reactor, fileno, family)
