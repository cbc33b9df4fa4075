"""What a call sees of the surroundings of whoever asked for it: ``contextvars``, and ``python.context``.

A reactor makes its calls in surroundings of its own, those of its run; what a call changes there stays.  Coroutines and
generators keep a context of their own; callbacks are called in that of whoever fires the Deferred; threads get a copy.
"""

from __future__ import annotations

from contextvars import ContextVar, copy_context

from contract.flavours import differs, needs
from contract.harness import pause
from torsion.internet.defer import Deferred, ensureDeferred, inlineCallbacks
from torsion.internet.threads import deferToThreadPool
from torsion.python import context

pytestmark = needs("IReactorThreads", "IReactorTime")

variable = ContextVar("variable", default="nobody's")


class Key:
    """Of a value in ``python.context``."""


def seen(*_):
    """Return both kinds of surroundings."""
    return variable.get(), context.get(Key)


def within(function, *args):
    """Call *function* in surroundings of its own, of both kinds."""

    def call():
        variable.set("asker's")
        return context.call({Key: "asker's"}, function, *args)

    return copy_context().run(call)


def asked(reactor, ask):
    """Return what a call sees that *ask* is to have made from within other surroundings."""
    deferred = Deferred()
    within(ask, lambda: deferred.callback(seen()))
    return deferred


def test_calls_are_made_in_the_surroundings_of_the_run(reactor, run):
    async def scenario():
        reactor.callLater(0, variable.set, "the run's")
        await pause(reactor)
        await pause(reactor)
        return [
            await asked(reactor, lambda call: reactor.callLater(0, call)),
            await asked(reactor, lambda call: reactor.callLater(0.001, call)),
            await asked(reactor, reactor.callFromThread),
        ]

    assert run(scenario) == [("the run's", None)] * 3


def test_a_call_at_once_sees_what_its_caller_does(reactor, run):
    async def scenario():
        return within(reactor.callWhenRunning, lambda: found.append(seen()))

    found = []
    run(scenario)
    assert found == [("asker's", "asker's")]


def test_callbacks_see_what_whoever_fires_them_does(reactor, run):
    async def scenario():
        deferred = Deferred()
        within(deferred.addCallback, seen)
        variable.set("scenario's")
        deferred.callback(None)
        return await deferred

    assert run(scenario) == ("scenario's", None)


def test_coroutines_keep_their_own(reactor, run):
    async def coroutine(waited):
        found = [seen()]
        variable.set("coroutine's")
        await waited
        return [*found, seen()]

    async def scenario():
        variable.set("scenario's")
        waited = Deferred()
        running = within(lambda: ensureDeferred(coroutine(waited)))
        within(waited.callback, None)
        return await running, seen()

    assert run(scenario) == ([("asker's", "asker's"), ("coroutine's", "asker's")], ("scenario's", None))


def test_generators_keep_their_own(reactor, run):
    @inlineCallbacks
    def generator(waited):
        found = [seen()[0]]
        variable.set("generator's")
        yield waited
        return [*found, seen()[0]]

    async def scenario():
        variable.set("scenario's")
        waited = Deferred()
        running = within(generator, waited)
        within(waited.callback, None)
        return await running, seen()

    assert run(scenario) == (["asker's", "generator's"], ("scenario's", None))


def test_threads_see_the_legacy_context(reactor, run):
    async def scenario():
        return (await within(deferToThreadPool, reactor, reactor.getThreadPool(), seen))[1]

    assert run(scenario) == "asker's"


@differs("threads of the pool get a copy of the context variables as well")
def test_threads_see_context_variables(reactor, run):
    def change():
        found = seen()[0]
        variable.set("thread's")
        return found

    async def scenario():
        variable.set("scenario's")
        return await within(deferToThreadPool, reactor, reactor.getThreadPool(), change), seen()[0]

    assert run(scenario) == ("asker's", "scenario's")
