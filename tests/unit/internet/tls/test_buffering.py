"""Small writes that become one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.task import Clock
from torsion.internet.tls.buffering import SmallWrites


@given(st.lists(st.one_of(st.none(), st.integers(0, 100_000)), max_size=60))
def test_all_is_passed_on_in_its_order_and_in_time(steps):
    passed: list[bytes] = []
    clock = Clock()
    small = SmallWrites(passed.append, clock)
    written = waiting = 0
    for number, step in enumerate(steps):
        if step is None:
            clock.advance(0)
            waiting = 0
        else:
            small.write(bytes([number % 256]) * step)
            written += step
            waiting += step
            if waiting > SmallWrites.MAX_BUFFER_SIZE:
                waiting = 0
        assert sum(map(len, passed)) == written - waiting
    small.flush()
    assert b"".join(passed) == b"".join(
        bytes([number % 256]) * step for number, step in enumerate(steps) if step is not None
    )


def test_a_write_that_is_made_while_another_is_passed_on():
    passed: list[bytes] = []
    clock = Clock()

    def pass_on(data: bytes) -> None:
        passed.append(data)
        if len(passed) < 3:
            small.write(b"again")

    small = SmallWrites(pass_on, clock)
    small.write(b"first")
    clock.advance(0)
    clock.advance(0)
    clock.advance(0)
    assert passed == [b"first", b"again", b"again"]


def test_what_is_discarded_is_never_passed_on():
    passed: list[bytes] = []
    clock = Clock()
    small = SmallWrites(passed.append, clock)
    small.write(b"x")
    small.discard()
    assert clock.calls == []
    small.write(b"y")
    clock.advance(0)
    assert passed == []
