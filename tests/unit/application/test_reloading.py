"""Reloading services, and the report of a reload."""

import json

import pytest
from zope.interface import implementer

from torsion.application import reloading
from torsion.application.reloading import RELOAD_SECONDS, IReloads, ReloadError, ReloadReport, Trouble, reloadServices
from torsion.application.service import MultiService, Service
from torsion.internet.defer import Deferred
from torsion.internet.task import Clock


@implementer(IReloads)
class Shop(Service):
    def __init__(self, name, order, does=lambda: None):
        self.setName(name)
        self.order = order
        self.does = does

    def reload(self):
        self.order.append(self.name)
        return self.does()


def fails():
    raise ValueError("line 7 of shop.conf: no such price")


def outcome(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


def test_one_after_the_other():
    order, first = [], Deferred()
    done = outcome(reloadServices([Shop("a", order, lambda: first), Service(), Shop("b", order)]))
    assert order == ["a"]
    first.callback(["what it returns is its own business"])
    assert order == ["a", "b"]
    assert done == [["a (Shop)", "b (Shop)"]]


def test_those_that_fail_are_told_of_and_the_others_reload():
    order, inner = [], MultiService()
    Shop("b", order, fails).setServiceParent(inner)
    Shop("c", order).setServiceParent(inner)
    [failure] = outcome(reloadServices([Shop("a", order), inner, Shop("d", order)]))
    assert failure.check(ReloadError)
    assert failure.value.reloaded == ["a (Shop)", "c (Shop)", "d (Shop)"]
    [(name, why)] = failure.value.failed
    assert name == "b (Shop)"
    assert why.check(ValueError)
    assert str(failure.value) == "b (Shop) could not reload: line 7 of shop.conf: no such price"


def test_one_that_never_ends_is_cancelled_and_the_others_reload(monkeypatch):
    clock, order, cancelled = Clock(), [], []
    monkeypatch.setattr(reloading, "current_reactor", lambda: clock)
    inner = MultiService()
    Shop("a", order, lambda: Deferred(cancelled.append)).setServiceParent(inner)
    done = outcome(reloadServices([inner, Shop("b", order)]))
    clock.advance(RELOAD_SECONDS - 1)
    assert done == []
    clock.advance(1)
    [failure] = done
    assert order == ["a", "b"]
    assert len(cancelled) == 1
    assert str(failure.value) == "a (Shop) could not reload: it has not done so within 60 seconds, and was cancelled"
    assert clock.getDelayedCalls() == []


def test_one_that_ends_in_time_leaves_no_timer(monkeypatch):
    clock, task = Clock(), Deferred()
    monkeypatch.setattr(reloading, "current_reactor", lambda: clock)
    done = outcome(reloadServices([Shop("a", [], lambda: task)]))
    task.callback(None)
    assert done == [["a (Shop)"]]
    assert clock.getDelayedCalls() == []


@pytest.fixture
def report():
    return ReloadReport(
        logs=["/log/shop"],
        rebuilt={"shop": ["Basket.add", "PRICE"], "till": []},
        services=["till (Till)"],
        failed=[Trouble("stock", "it stays as it was: ZeroDivisionError", "Traceback\n  here\nZeroDivisionError\n")],
        notUpdated=[Trouble("shop.Basket", "its slots were none and are name")],
        seconds=0.25,
    )


def test_a_report_reads_well(report):
    assert str(report) == (
        "reloaded in 0.250 s: 1 log file, 2 modules, 1 service, 1 thing not updated, 1 failure\n"
        "  opened anew: /log/shop\n"
        "  rebuilt shop: Basket.add, PRICE\n"
        "  rebuilt till: nothing changed\n"
        "  reloaded: till (Till)\n"
        "  not updated: shop.Basket: its slots were none and are name\n"
        "  failed: stock: it stays as it was: ZeroDivisionError\n"
        "    Traceback\n"
        "      here\n"
        "    ZeroDivisionError"
    )
    assert str(ReloadReport()) == "reloaded in 0.000 s: nothing to do"


def test_ok_and_complete(report):
    assert not report.ok
    report.failed.clear()
    assert report.ok
    assert not report.complete
    report.notUpdated.clear()
    assert report.complete


def test_a_report_goes_through_json_into_another(report):
    answer = json.loads(json.dumps(report.asDict()))
    assert not answer["ok"]
    assert answer["text"] == str(report)
    whole = ReloadReport(logs=["/log/shop"])
    whole.include(answer, "worker 0")
    whole.include(answer, "worker 1")
    assert whole.logs == report.logs
    assert whole.rebuilt == report.rebuilt
    assert whole.services == report.services
    assert whole.notUpdated == report.notUpdated
    assert [each.what for each in whole.failed] == ["worker 0: stock", "worker 1: stock"]
    assert whole.failed[0].traceback == report.failed[0].traceback
