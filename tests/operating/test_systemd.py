"""What the command and systemd say to each other: ``sd_notify(3)``, and sockets that are open already.

Nothing here needs systemd to run; where its own tools are installed, they are tried as peers.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from operating.command import PATIENCE, Command, alive, wait_for_end
from operating.restarting import Restarted, says
from operating.test_restart import program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no systemd")

ECHO = ("echo", "--listen", "tcp:0:interface=127.0.0.1")


class Manager:
    """Hears what services tell, as systemd does."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self._socket.settimeout(PATIENCE)
        self.name = path.replace("\0", "@") if isinstance(path, str) else path

    def told(self):
        """Wait for the next message; return it as a dictionary."""
        message = self._socket.recv(65536).decode()
        return dict(line.split("=", 1) for line in message.splitlines())

    def told_of(self, name):
        """Wait for the next message with *name* in it."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if name in (message := self.told()):
                return message
        raise AssertionError(f"nothing was told of {name}")

    def silent(self, seconds):
        """Tell whether nothing comes for a time."""
        self._socket.settimeout(seconds)
        try:
            self._socket.recv(65536)
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(PATIENCE)
        return False

    def close(self):
        self._socket.close()


@pytest.fixture
def manager(request, tmp_path):
    abstract = getattr(request, "param", "path") == "abstract"
    if abstract and not sys.platform.startswith("linux"):
        pytest.skip("only Linux has abstract names")
    made = Manager(f"\0torsion-test-{os.getpid()}" if abstract else str(tmp_path / "notify"))
    yield made
    made.close()


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


@pytest.mark.parametrize("manager", ["path", "abstract"], indirect=True)
def test_a_life(manager, service):
    """Ready, reloading and ready again, another process, stopping."""
    echo = service(*ECHO, env={"NOTIFY_SOCKET": manager.name})
    assert manager.told() == {"READY": "1", "MAINPID": str(echo.pid), "STATUS": "Ready"}
    echo.port()
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    echo.send(signal.SIGHUP)
    told = manager.told()
    assert told["RELOADING"] == "1"
    assert before <= int(told["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert manager.told() == {"READY": "1", "STATUS": "Ready"}
    new = echo.restart()
    messages = [manager.told(), manager.told()]
    assert [each["MAINPID"] for each in messages] == [str(new)] * 2, (
        "the old one says so, who is believed; and the new one"
    )
    wait_for_end(echo.pid)
    echo.stop()
    assert manager.told()["STOPPING"] == "1", "of the old one nothing was told"


def test_a_failed_restart_is_not_told(manager, service, tmp_path):
    name = program(tmp_path, "import os\nif os.path.exists('broken'): reactor.callWhenRunning(reactor.stop)")
    echo = service("-y", name, env={"NOTIFY_SOCKET": manager.name})
    manager.told_of("READY")
    (tmp_path / "broken").touch()
    assert not echo.ask("restart").done
    echo.send(signal.SIGHUP)
    assert "RELOADING" in manager.told(), "of the new one's end nothing was told"
    assert "READY" in manager.told()
    echo.stop()
    assert "STOPPING" in manager.told()


def test_the_watchdog(tmp_path, service):
    """It is told twice in that time, also by the next process; when its reactor is stuck, nobody tells anything in its place."""
    manager = Manager(str(tmp_path / "notify"))
    name = program(
        tmp_path,
        """
        import threading

        class Stuck(DatagramProtocol):
            def datagramReceived(self, datagram, addr):
                threading.Event().wait()

        reactor.listenUNIX("s", Factory.forProtocol(Echo))
        port = reactor.listenUDP(0, Stuck(), interface="127.0.0.1")
        reactor.callWhenRunning(print, "port", port.getHost().port)
        """,
    )
    echo = service("-y", name, env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"})
    assert "READY" in manager.told()
    began = time.monotonic()
    for _ in range(4):
        assert manager.told() == {"WATCHDOG": "1"}
    assert 0.25 <= time.monotonic() - began < 5
    with socket.socket(socket.AF_UNIX) as held:
        held.connect(str(tmp_path / "s"))
        echo.restart()
        assert alive(echo.pid), "it has a connection"
        manager.told_of("MAINPID")
        for _ in range(4):
            manager.told_of("WATCHDOG")
        port = int(echo.wait_for(r"port (\d+)")[1])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"x", ("127.0.0.1", port))
        until = time.monotonic() + PATIENCE
        while not manager.silent(0.4):
            assert time.monotonic() < until
    manager.close()


@pytest.mark.parametrize("usec", ["often", "200000"])
def test_a_watchdog_for_somebody_else(manager, usec):
    """Or one that makes no sense."""
    other = {"WATCHDOG_PID": "1"} if usec == "200000" else {}
    with Command(*ECHO, env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": usec, **other}) as echo:
        manager.told_of("READY")
        assert manager.silent(0.2)
        assert echo.end() == 0


@pytest.mark.parametrize("name", ["/nobody/is/here", "vsock:2:1234"])
def test_a_manager_that_is_not_there(name):
    """It is told in the log, once; nothing else comes of it."""
    with Command(*ECHO, env={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000"}) as echo:
        echo.port()
        echo.wait_for("Cannot tell systemd")
        assert echo.end() == 0
    assert echo.said().count("Cannot tell systemd") == 1


class TestSockets:
    def start(self, start, listening, *arguments):
        """Start a service with *listening* as its descriptor 3, as systemd does."""
        # Its number can be known only by the process itself.
        code = (
            "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_PID'] = str(os.getpid());"
            "os.execv(sys.executable, [sys.executable, '-m', 'torsion', *sys.argv[2:]])"
        )
        return start(
            *arguments,
            command=[sys.executable, "-c", code, str(listening.fileno())],
            pass_fds=[listening.fileno()],
            env={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"},
        )

    @pytest.fixture
    def listening(self):
        with socket.socket() as made:
            made.bind(("127.0.0.1", 0))
            made.listen()
            os.set_inheritable(made.fileno(), True)
            yield made

    @pytest.mark.parametrize(
        "endpoint", ["tcp:{}:interface=127.0.0.1", "systemd:domain=INET:index=0", "systemd:name=web"]
    )
    def test_by_address_and_by_name(self, listening, service, endpoint):
        """What waits in the queue is served, and a restart keeps the socket."""
        where = listening.getsockname()
        echo = self.start(service, listening, "echo", "--listen", endpoint.format(where[1]))
        with socket.create_connection(where, PATIENCE) as connection:
            says(connection, b"x")
        with socket.create_connection(where, PATIENCE) as held:
            says(held, b"x")
            echo.restart()
            if endpoint.startswith("systemd:name"):
                echo.restart()
            says(held, b"x")
            with socket.create_connection(where, PATIENCE) as connection:
                says(connection, b"x")
        echo.stop()
        # It is systemd's, and stays open.
        with socket.create_connection(where, PATIENCE) as connection:
            listening.accept()[0].close()


def tool(name):
    """Return where a tool of systemd's is."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def test_systemd_notify_says_what_we_say(manager):
    """The manager of these tests hears systemd's own tool."""
    subprocess.run(
        [tool("systemd-notify"), "--no-block", "--ready", "--status=Ready", f"--pid={os.getpid()}"],
        env={**os.environ, "NOTIFY_SOCKET": manager.name},
        check=True,
        timeout=PATIENCE,
    )
    assert manager.told() == {"READY": "1", "MAINPID": str(os.getpid()), "STATUS": "Ready"}


def test_systemd_socket_activate(tmp_path):
    """The service is started by the first connection, and serves it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = {name: os.environ[name] for name in ("PYTHONPATH", "PYTHONUNBUFFERED") if name in os.environ}
    passed = [f"--setenv={name}={value}" for name, value in names.items()]
    command = [tool("systemd-socket-activate"), f"--listen=127.0.0.1:{port}", *passed, sys.executable, "-m", "torsion"]
    with Command("echo", "--listen", f"tcp:{port}:interface=127.0.0.1", command=command) as echo:
        echo.wait_for("Listening on")
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            says(connection, b"hello")
        assert echo.end() == 0
