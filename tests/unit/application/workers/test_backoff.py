"""When a worker that ended is started again."""

from __future__ import annotations

import pytest

from torsion.application.workers.backoff import FIRST, JITTER, LONGEST, SETTLED, Backoff


def middle(low, high):
    return (low + high) / 2


def test_the_first_is_replaced_at_once_and_others_ever_later():
    backoff = Backoff(middle)
    assert [backoff.ended(0) for _ in range(9)] == [0, 0.5, 1, 2, 4, 8, 16, LONGEST, LONGEST]
    assert backoff.failures == 9


def test_one_that_had_settled_ends_the_row():
    backoff = Backoff(middle)
    for _ in range(5):
        backoff.ended(SETTLED / 2)
    assert backoff.ended(SETTLED) == 0
    assert backoff.failures == 1
    assert backoff.ended(0) == FIRST


@pytest.mark.parametrize("edge", [min, max])
def test_delays_vary_but_never_exceed_the_longest(edge):
    backoff = Backoff(edge)
    backoff.ended(0)
    assert backoff.ended(0) == pytest.approx(FIRST * (1 + JITTER * (1 if edge is max else -1)))
    assert max(backoff.ended(0) for _ in range(20)) <= LONGEST


def test_a_day_of_failures_overflows_nothing():
    backoff = Backoff(middle)
    backoff.failures = 100_000
    assert backoff.ended(0) == LONGEST


def test_by_default_two_slots_do_not_come_back_together():
    delays = set()
    for _ in range(20):
        backoff = Backoff()
        backoff.ended(0)
        delays.add(backoff.ended(0))
    assert len(delays) > 1
    assert all(FIRST * (1 - JITTER) <= each <= FIRST * (1 + JITTER) for each in delays)
