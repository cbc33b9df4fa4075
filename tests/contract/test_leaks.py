"""Nothing is kept that nobody needs: objects and descriptors are counted before and after."""

from __future__ import annotations

import gc
import socket
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from zope.interface import implementer

from contract import faultkit
from contract.faultkit import Echo, Loop, Maker, collect, needs_posix
from contract.harness import descriptors
from torsion.internet.interfaces import IHalfCloseableProtocol
from torsion.internet.protocol import ClientFactory, Protocol

loop = faultkit.loop


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No collector: what goes must go because nothing refers to it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Fault(Exception):
    pass


class Client(ClientFactory):
    noisy = False

    def __init__(self) -> None:
        self.made: list[Echo] = []
        self.ends: list[Any] = []

    def buildProtocol(self, addr):
        self.made.append(Echo())
        return self.made[-1]

    def clientConnectionFailed(self, connector, reason):
        self.ends.append(reason)

    clientConnectionLost = clientConnectionFailed


# --- one at a time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["loseConnection", "abortConnection", "close", "reset", "half_close"])
def test_a_connection_that_has_ended_needs_no_collector(loop: Loop, uncollected, how):
    factory = Maker()
    peer = loop.peer(loop.listen(factory))
    assert peer.answers()
    transport = factory.made[0].transport
    references = [weakref.ref(transport), weakref.ref(factory.made[0])]
    getattr(transport if how.endswith("Connection") else peer, how)()
    del transport
    loop.until(lambda: factory.made[0].reasons)
    factory.made.clear()
    loop.turn(1)
    assert [reference() for reference in references] == [None, None]


def test_a_client_that_has_ended_needs_no_collector(loop: Loop, uncollected):
    port = loop.listen(Maker())
    client = Client()
    connector = loop.reactor.connectTCP("127.0.0.1", port.getHost().port, client)
    made, ends = client.made, client.ends
    loop.until(lambda: made)
    made[0].transport.loseConnection()
    loop.until(lambda: ends)
    references = [weakref.ref(thing) for thing in (connector, client, made[0], made[0].transport)]
    made.clear()  # a circle of the test's own
    del connector, client
    loop.turn(1)
    assert [reference() for reference in references] == [None] * 4


@pytest.mark.parametrize("how", ["cancel", "fire"])
def test_a_timer_that_is_over_lets_go_of_its_call(loop: Loop, uncollected, how):
    class Holder:
        timer: Any = None

    holder = Holder()
    reference = weakref.ref(holder)
    timer = holder.timer = loop.reactor.callLater(0 if how == "fire" else 60, id, holder)
    if how == "cancel":
        timer.cancel()
    else:
        loop.turn(1)
    assert not timer.active()
    del holder
    assert reference() is None, "although the timer is still held, by a variable and by what was its argument"


def test_a_call_from_a_thread_is_let_go_when_it_was_made(loop: Loop, uncollected):
    holder = Fault()
    reference = weakref.ref(holder)
    loop.reactor.callFromThread(id, holder)
    del holder
    assert reference() is not None
    loop.turn(1)
    assert reference() is None


def test_a_port_that_was_stopped_lets_go_of_its_factory(loop: Loop, uncollected):
    factory = Maker()
    reference = weakref.ref(factory)
    port = loop.listen(factory)
    loop.result(port.stopListening())
    del factory, port
    faultkit.forget_log()
    assert reference() is None


def test_a_fault_is_let_go_with_its_failure(loop: Loop, logged):
    class Failing(Echo):
        def dataReceived(self, data):
            raise Fault

    factory = Maker(Failing)
    peer = loop.peer(loop.listen(factory))
    peer.send(b"x")
    loop.until(lambda: factory.made and factory.made[0].reasons)
    references = [weakref.ref(factory.made[0]), weakref.ref(factory.made[0].transport)]
    factory.made.clear()
    logged.take(Fault)
    collect()
    assert [reference() for reference in references] == [None, None]


# --- cycles ------------------------------------------------------------------------------------------------------------


def open_everything(reactor: Any) -> list[Any]:
    """Have *reactor* hold one of each, and each hold the reactor; return references to them all."""

    class Holding(Protocol):
        def connectionMade(self):
            self.reactor = reactor
            self.transport.registerProducer(self, True)
            self.timer = reactor.callLater(60, self.connectionLost)
            made.append(self)

        def pauseProducing(self):
            pass

        resumeProducing = stopProducing = pauseProducing

    class Holders(ClientFactory):
        noisy = False
        protocol = Holding

    made: list[Any] = []
    factory = Holders()
    factory.reactor = reactor
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    patience = reactor.callLater(5, lambda: None)
    connector = reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
    while len(made) < 2:
        assert patience.active()
        reactor.iterate(0.01)
    trying = reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
    reactor.callFromThread(made[0].transport.setTcpNoDelay, made)
    reactor.addSystemEventTrigger("before", "shutdown", port.stopListening)
    things = [reactor, port, factory, connector, trying, *made, *(one.transport for one in made)]
    return [weakref.ref(thing) for thing in [*things, reactor.callLater(60, made.clear)]]


@needs_posix
@pytest.mark.parametrize("state", ["fresh", "iterated", "started", "crashed", "stopped"])
def test_a_reactor_that_is_dropped_goes_with_all_that_it_holds(reactor_factory, state):
    collect()
    before = descriptors()
    reactor = reactor_factory()
    if state == "started":
        reactor.startRunning(installSignalHandlers=False)
    references = open_everything(reactor) if state != "fresh" else [weakref.ref(reactor)]
    assert len(descriptors() - before) > 3
    if state in {"crashed", "stopped"}:
        reactor.callWhenRunning(reactor.crash if state == "crashed" else reactor.stop)
        reactor.run(installSignalHandlers=False)
    elif state == "started":
        reactor.crash()  # which leaves the thread to others
    del reactor
    collect()
    assert [reference() for reference in references if reference() is not None] == []
    assert descriptors() - before == set()


def test_a_reactor_may_be_collected_in_another_thread(reactor_factory):
    collect()
    before = descriptors()
    references = open_everything(reactor_factory())
    thread = threading.Thread(target=collect)
    thread.start()
    thread.join()
    assert [reference() for reference in references if reference() is not None] == []
    assert descriptors() - before == set()


def test_a_running_reactor_is_not_collected(reactor_factory):
    """Nothing but the stack holds it, and another thread collects."""

    def run():
        reactor = reactor_factory()
        references.extend(open_everything(reactor))
        reactor.callLater(0, turning.set)
        reactor.callLater(0.1, reactor.stop)
        reactor.run(installSignalHandlers=False)

    references: list[Any] = []
    turning = threading.Event()
    thread = threading.Thread(target=run)
    thread.start()
    assert turning.wait(5)
    for _ in range(10):
        gc.collect()
        if thread.is_alive():
            assert references[0]() is not None
    thread.join(5)
    assert not thread.is_alive()


def test_what_outlives_its_reactor_does_no_harm(reactor_factory):
    collect()
    before = descriptors()
    reactor = reactor_factory()
    references = open_everything(reactor)
    transport, timer = references[-2](), references[-1]()
    reactor = None
    gc.collect()
    if references[0]() is None:  # the protocol holds the reactor, unless it was collected with it
        assert descriptors() - before == set()
    transport.write(b"x")
    transport.loseConnection()
    transport.abortConnection()
    repr(transport), repr(timer), timer.active(), transport.getPeer()
    reference = weakref.ref(transport)
    del transport, timer
    collect()
    assert reference() is None
    assert [reference() for reference in references if reference() is not None] == []
    assert descriptors() - before == set()


def test_a_transport_alone_does_not_hold_the_reactor(reactor_factory):
    collect()
    before = descriptors()
    reactor = reactor_factory()
    factory = Maker()
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    with socket.create_connection(("127.0.0.1", port.getHost().port)) as peer:
        while not factory.made:
            reactor.iterate(0.01)
        timer = reactor.callLater(60, list)
        engine = weakref.ref(reactor.engine)
        transport = factory.made[0].transport
        transport.protocol = None
        del factory, port, reactor
        faultkit.forget_log()
        gc.collect()
        assert engine() is not None, "its owner, the port, holds the reactor"
        del transport
        gc.collect()
        assert engine() is None
        assert peer.recv(10) == b""
    repr(timer)
    del timer
    assert descriptors() - before == set()


# --- many --------------------------------------------------------------------------------------------------------------


@implementer(IHalfCloseableProtocol)
class Half(Echo):
    def readConnectionLost(self):
        self.transport.loseWriteConnection()

    def writeConnectionLost(self):
        pass


class Pulled(Echo):
    left = 3

    def dataReceived(self, data):
        self.transport.registerProducer(self, False)

    def resumeProducing(self):
        self.left -= 1
        if self.left:
            self.transport.write(b"piece")
        else:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def stopProducing(self):
        pass


class Failing(Echo):
    def dataReceived(self, data):
        raise Fault(data)


def echo_much(loop: Loop, port: Any, factory: Maker) -> None:
    peer = loop.peer(port)
    message = bytes(150_000)
    sent = 0
    received = b""
    while len(received) < len(message):
        if sent < len(message):
            try:
                sent += peer.socket.send(message[sent:])
            except BlockingIOError:
                pass
        loop.turn(1)
        try:
            received += peer.socket.recv(200_000)
        except BlockingIOError:
            pass
    peer.close()


def half_close(loop: Loop, port: Any, factory: Maker) -> None:
    factory.makes(Half)
    peer = loop.peer(port)
    assert peer.answers()
    peer.half_close()
    assert peer.ended()


def pull(loop: Loop, port: Any, factory: Maker) -> None:
    factory.makes(Pulled)
    peer = loop.peer(port)
    peer.send(b"x")
    assert peer.receive(100) == b"piecepiece"


def fail(loop: Loop, port: Any, factory: Maker) -> None:
    factory.makes(Failing)
    peer = loop.peer(port)
    peer.send(b"x")
    assert peer.ended()


def vanish(loop: Loop, port: Any, factory: Maker) -> None:
    loop.peer(port).reset()
    loop.peer(port).close()
    loop.turn(2)


def connect(loop: Loop, port: Any, factory: Maker) -> None:
    client = Client()
    connector = loop.reactor.connectTCP("127.0.0.1", port.getHost().port, client)
    loop.until(lambda: client.made)
    connector.disconnect()
    loop.until(lambda: client.ends)


def connect_in_vain(loop: Loop, port: Any, factory: Maker) -> None:
    client = Client()
    loop.reactor.connectTCP("127.0.0.1", 1, client)
    loop.reactor.connectTCP("127.0.0.1", 1, client, timeout=60).stopConnecting()
    loop.until(lambda: len(client.ends) == 2)


def listen(loop: Loop, port: Any, factory: Maker) -> None:
    loop.result(loop.listen(Maker()).stopListening())


def time(loop: Loop, port: Any, factory: Maker) -> None:
    timer = loop.reactor.callLater(60, list)
    timer.reset(50)
    timer.delay(1)
    loop.reactor.callLater(0, list, (1,))
    loop.reactor.callLater(0.001, dict, a=1)
    loop.reactor.callFromThread(dict, b=2)
    loop.turn(2)
    timer.cancel()


ACTIONS = [echo_much, half_close, pull, fail, vanish, connect, connect_in_vain, listen, time]


class Repeating(Maker):
    """Makes what was asked for last, once, and keeps nothing."""

    def makes(self, make: Callable[[], Any]) -> None:
        self._makes.append(make)

    def buildProtocol(self, addr):
        protocol = super().buildProtocol(addr)
        self.made.clear()
        return protocol


def count() -> Counter[str]:
    return Counter(type(thing).__qualname__ for thing in gc.get_objects())


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_left_of_what_is_over(loop: Loop, logged, action):
    factory = Repeating()
    port = loop.listen(factory)

    def repeat(times: int) -> None:
        for _ in range(times):
            action(loop, port, factory)
            loop.forget_peers()
            logged.take(Fault)
        loop.turn(5)
        loop.until(lambda: len(loop.reactor.getDelayedCalls()) == 1)  # the one of until
        collect()

    repeat(10)
    count()
    opened = descriptors()
    objects = count()
    blocks = sys.getallocatedblocks()
    repeat(40)
    blocks = sys.getallocatedblocks() - blocks
    grown = {name: number for name, number in (count() - objects).items() if number > 1}
    assert grown == {}
    assert descriptors() == opened
    assert loop.reactor.engine.statistics()["descriptors"] == 1
    assert blocks < 40, "not one for each time"
