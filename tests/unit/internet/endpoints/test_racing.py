"""The order in which addresses are tried, and attempts that race, by a virtual clock."""

from __future__ import annotations

import pytest

from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.defer import Deferred, fail, succeed
from torsion.internet.endpoints.racing import Race, Waiting
from torsion.internet.error import ConnectError
from torsion.internet.task import Clock
from torsion.python.failure import Failure


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


def four(number):
    return IPv4Address("TCP", f"192.0.2.{number}", 80)


def six(number):
    return IPv6Address("TCP", f"2001:db8::{number}", 80)


class TestWaiting:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ([], []),
            ([four(1)], [four(1)]),
            ([six(1), six(2), four(1), four(2)], [six(1), four(1), six(2), four(2)]),
            ([four(1), six(1), six(2), six(3)], [four(1), six(1), six(2), six(3)]),
        ],
    )
    def test_families_take_turns(self, given, expected):
        waiting = Waiting()
        for address in given:
            waiting.add(address)
        taken = []
        while waiting:
            taken.append(waiting.take())
        assert taken == expected

    def test_those_that_come_later(self):
        waiting = Waiting()
        waiting.add(four(1))
        waiting.add(four(2))
        assert waiting.take() == four(1)
        waiting.add(six(1))
        assert [waiting.take(), waiting.take()] == [six(1), four(2)]
        waiting.add(four(3))
        waiting.add(six(2))
        assert [waiting.take(), waiting.take()] == [six(2), four(3)]

    def test_preferred(self):
        waiting = Waiting()
        waiting.add(four(1))
        waiting.prefer(IPv6Address)
        waiting.add(six(1))
        waiting.prefer(IPv6Address)
        assert [waiting.take(), waiting.take()] == [six(1), four(1)]

    def test_clear(self):
        waiting = Waiting()
        waiting.add(four(1))
        waiting.clear()
        assert not waiting


class Failed(Exception):
    """All attempts, as one."""


class TestRace:
    @pytest.fixture
    def clock(self):
        return Clock()

    def prepare(self, clock, attempt=None):
        self.attempts = []

        def one(address):
            self.attempts.append(Deferred())
            return self.attempts[-1]

        return Race(clock, 1.0, attempt or one, lambda failures: Failure(Failed(failures)))

    def race(self, clock, number=3):
        race = self.prepare(clock)
        for index in range(number):
            race.add(index)
        race.start()
        race.complete()
        return race.won

    def test_one_after_the_other(self, clock):
        self.race(clock)
        assert len(self.attempts) == 1
        clock.advance(0.9)
        assert len(self.attempts) == 1
        clock.advance(0.1)
        assert len(self.attempts) == 2
        clock.pump([1, 1, 1])
        assert len(self.attempts) == 3
        assert list(clock.getDelayedCalls()) == []

    def test_the_first_success_wins(self, clock):
        won = results(self.race(clock))
        clock.advance(1)
        self.attempts[1].callback("second")
        assert won == ["second"]
        assert len(self.attempts) == 2
        assert list(clock.getDelayedCalls()) == []
        assert self.attempts[0].called  # since it was cancelled

    def test_after_a_failure_the_next_at_once(self, clock):
        won = results(self.race(clock))
        self.attempts[0].errback(ConnectError(string="first"))
        assert len(self.attempts) == 2
        clock.advance(0.9)
        assert len(self.attempts) == 2  # the clock starts anew with each attempt
        clock.advance(0.1)
        assert len(self.attempts) == 3
        assert won == []

    def test_all_failures_are_kept(self, clock):
        won = results(self.race(clock))
        clock.pump([1, 1])
        for number in (1, 0, 2):
            assert won == []
            self.attempts[number].errback(ConnectError(string=str(number)))
        assert won[0].check(Failed)
        [failures] = won[0].value.args
        assert [(address, failure.value.args) for address, failure in failures] == [
            (1, ("1",)),
            (0, ("0",)),
            (2, ("2",)),
        ]
        assert list(clock.getDelayedCalls()) == []

    def test_cancelled(self, clock):
        race = self.race(clock)
        won = results(race)
        clock.advance(1)
        race.cancel()
        assert isinstance(won[0], Failure)
        assert all(attempt.called for attempt in self.attempts)
        assert list(clock.getDelayedCalls()) == []
        clock.advance(10)
        assert len(self.attempts) == 2

    def test_attempts_that_are_over_at_once(self, clock):
        outcomes = iter([fail(ConnectError()), fail(ConnectError()), succeed("third")])
        race = self.prepare(clock, lambda _: next(outcomes))
        for index in range(3):
            race.add(index)
        race.start()
        assert results(race.won) == ["third"]
        assert list(clock.getDelayedCalls()) == []

    def test_all_fail_at_once(self, clock):
        race = self.prepare(clock, lambda _: fail(ConnectError()))
        for index in range(3):
            race.add(index)
        race.start()
        assert not race.won.called  # there may be more to come
        race.complete()
        assert results(race.won)[0].check(Failed)

    def test_nobody_takes_part(self, clock):
        race = self.prepare(clock)
        race.start()
        race.complete()
        assert results(race.won)[0].value.args == ([],)

    def test_it_begins_when_it_is_told_to(self, clock):
        race = self.prepare(clock)
        race.add(1)
        clock.advance(10)
        assert self.attempts == []
        assert not race.started
        race.start()
        assert len(self.attempts) == 1

    def test_one_that_joins_in(self, clock):
        race = self.prepare(clock)
        race.add(1)
        race.start()
        clock.advance(10)
        race.add(2)
        assert len(self.attempts) == 1
        clock.advance(1)
        assert len(self.attempts) == 2
        for attempt in self.attempts:
            attempt.errback(ConnectError())
        race.add(3)  # now that nothing is under way: at once
        assert len(self.attempts) == 3

    def test_one_that_joins_in_late(self, clock):
        race = self.prepare(clock)
        race.add(1)
        race.start()
        self.attempts[0].callback("first")
        race.add(2)
        race.complete()
        clock.advance(10)
        assert len(self.attempts) == 1

    def test_losers_that_win_all_the_same(self, clock):
        stubborn, second = Deferred(lambda attempt: attempt.callback("too late")), Deferred()
        race = self.prepare(clock, [stubborn, second].__getitem__)
        for index in range(2):
            race.add(index)
        won = results(race.won)
        race.start()
        clock.advance(1)
        second.callback("second")
        assert stubborn.called
        assert won == ["second"]
