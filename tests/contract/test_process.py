"""``IReactorProcess``: child processes, their pipes and terminals, and their end."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from contract.harness import nothing_left_open, pause, run_scenario, until
from torsion.internet import error, utils
from torsion.internet.defer import Deferred
from torsion.internet.interfaces import IConsumer, IProcessTransport, IReactorProcess
from torsion.internet.protocol import ProcessProtocol

SHELL = "/bin/sh"


class Child(ProcessProtocol):
    """Notes what it is told, and does what a test asks for in any hook."""

    def __init__(self, do: dict[str, Any] | None = None) -> None:
        self.do = do or {}
        self.events: list[Any] = []
        self.written: dict[int, bytes] = {}
        self.reason: Any = None
        self.ended: Deferred[Any] = Deferred()

    def note(self, event: Any) -> None:
        self.events.append(event)
        name = event if isinstance(event, str) else event[0]
        if name in self.do:
            self.do[name](self)

    def connectionMade(self) -> None:
        self.note("connectionMade")

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.written[childFD] = self.written.get(childFD, b"") + data
        self.note(("data", childFD))

    def childConnectionLost(self, childFD: int) -> None:
        self.note(("closed", childFD))

    def processExited(self, reason: Any) -> None:
        self.note("processExited")

    def processEnded(self, reason: Any) -> None:
        self.reason = reason.value
        self.note("processEnded")
        self.ended.callback(reason.value)


def shell(reactor: Any, script: str, do: dict[str, Any] | None = None, **options: Any) -> Child:
    child = Child(do)
    options.setdefault("env", None)
    reactor.spawnProcess(child, SHELL, ["sh", "-c", script], **options)
    return child


def descriptors() -> set[str]:
    gc.collect()  # the reactors of other tests have some
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def children() -> set[int]:
    """The processes that are ours and were not waited for."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found.update(int(pid) for pid in (task / "children").read_text().split())
    return found


@pytest.fixture(autouse=True)
def nothing_left(reactor):
    """No zombie and no descriptor is left of any test, but those of the reactor itself."""
    before = children()
    with nothing_left_open():
        yield
    left = children() - before
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


class TestPipes:
    def test_interfaces(self, reactor, run):
        async def scenario():
            child = shell(reactor, "cat")
            assert verifyObject(IProcessTransport, child.transport)
            assert verifyObject(IConsumer, child.transport)
            child.transport.closeStdin()
            await child.ended

        assert verifyObject(IReactorProcess, reactor)
        run(scenario)

    def test_input_output_and_error_are_apart(self, reactor, run):
        async def scenario():
            child = shell(reactor, "cat; echo complaint >&2; exit 3")
            child.transport.write(b"to ")
            child.transport.writeSequence([b"the ", b"child"])
            child.transport.closeStdin()
            ended = await child.ended
            assert isinstance(ended, error.ProcessTerminated)
            assert (ended.exitCode, ended.signal, ended.status) == (3, None, 3 << 8)
            assert child.written == {1: b"to the child", 2: b"complaint\n"}
            assert child.transport.pid is None
            return child.events

        events = run(scenario)
        assert events[0] == "connectionMade"
        assert events[-1] == "processEnded"
        assert {("closed", 0), ("closed", 1), ("closed", 2), "processExited"} < set(events)

    def test_success(self, reactor, run):
        async def scenario():
            ended = await shell(reactor, "exit 0").ended
            assert isinstance(ended, error.ProcessDone)

        run(scenario)

    def test_megabytes_both_ways_with_a_producer(self, reactor, run):
        class Producer:
            def __init__(self, consumer: Any) -> None:
                self.consumer, self.left, self.paused = consumer, 64, 0

            def resumeProducing(self) -> None:
                self.go = True
                while self.go and self.left:
                    self.left -= 1
                    self.consumer.write(b"x" * 65536)
                if not self.left:
                    self.consumer.unregisterProducer()
                    self.consumer.closeStdin()

            def pauseProducing(self) -> None:
                self.go = False
                self.paused += 1

            def stopProducing(self) -> None:
                self.left = 0

        async def scenario():
            child = shell(reactor, "cat")
            producer = Producer(child.transport)
            child.transport.registerProducer(producer, True)
            producer.resumeProducing()
            await child.ended
            assert len(child.written[1]) == 64 * 65536
            assert producer.paused > 0

        run(scenario)

    def test_pausing_holds_the_child_back(self, reactor, run):
        async def scenario():
            child = shell(reactor, "head -c 1000000 /dev/zero")
            child.transport.pauseProducing()
            await pause(reactor, 0.05)
            assert child.written == {}
            assert "processExited" not in child.events
            child.transport.resumeProducing()
            await child.ended
            assert len(child.written[1]) == 1000000

        run(scenario)

    def test_any_descriptors(self, reactor, run, tmp_path):
        async def scenario():
            child = Child()
            process = reactor.spawnProcess(
                child,
                SHELL,
                ["sh", "-c", "cat <&5 >&7; echo here >&9; ls /proc/self/fd"],
                env=None,
                childFDs={1: "r", 5: "w", 7: "r", 9: file.fileno()},
            )
            process.writeToChild(5, b"five")
            process.closeChildFD(5)
            await child.ended
            assert child.written[7] == b"five"
            # 3 is what ls reads the folder with: nothing of ours was inherited
            assert set(child.written[1].split()) <= {b"0", b"1", b"3", b"5", b"7", b"9"}
            with pytest.raises(KeyError):
                process.writeToChild(5, b"late")

        with (tmp_path / "out").open("wb") as file:
            run(scenario)
        assert (tmp_path / "out").read_bytes() == b"here\n"

    def test_a_child_that_closes_its_pipes_but_lives(self, reactor, run):
        async def scenario():
            child = shell(reactor, "exec <&- >&- 2>&-; sleep 1000")
            await until(reactor, lambda: len(child.events) == 4)
            assert set(child.events[1:]) == {("closed", 0), ("closed", 1), ("closed", 2)}
            assert child.transport.pid is not None
            child.transport.signalProcess("KILL")
            await child.ended
            assert child.events[-2:] == ["processExited", "processEnded"]

        run(scenario)

    def test_a_grandchild_that_keeps_the_pipes_open(self, reactor, run):
        async def scenario():
            child = shell(reactor, "sleep 1000 & echo $!")
            await until(reactor, lambda: "processExited" in child.events and child.written)
            assert "processEnded" not in child.events
            child.transport.loseConnection()
            await child.ended
            os.kill(int(child.written[1]), signal.SIGKILL)

        run(scenario)

    def test_output_that_nobody_wants(self, reactor, run):
        async def scenario():
            child = shell(reactor, "exec yes")
            child.transport.closeStdout()
            ended = await child.ended
            assert ended.signal == signal.SIGPIPE

        run(scenario)

    def test_what_a_hook_raises_costs_its_pipe(self, reactor, run, logged):
        def fail(child):
            raise ValueError("on purpose")

        async def scenario():
            child = shell(reactor, "echo out; echo err >&2; cat", {"data": fail})
            await until(reactor, lambda: {("closed", 1), ("closed", 2)} <= set(child.events))
            child.transport.closeStdin()
            await child.ended

        run(scenario)
        assert len(logged.take(ValueError)) == 2

    @pytest.mark.parametrize("usePTY", [False, True])
    def test_what_the_first_hook_raises_is_logged(self, reactor, run, logged, usePTY):
        def fail(child):
            raise ValueError("on purpose")

        async def scenario():
            child = Child({"connectionMade": fail})
            transport = reactor.spawnProcess(child, SHELL, ["sh", "-c", "echo hello"], usePTY=usePTY)
            assert transport is child.transport
            assert isinstance(await child.ended, error.ProcessDone)
            assert child.written[1].rstrip() == b"hello"

        run(scenario)
        assert len(logged.take(ValueError)) == 1

    def test_what_the_last_hooks_raise_is_logged(self, reactor, run, logged):
        def fail(child):
            raise ValueError("on purpose")

        async def scenario():
            child = shell(reactor, "true", {"closed": fail, "processExited": fail, "processEnded": fail})
            await until(reactor, lambda: "processEnded" in child.events)

        run(scenario)
        assert len(logged.take(ValueError)) == 5


class TestEnvironment:
    def test_it_is_empty_unless_given(self, reactor, run):
        async def scenario():
            child = Child()
            reactor.spawnProcess(child, "/usr/bin/env", ["env"])
            await child.ended
            return child.written

        assert run(scenario) == {}

    def test_variables_and_folder(self, reactor, run, tmp_path):
        async def scenario():
            child = shell(reactor, 'echo "$A"; pwd; echo "${HOME-none}"', env={"A": "ä"}, path=str(tmp_path))
            await child.ended
            return child.written[1]

        assert run(scenario) == f"ä\n{tmp_path}\nnone\n".encode()

    def test_search_path(self, reactor, run, tmp_path):
        program = tmp_path / "say-hello"
        program.write_text("#!/bin/sh\necho hello\n")
        program.chmod(0o755)

        async def scenario():
            child = Child()
            path = f"/nonexistent:{tmp_path}:{os.defpath}"
            reactor.spawnProcess(child, "say-hello", ["say-hello"], env={"PATH": path})
            await child.ended
            return child.written[1]

        assert run(scenario) == b"hello\n"

    def test_signals_are_let_in_and_mean_what_they_do(self, reactor, run):
        async def scenario():
            child = shell(reactor, "exec grep -E 'Sig(Blk|Ign)' /proc/self/status")
            await child.ended
            return child.written[1]

        assert {int(line.split()[1], 16) for line in run(scenario).splitlines()} == {0}

    @pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may become another")
    def test_another_user(self, reactor, run):
        async def scenario():
            child = shell(reactor, "id -u; id -g; id -G", uid=65534, gid=65533, path="/")
            await child.ended
            return child.written[1].split()

        assert run(scenario) == [b"65534", b"65533", b"65533"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("executable", "path", "kind", "named"),
        [
            ("/nonexistent/program", None, FileNotFoundError, "/nonexistent/program"),
            ("torsion-no-such-program", None, FileNotFoundError, "torsion-no-such-program"),
            ("/", None, PermissionError, "/"),
            (SHELL, "/nonexistent", FileNotFoundError, "/nonexistent"),
        ],
    )
    @pytest.mark.parametrize("terminal", [False, True])
    def test_what_is_not_there_is_named(self, reactor, executable, path, kind, named, terminal):
        before = descriptors()
        child = Child()
        with pytest.raises(kind) as caught:
            reactor.spawnProcess(child, executable, [executable], env=None, path=path, usePTY=terminal)
        assert caught.value.filename == named
        assert child.events == []
        assert descriptors() == before

    @pytest.mark.parametrize(
        ("options", "kind", "said"),
        [
            ({"args": ["a\0b"]}, ValueError, "null byte"),
            ({"args": [1]}, TypeError, "not int"),
            ({"env": {"A=B": "c"}}, ValueError, "'='"),
            ({"childFDs": {0: "x"}}, ValueError, "'x'"),
            ({"childFDs": {}, "usePTY": True}, ValueError, "usePTY"),
            ({"childFDs": {0: 12345}}, OSError, "descriptor"),
        ],
    )
    def test_wrong_arguments(self, reactor, options, kind, said):
        before = descriptors()
        with pytest.raises(kind, match=said):
            reactor.spawnProcess(Child(), SHELL, **{"args": ["sh"], **options})
        assert descriptors() == before


class TestSignals:
    @pytest.mark.parametrize("name", ["KILL", "SIGTERM", signal.SIGHUP, 10])
    def test_ended_by_a_signal(self, reactor, run, name):
        async def scenario():
            child = shell(reactor, "echo; exec sleep 1000")
            await until(reactor, lambda: child.written)
            child.transport.signalProcess(name)
            ended = await child.ended
            number = name if isinstance(name, int) else getattr(signal, "SIG" + name.removeprefix("SIG"))
            assert (ended.signal, ended.exitCode) == (number, None)
            with pytest.raises(error.ProcessExitedAlready):
                child.transport.signalProcess("KILL")

        run(scenario)

    def test_a_name_that_is_none(self, reactor, run):
        async def scenario():
            child = shell(reactor, "cat")
            with pytest.raises(ValueError, match="'NONSENSE'"):
                child.transport.signalProcess("NONSENSE")
            child.transport.closeStdin()
            await child.ended

        run(scenario)


class TestTerminal:
    def test_it_is_a_controlling_terminal(self, reactor, run):
        async def scenario():
            child = shell(reactor, "tty; echo here >/dev/tty; read line; echo got $line", usePTY=True)
            await until(reactor, lambda: b"here" in child.written.get(1, b""))
            child.transport.write(b"typed\n")
            ended = await child.ended
            assert isinstance(ended, error.ProcessDone)
            return child.written[1], child.transport.terminal

        written, terminal = run(scenario)
        assert terminal.encode() in written
        assert b"got typed" in written

    def test_closing_hangs_up(self, reactor, run):
        async def scenario():
            child = shell(reactor, "echo ready; exec sleep 1000", usePTY=True)
            await until(reactor, lambda: child.written)
            child.transport.loseConnection()
            ended = await child.ended
            assert ended.signal == signal.SIGHUP

        run(scenario)

    def test_one_that_ignores_it_is_killed(self, reactor, run):
        async def scenario():
            child = shell(reactor, "trap '' TERM HUP; echo ready; while :; do sleep 0.01; done", usePTY=True)
            await until(reactor, lambda: child.written)
            child.transport.signalProcess("TERM")
            await pause(reactor, 0.05)
            assert child.transport.pid is not None
            child.transport.signalProcess("KILL")
            ended = await child.ended
            assert ended.signal == signal.SIGKILL

        run(scenario)

    def test_a_terminal_of_the_callers(self, reactor, run):
        async def scenario():
            master, slave = os.openpty()
            child = shell(reactor, "echo hello", usePTY=(master, slave, os.ttyname(slave)))
            await until(reactor, lambda: "processExited" in child.events and child.written)
            os.close(slave)
            await child.ended
            assert child.written[1] == b"hello\r\n"

        run(scenario)


class TestEnd:
    def test_many_at_once(self, reactor, run):
        async def scenario():
            before = descriptors()
            for _ in range(5):
                batch = [Child() for _ in range(40)]
                for child in batch:
                    reactor.spawnProcess(child, "/bin/true", ["true"], env=None)
                for child in batch:
                    await child.ended
            await pause(reactor)
            assert len(descriptors() - before) == 0

        run(scenario)

    def test_off_the_main_thread(self, reactor_factory):
        seen: list[Any] = []

        def work() -> None:
            reactor = reactor_factory()

            async def scenario():
                seen.append(await utils.getProcessOutput("echo", ["hi"], env=None, reactor=reactor))

            run_scenario(reactor, scenario)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert seen == [b"hi\n"]

    def test_one_that_somebody_else_waits_for(self, reactor, run):
        async def scenario():
            child = shell(reactor, "exit 0")
            os.waitpid(child.transport.pid, 0)  # noqa: ASYNC222 - the reactor is not to be the first
            ended = await child.ended
            assert isinstance(ended, error.ProcessTerminated)
            assert ended.status is None

        run(scenario)

    def test_one_that_outlives_the_run(self, reactor, run):
        child = None

        async def start():
            nonlocal child
            child = shell(reactor, "echo ready; read line; exit 4")
            await until(reactor, lambda: child.written)

        async def finish():
            return await child.ended

        run(start)
        assert ("closed", 0) in child.events  # its pipes ended with the run, and so does it
        ended = run(finish)
        assert ended.exitCode == 4


class TestUtilities:
    def test_output(self, reactor, run):
        async def scenario():
            return await utils.getProcessOutput(SHELL, ["-c", "echo $0 $1", "a", "b"], reactor=reactor)

        assert run(scenario) == b"a b\n"

    def test_a_complaint_is_a_failure(self, reactor, run):
        async def scenario():
            with pytest.raises(OSError, match="complaint") as caught:
                await utils.getProcessOutput(SHELL, ["-c", "echo complaint >&2"], reactor=reactor)
            with pytest.raises(error.ProcessDone):
                await caught.value.processEnded
            return await utils.getProcessOutput(SHELL, ["-c", "echo a; echo b >&2"], reactor=reactor, errortoo=True)

        assert sorted(run(scenario).split()) == [b"a", b"b"]

    def test_value(self, reactor, run):
        async def scenario():
            return await utils.getProcessValue(SHELL, ["-c", "exit 7"], reactor=reactor)

        assert run(scenario) == 7

    def test_everything(self, reactor, run):
        async def scenario():
            whole = await utils.getProcessOutputAndValue(
                SHELL, ["-c", "cat; echo e >&2; exit 5"], env=None, reactor=reactor, stdinBytes=b"fed"
            )
            killed = utils.getProcessOutputAndValue(SHELL, ["-c", "echo o; kill -9 $$"], env=None, reactor=reactor)
            failures: list[Any] = []
            killed.addErrback(failures.append)
            await until(reactor, lambda: failures)
            return whole, failures[0].value

        assert run(scenario) == ((b"fed", b"e\n", 5), (b"o\n", b"", signal.SIGKILL))


def test_python_child_with_a_program_of_its_own(reactor, run):
    """A child of the size of this interpreter: what it prints arrives whole."""

    async def scenario():
        child = Child()
        program = "import sys; sys.stdout.write('x' * 300000)"
        reactor.spawnProcess(child, sys.executable, [sys.executable, "-c", program], env=None)
        await child.ended
        return len(child.written[1])

    assert run(scenario) == 300000
