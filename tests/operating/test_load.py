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

    :ivar pids: the processes that were started, the command's own first.
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
        assert server.reload() == "1 module"
        load.wait(lambda: load.served[b"2"] > 20)
        load.go_on()
        server.release("3", RELEASE + "\n1 / 0\n")
        assert server.reload() == "1 failure"  # the old code stays
        load.go_on()
        assert load.served[b"3"] == 0
        assert len(load.held) == HELD
    assert server.command.end() == 0


def test_restart_under_load(served):
    server = served()
    with Load(server.port(), HELD) as load:
        server.release("2", "VERSION =\n")
        assert not server.restart()  # the new code is broken: the old process goes on
        load.go_on()
        server.release("2")
        assert server.restart()
        load.wait(lambda: load.served[b"2"] > 20)
        load.go_on()  # the held ones, in the old process
        old, new = server.pids
        assert alive(old)
        assert len(load.held) == HELD
        load.release()
        wait_for_end(old)
        load.go_on()
    os.kill(new, signal.SIGTERM)
    wait_for_end(new)
    assert server.command.wait() == 0
