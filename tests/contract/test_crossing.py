"""Threads that use what belongs to another thread, and threads that use it rightly, many at once."""

from __future__ import annotations

import gc
import itertools
import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract import faultkit
from contract.faultkit import PATIENCE, Echo, Loop, Maker
from contract.flavours import needs
from torsion.internet.error import ReactorNotRunning, WrongThreadError
from torsion.internet.protocol import ClientFactory, Protocol
from torsion.internet.threads import blockingCallFromThread

pytestmark = needs("IReactorTCP", "engine")

loop = faultkit.loop


@pytest.fixture
def hectic() -> Iterator[None]:
    """Have threads take turns as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def elsewhere(function: Callable[[], Any]) -> Any:
    """Call *function* in another thread and return what it returns, or the exception that it raises."""
    results: list[Any] = []

    def work() -> None:
        try:
            results.append(function())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(PATIENCE)
    return results[0]


def refused(loop: Loop, function: Callable[[], Any]) -> bool:
    """Tell whether another thread may not call *function* while the reactor runs, and learns what to do instead."""
    answer = loop.inside(lambda: elsewhere(function))
    return isinstance(answer, WrongThreadError) and "reactor.callFromThread(" in str(answer)


# --- the wrong thread --------------------------------------------------------------------------------------------------

TRANSPORT = {
    "write": (b"x",),
    "writeSequence": ([b"x"],),
    "loseConnection": (),
    "abortConnection": (),
    "loseWriteConnection": (),
    "pauseProducing": (),
    "resumeProducing": (),
    "stopProducing": (),
    "stopReading": (),
    "startReading": (),
    "registerProducer": (object(), True),
    "setTcpNoDelay": (True,),
    "getTcpNoDelay": (),
    "setTcpKeepAlive": (True,),
    "getTcpKeepAlive": (),
    "getHandle": (),
    "fileno": (),
    "statistics": (),
}


@pytest.mark.parametrize("method", TRANSPORT)
def test_a_connection_stays_as_it_is(loop: Loop, method):
    factory = Maker()
    peer = loop.peer(loop.listen(factory))
    assert peer.answers()
    transport = factory.made[0].transport
    assert refused(loop, lambda: getattr(transport, method)(*TRANSPORT[method]))
    assert transport.producer is None
    assert not transport.disconnecting
    assert peer.answers()


def test_a_producer_stays_registered(loop: Loop):
    factory = Maker()
    peer = loop.peer(loop.listen(factory))
    assert peer.answers()
    transport = factory.made[0].transport
    transport.registerProducer(transport, True)
    assert refused(loop, transport.unregisterProducer)
    assert transport.producer is transport
    assert peer.answers()


@pytest.mark.parametrize("method", ["cancel", "reset", "delay", "getTime"])
def test_a_timer_stays_as_it_is(loop: Loop, method):
    called = []
    timer = loop.reactor.callLater(0.02, called.append, 1)
    arguments = (60,) if method in {"reset", "delay"} else ()
    assert refused(loop, lambda: getattr(timer, method)(*arguments))
    assert timer.active()
    loop.until(lambda: called)


@pytest.mark.parametrize("method", ["stopListening", "loseConnection", "getHandle", "fileno"])
def test_a_port_stays_as_it_is(loop: Loop, method):
    port = loop.listen(Maker())
    assert refused(loop, getattr(port, method))
    assert port.connected
    assert loop.peer(port).answers()


class Client(ClientFactory):
    noisy = False

    def __init__(self) -> None:
        self.made: list[Echo] = []
        self.failures: list[Any] = []

    def buildProtocol(self, addr):
        self.made.append(Echo())
        return self.made[-1]

    def clientConnectionFailed(self, connector, reason):
        self.failures.append(reason)


@pytest.mark.parametrize("method", ["stopConnecting", "disconnect"])
def test_an_attempt_goes_on(loop: Loop, method):
    number = loop.listen(Maker()).getHost().port
    client = Client()

    def connect():
        connector = loop.reactor.connectTCP("127.0.0.1", number, client)
        answer = elsewhere(getattr(connector, method))
        assert connector in loop.reactor.open_handles
        return answer

    assert isinstance(loop.inside(connect), WrongThreadError)
    loop.until(lambda: client.made)
    assert client.failures == []


def test_nothing_begins_in_the_wrong_thread(loop: Loop):
    number = loop.listen(Maker()).getHost().port
    client, server = Client(), Maker()
    assert refused(loop, lambda: loop.reactor.connectTCP("127.0.0.1", number, client))
    assert refused(loop, lambda: loop.reactor.connectTCP("localhost", number, client))
    assert refused(loop, lambda: loop.reactor.listenTCP(0, server, interface="127.0.0.1"))
    assert refused(loop, lambda: loop.reactor.callLater(0, list))
    loop.turn()
    assert (client.made, client.failures) == ([], [])
    assert client.numPorts == server.numPorts == 0
    assert len(loop.reactor.open_handles) == 1
    assert loop.reactor.getDelayedCalls() == []


@pytest.mark.parametrize(
    "method", ["stop", "crash", "iterate", "run", "startRunning", "getDelayedCalls", "disconnectAll", "removeAll"]
)
def test_a_reactor_stays_as_it_is(loop: Loop, method):
    port = loop.listen(Maker())
    answer = loop.inside(lambda: elsewhere(getattr(loop.reactor, method)))
    assert isinstance(answer, WrongThreadError) or method in {"run", "startRunning"}
    assert loop.reactor.running
    assert port.connected
    assert loop.peer(port).answers()


def test_these_may_be_called_from_any_thread(loop: Loop):
    called = []
    assert loop.inside(lambda: elsewhere(lambda: loop.reactor.callFromThread(called.append, 1))) is None
    assert loop.inside(lambda: elsewhere(loop.reactor.wakeUp)) is None
    assert isinstance(loop.inside(lambda: elsewhere(loop.reactor.seconds)), float)
    loop.until(lambda: called)


def test_what_belongs_to_a_running_reactor_may_die_in_another_thread(loop: Loop, hectic):
    """The collector runs in whatever thread happens to fill its measure."""

    class Knot:
        pass

    def tangle(thing):
        knot = Knot()
        knot.self, knot.thing = knot, thing

    factory = Maker()
    port = loop.listen(factory)
    done = threading.Event()

    def clean():
        while not done.is_set():
            gc.collect(0)

    cleaner = threading.Thread(target=clean)
    cleaner.start()
    try:
        for _ in range(50):
            peer = loop.peer(port)
            assert peer.answers()
            timer = loop.reactor.callLater(60, tangle, peer)
            tangle((factory.made[-1], factory.made[-1].transport, timer))
            timer.cancel()
            peer.close()
            factory.made.clear()
            loop.turn(1)
    finally:
        done.set()
        cleaner.join(PATIENCE)


# --- many threads ------------------------------------------------------------------------------------------------------


def test_calls_of_many_threads_all_arrive_and_stay_in_order(loop: Loop, hectic):
    threads, calls = 8, 3000
    arrived: list[list[int]] = [[] for _ in range(threads)]
    echo = loop.listen(Maker())
    peer = loop.peer(echo)
    noise = itertools.count()
    start = threading.Barrier(threads)

    def work(number: int) -> None:
        start.wait()
        for call in range(calls):
            loop.reactor.callFromThread(arrived[number].append, call)
            if call % 50 == 0:
                loop.reactor.wakeUp()
                loop.reactor.callFromThread(loop.reactor.callLater, 0, next, noise)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        assert peer.answers()
    loop.until(lambda: sum(map(len, arrived)) == threads * calls)
    assert arrived == [list(range(calls))] * threads
    loop.turn()
    assert next(noise) == threads * calls // 50


def test_a_call_right_after_a_busy_wait_is_made(loop: Loop):
    """The look at the descriptors that follows a busy wait may find nothing but the wake-up, and must not sleep on it."""

    class Calling(Protocol):
        def dataReceived(self, data):
            loop.reactor.callLater(0, loop.reactor.callFromThread, make)

    def make():
        made.append(1)
        if len(made) == 4:
            loop.reactor.stop()

    made = []
    port = loop.listen(Maker(*[Calling] * 4))
    peers = [loop.peer(port) for _ in range(4)]
    loop.turn()
    for peer in peers:
        peer.send(b"x")  # all at once, for one wait
    patience = loop.reactor.callLater(PATIENCE, loop.reactor.stop)
    loop.reactor.mainLoop()
    assert patience.active(), "not in time"
    patience.cancel()


def test_threads_that_call_in_while_the_reactor_stops(reactor_factory, hectic):
    """Each call is made, in its order, or never made; every waiting thread is told; nobody hangs, nothing crashes."""

    def work(reactor: Any, made: list[int], outcomes: list[str]) -> None:
        for call in itertools.count():
            reactor.callFromThread(made.append, call)
            try:
                assert blockingCallFromThread(reactor, lambda: "answer") == "answer"
            except ReactorNotRunning:
                outcomes.append("told")
                return

    for round_ in range(20):
        reactor = reactor_factory()
        outcomes: list[str] = []
        made: list[list[int]] = [[] for _ in range(4)]
        workers = [threading.Thread(target=work, args=(reactor, calls, outcomes)) for calls in made]
        reactor.callWhenRunning(lambda workers=workers: [worker.start() for worker in workers])
        reactor.callLater(0.002 * random.Random(round_).random(), reactor.stop)
        reactor.run(installSignalHandlers=False)
        for worker in workers:
            worker.join(PATIENCE)
        assert outcomes == ["told"] * 4
        assert all(calls == list(range(len(calls))) for calls in made)


def test_calls_that_come_after_the_end_are_for_the_next_run(reactor_factory):
    reactor = reactor_factory()
    called: list[int] = []
    reactor.callWhenRunning(reactor.stop)
    reactor.run(installSignalHandlers=False)
    thread = threading.Thread(target=reactor.callFromThread, args=(called.append, 1))
    thread.start()
    thread.join()
    assert called == []
    reactor.callWhenRunning(reactor.callLater, 0, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert called == [1]


# --- several reactors --------------------------------------------------------------------------------------------------


class Relay(Protocol):
    """Passes a number on, one higher, through the reactor of the next."""

    def __init__(self, station: Station) -> None:
        self.station = station

    def dataReceived(self, data: bytes) -> None:
        self.station.received(data)


class Station:
    """One reactor in one thread, with a port, and a connection to the next station's."""

    LAST = 400

    def __init__(self, reactor: Any, stations: list[Station]) -> None:
        self.reactor = reactor
        self.stations = stations
        self.numbers: list[int] = []
        self.threads: set[int] = set()
        self.next: Any = None
        factory = Maker(*[lambda: Relay(self)] * 2)
        self.port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.thread = threading.Thread(target=reactor.run)

    def connect(self, next_one: Station) -> None:
        station = self

        class Onward(Protocol):
            def connectionMade(self):
                station.next = self.transport
                if station is station.stations[0]:
                    self.transport.write(b"0\n")

        factory = ClientFactory.forProtocol(Onward)
        factory.noisy = False
        self.reactor.connectTCP("127.0.0.1", next_one.port.getHost().port, factory)

    def received(self, data: bytes) -> None:
        self.threads.add(threading.get_ident())
        number = int(data)
        self.numbers.append(number)
        if number == self.LAST:
            for station in self.stations:
                station.reactor.callFromThread(station.reactor.stop)
        elif self.next is None:  # not connected yet
            self.reactor.callLater(0.001, self.numbers.pop)
            self.reactor.callLater(0.001, self.received, data)
        else:
            self.next.write(b"%d\n" % (number + 1))


@needs("IReactorTCP", "kernel", "engine")
def test_reactors_of_several_threads_talk_to_each_other(reactor_factory, hectic):
    stations: list[Station] = []
    stations.extend(Station(reactor_factory(), stations) for _ in range(4))
    for station, next_one in zip(stations, stations[1:] + stations[:1], strict=True):
        station.reactor.callWhenRunning(station.connect, next_one)
    for station in stations:
        station.thread.start()
    for station in stations:
        station.thread.join(4 * PATIENCE)
    passed = sorted(number for station in stations for number in station.numbers)
    assert passed == list(range(Station.LAST + 1))
    assert len(set().union(*(station.threads for station in stations))) == 4
    assert [len(station.threads) for station in stations] == [1] * 4
    for station in stations:
        assert not station.reactor.running
        assert not station.port.connected


def test_a_reactor_may_be_made_in_one_thread_and_run_in_others(reactor_factory):
    reactor = reactor_factory()
    factory = Maker()
    ran: list[int] = []
    for _ in range(3):
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        reactor.callLater(0, lambda: ran.append(threading.get_ident()))
        reactor.callLater(0.001, reactor.stop)
        elsewhere(reactor.run)
        assert not port.connected
    assert len(ran) == 3
    assert threading.get_ident() not in ran
