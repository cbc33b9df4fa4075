"""Metrics as Prometheus' own library reads them."""

from __future__ import annotations

import re

import pytest

from torsion.application.status.merge import merge
from torsion.application.status.metrics import metrics, wants_openmetrics
from unit.application.status.sample import HOSTILE, process, sample

pytest.importorskip("prometheus_client", reason="prometheus-client is in the dependency group 'test'")

from prometheus_client import openmetrics, parser
from prometheus_client.openmetrics import parser as openmetrics_parser

assert openmetrics

WORKERS = merge([sample("0"), sample("1", process=process(4712))], master=sample())


def families(snapshot, open_metrics=False):
    text = metrics(snapshot, openmetrics=open_metrics)
    parse = openmetrics_parser if open_metrics else parser
    return {family.name: family for family in parse.text_string_to_metric_families(text)}


def value(family, sample=None, **labels):
    (found,) = [
        each.value
        for each in family.samples
        if (sample is None or each.name == sample) and labels.items() <= each.labels.items()
    ]
    return found


@pytest.mark.parametrize("open_metrics", [False, True])
@pytest.mark.parametrize("snapshot", [sample(), WORKERS])
def test_they_are_read(snapshot, open_metrics):
    found = families(snapshot, open_metrics)
    many = len(snapshot["workers"]) + 1
    assert value(found["torsion_connections"], protocol="shop.OrderProtocol") == 4 * (3 if many > 1 else 1)
    assert found["torsion_accepted_connections"].type == "counter"
    assert len(found["process_cpu_seconds"].samples) == many
    assert value(found["torsion_unhandled_errors"], type="LookupError") == 2 * many
    assert "evil" not in found


def test_what_is_told():
    found = families(sample())
    assert value(found["process_cpu_seconds"]) == 14.75
    assert value(found["process_resident_memory_bytes"]) == 30_000_000
    assert value(found["process_open_fds"]) == 17
    assert value(found["process_max_fds"]) == 1024
    assert value(found["process_start_time_seconds"]) == pytest.approx(1_795_287_229.25)
    assert value(found["torsion_outbox_bytes"]) == 50
    assert value(found["torsion_slow_calls"]) == 2
    assert value(found["torsion_timers"]) == 2
    assert value(found["torsion_threadpool_queued_calls"]) == 4
    assert value(found["torsion_log_events"], level="info") == 7
    assert value(found["torsion_state"], torsion_state="ready") == 1
    assert value(found["torsion_state"], torsion_state="draining") == 0
    assert value(found["torsion_info"], version="1.2.3", name="torsion shop") == 1
    assert value(found["python_info"], version="3.11.7", implementation="CPython") == 1
    assert value(found["python_gc_collections"], generation="0") == 9


def test_histograms_add_up():
    lag = families(sample())["torsion_loop_lag_seconds"]
    assert lag.type == "histogram"
    assert [(each.labels["le"], each.value) for each in lag.samples if each.name.endswith("_bucket")] == [
        ("0.001", 6),
        ("0.01", 9),
        ("+Inf", 10),
    ]
    assert value(lag, "torsion_loop_lag_seconds_count") == 10
    assert value(lag, "torsion_loop_lag_seconds_sum") == 0.2


def test_names_stay_names():
    found = families(sample())
    shown = [each.labels["protocol"] for each in found["torsion_connections"].samples]
    assert HOSTILE in shown  # to the letter


def test_names_cannot_end_a_line():
    text = metrics(sample(name="a\r\x85\u2028b\x1b[2J"))
    assert not re.search("[\r\x85\u2028\x1b]", text)


@pytest.mark.parametrize("open_metrics", [False, True])
def test_the_rules_of_naming(open_metrics):
    for name, family in families(WORKERS, open_metrics).items():
        assert re.fullmatch(r"(torsion|process|python)(_[a-z]+)*", name)
        assert family.documentation
        assert not name.endswith(("_total", "_milliseconds", "_kilobytes"))
        assert name.endswith("_info") == (
            family.type == "gauge"
            and {each.value for each in family.samples} == {1}
            and "version" in family.samples[0].labels
        )
        if "seconds" in name or "bytes" in name:
            assert name.endswith(("_seconds", "_bytes"))
        for each in family.samples:
            if family.type == "counter":
                assert each.name == f"{name}_total"
            assert all(re.fullmatch(r"[a-z_]+", label) for label in each.labels)


def test_workers_are_told_apart():
    found = families(WORKERS)
    assert {each.labels["worker"] for each in found["process_cpu_seconds"].samples} == {"", "0", "1"}
    assert value(found["torsion_worker_ready"], worker="1") == 1


def test_what_is_not_known_is_left_out():
    bare = sample(process=process() | {"rss": None, "descriptors": None, "descriptors_max": None})
    bare["threads"]["pool"] = None
    bare["slow"]["threshold"] = None
    bare["loop"] |= {"turns": None, "waits": None, "busy": None, "opened": None, "closed": None, "turn_times": None}
    found = families(bare)
    absent = {"process_resident_memory_bytes", "process_open_fds", "process_max_fds", "torsion_threadpool_threads"}
    absent |= {"torsion_slow_calls", "torsion_loop_turn_seconds", "torsion_loop_waits", "torsion_streams_opened"}
    assert absent & found.keys() == set()
    assert "process_virtual_memory_bytes" in found


def test_nothing_at_all_is_zero():
    empty = sample()
    empty["connections"] |= {"open": 0, "by_protocol": {}, "list": []}
    empty["errors"] |= {"count": 0, "by_type": {}, "list": []}
    found = families(empty)
    assert [each.value for each in found["torsion_connections"].samples] == [0]
    assert [each.value for each in found["torsion_unhandled_errors"].samples] == [0]


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", True),
        ("application/openmetrics-text; version=0.0.1", False),
        ("application/openmetrics-text; version=1.0.0;q=0.5, text/plain;q=0.4", True),
        ("application/openmetrics-text; version=1.0.0;q=0.3, text/plain;q=0.4", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=x", False),
        # Prometheus 2 and 3
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            True,
        ),
    ],
)
def test_who_wants_openmetrics(accept, wanted):
    assert wants_openmetrics(accept) is wanted
