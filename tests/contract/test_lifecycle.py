"""Running, stopping, crashing, and what is told at either end."""

from __future__ import annotations

import gc
import os
import signal
import threading
import weakref

import pytest
from zope.interface.verify import verifyObject

from contract.flavours import needs
from contract.harness import Client, Server, descriptors, gone, join, nothing_left_open, pause, run_scenario
from torsion.internet import _current, error
from torsion.internet.defer import Deferred
from torsion.internet.interfaces import (
    IReactorCore,
    IReactorPluggableNameResolver,
    IReactorPluggableResolver,
    IReactorTCP,
    IReactorThreads,
    IReactorTime,
)


@pytest.mark.parametrize(
    "interface",
    [
        IReactorCore,
        IReactorTime,
        IReactorThreads,
        IReactorTCP,
        IReactorPluggableResolver,
        IReactorPluggableNameResolver,
    ],
)
def test_provides(reactor, interface):
    assert verifyObject(interface, reactor)


def test_events_in_order(reactor):
    events = []
    for name in ("startup", "shutdown"):
        for phase in ("after", "during", "before"):
            reactor.addSystemEventTrigger(
                phase, name, lambda *what: events.append((*what, reactor.running)), phase, name
            )
    reactor.callWhenRunning(events.append, "running")
    reactor.callWhenRunning(reactor.stop)
    assert not reactor.running
    reactor.run(installSignalHandlers=False)
    assert not reactor.running
    assert events == [
        ("before", "startup", False),
        ("during", "startup", True),
        ("after", "startup", True),
        "running",
        ("before", "shutdown", True),
        ("during", "shutdown", False),
        ("after", "shutdown", False),
    ]


def test_stop_when_not_running(reactor):
    with pytest.raises(error.ReactorNotRunning):
        reactor.stop()


def test_stop_twice(reactor, run):
    async def scenario():
        reactor.stop()
        with pytest.raises(error.ReactorNotRunning):
            reactor.stop()

    run(scenario)
    with pytest.raises(error.ReactorNotRunning):
        reactor.stop()


def test_run_while_running(reactor, run):
    async def scenario():
        with pytest.raises(error.ReactorAlreadyRunning):
            reactor.run()
        with pytest.raises(error.ReactorAlreadyRunning):
            reactor.startRunning()

    run(scenario)


def test_stop_lets_the_turn_end(reactor):
    events = []

    def stop():
        reactor.stop()
        events.append("stopped")
        assert reactor.running

    reactor.callLater(0, stop)
    reactor.callLater(0, events.append, "in the same turn")
    reactor.run(installSignalHandlers=False)
    assert events == ["stopped", "in the same turn"]


def test_call_when_running_calls_at_once_when_running(reactor, run):
    async def scenario():
        called = []
        assert reactor.callWhenRunning(called.append, 1) is None
        assert called == [1]

    run(scenario)


def test_call_when_running_can_be_taken_back(reactor):
    called = []
    handle = reactor.callWhenRunning(called.append, 1)
    reactor.removeSystemEventTrigger(handle)
    reactor.callWhenRunning(reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert called == []


def test_shutdown_waits_for_deferreds(reactor):
    events = []

    def before():
        held = Deferred()
        reactor.callLater(0.01, lambda: (events.append("released"), held.callback(None)))
        return held

    reactor.addSystemEventTrigger("before", "shutdown", before)
    reactor.addSystemEventTrigger("during", "shutdown", events.append, "during")
    reactor.callWhenRunning(reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert events == ["released", "during"]


@pytest.mark.parametrize("exception", [ValueError, SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("event", ["startup", "shutdown"])
@pytest.mark.parametrize("phase", ["before", "during", "after"])
def test_triggers_that_raise_are_logged(reactor, run, logged, phase, event, exception):
    events = []

    def raises():
        raise exception("from a trigger")

    async def scenario():
        events.append("scenario")

    reactor.addSystemEventTrigger(phase, event, raises)
    reactor.addSystemEventTrigger(phase, event, events.append, "next")
    run(scenario)
    assert sorted(events) == ["next", "scenario"]
    assert len(logged.take(exception)) == 1


def test_own_events(reactor):
    called = []
    handle = reactor.addSystemEventTrigger("before", "tea", called.append, "milk")
    reactor.addSystemEventTrigger("after", "tea", called.append, "biscuit")
    reactor.removeSystemEventTrigger(handle)
    reactor.fireSystemEvent("tea")
    reactor.fireSystemEvent("tea")
    reactor.fireSystemEvent("never heard of")
    assert called == ["biscuit"]


def test_runs_again(reactor, run):
    async def scenario():
        server, client, port = await join(reactor)
        client.transport.write(b"hello")
        return await server.bytes(5), port, client

    for _ in range(3):
        received, port, client = run(scenario)
        assert received == b"hello"
        assert client.lost.result.__class__ is error.ConnectionLost
        assert not port.connected


def test_timers_survive_from_one_run_to_the_next(reactor, run):
    async def first():
        reactor.callLater(0.001, called.append, 1)
        reactor.stop()

    async def second():
        await pause(reactor, 0.01)

    called = []
    run(first)
    run(second)
    assert called == [1]


def test_triggers_are_for_one_run(reactor, run):
    async def scenario():
        pass

    called = []
    reactor.addSystemEventTrigger("during", "startup", called.append, 1)
    run(scenario)
    run(scenario)
    assert called == [1]


def test_crash_keeps_ports_open(reactor, run):
    events = []

    async def before():
        nonlocal port
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        reactor.addSystemEventTrigger("during", "shutdown", events.append, "shutdown")
        reactor.callLater(0, reactor.crash)
        await pause(reactor, 0.001)  # is over only in the next run

    async def after():
        client = Client()
        reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        await client.one.made

    port = None
    with pytest.raises(AssertionError, match="stopped before"):
        run(before)
    assert events == []
    assert not reactor.running
    assert port.connected
    run(after)
    assert events == ["shutdown"]
    assert not port.connected


def test_crash_when_not_running(reactor):
    reactor.crash()
    assert not reactor.running


def test_iterate(reactor):
    called = []
    reactor.startRunning(installSignalHandlers=False)
    assert reactor.running
    assert _current.current_reactor() is reactor
    reactor.callLater(0, called.append, 1)
    while not called:
        reactor.iterate(0.01)
    reactor.stop()
    while reactor.running:
        reactor.iterate(0)
    with pytest.raises(error.ReactorNotRunning):
        reactor.stop()


def test_iterate_within_a_call(reactor, run):
    async def scenario():
        called = []
        reactor.callLater(0, called.append, 1)
        reactor.callLater(0, nested, called)
        await pause(reactor, 0.01)
        return called

    def nested(called):
        reactor.callLater(0, called.append, 2)
        while 2 not in called:
            reactor.iterate(0.001)
        called.append(3)

    assert run(scenario) == [1, 2, 3]


def test_shutdown_closes_everything(reactor, run):
    async def scenario():
        server, client, port = await join(reactor)
        return server, client, port

    with nothing_left_open():
        server, client, _ = run(scenario)
        for protocol in (server, client):
            assert protocol.lost.result.__class__ is error.ConnectionLost
            assert protocol.events[-1] == "connectionLost"
        assert server.factory.events == ["doStart", "doStop"]
        assert client.factory.events[-2:] == ["clientConnectionLost", "doStop"]


def test_shutdown_ends_ports_and_attempts_in_the_order_in_which_they_began(reactor, run):
    async def scenario():
        for number in range(20):
            if number % 2:
                factory = Client(do={"doStop": lambda number=number: ended.append(number)})
                reactor.connectTCP("host.invalid", 1, factory)
            else:
                factory = Server()
                factory.doStop = lambda number=number: ended.append(number)
                reactor.listenTCP(0, factory, interface="127.0.0.1")

    ended = []
    reactor.installNameResolver(_Silent())
    run(scenario)
    assert ended == list(range(20))


def test_shutdown_gives_attempts_up(reactor, run):
    async def scenario():
        reactor.connectTCP("host.invalid", 1, client, timeout=60)

    client = Client()
    reactor.installNameResolver(_Silent())
    run(scenario)
    assert isinstance(client.failed.result, error.ConnectError)
    assert client.events == ["doStart", "startedConnecting", "clientConnectionFailed", "doStop"]


class _Silent:
    """A resolver that never answers."""

    def resolveHostName(self, receiver, hostName, portNumber=0, addressTypes=None, transportSemantics="TCP"):
        class Resolution:
            name = hostName

            def cancel(self):
                pass

        resolution = Resolution()
        receiver.resolutionBegan(resolution)
        return resolution


def test_connections_do_not_see_a_closed_reactor_running(reactor, run):
    seen = []

    async def scenario():
        server, _, _ = await join(reactor)
        server.do["connectionLost"] = lambda _: seen.append(reactor.running)

    run(scenario)
    assert seen == [False]


def test_several_reactors_in_threads(reactor_factory):
    results = {}

    def work(number):
        reactor = reactor_factory()

        async def scenario():
            assert _current.current_reactor() is reactor
            server, client, _ = await join(reactor)
            client.transport.write(b"%d" % number * 1000)
            return await server.bytes(1000)

        results[number] = run_scenario(reactor, scenario)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: b"%d" % number * 1000 for number in range(4)}


@needs("kernel", "engine", "loop")  # asyncio runs one loop in a thread
def test_one_reactor_inside_another(reactor_factory, reactor, run):
    async def inner():
        assert _current.current_reactor() is other
        return "inner"

    async def scenario():
        result = run_scenario(other, inner)
        assert _current.current_reactor() is reactor
        return result

    other = reactor_factory()
    assert run(scenario) == "inner"


@pytest.mark.parametrize("method", ["stop", "callLater", "crash", "iterate", "listenTCP"])
def test_wrong_thread(reactor, run, method):
    arguments = {"callLater": (0, list), "listenTCP": (0, Server())}.get(method, ())
    raised = []

    def call():
        try:
            getattr(reactor, method)(*arguments)
        except error.WrongThreadError as problem:
            raised.append(str(problem))

    async def scenario():
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    run(scenario)
    assert "callFromThread" in raised[0]


def test_freed_when_dropped(reactor_factory):
    with nothing_left_open():
        reactor = reactor_factory()
        reactor.callLater(60, lambda _: None, reactor)
        reactor.callWhenRunning(reactor.stop)
        reactor.run(installSignalHandlers=False)
        reference = weakref.ref(reactor)
        del reactor
        assert gone(reference)


def test_freed_without_ever_running(reactor_factory):
    with nothing_left_open():
        reactor = reactor_factory()
        port = reactor.listenTCP(0, Server())
        reactor.callFromThread(lambda _: None, port)
        reference = weakref.ref(reactor)
        del reactor, port
        gc.collect()
        assert gone(reference)


def test_can_stand_in_for_another(reactor_factory):
    first, second = reactor_factory(), reactor_factory()
    second.__dict__, second.__class__ = first.__dict__, first.__class__
    called = []
    second.callLater(0, called.append, 1)
    second.callLater(0, first.stop)
    second.run(installSignalHandlers=False)
    assert called == [1]


def test_remove_all(reactor, run):
    async def scenario():
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        server, _, other = await join(reactor)
        assert set(reactor.removeAll()) == {port, other}
        assert reactor.removeAll() == []
        assert not port.connected
        server.transport.write(b"connections stay")

    run(scenario)


def test_wake_up_from_another_thread(reactor, run):
    async def scenario():
        threading.Timer(0.01, reactor.wakeUp).start()
        await pause(reactor, 0.03)

    run(scenario)


def test_a_trigger_must_be_callable(reactor):
    with pytest.raises(TypeError, match="callable"):
        reactor.addSystemEventTrigger("before", "tea", "milk")


def test_methods_can_be_overridden(reactor_factory):
    class Counting(reactor_factory):
        calls = 0

        def callLater(self, delay, callable, *args, **kw):
            self.calls += 1
            return super().callLater(delay, callable, *args, **kw)

        def callFromThread(self, callable, *args, **kwargs):
            self.calls += 1
            super().callFromThread(callable, *args, **kwargs)

    reactor = Counting()
    reactor.callLater(0, reactor.callFromThread, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert reactor.calls == 2


@pytest.fixture
def poller(reactor_factory):
    """A reactor, and the descriptors with which it asks the system what is ready."""
    gc.collect()  # which closes other tests' pollers, whose numbers would be taken again
    before = descriptors()
    reactor = reactor_factory()
    found = [int(each.split()[0]) for each in descriptors() - before if each.endswith("[eventpoll]")]
    if not found:
        pytest.skip("this reactor has no epoll descriptor")
    return reactor, found


def test_a_poller_that_fails_for_good_ends_the_run(poller, tmp_path):
    reactor, numbers = poller
    shutdown = []
    before = signal.getsignal(signal.SIGTERM)
    reactor.addSystemEventTrigger("during", "shutdown", shutdown.append, 1)
    port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
    with (tmp_path / "no poller").open("w") as other:
        for number in numbers:
            reactor.callLater(0, os.dup2, other.fileno(), number)
        for _ in range(2):  # again, since it can be run again
            with pytest.raises(OSError):
                reactor.run()
            assert not reactor.running
            with pytest.raises(error.ReactorNotRunning):
                reactor.stop()
            assert signal.getsignal(signal.SIGTERM) is before
            assert signal.set_wakeup_fd(-1) == -1
    assert port.connected  # as after a crash
    assert shutdown == []
    reactor.disconnectAll()


@pytest.fixture
def occupied(reactor):
    """Have another thread be in the midst of a turn, when this is called."""

    def occupy():
        def work():
            reactor.callFromThread(lambda: (inside.set(), go_on.wait()))
            reactor.iterate()

        thread = threading.Thread(target=work)
        thread.start()
        inside.wait()
        return thread

    threads = []
    inside, go_on = threading.Event(), threading.Event()
    yield lambda: threads.append(occupy())
    go_on.set()
    for thread in threads:
        thread.join()


def test_no_run_begins_while_another_thread_takes_a_turn(reactor, occupied):
    events = []
    before = signal.getsignal(signal.SIGTERM)
    reactor.addSystemEventTrigger("during", "startup", events.append, "startup")
    occupied()
    with pytest.raises(error.WrongThreadError):
        reactor.run()
    assert not reactor.running
    assert events == []
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(error.ReactorNotRunning):
        reactor.stop()


@needs("kernel", "engine", "loop")  # a hosted one refuses other threads between turns, too
def test_a_run_ends_when_another_thread_takes_a_turn(reactor, occupied):
    before = signal.getsignal(signal.SIGTERM)
    reactor.startRunning()
    occupied()
    with pytest.raises(error.WrongThreadError):
        reactor.mainLoop()
    assert not reactor.running
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(error.ReactorNotRunning):
        reactor.stop()
