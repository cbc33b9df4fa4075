"""Logs in JSON: Twisted reads ours, and we read Twisted's."""

from __future__ import annotations

import io
from typing import Any

import pytest

from contract.flavours import has_twisted
from torsion import logger as ours

pytestmark = [pytest.mark.interop, pytest.mark.skipif(not has_twisted(), reason="Twisted is not installed")]


class Thing:
    number = 7

    def name(self) -> str:
        return "thing"

    def __repr__(self) -> str:
        return "<a thing>"


def written(by: Any, separator: str) -> tuple[str, list[str]]:
    """Return a log that *by*, a logger package, has written, and the texts of its events."""
    file = io.StringIO()
    texts: list[str] = []
    log = by.Logger(
        "here",
        observer=by.LogPublisher(
            by.jsonFileLogObserver(file, separator), lambda event: texts.append(by.formatEvent(event))
        ),
    )
    log.info("nothing to fill in {{}}")
    log.emit(
        by.LogLevel.warn,
        "{it} {it!r} {it.number} {it.name()} {it.number} {words[0]} é {it}",
        it=Thing(),
        words=["a", b"b"],
    )
    try:
        raise KeyError("which")
    except KeyError:
        log.failure("while looking for {what!r}", what="it")
    return file.getvalue(), texts


@pytest.mark.parametrize("separator", ["\x1e", ""])
@pytest.mark.parametrize("writer", ["torsion", "twisted"])
def test_either_reads_the_other_s_logs(writer: str, separator: str) -> None:
    from twisted import logger as theirs

    by, reader = (ours, theirs) if writer == "torsion" else (theirs, ours)
    text, expected = written(by, separator)
    events = list(reader.eventsFromJSONLogFile(io.StringIO(text)))
    assert [reader.formatEvent(event) for event in events] == expected
    assert [event["log_level"] for event in events] == [
        reader.LogLevel.info,
        reader.LogLevel.warn,
        reader.LogLevel.critical,
    ]
    assert reader.extractField("it.number", events[1]) == 7
    assert reader.extractField("it.name()", events[1]) == "thing"
    failure = events[2]["log_failure"]
    assert failure.check(KeyError)
    assert "KeyError" in failure.getTraceback()
    assert "in written" in failure.getTraceback()
    assert reader.eventAsText(events[2]).count("while looking for 'it'") == 1
