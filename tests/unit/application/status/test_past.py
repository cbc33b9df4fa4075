"""Sums over workers never shrink when one of them is replaced, or does not answer."""

from __future__ import annotations

from torsion.application.status.merge import merge
from torsion.application.status.past import Past
from unit.application.status.sample import process, sample


def worker(name, pid, accepted, **changes):
    made = sample(name, process=process(pid), **changes)
    made["listeners"][0]["accepted"] = accepted
    return made


def total(past, *snapshots):
    merged = merge(snapshots, master=sample(), past=past.note(snapshots))
    (port,) = merged["listeners"]
    return merged, port["accepted"] - sample()["listeners"][0]["accepted"]


def test_a_worker_that_is_replaced():
    past = Past()
    assert total(past, worker("0", 10, 100), worker("1", 11, 50))[1] == 150
    merged, accepted = total(past, worker("0", 20, 1), worker("1", 11, 60))
    assert accepted == 161
    assert merged["connections"]["open"] == 15  # only of those that are there
    assert merged["loop"]["turns"] == 300
    assert merged["errors"]["count"] == 12
    assert [each["pid"] for each in merged["workers"]] == [20, 11]
    assert set(merged["processes"]) == {"0", "1"}
    assert total(past, worker("0", 30, 2), worker("1", 31, 3))[1] == 100 + 1 + 60 + 2 + 3


def test_a_worker_that_does_not_answer():
    past = Past()
    total(past, worker("0", 10, 100), worker("1", 11, 50))
    merged, accepted = total(past, worker("0", 10, 101))
    assert accepted == 151
    assert merged["connections"]["open"] == 10
    assert merged["timers"]["pending"] == 4
    assert merged["threads"]["pool"]["threads"] == 4
    assert merged["threads"]["pool"]["completed"] == 297
    assert total(past, worker("0", 10, 101), worker("1", 11, 55))[1] == 156  # it was the same one all the time


def test_nobody_has_gone():
    assert Past().note([worker("0", 10, 1)]) == []
