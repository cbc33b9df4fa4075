"""The PROXY protocol: the laws of codecs, the specification's rules, and what other programs send."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.wire import NEED_DATA, PAUSED, LimitExceeded, LocalProtocolError, RemoteProtocolError
from torsion.wire.haproxy import (
    MAX_BLOCK,
    MAX_LINE,
    TLV,
    Family,
    Header,
    HeaderReader,
    TLVType,
    crc32c,
    encode,
)
from wire import laws

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


class Series:
    """Reads one header after the other, for the laws."""

    def __init__(self, **rules):
        self.new = lambda: HeaderReader(**rules)
        self.reader = self.new()
        self.pending = b""
        self.more = False

    @property
    def buffered(self):
        return self.reader.buffered + len(self.pending)

    def feed(self, data):
        headers = []
        data, start = self.pending + data, 0
        try:
            while True:
                while (event := self.reader.next_event()) is not NEED_DATA:
                    headers.append(event)
                    start -= len(self.reader.take_rest())
                    self.reader = self.new()
                if start == len(data):
                    self.more = False
                    break
                self.reader.receive_data(data[start : start + 300])
                start = min(start + 300, len(data))
        except RemoteProtocolError:
            if not headers:
                raise
            self.more = True  # to be raised by the next feed
        self.pending = data[start:]
        return headers


def inet():
    return st.tuples(st.ip_addresses(v=4).map(str), st.integers(0, 65535))


def text6(address):
    return str(address) if address.ipv4_mapped is None else f"::ffff:{address.ipv4_mapped}"


def inet6():
    return st.tuples(st.ip_addresses(v=6).map(text6), st.integers(0, 65535))


PATHS = st.binary(max_size=108).map(lambda path: path.replace(b"\0", b"/")) | st.binary(max_size=100).map(
    lambda name: b"\0" + name.rstrip(b"\0") + b"x"
)
TLVS = st.lists(
    st.builds(TLV, st.integers(0, 255).filter(lambda number: number != TLVType.CRC32C), st.binary(max_size=20)),
    max_size=3,
).map(tuple)


def with_addresses(family, places, **more):
    return st.builds(Header, st.just(family), places, places, **more)


ONES = st.one_of(
    st.just(Header(version=1)),
    with_addresses(Family.INET, inet(), version=st.just(1)),
    with_addresses(Family.INET6, inet6(), version=st.just(1)),
)
MORE = {"tlvs": TLVS, "checksum": st.booleans()}
TWOS = st.one_of(
    st.builds(Header, local=st.booleans(), **MORE),
    with_addresses(Family.INET, inet(), datagram=st.booleans(), **MORE),
    with_addresses(Family.INET6, inet6(), datagram=st.booleans(), **MORE),
    with_addresses(Family.UNIX, PATHS, datagram=st.booleans(), **MORE),
)
WORDS = st.sampled_from(
    [b"PROXY ", b"TCP4 ", b"TCP6 ", b"UNKNOWN", b"1.2.3.4 ", b"::1 ", b"80 ", b"080", b"\r\n", b" "]
)
PARTS = st.sampled_from(
    [SIGNATURE, b"\x21", b"\x20", b"\x11", b"\x31", b"\0\x0c", b"\0\0", b"\0\xd8", bytes(12), b"\xff"]
)

TestVersion1 = laws.of(
    laws.Subject(
        new=lambda: Series(versions=(1,)),
        encode=encode,
        events=ONES,
        noise=st.lists(WORDS, max_size=12).map(b"".join),
        longest=MAX_LINE,
    )
)
TestBoth = laws.of(
    laws.Subject(
        new=lambda: Series(max_block=400),
        encode=encode,
        events=ONES | TWOS,
        noise=st.lists(WORDS | PARTS, max_size=12).map(b"".join),
        longest=16 + 400,
    )
)


def read(data, **rules):
    """Return the header at the beginning of *data*, and what follows."""
    reader = HeaderReader(**rules)
    reader.receive_data(data)
    event = reader.next_event()
    return event, reader.take_rest()


@given(ONES | TWOS, st.binary())
def test_what_follows_is_left(header, rest):
    reader = HeaderReader()
    reader.receive_data(reader.send(header) + rest)
    found = reader.next_event()
    assert found == header
    assert found.raw == encode(header)
    assert reader.next_event() is PAUSED
    reader.receive_data(b"more")
    assert reader.next_event() is PAUSED
    assert reader.take_rest() == rest + b"more"
    assert reader.buffered == 0
    assert reader.data_to_send() == b""


class TestLines:
    def test_ipv4(self):
        header, rest = read(b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET / HTTP/1.0\r\n")
        assert header == Header(Family.INET, ("192.0.2.1", 56324), ("198.51.100.2", 443), version=1)
        assert rest == b"GET / HTTP/1.0\r\n"

    def test_ipv6_becomes_its_short_form(self):
        header, _ = read(b"PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::FFFF:192.0.2.1 0 65535\r\n")
        assert header == Header(Family.INET6, ("2001:db8::1", 0), ("::ffff:192.0.2.1", 65535), version=1)

    def test_the_longest(self):
        full = "ffff:" * 7 + "ffff"
        line = f"PROXY UNKNOWN {full} {full} 65535 65535\r\n".encode()
        assert len(line) == MAX_LINE
        assert read(line)[0] == Header(version=1)

    @pytest.mark.parametrize("line", [b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN what ever 9\r\n"])
    def test_unknown(self, line):
        assert read(line)[0] == Header(version=1)

    @pytest.mark.parametrize("chunk", [b"PROXY UNKNOWN " + b"x" * 94, b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n"])
    def test_too_long(self, chunk):
        with pytest.raises(LimitExceeded, match="PROXY header of at least 108 bytes, and 107"):
            read(chunk)

    @pytest.mark.parametrize(
        ("line", "complaint"),
        [
            (b"GET / HTTP/1.0\r\n", "no PROXY header of version 1 or 2: b'GET / HTTP/1.0"),
            (b"PROXIES", "no PROXY header"),
            (b"proxy TCP4", "no PROXY header"),
            (b"PROXY\r\n", "no PROXY header"),
            (b"PROXY \r\n", "protocol ''"),
            (b"PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n", "protocol 'TCP5'; there are"),
            (b"PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "protocol ''"),
            (b"PROXY TCP4\r\n", "0 of 4 parts"),
            (b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "3 of 4 parts"),
            (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n", "5 of 4 parts"),
            (b"PROXY TCP4 1.2.3.4\t1.2.3.4 1 1 1\r\n", "bad address '1.2.3.4\\t1.2.3.4'"),
            (b"PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n", "bad address '1.2.3'"),
            (b"PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n", "bad address '01.2.3.4'"),
            (b"PROXY TCP4 ::1 ::1 1 1\r\n", "bad address '::1'"),
            (b"PROXY TCP6 1.2.3.4 ::1 1 1\r\n", "bad address '1.2.3.4'"),
            (b"PROXY TCP6 fe80::1%1 ::1 1 1\r\n", "bad address 'fe80::1%1'"),
            (b"PROXY TCP6 \xff ::1 1 1\r\n", "bad address"),
            (b"PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n", "bad port '65536'"),
            (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 080\r\n", "bad port '080'"),
            (b"PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n", "bad port '-1'"),
            (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n", "bad port ''"),
            (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 \xb2\r\n", "bad port"),
        ],
    )
    def test_bad(self, line, complaint):
        with pytest.raises(RemoteProtocolError) as caught:
            read(line)
        assert complaint in str(caught.value)


def block(kind, payload, command=0x21, length=None):
    return SIGNATURE + bytes((command, kind)) + struct.pack("!H", len(payload) if length is None else length) + payload


FOUR = IPv4Address("192.0.2.1").packed + IPv4Address("198.51.100.2").packed + struct.pack("!HH", 56324, 443)
SIX = IPv6Address("2001:db8::1").packed + IPv6Address("::ffff:192.0.2.1").packed + struct.pack("!HH", 0, 65535)


class TestBlocks:
    @pytest.mark.parametrize("datagram", [False, True])
    def test_ipv4(self, datagram):
        header, rest = read(block(0x12 if datagram else 0x11, FOUR) + b"rest")
        assert header == Header(Family.INET, ("192.0.2.1", 56324), ("198.51.100.2", 443), datagram=datagram)
        assert rest == b"rest"

    def test_ipv6(self):
        assert read(block(0x21, SIX))[0] == Header(Family.INET6, ("2001:db8::1", 0), ("::ffff:192.0.2.1", 65535))

    def test_unix(self):
        paths = b"/run/a".ljust(108, b"\0") + (b"\0abstract\0name").ljust(108, b"\0")
        assert read(block(0x31, paths))[0] == Header(Family.UNIX, b"/run/a", b"\0abstract\0name")

    def test_unix_without_names(self):
        header, _ = read(block(0x31, bytes(216)))
        assert header == Header(Family.UNIX, b"", b"")
        assert read(encode(header))[0] == header

    @pytest.mark.parametrize("kind", [0x00, 0x01, 0x10, 0x11, 0x31, 0x57])
    def test_a_connection_of_the_proxys_own(self, kind):
        assert read(block(kind, FOUR, command=0x20)) == (Header(local=True), b"")

    @pytest.mark.parametrize("kind", [0x00, 0x01, 0x02, 0x10, 0x20, 0x30])
    def test_addresses_of_no_known_kind_are_passed_over(self, kind):
        assert read(block(kind, FOUR) + b"rest") == (Header(), b"rest")

    def test_tlvs(self):
        tlvs = b"\x02\0\x0chost.example" + b"\x04\0\0" + b"\xe0\0\1x" + b"\xe0\0\1y"
        header, _ = read(block(0x11, FOUR + tlvs))
        assert header.tlvs == (TLV(2, b"host.example"), TLV(4, b""), TLV(0xE0, b"x"), TLV(0xE0, b"y"))
        assert header.tlv(TLVType.AUTHORITY) == b"host.example"
        assert header.tlv(0xE0) == b"x"
        assert header.tlv(TLVType.ALPN) is None

    def test_tlvs_without_addresses(self):
        assert read(block(0x00, b"\x05\0\2id"))[0] == Header(tlvs=(TLV(TLVType.UNIQUE_ID, b"id"),))

    def test_the_checksum_of_the_textbook(self):
        assert crc32c(b"123456789") == 0xE3069283

    def test_a_right_checksum(self):
        header = Header(Family.INET, ("192.0.2.1", 1), ("192.0.2.2", 2), tlvs=(TLV(5, b"id"),), checksum=True)
        data = encode(header)
        plain = data[:31] + bytes(4) + data[35:]
        assert data[28:31] == b"\x03\0\4"
        assert data[31:35] == crc32c(plain).to_bytes(4)
        assert read(data)[0].checksum

    @pytest.mark.parametrize("place", [17, 27, 33, 36, 40])
    def test_a_wrong_checksum(self, place):
        header = Header(Family.INET, ("192.0.2.1", 1), ("192.0.2.2", 2), tlvs=(TLV(5, b"idid"),), checksum=True)
        data = bytearray(encode(header))
        data[place] ^= 1
        with pytest.raises(RemoteProtocolError, match=r"checksum|do not make"):
            read(bytes(data))

    @pytest.mark.parametrize("tlvs", [b"\x03\0\0", b"\x03\0\5abcde"])
    def test_a_checksum_of_another_size(self, tlvs):
        with pytest.raises(RemoteProtocolError, match="checksum"):
            read(block(0x11, FOUR + tlvs))

    @pytest.mark.parametrize(
        ("data", "complaint"),
        [
            (SIGNATURE[:11] + b"x", "no PROXY header"),
            (b"\r\n\r\n\r\n", "no PROXY header"),
            (block(0x11, FOUR, command=0x11), "version 1 with command 1"),
            (block(0x11, FOUR, command=0x22), "version 2 with command 2"),
            (block(0x41, FOUR), "unknown family 4"),
            (block(0x13, FOUR), "unknown family 1 or transport 3"),
            (block(0x11, FOUR[:11]), "whose 11 bytes"),
            (block(0x11, b""), "whose 0 bytes"),
            (block(0x21, FOUR), "whose 12 bytes"),
            (block(0x31, bytes(215)), "whose 215 bytes"),
            (block(0x11, FOUR + b"\x01"), "whose 13 bytes"),
            (block(0x11, FOUR + b"\x01\0"), "whose 14 bytes"),
            (block(0x11, FOUR + b"\x01\0\2x"), "whose 16 bytes"),
        ],
    )
    def test_bad(self, data, complaint):
        with pytest.raises(RemoteProtocolError) as caught:
            read(data)
        assert complaint in str(caught.value)

    def test_too_long(self):
        with pytest.raises(LimitExceeded) as caught:
            read(SIGNATURE + b"\x21\x11\xff\xff")  # as soon as it is announced
        assert (caught.value.size, caught.value.limit) == (16 + 65535, 16 + MAX_BLOCK)

    def test_a_limit_of_ones_own(self):
        assert read(block(0x11, FOUR), max_block=12)[0].family is Family.INET
        with pytest.raises(LimitExceeded):
            read(block(0x11, FOUR + b"\4\0\0"), max_block=12)


class TestReader:
    @pytest.mark.parametrize("kind", [bytearray, memoryview])
    def test_other_buffers(self, kind):
        reader = HeaderReader()
        memory = bytearray(b"PROXY UNKNOWN\r\nrest")
        reader.receive_data(kind(memory))
        memory[:] = bytes(len(memory))
        assert reader.next_event() == Header(version=1)
        assert reader.take_rest() == b"rest"

    @pytest.mark.parametrize(
        ("versions", "data", "which"),
        [((1,), SIGNATURE, "version 1:"), ((2,), b"PROXY UNKNOWN\r\n", "version 2:")],
    )
    def test_one_version_only(self, versions, data, which):
        with pytest.raises(RemoteProtocolError, match=which):
            read(data, versions=versions)

    def test_it_stays_closed(self):
        reader = HeaderReader()
        reader.receive_data(b"GET")
        for _ in range(2):
            with pytest.raises(RemoteProtocolError):
                reader.next_event()
            reader.receive_data(b"PROXY UNKNOWN\r\n")

    def test_the_end(self):
        reader = HeaderReader()
        reader.receive_eof()
        assert reader.next_event() is NEED_DATA  # a port scan, say: it said nothing wrong
        reader.receive_data(b"PROXY TC")
        with pytest.raises(RemoteProtocolError, match="ended within"):
            reader.next_event()

    def test_the_end_after_the_header(self):
        reader = HeaderReader()
        reader.receive_data(b"PROXY UNKNOWN\r\n")
        reader.receive_eof()
        assert reader.next_event() == Header(version=1)
        assert reader.next_event() is PAUSED


A, B = ("192.0.2.1", 1), ("192.0.2.2", 2)


class TestSending:
    def test_lines(self):
        assert encode(Header(version=1)) == b"PROXY UNKNOWN\r\n"
        assert encode(Header(Family.INET, A, B, version=1)) == b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
        header = Header(Family.INET6, ("2001:DB8::0:1", 1), ("::ffff:1.2.3.4", 2), version=1)
        assert encode(header) == b"PROXY TCP6 2001:db8::1 ::ffff:1.2.3.4 1 2\r\n"

    def test_blocks(self):
        assert encode(Header(local=True)) == SIGNATURE + b"\x20\0\0\0"
        assert encode(Header(Family.INET, ("192.0.2.1", 56324), ("198.51.100.2", 443))) == block(0x11, FOUR)

    @pytest.mark.parametrize(
        "header",
        [
            Header(version=3),
            Header(version=1, local=True),
            Header(Family.INET, A, B, version=1, datagram=True),
            Header(version=1, tlvs=(TLV(1, b""),)),
            Header(version=1, checksum=True),
            Header(Family.UNIX, b"/a", b"/b", version=1),
            Header(version=1, source=A),
            Header(source=A, destination=B),
            Header(datagram=True),
            Header(Family.INET),
            Header(Family.INET, A),
            Header(Family.INET, A, B, local=True),
            Header(Family.INET, A, b"/b"),
            Header(Family.INET, A, ("::1", 1)),
            Header(Family.INET, A, ("host.example", 1)),
            Header(Family.INET, A, ("1.2.3.4", 65536)),
            Header(Family.INET, A, ("1.2.3.4", "1")),
            Header(Family.INET6, ("::1", 1), ("fe80::1%1", 1)),
            Header(Family.UNIX, b"/a", A),
            Header(Family.UNIX, b"/a", b"x" * 109),
            Header(Family.UNIX, b"/a", b"a\0b"),
            Header(Family.UNIX, b"/a", b"\0b\0"),
            Header(tlvs=(TLV(256, b""),)),
            Header(tlvs=(TLV(-1, b""),)),
            Header(tlvs=(TLV(TLVType.CRC32C, b"1234"),)),
            Header(tlvs=(TLV(1, bytes(70_000)),)),
            Header(tlvs=(TLV(1, bytes(MAX_BLOCK - 2)),)),
        ],
    )
    def test_what_cannot_be_sent(self, header):
        with pytest.raises(LocalProtocolError):
            encode(header)

    def test_the_most_that_can_be_sent_is_the_most_that_is_read(self):
        header = Header(tlvs=(TLV(1, bytes(MAX_BLOCK - 3)),))
        assert read(encode(header)) == (header, b"")
