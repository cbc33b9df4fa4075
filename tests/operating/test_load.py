"""Clients that never notice: a load that runs through reloads, restarts and killed workers, with what is refused or cut counted."""

from __future__ import annotations

import os
import resource
import signal
import textwrap

import pytest

from operating.command import Command, alive, wait_for_end
from operating.load import Load

HELD = 1000
"""Connections that are held over what happens."""

NEEDED = 2 * HELD + 200
"""Descriptors that this process and the server may have open: one for each connection, and for a moment those of a successor."""

SERVER = """\
from torsion.application import service, strports
from torsion.internet.protocol import Factory, Protocol

import release


class Echo(Protocol):
    def connectionMade(self):
        self.transport.write(release.VERSION)

    def dataReceived(self, data):
        self.transport.write(release.answer(data))


application = service.Application("echo")
strports.service("tcp:0:interface=127.0.0.1:backlog=500", Factory.forProtocol(Echo)).setServiceParent(application)
"""

RELEASE = """\
VERSION = b"{}"


def answer(data):
    return data
"""


@pytest.fixture(autouse=True)
def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < NEEDED:
        pytest.skip(f"{NEEDED} descriptors are needed, and this system allows {hard}")
    if soft != resource.RLIM_INFINITY and soft < NEEDED:
        resource.setrlimit(resource.RLIMIT_NOFILE, (NEEDED, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Served:
    """A server of SERVER, and what it is made of.

    :ivar pids: the processes that were started, the command's own first; workers not, which end when their master does.
    """

    def __init__(self, folder, *options):
        self.folder = folder
        self.release("1")
        (folder / "server.py").write_text(SERVER)
        self.command = Command(*options, "-y", "server.py", cwd=folder, env={"PYTHONDONTWRITEBYTECODE": "1"})
        self.pids = [self.command.pid]

    def port(self):
        return int(self.command.wait_for(r" starting on (\d+)")[1])

    def release(self, version, source=RELEASE):
        (self.folder / "release.py").write_text(textwrap.dedent(source.format(version)))

    def reload(self):
        os.kill(self.pids[-1], signal.SIGHUP)
        return self.command.wait_for(r"reloaded in .*: (.*)")[1]

    def restart(self):
        """Restart; return whether another process has taken the place."""
        os.kill(self.pids[-1], signal.SIGUSR2)
        pid = int(self.command.wait_for(r"Process (\d+) is to take the place")[1])
        told = self.command.wait_for(r"No restart|Process \d+ has taken the place")[0]
        if told == "No restart":
            wait_for_end(pid)
            return False
        self.pids.append(pid)
        return True

    def ready(self):
        """Wait until it is ready; of workers, until all are, and connections are shared among them."""
        self.command.wait_for(r"\[torsion.application.runner#info\] Ready")

    def worker(self):
        """Wait for the next worker to be ready; return its number and its process."""
        found = self.command.wait_for(r"\] worker (\d+) \(pid (\d+)\) is ready")
        return int(found[1]), int(found[2])

    def end(self):
        """Kill all that is left."""
        for pid in self.pids[1:]:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
                wait_for_end(pid)
        self.command.kill()


@pytest.fixture
def served(tmp_path):
    started = []

    def start(*options):
        started.append(Served(tmp_path, *options))
        return started[-1]

    yield start
    for each in started:
        each.end()


def test_reload_under_load(served):
    server = served()
    with Load(server.port(), HELD) as load:
        server.release("2")
        assert "1 module" in server.reload()
        load.wait(lambda: load.served[b"2"] > 20)
        load.go_on()
        server.release("3", RELEASE + "\n1 / 0\n")
        assert "1 failure" in server.reload()  # the old code stays
        load.go_on()
        assert load.served[b"3"] == 0
        assert len(load.held) == HELD
    assert server.command.end() == 0


@pytest.mark.parametrize(("reactor", "held"), [("native", HELD), ("hosted-asyncio", 100)])
def test_restart_under_load(served, reactor, held):
    server = served("-r", reactor)
    with Load(server.port(), held) as load:
        server.release("2", "VERSION =\n")
        assert not server.restart()  # the new code is broken: the old process goes on
        load.go_on()
        server.release("2")
        assert server.restart()
        load.wait(lambda: load.served[b"2"] > 20)
        load.go_on()  # the held ones, in the old process
        old, new = server.pids
        assert alive(old)
        assert len(load.held) == held
        load.release()
        wait_for_end(old)
        load.go_on()
    os.kill(new, signal.SIGTERM)
    wait_for_end(new)
    assert server.command.wait() == 0


def test_old_connections_may_be_given_an_end(served):
    server = served("--linger", "0.1", "--grace", "0.1")
    with Load(server.port(), 10) as load:
        assert server.restart()
        load.wait(lambda: not load.held)
        assert {number for number, *_ in load.cut} == set(range(10))  # and no others
        assert load.refused == 0
        wait_for_end(server.pids[0])
        load.cut.clear()
        load.go_on()


def test_killed_worker(served):
    server = served("--workers", "2")
    port = server.port()
    workers = dict(server.worker() for _ in range(2))
    server.ready()
    with Load(port, 200) as load:
        os.kill(workers[0], signal.SIGKILL)
        number, _ = server.worker()
        assert number == 0
        load.wait(lambda: len(load.held) < 200)  # they have noticed
        survivors, cut = len(load.held), [each for each in load.cut if each[0] < 200]
        assert survivors + len(cut) == 200
        assert survivors > 0
        # Besides those, only fleeting ones that the worker had accepted. Those that it had not, its successor served.
        assert len(load.cut) - len(cut) <= 4
        assert load.refused == 0
        load.cut.clear()
        load.go_on(fleeting=100)
        assert len(load.held) == survivors
    assert server.command.end() == 0


def test_workers_reload_and_restart_under_load(served):
    server = served("--workers", "2")
    port = server.port()
    server.ready()
    with Load(port, 200) as load:
        server.release("2")
        assert "1 module" in server.reload()
        server.command.wait_for(r"#info\] reloaded in .*: 1 module")  # the other worker
        server.command.wait_for(r"#info\] reloaded in .*: 1 module")  # and the master
        seen = load.total()
        load.wait(lambda: load.served[b"2"] > 20 and load.total() > seen)
        load.go_on()
        server.release("3", "VERSION =\n")
        os.kill(server.pids[0], signal.SIGUSR2)
        server.command.wait_for("SIGUSR2: ")  # why there was no restart; the old workers go on
        load.go_on()
        server.release("3")
        os.kill(server.pids[0], signal.SIGUSR2)
        server.command.wait_for("All 2 workers have been replaced")
        load.wait(lambda: load.served[b"3"] > 20)
        load.go_on()  # the held ones, in the old workers
        assert len(load.held) == 200
    assert server.command.end() == 0


def test_what_was_accepted_is_answered_before_the_end():
    many, long = (
        30,
        40_000,
    )  # of each: more than a reactor reads from a connection in a turn, and less than makes it wait for the peer
    with Command("echo", "--listen", "tcp:0:interface=127.0.0.1") as server:
        server.port()
        connections = [server.connect() for _ in range(many)]
        for each in connections:
            each.sendall(b"x")
            assert each.recv(1) == b"x"
        server.send(signal.SIGSTOP)
        for number, each in enumerate(connections):
            each.sendall(b"%04d" % number * long)
        server.send(signal.SIGTERM)  # before it has read a byte of that
        server.send(signal.SIGCONT)
        for number, each in enumerate(connections):
            with each, each.makefile("rb") as answers:
                assert answers.read() == b"%04d" % number * long
        assert server.wait() == 0
