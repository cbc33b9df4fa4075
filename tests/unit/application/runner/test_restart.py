"""The old process of a restart, with new ones that do as a script says; none of them is torsion."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from contract.harness import run_scenario, until
from torsion.application.runner import restart
from torsion.application.runner.restart import Restarter, RestartError, command_line
from torsion.application.runner.sockets import Sockets
from torsion.internet.interfaces.handover import ListeningAddress
from torsion.internet.reactors.memory import MemoryReactor
from torsion.internet.reactors.native import NativeReactor

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no descriptors to hand over")

SCRIPT = """
import json, os, signal, socket, sys, time
table = json.loads(os.environ["TORSION_HANDOVER"])
line = socket.socket(fileno=3)
file = line.makefile("rwb")
def say(**what):
    file.write(json.dumps(what).encode() + b"\\n")
    file.flush()
def hear():
    return json.loads(file.readline() or "{}")
"""


class Port:
    """A port that notes what it is told."""

    def __init__(self):
        self.told = []
        self.pipe = os.pipe()

    def fileno(self):
        return self.pipe[0]

    def given_away(self):
        self.told.append("given_away")

    def kept(self):
        self.told.append("kept")

    def stopListening(self):
        self.told.append("stopListening")


@pytest.fixture
def run(monkeypatch):
    """A run whose new processes run ``run.script``."""
    made = SimpleNamespace(
        reactor=NativeReactor(),
        state="ready",
        options={},
        argv=[],
        successor=None,
        belongings={"nothing": lambda: -1},
        onSuccession=[],
        script="",
        log=[],
    )
    made.take_over = lambda: made.log.append("take_over")
    made.retire = lambda: made.log.append("retire")
    made.onSuccession.append(lambda: made.log.append(f"succession {made.successor}"))
    monkeypatch.setattr(restart, "command_line", lambda _: [sys.executable, "-c", SCRIPT + made.script])
    return made


@pytest.fixture
def ports(run):
    run.sockets = Sockets()
    made = [Port(), Port()]
    for number, port in enumerate(made):
        run.sockets.opened(ListeningAddress("TCP", "127.0.0.1", 80 + number), port)
    yield made
    for each in made:
        for end in each.pipe:
            os.close(end)


def test_datagrams_are_the_new_ones(run):
    """Connections of the old process may last; while they do, no datagram must come to it."""
    run.sockets = Sockets()
    ports = {kind: Port() for kind in ("TCP", "UDP", "UNIX", "UNIXDatagram")}
    for kind, port in ports.items():
        run.sockets.opened(ListeningAddress(kind, "127.0.0.1", 80), port)
    attempt(run, "say(ready=1, taken=[0, 1, 2]); hear(); say(settled=True); file.readline()")
    assert {kind: port.told for kind, port in ports.items()} == {
        "TCP": ["given_away"],
        "UDP": ["given_away", "stopListening"],
        "UNIX": ["given_away"],
        "UNIXDatagram": [],
    }
    for port in ports.values():
        for end in port.pipe:
            os.close(end)


def attempt(run, script, seconds=10.0, before=None):
    """Restart *run* with a new process that runs *script*; return what it fires with, or the error's text."""
    run.script = script

    async def scenario():
        restarter = Restarter(run, run.sockets, dict(os.environ), os.getcwd(), seconds)
        done = restarter()
        if before is not None:
            before(restarter)
        try:
            return await done
        except RestartError as error:
            return str(error)
        finally:
            made = restarter._attempt
            if made is not None and made.pid and run.successor is None:
                await until(run.reactor, lambda: made._ended)

    before_all = set(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else set()
    found = run_scenario(run.reactor, scenario)
    if before_all and run.successor is None:
        assert len(set(os.listdir("/proc/self/fd"))) <= len(before_all) + 2, (
            "but for what a reactor needs while it runs"
        )
    return found


def test_well(run, ports):
    script = """
say(ready=os.getpid(), taken=[1])
assert hear() == {"yours": True}
say(settled=True)
file.readline()
"""
    pid = attempt(run, script)
    assert run.successor == pid
    assert run.log == [f"succession {pid}", "retire"]
    assert [each.told for each in ports] == [[], ["given_away"]]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("sys.exit(3)", "ended with status 3 before it was ready"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was ended by signal 9 before it was ready"),
        ("print('last words', file=sys.stderr); sys.exit(1)", "The last lines of the new one:\n  last words"),
        ("say(settled=True); say(what='ever'); sys.exit(4)", "ended with status 4"),
        ("file.write(b'nonsense\\n'); file.flush(); file.readline(); sys.exit(5)", "ended with status 5"),
        ("file.write(b'[]\\n'); file.flush(); file.readline(); sys.exit(6)", "ended with status 6"),
        ("file.write(b'x' * 70_000); file.flush(); file.readline(); sys.exit(7)", "ended with status 7"),
    ],
)
def test_it_ends(run, ports, script, told):
    text = attempt(run, script)
    assert told in text
    assert f"process {os.getpid()} goes on" in text
    assert run.log == []
    assert [each.told for each in ports] == [[], []]


def test_it_ends_when_it_has_been_given_all(run, ports):
    """Then what it may have begun to have is taken back."""
    assert "ended with status 3" in attempt(run, "say(ready=1, taken=[0, 1]); hear(); sys.exit(3)")
    assert [each.told for each in ports] == [["given_away", "kept"]] * 2
    assert run.log == ["take_over"]
    assert run.successor is None


@pytest.mark.parametrize("taken", ["[7, -1, 'x', None, 1.0]", "[]"])
def test_what_it_takes_may_be_nonsense(run, ports, taken):
    pid = attempt(run, f"say(ready=1, taken={taken}); hear(); say(settled=True); file.readline()")
    assert isinstance(pid, int)
    assert [each.told for each in ports] == [[], []]


def test_not_ready_in_time(run, ports, monkeypatch):
    """It is told to end, and killed if it does not."""
    monkeypatch.setattr(restart, "KILL_SECONDS", 0.2)
    script = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()"
    assert "was not ready within 0.3 seconds" in attempt(run, script, 0.3)


def test_never_settled(run, ports, monkeypatch):
    monkeypatch.setattr(restart, "SETTLE_SECONDS", 0.2)
    text = attempt(run, "say(ready=1, taken=[0]); signal.pause()")
    assert "is ready, and does not take over" in text
    assert ports[0].told == ["given_away", "kept"]


def test_hung_up(run, ports, monkeypatch):
    monkeypatch.setattr(restart, "KILL_SECONDS", 0.2)
    assert "has hung up, and does not end" in attempt(run, "file.close(); line.close(); signal.pause()")


def test_one_at_a_time(run, ports):
    refused = []

    def again(restarter):
        restarter().addErrback(refused.append)
        restarter.give_up("enough")
        restarter.give_up("enough")

    assert "enough; process" in attempt(run, "signal.pause()", before=again)
    assert "a restart is under way: process" in refused[0].getErrorMessage()


def test_it_cannot_be_started(run, ports, monkeypatch):
    monkeypatch.setattr(restart, "command_line", lambda _: ["/nobody/is/here"])
    assert "cannot start a new process: [Errno 2]" in attempt(run, "")
    monkeypatch.setattr(restart.inheritance, "LONGEST_TABLE", 10)
    assert "too many to hand over" in attempt(run, "")


def test_what_is_kept_of_its_words_is_limited(run, ports):
    text = attempt(run, "sys.stderr.write('x' * 1_000_000 + '\\n' + 'y\\n' * 100); sys.exit(1)")
    assert text.count("\n") == restart.LAST_LINES
    assert text.endswith("  y")
    text = attempt(run, "sys.stderr.write('x' * 1_000_000); sys.exit(1)")
    assert len(text) < restart.LONGEST_TAIL + 200


class TestRefused:
    def refused(self, run):
        sockets = Sockets()
        found = []
        Restarter(run, sockets, {}, ".", 1.0)().addErrback(found.append)
        assert found[0].check(RestartError)
        return found[0].getErrorMessage()

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"state": "starting"}, "still starting"),
            ({"state": "stopping"}, "stopping"),
            ({"successor": 7}, "process 7 has taken the place of this one"),
            ({"options": {"chroot": "/jail"}}, "--chroot"),
            ({"reactor": MemoryReactor()}, "a reactor like MemoryReactor starts no processes"),
        ],
    )
    def test_now(self, run, changes, told):
        vars(run).update(changes)
        assert told in self.refused(run)

    def test_by_process_1(self, run, monkeypatch):
        monkeypatch.setattr(os, "getpid", lambda: 1)
        assert "this is process 1" in self.refused(run)

    def test_under_a_unit_that_is_not_notified(self, run, monkeypatch):
        monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getpid()))
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
        assert "Type=notify" in self.refused(run)


class TestCommandLine:
    @pytest.mark.parametrize(
        ("began", "argv", "expected"),
        [
            (["python", "-m", "torsion", "echo"], ["echo"], ["-m", "torsion", "echo"]),
            (
                ["python", "-X", "dev", "-m", "torsion", "echo", "-v"],
                ["echo", "-v"],
                ["-X", "dev", "-m", "torsion", "echo", "-v"],
            ),
            (["python", "/bin/torsion", "echo"], ["echo"], ["/bin/torsion", "echo"]),
            (["python", "program.py"], ["echo"], ["-m", "torsion", "echo"]),
            (["python"], ["echo"], ["-m", "torsion", "echo"]),
            (["python", "-m", "torsion"], [], ["-m", "torsion"]),
        ],
    )
    def test_as_it_was_started(self, monkeypatch, began, argv, expected):
        monkeypatch.setattr(sys, "orig_argv", began)
        assert command_line(SimpleNamespace(argv=argv)) == [sys.executable, *expected]

    def test_without_a_python(self, monkeypatch):
        monkeypatch.setattr(sys, "executable", "")
        with pytest.raises(RestartError, match="does not know where its Python is"):
            command_line(SimpleNamespace(argv=[]))


def test_a_reader_that_reads_no_more_holds_nobody_up():
    """What the new process says is passed on as far as somebody takes it."""
    import subprocess

    script = """
import os
from torsion.application.runner.restart import _pass_on
kept = os.dup(2)
reading, writing = os.pipe()
os.dup2(writing, 2)
_pass_on(b"x" * 10_000)
assert len(os.read(reading, 100_000)) == 10_000
_pass_on(b"x" * 10_000_000)
os.close(2)
_pass_on(b"x")
os.dup2(kept, 2)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=50)
