"""Several processes as one."""

from __future__ import annotations

import pytest

from torsion.application.status.errors import KEPT
from torsion.application.status.lag import SAMPLES
from torsion.application.status.merge import merge
from torsion.application.status.watched import LISTED
from unit.application.status.sample import NOW, connection, process, sample


def crew(count=2, **keywords):
    return merge([sample(str(each), process=process(5000 + each)) for each in range(count)], **keywords)


def test_totals_are_added_up():
    merged = crew()
    assert merged["connections"]["open"] == 10
    assert merged["connections"]["outbox"] == 100
    assert merged["connections"]["by_protocol"]["shop.OrderProtocol"] == 8
    assert merged["timers"]["pending"] == 4
    assert merged["threads"]["pool"]["queued"] == 8
    assert merged["errors"]["by_type"]["LookupError"] == 4
    assert merged["log"]["info"] == 14
    assert merged["loop"]["turns"] == 200
    assert merged["loop"]["turn_times"] == {"bounds": [0.001, 0.1], "counts": [190, 8, 2], "sum": 1.0}
    assert merged["loop"]["lag"]["histogram"]["counts"] == [12, 6, 2]
    assert merged["slow"] == {"threshold": 0.1, "count": 4, "list": merged["slow"]["list"]}


def test_what_is_listed_says_whose_it_is():
    merged = crew()
    assert {each["worker"] for each in merged["connections"]["list"]} == {"0", "1"}
    assert [each["outbox"] for each in merged["connections"]["list"][:3]] == [50, 50, 0]
    assert set(merged["processes"]) == {"0", "1"}


def test_a_port_of_all_is_one_port():
    (port,) = crew()["listeners"]
    assert (port["accepted"], port["open"], port["worker"]) == (24, 10, None)


def test_lists_are_bounded():
    many = sample("0")
    many["connections"]["list"] = [connection(each) for each in range(LISTED)]
    many["errors"]["list"] *= KEPT
    many["loop"]["lag"]["samples"] = [[NOW - 0.25 * each, 0.1] for each in range(SAMPLES, 0, -1)]
    late = sample("1")
    late["loop"]["lag"]["samples"] = [[NOW - 0.25 * each - 90, 0.3] for each in range(SAMPLES, 0, -1)]
    merged = merge([many, late])
    assert len(merged["connections"]["list"]) == LISTED
    assert len(merged["errors"]["list"]) == KEPT
    samples = merged["loop"]["lag"]["samples"]
    assert len(samples) == SAMPLES
    assert samples == sorted(samples)


def test_the_lag_is_that_of_whoever_is_latest():
    slow = sample("1")
    slow["loop"]["lag"] |= {"max": 2.0, "samples": [(at, late + 1) for at, late in slow["loop"]["lag"]["samples"]]}
    lag = merge([sample("0"), slow])["loop"]["lag"]
    assert lag["max"] == 2.0
    assert all(late >= 1 for _, late in lag["samples"])


def test_histograms_with_other_bounds_are_left_alone():
    other = sample("1")
    other["loop"]["turn_times"] = {"bounds": [1.0], "counts": [5, 5], "sum": 1.0}
    assert merge([sample("0"), other])["loop"]["turn_times"]["counts"] == [95, 4, 1]


def test_what_nobody_knows_stays_unknown():
    bare = [sample(str(each)) for each in range(2)]
    for each in bare:
        each["loop"] |= {"turns": None, "turn_times": None}
        each["threads"]["pool"] = None
    merged = merge(bare)
    assert merged["loop"]["turns"] is None
    assert merged["loop"]["turn_times"] is None
    assert merged["threads"]["pool"] is None


def test_the_workers_one_by_one():
    workers = crew(11, missing={"11": "it is starting"}, restarts={"2": 3})["workers"]
    assert [each["worker"] for each in workers] == [str(each) for each in range(12)]
    assert workers[0]["pid"] == 5000
    assert workers[0]["cpu"] == 14.75
    assert workers[0]["lag"] == pytest.approx(0.01)
    assert workers[2]["restarts"] == 3
    assert (workers[11]["state"], workers[11]["problem"], workers[11]["pid"]) == ("missing", "it is starting", None)


def test_the_master_stands_first():
    merged = crew(master=sample(process=process(1)))
    assert merged["process"]["pid"] == 1
    assert merged["connections"]["open"] == 15
    assert merged["loop"]["turns"] == 200  # its loop serves nobody


@pytest.mark.parametrize(
    ("states", "master", "state"),
    [
        (["ready", "starting"], "ready", "ready"),
        (["reloading", "draining"], "ready", "reloading"),
        (["starting", "draining"], "ready", "starting"),
        (["draining"], None, "draining"),
        (["ready"], "draining", "draining"),
        (["ready"], None, "ready"),
        ([], "ready", "starting"),
        ([], "draining", "draining"),
    ],
)
def test_states(states, master, state):
    snapshots = [sample(str(number), state=each) for number, each in enumerate(states)]
    assert merge(snapshots, master=None if master is None else sample(state=master))["state"] == state


def test_nothing_cannot_be_merged():
    with pytest.raises(ValueError, match="nothing to merge"):
        merge([])


def test_what_is_merged_stays_as_it_is():
    one, two = sample("0"), sample("1")
    merge([one, two])
    assert (one, two) == (sample("0"), sample("1"))
