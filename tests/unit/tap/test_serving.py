"""What the command's servers share."""

from __future__ import annotations

import pytest

from torsion.application.draining import DrainingFactory
from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.defer import Deferred
from torsion.internet.protocol import Factory
from torsion.internet.task import Clock
from torsion.python.usage import UsageError
from torsion.tap import portforward, serving
from torsion.tap.serving import Server, ServerOptions, shown


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (IPv4Address("TCP", "127.0.0.1", 80), "127.0.0.1:80"),
        (IPv6Address("TCP", "::1", 80), "[::1]:80"),
        (UNIXAddress(b"/run/it"), "/run/it"),
        (None, "None"),
    ],
    ids=str,
)
def test_addresses_as_they_are_shown(address, text):
    assert shown(address) == text


def parsed(options, *words):
    options.parseOptions(words)
    return options


def test_options():
    options = parsed(ServerOptions(), "--listen", "tcp:0", "--listen", "unix:x", "--drain", "2.5")
    assert (options["listen"], options["drain"]) == (["tcp:0", "unix:x"], 2.5)
    assert parsed(ServerOptions(), "--listen", "tcp:0")["drain"] is None
    for words in ([], ["--listen", "nonsense"], ["--listen", "tcp:0", "--drain", "-1"]):
        with pytest.raises(UsageError):
            parsed(ServerOptions(), *words)


def test_options_of_the_forwarder():
    options = parsed(portforward.Options(), "-p", "0", "-h", "example.org", "-d", "80", "--listen", "unix:x")
    assert options["listen"] == ["unix:x", "tcp:0"]
    service = portforward.makeService(options)
    assert (service.name, service.factory.host, service.factory.port) == ("portforward", "example.org", 80)
    assert len(service.services) == 2
    for words in (["-p", "0"], ["-d", "80"], ["-p", "0", "-d", "http"]):
        with pytest.raises(UsageError):
            parsed(portforward.Options(), *words)


class Stubborn(DrainingFactory):
    """Is not drained until it is aborted."""

    def drain(self):
        self.drained = Deferred(lambda _: None)
        return self.drained

    def abort(self):
        self.drained.callback(None)
        self.aborted = True


def test_connections_that_take_too_long_are_aborted(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(serving, "current_reactor", lambda: clock)
    factory = Stubborn()
    server = Server("it", [], factory, 3)
    waiting = Deferred(lambda _: None)
    monkeypatch.setattr("torsion.application.service.MultiService.drain", lambda self: waiting)
    factory.drain()
    ended = []
    server.drain().addCallback(ended.append)
    clock.advance(2.9)
    assert ended == []
    clock.advance(0.2)
    assert ended == [None]
    assert factory.aborted


def test_a_factory_that_cannot_abort(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(serving, "current_reactor", lambda: clock)
    monkeypatch.setattr("torsion.application.service.MultiService.drain", lambda self: Deferred())
    ended = []
    Server("it", [], Factory(), 1).drain().addCallback(ended.append)
    clock.advance(1)
    assert ended == [None]
