"""The laws that every codec obeys, as tests.  A codec registers once, in its own test file::

    TestLineLaws = laws.of(laws.Subject(...))

and gets them all.  What is asked of it is the interface of the framers: ``feed(data)`` gives a batch of events, ``more``
says to feed again, ``buffered`` how many bytes are held; ``RemoteProtocolError`` comes out of ``feed`` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torsion.wire import RemoteProtocolError


class Reader(Protocol):
    """The receiving half of a codec, with its rules built in."""

    more: bool
    buffered: int

    def feed(self, data: bytes) -> list[Any]: ...


class PickyReader(Reader, Protocol):
    """A reader that takes events back."""

    def requeue(self, frames: list[Any]) -> None: ...
    def hold(self, data: bytes) -> None: ...
    def take_rest(self) -> bytes: ...


# On a busy machine a thousand messages may take their time.
patient = settings(deadline=None)


@dataclass(frozen=True)
class Subject:
    """A codec under the laws."""

    new: Callable[[], Any]
    """Makes a reader."""
    encode: Callable[[Any], bytes]
    """Gives the bytes of one event."""
    events: st.SearchStrategy[Any]
    """Events that may be sent."""
    noise: st.SearchStrategy[bytes]
    """Bytes that are nearly right."""
    longest: int
    """The most bytes that an unfinished message may have."""


def outcome(reader: Reader, chunks: Iterable[bytes]) -> tuple[list[Any], type[Exception] | None]:
    """Return the events that *chunks* mean, and what they end with."""
    events: list[Any] = []
    try:
        for chunk in chunks:
            events += reader.feed(chunk)
            while reader.more:
                events += reader.feed(b"")
    except RemoteProtocolError as error:
        return events, type(error)
    return events, None


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Return *data* in pieces."""
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


@dataclass(frozen=True)
class Stream:
    """Bytes from a peer: many times the same messages, more than are looked at at once, and some noise."""

    messages: bytes
    times: int
    noise: bytes

    @property
    def data(self) -> bytes:
        return (self.messages * self.times)[:50_000] + self.noise


def streams(subject: Subject) -> st.SearchStrategy[Stream]:
    """Give streams that are right, nearly right, or right up to some point."""
    messages = st.lists(subject.events, max_size=8).map(lambda events: b"".join(map(subject.encode, events)))
    return st.builds(Stream, messages, st.sampled_from([0, 1, 1, 2, 10, 2000]), subject.noise | st.just(b""))


def of(subject: Subject) -> type:
    """Return a class of tests, one for each law."""
    places = st.lists(st.integers(0, 10_000), max_size=8)
    stream = streams(subject)

    class Laws:
        @patient
        @given(stream, places)
        def test_how_bytes_are_cut_means_nothing(self, stream: Stream, places: list[int]) -> None:
            assert outcome(subject.new(), cut(stream.data, places)) == outcome(subject.new(), [stream.data])

        @patient
        @given(stream)
        def test_one_byte_at_a_time(self, stream: Stream) -> None:
            data = stream.data[-500:]
            pieces = [data[index : index + 1] for index in range(len(data))]
            assert outcome(subject.new(), pieces) == outcome(subject.new(), [data])

        @patient
        @given(st.binary(max_size=300), places)
        def test_any_bytes_mean_events_or_a_protocol_error(self, data: bytes, places: list[int]) -> None:
            reader = subject.new()
            _, error = outcome(reader, cut(data, places))
            if error is not None:  # then it is closed
                with pytest.raises(error):
                    reader.feed(b"")

        @patient
        @given(st.lists(subject.events, max_size=8), st.sampled_from([1, 1000]))
        def test_what_is_sent_is_received(self, events: list[Any], times: int) -> None:
            data = b"".join(map(subject.encode, events))
            assert outcome(subject.new(), [data * times]) == (events * times, None)

        @patient
        @given(stream, st.integers(1, 300))
        def test_what_is_buffered_is_bounded(self, stream: Stream, size: int) -> None:
            reader = subject.new()
            data = stream.data
            size = max(size, len(data) // 300)
            fed = given_away = 0
            try:
                for begin in range(0, len(data), size):
                    chunk = data[begin : begin + size]
                    batch = reader.feed(chunk)
                    fed += len(chunk)
                    given_away += sum(len(subject.encode(event)) for event in batch)
                    assert reader.buffered == fed - given_away
                    assert reader.buffered <= subject.longest + len(chunk)
                    while reader.more:
                        given_away += sum(len(subject.encode(event)) for event in reader.feed(b""))
                    assert reader.buffered == fed - given_away
                    assert reader.buffered <= subject.longest
            except RemoteProtocolError:
                assert reader.buffered <= subject.longest + len(chunk)

    return Laws


def of_framer(subject: Subject) -> type:
    """Return the class of :func:`of` with the laws of those readers that take events back."""
    places = st.lists(st.integers(0, 10_000), max_size=8)
    stream = streams(subject)

    class FramerLaws(of(subject)):  # type: ignore[misc]
        @patient
        @given(stream, places, st.lists(st.integers(0, 40), min_size=1, max_size=20))
        def test_what_is_put_back_comes_again(self, stream: Stream, places: list[int], counts: list[int]) -> None:
            reader: PickyReader = subject.new()
            data = stream.data
            events: list[Any] = []
            error = None
            turn = 0
            try:
                for chunk in cut(data, places):
                    batch = reader.feed(chunk)
                    while True:
                        used = counts[turn % len(counts)] if turn < 200 else len(batch)
                        turn += 1
                        events += batch[:used]
                        reader.requeue(batch[used:])
                        if not reader.more:
                            break
                        batch = reader.feed(b"")
            except RemoteProtocolError as raised:
                error = type(raised)
            assert (events, error) == outcome(subject.new(), [data])

        @patient
        @given(st.lists(st.tuples(st.sampled_from(["feed", "hold", "half", "none"]), stream), max_size=6))
        def test_no_byte_is_lost(self, steps: list[tuple[str, Stream]]) -> None:
            reader: PickyReader = subject.new()
            fed = used = b""
            for how, stream in steps:
                fed += stream.data
                if how == "hold":
                    reader.hold(stream.data)
                    continue
                try:
                    batch = reader.feed(stream.data)
                except RemoteProtocolError:
                    break
                keep = {"feed": len(batch), "half": len(batch) // 2, "none": 0}[how]
                reader.requeue(batch[keep:])
                used += b"".join(map(subject.encode, batch[:keep]))
            assert reader.buffered == len(fed) - len(used)
            assert used + reader.take_rest() == fed
            assert not reader.more
            assert reader.buffered == 0
            assert reader.take_rest() == b""

    return FramerLaws
