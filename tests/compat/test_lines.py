"""Receivers of lines and strings do what Twisted's do, whatever their hooks are up to: the same calls, in the same order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("twisted.internet")
pytestmark = pytest.mark.interop

import twisted.protocols.basic

import torsion.protocols.basic

BOTH = [torsion.protocols.basic, twisted.protocols.basic]


class Transport:
    """Writes down what is asked of it."""

    disconnecting = False

    def __init__(self, trace):
        self.trace = trace

    def write(self, data):
        self.trace.append(("write", data))

    def writeSequence(self, pieces):
        self.write(b"".join(pieces))

    def loseConnection(self):
        self.trace.append("loseConnection")
        self.disconnecting = True

    def pauseProducing(self):
        self.trace.append("pauseProducing")

    def resumeProducing(self):
        self.trace.append("resumeProducing")

    def stopProducing(self):
        self.trace.append("stopProducing")


class Oops(Exception):
    """What a hook raises."""


def act(protocol, action):
    """Do one thing to *protocol*; return what a hook is to return."""
    what, *rest = action
    if what == "raise":
        raise Oops
    if what == "return":
        return rest[0]
    if what == "set":
        setattr(protocol, *rest)
    elif what == "lose":
        protocol.transport.loseConnection()
    else:
        protocol.trace.append((what, getattr(protocol, what)(*rest)))
    return None


def play(base, settings, hooks, steps):
    """Return what happens to a receiver made from *base*.

    :param hooks: what the hooks do: the first list of actions in the first one called, and so on.
    :param steps: data to be fed, and actions in between.
    """
    script = iter(hooks)

    class Player(base):
        def play(self, hook, data, allowed=lambda action: True):
            self.trace.append((hook, data))
            for action in next(script, ()):
                if allowed(action) and (why := act(self, action)):
                    return why
            return None

        def lineReceived(self, line):
            return self.play("line", line)

        def rawDataReceived(self, data):
            return self.play("raw", data)

        def stringReceived(self, string):
            return self.play("string", string)

        def lineLengthExceeded(self, line):
            # What is fed from here is delivered at once; Twisted waits with it until more data comes in.
            return self.play("exceeded", line, lambda action: action[0] not in ("setLineMode", "dataReceived"))

        def lengthLimitExceeded(self, length):
            self.play("exceeded", length, lambda action: action[0] == "lose")

    player = Player()
    player.trace = []
    player.makeConnection(Transport(player.trace))
    for name, value in settings.items():
        setattr(player, name, value)
    for step in steps:
        try:
            player.trace.append(player.dataReceived(step) if isinstance(step, bytes) else act(player, step))
        except Oops:
            player.trace.append("raised")
    return player.trace


def same(name, settings, hooks, steps, until=None):
    """Fail unless both receivers called *name* do the same, up to the first call of the hook *until*."""
    ours, theirs = (play(getattr(module, name), settings, hooks, steps) for module in BOTH)
    for trace in (ours, theirs):
        end = next((place for place, entry in enumerate(trace) if isinstance(entry, tuple) and entry[0] == until), None)
        del trace[len(trace) if end is None else end + 1 :]
    assert ours == theirs


def bits(*parts, most=12):
    return st.lists(st.sampled_from(parts), max_size=most).map(b"".join)


delimiters = st.sampled_from([b"\n", b"\r\n", b";", b"aa"])
limits = st.integers(0, 9)
text = bits(b"a", b"b", b"\n", b"\r\n", b"\r", b";", b"aaaaaa")

pausing = [
    st.just(("pauseProducing",)),
    st.just(("resumeProducing",)),
    st.just(("stopProducing",)),
]
changes = [
    *pausing,
    st.just(("setRawMode",)),
    st.tuples(st.just("setLineMode"), text),
    st.just(("clearLineBuffer",)),
    st.tuples(st.just("set"), st.just("delimiter"), delimiters),
    st.tuples(st.just("set"), st.just("MAX_LENGTH"), limits),
    st.tuples(st.just("set"), st.just("line_mode"), st.integers(0, 1)),
    st.tuples(st.just("set"), st.just("paused"), st.booleans()),
    st.just(("lose",)),
    st.tuples(st.just("sendLine"), text),
    st.tuples(st.just("dataReceived"), text),
]
ends = [st.just(("raise",)), st.tuples(st.just("return"), st.sampled_from(["why", None, 0]))]


def scripts(*actions):
    """Give lists of what the hooks do; most do nothing."""
    return st.lists(st.lists(st.one_of(*actions), max_size=2), max_size=10)


@given(
    st.fixed_dictionaries({"delimiter": delimiters, "MAX_LENGTH": limits | st.just(100)}),
    scripts(*changes, *ends),
    st.lists(text | st.one_of(*changes), max_size=10),
)
def test_line_receivers(settings, hooks, steps):
    same("LineReceiver", settings, hooks, steps)


@given(
    st.integers(1, 400), st.lists(st.sampled_from([b"", b"a", b"bb" * 20, b"\n", b"c" * 70, b"d" * 700]), max_size=8)
)
def test_line_receivers_of_much_data(times, parts):
    # Enough of it that it is not cut all at once, in the middle of which modes change.
    data = b"\n".join(parts) * times
    hooks = [[action] for action in [("setRawMode",), ("setLineMode", data[:99]), ("pauseProducing",)]]
    steps = [data, ("resumeProducing",), data, ("setLineMode", b"x\n"), ("clearLineBuffer",)]
    same("LineReceiver", {"delimiter": b"\n", "MAX_LENGTH": 500}, hooks, steps)


@given(
    st.fixed_dictionaries({"delimiter": st.sampled_from([b"\n", b"\r\n", b";"]), "MAX_LENGTH": limits | st.just(1000)}),
    scripts(st.just(("lose",)), st.tuples(st.just("sendLine"), text)),
    st.lists(text, max_size=10),
)
def test_line_only_receivers(settings, hooks, steps):
    # Twisted allows an unfinished line no part of the delimiter, calls the hook again and again for a line that was too
    # long already, and drops the lines that came in with it.
    if settings["MAX_LENGTH"] < 100:
        steps = [step + settings["delimiter"] for step in steps]
    same("LineOnlyReceiver", settings, hooks, steps, until="exceeded")


strings = bits(b"\0", b"\1", b"\2", b"\3", b"a", b"b", b"\0\1", b"\0\0\0\2")


@given(
    st.sampled_from(["Int8StringReceiver", "Int16StringReceiver", "Int32StringReceiver"]),
    scripts(
        st.just(("pauseProducing",)),
        st.just(("stopProducing",)),
        st.just(("lose",)),
        st.tuples(st.just("sendString"), strings),
        st.tuples(st.just("set"), st.just("recvd"), strings),
        st.tuples(st.just("return"), st.just("why")),
    ),
    st.lists(strings | st.one_of(*pausing), max_size=10),
)
def test_prefixed_receivers(name, hooks, steps):
    same(name, {}, hooks, steps, until="exceeded")


@given(st.lists(strings, max_size=10), limits)
def test_prefixed_receivers_with_a_limit(steps, limit):
    # When more comes in after a string that is too long, Twisted delivers those before it again.
    same("Int8StringReceiver", {"MAX_LENGTH": limit}, [], steps, until="exceeded")


numbers = bits(b"0", b"1", b"2", b"9", b":", b",", b"a", b"0:,", b"1:a,", b"2:,,,")


@given(
    st.sampled_from([1, 5, 9, 10, 99_999]),
    scripts(st.just(("lose",)), st.tuples(st.just("sendString"), numbers), st.just(("raise",))),
    st.lists(numbers, max_size=10),
)
def test_netstring_receivers(limit, hooks, steps):
    traces = []
    for module in BOTH:
        trace = play(module.NetstringReceiver, {"MAX_LENGTH": limit}, hooks, steps)
        # Twisted closes the connection again for each piece of data that comes after the wrong one.
        traces.append([entry for entry in trace if entry not in (None, "loseConnection")])
        traces.append("loseConnection" in trace)
    assert traces[:2] == traces[2:]
