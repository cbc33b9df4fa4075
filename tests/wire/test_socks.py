"""SOCKS 4 and 4a: the laws of codecs, and the rules of the memos."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from torsion.wire import NEED_DATA, PAUSED, LimitExceeded, LocalProtocolError, RemoteProtocolError
from torsion.wire.socks import (
    MAX_HOST,
    MAX_USER,
    Command,
    Reply,
    ReplyCode,
    Request,
    RequestReader,
    encode_reply,
    encode_request,
)
from wire import laws


class Series:
    """Reads one request after the other, for the laws."""

    def __init__(self):
        self.reader = RequestReader()
        self.pending = b""
        self.more = False

    @property
    def buffered(self):
        return self.reader.buffered + len(self.pending)

    def feed(self, data):
        requests = []
        data, start = self.pending + data, 0
        try:
            while True:
                while (event := self.reader.next_event()) is not NEED_DATA:
                    requests.append(event)
                    start -= len(self.reader.take_rest())
                    self.reader = RequestReader()
                if start == len(data):
                    self.more = False
                    break
                self.reader.receive_data(data[start : start + 300])
                start = min(start + 300, len(data))
        except RemoteProtocolError:
            if not requests:
                raise
            self.more = True  # to be raised by the next feed
        self.pending = data[start:]
        return requests


def no_nul(size):
    return st.binary(max_size=size).map(lambda text: text.replace(b"\0", b"."))


NUMERIC = st.ip_addresses(v=4).filter(lambda address: not 0 < int(address) < 256).map(str)
NAMES = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=MAX_HOST)
REQUESTS = st.one_of(
    st.builds(Request, st.sampled_from(Command), NUMERIC, st.integers(0, 65535), no_nul(MAX_USER)),
    st.builds(Request, st.integers(0, 255), NAMES, st.integers(0, 65535), no_nul(20), named=st.just(True)),
)
PARTS = st.sampled_from(
    [b"\4", b"\1", b"\0\x50", b"\x7f\0\0\1", b"\0\0\0\1", b"user\0", b"localhost\0", b"\5", b"x" * 200]
)

TestRequests = laws.of(
    laws.Subject(
        new=Series,
        encode=encode_request,
        events=REQUESTS,
        noise=st.lists(PARTS | st.binary(max_size=4), max_size=12).map(b"".join),
        longest=8 + MAX_USER + 1 + MAX_HOST + 1,
    )
)


def read(data):
    reader = RequestReader()
    reader.receive_data(data)
    return reader, reader.next_event()


def test_a_request_by_number():
    reader, request = read(b"\4\1\0\x17\x80\xc9\0\x47FRED\0and more")
    assert request == Request(Command.CONNECT, "128.201.0.71", 23, b"FRED")
    assert reader.next_event() is PAUSED
    assert reader.take_rest() == b"and more"
    assert reader.buffered == 0
    assert reader.data_to_send() == b""


def test_a_request_by_name():
    _, request = read(b"\4\2\0\x50\0\0\0\1\0torsion.example\0")
    assert request == Request(Command.BIND, "torsion.example", 80, b"", named=True)


@pytest.mark.parametrize("data", [b"\5\1\0", b"GET / HTTP/1.0\r\n\r\n"])
def test_another_version_is_told_at_its_first_byte(data):
    with pytest.raises(RemoteProtocolError, match=f"version {data[0]}"):
        read(data)


@pytest.mark.parametrize(
    ("head", "limit"), [(b"\4\1\0\x50\1\2\3\4", MAX_USER), (b"\4\1\0\x50\0\0\0\1\0", MAX_HOST)], ids=["user", "host"]
)
def test_texts_have_a_limit(head, limit):
    read(head + b"x" * limit)
    _, request = read(head + b"x" * limit + b"\0")
    assert isinstance(request, Request)
    with pytest.raises(LimitExceeded) as caught:
        read(head + b"x" * (limit + 1))
    assert caught.value.limit == limit


def test_a_name_is_ascii():
    with pytest.raises(RemoteProtocolError, match="no host's name"):
        read(b"\4\1\0\x50\0\0\0\1\0caf\xe9\0")


def test_an_end_in_the_midst():
    reader = RequestReader()
    reader.receive_data(b"\4\1")
    assert reader.next_event() is NEED_DATA
    reader.receive_eof()
    for _ in range(2):
        with pytest.raises(RemoteProtocolError, match="ended"):
            reader.next_event()


@pytest.mark.parametrize(
    ("reply", "data"),
    [
        (Reply(ReplyCode.GRANTED, 80, "1.2.3.4"), b"\0\x5a\0\x50\1\2\3\4"),
        (Reply(ReplyCode.REFUSED), b"\0\x5b\0\0\0\0\0\0"),
    ],
)
def test_replies(reply, data):
    assert encode_reply(reply) == RequestReader().send(reply) == data


@pytest.mark.parametrize("reply", [Reply(90, 65536), Reply(90, 1, "localhost"), Reply(90, 1, "::1"), Reply(256)])
def test_replies_that_cannot_be_given(reply):
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        encode_reply(reply)


@pytest.mark.parametrize(
    "request_",
    [
        Request(1, "localhost", 80),
        Request(1, "0.0.0.1", 80),
        Request(1, "1.2.3.4", -1),
        Request(1, "1.2.3.4", 80, b"a\0b"),
        Request(1, "1.2.3.4", 80, b"x" * (MAX_USER + 1)),
        Request(1, "x" * (MAX_HOST + 1), 80, named=True),
        Request(1, "a\0b", 80, named=True),
        Request(1, "café", 80, named=True),
    ],
)
def test_requests_that_cannot_be_made(request_):
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        encode_request(request_)
