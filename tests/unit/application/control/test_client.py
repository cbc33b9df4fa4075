"""Asking, with processes that answer as they should, or do not; and asking by signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from torsion.application.control.client import LONGEST_ANSWER, Asked, ControlError, ask, wait_for_end
from torsion.application.control.signals import LONGEST_PIDFILE, ask_by_signal, read_pidfile
from torsion.application.localpeer import LocalConnectError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no private sockets")


@pytest.fixture
def server(tmp_path):
    """Serves one connection at ``server.path`` by what it is given."""

    class Server:
        path = str(tmp_path / "c")

        def serve(self, *answers, hang=False):
            def run():
                connection, _ = self.listening.accept()
                with connection:
                    self.heard = connection.recv(1000)
                    for each in answers:
                        try:
                            connection.sendall(each)
                        except OSError:  # nobody listens any more
                            break
                    if hang:
                        connection.recv(1)

            self.thread = threading.Thread(target=run, daemon=True)
            self.thread.start()

    made = Server()
    with socket.socket(socket.AF_UNIX) as made.listening:
        made.listening.bind(made.path)
        made.listening.listen()
        yield made
        made.thread.join(10)


def test_answers(server):
    server.serve(b'{"begun": "reload", "pid": 7}\n{"do', b'ne": "reload", "text": "well"}\n')
    assert ask(server.path, "reload", 10) == Asked(True, "well")
    assert server.heard == b'{"do": "reload"}\n'


def test_a_refusal(server):
    server.serve(b'{"failed": "reload", "text": "why"}\n')
    assert ask(server.path, "reload", 10) == Asked(False, "why")


def test_no_answer(server):
    server.serve(b'{"begun": "reload", "pid": 7}\n', hang=True)
    with pytest.raises(ControlError, match=r"process 7 has not answered within 0.1 seconds"):
        ask(server.path, "reload", 0.1)


@pytest.mark.parametrize("before", [b"", b'{"begun": "reload"}\n', b'{"do'])
def test_it_hangs_up(server, before):
    server.serve(before)
    with pytest.raises(ControlError, match="has hung up without saying"):
        ask(server.path, "reload", 10)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"SSH-2.0-OpenSSH\n", "no control socket: it says b'SSH"),
        (b"[]\n", "no control socket"),
        (b"[" * 100_000 + b"\n", "no control socket"),
        (b"x" * (LONGEST_ANSWER + 100_000), "says too much"),
    ],
)
def test_something_else(server, answer, told):
    server.serve(answer)
    with pytest.raises(ControlError, match=told):
        ask(server.path, "reload", 10)


def test_stop_waits_for_the_end(server):
    """This process, which serves here, does not end."""
    begun = f'{{"begun": "stop", "pid": {os.getpid()}}}\n'.encode()
    server.serve(begun + b'{"done": "stop", "text": "well"}\n')
    with pytest.raises(ControlError, match=r"does not end within 0.2 seconds"):
        ask(server.path, "stop", 0.2)


def test_nobody_there(tmp_path):
    with pytest.raises(LocalConnectError, match="no such socket"):
        ask(tmp_path / "nobody", "ping", 1)


@pytest.fixture
def child():
    """Starts processes that do as a script says, once they have said that they do; ends them."""
    started = []

    def start(script):
        made = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        started.append(made)
        assert made.stdout.readline()
        return made

    yield start
    for each in started:
        each.kill()
        each.wait()
        each.stdout.close()


WAITS = "import signal, sys; print('ready', flush=True); signal.pause()"


@pytest.mark.parametrize("pidfds", [True, False])
def test_the_end_of_another(child, monkeypatch, pidfds):
    if not pidfds:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    import time

    process = child(WAITS)
    assert not wait_for_end(process.pid, time.monotonic() + 0.1)
    process.kill()
    process.wait()
    assert wait_for_end(process.pid, time.monotonic() + 10)


class TestBySignal:
    @pytest.fixture
    def pidfile(self, tmp_path):
        return tmp_path / "t.pid"

    def test_stop(self, child, pidfile):
        process = child(WAITS)
        pidfile.write_text(f"{process.pid}\n")
        threading.Thread(target=process.wait, daemon=True).start()
        assert ask_by_signal(pidfile, "stop", 10) == (True, f"process {process.pid} has ended")

    def test_one_that_does_not_stop(self, child, pidfile):
        process = child(
            "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True)\nwhile True: signal.pause()"
        )
        pidfile.write_text(f"{process.pid}\n")
        assert ask_by_signal(pidfile, "stop", 0.1) == (False, f"process {process.pid} has not ended within 0.1 seconds")

    def test_reload(self, child, pidfile):
        process = child(
            "import signal; signal.signal(1, lambda *_: print('got it', flush=True)); print(1, flush=True)\nwhile True: signal.pause()"
        )
        pidfile.write_text(f"{process.pid}\n")
        assert ask_by_signal(pidfile, "reload", 10).done
        assert process.stdout.readline() == b"got it\n"

    def test_restart(self, child, pidfile):
        script = f"import signal, pathlib; signal.signal(signal.SIGUSR2, lambda *_: pathlib.Path({str(pidfile)!r}).write_text('1\\n')); print(1, flush=True)\nwhile True: signal.pause()"
        process = child(script)
        pidfile.write_text(f"{process.pid}\n")
        assert ask_by_signal(pidfile, "restart", 10) == (
            True,
            f"process 1 has taken the place of process {process.pid}",
        )

    def test_one_that_stays(self, child, pidfile):
        process = child(
            "import signal; signal.signal(signal.SIGUSR2, signal.SIG_IGN); print(1, flush=True)\nwhile True: signal.pause()"
        )
        pidfile.write_text(f"{process.pid}\n")
        done, text = ask_by_signal(pidfile, "restart", 0.2)
        assert not done
        assert "its log tells why" in text

    def test_one_that_dies_of_it(self, child, pidfile):
        process = child(WAITS)
        pidfile.write_text(f"{process.pid}\n")
        threading.Thread(target=process.wait, daemon=True).start()
        done, text = ask_by_signal(pidfile, "restart", 10)
        assert (done, "no other has taken its place" in text) == (False, True)
        assert process.wait() == -signal.SIGUSR2

    def test_a_stale_file(self, child, pidfile):
        process = child(WAITS)
        process.kill()
        process.wait()
        pidfile.write_text(f"{process.pid}\n")
        with pytest.raises(ControlError, match="is not running; the file was left behind"):
            ask_by_signal(pidfile, "stop", 10)

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there is known when a process began")
    def test_a_number_that_is_another_process_by_now(self, child, pidfile):
        process = child(WAITS)
        pidfile.write_text(f"{process.pid}\n")
        os.utime(pidfile, (1, 1))
        with pytest.raises(ControlError, match="another one than"):
            ask_by_signal(pidfile, "stop", 10)
        assert process.poll() is None

    @pytest.mark.parametrize("content", ["", "x", "0", "-1", "-7\n", "7 8", "9" * LONGEST_PIDFILE + "9", "1.5"])
    def test_what_is_no_pid_file(self, pidfile, content):
        """Least of all are signals sent to groups of processes, as negative numbers would have it."""
        pidfile.write_text(content)
        with pytest.raises(
            ControlError, match="is no pid file, but holds" if content else "is empty: it names no process"
        ):
            ask_by_signal(pidfile, "stop", 10)

    def test_no_file(self, pidfile):
        with pytest.raises(ControlError, match="is the process running"):
            read_pidfile(pidfile)

    def test_a_folder(self, tmp_path):
        with pytest.raises(ControlError, match="cannot read the pid file"):
            read_pidfile(tmp_path)
