"""A whole program as one function."""

import pytest

from torsion.internet import _current
from torsion.internet.defer import CancelledError, Deferred, NotACoroutineError, fail, succeed
from torsion.internet.error import ReactorNotRunning
from torsion.internet.task import Clock, react
from torsion.logger import capturedLogs


class FakeReactor(Clock):
    """Runs what is due, step by step, until it is stopped."""

    running = False

    def __init__(self):
        super().__init__()
        self.when_running = []
        self.before_shutdown = []

    def callWhenRunning(self, callable, *args, **kw):
        if self.running:
            callable(*args, **kw)
        else:
            self.when_running.append((callable, args, kw))

    def addSystemEventTrigger(self, phase, event, callable, *args, **kw):
        assert (phase, event) == ("before", "shutdown")
        self.before_shutdown.append(callable)

    def run(self):
        self.running = True
        for callable, args, kw in self.when_running:
            callable(*args, **kw)
        while self.running:
            self.advance(self.getDelayedCalls()[0].getTime() - self.seconds())
        for trigger in self.before_shutdown:
            trigger()

    def stop(self):
        if not self.running:
            raise ReactorNotRunning
        self.running = False


@pytest.fixture
def reactor():
    return FakeReactor()


def status_of(main, *args, **kw):
    with pytest.raises(SystemExit) as caught:
        react(main, *args, **kw)
    return caught.value.code


def test_success(reactor):
    async def main(reactor, first, second):
        finished = Deferred()
        reactor.callLater(2, finished.callback, None)
        await finished
        seen.append((first, second))

    seen = []
    assert status_of(main, ("one", "two"), _reactor=reactor) == 0
    assert seen == [("one", "two")]
    assert reactor.seconds() == 2
    assert not reactor.running


def test_a_deferred(reactor):
    assert status_of(lambda _: succeed("whatever"), _reactor=reactor) == 0
    assert reactor.seconds() == 0


@pytest.mark.parametrize("late", [False, True])
def test_failure(reactor, late):
    def main(reactor):
        if not late:
            return fail(KeyError())
        finished = Deferred()
        reactor.callLater(1, finished.errback, KeyError())
        return finished

    with capturedLogs() as events:
        assert status_of(main, _reactor=reactor) == 1
    assert [event["log_failure"].type for event in events] == [KeyError]
    assert events[0]["log_format"] == "main function encountered error"


@pytest.mark.parametrize("code", [0, 23, None, "text"])
def test_a_status_of_its_own(reactor, code):
    async def main(reactor):
        raise SystemExit(code)

    assert status_of(main, _reactor=reactor) == code


def test_the_reactor_was_stopped_before(reactor):
    def main(reactor):
        reactor.callLater(1, reactor.stop)
        return Deferred()

    assert status_of(main, _reactor=reactor) == 0


@pytest.mark.parametrize(("fire", "status"), [("callback", 0), ("errback", 1)])
def test_over_while_the_reactor_shuts_down(reactor, fire, status):
    def main(reactor):
        finished = Deferred()
        reactor.callLater(1, reactor.stop)
        reactor.before_shutdown.append(lambda: None)
        shutdown.append(lambda: getattr(finished, fire)(KeyError()))
        return finished

    shutdown = []
    run = reactor.run
    reactor.run = lambda: (run(), shutdown[0]())
    with capturedLogs():
        assert status_of(main, _reactor=reactor) == status


def test_over_in_the_turn_that_stopped_the_reactor(reactor):
    def main(reactor):
        def both():
            reactor.stop()
            finished.callback(None)

        finished = Deferred()
        reactor.callWhenRunning(both)
        return finished

    assert status_of(main, _reactor=reactor) == 0


def test_the_current_reactor_unless_one_is_given(reactor):
    async def main(given):
        assert given is reactor

    _current.enter(reactor)
    try:
        assert status_of(main) == 0
    finally:
        _current.leave(reactor)


def test_cancelled(reactor):
    async def main(reactor):
        await succeed(None)
        raise CancelledError

    with capturedLogs():
        assert status_of(main, _reactor=reactor) == 1


def test_a_main_that_is_neither(reactor):
    with pytest.raises(NotACoroutineError):
        react(lambda _: None, _reactor=reactor)
