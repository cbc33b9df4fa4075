"""The cases of Autobahn's groups 12 and 13, of our own making: permessage-deflate, with zlib at the other end.

Each end is asked by what may be offered and answered (RFC 7692, 7.1), and then talked to in messages of many sizes.
"""

from __future__ import annotations

import json
import random
import zlib
from typing import Any

import pytest

pytest.importorskip("wsproto")
from torsion.web.websocket import Settings
from torsion.web.websocket.deflate import NAME, accept, offer, settle
from unit.web.websocket.ends import DATA, PING, PONG, TEXT, End, Frame

SIZES = [0, 1, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072]
OFFERS = [
    "",
    "; server_no_context_takeover",
    "; client_no_context_takeover",
    "; server_no_context_takeover; client_no_context_takeover",
    "; server_max_window_bits=9",
    "; server_max_window_bits=15",
    "; client_max_window_bits",
    "; client_max_window_bits=9",
    "; client_max_window_bits=15",
    "; server_max_window_bits=9; client_max_window_bits=10",
    "; server_no_context_takeover; server_max_window_bits=9",
    "; server_no_context_takeover; server_max_window_bits=15; client_max_window_bits",
    "; client_no_context_takeover; client_max_window_bits; server_max_window_bits=12",
]
ANSWERS = [
    "",
    "; server_no_context_takeover",
    "; client_no_context_takeover",
    "; client_no_context_takeover; server_no_context_takeover",
    "; server_max_window_bits=9",
    "; server_max_window_bits=15",
    "; client_max_window_bits=9",
    "; client_max_window_bits=12",
    "; client_max_window_bits=10; server_max_window_bits=9; client_no_context_takeover",
]


def parameters(header: str) -> dict[str, str]:
    name, *parts = (part.strip() for part in header.split(";"))
    assert name == NAME
    return {key: value for key, _, value in (part.partition("=") for part in parts)}


class Peer:
    """zlib, as one end has agreed to use it."""

    def __init__(self, end: End, agreed: dict[str, str]) -> None:
        self.end = end
        mine, theirs = ("server", "client") if end.client else ("client", "server")
        self._mine = int(agreed.get(f"{mine}_max_window_bits") or 15)
        self._theirs = int(agreed.get(f"{theirs}_max_window_bits") or 15)
        self._forgets = f"{mine}_no_context_takeover" in agreed
        self._they_forget = f"{theirs}_no_context_takeover" in agreed
        self._deflate: Any = None
        self._inflate: Any = None

    def pack(self, data: bytes) -> bytes:
        if self._deflate is None or self._forgets:
            self._deflate = zlib.compressobj(wbits=-self._mine)
        packed: bytes = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        assert packed.endswith(b"\0\0\xff\xff")
        return packed[:-4]

    def unpack(self, data: bytes) -> bytes:
        if self._inflate is None or self._they_forget:
            self._inflate = zlib.decompressobj(wbits=-self._theirs)
        unpacked: bytes = self._inflate.decompress(data + b"\0\0\xff\xff")
        return unpacked

    def echo(self, opcode: int, data: bytes, parts: int = 1) -> None:
        """Have a message come back, sent in so many fragments."""
        packed = self.pack(data)
        size = len(packed) // parts + 1
        cut = [packed[at : at + size] for at in range(0, max(1, len(packed)), size)]
        frames = [
            Frame(0 if at else opcode, part, fin=at == len(cut) - 1, rsv=0 if at else 4) for at, part in enumerate(cut)
        ]
        back = self.end.say(*frames)
        assert back, f"nothing came back of {len(data)} bytes"
        assert (back[0].opcode, back[0].rsv) == (opcode, 4), back[0]
        assert self.unpack(b"".join(frame.payload for frame in back)) == data


def answering(header: str) -> Peer:
    """Return a client whose server took its offer."""
    agreed = accept([header.encode()])
    assert agreed is not None
    extension, said = agreed
    asked, answer = parameters(header), parameters(said.decode())
    assert set(answer) <= {"server_no_context_takeover", "client_no_context_takeover", *asked} | {
        "server_max_window_bits"
    }
    for what in ("server_no_context_takeover", "client_no_context_takeover"):
        assert what not in asked or what in answer, f"{what} was asked for"
    if "server_max_window_bits" in asked:
        assert int(answer["server_max_window_bits"]) <= int(asked["server_max_window_bits"])
    return Peer(End(False, Settings(maxMessageSize=1 << 20, pingInterval=None), extension), answer)


def asking(answer: str) -> Peer:
    """Return a server that answers so what our client offers."""
    extension, _ = offer()
    assert settle(extension, [answer.encode()])
    return Peer(End(True, Settings(maxMessageSize=1 << 20, pingInterval=None), extension), parameters(answer))


PEERS = pytest.mark.parametrize(
    ("make", "header"), [(answering, NAME + each) for each in OFFERS] + [(asking, NAME + each) for each in ANSWERS]
)


def text(size: int) -> bytes:
    """Return so many bytes of what compresses as JSON does."""
    chance = random.Random(size)
    made = json.dumps(
        [{"number": chance.randrange(10**6), "name": "x" * chance.randrange(9)} for _ in range(size // 16)]
    )
    return made.encode()[:size].ljust(size)


@PEERS
def test_messages_of_many_sizes(make: Any, header: str) -> None:
    peer = make(header)
    chance = random.Random(header)
    for size in SIZES:
        for number in range(2):
            peer.echo(TEXT, text(size), parts=1 + number * 3)
            peer.echo(DATA, chance.randbytes(size))
    assert len(peer.end.heard) == len(SIZES) * 4


@PEERS
def test_many_small_messages(make: Any, header: str) -> None:
    peer = make(header)
    for number in range(300):
        peer.echo(TEXT, b"message %d of many that are alike" % number)


@pytest.mark.parametrize("make", [answering, asking])
def test_messages_that_are_not_compressed_between_those_that_are(make: Any) -> None:
    peer = make(NAME)
    peer.echo(TEXT, b"one")
    (back,) = peer.end.say(Frame(TEXT, b"two"))
    assert peer.unpack(back.payload) == b"two"
    assert peer.end.say(Frame(PING, b"x" * 125)) == [Frame(PONG, b"x" * 125)], "what controls is never compressed"
    peer.echo(TEXT, b"three")
    assert peer.end.heard == ["one", "two", "three"]


@pytest.mark.parametrize("make", [answering, asking])
def test_a_message_may_end_its_stream(make: Any) -> None:
    """RFC 7692, 7.2.3.4: a block that is final, and a byte of zeros behind it."""
    peer = make(NAME + "; client_no_context_takeover; server_no_context_takeover")
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(b"Hello") + packer.flush(zlib.Z_FINISH) + b"\0"
    (back,) = peer.end.say(Frame(TEXT, packed, rsv=4))
    assert peer.unpack(back.payload) == b"Hello"


@pytest.mark.parametrize("make", [answering, asking])
@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([Frame(TEXT, b"\xff\xff\xff\xff", rsv=4)], 1007),
        ([Frame(PING, b"\0", rsv=4)], 1002),
        ([Frame(TEXT, b"\0", rsv=2)], 1002),
        ([Frame(TEXT, b"\0", rsv=6)], 1002),
        ([Frame(TEXT, b"a", fin=False), Frame(0, b"\0", rsv=4)], 1002),
    ],
    ids=["garbage", "ping", "other-bit", "two-bits", "continuation"],
)
def test_what_cannot_be_unpacked(make: Any, frames: list[Frame], code: int) -> None:
    *_, last = make(NAME).end.say(*frames)
    assert last.opcode == 8
    assert int.from_bytes(last.payload[:2], "big") in (code, 1002)


@pytest.mark.parametrize("make", [answering, asking])
def test_text_that_is_none_once_it_is_unpacked(make: Any) -> None:
    peer = make(NAME)
    *_, last = peer.end.say(Frame(TEXT, peer.pack(b"k\xc3\xb6sme \xed\xa0\x80"), rsv=4))
    assert last.payload[:2] == (1007).to_bytes(2, "big")
    assert peer.end.heard == []


@pytest.mark.parametrize("make", [answering, asking])
@pytest.mark.parametrize("kind", [TEXT, DATA])
def test_bombs_are_not_unpacked(make: Any, kind: int) -> None:
    """64 MiB in 64 KiB, of which the limit is one MiB."""
    peer = make(NAME)
    most = []
    connection = peer.end.connection
    real = connection._part
    connection._part = lambda event: (most.append(len(event.data)), real(event))  # what comes at once
    *_, last = peer.end.say(Frame(kind, peer.pack(bytes(64 << 20)), rsv=4))
    assert last.payload[:2] == (1009).to_bytes(2, "big")
    assert sum(most) <= 6 << 20, "it is unpacked in small steps, and no further than needed"
    assert peer.end.heard == []


@pytest.mark.parametrize(
    ("offers", "chosen"),
    [
        (f"{NAME}; server_max_window_bits=7, {NAME}; client_no_context_takeover", "client_no_context_takeover"),
        (f"{NAME}; unknown, {NAME}; server_no_context_takeover", "server_no_context_takeover"),
        (f"x-webkit-deflate-frame, {NAME}", ""),
        (f"{NAME}; server_no_context_takeover; server_no_context_takeover, {NAME}", ""),
    ],
)
def test_the_first_offer_that_can_be_had_is_taken(offers: str, chosen: str) -> None:
    agreed = accept([offers.encode()])
    assert agreed is not None
    said = parameters(agreed[1].decode())
    assert {key for key in said if key.endswith("takeover")} == ({chosen} if chosen else set())


@pytest.mark.parametrize(
    "offers",
    ["", "x-webkit-deflate-frame", f"{NAME}; unknown", f"{NAME}; server_max_window_bits=16", f"{NAME}; a=b; a=c"],
)
def test_offers_that_cannot_be_had(offers: str) -> None:
    assert accept([offers.encode()]) is None


@pytest.mark.parametrize(
    "answer",
    [
        "other",
        f"{NAME}; unknown",
        f"{NAME}; client_max_window_bits",
        f"{NAME}; client_max_window_bits=16",
        f"{NAME}; server_max_window_bits=7",
        f"{NAME}; server_no_context_takeover=1",
        f"{NAME}, {NAME}",
    ],
)
def test_answers_to_what_was_not_offered(answer: str) -> None:
    with pytest.raises(ValueError, match="not offered"):
        settle(offer()[0], [answer.encode()])
    with pytest.raises(ValueError, match="not offered"):
        settle(None, [NAME.encode()])
