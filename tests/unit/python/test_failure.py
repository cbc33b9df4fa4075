"""Failures: what they keep, tell, print, raise, let go of and carry through a pickle."""

# ruff: noqa: PT017, PT031, T100 - failures are made where exceptions are handled; the debugger is never entered

from __future__ import annotations

import dis
import gc
import io
import pdb
import pickle
import sys
import traceback
import weakref
from collections.abc import Generator
from typing import Any

import pytest

from torsion.python import context, failure
from torsion.python.failure import DefaultException, Failure, NoCurrentExceptionError, format_frames, startDebugMode


class Unshowable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Comparable(Exception):
    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.args == other.args

    def __hash__(self) -> int:
        return hash(self.args)


def divide() -> float:
    treasure = "chest"
    return 1 / (len(treasure) - 5)


def caught(captureVars: bool = False) -> Failure:
    try:
        divide()
    except ZeroDivisionError:
        return Failure(captureVars=captureVars)
    raise AssertionError


# --- making one ------------------------------------------------------------------------------------------------------


def test_takes_the_exception_being_handled() -> None:
    try:
        raise ValueError("x")
    except ValueError as error:
        f = Failure()
        assert f.value is error
        assert f.type is ValueError
        assert f.tb is error.__traceback__
    assert not f.captureVars


def test_needs_an_exception() -> None:
    with pytest.raises(NoCurrentExceptionError, match="give Failure an exception"):
        Failure()


def test_takes_an_exception_that_was_never_raised() -> None:
    f = Failure(ValueError("x"))
    assert f.type is ValueError
    assert f.tb is None
    assert f.getTracebackObject() is None
    assert f.frames == []


def test_takes_the_traceback_of_an_exception_that_was_raised() -> None:
    error = caught().value
    assert Failure(error).tb is error.__traceback__ is not None


def test_type_and_traceback_may_be_given() -> None:
    tb = caught().tb
    f = Failure(ValueError("x"), Exception, tb)
    assert f.type is Exception
    assert f.tb is tb


def test_without_an_exception_the_other_arguments_are_not_looked_at() -> None:
    try:
        divide()
    except ZeroDivisionError as error:
        f = Failure(None, ValueError, None)
        assert f.type is ZeroDivisionError
        assert f.tb is error.__traceback__


def test_of_a_failure_is_its_twin() -> None:
    first = caught()
    second = Failure(first)
    assert second.value is first.value
    assert second.tb is first.tb
    assert second.count == first.count


def test_while_a_raised_failure_is_handled_is_its_twin() -> None:
    first = Failure(ValueError("x"))
    try:
        raise first
    except Failure:
        assert Failure().value is first.value


def test_while_a_trapped_failure_is_handled_has_the_same_exception() -> None:
    first = Failure(ValueError("x"))
    try:
        first.trap(KeyError)
    except ValueError:
        assert Failure().value is first.value


def test_each_has_a_number() -> None:
    before = failure.count
    first, second = Failure(ValueError()), Failure(ValueError())
    assert (first.count, second.count) == (before + 1, before + 2)
    assert failure.count == before + 2


def test_what_is_no_exception_is_kept_all_the_same() -> None:
    f = Failure("a text")
    assert f.getErrorMessage() == "a text"
    assert f.type is str
    with pytest.raises(DefaultException) as raised:
        f.raiseException()
    assert raised.value.args == ("a text",)


# --- asking ----------------------------------------------------------------------------------------------------------


def test_check_returns_the_first_match() -> None:
    f = caught()
    assert f.check(KeyError, ArithmeticError, ZeroDivisionError) is ArithmeticError
    assert f.check(KeyError) is None
    assert f.check() is None


def test_check_takes_dotted_names() -> None:
    f = caught()
    assert f.check("builtins.ArithmeticError") == "builtins.ArithmeticError"
    assert f.check("builtins.KeyError", "ZeroDivisionError") is None


def test_check_goes_by_name_where_the_class_is_a_name_or_parents_were_set() -> None:
    f = caught()
    f.parents = ["builtins.KeyError", "builtins.LookupError"]
    assert f.check(ZeroDivisionError) is None
    assert f.check(LookupError) is LookupError
    f.type = "remote.KeyError"
    assert f.check(KeyError) is KeyError
    assert repr(f).endswith(" remote.KeyError: division by zero>")


def test_trap_returns_the_match_or_raises() -> None:
    f = caught()
    assert f.trap(KeyError, ZeroDivisionError) is ZeroDivisionError
    with pytest.raises(ZeroDivisionError) as raised:
        f.trap(KeyError)
    assert raised.value is f.value


def test_parents_are_dotted_names_nearest_first() -> None:
    assert Failure(KeyError()).parents == [
        "builtins.KeyError",
        "builtins.LookupError",
        "builtins.Exception",
        "builtins.BaseException",
        "builtins.object",
    ]


def test_message_of_an_exception_that_has_none() -> None:
    text = Failure(Unshowable()).getErrorMessage()
    assert "Unshowable instance at" in text
    assert "no text" in text


def test_frames_go_from_the_catcher_to_the_raiser() -> None:
    frames = caught().frames
    assert [frame[0] for frame in frames] == ["caught", "divide"]
    assert {frame[1] for frame in frames} == {__file__}
    assert frames[1][2] == divide.__code__.co_firstlineno + 2
    assert frames[1][3:] == ((), ())


def test_captured_variables_are_those_of_the_moment() -> None:
    f = caught(captureVars=True)
    assert f.captureVars
    assert ("treasure", "chest") in f.frames[1][3]
    names = [name for name, _ in f.frames[1][4]]
    assert "divide" in names
    assert "__builtins__" not in names


def test_frames_may_be_set() -> None:
    f = caught()
    f.cleanFailure()
    f.frames = f.frames[1:]
    assert [frame[0] for frame in f.frames] == ["divide"]
    assert [entry.name for entry in traceback.extract_tb(f.getTracebackObject())] == ["divide"]


def test_stack_is_empty_and_deprecated() -> None:
    f = caught()
    with pytest.warns(DeprecationWarning, match="Failure.stack is always empty") as warned:
        assert f.stack == []
        f.stack = []
    assert {warning.filename for warning in warned} == {__file__}


# --- raising ---------------------------------------------------------------------------------------------------------


def test_raises_with_the_old_frames_below_the_new() -> None:
    f = caught()
    with pytest.raises(ZeroDivisionError) as raised:
        f.raiseException()
    names = [entry.name for entry in traceback.extract_tb(raised.value.__traceback__)]
    assert names[0] == "test_raises_with_the_old_frames_below_the_new"
    assert names[-2:] == ["caught", "divide"]


def test_raising_again_and_again_does_not_lengthen_the_traceback() -> None:
    f = caught()
    lengths = set()
    for _ in range(5):
        try:
            f.raiseException()
        except ZeroDivisionError as error:
            lengths.add(len(traceback.extract_tb(error.__traceback__)))
    assert len(lengths) == 1


def test_raising_makes_no_cycle() -> None:
    f = Failure(Comparable("x"))
    gone = weakref.ref(f)
    gc.disable()
    try:
        try:
            f.raiseException()
        except Comparable:
            pass
        del f
        assert gone() is None
    finally:
        gc.enable()


def test_throws_into_a_generator_where_it_waits() -> None:
    def generator() -> Generator[str, None, None]:
        try:
            yield "first"
        except ZeroDivisionError:
            yield "second"

    f = caught()
    waiting = generator()
    assert next(waiting) == "first"
    assert f.throwExceptionIntoGenerator(waiting) == "second"


def test_what_a_generator_raises_comes_out() -> None:
    def generator() -> Generator[None, None, None]:
        yield

    waiting = generator()
    next(waiting)
    with pytest.raises(ZeroDivisionError) as raised:
        caught().throwExceptionIntoGenerator(waiting)
    assert traceback.extract_tb(raised.value.__traceback__)[-1].name == "divide"


def test_a_failure_made_in_a_generator_knows_the_generator_and_the_raiser() -> None:
    made: list[Failure] = []

    def generator() -> Generator[None, None, None]:
        try:
            yield
        except ZeroDivisionError:
            made.append(Failure())

    f = caught()
    waiting = generator()
    next(waiting)
    with pytest.raises(StopIteration):
        f.throwExceptionIntoGenerator(waiting)
    assert made[0].value is f.value
    assert [frame[0] for frame in made[0].frames] == ["generator", "caught", "divide"]
    assert [frame[0] for frame in f.frames] == ["caught", "divide"]


# --- letting go ------------------------------------------------------------------------------------------------------


class Heavy:
    pass


def holding(captureVars: bool = False) -> tuple[Failure, weakref.ref[Heavy]]:
    def fail() -> None:
        heavy = Heavy()
        seen.append(weakref.ref(heavy))
        raise Comparable("x")

    seen: list[weakref.ref[Heavy]] = []
    try:
        fail()
    except Comparable:
        return Failure(captureVars=captureVars), seen[0]
    raise AssertionError


@pytest.mark.parametrize("captureVars", [False, True])
def test_cleaning_lets_go_of_variables(captureVars: bool) -> None:
    f, heavy = holding(captureVars)
    gc.collect()
    assert heavy() is not None
    f.cleanFailure()
    gc.collect()
    assert heavy() is None
    assert f.value.__traceback__ is None
    assert f.tb is None


def test_cleaning_keeps_where_it_was() -> None:
    f = caught()
    before = f.getTraceback()
    f.cleanFailure()
    assert f.getTraceback() == before
    f.cleanFailure()
    assert f.getTraceback() == before


def test_cleaning_makes_texts_of_captured_variables() -> None:
    f = caught(captureVars=True)
    f.cleanFailure()
    assert ("treasure", "'chest'") in f.frames[1][3]


def test_cleaning_does_not_mind_a_value_that_is_no_exception() -> None:
    f = Failure("text")
    f.cleanFailure()
    assert f.frames == []


@pytest.mark.parametrize("captureVars", [False, True])
def test_the_stand_in_for_a_cleaned_traceback_reads_the_same(captureVars: bool) -> None:
    f = caught(captureVars)
    before = traceback.extract_tb(f.getTracebackObject())
    f.cleanFailure()
    after = traceback.extract_tb(f.getTracebackObject())
    assert after == before
    assert [entry.line for entry in after] == [entry.line for entry in before]


def test_the_stand_in_serves_debuggers() -> None:
    f = caught()
    f.cleanFailure()
    tb = f.getTracebackObject()
    assert tb is not None
    assert tb.tb_next is not None
    out = io.StringIO()
    dis.distb(tb.tb_next, file=out)
    assert " --> " in out.getvalue()
    assert tb.tb_next.tb_frame.f_back is tb.tb_frame
    assert [entry.name for entry in traceback.extract_stack(tb.tb_next.tb_frame)] == ["caught", "divide"]


# --- pickles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("cleaned", [False, True])
def test_pickling_keeps_all_but_the_objects(protocol: int, cleaned: bool) -> None:
    try:
        raise Comparable("x")
    except Comparable:
        f = Failure()
    if cleaned:
        f.cleanFailure()
    copy = pickle.loads(pickle.dumps(f, protocol))
    assert type(copy) is Failure
    assert copy.value == f.value
    assert copy.type is Comparable
    assert copy.count == f.count
    assert copy.frames == f.frames
    assert copy.parents == f.parents
    assert copy.pickled
    assert not f.pickled
    assert copy.tb is None
    assert copy.check(Comparable) is Comparable
    assert copy.getTraceback() == f.getTraceback()
    assert [entry.lineno for entry in traceback.extract_tb(copy.getTracebackObject())] == [
        frame[2] for frame in f.frames
    ]


def test_pickling_makes_texts_of_captured_variables() -> None:
    copy = pickle.loads(pickle.dumps(caught(captureVars=True)))
    assert ("treasure", "'chest'") in copy.frames[1][3]


def test_frames_and_parents_of_an_unpickled_one_may_be_set() -> None:
    copy = pickle.loads(pickle.dumps(caught()))
    copy.frames = copy.frames[:1]
    copy.parents = ["somewhere.Else"]
    again = pickle.loads(pickle.dumps(copy))
    assert len(again.frames) == 1
    assert again.parents == ["somewhere.Else"]


def test_subclasses_pickle_as_themselves() -> None:
    assert type(pickle.loads(pickle.dumps(Special(ValueError("x"))))) is Special


class Special(Failure):
    pass


# --- text ------------------------------------------------------------------------------------------------------------


def test_repr_and_str() -> None:
    f = caught()
    assert repr(f) == "<torsion.python.failure.Failure builtins.ZeroDivisionError: division by zero>"
    assert str(f) == f"[Failure instance: {f.getBriefTraceback()}]"


def test_the_default_traceback_looks_as_pythons_own() -> None:
    lines = caught().getTraceback().splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith(", in caught")
    assert lines[2] == "    divide()"
    assert lines[-2] == "    return 1 / (len(treasure) - 5)"
    assert lines[-1] == "builtins.ZeroDivisionError: division by zero"


def test_at_the_end_of_a_program_the_traceback_is_there_without_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "linecache", None)
    try:
        raise ValueError("late")
    except ValueError:
        text = Failure().getTraceback()
    first, place, last = text.splitlines()
    assert (first, last) == ("Traceback (most recent call last):", "builtins.ValueError: late")
    assert place.endswith("in test_at_the_end_of_a_program_the_traceback_is_there_without_its_lines")


def test_the_brief_traceback_has_a_line_for_each_frame() -> None:
    f = caught()
    where = "".join(f"{frame[1]}:{frame[2]}:{frame[0]}\n" for frame in f.frames)
    assert f.getBriefTraceback() == f"Traceback: <class 'ZeroDivisionError'>: division by zero\n{where}"


def test_the_detailed_traceback_is_framed_by_the_number() -> None:
    f = caught()
    text = f.getTraceback(detail="verbose")
    assert text.startswith(f"*--- Failure #{f.count} ---\n")
    assert " [Capture of Locals and Globals disabled (use captureVars=True)]\n" in text
    assert text.endswith(f"builtins.ZeroDivisionError: division by zero\n*--- End of Failure #{f.count} ---\n")
    assert "(pickled)" in pickle.loads(pickle.dumps(f)).getTraceback(detail="verbose")


def test_the_detailed_traceback_shows_captured_variables() -> None:
    text = caught(captureVars=True).getTraceback(detail="verbose")
    assert " [ Locals ]\n  treasure : 'chest'\n ( Globals )\n" in text
    assert "disabled" not in text


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        ("default", "Traceback (most recent call last):\nFailure: builtins.ValueError: x\n"),
        ("brief", "Traceback (failure with no frames): <class 'ValueError'>: x\n"),
    ],
)
def test_without_frames_the_text_says_so(detail: str, text: str) -> None:
    assert Failure(ValueError("x")).getTraceback(detail=detail) == text


def test_notes_follow_the_message() -> None:
    error = ValueError("x")
    error.add_note("while counting sheep")
    assert Failure(error).getTraceback().endswith("builtins.ValueError: x\nwhile counting sheep\n")


def test_frames_without_source_are_shown_without() -> None:
    names: dict[str, Any] = {}
    exec(compile("def f(): 1/0", "<nowhere>", "exec"), names)
    try:
        names["f"]()
    except ZeroDivisionError:
        text = Failure().getTraceback()
    assert '  File "<nowhere>", line 1, in f\nbuiltins.ZeroDivisionError' in text


@pytest.mark.parametrize("detail", ["default", "brief", "verbose"])
def test_a_traceback_never_raises(detail: str) -> None:
    assert "no text" in Failure(Unshowable()).getTraceback(detail=detail)


def test_an_unknown_detail_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'noisy'"):
        caught().getTraceback(detail="noisy")
    with pytest.raises(ValueError, match="default, brief, verbose"):
        format_frames([], print, "noisy")


def test_framework_frames_may_be_left_out() -> None:
    try:
        context.call({}, divide)
    except ZeroDivisionError:
        f = Failure()
    assert [frame[0] for frame in f.frames][1] == "call"
    full, short = f.getTraceback(), f.getTraceback(elideFrameworkCode=True)
    assert "in callWithContext" in full
    assert "in callWithContext" not in short
    assert "in divide" in short


def test_frames_are_not_left_out_where_there_are_no_others() -> None:
    try:
        Failure(KeyError("x")).raiseException()
    except KeyError as error:
        tb = error.__traceback__
        assert tb is not None
        f = Failure(error, exc_tb=tb.tb_next)
    assert f.getTraceback(elideFrameworkCode=True) == f.getTraceback()


def test_printing_goes_to_the_file_given() -> None:
    f = caught()
    for method, detail in [
        (f.printTraceback, "default"),
        (f.printBriefTraceback, "brief"),
        (f.printDetailedTraceback, "verbose"),
    ]:
        out = io.StringIO()
        method(out)
        assert out.getvalue() == f.getTraceback(detail=detail)


def test_printing_without_a_file_goes_to_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(failure, "default_file", lambda: out)
    f = caught()
    f.printTraceback()
    assert out.getvalue() == f.getTraceback()


# --- debugging -------------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    seen: list[Any] = []
    monkeypatch.setattr(pdb, "post_mortem", seen.append)
    monkeypatch.setattr(Failure, "__init__", Failure.__init__)
    startDebugMode()
    return seen


def test_debug_mode_opens_the_debugger(opened: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    f = caught(captureVars=True)
    assert opened == [f.tb]
    assert f.captureVars
    Failure(ValueError("never raised"))
    assert len(opened) == 1
    monkeypatch.setattr(failure, "DO_POST_MORTEM", False)
    caught()
    assert len(opened) == 1
