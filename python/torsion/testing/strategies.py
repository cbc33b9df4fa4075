"""Hypothesis strategies for what networks do: chunkings, addresses, conversations, conditions, faults.

Needs ``torsion[testing]``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.reactors.memory.clock import checked_count, checked_duration, checked_number
from torsion.testing.network import (
    Conditions,
    Crash,
    Cut,
    Fault,
    Freeze,
    Jump,
    Kill,
    Reset,
    Schedule,
    Slow,
    Weather,
)
from torsion.testing.network.faults import check_names

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "FAULTS",
    "addresses",
    "chunkings",
    "conditions",
    "conversations",
    "cuts",
    "faults",
    "joined",
    "schedules",
]

FAULTS: tuple[type[Fault], ...] = (Cut, Reset, Kill, Crash, Freeze, Slow, Jump, Weather)
"""Every kind of fault, in the order in which they are preferred when a failing run is made smaller."""


def _check_most(most: object, of_what: str) -> None:
    checked_count("most", most, 0, f"a whole number of {of_what}, 0 or more")


# --- bytes -----------------------------------------------------------------------------------------------------------


def joined(chunks: Sequence[bytes]) -> bytes:
    """Return the bytes that *chunks* are the pieces of."""
    return b"".join(chunks)


def cut_at(data: bytes, places: Collection[int]) -> list[bytes]:
    """Return *data* in pieces, cut at *places*, each taken modulo what there is; no piece is empty."""
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False) if begin < end]


def cuts(most: int = 8) -> SearchStrategy[Callable[[bytes], list[bytes]]]:
    """Give functions that cut bytes into pieces, at *most* places; smaller ones cut less.

    For data that is not known before: what a codec under test has encoded.

    :raises TypeError: if *most* is no whole number.
    :raises ValueError: if it is negative.
    """
    _check_most(most, "places")
    return st.lists(st.integers(0, 1 << 20), max_size=most).map(_Cut)


class _Cut:
    """A way to cut, which shows what it does."""

    def __init__(self, places: list[int]) -> None:
        self.places = places

    def __call__(self, data: bytes) -> list[bytes]:
        return cut_at(data, self.places)

    def __repr__(self) -> str:
        return f"cut at {self.places}"


def chunkings(data: bytes | SearchStrategy[bytes], most: int = 8) -> SearchStrategy[list[bytes]]:
    """Give *data* in pieces, as ``dataReceived`` may be given it: smaller examples are cut at fewer places.

    :param data: the bytes, or a strategy for them.
    :param most: at how many places to cut at most; besides, each byte may come by itself.
    :raises TypeError: if *data* is neither, or *most* no whole number.
    :raises ValueError: if *most* is negative.
    """
    if not isinstance(data, bytes | st.SearchStrategy):
        raise TypeError(f"data must be bytes, or a strategy for bytes, not {data!r}")
    _check_most(most, "places")
    return _chunkings(data, most)


@st.composite
def _chunkings(draw: Any, data: bytes | SearchStrategy[bytes], most: int) -> list[bytes]:
    whole = data if isinstance(data, bytes) else draw(data)
    if 1 < len(whole) <= 1000 and draw(st.integers(0, 9)) == 9:
        return [whole[index : index + 1] for index in range(len(whole))]
    places = draw(st.lists(st.integers(1, max(1, len(whole) - 1)), max_size=most))
    return cut_at(whole, places)


def addresses(kind: str = "TCP", v4: bool = True, v6: bool = True) -> SearchStrategy[IPv4Address | IPv6Address]:
    """Give addresses of IPv4 and IPv6, as protocols and factories are given them.

    :param kind: ``TCP`` or ``UDP``.
    :param v4: whether any are to be of IPv4.
    :param v6: whether any are to be of IPv6.
    :raises ValueError: if neither is, or *kind* is another.
    """
    if kind not in ("TCP", "UDP"):
        raise ValueError(f"kind is 'TCP' or 'UDP', not {kind!r}")
    ports = st.integers(1, 65535)
    families: list[SearchStrategy[IPv4Address | IPv6Address]] = []
    if v4:
        families.append(st.builds(IPv4Address, st.just(kind), st.ip_addresses(v=4).map(str), ports))
    if v6:
        families.append(st.builds(IPv6Address, st.just(kind), st.ip_addresses(v=6).map(str), ports))
    if not families:
        raise ValueError("no addresses are left: neither of IPv4 nor of IPv6")
    return st.one_of(families)


def conversations(
    one: SearchStrategy[Any], other: SearchStrategy[Any], most: int = 10
) -> SearchStrategy[list[tuple[str, Any]]]:
    """Give what two ends say in turn: a list of ``("one", message)`` and ``("other", message)``.

    :param one: what the first end may say.
    :param other: what the second end may say.
    :param most: how many messages at most.
    :raises TypeError: if *one* or *other* is no strategy, or *most* no whole number.
    :raises ValueError: if *most* is negative.
    """
    for name, messages in (("one", one), ("other", other)):
        if not isinstance(messages, st.SearchStrategy):
            raise TypeError(f"{name} must be a strategy for messages, such as st.binary(), not {messages!r}")
    _check_most(most, "messages")
    return st.lists(st.one_of(st.tuples(st.just("one"), one), st.tuples(st.just("other"), other)), max_size=most)


# --- networks --------------------------------------------------------------------------------------------------------


def _seconds(most: float) -> SearchStrategy[float]:
    """Give times to the millisecond: with whole numbers in it, what is left of a failing run can be read."""
    return st.integers(0, int(most * 1000)).map(lambda value: value / 1000)


def conditions(
    latency: float = 1.0, loss: float = 0.3, fragment: int = 64, capacity: int = 1 << 18
) -> SearchStrategy[Conditions]:
    """Give conditions of a network; the smallest is one that carries everything at once and without fault.

    :param latency: the longest way, in seconds, and as much jitter again.
    :param loss: the likelihood of loss at most; as much for datagrams that arrive twice, or late.
    :param fragment: the longest piece of a stream, in bytes, where it is cut at all.
    :param capacity: the most that a connection holds, in bytes.
    :raises TypeError: if one of them is no number.
    :raises ValueError: if one of them is out of its range.
    """
    checked_duration("latency", latency)
    if not 0 <= checked_number("loss", loss, "a likelihood from 0 to 1") <= 1:
        raise ValueError(f"loss is a likelihood from 0 to 1, not {loss!r}")
    for name, size in (("fragment", fragment), ("capacity", capacity)):
        checked_count(name, size, 1, "a whole number of bytes, 1 or more")
    likelihood = st.integers(0, 10).map(lambda tenths: tenths / 10 * loss)
    return st.builds(
        Conditions,
        latency=_seconds(latency),
        jitter=_seconds(latency),
        fragment=st.none() | st.integers(1, fragment),
        capacity=st.just(capacity) | st.integers(1, capacity),
        bandwidth=st.none() | st.sampled_from([1000.0, 100_000.0]),
        loss=likelihood,
        duplicate=likelihood,
        reorder=likelihood,
    )


def faults(
    hosts: Sequence[str], kinds: Collection[type[Fault]] = FAULTS, within: float = 30.0
) -> SearchStrategy[Fault]:
    """Give faults that befall *hosts*.

    :param hosts: their names.
    :param kinds: which kinds of fault.
    :param within: until when they happen, and how long they last at most, in seconds.
    :raises TypeError: if *hosts* is a single name, or *within* no number.
    :raises ValueError: if *within* is negative or not finite, or none of *kinds* is a fault.
    """
    check_names("hosts", hosts)
    checked_duration("within", within)
    if not set(kinds) & set(FAULTS):
        raise ValueError(f"kinds must name some of {', '.join(each.__name__ for each in FAULTS)}, not {kinds!r}")
    host, at, lasts = st.sampled_from(list(hosts)), _seconds(within), _seconds(within)
    some = st.lists(host, min_size=1, max_size=max(1, len(hosts) - 1), unique=True).map(
        lambda each: tuple(sorted(each))
    )
    likelihood = st.sampled_from([0.0, 0.1, 0.3])
    ways: dict[type[Fault], SearchStrategy[Fault]] = {
        Cut: st.builds(Cut, at=at, hosts=some, seconds=lasts),
        Reset: st.builds(Reset, at=at, host=host),
        Kill: st.builds(Kill, at=at, host=host, seconds=lasts),
        Crash: st.builds(Crash, at=at, host=host, seconds=lasts),
        Freeze: st.builds(Freeze, at=at, host=host, seconds=lasts),
        Slow: st.builds(Slow, at=at, host=host, pace=st.sampled_from([10.0, 1000.0]), seconds=lasts),
        Jump: st.builds(Jump, at=at, host=host, seconds=st.sampled_from([1.0, -1.0, 3600.0, -3600.0])),
        Weather: st.builds(
            Weather,
            at=at,
            seconds=lasts,
            latency=_seconds(1.0),
            jitter=_seconds(1.0),
            fragment=st.none() | st.integers(1, 16),
            loss=likelihood,
            duplicate=likelihood,
            reorder=likelihood,
        ),
    }
    return st.one_of([ways[kind] for kind in FAULTS if kind in kinds])


def schedules(
    hosts: Sequence[str],
    kinds: Collection[type[Fault]] = FAULTS,
    within: float = 30.0,
    most: int = 6,
) -> SearchStrategy[Schedule]:
    """Give seeds and faults for a run; the smallest has no fault.

    :param hosts: the names of those that faults may befall.
    :param kinds: which kinds of fault.
    :param within: until when they happen, in seconds.
    :param most: how many at most.
    :raises TypeError: if *hosts* is a single name, or *within* no number, or *most* no whole one.
    :raises ValueError: if *within* or *most* is negative or not finite.
    """
    check_names("hosts", hosts)
    _check_most(most, "faults")
    some = st.lists(faults(hosts, kinds, within), max_size=most) if hosts and kinds else st.just([])
    ordered = some.map(lambda each: tuple(sorted(each, key=lambda fault: fault.at)))
    return st.builds(Schedule, st.integers(0, 2**32 - 1), ordered)
