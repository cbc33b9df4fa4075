"""The log on a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from torsion.application.runner.colours import coloured, plainLogObserver, plainly, terminalLogObserver
from torsion.logger import LogLevel
from torsion.python.failure import Failure


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def own(monkeypatch):
    """There is no rich."""
    monkeypatch.setitem(sys.modules, "rich.console", None)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_whether_colours_are_wanted(monkeypatch, variables, expected):
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert coloured(Terminal()) is expected
    assert coloured(io.StringIO()) is False
    assert coloured(object()) is False


def event(level=LogLevel.info, **fields):
    return {"log_time": 0.0, "log_level": level, "log_namespace": "a.b", "log_format": "{x}", "x": "hello", **fields}


def test_its_own_colours(own):
    stream = Terminal()
    terminalLogObserver(stream)(event(LogLevel.warn))
    time, _, rest = stream.getvalue().partition("\x1b[0m ")
    assert time.startswith("\x1b[2m")
    assert rest == "\x1b[33mwarn    \x1b[0m \x1b[36ma.b\x1b[0m hello\n"


def test_an_event_without_a_text(own):
    stream = Terminal()
    terminalLogObserver(stream)({})
    assert stream.getvalue() == ""


def test_an_event_without_a_level(own):
    stream = Terminal()
    terminalLogObserver(stream)({"log_format": "hello"})
    assert "-       \x1b[0m" in stream.getvalue()


@pytest.mark.parametrize("how", ["own", "rich"])
def test_a_failure_and_what_would_control_the_terminal(how, monkeypatch):
    if how == "own":
        monkeypatch.setitem(sys.modules, "rich.console", None)
    else:
        pytest.importorskip("rich", reason="rich is in the dependency group 'test'")
    try:
        raise ValueError("\x1b]0;title\x07")
    except ValueError:
        failure = Failure()
    stream = Terminal()
    terminalLogObserver(stream)(event(LogLevel.critical, x="[bold]\x9b5m\rline\nnext", log_failure=failure))
    said = stream.getvalue()
    assert "[bold]\\x9b5m\\rline\n    next" in plain(said)
    assert "ValueError: \\x1b]0;title\\x07" in plain(said)


def plain(text):
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_plainly():
    assert plainly("a\tb\nc\x00\x1b\x7f\x85é") == "a\tb\nc\\x00\\x1b\\x7f\\x85é"
    stream = Terminal()
    plainLogObserver(stream)(event(x="\x1b[5m"))
    assert stream.getvalue().endswith(" [a.b#info] \\x1b[5m\n")
