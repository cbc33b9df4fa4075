"""What a Deferred remembers for the humans."""

import gc
from functools import partial

import pytest

from torsion.internet.defer import (
    AlreadyCalledError,
    Deferred,
    fail,
    inlineCallbacks,
    logError,
    setDebugging,
    succeed,
)
from torsion.internet.defer._debug import MOST_NOTED
from torsion.logger import LogLevel, capturedLogs
from torsion.python.failure import Failure


@pytest.fixture
def debugging():
    setDebugging(True)
    yield
    setDebugging(False)


def made():
    return Deferred()


def fired(deferred):
    deferred.callback(1)


def boom(_):
    raise ValueError("boom")


def logged_by(function):
    """The events that calling *function*, and then collecting garbage, has logged."""
    with capturedLogs() as events:
        function()
        gc.collect()
    return events


def added(deferred):
    deferred.addCallback(boom)
    deferred.addCallbacks(passes, boom)


def passes(result):
    return result


class TestUnhandled:
    def test_it_is_logged(self):
        title, event = logged_by(lambda: fail(ValueError("lost")) and None)
        assert (title["log_level"], title["log_format"]) == (LogLevel.critical, "Unhandled error in Deferred:")
        assert title["log_namespace"] == event["log_namespace"] == "torsion.internet.defer"
        assert event["log_failure"].value.args == ("lost",)
        assert event["log_level"] is LogLevel.critical
        assert event["debugInfo"] == ""

    def test_one_that_a_callback_raised(self):
        assert logged_by(lambda: succeed(None).addCallback(boom) and None)[1]["log_failure"].type is ValueError

    def test_in_a_circle(self):
        def lose():
            deferred = fail(ValueError())
            deferred.itself = deferred

        assert len(logged_by(lose)) == 2

    def test_each_is_logged_once(self):
        def lose():
            deferred = fail(ValueError())
            deferred.addErrback(lambda failure: failure)
            deferred.addCallback(lambda result: result)

        assert len(logged_by(lose)) == 2

    def test_of_one_that_was_fired_while_paused(self):
        def lose():
            deferred = Deferred()
            deferred.pause()
            deferred.errback(ValueError())
            deferred.unpause()

        assert len(logged_by(lose)) == 2

    def test_of_a_waiter(self):
        def lose():
            source = Deferred()
            succeed(None).addCallback(lambda _: source)
            source.errback(ValueError())

        assert len(logged_by(lose)) == 2

    @pytest.mark.parametrize(
        "handle",
        [
            lambda deferred: deferred.addErrback(lambda _: None),
            lambda deferred: deferred.addErrback(lambda _: Deferred()),
            lambda deferred: deferred.chainDeferred(Deferred().addErrback(lambda _: None)),
            lambda deferred: succeed(None).addCallback(lambda _: deferred).addErrback(lambda _: None),
        ],
    )
    def test_what_was_handled_is_not(self, handle):
        assert logged_by(lambda: handle(fail(ValueError())) and None) == []

    def test_what_was_handled_later_is_not(self):
        def keep_then_handle():
            deferred = fail(ValueError())
            gc.collect()
            deferred.addErrback(lambda _: None)

        assert logged_by(keep_then_handle) == []


class TestDebugging:
    def test_both_stacks_are_told(self, debugging):
        deferred = made()
        fired(deferred)
        with pytest.raises(AlreadyCalledError) as caught:
            deferred.callback(2)
        lines = str(caught.value).splitlines()
        made_at = [line for line in lines if line.startswith(" C:")]
        fired_at = [line for line in lines if line.startswith(" I:")]
        assert "was created" in made_at[0]
        assert any(line.endswith("in made") for line in made_at)
        assert not any(line.endswith("in fired") for line in made_at)
        assert any(line.endswith("in fired") for line in fired_at)
        assert not any(line.endswith("in made") for line in fired_at)
        assert not any("defer/_" in line for line in lines)

    def test_without_it_only_how_to_be_told(self):
        deferred = made()
        fired(deferred)
        with pytest.raises(AlreadyCalledError) as caught:
            deferred.callback(2)
        assert str(caught.value) == ""
        assert "setDebugging(True)" in "".join(caught.value.__notes__)

    def test_for_one_deferred(self):
        deferred = made()
        deferred.debug = True
        fired(deferred)
        with pytest.raises(AlreadyCalledError, match="I: First Invoker was:"):
            deferred.callback(2)

    def test_switched_off_in_between(self, debugging):
        deferred = made()
        setDebugging(False)
        fired(deferred)
        with pytest.raises(AlreadyCalledError, match="C: Deferred was created:"):
            deferred.callback(2)

    def test_the_log_tells_them_too(self, debugging):
        event = logged_by(lambda: made().errback(ValueError()))[1]
        assert " C:" in event["debugInfo"]
        assert " I:" in event["debugInfo"]
        assert event["log_format"] == "(debug: {debugInfo})"

    def test_of_a_chain(self, debugging):
        source, target = made(), made()
        source.chainDeferred(target)
        fired(source)
        with pytest.raises(AlreadyCalledError, match="in fired"):
            target.callback(2)

    def test_who_added_the_callbacks(self, debugging):
        deferred = made()
        added(deferred)
        deferred.addErrback(boom)
        fired(deferred)
        with pytest.raises(AlreadyCalledError) as caught:
            deferred.callback(2)
        lines = [line for line in str(caught.value).splitlines() if line.startswith(" A:")]
        assert len(lines) == 4
        assert "were added" in lines[0]
        assert ("boom by File" in lines[1], lines[1].endswith("in added")) == (True, True)
        assert ("passes, boom by File" in lines[2], lines[2].endswith("in added")) == (True, True)
        assert lines[3].endswith("in test_who_added_the_callbacks")
        deferred.addErrback(lambda _: None)

    def test_the_log_tells_who_added_them_at_the_moment_it_is_lost(self, debugging):
        deferred = made()
        added(deferred)
        with capturedLogs() as events:
            fired(deferred)
            assert events == []
            deferred.addErrback(boom)  # of a fired one, too
            del deferred
            gc.collect()  # frames that the failures hold lead to it
            assert len(events) == 2
        assert events[1]["debugInfo"].count(" by File ") == 3

    def test_who_added_is_remembered_up_to_a_limit(self, debugging):
        deferred = made()
        for _ in range(MOST_NOTED + 5):
            deferred.addCallback(passes)
        fired(deferred)
        with pytest.raises(AlreadyCalledError) as caught:
            deferred.callback(2)
        assert str(caught.value).count("passes by File") == MOST_NOTED

    def test_those_without_a_name_are_shown(self, debugging):
        deferred = made()
        deferred.addCallback(partial(passes)).chainDeferred(made())
        fired(deferred)
        with pytest.raises(AlreadyCalledError) as caught:
            deferred.callback(2)
        assert "functools.partial" in str(caught.value)
        assert str(caught.value).count(" by File ") == 2

    def test_who_cancelled_it(self, debugging):
        for deferred in (made(), inlineCallbacks(lambda: (yield made()))()):
            deferred.cancel()
            error = deferred.result.value
            deferred.addErrback(lambda _: None)
            assert error.args == ()
            assert __file__ in error.__notes__[0]
            assert error.__notes__[0].endswith("in test_who_cancelled_it")

    def test_without_it_a_cancellation_says_nothing(self):
        deferred = made()
        deferred.cancel()
        assert not hasattr(deferred.result.value, "__notes__")
        deferred.addErrback(lambda _: None)

    def test_one_that_is_made_fired(self, debugging):
        with pytest.raises(AlreadyCalledError, match="test_one_that_is_made_fired"):
            succeed(1).callback(2)

    @pytest.mark.parametrize("on", [False, True])
    def test_failures_capture_variables(self, on):
        setDebugging(on)
        try:
            deferred = succeed(None).addCallback(boom)
        finally:
            setDebugging(False)
        assert bool(deferred.result.captureVars) is on
        deferred.addErrback(lambda _: None)


def test_log_error():
    failure = Failure(ValueError())
    with capturedLogs() as events:
        assert logError(failure) is failure
    assert [event["log_failure"] for event in events] == [failure]
