"""One reactor in each of several threads: under a GIL, which changes when they run, and nothing else."""

from __future__ import annotations

import os
import socket
import sys
import threading

import pytest

from torsion.application.service import Service
from torsion.application.workers.broker import Broker
from torsion.application.workers.threads import Member, Threads, ThreadSockets, why_not
from torsion.internet._current import current_reactor
from torsion.internet.defer import succeed
from torsion.internet.interfaces.handover import ListeningAddress
from torsion.internet.reactors.native import NativeReactor
from torsion.logger import capturedLogs

HTTP = ListeningAddress("TCP", "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("enabled", "why"), [(None, "has a GIL"), (lambda: True, "PYTHON_GIL=0"), (lambda: False, None)]
)
def test_why_they_would_not_help(monkeypatch, enabled, why):
    if enabled is None:
        monkeypatch.delattr(sys, "_is_gil_enabled", raising=False)
    else:
        monkeypatch.setattr(sys, "_is_gil_enabled", enabled, raising=False)
    told = why_not()
    assert (why in told) if why else told is None


@pytest.mark.skipif(os.name != "posix", reason="sockets are shared as with workers")
def test_threads_get_sockets_of_one_port_until_all_have_closed_it():
    broker = Broker(2)
    one, two = ThreadSockets(broker, 0), ThreadSockets(broker, 1)
    ports = [object(), object()]
    for each, port in zip((one, two), ports, strict=True):
        with each.take(HTTP, port) as taken:
            address = taken.getsockname()
        each.opened(HTTP, port)
    (number,) = {shared.socket_of(0).getsockname()[1] for shared in broker.shared.values()}
    assert address == ("127.0.0.1", number)
    one.closed(HTTP, ports[0])
    one.closed(HTTP, ports[0])
    socket.create_connection(address, timeout=5).close()
    two.closed(HTTP, ports[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)


class Noted(Service):
    """Notes in which threads, and for which reactors, it was started and stopped."""

    def __init__(self, notes, fails):
        self.notes = notes
        self.fails = fails

    def startService(self):
        if threading.current_thread().name in self.fails:
            raise RuntimeError("no luck here")
        super().startService()
        self.notes.append(("start", threading.current_thread().name, current_reactor()))

    def stopService(self):
        super().stopService()
        self.notes.append(("stop", threading.current_thread().name, current_reactor()))


def lived(fails=(), act=lambda threads: succeed(None)):
    """Run three threads until they are ready, and stop them; return what their services noted, and what came of it."""
    home = NativeReactor()
    notes, results, failed = [], [], []

    def member(number):
        return Member(number, home, NativeReactor(), lambda: Noted(notes, fails), lambda service: succeed(None))

    def start():
        service = Threads(3, lambda: Noted(notes, fails), member, lambda: failed.append(1))
        service.startService()
        ready = service.whenListening()
        ready.addCallback(lambda _: act(service))
        ready.addBoth(results.append)
        ready.addCallback(lambda _: service.drain())
        ready.addCallback(lambda _: service.stopService())
        ready.addCallback(lambda _: home.stop())

    home.callWhenRunning(start)
    home.run(installSignalHandlers=False)
    assert not [each for each in threading.enumerate() if each.name.startswith("torsion-reactor")]
    return notes, results[0], failed


def test_each_thread_makes_and_serves_its_own():
    notes, result, failed = lived()
    names = {threading.current_thread().name, "torsion-reactor-1", "torsion-reactor-2"}
    assert {name for what, name, _ in notes if what == "start"} == names
    assert {name for what, name, _ in notes if what == "stop"} == names
    assert len({id(reactor) for _, _, reactor in notes}) == 3
    assert (result, failed) == (None, [])


def test_one_that_cannot_start_is_told_of():
    _, result, failed = lived({"torsion-reactor-2"})
    assert str(result.value) == "no luck here"
    assert failed == []


def test_one_that_ends_by_itself_is_told_of():
    def end(threads):
        threads.members[0].reactor.callFromThread(threads.members[0].reactor.stop)
        return threads.members[0].ended

    with capturedLogs() as events:
        _, _, failed = lived(act=end)
    assert failed == [1]
    assert any("ended by itself" in event["log_format"] for event in events)


def test_what_is_called_there_comes_back():
    def call(threads):
        return threads.members[0].call(lambda service: (service.running, threading.current_thread().name))

    assert lived(act=call)[1] == (True, "torsion-reactor-1")
