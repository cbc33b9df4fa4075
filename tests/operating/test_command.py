"""The command ``torsion``: services in the foreground."""

from __future__ import annotations

import os
import signal
import socket
import sys

import pytest

import torsion
from operating.command import Command, run
from operating.plugins import PLAIN, drop_in

ANYWHERE = "tcp:0:interface=127.0.0.1"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent by other means elsewhere")


def read_all(connection):
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_echo_at_two_places(number):
    with Command("echo", "--listen", ANYWHERE, "--listen", ANYWHERE) as server:
        ports = server.port(), server.port()
        with server.connect(ports[0]) as one, server.connect(ports[1]) as two:
            one.sendall(b"x" * 1000)
            one.shutdown(socket.SHUT_WR)
            assert read_all(one) == b"x" * 1000
            two.sendall(b"x")
            assert two.recv(1) == b"x"
            assert server.end(number) == 0
            assert read_all(two) == b""
        assert server.err == ""
        with pytest.raises(ConnectionRefusedError):
            server.connect()


def test_chat():
    with Command("chat", "--listen", ANYWHERE) as server:
        server.port()
        with server.connect() as connection:
            assert b"guest1" in connection.recv(1000)
            connection.sendall(b"/quit\n")
            assert read_all(connection) == b""
        assert server.end() == 0


def test_portforward(tmp_path):
    with Command("echo", "--listen", ANYWHERE) as echo:
        number = echo.port()
        arguments = ("-p", f"unix:{tmp_path}/socket", "-h", "127.0.0.1", "-d", number)
        with Command("portforward", *arguments) as forward:
            forward.wait_for(f"torsion portforward: listening on {tmp_path}/socket")
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(f"{tmp_path}/socket")
                connection.sendall(b"hello")
                connection.shutdown(socket.SHUT_WR)
                assert read_all(connection) == b"hello"
            assert forward.end() == 0
        assert echo.end() == 0


@pytest.mark.parametrize("option", [("--grace", "0.05"), ("--drain", "0.05")], ids=" ".join)
def test_a_peer_that_does_not_read_is_not_waited_for_long(option):
    before, after = (option, ()) if option[0] == "--grace" else ((), option)
    with Command(*before, "echo", "--listen", ANYWHERE, *after) as server:
        server.port()
        with server.connect() as connection:
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    connection.send(b"x" * 65536)
            assert server.end(patience=4) == 0, "less than the grace of 5 seconds"


def test_another_reactor():
    with Command("-r", "hosted-asyncio", "echo", "--listen", ANYWHERE) as server:
        assert server.wait_for(r"with (\w+)$")[1] == "AsyncioReactor"
        server.port()
        with server.connect() as connection:
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        assert server.end() == 0


def test_a_reactor_of_the_environment():
    done = run("echo", "--listen", ANYWHERE, env={"TORSION_REACTOR": "tea"})
    assert done.process.returncode == 2
    assert "there is no reactor called 'tea' (the environment variable TORSION_REACTOR names it)" in done.err


def test_an_application_in_a_file(tmp_path):
    path = tmp_path / "mine.tac"
    path.write_text(
        "from torsion.application.service import Application\n"
        "from torsion.application.strports import service\n"
        "from torsion.internet.protocol import Factory, Protocol\n"
        "class Mine(Protocol):\n"
        "    def connectionMade(self):\n        self.transport.write(b'mine')\n        self.transport.loseConnection()\n"
        "application = Application('mine')\n"
        f"service('{ANYWHERE}', Factory.forProtocol(Mine)).setServiceParent(application)\n"
    )
    with Command("-noy", path.name, cwd=tmp_path) as server:
        number = int(server.wait_for(r"starting on (\d+)$")[1])
        with server.connect(number) as connection:
            assert read_all(connection) == b"mine"
        assert server.end() == 0
    assert os.listdir(tmp_path) == ["mine.tac"], "nothing is written"


def test_a_dropped_in_command_is_listed_and_has_options(tmp_path):
    code = PLAIN.replace("return Service()", "raise UsageError(options['word'])").replace(
        "import Options\n",
        "import Options as Base, UsageError\n\n"
        "class Options(Base):\n    optParameters = [['word', 'w', 'unsaid', 'A word.']]\n",
    )
    env = drop_in(tmp_path, "mine", code)
    assert "\n    mine " in run("--help", env=env).out
    shown = run("mine", "--help", env=env).out
    assert shown.startswith("Usage: torsion [options] mine [options]\n")
    assert "-w, --word=" in shown
    done = run("mine", "-w", "said", env=env)
    assert (done.process.returncode, done.err) == (2, "torsion mine: said\n")


@pytest.mark.parametrize("safe", [False, True])
def test_what_is_in_the_current_folder_is_found(tmp_path, safe):
    code = PLAIN.replace("return Service()", "raise UsageError('found')").replace(
        "Options\n", "Options, UsageError\n", 1
    )
    drop_in(tmp_path, "mine", code)
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "torsion"  # as pip makes it
    script.write_text("import sys\nfrom torsion.__main__ import main\nsys.exit(main())\n")
    interpreter = [sys.executable, "-P"] if safe else [sys.executable]
    done = run("mine", command=[*interpreter, str(script)], cwd=tmp_path)
    assert done.process.returncode == 2
    assert ("found" in done.err, "there is no command 'mine'" in done.err) == (not safe, safe)


def test_a_reactor_that_the_program_stops(tmp_path):
    code = PLAIN.replace("return Service()", "reactor.callLater(0, reactor.stop); return Service()")
    done = run("mine", env=drop_in(tmp_path, "mine", code + "from torsion.internet import reactor\n"))
    assert done.process.returncode == 0
    assert "torsion has stopped" in done.out


def test_its_version():
    done = run("--version")
    assert (done.process.returncode, done.out, done.err) == (0, f"torsion {torsion.__version__}\n", "")


def test_in_a_thread_there_are_no_signal_handlers(tmp_path):
    """As a library: ``main`` is called in a process that has other things to do as well."""
    code = (
        "import sys, threading\n"
        "from torsion.scripts.main import main\n"
        "status = []\n"
        "thread = threading.Thread(target=lambda: status.append(main(['mine'])))\n"
        "thread.start()\nthread.join()\nsys.exit(40 + status[0])\n"
    )
    plugin = PLAIN.replace("return Service()", "reactor.callLater(0, reactor.stop); return Service()")
    env = drop_in(tmp_path, "mine", plugin + "from torsion.internet import reactor\n")
    with Command(code, env=env, command=[sys.executable, "-c"]) as program:
        assert program.wait() == 40, program.said()
