"""Signals: which stop a reactor, in which thread, and what is put back afterwards."""

from __future__ import annotations

import os
import signal
import socket
import threading

import pytest

from contract.harness import run_scenario
from torsion.internet.error import WrongThreadError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="os.kill ends the process elsewhere")


@pytest.fixture(autouse=True)
def restored():
    """Put signal handlers back, whatever a test did to them."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stops(reactor, number):
    events = []
    before = signal.getsignal(number)
    reactor.addSystemEventTrigger("during", "shutdown", events.append, "shutdown")
    reactor.callLater(0, os.kill, os.getpid(), number)
    reactor.run()
    assert events == ["shutdown"]
    assert signal.getsignal(number) is before
    assert signal.set_wakeup_fd(-1) == -1


def test_wakes_a_waiting_reactor(reactor):
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM))
    reactor.callWhenRunning(timer.start)
    reactor.run()
    timer.join()


def test_a_second_signal_changes_nothing(reactor):
    def before():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

    reactor.addSystemEventTrigger("before", "shutdown", before)
    reactor.callLater(0, os.kill, os.getpid(), signal.SIGINT)
    reactor.run()


def test_a_handler_of_the_programs_own_for_sigint_is_left_alone(reactor):
    called = []
    signal.signal(signal.SIGINT, lambda *_: called.append(reactor.callLater(0, reactor.stop)))
    reactor.callLater(0, os.kill, os.getpid(), signal.SIGINT)
    reactor.run()
    assert len(called) == 1


def test_other_signals_handlers_are_called_at_once(reactor):
    called = []
    signal.signal(signal.SIGUSR1, lambda *_: called.append(reactor.callFromThread(reactor.stop)))
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
    reactor.callWhenRunning(timer.start)
    reactor.run()
    timer.join()
    assert len(called) == 1


def test_handlers_can_be_declined(reactor):
    reactor.callWhenRunning(lambda: handlers.append(signal.getsignal(signal.SIGTERM)))
    reactor.callWhenRunning(reactor.stop)
    handlers = []
    reactor.run(installSignalHandlers=False)
    assert handlers == [signal.SIG_DFL]


def test_a_handler_installed_meanwhile_stays(reactor):
    def mine(*_):
        pass

    reactor.callWhenRunning(signal.signal, signal.SIGTERM, mine)
    reactor.callWhenRunning(reactor.stop)
    reactor.run()
    assert signal.getsignal(signal.SIGTERM) is mine


def test_the_previous_wakeup_descriptor_is_woken_and_put_back(reactor):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno())
        try:
            reactor.callLater(0, os.kill, os.getpid(), signal.SIGTERM)
            reactor.run()
            assert ours.recv(10) == bytes([signal.SIGTERM])
        finally:
            assert signal.set_wakeup_fd(-1) == theirs.fileno()


@pytest.mark.parametrize("exception", [ValueError, SystemExit, KeyboardInterrupt])
def test_what_a_handler_raises_is_logged(reactor, logged, exception):
    def raises(*_):
        reactor.callFromThread(reactor.stop)
        raise exception("from a signal handler")

    signal.signal(signal.SIGUSR1, raises)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
    reactor.callWhenRunning(timer.start)
    reactor.run()
    timer.join()
    assert len(logged.take(exception)) == 1


def test_none_in_another_thread(reactor_factory):
    async def scenario():
        return signal.getsignal(signal.SIGTERM)

    def work():
        reactor = reactor_factory()
        reactor.callWhenRunning(lambda: handlers.append(signal.getsignal(signal.SIGTERM)))
        reactor.callWhenRunning(reactor.stop)
        reactor.run()
        handlers.append(run_scenario(reactor, scenario))

    handlers = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.SIG_DFL] * 2


def test_an_early_interrupt_is_raised(reactor, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(signal, "signal", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reactor.run()
    monkeypatch.undo()
    reactor.callWhenRunning(reactor.stop)
    reactor.run()


@pytest.mark.parametrize("exception", [OSError, WrongThreadError])
def test_a_handler_that_raises_what_the_engine_could_is_logged(reactor, logged, exception):
    def raises(*_):
        if len(rounds) == 2:
            reactor.callFromThread(reactor.stop)
        else:
            reactor.callFromThread(later)
        raise exception("from a signal handler")

    def later():
        rounds.append(threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)))
        rounds[-1].start()

    rounds = []
    signal.signal(signal.SIGUSR1, raises)
    reactor.callWhenRunning(later)
    reactor.run()
    for timer in rounds:
        timer.join()
    assert len(logged.take(exception)) == 2
