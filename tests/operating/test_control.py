"""``torsion reload``, ``restart`` and ``stop`` as they are typed: their exit status, and their one line."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from operating.command import PATIENCE, Command, run
from operating.restarting import Restarted
from operating.test_restart import program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no private sockets")

ECHO = ("echo", "--listen", "tcp:0:interface=127.0.0.1")


@pytest.mark.parametrize("verb", ["reload", "restart", "stop"])
def test_which_process(tmp_path, verb):
    done = run(verb, cwd=str(tmp_path))
    assert done.process.returncode == 2
    assert done.err == (f"torsion {verb}: say which process, by --pidfile or --control: there is no torsion.pid here\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("--pidfile", "none.pid"),
            "cannot read the pid file none.pid: No such file or directory; is the process running?",
        ),
        (("--control", "none"), "cannot connect to none: there is no such socket"),
        (("--pidfile", "foreign.pid"), "foreign.pid is no pid file"),
        (("--pidfile", "x" * 200), "cannot read the pid file"),
    ],
)
def test_nobody_there(tmp_path, arguments, told):
    (tmp_path / "foreign.pid").write_text("not a number")
    done = run("stop", *arguments, cwd=str(tmp_path))
    assert done.process.returncode == 1
    assert told in done.err
    assert len(done.err.splitlines()) == 1


def test_each_in_turn(tmp_path):
    name = program(
        tmp_path,
        """
        import os
        from zope.interface import implementer
        from torsion.application.reloading import IReloads

        @implementer(IReloads)
        class Configured(Service):
            def reload(self):
                if os.path.exists("broken"):
                    raise ValueError("line 7 of the configuration: what is this?")

            def stopService(self):
                super().stopService()
                raise ValueError("it does not stop well")

        Configured().setServiceParent(application)
        """,
    )
    with Restarted(tmp_path, "-y", name) as service:
        service.wait_for("Ready")
        done = service.tool("reload")
        assert (done.process.returncode, done.err) == (0, "")
        assert done.out.startswith("torsion reload: reloaded in ")
        (tmp_path / "broken").touch()
        done = service.tool("reload")
        assert (done.process.returncode, done.out) == (1, "")
        assert "line 7 of the configuration" in done.err
        before = service.now()
        done = service.tool("restart")
        assert (done.process.returncode, done.err) == (0, "")
        assert done.out == f"torsion restart: process {service.now()} has taken the place of process {before}\n"
        done = service.tool("stop")
        assert (done.process.returncode, done.out) == (1, "")
        assert done.err == f"torsion stop: process {service.pids[-1]} has stopped, with status 1\n"


def test_it_is_private(tmp_path):
    """Only the owner may connect; where one serves already, no other is started; what a dead one left is replaced."""
    path = tmp_path / "c"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with Command("--control", path, *ECHO) as service:
        service.port()
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        other = run("--control", path, *ECHO)
        assert other.process.returncode == 1
        assert f"cannot listen at {path}: process {service.pid} listens there already" in other.err
        assert len(other.err.splitlines()) == 1
        done = run("--control", path, "stop")
        assert done.process.returncode == 0
        assert done.out == f"torsion stop: process {service.pid} has stopped, with status 0\n"
        assert service.wait() == 0
    assert not path.exists()


def test_a_long_path(tmp_path):
    """Where a socket cannot be beside the pid file, there is none, unless it was asked for."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    with Command("--pidfile", folder / "t.pid", *ECHO) as service:
        service.wait_for("No control socket: the path .* is too long; name one with --control")
        service.port()
        done = run("stop", "--pidfile", folder / "t.pid")
        assert done.process.returncode == 0
        assert done.out == f"torsion stop: process {service.pid} has ended\n"
    refused = run("--control", folder / "c", *ECHO)
    assert refused.process.returncode == 1
    assert "at most" in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_process_that_does_not_answer(tmp_path):
    """A reactor that is stuck costs the tool its patience, and no more."""
    name = program(
        tmp_path,
        """
        import threading
        reactor.callWhenRunning(reactor.callLater, 0.2, lambda: (print("stuck", flush=True), threading.Event().wait()))
        """,
    )
    with Restarted(tmp_path, "-y", name) as service:
        service.wait_for("stuck")
        done = service.tool("reload", "--timeout", "0.3")
        assert done.process.returncode == 1
        assert done.err == f"torsion reload: process {service.pid} has not answered within 0.3 seconds\n"


def free_port():
    """Return a port of 127.0.0.1 that is free, and that only root may have on most systems."""
    for number in range(1023, 600, -1):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                continue
            return number
    raise AssertionError("all ports are taken")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="it takes root to become somebody else")
def test_as_another_user(request):
    """The next process is not root any more; it gets the port, the pid file and the control socket all the same."""
    folder = TemporaryDirectory()  # tmp_path is within one that is root's alone
    request.addfinalizer(folder.cleanup)
    os.chmod(folder.name, 0o755)
    number = free_port()
    pidfile = Path(folder.name, "t.pid")
    with Restarted(
        folder.name, "--uid", "65534", "--gid", "65534", "echo", "--listen", f"tcp:{number}:interface=127.0.0.1"
    ) as service:
        service.port()
        for _ in range(2):
            before = service.now()
            done = service.tool("restart")
            if "No module named" in done.err or "Permission denied" in done.err:
                pytest.skip("Python itself is root's alone here")
            assert done.out == f"torsion restart: process {service.now()} has taken the place of process {before}\n"
        assert os.stat(f"/proc/{service.now()}").st_uid == 65534
        with socket.create_connection(("127.0.0.1", number), PATIENCE) as connection:
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        done = service.tool("stop")
        assert done.out == f"torsion stop: process {service.pids[-1]} has stopped, with status 0\n"
        assert pidfile.read_bytes() == b"", "a file that cannot be removed names nobody"
