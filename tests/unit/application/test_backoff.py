"""How long a client waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.application.backoff import backoffPolicy


@pytest.mark.parametrize(("attempt", "wait"), [(0, 3.0), (1, 5.0), (2, 9.0), (5, 65.0), (6, 101.0), (10**6, 101.0)])
def test_waits_grow_up_to_a_limit(attempt, wait):
    assert backoffPolicy(2.0, 100.0, 2.0, jitter=lambda: 1.0)(attempt) == wait


def test_the_usual_one():
    policy = backoffPolicy()
    assert all(1.5 <= policy(1) < 2.5 for _ in range(100))
    assert all(60.0 <= policy(100) < 61.0 for _ in range(100))
    assert len({policy(1) for _ in range(100)}) > 1


@given(st.floats(0, 1e300), st.floats(0, 1e300), st.floats(0, 1e300), st.integers(0, 10**9))
def test_never_longer_than_the_limit(first, longest, factor, attempt):
    assert 0 <= backoffPolicy(first, longest, factor, jitter=lambda: 0)(attempt) <= longest
