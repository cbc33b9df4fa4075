"""One result for all who ask at about the same time."""

from __future__ import annotations

import pytest

from torsion.application.status.sharing import FRESH_SECONDS, SHARE, Shared
from torsion.internet.defer import CancelledError, Deferred
from torsion.internet.task import Clock


class Maker:
    """Makes numbers, one after the other, or Deferreds of them; to make one takes some time."""

    def __init__(self, takes=0.0):
        self.clock = Clock()
        self.made = 0
        self.takes = takes
        self.later = None
        self.shared = Shared(self.clock, self.make)

    def make(self):
        self.made += 1
        self.clock.rightNow += self.takes
        if self.later is not None:
            self.later.append(Deferred())
            return self.later[-1]
        return self.made

    def get(self):
        results = []
        self.shared.get().addBoth(results.append)
        return results


def test_a_fresh_result_is_given_once_more():
    maker = Maker()
    assert maker.get() == [1]
    maker.clock.advance(FRESH_SECONDS - 0.01)
    assert maker.get() == [1]
    maker.clock.advance(0.02)
    assert maker.get() == [2]


def test_what_takes_long_is_kept_long():
    """So the loop is never busy with it for more than its share."""
    maker = Maker(takes=0.5)
    assert maker.get() == [1]
    maker.clock.advance(SHARE * 0.5 - 0.01)
    assert maker.get() == [1]
    maker.clock.advance(0.02)
    assert maker.get() == [2]


def test_who_asks_meanwhile_waits_for_the_same():
    maker = Maker()
    maker.later = []
    one, two = maker.get(), maker.get()
    assert maker.made == 1
    maker.later[0].callback("figures")
    assert one == two == ["figures"]


def test_to_wait_does_not_count_as_work():
    maker = Maker()
    maker.later = []
    maker.get()
    maker.clock.advance(5)
    maker.later[0].callback("figures")
    maker.clock.advance(FRESH_SECONDS)
    maker.get()
    assert maker.made == 2


def test_one_who_gives_up_leaves_the_others_alone():
    maker = Maker()
    maker.later = []
    first = maker.shared.get()
    given_up = []
    first.addErrback(lambda failure: given_up.append(failure.check(CancelledError)))
    second = maker.get()
    first.cancel()
    assert given_up == [CancelledError]
    maker.later[0].callback("figures")
    assert second == ["figures"]


def test_a_failure_is_told_to_all_and_not_kept():
    maker = Maker()
    maker.later = []
    one, two = maker.get(), maker.get()
    maker.later[0].errback(ValueError("no figures"))
    assert [each[0].type for each in (one, two)] == [ValueError, ValueError]
    maker.later = None
    assert maker.get() == [2]


@pytest.mark.parametrize("problem", [ValueError, KeyError])
def test_a_maker_that_raises(problem):
    def make():
        raise problem

    results = []
    Shared(Clock(), make).get().addErrback(lambda failure: results.append(failure.type))
    assert results == [problem]
