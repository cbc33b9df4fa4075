"""The resolver that knows one address."""

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.address import IPv4Address
from torsion.internet.interfaces import IHostnameResolver, IHostResolution
from torsion.internet.testing import SynchronousResolver


class Receiver:
    """Notes what it is told."""

    def __init__(self):
        self.told = []

    def resolutionBegan(self, resolution):
        self.told.append(resolution)

    def addressResolved(self, address):
        self.told.append(address)

    def resolutionComplete(self):
        self.told.append("complete")


@pytest.mark.parametrize("kind", ["TCP", "UDP"])
def test_answer(kind):
    resolver, receiver = SynchronousResolver(), Receiver()
    verifyObject(IHostnameResolver, resolver)
    resolution = resolver.resolveHostName(receiver, "example.org", 80, transportSemantics=kind)
    verifyObject(IHostResolution, resolution)
    assert resolution.name == "example.org"
    assert receiver.told == [resolution, IPv4Address(kind, "127.0.0.1", 80), "complete"]
    with pytest.raises(RuntimeError, match="is over"):
        resolution.cancel()
