"""``torsion restart``: another process on the same sockets; nobody is refused, and nobody is cut off."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import sys
import textwrap

import pytest

from operating.command import PATIENCE, alive, run, wait_for_end
from operating.restarting import Load, Restarted, descriptors, says
from torsion.application.localpeer import peerCredentials

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no descriptors to hand over")

ECHO = ("echo", "--listen", "tcp:0:interface=127.0.0.1")


@pytest.fixture
def service(tmp_path):
    """Starts services, and ends all their processes."""
    started = []

    def start(*arguments, **keywords):
        started.append(Restarted(tmp_path, *arguments, **keywords))
        return started[-1]

    yield start
    for each in started:
        each.kill()


def program(folder, text, name="program.py"):
    """Write a program for ``-y``."""
    (folder / name).write_text(
        textwrap.dedent(
            """
            from torsion.application.service import Application, Service
            from torsion.internet import reactor
            from torsion.internet.protocol import DatagramProtocol, Factory
            from torsion.protocols.wire import Echo

            application = Application("test")
            """
        )
        + textwrap.dedent(text)
    )
    return name


def test_under_load(service):
    """New connections are served by one or the other process, and those that are open are left in peace."""
    echo = service(*ECHO)
    number = echo.port()
    first = echo.pid
    with echo.connect() as held, Load(lambda: echo.connect(number)) as load:
        says(held, b"before")
        for _ in range(3):
            echo.restart()
            says(held, b"still there")
        served = load.served
        while load.served < served + 100 and not load.problems:
            says(held, b"and served")
        assert alive(first), "it has a connection"
    assert load.problems == []
    assert load.served > 100
    assert echo.process.wait(PATIENCE) == 0
    for pid in echo.pids[1:-1]:
        wait_for_end(pid)
    assert alive(echo.pids[-1])
    echo.stop()
    assert echo.err == ""
    assert os.listdir(echo.folder) == []


def test_descriptors_do_not_leak(service, tmp_path):
    """Neither from one process to the next, nor in one that tries again and again."""
    name = program(
        tmp_path,
        """
        import os
        if os.path.exists("broken"):
            raise ValueError("the new code is broken")
        for _ in range(3):
            reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
        reactor.callWhenRunning(print, "listening on x:1", flush=True)
        """,
    )
    echo = service("-y", name)
    echo.port()
    counts = []
    for _ in range(3):
        echo.restart()
        counts.append(descriptors(echo))
    assert counts[0] == counts[1] == counts[2]
    (echo.folder / "broken").touch()
    for _ in range(2):
        assert not echo.ask("restart").done
    assert echo.now() == echo.pids[-1]
    assert descriptors(echo) == counts[0]


def test_broken_new_code_leaves_the_old_process(service, tmp_path):
    good = """
        reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
        reactor.callWhenRunning(print, "listening on x:1", flush=True)
        """
    name = program(tmp_path, good)
    echo = service("-y", name)
    echo.port()
    before = echo.pid
    (number,) = ports_of(before)
    with Load(lambda: echo.connect(number), 2) as load:
        for broken, told in (
            ("1 / 0", "ZeroDivisionError"),
            ("this is no Python", "SyntaxError"),
            ("reactor.callWhenRunning(reactor.stop)", "status 0"),
            ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
            ("del application", "application"),
            ("import sys; sys.stderr.write('x' * 100_000 + 'the end'); sys.exit(7)", "the end"),
        ):
            program(tmp_path, broken)
            done, text = echo.ask("restart")
            assert not done
            assert told in text
            assert f"process {before} goes on" in text
            assert len(text) < 20_000
            assert echo.now() == before
        program(tmp_path, good)
        echo.restart()
        served = load.served
        with echo.connect(number) as connection:
            while load.served < served + 10 and not load.problems:
                says(connection, b"x")
    assert load.problems == []
    assert "ZeroDivisionError" in echo.err, "it is told there, too"
    echo.stop()


def ports_of(pid):
    """Return the numbers of the TCP ports that a process listens at."""
    own = {os.readlink(f"/proc/{pid}/fd/{each}") for each in os.listdir(f"/proc/{pid}/fd")}
    found = []
    with open(f"/proc/{pid}/net/tcp") as table:
        for line in list(table)[1:]:
            columns = line.split()
            if columns[3] == "0A" and f"socket:[{columns[9]}]" in own:
                found.append(int(columns[1].partition(":")[2], 16))
    return found


def test_one_that_is_never_ready_is_ended(service, tmp_path):
    name = program(
        tmp_path,
        """
        import os
        from torsion.internet.defer import Deferred

        class Slow(Service):
            def whenListening(self):
                return Deferred()

        if os.path.exists("slow"):
            Slow().setServiceParent(application)
        reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
        reactor.callWhenRunning(print, "listening on x:1", flush=True)
        """,
    )
    echo = service("--restart-timeout", "0.5", "-y", name)
    echo.port()
    (tmp_path / "slow").touch()
    done, text = echo.ask("restart")
    assert not done
    assert "was not ready within 0.5 seconds" in text
    wait_for_end(int(re.search(r"the new process \((\d+)\)", text)[1]))
    with echo.connect(*ports_of(echo.pid)) as connection:
        says(connection, b"x")
    assert echo.now() == echo.pid


class TestWhileTheNewOneStarts:
    @pytest.fixture
    def echo(self, service, tmp_path):
        """One whose next process waits to be let go on: by a FIFO that it reads."""
        os.mkfifo(tmp_path / "gate")
        name = program(
            tmp_path,
            """
            import os
            if os.path.exists("wait"):
                print("waiting", os.getpid(), flush=True)
                open("gate").read()
            reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
            reactor.callWhenRunning(print, "listening on x:1", flush=True)
            """,
        )
        started = service("-y", name)
        started.port()
        (tmp_path / "wait").touch()
        started.send(signal.SIGUSR2)
        started.pids.append(int(started.wait_for(r"waiting (\d+)")[1]))
        return started

    def test_another_is_refused(self, echo):
        assert echo.ask("restart") == (False, f"a restart is under way: process {echo.pids[1]} is starting")
        (echo.folder / "gate").write_text("")
        assert echo.process.wait(PATIENCE) == 0
        assert echo.now() == echo.pids[1]

    def test_to_stop_the_old_one_stops_both(self, echo):
        assert echo.ask("stop").done
        wait_for_end(echo.pids[1])
        assert echo.process.wait(PATIENCE) == 0

    def test_killing_the_old_one_leaves_the_new_one(self, echo):
        """It would have had the place: now there is nobody else."""
        (number,) = ports_of(echo.pid)
        echo.process.kill()
        echo.process.wait()
        with echo.connect(number) as early:  # the socket is open, though nobody serves it yet
            (echo.folder / "gate").write_text("")
            says(early, b"x")
        echo.wait_for("Took the place")
        assert echo.now() == echo.pids[1]
        (echo.folder / "wait").unlink()
        echo.restart()


def test_a_unix_socket_keeps_its_file(service, tmp_path):
    path = tmp_path / "s"
    echo = service("echo", "--listen", f"unix:{path}:lockfile=1:mode=600")
    echo.wait_for("listening on")

    def connect():
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        connection.connect(str(path))
        return connection

    identity = path.lstat().st_ino
    with Load(connect, 2) as load:
        pid = echo.restart()
        pid = echo.restart()
        echo.process.wait(PATIENCE)
    assert load.problems == []
    assert load.served > 0
    assert path.lstat().st_ino == identity
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert os.readlink(f"{path}.lock") == str(pid)
    echo.stop()
    assert os.listdir(tmp_path) == []


def test_the_commands_own_doors(service, tmp_path):
    """Status, manhole and control are the new process's, though the old one goes on with a connection."""
    echo = service("--status", "tcp:0", "--manhole", "m", "--status-name=*", *ECHO)
    number = echo.port()
    with echo.connect(number) as held:
        says(held, b"x")
        for _ in range(2):
            pid = echo.restart()
        says(held, b"x")
        (status,) = set(ports_of(pid)) - {number}
        with socket.create_connection(("127.0.0.1", status), PATIENCE) as connection:
            connection.sendall(b"GET /status.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = connection.makefile().read()
        assert f'"pid": {pid},' in answer or f'"pid":{pid},' in answer
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(tmp_path / "m"))
            assert peerCredentials(connection.fileno()).pid == pid
        assert alive(echo.pid)
    echo.stop()
    assert "critical" not in echo.out
    assert os.listdir(tmp_path) == []


def test_ports_that_the_system_chose(service, tmp_path):
    """Several at the same address go over in their order; a relative path, UDP and a name of this computer as well."""
    name = program(
        tmp_path,
        """
        import sys

        class Answer(DatagramProtocol):
            def datagramReceived(self, datagram, addr):
                self.transport.write(datagram, addr)

        first = reactor.listenTCP(0, Factory.forProtocol(Echo), interface="localhost")
        second = reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
        third = reactor.listenUDP(0, Answer(), interface="127.0.0.1")
        reactor.listenUNIX("relative", Factory.forProtocol(Echo))
        reactor.callWhenRunning(print, "ports", *(each.getHost().port for each in (first, second, third)), flush=True)
        """,
    )
    echo = service("-y", name)
    before = echo.wait_for(r"ports (.*)")[1]
    echo.restart()
    assert echo.wait_for(r"ports (.*)")[1] == before
    echo.restart()
    assert echo.wait_for(r"ports (.*)")[1] == before
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(PATIENCE)
        peer.sendto(b"x", ("127.0.0.1", int(before.split()[2])))
        assert peer.recv(10) == b"x"
    assert stat.S_ISSOCK((tmp_path / "relative").lstat().st_mode)
    echo.stop()
    assert not (tmp_path / "relative").exists()


def test_other_ports_than_before(service, tmp_path):
    """What the new one does not want is closed, what it wants besides is opened."""
    listen = """
        for path in {paths!r}:
            reactor.listenUNIX(path, Factory.forProtocol(Echo))
        reactor.callWhenRunning(print, "ready", flush=True)
        """
    name = program(tmp_path, listen.format(paths=["a", "b"]))
    echo = service("-y", name)
    echo.wait_for("ready")
    program(tmp_path, listen.format(paths=["b", "c"]))
    echo.restart()
    assert echo.process.wait(PATIENCE) == 0
    assert sorted(each for each in os.listdir(tmp_path) if len(each) == 1) == ["b", "c"]


def test_in_the_background(tmp_path):
    pidfile = tmp_path / "t.pid"
    log = tmp_path / "log"
    started = run("--daemon", "--pidfile", pidfile, "--logfile", log, *ECHO, cwd=str(tmp_path))
    assert started.process.returncode == 0, started.said()
    pids = [int(pidfile.read_text())]
    try:
        for _ in range(2):
            done = run("restart", "--pidfile", pidfile)
            assert done.process.returncode == 0, done.said() + log.read_text()
            pids.append(int(pidfile.read_text()))
            wait_for_end(pids[-2])
        assert len(set(pids)) == 3
        (number,) = ports_of(pids[-1])
        with socket.create_connection(("127.0.0.1", number), PATIENCE) as connection:
            says(connection, b"x")
        assert os.getsid(pids[-1]) != os.getsid(0)
        done = run("stop", "--pidfile", pidfile)
        assert done.process.returncode == 0
        assert not pidfile.exists()
    finally:
        for pid in pids:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


def test_on_a_foreign_loop(service):
    echo = service("-r", "hosted-asyncio", *ECHO)
    number = echo.port()
    with Load(lambda: echo.connect(number), 2) as load:
        echo.restart()
        echo.process.wait(PATIENCE)
    assert load.problems == []
    assert echo.tool("stop").process.returncode == 0


def test_a_variable_that_is_not_ours():
    done = run(*ECHO, env={"TORSION_HANDOVER": "nonsense"})
    assert done.process.returncode == 1
    assert done.err == (
        "torsion echo: the variable TORSION_HANDOVER is for torsion's own use, and makes no sense: unset it\n"
    )


def test_programs_that_are_started_know_nothing_of_it(service, tmp_path):
    """Neither the variable nor the descriptors go on to them."""
    name = program(
        tmp_path,
        """
        import os, subprocess, sys
        code = "import os; print('inner', 'TORSION_HANDOVER' in os.environ, len(os.listdir('/proc/self/fd')), flush=True)"
        reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
        subprocess.run([sys.executable, "-c", code], close_fds=False)
        """,
    )
    echo = service("-y", name)
    assert (first := echo.wait_for(r"inner (\w+) (\d+)"))[1] == "False"
    echo.wait_for("ControlFactory")
    echo.restart()
    assert (second := echo.wait_for(r"inner (\w+) (\d+)"))[1] == "False"
    assert second[2] == first[2]


def test_the_same_python_with_the_same_options(service, tmp_path):
    """Options of Python's own, the environment and the folder are as they were."""
    name = program(
        tmp_path,
        """
        import os, sys
        reactor.callWhenRunning(lambda: print("made", sys.flags.utf8_mode, sys.orig_argv[1:4], os.environ["MINE"], os.getcwd()))
        """,
    )
    (tmp_path / "inner").mkdir()
    command = [sys.executable, "-X", "utf8", "-m", "torsion"]
    echo = service("--rundir", "inner", "-y", name, command=command, env={"MINE": "my own"})
    before = echo.wait_for("made 1.*my own.*/inner")[0]
    echo.restart()
    assert echo.wait_for("made .*")[0] == before


def test_without_a_control_socket(service):
    """By signals: less can be told, but what is needed."""
    echo = service("--control=", *ECHO)
    number = echo.port()
    done = echo.tool("restart")
    assert done.process.returncode == 0, done.said()
    assert done.out == f"torsion restart: process {echo.now()} has taken the place of process {echo.pid}\n"
    with echo.connect(number) as connection:
        says(connection, b"x")
    done = echo.tool("reload")
    assert (done.process.returncode, "SIGHUP" in done.out) == (0, True)
    done = echo.tool("stop")
    assert (done.process.returncode, done.out) == (0, f"torsion stop: process {echo.pids[-1]} has ended\n")


def test_an_old_process_needs_nothing_that_was_installed_since(service, tmp_path):
    """What it restarts with was loaded when it started: a new version may have taken the place of the files."""
    name = program(
        tmp_path,
        """
        import builtins, sys

        def refuse():
            real = builtins.__import__

            def guarded(name, globals=None, locals=None, fromlist=(), level=0):
                known = set(sys.modules)
                found = real(name, globals, locals, fromlist, level)
                new = [each for each in set(sys.modules) - known if each.startswith("torsion.")]
                if new:
                    print("imported", new, flush=True)
                return found

            builtins.__import__ = guarded
            print("guarded", flush=True)

        reactor.callWhenRunning(reactor.callLater, 0.3, refuse)
        """,
    )
    echo = service("-y", name)
    echo.wait_for("guarded")
    echo.restart()
    assert echo.process.wait(PATIENCE) == 0
    assert "imported" not in echo.out
