"""Decompression in steps: what it costs, and what does not end it early."""

from __future__ import annotations

import gzip
import os
import zlib
from typing import Any

import pytest

from torsion.web.client.decoders import MOST_EMPTY, SLICE, STEP, Brotli, Deflate, Gzip, Zstandard, has_brotli
from torsion.web.client.errors import DecompressionBomb

EMPTY = gzip.compress(b"")


def run(inside: Any, data: bytes, step: int = 0) -> bytes:
    """Return what *data* becomes, fed whole or *step* bytes at a time; steps of Brotli may be a half larger."""
    pieces = []
    for start in range(0, len(data), step or len(data)):
        inside.feed(data[start : start + (step or len(data))])
        while made := inside.step():
            assert len(made) <= (STEP if isinstance(inside, Gzip | Deflate) else 2 * STEP)
            pieces.append(made)
    return b"".join(pieces)


class Counting(Gzip):
    """Counts what zlib is given: it copies all of that which it does not use."""

    given = calls = 0

    def _inflate(self, data: bytes) -> bytes:
        self.given += len(data)
        self.calls += 1
        return super()._inflate(data)


@pytest.mark.parametrize("content", [b"", b"x"])
def test_many_small_members_cost_as_much_as_they_are_many(content: bytes) -> None:
    costs = []
    member = gzip.compress(content)
    for many in (90, 900):
        inside = Counting()
        assert run(inside, member * many) == content * many
        assert inside.whole
        assert inside.calls <= 2 * many
        costs.append(inside.given)
    few, most = costs
    assert most <= 15 * few + 900 * SLICE
    assert most <= 900 * SLICE


def test_a_large_piece_is_not_copied_for_each_step() -> None:
    inside = Counting()
    noise = os.urandom(1_000_000)
    data = gzip.compress(noise)
    assert run(inside, data) == noise
    assert inside.given <= 2 * len(data)


def test_what_becomes_very_large_is_made_in_steps() -> None:
    inside = Counting()
    assert run(inside, gzip.compress(bytes(5_000_000))) == bytes(5_000_000)
    assert inside.given <= SLICE * (5_000_000 // STEP + 2)


def test_empty_members_have_an_end() -> None:
    assert run(Gzip(), EMPTY * MOST_EMPTY) == b""
    assert run(Gzip(), (EMPTY * (MOST_EMPTY // 2) + gzip.compress(b"x")) * 4) == b"xxxx"
    for step in (0, 7):
        with pytest.raises(DecompressionBomb, match="nothing in them"):
            run(Gzip(), EMPTY * (MOST_EMPTY + 2), step)


@pytest.mark.parametrize("step", [0, 1, 2, 3, SLICE - 1, SLICE, SLICE + 1])
def test_data_comes_in_pieces_of_any_size(step: int) -> None:
    text = os.urandom(200) if step in (1, 2, 3) else os.urandom(3 * SLICE)
    raw = zlib.compressobj(wbits=-15)
    for kind, data in (
        (Gzip, gzip.compress(text)),
        (Gzip, EMPTY + gzip.compress(text[:9]) + EMPTY + gzip.compress(text[9:]) + EMPTY + bytes(20)),
        (Deflate, zlib.compress(text)),
        (Deflate, raw.compress(text) + raw.flush()),
    ):
        inside = kind()
        assert run(inside, data, step) == text
        assert inside.whole


@pytest.mark.parametrize(
    ("kind", "data"),
    [(Gzip, gzip.compress(b"abc")), (Gzip, gzip.compress(b"abc") * 2), (Deflate, zlib.compress(b"abc"))],
)
def test_what_stops_in_the_middle_is_not_whole(kind: Any, data: bytes) -> None:
    cut = kind()
    run(cut, data[:-1])
    assert not cut.whole
    begun = kind()
    run(begun, data[:1])
    assert not begun.whole
    assert kind().whole


def test_brotli_takes_pieces() -> None:
    brotli = pytest.importorskip("brotli")
    if not has_brotli():
        pytest.skip("this version of the library cannot bound what it makes")
    text = os.urandom(3 * SLICE)
    for step in (0, 1, SLICE, SLICE + 1):
        inside = Brotli()
        assert run(inside, brotli.compress(text), step) == text
        assert inside.whole
    assert run(Brotli(), brotli.compress(bytes(5_000_000))) == bytes(5_000_000)


def all_of(inside: Any, data: bytes, step: int = 0) -> bytes:
    """Return what *data* becomes where steps may be larger."""
    pieces = []
    for start in range(0, len(data), step or len(data)):
        inside.feed(data[start : start + (step or len(data))])
        while made := inside.step():
            pieces.append(made)
    return b"".join(pieces)


def test_zstd_reads_all_frames() -> None:
    library = pytest.importorskip("zstandard")
    compress = library.ZstdCompressor().compress
    skipped = b"\x50\x2a\x4d\x18\x02\0\0\0xx"
    data = compress(b"one ") + skipped + compress(b"") + compress(b"two ") + compress(b"three")
    for step in (0, 1, 5):
        inside = Zstandard()
        assert all_of(inside, data, step) == b"one two three"
        assert inside.whole
        cut = Zstandard()
        all_of(cut, data[:-1], step)
        assert not cut.whole
    with pytest.raises(DecompressionBomb, match="nothing in them"):
        all_of(Zstandard(), compress(b"") * (MOST_EMPTY + 2))
    with pytest.raises(library.ZstdError):
        all_of(Zstandard(), compress(b"one") + b"no frame")
