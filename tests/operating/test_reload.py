"""Reloading by SIGHUP, and by saving a file under --reload: logs, configuration, code; a connection stays through all of it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from operating.command import PATIENCE, Command, alive, wait_for_end
from torsion.application.control.client import ask

APP = Path(__file__).parent / "reload_app.py"
WORD = 'def current():\n    return "{}"\n'
FAST = {"PYTHONDONTWRITEBYTECODE": "1"}


class Program:
    """The program of ``reload_app.py`` in a folder of its own."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.write("app.py", APP.read_text())
        self.write("word.py", WORD.format("first"))
        self.write("numbers", "1")
        environment = {"CONFIGURATION": str(folder / "numbers"), **FAST}
        self.command = Command(*options, "-y", "app.py", cwd=folder, env=environment)
        self.pids = [self.command.pid]

    def write(self, name, text):
        """Write a file as editors do: at once."""
        path = self.folder / f".{name}.new"
        path.write_text(text)
        path.rename(self.folder / name)

    def begin(self, ready="Ready"):
        number = int(self.command.wait_for(r" starting on (\d+)")[1])
        self.command.wait_for(ready)
        self.connection = self.command.connect(number)
        self.answers = self.connection.makefile("r")

    def ask(self):
        """Ask over the connection that was made in the beginning."""
        self.connection.sendall(b"?")
        return self.answers.readline().strip()

    def hang_up(self):
        self.connection.close()
        self.answers.close()

    def end(self):
        self.hang_up()
        for pid in self.pids[1:]:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
                wait_for_end(pid)
        self.command.kill()


@pytest.fixture
def program(tmp_path):
    started = []

    def start(*options, ready="Ready"):
        program = Program(tmp_path, *options)
        started.append(program)
        program.begin(ready)
        return program

    yield start
    for each in started:
        each.end()


def test_code_and_configuration(program):
    tells = program()
    assert tells.ask() == "first 1"
    tells.write("word.py", WORD.format("second"))
    tells.write("numbers", "2")
    tells.command.send(signal.SIGHUP)
    tells.command.wait_for("reloaded in .*: 1 module, 1 service")
    tells.command.wait_for("rebuilt word: current")
    tells.command.wait_for(r"reloaded: settings \(Configured\)")
    assert tells.ask() == "second 2"
    tells.hang_up()
    assert tells.command.end() == 0


def test_what_has_an_error_goes_on_as_it_was(program):
    tells = program()
    tells.write("word.py", WORD.format("second") + "1 / 0\n")
    tells.write("numbers", "many")
    tells.command.send(signal.SIGHUP)
    tells.command.wait_for("#error.*reloaded in .*:.* 2 failures")
    tells.command.wait_for("failed: word: it stays as it was: ZeroDivisionError: division by zero")
    tells.command.wait_for(r'word.py", line 3, in <module>')
    tells.command.wait_for(r"failed: settings \(Configured\): .*'many'")
    assert tells.ask() == "first 1"
    tells.write("word.py", WORD.format("third"))
    tells.write("numbers", "3")
    tells.command.send(signal.SIGHUP)
    tells.command.wait_for("rebuilt word: current")
    tells.command.wait_for("reloaded: settings")
    assert tells.ask() == "third 3"


def test_the_file_of_y_is_rebuilt_too(program):
    tells = program()
    tells.write("app.py", APP.read_text().replace(r"\n", r"!\n"))
    tells.command.send(signal.SIGHUP)
    tells.command.wait_for("rebuilt __application__: Tell.dataReceived")
    assert tells.ask() == "first 1!"
    tells.write("app.py", APP.read_text().replace('"tells"', '"says"'))
    tells.command.send(signal.SIGHUP)
    tells.command.wait_for("not updated: application: its services are made already")
    assert tells.ask() == "first 1"


def test_log_files_are_opened_anew(tmp_path):
    log, old, door = tmp_path / "log", tmp_path / "log.1", tmp_path / "door"
    with Command("-l", log, "--control", door, "echo", "--listen", "tcp:0:interface=127.0.0.1") as command:
        wait_for_text(log, "Ready")
        log.rename(old)  # as logrotate does
        done, text = ask(str(door), "reload", PATIENCE)
        assert done
        assert f"opened anew: {log}" in text
        before = old.stat().st_size
        assert command.end() == 0
    assert "Received SIGTERM" in log.read_text()
    assert old.stat().st_size == before


def test_a_log_file_that_cannot_be_opened_anew(tmp_path):
    folder, door = tmp_path / "logs", tmp_path / "door"
    folder.mkdir()
    log = folder / "log"
    with Command("-l", log, "--control", door, "echo", "--listen", "tcp:0:interface=127.0.0.1") as command:
        wait_for_text(log, "Ready")
        folder.rename(tmp_path / "old")
        done, text = ask(str(door), "reload", PATIENCE)
        assert not done
        assert f"failed: {log}: " in text
        assert "No such file or directory" in text
        assert command.end() == 0
    assert "Received SIGTERM" in (tmp_path / "old" / "log").read_text()


def wait_for_text(path, text):
    until = time.monotonic() + PATIENCE
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < until, f"no {text!r} in {path}"
        os.sched_yield()


def test_several_workers_give_one_report(tmp_path):
    (tmp_path / "app.py").write_text(APP.read_text())
    (tmp_path / "word.py").write_text(WORD.format("first"))
    (tmp_path / "numbers").write_text("1")
    environment, door = {"CONFIGURATION": str(tmp_path / "numbers"), **FAST}, tmp_path / "door"
    with Command("--workers", 2, "--control", door, "-y", "app.py", cwd=tmp_path, env=environment) as command:
        command.wait_for(r"\[torsion.application.runner#info\] Ready")  # the master, when all are
        (tmp_path / "word.py").write_text(WORD.format("second"))
        done, text = ask(str(door), "reload", PATIENCE)
        assert done
        assert text.count("rebuilt word: current") == text.count("reloaded: settings (Configured)") == 1
        (tmp_path / "word.py").write_text("1 / 0\n")
        done, text = ask(str(door), "reload", PATIENCE)
        assert not done
        for worker in range(2):
            assert f"failed: worker {worker}: word: it stays as it was: ZeroDivisionError" in text
        assert command.end() == 0


# --- saving a file under --reload -----------------------------------------------------------------------------------------

NONE = 'raise ImportError("not here")\n'


@pytest.mark.parametrize(("installed", "how"), [(True, "WatchingFiles"), (False, "Noticing")])
def test_saving_a_file_is_enough(tmp_path, program, installed, how):
    if installed:
        pytest.importorskip("watchfiles", reason="watchfiles is in the dependency group 'test'")
    else:
        (tmp_path / "watchfiles.py").write_text(NONE)
    tells = program("--reload", ready=rf"Watching for changes of 2 files \({how}\)")
    tells.write("word.py", WORD.format("second"))
    tells.command.wait_for("rebuilt word: current")
    assert tells.ask() == "second 1"
    tells.write("word.py", "def current(:\n")
    tells.command.wait_for("failed: word: it stays as it was: SyntaxError")
    assert tells.ask() == "second 1"
    tells.write("word.py", WORD.format("third"))
    tells.command.wait_for("rebuilt word: current")
    assert tells.ask() == "third 1"


def test_a_restart_where_that_is_not_enough(program):
    tells = program("--reload", ready="Watching")
    number = tells.connection.getpeername()[1]
    tells.write("app.py", APP.read_text().replace('"tells"', '"says"'))
    tells.command.wait_for("Restarting, as not all could be taken on in place: application: ")
    tells.pids.append(int(tells.command.wait_for(r"Process (\d+) is to take the place")[1]))
    tells.command.wait_for("has taken the place of this one")
    assert tells.ask() == "first 1"  # of the old process
    with tells.command.connect(number) as connection:
        connection.sendall(b"?")
        assert connection.recv(100) == b"first 1\n"
