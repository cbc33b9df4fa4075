"""The contracts are complete, documented and light to import."""

import subprocess
import sys

import pytest
from zope.interface.interface import InterfaceClass, Method

from torsion.internet import interfaces
from torsion.internet.interfaces import Binding

ALL = [each for name in interfaces.__all__ if isinstance(each := getattr(interfaces, name), InterfaceClass)]

OURS = {"IFileSendingTransport", "IReactorInspection"}
"""What Twisted has no interface for."""


def test_there_are_as_many_as_twisted_has():
    assert len({each.__name__ for each in ALL} - OURS) == 67


def test_the_rest_is_plain_data():
    rest = [each for name in interfaces.__all__ if (each := getattr(interfaces, name)) not in ALL]
    assert all(isinstance(each, type) and (each.__doc__ or "").strip() for each in rest)


def test_the_list_is_sorted_and_without_doubles():
    assert interfaces.__all__ == sorted(set(interfaces.__all__))


@pytest.mark.parametrize("interface", ALL, ids=lambda each: each.__name__)
def test_everything_is_documented(interface):
    assert interface.__doc__
    for name, member in interface.namesAndDescriptions():
        assert (member.__doc__ or "").strip(), name
        if isinstance(member, Method):
            taken = [*member.positional, *filter(None, [member.varargs, member.kwargs])]
            assert "self" not in taken


@pytest.mark.parametrize("interface", ALL, ids=lambda each: each.__name__)
def test_its_module_is_a_topic(interface):
    package, _, topic = interface.__module__.rpartition(".")
    assert package == "torsion.internet.interfaces"
    assert topic in interfaces.__doc__


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        (interfaces.IReactorTCP["listenTCP"], "(port, factory, backlog=50, interface='')"),
        (interfaces.IReactorTCP2["listenTCP"], "(port, factory, backlog=50, interface=None)"),
        (interfaces.IReactorTCP["connectTCP"], "(host, port, factory, timeout=30.0, bindAddress=None)"),
        (interfaces.IReactorTime["callLater"], "(delay, callable, *args, **kwargs)"),
        (interfaces.IReactorCore["resolve"], "(name, timeout=(1, 3, 11, 45))"),
        (interfaces.IReactorUNIX["listenUNIX"], "(address, factory, backlog=50, mode=438, wantPID=False)"),
        (interfaces.ITransport["write"], "(data)"),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_signatures(method, signature):
    assert method.getSignatureString() == signature


def test_families():
    assert interfaces.ITCPTransport.extends(interfaces.ITransport)
    assert interfaces.ITLSTransport.extends(interfaces.ITCPTransport)
    assert interfaces.INegotiated.extends(interfaces.ISSLTransport)
    assert interfaces.IReactorThreads.extends(interfaces.IReactorFromThreads)
    assert interfaces.IReadWriteDescriptor.extends(interfaces.IWriteDescriptor)
    assert interfaces.IFileDescriptor.extends(interfaces.ILoggingContext)
    assert not interfaces.IConsumer.extends(interfaces.ITransport)


def test_importing_them_loads_nothing_else_of_torsion():
    script = "import sys, torsion.internet.interfaces; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    torsion = {name for name in loaded if name.startswith("torsion.")}
    assert torsion <= {
        "torsion.internet",
        *(name for name in torsion if name.startswith("torsion.internet.interfaces")),
    }
    assert not {"asyncio", "socket", "logging", "inspect"} & set(loaded)


def test_bindings_are_values():
    binding = Binding("127.0.0.1", 80, reusePort=True)
    assert binding == Binding(interface="127.0.0.1", port=80, reuseAddress=False, reusePort=True)
    assert hash(binding) == hash(Binding("127.0.0.1", 80, reusePort=True))
    assert binding != Binding("127.0.0.1", 80)
    assert binding != ("127.0.0.1", 80, False, True)
    assert repr(binding) == "Binding(interface='127.0.0.1', port=80, reuseAddress=False, reusePort=True)"
