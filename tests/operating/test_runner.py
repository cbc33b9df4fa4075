"""``torsion procmon`` and ``torsion inetd``, with real programs, clients and signals."""

from __future__ import annotations

import os
import signal
import socket
import sys

import pytest

from operating.command import PATIENCE, Command, alive, run, wait_for_end

pwd = pytest.importorskip("pwd", reason="users are not known by their names here")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs are a shell's")

ME = pwd.getpwuid(os.geteuid()).pw_name if sys.platform != "win32" else ""


def talk(server, number, data=b""):
    """Send *data* and the end to a port of *server*; return the answer."""
    with server.connect(number) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while received := connection.recv(65536):
            answer += received
        return answer


class TestProcmon:
    def test_a_program_is_kept_running_and_ends_with_the_command(self):
        code = "echo started $$ $WORD; exec sleep 1000"
        with Command("procmon", "--minrestartdelay", "0.05", "/bin/sh", "-c", code, env={"WORD": "hello"}) as monitor:
            first = int(monitor.wait_for(r"\] started (\d+) hello$")[1])
            os.kill(first, signal.SIGKILL)
            monitor.wait_for(r"has ended after .* starting it again in 0\.05 s")
            second = int(monitor.wait_for(r"\] started (\d+) hello$")[1])
            assert second != first
            assert monitor.end() == 0
            assert not alive(first)
            assert not alive(second)

    def test_one_that_will_not_end_is_killed(self):
        code = "trap '' TERM; echo started $$; while :; do sleep 0.05; done"
        with Command("procmon", "--killtime", "0.1", "/bin/sh", "-c", code) as monitor:
            stubborn = int(monitor.wait_for(r"\] started (\d+)$")[1])
            assert monitor.end() == 0
            assert "killing it" in monitor.said()
            assert not alive(stubborn)

    @pytest.mark.parametrize("signals", [1, 2])
    def test_nothing_is_left_running_when_there_is_no_time_for_it(self, signals):
        code = "trap '' TERM; echo started $$; while :; do sleep 0.05; done"
        with Command("--grace", "0.2" if signals == 1 else "100", "procmon", "/bin/sh", "-c", code) as monitor:
            stubborn = int(monitor.wait_for(r"\] started (\d+)$")[1])
            monitor.send(signal.SIGTERM)
            monitor.wait_for("Received SIGTERM, shutting down")
            if signals == 2:
                monitor.send(signal.SIGTERM)
            monitor.wait()
            assert not alive(stubborn)

    @pytest.mark.parametrize("arguments", [[], ["--threshold", "soon", "ls"], ["-m", "2", "-M", "1", "ls"]])
    def test_what_cannot_be(self, arguments):
        assert run("procmon", *arguments).process.returncode == 2


class TestInetd:
    def test_its_services_and_a_reload(self, tmp_path):
        conf = tmp_path / "inetd.conf"
        conf.write_text(
            f"127.0.0.1:0 stream tcp nowait {ME} internal echo # a comment\n"
            f"127.0.0.1:0 stream tcp4 nowait {ME} /bin/cat cat\n"
        )
        with Command("inetd", "--file", conf) as server:
            echo, cat = server.port(), server.port()
            server.wait_for("Ready")
            data = os.urandom(200_000)
            assert talk(server, cat, data) == data
            assert talk(server, echo, b"hello") == b"hello"
            with server.connect(cat) as connection:
                connection.sendall(b"before ")
                assert connection.recv(7) == b"before "
                conf.write_text(f"127.0.0.1:0 stream tcp4 nowait {ME} /bin/echo echo other\n")
                server.send(signal.SIGHUP)
                server.wait_for("reloaded: Inetd|reloaded in .* 1 service")
                connection.sendall(b"after")
                assert connection.recv(5) == b"after"
            assert talk(server, cat) == b"other\n"
            with pytest.raises(ConnectionRefusedError):
                talk(server, echo)
            conf.write_text("no-such-service stream tcp nowait root internal\n")
            server.send(signal.SIGHUP)
            server.wait_for("line 1: Unknown service: no-such-service")
            assert talk(server, cat) == b"other\n"
            assert server.end() == 0

    def test_a_restart_hands_its_sockets_over(self, tmp_path):
        conf = tmp_path / "inetd.conf"
        script = tmp_path / "parent"
        script.write_text("echo $PPID")
        conf.write_text(f"127.0.0.1:0 stream tcp nowait {ME} /bin/sh sh {script}\n")
        with Command("inetd", "--file", conf) as server:
            number = server.port()
            server.wait_for("Ready")
            assert talk(server, number) == b"%d\n" % server.pid
            server.send(signal.SIGUSR2)
            successor = int(server.wait_for(r"Ready, process (\d+)")[1])
            try:
                assert server.process.wait(PATIENCE) == 0
                assert talk(server, number) == b"%d\n" % successor
            finally:
                os.kill(successor, signal.SIGTERM)
            wait_for_end(successor)

    @pytest.mark.parametrize("text", [None, "echo stream tcp\n", "no-such-service stream tcp nowait root internal\n"])
    def test_a_file_that_cannot_be_used(self, tmp_path, text):
        conf = tmp_path / "inetd.conf"
        if text is not None:
            conf.write_text(text)
        done = run("inetd", "--file", conf)
        assert done.process.returncode == 2
        assert str(conf) in done.err
        assert "Traceback" not in done.said()

    def test_a_port_that_is_taken(self, tmp_path):
        conf = tmp_path / "inetd.conf"
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = other.getsockname()[1]
            conf.write_text(
                f"127.0.0.1:{taken} stream tcp nowait {ME} /bin/cat\n127.0.0.1:0 stream tcp nowait {ME} internal echo\n"
            )
            with Command("inetd", "--file", conf) as server:
                number = server.port()
                server.wait_for("in use")
                assert talk(server, number, b"on") == b"on"
                assert server.end() == 0
