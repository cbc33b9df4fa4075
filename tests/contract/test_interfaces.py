"""Every flavour keeps what it claims."""

from __future__ import annotations

import pytest
from zope.interface import implementedBy
from zope.interface.verify import verifyObject

from contract.flavours import needs
from torsion.internet import interfaces

pytestmark = needs("engine")

EVERYWHERE = (
    "IReactorCore",
    "IReactorTime",
    "IReactorThreads",
    "IReactorTCP",
    "IReactorSSL",
    "IReactorUDP",
    "IReactorMulticast",
    "IReactorUNIX",
    "IReactorPluggableResolver",
    "IReactorPluggableNameResolver",
)
"""What every flavour provides; the rest takes a kernel."""


def test_what_is_claimed_is_there(flavour):
    reactor = flavour.make()
    claimed = list(implementedBy(flavour.make))
    assert {getattr(interfaces, name) for name in EVERYWHERE} <= set(implementedBy(flavour.make).flattened())
    for interface in claimed:
        assert verifyObject(interface, reactor)


@needs("kernel", "engine")
@pytest.mark.parametrize(
    "name",
    ["IReactorFDSet", "IReactorProcess", "IReactorSocket", "IReactorTCP2", "IReactorUNIXDatagram", "IReactorDaemonize"],
)
def test_what_takes_a_kernel_is_there_with_one(flavour, name):
    assert flavour.provides(name)
