"""HTTP/1.1: the laws of codecs, what is refused, whose turn it is; h11 is asked for a second opinion."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from torsion.testing.strategies import chunkings
from torsion.wire import NEED_DATA, PAUSED, LocalProtocolError, RemoteProtocolError
from torsion.wire.http1 import Connection, Data, EndOfMessage, Limits, Request, Response, Role
from wire import laws

HOST = (b"Host", b"example.org")
SMALL = Limits(line=100, head=400, fields=10, extensions=30)


def joined(events):
    """Return *events* with the parts of each body made one: how a body is cut means nothing."""
    found = []
    for event in events:
        if found and isinstance(event, Data) and isinstance(found[-1], Data):
            found.append(Data(found.pop().data + event.data))
        else:
            found.append(event)
    return found


def served(connection):
    """Return the events there are for a server that answers at once."""
    events = []
    while (event := connection.next_event()) not in (NEED_DATA, PAUSED):
        events.append(event)
        if isinstance(event, EndOfMessage):
            connection.send(Response(200, ((b"Content-Length", b"0"),)))
            connection.send(EndOfMessage())
            connection.go_on()
    return events


class Server:
    """Reads requests for the laws: one event for each, body and all."""

    def __init__(self):
        self.connection = Connection(Role.SERVER, SMALL)
        self.parts = []
        self.more = False
        self.buffered = 0

    def feed(self, data):
        self.buffered += len(data)
        self.connection.receive_data(data)
        messages = []
        try:
            while (event := self.connection.next_event()) not in (NEED_DATA, PAUSED):
                self.parts.append(event)
                if isinstance(event, EndOfMessage):
                    messages.append(tuple(joined(self.parts)))
                    self.buffered -= len(encoded(messages[-1]))
                    self.parts = []
                    self.connection.send(Response(200, ((b"Content-Length", b"0"),)))
                    self.connection.send(EndOfMessage())
                    self.connection.go_on()
        except RemoteProtocolError:
            if not messages:
                raise
            self.more = True  # to be raised by the next feed
            return messages
        self.more = False
        return messages


FRAMING = {"host", "connection", "content-length", "transfer-encoding", "upgrade", "expect"}
TOKENS = st.text("abcXYZ019!#$%&'*+.^_`|~-", min_size=1, max_size=8)
NAMES = TOKENS.filter(lambda name: name.lower() not in FRAMING)
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8)
FIELDS = st.lists(st.tuples(NAMES.map(str.encode), VALUES.map(str.encode)), max_size=3).map(tuple)
TARGETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20).map(str.encode)
METHODS = st.sampled_from([b"GET", b"HEAD", b"POST", b"M-SEARCH"])


@st.composite
def messages(draw):
    """Give a request with all that belongs to it."""
    fields = (HOST, *draw(FIELDS))
    body = draw(st.binary(max_size=30))
    trailers = ()
    if draw(st.booleans()):
        fields, trailers = (*fields, (b"Transfer-Encoding", b"chunked")), draw(FIELDS)
    elif body:
        fields = (*fields, (b"Content-Length", b"%d" % len(body)))
    data = (Data(body),) if body else ()
    return (Request(draw(METHODS), draw(TARGETS), fields), *data, EndOfMessage(trailers))


def encoded(message):
    client = Connection(Role.CLIENT)
    return b"".join(map(client.send, message))


PARTS = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.1\r\n", b"Host: h\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n", b"\r\n", b"abc", b"3\r\nabc\r\n", b"0\r\n\r\n", b"1;x=y\r\nz\r\n", b"\n", b"\r", b" ", b":", b"0",
    ]
)  # fmt: skip
NOISE = st.lists(PARTS | st.binary(max_size=5), max_size=20).map(b"".join)

TestHTTP1Laws = laws.of(laws.Subject(Server, encoded, messages(), NOISE, 800))  # a head and all that may follow it here


@given(messages(), st.data())
def test_a_client_and_a_server_agree(message, data):
    client, server = Connection(Role.CLIENT), Connection(Role.SERVER)
    events = []
    for chunk in data.draw(chunkings(b"".join(map(client.send, message)))):
        server.receive_data(chunk)
        while (event := server.next_event()) not in (NEED_DATA, PAUSED):
            events.append(event)
    assert tuple(joined(events)) == message
    body = b"" if message[0].method == b"HEAD" else b"hello"
    answer = [
        server.send(Response(200, ((b"X", b"y"),), b"OK")),
        server.send(Data(b"hello")),
        server.send(EndOfMessage()),
    ]
    events = []
    for chunk in data.draw(chunkings(b"".join(answer))):
        client.receive_data(chunk)
        while (event := client.next_event()) not in (NEED_DATA, PAUSED):
            events.append(event)
    head, *rest = joined(events)
    assert (head.status, head.reason) == (200, b"OK")
    assert rest == [*([Data(body)] if body else []), EndOfMessage()]


def h11s_opinion(h11, data):
    """Return what h11 makes of *data* as a server, or None if it refuses it."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 16)
    events = []
    try:
        connection.receive_data(data)
        while (event := connection.next_event()) is not h11.NEED_DATA and event is not h11.PAUSED:
            if isinstance(event, h11.Request):
                fields = tuple((bytes(name), bytes(value)) for name, value in event.headers.raw_items())
                events.append(Request(event.method, event.target, fields, b"HTTP/" + event.http_version))
            elif isinstance(event, h11.Data):
                events.append(Data(bytes(event.data)))
            elif isinstance(event, h11.EndOfMessage):
                events.append(EndOfMessage(tuple((bytes(n), bytes(v)) for n, v in event.headers.raw_items())))
            else:
                break
    except h11.RemoteProtocolError:
        return None
    return joined(events)


@settings(max_examples=400)
@given(NOISE | messages().map(encoded))
@example(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
def test_what_h11_refuses_is_refused_and_what_both_take_is_the_same(data):
    h11 = pytest.importorskip("h11", reason="it is in the dependency group 'test'")
    connection = Connection(Role.SERVER)
    connection.receive_data(data)
    events = []
    try:
        while (event := connection.next_event()) not in (NEED_DATA, PAUSED):
            events.append(event)
    except RemoteProtocolError:
        return  # stricter than h11 in line ends, hosts, lengths that are repeated
    theirs = h11s_opinion(h11, data)
    if theirs is None:
        # h11 takes back nothing of a message that goes wrong later; it may also refuse what is not complete yet, or
        # targets and trailers beyond ASCII, which are opaque bytes to us.
        assert any(byte > 126 for byte in data) or not events or connection.buffered
    else:
        assert joined(events) == theirs


def read(data, role=Role.SERVER):
    connection = Connection(role)
    connection.receive_data(data)
    events = []
    while (event := connection.next_event()) not in (NEED_DATA, PAUSED):
        events.append(event)
    return events


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: h\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET /" + b"a" * 20_000, 414),
        (b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"a" * 70_000, 431),
        (b"\x16\x03\x01", 400),
    ],
)
def test_a_refusal_says_with_which_status(data, status):
    connection = Connection(Role.SERVER)
    connection.receive_data(data)
    with pytest.raises(RemoteProtocolError) as refused:
        connection.next_event()
    assert refused.value.status == status
    with pytest.raises(RemoteProtocolError):
        connection.next_event()


@given(NOISE, st.integers(1, 9))
def test_what_is_kept_is_bounded(data, size):
    connection = Connection(Role.SERVER, SMALL)
    try:
        for begin in range(0, len(data), size):
            connection.receive_data(data[begin : begin + size])
            served(connection)
            assert connection.buffered <= SMALL.head
    except RemoteProtocolError:
        pass


def test_requests_wait_for_their_turn():
    server = Connection(Role.SERVER)
    one = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
    server.receive_data(one + one.replace(b"/a", b"/b"))
    assert server.next_event().target == b"/a"
    assert server.next_event() == EndOfMessage()
    assert server.next_event() is PAUSED
    assert server.buffered == len(one)
    server.send(Response(204))
    server.send(EndOfMessage())
    assert server.next_event().target == b"/b"


def test_a_connection_that_is_to_close_reads_no_further_request():
    server = Connection(Role.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert len(served(server)) == 2
    assert not server.persistent
    assert server.next_event() is NEED_DATA


def test_a_pipeline_of_requests_is_answered_in_order():
    client = Connection(Role.CLIENT)
    for method in (b"HEAD", b"GET"):
        client.send(Request(method, b"/", (HOST,)))
        client.send(EndOfMessage())
    client.receive_data(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" * 2 + b"abc")
    events = []
    while (event := client.next_event()) is not NEED_DATA:
        events.append(type(event))
    assert events == [Response, EndOfMessage, Response, Data, EndOfMessage]
    client.receive_data(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(RemoteProtocolError, match="nobody asked for"):
        client.next_event()


def test_a_body_that_lasts_until_the_end():
    client = Connection(Role.CLIENT)
    client.send(Request(b"GET", b"/", (HOST,)))
    client.send(EndOfMessage())
    client.receive_data(b"HTTP/1.0 200 OK\r\n\r\nabc")
    assert client.next_event().version == b"HTTP/1.0"
    assert client.next_event() == Data(b"abc")
    assert client.next_event() is NEED_DATA
    client.receive_eof()
    assert client.next_event() == EndOfMessage()
    assert not client.persistent


def test_an_end_in_the_middle_of_a_message():
    server = Connection(Role.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nHo")
    assert server.next_event() is NEED_DATA
    server.receive_eof()
    with pytest.raises(RemoteProtocolError, match="in the middle of a message"):
        server.next_event()


@pytest.mark.parametrize("granted", [True, False])
def test_another_protocol(granted):
    server = Connection(Role.SERVER)
    server.receive_data(
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"
    )
    server.next_event()
    assert server.next_event() == EndOfMessage()
    assert server.switching
    if granted:
        server.send(Response(101, ((b"Upgrade", b"echo"), (b"Connection", b"Upgrade"))))
        assert server.take_rest().startswith(b"GET /")
    else:
        server.send(Response(204))
        server.send(EndOfMessage())
        server.go_on()
        assert isinstance(server.next_event(), Request)


def test_an_expectation():
    server = Connection(Role.SERVER)
    server.receive_data(b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    server.next_event()
    assert server.expects_continue
    assert server.send(Response(100, (), b"Continue")) == b"HTTP/1.1 100 Continue\r\n\r\n"
    server.receive_data(b"x")
    assert server.next_event() == Data(b"x")


@pytest.mark.parametrize(
    ("role", "event", "told"),
    [
        (Role.CLIENT, Request(b"GET", b"/ HTTP/1.1\r\nA: b", (HOST,)), "the target"),
        (Role.CLIENT, Request(b"GET", b"/", ((b"A", b"b\r\nC: d"),)), "the field's value"),
        (Role.CLIENT, Request(b"GET", b"/", ((b"A\n", b"b"),)), "the field's name"),
        (Role.CLIENT, Request(b"G ET", b"/", ()), "the method"),
        (Role.CLIENT, Data(b"x"), "not the turn"),
        (Role.CLIENT, Response(200), "a client sends no responses"),
        (Role.SERVER, Request(b"GET", b"/", ()), "a server sends no requests"),
        (Role.SERVER, Response(200), "no request is waiting"),
    ],
)
def test_what_may_not_be_sent(role, event, told):
    with pytest.raises(LocalProtocolError, match=told):
        Connection(role).send(event)


@pytest.mark.parametrize(("limit", "given_"), [("line", 0), ("head", -1), ("fields", 257), ("extensions", 0)])
def test_limits_that_cannot_be(limit, given_):
    with pytest.raises(ValueError, match=limit):
        Limits(**{limit: given_})
    with pytest.raises(TypeError, match=limit):
        Limits(**{limit: "x"})
