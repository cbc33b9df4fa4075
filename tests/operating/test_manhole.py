"""A prompt into the running command: by a terminal, by a pipe, and by those who may not."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

import pytest

from operating.command import COMMAND, PATIENCE, Command, run

pwd = pytest.importorskip("pwd", reason="users are not known by their names here")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no private sockets on Windows")


class Terminal:
    """``torsion manhole`` at a terminal of its own."""

    def __init__(self, path, home, *options, **environment):
        """Start it."""
        master, slave = os.openpty()
        self.master = master
        self.seen = ""
        self._looked = 0
        variables = {
            **{name: value for name, value in os.environ.items() if name != "NO_COLOR"},  # of whoever runs the tests
            "TERM": "xterm",
            "XDG_STATE_HOME": str(home),
            "PYTHONIOENCODING": "utf-8",
            **environment,
        }
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LOGIN, *COMMAND, "manhole", *options, str(path)],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=variables,
                start_new_session=True,
            )
        finally:
            os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)

    def type(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, pattern, patience=PATIENCE):
        """Wait until *pattern* is found in what it shows after the last thing waited for; None if that does not happen soon enough
        for a patience of one's own."""
        until = time.monotonic() + patience
        while True:
            if found := re.search(pattern, self.seen[self._looked :]):
                self._looked += found.end()
                return found
            if patience != PATIENCE and time.monotonic() >= until:
                return None
            ready, _, _ = select.select([self.master], [], [], max(until - time.monotonic(), 0))
            if not ready and patience != PATIENCE:
                return None
            assert ready, f"no {pattern!r} in {PATIENCE} s; it shows:\n{self.seen}"
            try:
                data = os.read(self.master, 65536)
            except OSError:  # Linux, where nobody has the other end any more
                data = b""
            assert data, f"it ended without {pattern!r}; it shows:\n{self.seen}"
            self.seen += data.decode(errors="replace")

    def ask(self, line):
        """Type a line when it asks for one."""
        self.wait_for(PROMPT)
        self.type(line + "\n")


PROMPT = r">>> (\x1b\[0m)?"


# Makes the terminal the process's own, so that Ctrl-C there means it.
LOGIN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


def serving(path, *options, **keywords):
    return Command("--manhole", path, *options, "echo", "--listen", "tcp:0:interface=127.0.0.1", **keywords)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("shared") / "manhole"


@pytest.fixture(scope="module")
def server(path):
    """A command for all tests that leave it as it is."""
    with serving(path) as command:
        command.port()
        command.wait_for("Ready")
        yield command


@pytest.fixture
def own_path(tmp_path):
    return tmp_path / "manhole"


@pytest.fixture
def own_server(own_path):
    with serving(own_path) as command:
        command.wait_for("Ready")
        yield command


def piped(path, commands, *options, **keywords):
    """Give *commands* to the client by a pipe; return its exit status and what it wrote."""
    done = subprocess.run(
        [*COMMAND, "manhole", *options, str(path)],
        input=commands,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **keywords,
    )
    return done.returncode, done.stdout, done.stderr


class TestTerminal:
    def test_a_conversation(self, server, path, tmp_path):
        with Terminal(path, tmp_path) as terminal:
            terminal.wait_for(rf"torsion .*process {server.pid}")
            terminal.ask("1 + 1")
            terminal.wait_for(r"\x1b\[36m2\r?\n")
            terminal.ask("for letter in 'ab':")
            terminal.wait_for(r"\.\.\. ")
            terminal.type("    print(letter * 3)\n\n")
            terminal.wait_for(r"aaa\r\nbbb\r\n")
            terminal.ask("from torsion.internet.task import deferLater")
            terminal.ask("deferLater(reactor, 0.01, str.upper, 'later')")
            terminal.wait_for("'LATER'")
            terminal.ask("await deferLater(reactor, 0.01, str.upper, 'awaited')")
            terminal.wait_for("'AWAITED'")
            terminal.ask("listeners()")
            terminal.wait_for(rf"TCP +127\.0\.0\.1:{server._ports[-1]} +EchoFactory")
            terminal.ask("1 / 0")
            terminal.wait_for(r'Traceback \(most recent call last\):\r\n  File "<manhole \d+>", line 1, in <module>')
            terminal.wait_for("ZeroDivisionError")
            terminal.ask("raise SystemExit")
            assert terminal.process.wait(PATIENCE) == 0
        assert server.process.poll() is None
        server.wait_for("Manhole: .* has left")

    def test_names_are_completed(self, server, path, tmp_path):
        with Terminal(path, tmp_path) as terminal:
            terminal.wait_for(PROMPT)
            terminal.type("run.argv[0]; reactor.callFromTh\t(print, 'completed')\n")
            terminal.wait_for(r"reactor\.callFromThread")
            terminal.wait_for(PROMPT)
            assert "AttributeError" not in terminal.seen, "as there would be if Tab had done nothing"
            terminal.type("\x04")
            assert terminal.process.wait(PATIENCE) == 0

    def test_output_while_a_line_is_typed(self, server, path, tmp_path):
        with Terminal(path, tmp_path) as terminal:
            terminal.ask("from torsion.internet.defer import Deferred; go = Deferred()")
            terminal.ask("async def told(): print('told ' + await go)")
            terminal.wait_for(r"\.\.\. ")
            terminal.type("\n")
            terminal.ask("background = Deferred.fromCoroutine(told())")
            terminal.ask("await_me = reactor.callLater(0.2, go.callback, 'meanwhile')")
            terminal.wait_for(PROMPT)
            terminal.type("'half a' + ")
            terminal.wait_for(r"\r\x1b\[Ktold meanwhile\r\n>>> 'half a' \+ ")
            terminal.type("' line'\n")
            terminal.wait_for("'half a line'")

    def test_ctrl_c(self, server, path, tmp_path):
        with Terminal(path, tmp_path) as terminal:
            terminal.wait_for(PROMPT)
            terminal.type("half a line")
            terminal.wait_for("half a line")
            # Between a key and the wait for the next one Python's readline does not hear of Ctrl-C; people type it again, too.
            assert any(terminal.type("\x03") or terminal.wait_for("KeyboardInterrupt", 2) for _ in range(10))
            terminal.ask("from torsion.internet.defer import Deferred")
            terminal.ask("print('wait' + 'ing'); await Deferred()")
            terminal.wait_for("waiting")
            terminal.type("\x03")
            terminal.wait_for("KeyboardInterrupt")
            fifo = tmp_path / "fifo"
            os.mkfifo(fifo)
            terminal.ask(f"import time; open({str(fifo)!r}, 'w').close(); time.sleep(1000)")
            fifo.read_text()  # which waits for it
            with server.connect() as other:
                other.sendall(b"served")
                terminal.type("\x03")
                terminal.wait_for("KeyboardInterrupt")
                assert other.recv(10) == b"served"
            terminal.ask("'after' + 'wards'")
            terminal.wait_for("afterwards")

    def test_what_was_typed_is_there_next_time(self, server, path, tmp_path):
        with Terminal(path, tmp_path) as terminal:
            terminal.ask("'a' + 'gain'")
            terminal.wait_for("'again'")
            terminal.wait_for(PROMPT)
            terminal.type("\x04")
            assert terminal.process.wait(PATIENCE) == 0
        history = tmp_path / "torsion" / "manhole_history"
        assert stat.S_IMODE(history.stat().st_mode) == 0o600
        with Terminal(path, tmp_path) as terminal:
            terminal.wait_for(PROMPT)
            terminal.type("\x1b[A\n")
            terminal.wait_for("'again'")
        with Terminal(path, tmp_path, "--no-history") as terminal:
            terminal.wait_for(PROMPT)
            terminal.type("\x1b[A5\n")
            terminal.wait_for(r"5\r?\n")

    def test_without_colours(self, server, path, tmp_path):
        with Terminal(path, tmp_path, NO_COLOR="1") as terminal:
            terminal.ask("1 + 1")
            terminal.wait_for(r"\n2\r\n")
            assert "\x1b[3" not in terminal.seen

    def test_the_process_ends(self, own_server, own_path, tmp_path):
        with Terminal(own_path, tmp_path) as terminal:
            terminal.ask("await run.stop()")
            assert own_server.wait() == 0
            terminal.wait_for("the process ends")
            assert terminal.process.wait(PATIENCE) == 1
        assert not own_path.exists()


class TestPipe:
    def test_commands(self, server, path):
        commands = (
            "import os\n"
            "os.getpid()\n"
            "def double(x):\n"
            "    return 2 * x\n"
            "double(21)\n"
            "if double(0):\n"
            "    print('yes')\n"
            "\n"
            "    print('more')\n"
            "else:\n"
            "    print('no')\n"
            "text = '''a\n"
            "b'''\n"
            "text\n"
            "(1,\n"
            "2)\n"
            "for i in 1, 2:\n"
            "    print(i)"
        )
        assert piped(path, commands) == (0, f"{server.pid}\n42\nno\n'a\\nb'\n(1, 2)\n1\n2\n", "")

    def test_errors_are_told_by_the_exit_status(self, server, path):
        status, out, err = piped(path, "1 / 0\nprint('on')\n(\n")
        assert (status, out) == (1, "on\n")
        assert "ZeroDivisionError" in err
        assert "SyntaxError" in err
        assert piped(path, "exit()\nprint('not reached')\n") == (0, "", "")

    def test_one_command(self, server, path):
        assert piped(path, "", "-c", "x = 20\nx + 1") == (0, "21\n", "")
        behind = run("manhole", path, "-c", "1 + 1")
        assert (behind.process.returncode, behind.out) == (0, "2\n"), "options may stand behind the socket"
        status, out, err = piped(path, "", "-c", "x +")
        assert (status, out) == (1, "")
        assert "SyntaxError" in err

    def test_much_output(self, server, path):
        status, out, err = piped(path, "for n in range(20000): print(n)\n")
        assert (status, err) == (0, "")
        assert out == "".join(f"{n}\n" for n in range(20000))
        status, out, err = piped(path, "while True: print('x' * 1000)\n")
        assert status == 1
        assert 1 << 20 <= len(out) < 1 << 22
        assert "output wait to be read" in err

    def test_what_would_wait_for_the_process_s_terminal(self, server, path):
        status, _, err = piped(path, "input()\nimport pdb; pdb.set_trace()\nhelp()\n'done'\n")
        assert status == 1
        assert "EOFError" in err
        assert piped(path, "'done'")[1] == "'done'\n"

    def test_nothing_of_it_is_printed_by_the_process(self, own_server, own_path):
        piped(own_path, "print('only here')")
        assert own_server.end() == 0
        assert "only here" not in own_server.said()

    def test_ctrl_c_ends_a_script(self, server, path):
        client = subprocess.Popen(
            [*COMMAND, "manhole", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        with client:
            client.stdin.write(b"print('begun')\nwhile True: pass\nprint('not reached')\n")
            client.stdin.close()
            assert client.stdout.readline() == b"begun\n"
            client.send_signal(signal.SIGINT)
            assert client.stdout.read() == b""
            assert client.wait(PATIENCE) == 130
        assert piped(path, "1")[:2] == (0, "1\n")


class TestFaults:
    def test_it_is_private(self, server, path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be somebody else")
    def test_another_user(self, tmp_path):
        nobody = pwd.getpwnam("nobody")
        # Where nobody may be; and even if the file's permissions were lost.
        python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or pytest.skip(
            "there is no Python that nobody may run"
        )
        folder = tempfile.mkdtemp(dir="/tmp")
        os.chmod(folder, 0o755)
        path = f"{folder}/door"
        code = (
            "import socket, sys; s = socket.socket(socket.AF_UNIX); s.settimeout(20)\n"
            "try: s.connect(sys.argv[1])\n"
            "except PermissionError: print('refused')\n"
            "else: print(s.recv(100))\n"
        )

        def knock():
            done = subprocess.run(
                [python, "-c", code, path],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
                user=nobody.pw_uid,
                group=nobody.pw_gid,
                extra_groups=[],
            )
            return done.stdout.strip()

        try:
            with serving(path) as server:
                server.wait_for("Ready")
                assert knock() == "refused"
                os.chmod(path, 0o666)
                assert knock() == "b''"
                server.wait_for(rf"Refused a connection at {path}: process \d+ of user {nobody.pw_uid}")
                assert piped(path, "1")[:2] == (0, "1\n")
        finally:
            shutil.rmtree(folder)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("missing/door", "the folder .*missing does not exist; make it first"),
            ("d" * 120, "bytes at most"),
            ("file", "no socket; remove it, or take another path"),
        ],
    )
    def test_where_there_can_be_none(self, tmp_path, name, words):
        (tmp_path / "file").write_text("precious")
        done = run("--manhole", tmp_path / name, "echo", "--listen", "tcp:0:interface=127.0.0.1")
        assert done.process.returncode == 1
        assert re.search(rf"cannot start the service: cannot listen at .*{words}", done.err), done.said()
        assert "Traceback" not in done.said()
        assert (tmp_path / "file").read_text() == "precious"

    def test_an_empty_path(self):
        assert run("--manhole", "", "echo", "--listen", "tcp:0").process.returncode == 2

    def test_two_processes(self, server, path):
        done = run("--manhole", path, "echo", "--listen", "tcp:0:interface=127.0.0.1")
        assert done.process.returncode == 1
        assert f"process {server.pid} listens there already" in done.err
        assert piped(path, "import os; os.getpid()")[1] == f"{server.pid}\n"

    def test_one_that_was_killed_leaves_no_obstacle(self, own_path):
        with serving(own_path) as first:
            first.wait_for("Ready")
            first.end(signal.SIGKILL)
        assert own_path.exists()
        with serving(own_path) as second:
            second.wait_for("Ready")
            assert piped(own_path, "import os; os.getpid()")[1] == f"{second.pid}\n"
            assert second.end() == 0
        assert not own_path.exists()

    @pytest.mark.parametrize(
        "source", ["while True: pass", "await __import__('torsion.internet.defer').internet.defer.Deferred()"]
    )
    def test_a_client_that_is_killed(self, server, path, source):
        client = subprocess.Popen([*COMMAND, "manhole", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with client:
            client.stdin.write(f"print('begun')\n{source}\n1\n".encode())
            client.stdin.flush()
            assert client.stdout.readline() == b"begun\n"
            client.kill()
        with server.connect() as other:
            other.sendall(b"served")
            assert other.recv(10) == b"served"
        server.wait_for("has left")
        assert piped(path, "1")[:2] == (0, "1\n")

    def test_no_such_prompt(self, tmp_path):
        status, out, err = piped(tmp_path / "nothing", "")
        assert (status, out) == (2, "")
        assert re.fullmatch(r"torsion manhole: cannot connect to .*: there is no such socket; .*\n", err)

    def test_no_prompt_at_all(self, tmp_path):
        import socket
        import threading

        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(tmp_path / "other"))
            other.listen()

            def answer():
                connection, _ = other.accept()
                with connection:
                    connection.sendall(json.dumps({"is": "a teapot"}).encode() + b"\n")
                    connection.recv(100)

            thread = threading.Thread(target=answer)
            thread.start()
            status, _, err = piped(tmp_path / "other", "")
            thread.join(PATIENCE)
        assert status == 2
        assert "no prompt of this version" in err


def test_a_restart_takes_the_place(own_path):
    with serving(own_path) as server:
        server.wait_for("Ready")
        server.send(signal.SIGUSR2)
        successor = int(server.wait_for(r"Ready, process (\d+)")[1])
        try:
            assert server.process.wait(PATIENCE) == 0
            assert piped(own_path, "import os; os.getpid()")[1] == f"{successor}\n"
        finally:
            os.kill(successor, signal.SIGTERM)
        # The successor holds the outputs open: their end is its end.
        for reader in server._readers:
            reader.join(PATIENCE)
        assert not own_path.exists()


def test_workers_have_prompts_of_their_own(own_path):
    with serving(own_path, "--workers", "2") as master:
        ready = [master.wait_for("Ready") for _ in range(3)]
        assert len(ready) == 3
        pids = [int(piped(f"{own_path}{end}", "import os; os.getpid()")[1]) for end in ("", ".0", ".1")]
        assert pids[0] == master.pid
        assert len(set(pids)) == 3
        assert "EchoFactory" in piped(f"{own_path}.0", "listeners()")[1]
        assert master.end() == 0
    assert list(own_path.parent.iterdir()) == []
