"""The laws themselves: they hold for what is right, and what is wrong breaks the right one."""

from __future__ import annotations

import re
from collections import deque
from io import BytesIO

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from torsion.internet.protocol import Protocol
from torsion.protocols.basic import Int16StringReceiver, LineReceiver
from torsion.testing.laws import agreement_laws, codec_laws, drive, protocol_laws, retained_bytes
from torsion.testing.strategies import addresses, chunkings, conversations, cuts, joined

QUICK = settings(deadline=None, max_examples=30)
UNSHRUNK = settings(deadline=None, database=None, derandomize=True, phases=[Phase.generate])
"""For what is known to fail: that it is made smaller is hypothesis's work, and takes time."""

# --- codecs ----------------------------------------------------------------------------------------------------------


class Pascal:
    """Reads strings with a byte in front that says how long they are, up to a hundred."""

    more = False

    def __init__(self) -> None:
        self.rest = b""
        self.failed = False

    @property
    def buffered(self) -> int:
        return len(self.rest)

    def feed(self, data: bytes) -> list[bytes]:
        self.rest += data
        strings = []
        while self.rest and not self.failed:
            size = self.rest[0]
            if size > 100:
                self.failed = True
            elif len(self.rest) <= size:
                break
            else:
                strings.append(self.rest[1 : size + 1])
                self.rest = self.rest[size + 1 :]
        if self.failed and not strings:
            raise ValueError("too long")
        self.more = self.failed
        return strings


class Forgetful(Pascal):
    """Recovers from its errors."""

    def feed(self, data: bytes) -> list[bytes]:
        try:
            return super().feed(data)
        except ValueError:
            self.failed = False
            self.rest = b""
            raise


class Hoarding(Pascal):
    """Keeps everything, and does not say so."""

    def __init__(self) -> None:
        super().__init__()
        self.fed = 0

    def feed(self, data: bytes) -> list[bytes]:
        self.fed += len(data)
        return super().feed(data)

    @property
    def buffered(self) -> int:
        return self.fed


class Raising(Pascal):
    """Raises something else."""

    def feed(self, data: bytes) -> list[bytes]:
        return super().feed(data) if len(data) < 4 else {}["x"]


def laws_of(codec: type, how: settings = QUICK) -> type:
    return codec_laws(
        codec, lambda each: bytes([len(each)]) + each, st.binary(max_size=100), ValueError, longest=100, how=how
    )


TestPascal = laws_of(Pascal)


@pytest.mark.parametrize(
    ("codec", "law", "error"),
    [
        (Forgetful, "test_any_bytes_mean_events_or_the_error", AssertionError),
        (Hoarding, "test_what_is_held_is_bounded", AssertionError),
        (Raising, "test_any_bytes_mean_events_or_the_error", KeyError),
    ],
)
def test_a_codec_that_is_wrong_breaks_a_law(codec, law, error):
    with pytest.raises(error):
        getattr(laws_of(codec, UNSHRUNK)(), law)()


# --- protocols -------------------------------------------------------------------------------------------------------


class Echoes(LineReceiver):
    def lineReceived(self, line: bytes) -> None:
        self.sendLine(line)


class Raises(Protocol):
    def dataReceived(self, data: bytes) -> None:
        if b"!" in data:
            raise KeyError("!")


TestEchoes = protocol_laws(Echoes, st.lists(st.sampled_from([b"a", b"\r\n", b"\r", b"\n"])).map(b"".join), how=QUICK)
TestRaises = protocol_laws(Raises, st.binary(), errors=KeyError, limit=1000, how=QUICK)


def test_what_is_raised_that_was_not_announced_breaks_a_law():
    laws = protocol_laws(Raises, st.sampled_from([b"", b"!"]), how=UNSHRUNK)()
    with pytest.raises(KeyError):
        laws.test_nothing_else_is_raised()


def test_a_protocol_is_driven_as_a_transport_would():
    class Closes(Protocol):
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data)
            self.transport.loseConnection()

    outcome = drive(Closes, [b"one", b"two"], observe=lambda protocol: protocol.connected)
    assert (outcome.written, outcome.closed, outcome.error, outcome.observed) == (b"one", True, None, 1)

    class Pauses(Closes):
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data)
            self.transport.pauseProducing()

    assert drive(Pauses, [b"one", b"two"]).written == b"one"
    assert drive(Raises, [b"a", b"!"], errors=KeyError).error is KeyError


def test_what_is_retained_is_counted_once_and_wherever_it_is():
    class Thing:
        pass

    thing = Thing()
    data = bytes(1000)
    assert retained_bytes(thing) < 100
    thing.a = [data, {"x": (data,)}]
    assert 1000 <= retained_bytes(thing) < 1100
    thing.b = deque([bytearray(500), memoryview(bytes(200)), BytesIO(b"x" * 300)])
    assert 2000 <= retained_bytes(thing) < 2300
    assert retained_bytes(thing, [thing.a]) < 1300
    thing.me = thing
    assert retained_bytes(thing) < 2300


class Keeps(Protocol):
    def __init__(self) -> None:
        self.kept = b""

    def dataReceived(self, data: bytes) -> None:
        self.kept += data


def test_what_keeps_too_much_is_told_what_it_was_sent():
    laws = protocol_laws(Keeps, st.just(b"ab"), limit=100, how=UNSHRUNK)()
    with pytest.raises(AssertionError) as caught:
        laws.test_what_is_kept_is_bounded()
    told = str(caught.value)
    kept, limit, last, sent = map(int, re.findall(r"\d+", told.partition("bytes:")[0]))
    assert kept == sent > limit + last
    assert limit == 100
    assert re.search(r"bytes: b'.*' and then b'.+' again and again", told), told


# --- what laws are made of -------------------------------------------------------------------------------------------

ANY = st.binary()


def make_codec_laws(**given: object) -> type:
    right = {"new": Pascal, "encode": bytes, "events": ANY, "error": ValueError, "longest": 100}
    return codec_laws(**(right | given))  # type: ignore[arg-type]  # what is given may be wrong


def make_agreement_laws(**given: object) -> type:
    right = {"server": Hears, "client": Hears, "messages": ANY, "say": print, "heard": list}
    return agreement_laws(**(right | given))  # type: ignore[arg-type]  # what is given may be wrong


def make_protocol_laws(**given: object) -> type:
    return protocol_laws(**({"new": Echoes, "inputs": ANY} | given))  # type: ignore[arg-type]  # what is given may be wrong


@pytest.mark.parametrize(
    ("make", "argument", "given", "told"),
    [
        (make_protocol_laws, "new", b"abc", "new must be callable, not b'abc'"),
        (make_protocol_laws, "inputs", b"abc", "inputs must be a hypothesis strategy of bytes, not b'abc'"),
        (make_protocol_laws, "observe", 3, "observe must be callable, not 3"),
        (make_protocol_laws, "errors", "x", "errors must be a class of errors, or a tuple of such, not 'x'"),
        (make_protocol_laws, "errors", (KeyError, 3), r"errors must be .*KeyError.*, 3\)"),
        (make_protocol_laws, "limit", "x", "limit must be a number of bytes, not 'x'"),
        (make_protocol_laws, "limit", 0, "limit must be a number of bytes, 1 or more, not 0"),
        (make_protocol_laws, "how", 100, "how must be hypothesis.settings"),
        (make_codec_laws, "new", None, "new must be callable, not None"),
        (make_codec_laws, "encode", b"", "encode must be callable, not b''"),
        (make_codec_laws, "events", [b"x"], "events must be a hypothesis strategy of events, not"),
        (make_codec_laws, "error", ValueError(), "error must be a class of errors"),
        (make_codec_laws, "longest", None, "longest must be a number of bytes, not None"),
        (make_codec_laws, "noise", b"x", "noise must be a hypothesis strategy of bytes, not b'x'"),
        (make_agreement_laws, "server", 3, "server must be callable, not 3"),
        (make_agreement_laws, "heard", [], "heard must be callable, not"),
        (make_agreement_laws, "messages", [], "messages must be a hypothesis strategy of messages, not"),
        (make_agreement_laws, "answers", 3, "answers must be a hypothesis strategy of messages, not 3"),
    ],
)
def test_what_no_law_can_be_made_of_is_refused_at_once(make, argument, given, told):
    with pytest.raises(ValueError if given == 0 else TypeError, match=told):
        make(**{argument: given})


def test_inputs_that_are_not_bytes_are_named():
    laws = protocol_laws(Echoes, st.just("text"), how=UNSHRUNK)()
    with pytest.raises(TypeError, match=r"inputs must be a hypothesis strategy of bytes: just\('text'\) gives 'text'"):
        laws.test_one_byte_at_a_time()


# --- two ends --------------------------------------------------------------------------------------------------------


class Hears(Int16StringReceiver):
    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def stringReceived(self, string: bytes) -> None:
        self.heard.append(string)


class HearsHalf(Hears):
    """Takes what comes together for one message."""

    def dataReceived(self, data: bytes) -> None:
        self.heard.append(data[2:])


def agreement(server: type, client: type, how: settings = QUICK) -> type:
    return agreement_laws(
        server,
        client,
        messages=st.binary(max_size=20),
        say=lambda protocol, message: protocol.sendString(message),
        heard=lambda protocol: protocol.heard,
        answers=st.binary(max_size=20),
        how=how,
    )


TestHears = agreement(Hears, Hears)


def test_two_ends_that_do_not_agree():
    with pytest.raises(AssertionError, match="heard"):
        agreement(HearsHalf, Hears, UNSHRUNK)().test_what_is_said_is_heard()


# --- strategies ------------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.binary(max_size=50), st.data())
def test_chunks_are_the_whole(data, draw):
    chunks = draw.draw(chunkings(data))
    assert joined(chunks) == data == joined(draw.draw(cuts())(data))
    assert b"" not in chunks


@settings(max_examples=30)
@given(addresses(), addresses("UDP", v6=False), conversations(st.just(1), st.just(2)))
def test_addresses_and_conversations(any_address, v4, talk):
    assert any_address.type == "TCP"
    assert "." in v4.host
    assert all(message == {"one": 1, "other": 2}[who] for who, message in talk)


def test_no_addresses_are_left():
    with pytest.raises(ValueError, match="neither of IPv4 nor of IPv6"):
        addresses(v4=False, v6=False)
