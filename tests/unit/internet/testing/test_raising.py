"""The reactor that fails at whatever it is asked for."""

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import (
    IReactorPluggableNameResolver,
    IReactorSocket,
    IReactorSSL,
    IReactorTCP,
    IReactorUNIX,
)
from torsion.internet.testing import RaisingMemoryReactor

LISTEN = {
    "listenTCP": (80, "factory"),
    "listenSSL": (80, "factory", "context"),
    "listenUNIX": ("/x", "factory"),
    "adoptStreamPort": (3, 2, "factory"),
}
CONNECT = {
    "connectTCP": ("h", 80, "factory"),
    "connectSSL": ("h", 80, "factory", "context"),
    "connectUNIX": ("/x", "factory"),
    "adoptStreamConnection": (3, 2, "factory"),
    "adoptDatagramPort": (3, 2, "protocol", 8192),
}


class NoListening(Exception):
    pass


class NoConnecting(Exception):
    pass


@pytest.mark.parametrize(
    "interface", [IReactorTCP, IReactorSSL, IReactorUNIX, IReactorSocket, IReactorPluggableNameResolver]
)
def test_interfaces(interface):
    verifyObject(interface, RaisingMemoryReactor())


@pytest.mark.parametrize("method", LISTEN)
def test_listening(method):
    with pytest.raises(NoListening):
        getattr(RaisingMemoryReactor(NoListening(), NoConnecting()), method)(*LISTEN[method])
    with pytest.raises(RuntimeError, match="without a listenException"):
        getattr(RaisingMemoryReactor(), method)(*LISTEN[method])


@pytest.mark.parametrize("method", CONNECT)
def test_connecting(method):
    with pytest.raises(NoConnecting):
        getattr(RaisingMemoryReactor(NoListening(), NoConnecting()), method)(*CONNECT[method])
    with pytest.raises(RuntimeError, match="without a connectException"):
        getattr(RaisingMemoryReactor(), method)(*CONNECT[method])


def test_resolver():
    reactor, other = RaisingMemoryReactor(), object()
    first = reactor.nameResolver
    assert reactor.installNameResolver(other) is first
    assert reactor.nameResolver is other
