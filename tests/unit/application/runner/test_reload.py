"""Reloads of a run: one after the other, with a report whatever happens."""

import pytest

from torsion.application.reloading import ReloadReport
from torsion.application.runner.errors import StartError
from torsion.application.runner.run import Run
from torsion.internet.defer import Deferred
from torsion.logger import globalLogPublisher


@pytest.fixture(autouse=True)
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


@pytest.fixture
def run():
    run = Run({}, [])
    run.state = "ready"
    return run


def outcome(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


def test_hooks_are_called_in_order_and_tell_the_report(run):
    order, first = [], Deferred()
    run.onReload += [lambda: order.append(1) or first, lambda: order.append(2) or run.report.logs.append("a")]
    run.onReloaded.append(order.append)
    done = outcome(run.reload())
    assert order == [1]
    first.callback(None)
    [report] = done
    assert order == [1, 2, report]
    assert report is run.report
    assert report.logs == ["a"]
    assert report.ok


def test_a_hook_that_fails_is_in_the_report_and_keeps_none_from_being_called(run, logged):
    def wrong():
        raise ValueError("no such place")

    def told(report):
        raise ValueError("nor this")

    order = []
    run.onReload += [wrong, lambda: order.append(1)]
    run.onReloaded += [told, lambda report: order.append(2)]
    [report] = outcome(run.reload())
    assert order == [1, 2]
    assert not report.ok
    [trouble] = report.failed
    assert trouble.what.endswith("wrong")
    assert trouble.why == "no such place"
    assert "ValueError" in trouble.traceback
    assert logged[-2]["log_level"].name == "error"
    assert logged[-2]["report"] is report


def test_one_after_the_other_and_those_who_ask_meanwhile_are_served_by_one(run):
    reloads = []
    run.onReload.append(lambda: reloads.append(Deferred()) or reloads[-1])
    first = outcome(run.reload())
    second, third = outcome(run.reload()), outcome(run.reload())
    assert len(reloads) == 1
    reloads[0].callback(None)
    assert len(first) == 1
    assert second == third == []
    assert len(reloads) == 2
    reloads[1].callback(None)
    assert second == third
    assert second[0] is not first[0]
    assert len(reloads) == 2


def test_who_asked_may_have_gone(run):
    reloads = []
    run.onReload.append(lambda: reloads.append(Deferred()) or reloads[-1])
    asked = run.reload()
    found = outcome(asked)
    asked.cancel()
    reloads[0].callback(None)
    assert len(found) == 1
    outcome(run.reload())
    assert len(reloads) == 2


@pytest.mark.parametrize("state", ["starting", "stopping", "stopped"])
def test_only_a_run_that_is_ready_reloads(run, state):
    run.state = state
    [failure] = outcome(run.reload())
    assert failure.check(StartError)
    assert state in failure.getErrorMessage()
    assert run.report == ReloadReport()
