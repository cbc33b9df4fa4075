"""The contracts and the classes that keep them have the names and arguments that Twisted documents."""

import inspect

import pytest

pytest.importorskip("twisted.internet")
pytestmark = pytest.mark.interop

import twisted.internet.address
import twisted.internet.error
import twisted.internet.interfaces
import twisted.internet.protocol
from zope.interface import Interface
from zope.interface.interface import InterfaceClass, Method

from torsion.internet import address, error, interfaces, protocol

THEIRS = {
    name: found
    for name, found in vars(twisted.internet.interfaces).items()
    if not name.startswith("_")
    and isinstance(found, InterfaceClass)
    and found.__module__ == twisted.internet.interfaces.__name__
}


def shape(interface):
    """What an interface asks for: name by name, the arguments of a method or None for an attribute."""
    return {
        name: member.getSignatureString() if isinstance(member, Method) else None
        for name, member in interface.namesAndDescriptions()
    }


OURS = {"IFileSendingTransport", "IReactorInspection"}
"""What Twisted has no interface for."""


def test_the_same_interfaces():
    found = {name for name in interfaces.__all__ if isinstance(getattr(interfaces, name), InterfaceClass)}
    assert found - OURS == set(THEIRS)


@pytest.mark.parametrize("name", THEIRS)
def test_the_same_members(name):
    assert shape(getattr(interfaces, name)) == shape(THEIRS[name])


@pytest.mark.parametrize("name", THEIRS)
def test_the_same_bases(name):
    ours = [base.__name__ for base in getattr(interfaces, name).__bases__ if base is not Interface]
    assert ours == [base.__name__ for base in THEIRS[name].__bases__ if base is not Interface]


def kinds(module):
    return sorted(
        name
        for name, found in vars(module).items()
        if inspect.isclass(found) and issubclass(found, Exception) and not name.startswith("_")
    )


@pytest.mark.parametrize("name", kinds(twisted.internet.error))
def test_the_same_exceptions(name):
    ours, theirs = getattr(error, name), getattr(twisted.internet.error, name)
    names = [base.__name__ for base in ours.__mro__ if not base.__name__.startswith("_")]
    assert names == [base.__name__ for base in theirs.__mro__]
    if name not in {"CannotListenError", "ConnectingCancelledError", "InvalidAddressError", "ProcessDone"}:
        assert repr(ours("a")) == repr(theirs("a"))
    if name not in {
        "CannotListenError",
        "ConnectingCancelledError",
        "FileDescriptorOverrun",  # theirs ends with two full stops
        "InvalidAddressError",
        "ProcessDone",
    }:
        assert str(ours("a")) == str(theirs("a"))


@pytest.mark.parametrize("name", ["IPv4Address", "IPv6Address", "HostnameAddress", "UNIXAddress"])
def test_the_same_addresses(name):
    arguments = {
        "IPv4Address": ("TCP", "127.0.0.1", 80),
        "IPv6Address": ("UDP", "::1", 80, 1, 2),
        "HostnameAddress": (b"example.org", 80),
        "UNIXAddress": ("/run/x",),
    }[name]
    ours, theirs = (getattr(module, name)(*arguments) for module in (address, twisted.internet.address))
    assert repr(ours) == repr(theirs)
    assert list(inspect.signature(type(ours)).parameters) == list(inspect.signature(type(theirs)).parameters)


@pytest.mark.parametrize("name", [name for name in protocol.__all__ if name != "connectionDone"])
def test_the_same_methods(name):
    ours, theirs = getattr(protocol, name), getattr(twisted.internet.protocol, name)
    for method in (name for name in dir(theirs) if not name.startswith("_")):
        assert hasattr(ours, method), method
        found = getattr(theirs, method)
        if inspect.isfunction(found):
            parameters = list(inspect.signature(found).parameters)
            assert list(inspect.signature(getattr(ours, method)).parameters) == parameters, method
