"""The process monitor: by a clock turned by hand, and with real programs."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings

import pytest

from contract.harness import run_scenario, until
from torsion.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.task import Clock
from torsion.logger.global_ import globalLogPublisher
from torsion.python.failure import Failure
from torsion.python.usage import UsageError
from torsion.runner.procmon import LineLogger, ProcessMonitor
from torsion.runner.procmontap import Options, makeService


@pytest.fixture
def logged():
    events: list = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def lines(events):
    return [(each["tag"], each["stream"], each["line"]) for each in events if "line" in each]


class Program:
    """A program that ends when the clock says so after SIGTERM, and at once after SIGKILL."""

    def __init__(self, reactor, protocol, arguments):
        self.reactor = reactor
        self.protocol = protocol
        self.arguments = arguments
        self.signals = []
        self.patience = 1.0
        self.over = False

    def signalProcess(self, name):
        if self.over:
            raise ProcessExitedAlready
        self.signals.append(name)
        self.reactor.callLater(0 if name == "KILL" else self.patience, self.end, name)

    def end(self, name=None):
        if not self.over:
            self.over = True
            why = ProcessDone(0) if name is None else ProcessTerminated(signal=getattr(signal, f"SIG{name}"))
            self.protocol.processEnded(Failure(why))


class Reactor(Clock):
    def __init__(self):
        super().__init__()
        self.programs = []
        self.refusal = None

    def spawnProcess(self, protocol, executable, args, **keywords):
        if self.refusal is not None:
            raise self.refusal
        program = Program(self, protocol, (executable, args, keywords))
        self.programs.append(program)
        protocol.makeConnection(program)
        return program


@pytest.fixture
def reactor():
    return Reactor()


@pytest.fixture
def monitor(reactor):
    made = ProcessMonitor(reactor)
    made.addProcess("one", ["/bin/one", "-x"], uid=1, gid=2, env={"A": "b"}, cwd="/tmp")
    return made


class TestStarting:
    def test_when_the_service_starts(self, monitor, reactor):
        assert reactor.programs == []
        monitor.startService()
        [program] = reactor.programs
        assert program.arguments == (
            "/bin/one",
            ["/bin/one", "-x"],
            {"uid": 1, "gid": 2, "env": {"A": "b"}, "path": "/tmp"},
        )
        monitor.addProcess("two", ["two"])
        assert reactor.programs[1].arguments[2] == {"uid": None, "gid": None, "env": {}, "path": None}
        monitor.startProcess("one")
        assert len(reactor.programs) == 2, "it runs already"

    def test_names(self, monitor):
        with pytest.raises(KeyError, match="already; remove it first"):
            monitor.addProcess("one", ["other"])
        for method in monitor.startProcess, monitor.stopProcess, monitor.removeProcess:
            with pytest.raises(KeyError, match=r"no process called 'two'; there are \['one'\]"):
                method("two")

    def test_a_system_that_refuses(self, monitor, reactor, logged):
        reactor.refusal = OSError(11, "no more processes")
        monitor.startService()
        assert any("log_failure" in each and each["log_failure"].check(OSError) for each in logged)
        reactor.refusal = None
        reactor.advance(monitor.minRestartDelay)
        assert len(reactor.programs) == 1

    def test_a_mistake_is_raised(self, monitor, reactor):
        reactor.refusal = ValueError("NUL")
        with pytest.raises(ValueError, match="NUL"):
            monitor.startService()
        assert monitor.protocols == {}

    def test_it_shows_what_it_runs(self, monitor):
        assert repr(monitor) == "<ProcessMonitor 'one' (uid=1, gid=2, cwd='/tmp'): ['/bin/one', '-x']>"
        assert repr(ProcessMonitor()) == "<ProcessMonitor>"

    def test_a_copy_runs_nothing(self, monitor):
        monitor.startService()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            copy = pickle.loads(pickle.dumps(monitor))
        assert (copy.running, copy.protocols) == (False, {})
        with pytest.warns(DeprecationWarning, match="deprecated"):
            assert copy.processes == {"one": (["/bin/one", "-x"], 1, 2, {"A": "b"})}


class TestEnding:
    def test_what_has_run_for_long_is_started_at_once(self, monitor, reactor, logged):
        monitor.startService()
        reactor.advance(monitor.threshold)
        reactor.programs[0].end()
        reactor.advance(0)
        assert len(reactor.programs) == 2
        assert logged == []

    def test_what_ends_instantly_is_started_later_and_later(self, monitor, reactor, logged):
        monitor.maxRestartDelay = 5
        monitor.startService()
        for delay in 1, 2, 4, 5, 5:
            before = len(reactor.programs)
            reactor.programs[-1].end("KILL")
            assert f"starting it again in {delay} s" in logged[-1]["log_format"].format(**logged[-1]).replace(
                ".0 s;", " s;"
            )
            reactor.advance(delay - 0.5)
            assert len(reactor.programs) == before
            reactor.advance(0.5)
            assert len(reactor.programs) == before + 1
        reactor.advance(monitor.threshold)
        reactor.programs[-1].end()
        reactor.advance(0)
        assert monitor.delay["one"] == monitor.minRestartDelay, "all is forgiven"

    def test_it_is_asked_before_it_is_killed(self, monitor, reactor, logged):
        monitor.startService()
        [program] = reactor.programs
        program.patience = 1000
        monitor.stopProcess("one")
        monitor.stopProcess("one")
        assert program.signals == ["TERM"]
        reactor.advance(monitor.killTime)
        assert program.signals == ["TERM", "KILL"]
        reactor.advance(0)
        assert (program.over, len(reactor.programs)) == (True, 2)
        assert "killing it" in logged[0]["log_format"]

    def test_one_that_ends_in_time_is_not_killed(self, monitor, reactor):
        monitor.startService()
        monitor.stopProcess("one")
        reactor.advance(1)
        assert monitor.murder == {}
        reactor.advance(monitor.killTime)
        assert reactor.programs[0].signals == ["TERM"]

    def test_one_that_has_just_ended(self, monitor, reactor):
        monitor.startService()
        reactor.programs[0].over = True
        monitor.stopProcess("one")
        assert monitor.murder == {}

    def test_removed(self, monitor, reactor):
        monitor.startService()
        monitor.removeProcess("one")
        reactor.advance(1)
        reactor.advance(1000)
        assert len(reactor.programs) == 1
        monitor.addProcess("one", ["again"])
        assert len(reactor.programs) == 2

    def test_removed_while_it_waits_to_be_started(self, monitor, reactor):
        monitor.startService()
        reactor.programs[0].end()
        monitor.removeProcess("one")
        reactor.advance(1000)
        assert len(reactor.programs) == 1

    def test_restart_all(self, monitor, reactor):
        monitor.addProcess("two", ["two"])
        monitor.startService()
        reactor.advance(10)
        monitor.restartAll()
        reactor.advance(1)
        reactor.advance(0)
        assert [each.over for each in reactor.programs] == [True, True, False, False]

    def test_the_service_stops_when_all_have_ended(self, monitor, reactor):
        monitor.addProcess("two", ["two"])
        monitor.addProcess("three", ["three"])
        monitor.startService()
        reactor.programs[1].patience = 1000
        reactor.programs[2].end()
        stopped = monitor.stopService()
        reactor.advance(1)
        assert not stopped.called
        reactor.advance(monitor.killTime - 1)
        reactor.advance(0)
        assert stopped.called
        reactor.advance(1000)
        assert len(reactor.programs) == 3
        assert monitor.stopService().called

    def test_the_old_way_to_tell(self, monitor, reactor):
        monitor.startService()
        with pytest.warns(DeprecationWarning, match="deprecated"):
            monitor.connectionLost("one")
        assert "one" in monitor.restart


class TestOutput:
    @pytest.fixture
    def protocol(self, monitor):
        monitor.startService()
        return monitor.protocols["one"]

    def test_lines(self, protocol, logged):
        protocol.outReceived(b"a\nb")
        protocol.errReceived(b"wrong\n")
        protocol.outReceived(b"c\n\xff\n")
        protocol.errReceived(b"rest")
        assert protocol.empty
        protocol.processEnded(Failure(ProcessDone(0)))
        assert lines(logged) == [
            ("one", "stdout", "a"),
            ("one", "stderr", "wrong"),
            ("one", "stdout", "bc"),
            ("one", "stdout", repr(b"\xff")),
            ("one", "stderr", "rest"),
        ]

    def test_a_line_without_end_is_logged_in_pieces(self, protocol, logged):
        most = LineLogger.MAX_LENGTH
        for _ in range(10):
            protocol.outReceived(b"x" * 5000)
        protocol.outReceived(b"\nafter\n" + b"y" * 3 * most + b"\nlast\n")
        assert max(len(line) for _, _, line in lines(logged)) <= most
        told = "|".join(line for _, _, line in lines(logged))
        assert told.replace("|", "") == "x" * 50_000 + "after" + "y" * 3 * most + "last"
        assert "|after|" in told
        assert told.endswith("|last")


class TestTap:
    def test_defaults(self):
        options = Options()
        options.parseOptions(["sleep", "10"])
        monitor = makeService(options)
        assert (monitor.threshold, monitor.killTime, monitor.minRestartDelay, monitor.maxRestartDelay) == (
            1,
            5,
            1,
            3600,
        )
        with pytest.warns(DeprecationWarning, match="deprecated"):
            assert monitor.processes == {"sleep 10": (("sleep", "10"), None, None, None)}

    def test_options(self):
        options = Options()
        options.parseOptions(["-t", "2.5", "-k", "0", "-m", "3", "-M", "4", "ls", "-l"])
        monitor = makeService(options)
        assert (monitor.threshold, monitor.killTime, monitor.minRestartDelay, monitor.maxRestartDelay) == (2.5, 0, 3, 4)
        with pytest.warns(DeprecationWarning, match="deprecated"):
            assert list(monitor.processes) == ["ls -l"]

    @pytest.mark.parametrize(
        "arguments", [[], ["-t", "x", "ls"], ["-k", "-1", "ls"], ["-t", "nan", "ls"], ["-m", "2", "-M", "1", "ls"]]
    )
    def test_what_cannot_be(self, arguments):
        with pytest.raises(UsageError):
            Options().parseOptions(arguments)


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are a shell's")
class TestForReal:
    def test_a_program_is_started_again_and_ended(self, logged):
        reactor = NativeReactor()
        monitor = ProcessMonitor(reactor)
        monitor.minRestartDelay = 0.01
        monitor.addProcess(
            "sh", ["/bin/sh", "-c", "echo $$ $WORD; exec sleep 1000"], env={"WORD": "hello", "PATH": os.defpath}
        )

        def pids():
            return [int(line.split()[0]) for _, stream, line in lines(logged) if stream == "stdout"]

        async def scenario():
            monitor.startService()
            await until(reactor, lambda: len(pids()) == 1)
            os.kill(pids()[0], signal.SIGKILL)
            await until(reactor, lambda: len(pids()) == 2)
            await monitor.stopService()
            return pids()

        first, second = run_scenario(reactor, scenario)
        assert first != second
        assert lines(logged)[0][2].endswith(" hello")
        for pid in first, second:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)

    def test_one_that_will_not_end_is_killed(self, logged):
        reactor = NativeReactor()
        monitor = ProcessMonitor(reactor)
        monitor.killTime = 0.01
        monitor.addProcess("sh", ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"], env=None)

        async def scenario():
            monitor.startService()
            await until(reactor, lambda: lines(logged))
            await monitor.stopService()

        run_scenario(reactor, scenario)
        assert any("killing it" in each["log_format"] for each in logged)

    def test_a_program_that_is_not_there(self, logged):
        reactor = NativeReactor()
        monitor = ProcessMonitor(reactor)
        monitor.minRestartDelay = 0.001
        monitor.addProcess("missing", ["/no/such/program"])

        async def scenario():
            monitor.startService()
            await until(reactor, lambda: monitor.delay["missing"] >= 0.008)
            await monitor.stopService()

        run_scenario(reactor, scenario)
        assert any("/no/such/program" in str(each["log_failure"].value) for each in logged if "log_failure" in each)
