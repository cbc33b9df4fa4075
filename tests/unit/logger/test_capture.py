"""Events as a list."""

from __future__ import annotations

import pytest

from torsion.logger import Logger, capturedLogs, globalLogPublisher


def test_events_of_the_block_are_collected() -> None:
    log = Logger("a")
    log.info("before")
    with capturedLogs() as outer:
        log.debug("one")
        with capturedLogs() as inner:
            log.info("two")
        log.info("three")
    log.info("after")
    assert [event["log_format"] for event in outer] == ["one", "two", "three"]
    assert [event["log_format"] for event in inner] == ["two"]


def test_the_observer_goes_when_the_block_raises() -> None:
    def watchers() -> int:
        return len(globalLogPublisher._observers)

    before = watchers()
    with pytest.raises(ZeroDivisionError), capturedLogs():
        assert watchers() == before + 1
        raise ZeroDivisionError
    assert watchers() == before
