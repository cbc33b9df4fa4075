"""Random programs of Deferreds, and a machine that runs one and writes down, step by step, what happens."""

from __future__ import annotations

from hypothesis import strategies as st

MADE = 3  # Deferreds at the start; generators and lists add theirs

indexes = st.integers(0, MADE - 1)


def steps(inner):
    """What a program may do; *inner* is what its callbacks may do while they run."""
    outcome = st.one_of(
        st.tuples(st.just("value"), st.integers(0, 9)),
        st.tuples(st.just("raise")),
        st.tuples(st.just("failure")),
        st.tuples(st.just("same")),
        st.tuples(st.just("deferred"), indexes),
        st.tuples(st.just("deferred"), indexes),
    )
    add = st.tuples(st.just("add"), indexes, st.sampled_from(["cb", "eb", "both", "pair"]), outcome, inner)
    fire = st.tuples(st.just("fire"), indexes, st.integers(0, 9))
    return st.one_of(
        add,
        add,
        add,
        fire,
        fire,
        st.tuples(st.just("fail"), indexes),
        st.tuples(st.just("pause"), indexes),
        st.tuples(st.just("unpause"), indexes),
        st.tuples(st.just("cancel"), indexes),
        st.tuples(st.just("chain"), indexes, indexes),
        st.tuples(st.just("generator"), st.lists(indexes, max_size=3), st.booleans()),
        st.tuples(st.just("coroutine"), st.lists(indexes, max_size=3), st.booleans()),
        st.tuples(st.just("list"), st.lists(indexes, max_size=3), st.booleans(), st.booleans(), st.booleans()),
        st.tuples(st.just("race"), st.lists(indexes, min_size=1, max_size=3, unique=True)),
    )


quiet = st.just(())
# Stock Twisted can be made to run in circles by a coroutine that awaits what a callback has paused.
nested = st.one_of(quiet, steps(quiet).filter(lambda step: step[0] != "pause").map(lambda step: (step,)))
loose = st.lists(steps(nested), min_size=4, max_size=20)


@st.composite
def waiting(draw):
    """A program that begins with Deferreds that wait for one another, which chance alone seldom arranges."""
    row = [("add", index, "cb", ("deferred", index + 1), ()) for index in range(MADE - 1)]
    fired = [("fire", index, 0) for index in range(MADE - 1)]
    used = [("add", index, "both", ("same",), draw(nested)) for index in draw(st.lists(indexes, max_size=6))]
    return [*row, *fired, *used, *draw(loose)]


programs = st.one_of(loose, waiting())


def twin_steps(inner):
    """What a program may do beside, where the same is expected of the two twins only."""
    return st.one_of(
        steps(inner),
        st.tuples(st.just("circle"), indexes, indexes),
        st.tuples(st.just("result"), indexes, st.integers(0, 9)),
        st.tuples(st.just("nest"), indexes, indexes),
    )


twin_programs = st.lists(
    twin_steps(st.one_of(quiet, twin_steps(quiet).map(lambda step: (step,)))), min_size=4, max_size=20
)


class Machine:
    """Runs a program on one side and writes down what happens."""

    def __init__(self, side):
        self.defer, self.Failure = side.defer, side.Failure
        self.trace = []
        cancellers = [None, lambda d: self.note("canceller"), lambda d: d.callback("cancelled")]
        self.deferreds = [self.defer.Deferred(canceller) for canceller in cancellers]
        self.pauses = [0] * MADE
        self.stumbled = False
        self.names = 0

    def note(self, *what):
        self.trace.append(what)

    def say(self, result):
        if isinstance(result, self.defer.Deferred):
            return "a Deferred"
        if isinstance(result, (self.Failure, BaseException)):
            error = result.value if isinstance(result, self.Failure) else result
            inner = getattr(error, "subFailure", None)
            return (type(error).__name__, self.say(inner)) if inner is not None else type(error).__name__
        if isinstance(result, (list, tuple)):
            return [self.say(item) for item in result]
        return result

    def run(self, program):
        for step in program:
            self.do(step)
            self.look()
        for deferred in self.deferreds:
            deferred.addBoth(lambda result: self.note("in the end", self.say(result)))
        self.look()
        return self.trace

    def look(self):
        for deferred in self.deferreds[:MADE]:
            self.note(bool(deferred.called), deferred.paused, self.say(getattr(deferred, "result", "none yet")))

    def do(self, step):
        name, *arguments = step
        try:
            getattr(self, name)(*arguments)
        except Exception as error:
            self.note("raised", type(error).__name__)

    def add(self, index, kind, outcome, then):
        self.names += 1
        label = self.names

        def callback(result, tag):
            self.note(label, tag, self.say(result))
            for step in then:
                self.do(step)
            match outcome:
                case ("value", value):
                    return value
                case ("raise",):
                    raise ValueError(label)
                case ("failure",):
                    return self.Failure(KeyError(label))
                case ("deferred", other) if other > index:  # in one direction only: never in a circle
                    return self.deferreds[other]
            return result

        deferred = self.deferreds[index]
        if kind == "cb":
            deferred.addCallback(callback, "cb")
        elif kind == "eb":
            deferred.addErrback(callback, tag="eb")
        elif kind == "both":
            deferred.addBoth(callback, "both")
        else:
            deferred.addCallbacks(callback, callback, ("cb",), None, None, {"tag": "eb"})

    def fire(self, index, value):
        self.deferreds[index].callback(value)

    def fail(self, index):
        self.deferreds[index].errback(ZeroDivisionError())

    def pause(self, index):
        if not self.deferreds[index].paused:
            self.pauses[index] += 1
            self.deferreds[index].pause()

    def unpause(self, index):
        if self.pauses[index]:
            self.pauses[index] -= 1
            self.deferreds[index].unpause()

    def cancel(self, index):
        self.deferreds[index].cancel()

    def chain(self, index, other):
        if index < other:
            self.deferreds[index].chainDeferred(self.deferreds[other])

    def generator(self, indexes, catch):
        def steps():
            got = []
            for index in indexes:
                try:
                    got.append((yield self.deferreds[index]))
                except ZeroDivisionError as error:
                    if not catch:
                        raise
                    got.append(error)
                self.note("generator", self.say(got[-1]))
            return got

        self.deferreds.append(self.defer.inlineCallbacks(steps)())

    def coroutine(self, indexes, catch):
        async def steps():
            got = []
            for index in indexes:
                try:
                    got.append(await self.deferreds[index])
                except AssertionError:
                    # Stock Twisted trips over its own bookkeeping where the callbacks of a failed one are running.
                    self.stumbled = True
                    raise
                except ZeroDivisionError as error:
                    if not catch:
                        raise
                    got.append(error)
                self.note("coroutine", self.say(got[-1]))
            return got

        self.deferreds.append(self.defer.ensureDeferred(steps()))

    def list(self, indexes, one_callback, one_errback, consume):
        members = [self.deferreds[index] for index in indexes]
        self.deferreds.append(self.defer.DeferredList(members, one_callback, one_errback, consume))

    def race(self, indexes):
        self.deferreds.append(self.defer.race([self.deferreds[index] for index in indexes]))

    def circle(self, index, other):
        self.deferreds[index].addCallback(lambda _: self.deferreds[other])

    def result(self, index, value):
        self.deferreds[index].result = value

    def nest(self, index, other):
        if index < other:  # in one direction only: else it has no repr()
            self.deferreds[index].callback(self.deferreds[other])
