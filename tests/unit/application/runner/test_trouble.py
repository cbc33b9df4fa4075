"""Why something did not start, as it is told."""

from __future__ import annotations

import sys

import pytest

from torsion.application.runner.errors import StartError
from torsion.application.runner.terminal import complain
from torsion.application.runner.trouble import explain, users
from torsion.internet.error import CannotListenError
from torsion.logger import Logger, LoggingFile


def test_those_that_speak_for_themselves(capsys):
    assert explain(StartError("no room", 5), "start", "torsion x") == 5
    problem = CannotListenError("127.0.0.1", 80, OSError(98, "Address already in use"))
    assert explain(problem, "start") == 1
    assert capsys.readouterr().err == (f"torsion x: no room\ntorsion: cannot start: {problem}\n")


def test_others_come_with_their_traceback(capsys):
    with pytest.raises(LookupError) as caught:
        "x".encode("nothing")
    assert explain(caught.value, "make the service") == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert __file__ in lines[1]
    assert lines[-1] == "torsion: cannot make the service: LookupError: unknown encoding: nothing"


def test_one_without_words(capsys):
    explain(ValueError(), "start")
    assert capsys.readouterr().err.splitlines()[-1] == "torsion: cannot start: ValueError"


def raised(function):
    try:
        function()
    except Exception as problem:
        return problem.__traceback__
    raise AssertionError


def test_a_traceback_begins_with_the_user():
    from torsion.python.reflect import namedAny
    from torsion.python.util import runWithWarningsSuppressed

    def ours():
        raise ValueError

    trace = raised(lambda: runWithWarningsSuppressed([], ours)).tb_next.tb_next
    assert "runWithWarningsSuppressed" in trace.tb_frame.f_code.co_name
    assert users(trace).tb_frame.f_code is ours.__code__
    trace = raised(lambda: namedAny("")).tb_next.tb_next
    assert users(trace) is trace, "there is nothing else"
    assert users(None) is None


def test_a_letter_that_the_terminal_does_not_have(monkeypatch):
    import io

    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stderr", stream)
    complain("dear Zoë")
    assert stream.buffer.getvalue() == b"torsion: dear Zo\\xeb\n"


@pytest.mark.parametrize("how", ["none", "closed"])
def test_nobody_to_complain_to(monkeypatch, how):
    import io

    stream = None
    if how == "closed":
        stream = io.StringIO()
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    complain("anything")


def test_the_real_one_where_standard_error_is_logged(monkeypatch):
    import io

    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", LoggingFile(Logger("x")))
    monkeypatch.setattr(sys, "__stderr__", stream)
    complain("it")
    assert stream.getvalue() == "torsion: it\n"
