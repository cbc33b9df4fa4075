"""Where the command logs, and how."""

from __future__ import annotations

import json
import os
import re

import pytest

from operating.command import COMMAND, Command, run
from operating.plugins import PLAIN, drop_in

ECHO = ("echo", "--listen", "tcp:0:interface=127.0.0.1")


def test_text_by_default():
    with Command(*ECHO) as server:
        line = server.wait_for("listening on").string
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \[torsion\.tap#info\] torsion echo: listening", line)
        assert server.end() == 0
        assert "\x1b" not in server.said()
        assert server.err == ""


def test_json_in_a_file(tmp_path):
    path = tmp_path / "it.log"
    with Command("--logfile", path, "--log-format", "json", "--pidfile", tmp_path / "pid", *ECHO) as server:
        wait_for_text(path, "listening on")
        assert server.end() == 0
        assert server.out == server.err == ""
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert any(event.get("log_namespace") == "torsion.tap" for event in events)


def wait_for_text(path, text):
    import time

    until = time.monotonic() + 20
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < until, f"no {text!r} in {path}"
        os.sched_yield()


def test_standard_error():
    with Command("-l", "+", *ECHO) as server:
        server.port()
        assert server.end() == 0
        assert server.out == ""
        assert "listening on" in server.err


SAYS = (
    PLAIN.replace("return Service()", "return Mine()")
    + """\
from torsion.internet import reactor
from torsion.logger import Logger

log = Logger("mine")


class Mine(Service):
    def startService(self):
        super().startService()
        reactor.callWhenRunning(self.say)

    def say(self):
        log.debug("a debug")
        log.info("an info")
        log.warn("a warning with \\x1b[5mcontrol")
        try:
            1 / 0
        except ZeroDivisionError:
            log.failure("a failure")
        print("printed")
        reactor.stop()
"""
)


@pytest.mark.parametrize("level", ["debug", "warn"])
def test_levels(tmp_path, level):
    done = run("--log-level", level, "says", env=drop_in(tmp_path, "says", SAYS))
    assert done.process.returncode == 0
    assert ("a debug" in done.out, "an info" in done.out, "a warning" in done.out) == (*(level == "debug",) * 2, True)
    assert ("[stdout#info] printed" in done.out) == (level == "debug")


@pytest.mark.skipif(os.name != "posix", reason="needs pseudo-terminals")
@pytest.mark.parametrize("how", ["rich", "own", "NO_COLOR", "dumb", "json"])
def test_on_a_terminal(tmp_path, how):
    env = drop_in(tmp_path, "says", SAYS) | {"NO_COLOR": None, "TERM": "xterm-256color", "COLUMNS": None}
    if how == "rich":
        pytest.importorskip("rich", reason="rich is in the dependency group 'test'")
    elif how == "own":
        (tmp_path / "rich.py").write_text("raise ImportError('not here')\n")
    elif how == "NO_COLOR":
        env["NO_COLOR"] = "1"
    elif how == "dumb":
        env["TERM"] = "dumb"
    arguments = ["--log-format", "json", "says"] if how == "json" else ["says"]
    said = on_a_terminal([*COMMAND, *arguments], env)
    assert ("\x1b[" in said) == (how in ("rich", "own"))
    bare = re.sub(r"\x1b\[[0-9;]*m", "", said)
    assert "\x1b" not in bare
    if how in ("rich", "own"):
        assert re.search(r"^\d\d:\d\d:\d\d info     mine an info\r?$", bare, re.MULTILINE)
        assert re.search(r"^\d\d:\d\d:\d\d critical mine a failure\r?$", bare, re.MULTILINE)
        assert "\\x1b[5mcontrol" in bare, "what would control the terminal is shown"
    if how == "json":
        assert all("log_format" in json.loads(line) for line in said.splitlines())
    else:
        assert "ZeroDivisionError: division by zero" in bare


def on_a_terminal(command, env):
    """Run *command* with a pseudo-terminal for its output; return what it has written."""
    import subprocess

    ours, theirs = os.openpty()
    environment = {name: value for name, value in {**os.environ, **env}.items() if value is not None}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        said = b""
        try:
            while chunk := os.read(ours, 65536):
                said += chunk
        except OSError:  # EIO: nobody holds the other end any more
            pass
        finally:
            os.close(ours)
        assert process.wait(20) == 0, said
    return said.decode()


def test_an_observer_of_the_application(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import sys\n"
        "from torsion.application.service import Application, Service\n"
        "from torsion.internet import reactor\n"
        "from torsion.logger import ILogObserver, formatEvent\n"
        "application = Application('mine')\n"
        "application.setComponent(ILogObserver, lambda event: sys.__stdout__.write('mine: ' + formatEvent(event) + '\\n'))\n"
        "reactor.callWhenRunning(reactor.stop)\n"
    )
    done = run("-noy", path)
    assert done.process.returncode == 0
    assert re.search(
        r"^mine: torsion .* starts, process \d+, on Python 3.* with NativeReactor$", done.out, re.MULTILINE
    )
    assert "[torsion" not in done.out


@pytest.mark.skipif(os.name != "posix", reason="signals are sent by other means elsewhere")
def test_nobody_reads_what_it_says(tmp_path):
    import subprocess

    reading, writing = os.pipe()
    os.close(reading)
    pid = tmp_path / "pid"
    env = drop_in(tmp_path, "says", SAYS)
    arguments = [*COMMAND, "--pidfile", str(pid), "says"]
    process = subprocess.Popen(arguments, stdout=writing, stderr=writing, env={**os.environ, **env})
    os.close(writing)
    try:
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert not pid.exists()


def test_the_profile(tmp_path):
    import pstats

    env = drop_in(tmp_path, "says", SAYS)
    assert run("--profile", tmp_path / "text", "says", env=env).process.returncode == 0
    assert re.search(r"function calls .*in \d", (tmp_path / "text").read_text())
    assert run("-p", tmp_path / "stats", "--savestats", "says", env=env).process.returncode == 0
    assert any(name == "say" for _, _, name in pstats.Stats(str(tmp_path / "stats")).stats)
    done = run("-p", tmp_path / "no" / "stats", "says", env=env)
    assert done.process.returncode == 1
    assert "cannot write the profile to" in done.err
