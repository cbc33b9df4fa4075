"""What keeps the command from starting is told in a line, with a status that is not 0, and nothing is left behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from operating.command import Command, run
from operating.plugins import PLAIN, drop_in

ECHO = ("echo", "--listen", "tcp:0:interface=127.0.0.1")
ALSO_IN_THE_BACKGROUND = pytest.mark.parametrize("how", [(), ("--daemon",)], ids=["foreground", "background"])

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals, forks and pid files are of POSIX systems")


def failed(*arguments, status=1, **keywords):
    """Run the command; it must fail, with a line of its own at the end of standard error, which is returned."""
    done = run(*arguments, **keywords)
    assert done.process.returncode == status, done.said()
    last = done.err.splitlines()[-1]
    assert last.startswith("torsion"), done.said()
    return done, last


# --- the place to listen at ---------------------------------------------------------------------------------------------


@ALSO_IN_THE_BACKGROUND
def test_a_port_in_use(how, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        done, last = failed(*how, "echo", "--listen", f"tcp:{number}:interface=127.0.0.1", cwd=tmp_path)
    assert f"127.0.0.1:{number}" in last
    assert "in use" in last
    assert done.err.count("\n") == 1
    assert not (tmp_path / "torsion.pid").exists()


def test_one_of_two_places_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        failed("echo", "--listen", f"unix:{tmp_path}/s", "--listen", f"tcp:{number}:interface=127.0.0.1", cwd=tmp_path)
    assert os.listdir(tmp_path) == []


# --- pid files ----------------------------------------------------------------------------------------------------------


def test_a_pid_file_is_there_while_it_runs(tmp_path):
    path = tmp_path / "it.pid"
    with Command("--pidfile", path, *ECHO) as server:
        server.port()
        assert path.read_bytes() == b"%d\n" % server.pid
        _, last = failed("--pidfile", path, *ECHO)
        assert f"process {server.pid} " in last
        assert str(path) in last
        assert "stop it, or name another file with --pidfile" in last
        assert path.read_bytes() == b"%d\n" % server.pid
        assert server.end() == 0
    assert not path.exists()


def gone():
    """Return the number of a process that there was."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize("content", ["gone", "reused"])
def test_a_stale_pid_file_is_taken_over(tmp_path, content):
    path = tmp_path / "it.pid"
    number = {"gone": gone, "reused": os.getpid}[content]()
    path.write_text(f"{number}\n")
    os.utime(path, (1, 1))  # older than whoever has that number
    with Command("--pidfile", path, *ECHO) as server:
        server.port()
        assert path.read_bytes() == b"%d\n" % server.pid
        assert server.end() == 0
    assert not path.exists()


@ALSO_IN_THE_BACKGROUND
def test_the_pid_file_of_another(tmp_path, how):
    path = tmp_path / "it.pid"
    path.write_text(f"{os.getpid()}\n")
    _, last = failed(*how, "--pidfile", path, *ECHO, cwd=tmp_path)
    assert f"the process {os.getpid()} (" in last
    assert path.read_text() == f"{os.getpid()}\n"


def test_what_is_no_pid_file_is_left_alone(tmp_path):
    path = tmp_path / "it.pid"
    path.write_bytes(b"a letter to my mother\n")
    _, last = failed("--pidfile", path, *ECHO)
    assert "is no pid file" in last
    assert path.read_bytes() == b"a letter to my mother\n"


def test_pid_files_that_cannot_be(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "no" / "it.pid", tmp_path / "pipe"):
        _, last = failed("--pidfile", path, *ECHO)
        assert str(path) in last
        assert "name another with --pidfile" in last


def test_two_that_start_at_once_do_not_both_have_it(tmp_path):
    path = tmp_path / "it.pid"
    with Command("--pidfile", path, *ECHO) as one, Command("--pidfile", path, *ECHO) as two:
        pattern = r"listening on|runs already"
        said = [each.wait_for(pattern)[0] for each in (one, two)]
        assert sorted(said) == ["listening on", "runs already"]
        owner = (one, two)[said.index("listening on")]
        assert path.read_bytes() == b"%d\n" % owner.pid


# --- logs ---------------------------------------------------------------------------------------------------------------


@ALSO_IN_THE_BACKGROUND
def test_a_log_folder_that_is_missing(tmp_path, how):
    path = tmp_path / "no" / "it.log"
    done, last = failed(*how, "-l", path, *ECHO, cwd=tmp_path)
    assert last.endswith(f"cannot log to {path}: No such file or directory; name another file with --logfile")
    assert done.err.count("\n") == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_log_that_is_full(tmp_path):
    path = tmp_path / "it.log"
    path.symlink_to("/dev/full")
    pid = tmp_path / "it.pid"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number = probe.getsockname()[1]
    with Command("-l", path, "--pidfile", pid, "echo", "--listen", f"tcp:{number}:interface=127.0.0.1") as server:
        server.wait_for(f"cannot write to the log {path}: No space left on device; events are lost")
        connection = connected(number, server)
        with connection:
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        assert server.end() == 0
        assert server.err.count("\n") == 1, "it is told once"


def connected(number, server):
    """Connect to *server*, which may not listen yet; it says nothing when it does."""
    import time

    until = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", number), timeout=20)
        except ConnectionRefusedError:
            assert server.process.poll() is None, "the server has ended"
            assert time.monotonic() < until, "nobody listens"


# --- files of Python ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "code", "first", "line"),
    [
        ((), "import os\n\ndef f():\n    raise KeyError('mine')\nf()\n", "line 5, in <module>", "KeyError: 'mine'"),
        ((), "x = (\n", "line 1", "SyntaxError"),
        (
            (),
            "from torsion.application import strports\nstrports.service('tpc:80', None)\n",
            "line 2, in <module>",
            "has an unknown type 'tpc'",
        ),
        (("--daemon",), "import nothing_of_that_name\n", "line 1, in <module>", "ModuleNotFoundError"),
    ],
    ids=["raises", "syntax", "endpoint", "import"],
)
def test_an_error_in_a_file_of_python(tmp_path, how, code, first, line):
    path = tmp_path / "mine.py"
    path.write_text(code)
    done, last = failed(*how, "-y", path, cwd=tmp_path)
    lines = done.err.splitlines()
    start = next(number for number, each in enumerate(lines) if each.startswith("  File "))
    assert lines[start] == f'  File "{path}", {first}'
    assert last.startswith(f"torsion: cannot run {path}: ")
    assert line in last
    assert ("torsion/" in done.err) == (line == "has an unknown type 'tpc'"), (
        "what is called within its own code is shown"
    )
    assert not (tmp_path / "torsion.pid").exists()


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (None, "No such file or directory"),
        ("x = 1\n", "does not set the variable application"),
        ("application = 5\n", "is no application, but 5"),
    ],
)
def test_a_file_of_python_that_is_no_application(tmp_path, code, line):
    path = tmp_path / "mine.py"
    if code is not None:
        path.write_text(code)
    done, last = failed("-y", path)
    assert str(path) in last
    assert line in last
    assert done.err.count("\n") == 1


# --- plugins ------------------------------------------------------------------------------------------------------------


def test_a_plugin_that_raises_when_it_is_imported(tmp_path):
    env = drop_in(tmp_path, "raise RuntimeError('broken plugin')\n", None)
    with Command(*ECHO, env=env) as server:
        server.port()
        assert server.end() == 0
        assert "The plugin module torsion.plugins.dropped cannot be imported" in server.said()
        assert "RuntimeError: broken plugin" in server.said()


def test_a_plugin_that_is_called_as_another_one(tmp_path):
    """One can be put in the place of another, but not unseen."""
    with Command("echo", env=drop_in(tmp_path, "echo", PLAIN)) as server:
        server.wait_for("Ready")
        assert server.end() == 0
        told = "Two plugins are called echo: that of dropped_echo is taken, that of torsion.tap.echo is not"
        assert server.said().count(told) == 1


STARTING = {
    "options": "raise ValueError('I will not')\n",
    "makeService": PLAIN.replace("return Service()", "raise ValueError('I will not')"),
    "startService": PLAIN.replace("return Service()", "return Mine()")
    + "class Mine(Service):\n    def startService(self):\n        raise ValueError('I will not')\n",
    "privilegedStartService": PLAIN.replace("return Service()", "return Mine()")
    + "class Mine(Service):\n    def privilegedStartService(self):\n        raise ValueError('I will not')\n",
}


@pytest.mark.parametrize(("where", "how"), [*((where, ()) for where in STARTING), ("makeService", ("--daemon",))])
def test_a_plugin_that_raises(tmp_path, where, how):
    env = drop_in(tmp_path, "boom", STARTING[where])
    done, last = failed(*how, "boom", env=env, cwd=tmp_path)
    module = tmp_path / "dropped_boom.py"
    assert re.search(rf'^  File "{module}", line \d+, in ', done.err, re.MULTILINE)
    assert done.err.index(str(module)) < done.err.index("ValueError")
    assert re.fullmatch(r"torsion boom: cannot (make|start|read) the (service|options): ValueError: I will not", last)
    assert not (tmp_path / "torsion.pid").exists()


def test_a_plugin_that_makes_no_service(tmp_path):
    env = drop_in(tmp_path, "boom", PLAIN.replace("return Service()", "return None"))
    done, last = failed("boom", env=env)
    assert last == "torsion boom: its makeService has returned no service, but None"
    assert "Traceback" not in done.err


def test_a_plugin_that_does_not_describe_itself_is_not_described_as_the_command(tmp_path):
    done = run("boom", "--help", env=drop_in(tmp_path, "boom", PLAIN))
    assert done.process.returncode == 0, done.said()
    assert "the same as the command" not in done.out


def test_what_had_been_started_is_stopped(tmp_path):
    code = PLAIN.replace("return Service()", "return both()") + (
        "from torsion.application.service import MultiService\n"
        "class One(Service):\n    def stopService(self):\n        print('one stops', flush=True)\n"
        "class Two(Service):\n    def startService(self):\n        raise ValueError('not me')\n"
        "def both():\n    both = MultiService()\n    One().setServiceParent(both)\n    Two().setServiceParent(both)\n    return both\n"
    )
    done, _ = failed("boom", env=drop_in(tmp_path, "boom", code))
    assert "one stops" in done.out


def test_a_plugin_that_raises_in_stopService(tmp_path):
    code = PLAIN.replace("return Service()", "return Mine()") + (
        "class Mine(Service):\n"
        "    def startService(self):\n        super().startService()\n"
        "        from torsion.internet import reactor\n        reactor.callWhenRunning(print, 'it runs')\n"
        "    def stopService(self):\n        raise ValueError('I stay')\n"
    )
    pid = tmp_path / "it.pid"
    with Command("--pidfile", pid, "boom", env=drop_in(tmp_path, "boom", code)) as server:
        server.wait_for("it runs")
        assert server.end() == 1
        assert "ValueError: I stay" in server.said()
        assert "dropped_boom.py" in server.said()
    assert not pid.exists()


# --- signals during the start -------------------------------------------------------------------------------------------

SLOW = {
    "import": "import signal\nprint('at it', flush=True)\nsignal.pause()\n",
    "makeService": PLAIN.replace("return Service()", "print('at it', flush=True)\n    signal.pause()")
    + "import signal\n",
    "listening": PLAIN.replace("return Service()", "return Mine()")
    + (
        "from torsion.internet.defer import Deferred\n"
        "class Mine(Service):\n"
        "    def whenListening(self):\n        print('at it', flush=True)\n        return Deferred()\n"
        "    def stopService(self):\n        print('it stops', flush=True)\n"
    ),
}


@pytest.mark.parametrize(("where", "number"), [("makeService", signal.SIGINT), ("listening", signal.SIGTERM)])
def test_a_signal_during_the_start(tmp_path, where, number):
    pid = tmp_path / "it.pid"
    env = drop_in(tmp_path, "slow", SLOW[where])
    with Command("--pidfile", pid, "slow", env=env) as server:
        server.wait_for("at it")
        assert pid.exists()
        assert server.end(number) == 128 + number
        assert "Traceback" not in server.said()
        if where == "listening":
            assert "it stops" in server.out
        else:
            assert f"stopped by {signal.Signals(number).name} before it was ready" in server.err
    assert not pid.exists()


def test_a_signal_while_the_options_are_imported(tmp_path):
    with Command("slow", env=drop_in(tmp_path, "slow", SLOW["import"])) as server:
        server.wait_for("at it")
        assert server.end() in (128 + signal.SIGTERM, -signal.SIGTERM)


GATED = (
    PLAIN.replace("return Service()", "return Mine()")
    + """\
import os
from torsion.internet.defer import Deferred
from torsion.internet.task import LoopingCall


class Mine(Service):
    def whenListening(self):
        print('at it', flush=True)
        self.ready, self.looking = Deferred(), LoopingCall(self.look)
        self.looking.start(0.01)
        return self.ready

    def look(self):
        if os.path.exists('gate'):
            self.looking.stop()
            self.ready.callback(None)
"""
)


def test_a_reload_waits_until_all_is_ready(tmp_path):
    with Command("gated", env=drop_in(tmp_path, "gated", GATED), cwd=tmp_path) as server:
        server.wait_for("at it")
        server.send(signal.SIGHUP)
        (tmp_path / "gate").touch()
        server.wait_for("Ready, process")
        server.wait_for("Received SIGHUP")
        server.wait_for("Reload")
        assert server.end() == 0


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
def test_signals_that_are_ignored_stay_so():
    """Those of a job in the background of a shell, or under nohup."""
    line = f'trap "" HUP INT; exec "{sys.executable}" -m torsion {" ".join(ECHO)}'
    with Command("-c", line, command=["sh"]) as server:
        server.port()
        server.send(signal.SIGHUP)
        server.send(signal.SIGINT)
        assert server.end() == 0
        assert "Received SIGTERM" in server.out
        assert "SIGHUP" not in server.out
        assert "SIGINT" not in server.out


def test_a_second_signal_does_not_cut_the_clean_up_short(tmp_path):
    code = PLAIN.replace("return Service()", "return both()") + (
        "import os, signal\n"
        "from torsion.application.service import MultiService\n"
        "class One(Service):\n"
        "    def stopService(self):\n        os.kill(os.getpid(), signal.SIGTERM)\n        print('one stops', flush=True)\n"
        "class Two(Service):\n    def startService(self):\n        os.kill(os.getpid(), signal.SIGTERM)\n"
        "def both():\n    both = MultiService()\n    One().setServiceParent(both)\n    Two().setServiceParent(both)\n    return both\n"
    )
    done, last = failed("boom", env=drop_in(tmp_path, "boom", code), status=128 + signal.SIGTERM)
    assert "one stops" in done.out
    assert "stopped by SIGTERM before it was ready" in last
