"""Events in the system's log."""

from __future__ import annotations

from typing import Any

import pytest

stdsyslog = pytest.importorskip("syslog", reason="there is no such log on this system")

from torsion.logger import syslog
from torsion.logger.legacy import LogPublisher
from torsion.python import syslog as old_name


class Recording(syslog.SyslogObserver):
    opened: Any = None
    lines: list[tuple[int, str]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.lines = []
        super().__init__(*args, **kwargs)

    def openlog(self, *args: Any) -> None:  # type: ignore[override]  # that one is a static method
        self.opened = args

    def syslog(self, *args: Any) -> None:  # type: ignore[override]  # as above
        self.lines.append(args)


def lines_of(**event: Any) -> list[tuple[int, str]]:
    observer = Recording("me")
    observer.emit({"message": (), "isError": 0, "system": "-", **event})
    return observer.lines


def test_the_log_is_opened_as_asked() -> None:
    assert Recording("me").opened == ("me", syslog.DEFAULT_OPTIONS, stdsyslog.LOG_USER)
    assert Recording("me", stdsyslog.LOG_PID, facility=stdsyslog.LOG_MAIL).opened == (
        "me",
        stdsyslog.LOG_PID,
        stdsyslog.LOG_MAIL,
    )


def test_an_event_becomes_a_line() -> None:
    assert lines_of(message=("hello", "you"), system="here") == [(stdsyslog.LOG_INFO, "[here] hello you")]
    assert lines_of(format="%(x)d", x=3) == [(stdsyslog.LOG_INFO, "[-] 3")]
    assert lines_of() == []
    assert lines_of(message=("",)) == []


def test_further_lines_are_indented() -> None:
    info = stdsyslog.LOG_INFO
    assert lines_of(message=("a\nb\n\nc\n\n",)) == [
        (info, "[-] a"),
        (info, "[-] \tb"),
        (info, "[-] \t"),
        (info, "[-] \tc"),
    ]


def test_what_the_log_cannot_take_is_escaped() -> None:
    assert lines_of(message=("a\0b\udc80",)) == [(stdsyslog.LOG_INFO, "[-] a\\0b?")]


def test_priorities() -> None:
    assert lines_of(message=("a",), isError=1)[0][0] == stdsyslog.LOG_ALERT
    assert lines_of(message=("a",), isError=1, syslogPriority=stdsyslog.LOG_DEBUG)[0][0] == stdsyslog.LOG_DEBUG
    assert lines_of(message=("a",), syslogFacility=stdsyslog.LOG_MAIL)[0][0] == stdsyslog.LOG_MAIL | stdsyslog.LOG_INFO
    assert lines_of(message=("a",), syslogPriority=stdsyslog.LOG_EMERG)[0][0] == stdsyslog.LOG_EMERG


def test_an_error_has_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from torsion.python.failure import Failure

    observer = Recording("me")
    publisher = LogPublisher()
    publisher.addObserver(observer.emit)
    publisher.msg(failure=Failure(ZeroDivisionError("x")), isError=1, why="while dividing")
    assert observer.lines[0] == (stdsyslog.LOG_ALERT, "[-] while dividing")
    assert observer.lines[-1] == (stdsyslog.LOG_ALERT, "[-] \tFailure: builtins.ZeroDivisionError: x")


def test_logging_begins_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(syslog, "SyslogObserver", Recording)
    monkeypatch.setattr(syslog, "startLoggingWithObserver", lambda emit, setStdout: begun.append((emit, setStdout)))
    old_name.startLogging("me", setStdout=False)
    [(emit, redirect)] = begun
    assert isinstance(emit.__self__, Recording)
    assert emit.__self__.opened[0] == "me"
    assert redirect is False


def test_a_real_log_takes_it() -> None:
    syslog.SyslogObserver("torsion-test").emit({"message": ("a\0b",), "isError": 0, "system": "-"})
