"""The laws of protocols: what turns the bytes of one connection into whatever it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from torsion.testing.laws.checking import check_callable, check_errors, check_how, check_most, strategy_of_bytes
from torsion.testing.laws.codecs import PATIENT
from torsion.testing.laws.driving import drive
from torsion.testing.laws.retained import retained_bytes
from torsion.testing.strategies import cuts

__all__ = ["MOST_KEPT", "protocol_laws"]

MOST_KEPT = 1 << 16
"""How many bytes a protocol may keep of what it was sent, unless the law says otherwise: what a reader of lines of 16 KiB needs,
four times over."""

OVERFLOW = 8
"""How many times as much as it may keep a protocol is sent."""


def protocol_laws(
    new: Callable[[], Any],
    inputs: st.SearchStrategy[bytes],
    observe: Callable[[Any], Any] | None = None,
    errors: type[BaseException] | tuple[type[BaseException], ...] = (),
    limit: int = MOST_KEPT,
    how: settings = PATIENT,
) -> type:
    """Return a class of tests, one for each law of protocols.

    Any chunking of the same bytes has the same result; nothing comes out of a hook but the documented errors, whatever the peer
    sends; what is kept is bounded, whatever the peer sends.

    :param new: makes a protocol; with a factory, if it needs one.
    :param inputs: what a peer may send, well formed and nearly so. Any bytes at all are sent besides.
    :param observe: returns what is to be the same, from a protocol, besides what it wrote and whether it closed the connection:
        what it has heard, say.
    :param errors: what may come out of its hooks; nothing, if it is not given: it should close the connection instead.
    :param limit: how many bytes it may keep of what it was sent.
    :param how: hypothesis's settings: how many examples, and so on.
    :raises TypeError: naming the argument that is something else.
    :raises ValueError: if *limit* is less than 1.
    """
    check_callable("new", new)
    if observe is not None:
        check_callable("observe", observe)
    check_errors("errors", errors)
    check_most("limit", limit)
    check_how(how)
    anything = strategy_of_bytes("inputs", inputs) | st.binary(max_size=300)

    class ProtocolLaws:
        """The laws, for one protocol."""

        @how
        @given(anything, cuts())
        def test_any_chunking_has_the_same_result(self, data: bytes, cut: Callable[[bytes], list[bytes]]) -> None:
            assert drive(new, cut(data), observe, errors) == drive(new, [data], observe, errors)

        @how
        @given(anything)
        def test_one_byte_at_a_time(self, data: bytes) -> None:
            pieces = [data[index : index + 1] for index in range(len(data))]
            assert drive(new, pieces, observe, errors) == drive(new, [data], observe, errors)

        @how
        @given(st.lists(anything, max_size=8))
        def test_nothing_else_is_raised(self, pieces: list[bytes]) -> None:
            drive(new, pieces, errors=errors)

        @how
        @given(anything, anything)
        def test_what_is_kept_is_bounded(self, beginning: bytes, again: bytes) -> None:
            again = again or b"\0"
            size = max(len(again), limit // 2)
            flood = again * (OVERFLOW * limit // len(again) + 1)
            sent = 0

            def pieces() -> Iterator[bytes]:
                nonlocal sent
                for piece in (beginning, *(flood[begin : begin + size] for begin in range(0, len(flood), size))):
                    sent += len(piece)
                    yield piece

            def check(protocol: Any) -> None:
                kept = retained_bytes(protocol, _surroundings(protocol))
                assert kept <= limit + size, (
                    f"it keeps {kept} bytes, which is more than its limit of {limit} and the {size} that came last; it was sent "
                    f"{sent} bytes: {beginning!r} and then {again!r} again and again"
                )

            drive(new, pieces(), errors=errors, after=check)

    return ProtocolLaws


def _surroundings(protocol: Any) -> list[object]:
    return [getattr(protocol, name, None) for name in ("transport", "factory")]
