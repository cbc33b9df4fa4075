"""The reactor in memory: names, threads, and several of them in one place."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref

import pytest
from zope.interface import implementedBy
from zope.interface.verify import verifyObject

from torsion.internet import interfaces
from torsion.internet.error import WrongThreadError
from torsion.internet.reactors.memory import MemoryReactor, Network
from torsion.internet.threads import blockingCallFromThread, deferToThread
from unit.internet.reactors.memory.kit import joined


@pytest.mark.parametrize("interface", list(implementedBy(MemoryReactor)), ids=lambda each: each.__name__)
def test_it_provides_what_it_claims(interface):
    assert verifyObject(interface, MemoryReactor())


def test_it_claims_nothing_that_takes_a_kernel():
    claimed = {interface.__name__ for interface in implementedBy(MemoryReactor)}
    assert claimed.isdisjoint({"IReactorFDSet", "IReactorProcess", "IReactorSocket"})
    server, client, _ = joined(MemoryReactor())
    assert not interfaces.ISystemHandle.providedBy(server.transport)
    assert verifyObject(interfaces.ITCPTransport, client.transport)
    assert (client.transport.fileno(), client.transport.getTcpNoDelay()) == (-1, False)


class TestNames:
    def test_are_those_of_the_network(self):
        reactor = MemoryReactor()
        reactor.network.names["example.org"] = ("10.1.1.1", "2001:db8::1")
        found = []
        reactor.resolve("Example.org").addCallback(found.append)
        assert found == []
        reactor.settle()
        assert found == ["10.1.1.1"]

    def test_unknown(self):
        reactor = MemoryReactor()
        failures = []
        reactor.resolve("nobody.invalid").addErrback(failures.append)
        reactor.settle()
        assert [failure.type.__name__ for failure in failures] == ["DNSLookupError"]


class TestThreads:
    def test_time_waits_for_the_pool(self):
        reactor = MemoryReactor()
        seen = []

        def start():
            late = reactor.callLater(60, seen.append, "a minute later")
            deferToThread(time.sleep, 0.02).addCallback(lambda _: (seen.append(reactor.seconds() < 1), late.cancel()))
            reactor.callLater(120, reactor.stop)

        reactor.callWhenRunning(start)
        reactor.run()
        assert seen == [True]

    def test_time_waits_for_whoever_holds_it(self):
        reactor = MemoryReactor()
        seen = []

        def work():
            with hold:
                seen.append(blockingCallFromThread(reactor, lambda: reactor.seconds() < 1))
                reactor.callFromThread(reactor.stop)

        hold = reactor.hold()
        thread = threading.Thread(target=work)
        reactor.callLater(60, seen.append, "a minute later")
        reactor.callWhenRunning(thread.start)
        with reactor.hold():
            reactor.run()
        thread.join()
        assert seen == [True]

    def test_a_reactor_with_nothing_to_do_is_woken(self):
        reactor = MemoryReactor()
        reactor.callWhenRunning(threading.Timer(0.01, lambda: reactor.callFromThread(reactor.stop)).start)
        reactor.run()

    def test_others_are_refused(self):
        reactor = MemoryReactor()
        refused = []

        def meddle():
            for each in (lambda: reactor.callLater(0, int), lambda: reactor.advance(1), reactor.iterate):
                try:
                    each()
                except WrongThreadError:
                    refused.append(True)

        def spawn():
            thread = threading.Thread(target=meddle)
            thread.start()
            thread.join()
            reactor.stop()

        reactor.callLater(0, spawn)
        reactor.run()
        assert refused == [True] * 3


class TestSeveral:
    def test_take_turns_in_the_order_of_their_making(self):
        network = Network()
        seen = []
        reactors = [MemoryReactor(network) for _ in range(3)]
        for number, reactor in reversed(list(enumerate(reactors))):
            reactor.callLater(1, seen.append, number)
        network.advance(1)
        assert seen == [0, 1, 2]

    def test_one_that_runs_takes_the_others_along(self):
        network = Network()
        one, other = MemoryReactor(network), MemoryReactor(network)
        seen = []
        other.callLater(1, lambda: seen.append(other.seconds()))
        one.callLater(2, one.stop)
        one.run()
        assert len(seen) == 1
        assert 1 <= seen[0] < 1.001

    def test_may_be_forgotten(self):
        network = Network()
        reactor = MemoryReactor(network)
        joined(reactor)
        reactor.disconnectAll()
        gone = weakref.ref(reactor.engine)
        del reactor
        gc.collect()
        assert gone() is None
        assert network.engines() == []


def test_what_raised_itself_raises_is_reported(monkeypatch):
    reactor = MemoryReactor()
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)
    monkeypatch.setattr(reactor, "raised", lambda source, exception: 1 / 0)
    reactor.callLater(0, int, "no number")
    reactor.settle()
    assert [each.exc_type for each in reported] == [ZeroDivisionError]


def test_a_default_reactor():
    code = (
        "from torsion.internet.reactors.memory import install, MemoryReactor\n"
        "made = install()\n"
        "from torsion.internet import reactor\n"
        "assert reactor is made and isinstance(made, MemoryReactor)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_can_be_chosen_by_name():
    from torsion.internet.reactors.choose import FLAVOURS

    assert "memory" in FLAVOURS
