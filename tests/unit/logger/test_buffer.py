"""The observer that remembers."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.logger import ILogObserver, LimitedHistoryLogObserver, LogEvent


@pytest.mark.parametrize(("size", "kept"), [(0, []), (3, [7, 8, 9]), (20, range(10)), (None, range(10))])
def test_the_latest_are_replayed_in_order(size: int | None, kept: list[int]) -> None:
    history = LimitedHistoryLogObserver(size)
    for number in range(10):
        history({"n": number})
    for _ in range(2):
        seen: list[LogEvent] = []
        history.replayTo(seen.append)
        assert [event["n"] for event in seen] == list(kept)


def test_events_that_come_during_the_replay_are_kept_and_not_replayed() -> None:
    history = LimitedHistoryLogObserver()
    history({"n": 1})
    history.replayTo(history)
    seen: list[LogEvent] = []
    history.replayTo(seen.append)
    assert len(seen) == 2


def test_is_an_observer() -> None:
    assert verifyObject(ILogObserver, LimitedHistoryLogObserver())
