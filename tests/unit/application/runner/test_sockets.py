"""Which sockets a run hands to its reactor, and which ports it hands over."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from torsion.application.runner.sockets import Inherited, Sockets, shown
from torsion.internet.interfaces.handover import IListeningSockets, ListeningAddress
from torsion.internet.transports.handedover import address_of_socket

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no descriptors to hand over")


class Port:
    """A port that notes what it is told."""

    def __init__(self, fileno=5, problem=None):
        self.told = []
        self._fileno = fileno
        self._problem = problem

    def fileno(self):
        return self._fileno

    def taken_over(self):
        self.told.append("taken_over")
        if self._problem is not None:
            raise self._problem


def tcp(port=0):
    return ListeningAddress("TCP", "127.0.0.1", port)


@pytest.fixture
def made():
    """Makes bound sockets, and closes them."""
    all_ = []

    def make():
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        all_.append(sock)
        return sock

    yield make
    for each in all_:
        each.close()


def test_repeated_ones_in_their_order(made):
    ours = [made() for _ in range(3)]
    sockets = Sockets(Inherited(number, tcp(), each) for number, each in enumerate(ours))
    assert IListeningSockets.providedBy(sockets)
    ports = [Port() for _ in range(4)]
    assert [sockets.take(tcp(), port) for port in ports] == [*ours, None]
    for port in ports:
        sockets.opened(tcp(), port)
    assert sockets.taken() == [0, 1, 2]
    assert [each.port for each in sockets.open_ports()] == ports


def test_by_the_number_that_the_system_chose(made):
    """A program that asks for it by now gets it; nobody gets what was not asked for."""
    ours = made()
    real = address_of_socket(ours)
    sockets = Sockets([Inherited(0, tcp(), ours)])
    assert sockets.take(ListeningAddress("UDP", *real[1:]), Port()) is None
    assert sockets.take(ListeningAddress("TCP", "0.0.0.0", real.port), Port()) is None
    assert sockets.take(real, Port()) is ours
    assert sockets.take(tcp(), Port()) is None


def test_a_port_that_came_to_nothing(made):
    """One that took a socket and could not serve it has none in use."""
    sockets = Sockets([Inherited(0, tcp(), made())])
    sockets.take(tcp(), Port())
    assert sockets.taken() == []


def test_one_that_has_stopped(made):
    sockets = Sockets([Inherited(0, tcp(), made())])
    port = Port()
    sockets.take(tcp(), port)
    sockets.opened(tcp(), port)
    sockets.closed(tcp(), port)
    assert sockets.taken() == []
    assert sockets.open_ports() == []
    sockets.take_over()
    assert port.told == []


def test_taking_over(made):
    """Ports that adopted one have what belongs to it; the rest is closed."""
    ours, left = made(), made()
    sockets = Sockets([Inherited(0, tcp(), ours), Inherited(1, tcp(1), left)])
    adopted, own = Port(), Port()
    sockets.take(tcp(), adopted)
    for port in (adopted, own):
        sockets.opened(tcp(), port)
    sockets.take_over()
    assert adopted.told == ["taken_over"]
    assert own.told == []
    assert left.fileno() == -1
    assert ours.fileno() >= 0
    sockets.take_over()
    assert adopted.told == ["taken_over"], "once"


def test_one_that_fails_does_not_keep_the_others(made):
    sockets = Sockets([Inherited(number, tcp(), made()) for number in range(2)])
    ports = [Port(problem=OSError("no lock")), Port()]
    for port in ports:
        sockets.take(tcp(), port)
        sockets.opened(tcp(), port)
    logged = []
    from torsion.logger import globalLogPublisher

    globalLogPublisher.addObserver(logged.append)
    try:
        sockets.take_over()
    finally:
        globalLogPublisher.removeObserver(logged.append)
    assert [port.told for port in ports] == [["taken_over"]] * 2
    assert [str(event["log_failure"].value) for event in logged if "log_failure" in event] == ["no lock"]


def test_what_is_handed_over():
    """Not what belongs to one connection: a port whose number the system chose when all was running."""
    sockets = Sockets()
    early, data, late, unix, gone = Port(), Port(), Port(), Port(), Port(-1)
    sockets.opened(tcp(), early)
    sockets.opened(tcp(7), gone)
    sockets.ready()
    sockets.opened(tcp(), data)
    sockets.opened(tcp(8), late)
    sockets.opened(ListeningAddress("UNIX", "/s"), unix)
    assert [each.port for each in sockets.open_ports()] == [early, late, unix]


def test_systemds(made):
    """They are duplicated each time, and stay open; what is no socket goes on to the next process all the same."""
    listening = made()
    null = os.open(os.devnull, os.O_RDONLY)
    sockets = Sockets(activated=[os.dup(listening.fileno()), null])
    address = address_of_socket(listening)
    with sockets.take(address, Port()) as first, sockets.take(address, Port()) as second:
        assert first.getsockname() == second.getsockname() == listening.getsockname()
        assert len({first.fileno(), second.fileno(), *sockets.activated}) == 4
    assert sockets.taken() == []
    sockets.take_over()
    for each in sockets.activated:
        os.close(each)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (tcp(80), "TCP 127.0.0.1:80"),
        (ListeningAddress("UDP", "::1", 53), "UDP [::1]:53"),
        (ListeningAddress("UNIX", "\0name"), r"UNIX '\x00name'"),
    ],
)
def test_for_people(address, text):
    assert shown(address) == text
