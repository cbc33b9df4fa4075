"""The options for workers and threads."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from torsion.application.runner.errors import StartError
from torsion.application.runner.threads import MOST_THREADS, Threads
from torsion.application.runner.workers import MOST_WORKERS, Workers
from torsion.application.workers import threads


def coerce(fitting, name):
    return next(row[4] for row in fitting.optParameters if row[0] == name)


@pytest.mark.parametrize(
    ("fitting", "name", "most"), [(Workers, "workers", MOST_WORKERS), (Threads, "threads", MOST_THREADS)]
)
def test_how_many_there_may_be(fitting, name, most):
    number = coerce(fitting, name)
    assert (number("1"), number(str(most))) == (1, most)
    for text in ("0", "-1", str(most + 1)):
        with pytest.raises(ValueError, match=f"between 1 and {most}"):
            number(text)
    with pytest.raises(ValueError):
        number("two")


def test_auto_is_one_for_each_processor():
    assert 1 <= coerce(Workers, "workers")("auto") <= (os.cpu_count() or 1)


def test_how_long_a_worker_may_hang():
    seconds = coerce(Workers, "worker-timeout")
    assert (seconds("0"), seconds("2.5")) == (0, 2.5)
    for text in ("-1", "inf", "nan", "long"):
        with pytest.raises(ValueError):
            seconds(text)


def a_run(worker=None, **options):
    options = {"workers": None, "threads": None, "worker-timeout": 30.0, **options}
    return SimpleNamespace(options=options, worker=worker, supervises=False)


def test_who_asks_for_workers_is_their_master():
    run = a_run(workers=2)
    Workers().begin(run)
    assert run.supervises
    run = a_run()
    Workers().begin(run)
    assert not run.supervises


@pytest.mark.parametrize("value", ["", "x", "0:1000001:1000002"])
def test_nobody_is_a_worker_by_accident(monkeypatch, value):
    monkeypatch.setenv("TORSION_WORKER", value)
    with pytest.raises(StartError, match="this cannot be a worker: "):
        Workers().begin(a_run(value, workers=2))
    assert "TORSION_WORKER" not in os.environ


def test_threads_are_refused_before_anything_is_started(monkeypatch):
    monkeypatch.setattr(threads, "why_not", lambda: "there is a GIL")
    with pytest.raises(StartError, match="--threads does not help here: there is a GIL; use --workers") as caught:
        Threads().begin(a_run(threads=2))
    assert caught.value.status == 2
    Threads().begin(a_run())
    monkeypatch.setattr(threads, "why_not", lambda: None)
    Threads().begin(a_run(threads=2))


def test_they_import_little():
    # As the command's help does, which asks all fittings for their options.
    code = (
        "import sys; import torsion.application.runner.workers, torsion.application.runner.threads;"
        "sys.exit('torsion.application.workers.master' in sys.modules or 'socket' in sys.modules)"
    )
    assert os.spawnl(os.P_WAIT, sys.executable, sys.executable, "-c", code) == 0
