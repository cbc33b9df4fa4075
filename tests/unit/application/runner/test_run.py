"""A run in this process: what happens when, and what becomes of it when something fails."""

from __future__ import annotations

import pytest

from torsion.application.runner.errors import StartError
from torsion.application.runner.fitting import Fitting
from torsion.application.runner.fittings import FITTINGS
from torsion.application.runner.run import Run
from torsion.application.service import MultiService, Service
from torsion.internet.defer import Deferred, fail, succeed
from torsion.internet.reactors.native import NativeReactor

HOOKS = ("onMade", "onBound", "onReady", "onStarted", "onStop", "onDrain", "onEnd")


class Told(Service):
    """Tells what is done with it."""

    def __init__(self, name, told):
        self.name, self.told = name, told

    def privilegedStartService(self):
        self.told.append(f"{self.name} privileged")

    def startService(self):
        super().startService()
        self.told.append(f"{self.name} start")

    def stopService(self):
        self.told.append(f"{self.name} stop")
        return super().stopService()


class Recorded:
    """A run whose hooks and services tell."""

    def __init__(self, service=None, fittings=(), stop=True):
        self.told = []
        self.run = Run({}, [], fittings)
        self.run.reactor = NativeReactor()
        self.run.make = lambda: self.told.append("make") or service or Told("service", self.told)
        Told("operating", self.told).setServiceParent(self.run.operating)
        for name in HOOKS:
            getattr(self.run, name).append(lambda name=name: self.told.append(name))
        if stop:
            self.run.onStarted.append(self.run.stop)


def test_the_order():
    recorded = Recorded()
    assert recorded.run.execute() == 0
    assert recorded.told == [
        "make",
        "onMade",
        "operating privileged",
        "service privileged",
        "onBound",
        "operating start",
        "service start",
        "onReady",
        "onStarted",
        "onStop",
        "onDrain",
        "service stop",
        "operating stop",
        "onEnd",
    ]
    assert recorded.run.state == "stopped"


def test_fittings_check_before_any_begins(monkeypatch):
    told = []

    class Tells(Fitting):
        def check(self, run):
            told.append("check")

        def begin(self, run):
            told.append("begin")

        def fit(self, run):
            told.append("fit")

    run = Run({}, [], [Tells(), Tells()])
    run.install = lambda: told.append("install")
    monkeypatch.setattr("torsion.internet._current.current_reactor", NativeReactor)
    run.make = lambda: told.append("make") or Service()
    run.onStarted.append(run.stop)
    assert run.execute() == 0
    assert told == ["check", "check", "begin", "begin", "install", "fit", "fit", "make"]
    run.begin()
    assert len(told) == 8, "it has begun"


@pytest.mark.parametrize("hook", ["onMade", "onBound"])
def test_a_hook_that_fails_before_the_reactor_runs(hook):
    recorded = Recorded()

    def refuse():
        raise StartError("no", 7)

    getattr(recorded.run, hook).append(refuse)
    with pytest.raises(StartError, match="no"):
        recorded.run.execute()
    assert recorded.told[-1] == "onEnd"
    assert recorded.run.state == "stopped"
    assert "onReady" not in recorded.told


def test_a_service_that_fails_to_start_after_others_did():
    told = []

    class Fails(Told):
        def startService(self):
            raise ValueError("no")

    both = MultiService()
    Told("first", told).setServiceParent(both)
    Fails("second", told).setServiceParent(both)
    recorded = Recorded(both)
    with pytest.raises(ValueError, match="no"):
        recorded.run.execute()
    assert "first stop" in told
    assert recorded.told[-2:] == ["operating stop", "onEnd"]


class Listens(Service):
    def __init__(self, result):
        self.result = result

    def whenListening(self):
        return self.result


def test_it_is_ready_when_all_listen():
    waiting = Deferred()
    recorded = Recorded(Listens(waiting))
    states = []
    recorded.run.onReady.append(lambda: states.append(recorded.run.ready()))
    recorded.run.onStarted.append(lambda: states.append(recorded.run.ready()))
    recorded.run.reactor.callLater(0.01, waiting.callback, None)
    assert recorded.run.execute() == 0
    assert states == [False, True]


def test_what_does_not_listen_ends_it(capsys):
    recorded = Recorded(Listens(fail(StartError("nowhere", 3))))
    assert recorded.run.execute() == 3
    assert capsys.readouterr().err == "torsion: nowhere\n"
    assert "onReady" not in recorded.told
    assert recorded.told[-1] == "onEnd"


def test_a_service_may_say_at_once_that_it_listens():
    recorded = Recorded(Listens(succeed(None)))
    assert recorded.run.execute() == 0


def test_a_reactor_that_somebody_else_stops():
    recorded = Recorded(stop=False)
    recorded.run.onStarted.append(recorded.run.reactor.stop)
    assert recorded.run.execute() == 0
    assert recorded.told[-4:] == ["onDrain", "service stop", "operating stop", "onEnd"]


def test_stop_tells_when_all_has_stopped():
    recorded = Recorded(stop=False)

    def stop():
        for _ in range(2):
            recorded.run.stop().addCallback(lambda _: recorded.told.append("told"))

    recorded.run.onStarted.append(stop)
    recorded.run.execute()
    assert recorded.told[-3:] == ["told", "told", "onEnd"]


def test_hooks_of_the_end_are_called_whatever_one_does():
    recorded = Recorded()
    recorded.run.onEnd.append(lambda: 1 / 0)
    recorded.run.onStarted.append(lambda: 1 / 0)
    assert recorded.run.execute() == 0
    assert recorded.told[-1] == "onEnd"


def test_the_exit_status_is_told():
    run = Run({}, [])
    told = []
    run.onExit += [lambda status: 1 / 0, told.append]
    assert run.exit(5) == 5
    assert told == [5]


def test_a_run_that_cannot_be_restarted():
    failures = []
    Run({}, []).restart().addErrback(failures.append)
    assert failures[0].check(StartError)


def test_options_of_fittings_do_not_collide():
    names, letters = [], []
    for fitting in FITTINGS:
        for row in (*fitting.optFlags, *fitting.optParameters):
            names.append(row[0])
            letters += [row[1]] if row[1] else []
        parameters = {row[0] for row in fitting.optParameters}
        assert set(fitting.completions) <= parameters
        assert set(fitting.multiUse) <= parameters
    assert len(names) == len(set(names))
    assert len(letters) == len(set(letters))
