"""The laws of codecs: what turns bytes into events, and back, and does nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from hypothesis import given, settings
from hypothesis import strategies as st

from torsion.testing.laws.checking import (
    check_callable,
    check_errors,
    check_how,
    check_most,
    check_strategy,
    strategy_of_bytes,
)
from torsion.testing.strategies import cuts

__all__ = ["Reader", "RequeueingReader", "codec_laws", "decoded", "framer_laws"]

PATIENT = settings(deadline=None)
"""On a busy machine a thousand messages may take their time."""

LONGEST = 50_000
"""How many bytes of messages are decoded in one example at most."""


class Reader(Protocol):
    """The receiving half of a codec.

    :ivar more: whether there may be more events in what it has been fed: feed it nothing to get them.
    :ivar buffered: how many bytes it holds.
    """

    more: bool
    buffered: int

    def feed(self, data: bytes) -> list[Any]:
        """Take bytes, and return the events that are complete.  Raises the codec's error, and after that always."""
        ...


class RequeueingReader(Reader, Protocol):
    """A reader that takes events back."""

    def requeue(self, frames: list[Any]) -> None:
        """Take back the last of the events that were returned last: they come again."""
        ...

    def hold(self, data: bytes) -> None:
        """Take bytes to be looked at later."""
        ...

    def take_rest(self) -> bytes:
        """Return all bytes that no event was made of, and forget them."""
        ...


def decoded(
    reader: Reader, chunks: Iterable[bytes], error: type[Exception] | tuple[type[Exception], ...]
) -> tuple[list[Any], type[Exception] | None]:
    """Return the events that *chunks* mean, and what class of *error* they end with, or None."""
    events: list[Any] = []
    try:
        for chunk in chunks:
            events += reader.feed(chunk)
            while reader.more:
                events += reader.feed(b"")
    except error as raised:
        return events, type(raised)
    return events, None


@dataclass(frozen=True)
class Stream:
    """Bytes from a peer: many times the same messages, more than are looked at at once, and some noise."""

    messages: bytes
    times: int
    noise: bytes

    @property
    def data(self) -> bytes:
        """All of it."""
        return (self.messages * self.times)[:LONGEST] + self.noise


def streams(
    encode: Callable[[Any], bytes], events: st.SearchStrategy[Any], noise: st.SearchStrategy[bytes]
) -> st.SearchStrategy[Stream]:
    """Give streams that are right, nearly right, or right up to some point."""
    messages = st.lists(events, max_size=8).map(lambda each: b"".join(map(encode, each)))
    return st.builds(Stream, messages, st.sampled_from([0, 1, 1, 2, 10, 2000]), noise | st.just(b""))


def codec_laws(
    new: Callable[[], Any],
    encode: Callable[[Any], bytes],
    events: st.SearchStrategy[Any],
    error: type[Exception] | tuple[type[Exception], ...],
    longest: int,
    noise: st.SearchStrategy[bytes] | None = None,
    how: settings = PATIENT,
) -> type:
    """Return a class of tests, one for each law of codecs.

    How bytes are cut means nothing; any bytes mean events or the documented error, which then stays; what is encoded is
    decoded; what is held is bounded, and counted right.

    :param new: makes a reader: see :class:`Reader`.
    :param encode: gives the bytes of one event.
    :param events: events that may be sent.
    :param error: the error, or errors, that a reader may raise.
    :param longest: the most bytes that an unfinished message may have.
    :param noise: bytes that are nearly right: the better they imitate the format, the more is found.
    :param how: hypothesis's settings: how many examples, and so on.
    :raises TypeError: naming the argument that is something else.
    :raises ValueError: if *longest* is less than 1.
    """
    check_callable("new", new)
    check_callable("encode", encode)
    check_strategy("events", events, "events")
    check_errors("error", error)
    check_most("longest", longest)
    check_how(how)
    nearly = st.binary(max_size=300) if noise is None else strategy_of_bytes("noise", noise)
    stream = streams(encode, events, nearly)

    def outcome(chunks: Iterable[bytes]) -> tuple[list[Any], type[Exception] | None]:
        return decoded(new(), chunks, error)

    class CodecLaws:
        """The laws, for one codec."""

        @how
        @given(stream, cuts())
        def test_how_bytes_are_cut_means_nothing(self, stream: Stream, cut: Callable[[bytes], list[bytes]]) -> None:
            assert outcome(cut(stream.data)) == outcome([stream.data])

        @how
        @given(stream)
        def test_one_byte_at_a_time(self, stream: Stream) -> None:
            data = stream.data[-500:]
            assert outcome(data[index : index + 1] for index in range(len(data))) == outcome([data])

        @how
        @given(st.binary(max_size=300) | nearly, cuts())
        def test_any_bytes_mean_events_or_the_error(self, data: bytes, cut: Callable[[bytes], list[bytes]]) -> None:
            reader = new()
            _, found = decoded(reader, cut(data), error)
            if found is not None:
                assert decoded(reader, [b""], error) == ([], found), "after an error, the same error"

        @how
        @given(st.lists(events, max_size=8), st.sampled_from([1, 1000]))
        def test_what_is_encoded_is_decoded(self, events: list[Any], times: int) -> None:
            assert outcome([b"".join(map(encode, events)) * times]) == (events * times, None)

        @how
        @given(stream, st.integers(1, 300))
        def test_what_is_held_is_bounded(self, stream: Stream, size: int) -> None:
            _check_what_is_held(new(), encode, stream.data, size, longest, error)

    return CodecLaws


def _check_what_is_held(
    reader: Reader, encode: Callable[[Any], bytes], data: bytes, size: int, longest: int, error: Any
) -> None:
    size = max(size, len(data) // 300)
    fed = given_away = 0
    chunk = b""
    try:
        for begin in range(0, len(data), size):
            chunk = data[begin : begin + size]
            batch = reader.feed(chunk)
            fed += len(chunk)
            given_away += sum(len(encode(event)) for event in batch)
            assert reader.buffered == fed - given_away
            assert reader.buffered <= longest + len(chunk)
            while reader.more:
                given_away += sum(len(encode(event)) for event in reader.feed(b""))
            assert reader.buffered == fed - given_away
            assert reader.buffered <= longest
    except error:
        assert reader.buffered <= longest + len(chunk)


def framer_laws(
    new: Callable[[], Any],
    encode: Callable[[Any], bytes],
    events: st.SearchStrategy[Any],
    error: type[Exception] | tuple[type[Exception], ...],
    longest: int,
    noise: st.SearchStrategy[bytes] | None = None,
    how: settings = PATIENT,
) -> type:
    """Return the class of :func:`codec_laws`, with the laws of those readers that take events back.

    What is put back comes again, however often; no byte is lost, wherever reading ends.

    :param new: makes a reader: see :class:`RequeueingReader`. The other arguments are those of :func:`codec_laws`.
    """
    laws: Any = codec_laws(new, encode, events, error, longest, noise, how)
    stream = streams(encode, events, st.binary(max_size=300) if noise is None else noise)
    steps = st.lists(st.tuples(st.sampled_from(["feed", "hold", "half", "none"]), stream), max_size=6)

    class FramerLaws(laws):  # type: ignore[misc]  # the class of tests was made a line above
        """The laws, for one reader."""

        @how
        @given(stream, cuts(), st.lists(st.integers(0, 40), min_size=1, max_size=20))
        def test_what_is_put_back_comes_again(
            self, stream: Stream, cut: Callable[[bytes], list[bytes]], counts: list[int]
        ) -> None:
            data = stream.data
            assert _requeued(new(), cut(data), counts, error) == decoded(new(), [data], error)

        @how
        @given(steps)
        def test_no_byte_is_lost(self, steps: list[tuple[str, Stream]]) -> None:
            reader: RequeueingReader = new()
            fed = used = b""
            for how, stream in steps:
                fed += stream.data
                if how == "hold":
                    reader.hold(stream.data)
                    continue
                try:
                    batch = reader.feed(stream.data)
                except error:
                    break
                keep = {"feed": len(batch), "half": len(batch) // 2, "none": 0}[how]
                reader.requeue(batch[keep:])
                used += b"".join(map(encode, batch[:keep]))
            assert reader.buffered == len(fed) - len(used)
            assert used + reader.take_rest() == fed
            assert not reader.more
            assert reader.buffered == 0
            assert reader.take_rest() == b""

    return FramerLaws


def _requeued(
    reader: RequeueingReader, chunks: list[bytes], counts: list[int], error: Any
) -> tuple[list[Any], type[Exception] | None]:
    """Return the same as :func:`decoded`, putting back all but so many events each time."""
    events: list[Any] = []
    turn = 0
    try:
        for chunk in chunks:
            batch = reader.feed(chunk)
            while True:
                used = counts[turn % len(counts)] if turn < 200 else len(batch)
                turn += 1
                events += batch[:used]
                reader.requeue(batch[used:])
                if not reader.more:
                    break
                batch = reader.feed(b"")
    except error as raised:
        return events, type(raised)
    return events, None
