"""``--workers``: several processes on the same sockets, supervised; run as the real command."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from operating.command import Command, alive, run, wait_for_end

APP = Path(__file__).with_name("workers_app.py")
READY = r"worker (\d) \(pid (\d+)\) is ready"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need Unix sockets")


class Workers(Command):
    """A master with workers; ``pids`` by slot."""

    def __init__(self, number, *options, **variables):
        super().__init__("--workers", number, *options, "-y", APP, env=variables)
        self.pids = {}
        for _ in range(number):
            self.wait_for_worker()

    def wait_for_worker(self):
        found = self.wait_for(READY)
        slot, pid = int(found[1]), int(found[2])
        self.pids[slot] = pid
        return slot, pid

    @property
    def number(self):
        return int(re.search(r"Factory starting on (\d+)", "\n".join(self.lines))[1])

    def connected(self):
        return socket.create_connection(("127.0.0.1", self.number), timeout=20)

    def ask(self, word=b"pid"):
        with self.connected() as connection:
            return asked(connection, word)


def asked(connection, word=b"pid"):
    connection.sendall(word + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        data = connection.recv(100)
        if not data:
            raise ConnectionResetError("the connection was closed")
        answer += data
    return int(answer.split()[1])


def gone(connection):
    """Wait until the other end has closed *connection*, or cut it."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
def workers():
    started = []

    def start(*arguments, **variables):
        started.append(Workers(*arguments, **variables))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        for pid in each.pids.values():
            wait_for_end(pid)  # which end when their master does


def test_connections_are_spread_over_all_workers_and_a_stop_leaves_none(workers):
    master = workers(2, "--grace", "0.3")
    answers = [master.ask() for _ in range(60)]
    assert {*answers} == {*master.pids.values()}
    if sys.platform.startswith("linux"):  # where the kernel balances: all to one, or nearly so, is no accident
        assert 10 < answers.count(master.pids[0]) < 50
    with master.connected() as connection:
        pid = asked(connection)
        assert master.end() == 0
        assert gone(connection)
    assert pid in master.pids.values()
    assert not any(alive(pid) for pid in master.pids.values())
    assert "exit status 0" in master.out
    assert master.err == ""
    with pytest.raises(ConnectionRefusedError):
        master.connected()


def test_a_worker_that_is_killed_is_replaced_and_nobody_is_refused(workers):
    master = workers(2)
    killed = master.pids[0]
    os.kill(killed, signal.SIGKILL)
    # More than fit the reach of one turn: some are made while there is only one worker, or the place is empty.
    answers = [master.ask() for _ in range(60)]
    assert {*answers} <= {*master.pids.values()} - {killed} | {master.wait_for_worker()[1]}
    assert "killed by SIGKILL" in master.out
    assert "another is started at once" in master.out
    assert {master.ask() for _ in range(40)} == {*master.pids.values()}


def test_a_worker_that_is_stopped_by_others_is_replaced_while_it_drains(workers):
    master = workers(1)
    (before,) = master.pids.values()
    with master.connected() as connection:
        assert asked(connection) == before
        os.kill(before, signal.SIGTERM)
        _, after = master.wait_for_worker()
        assert asked(connection) == before
        assert master.ask() == after
    assert "stops by itself; another is started at once" in master.out
    wait_for_end(before)


@pytest.mark.parametrize(
    ("word", "why"),
    [(b"exit", "exit status 137, as of a process killed by SIGKILL"), (b"hang", "hung for 0.5 seconds")],
)
def test_a_worker_that_exits_or_hangs_is_replaced(workers, word, why):
    master = workers(1, "--worker-timeout", "0.5")
    (before,) = master.pids.values()
    with master.connected() as connection:
        connection.sendall(word + b"\n")
        assert master.wait_for_worker() == (0, master.pids[0])
        assert gone(connection)
    assert master.pids[0] != before
    assert why in master.out
    if word == b"hang":
        assert "workers_app.py" in master.out.partition("Current thread")[2]  # where it hung
    assert master.ask() == master.pids[0]


def test_an_exception_costs_a_connection_and_no_worker(workers):
    master = workers(1)
    with master.connected() as connection:
        connection.sendall(b"raise\n")
        assert gone(connection)
    master.wait_for(rf"\[worker 0, pid {master.pids[0]}, .*critical\]")
    assert master.ask() == master.pids[0]


def test_a_crash_loop_backs_off_and_says_so(workers):
    master = workers(1, APP_CRASHES="yes")
    master.wait_for(r"worker 0 .* has ended: exit status 3; another is started at once")
    found = master.wait_for(
        r"exit status 3, number 2 in a row that did not last; another is started in (0\.\d) seconds"
    )
    assert 0.4 <= float(found[1]) <= 0.6
    master.wait_for_worker()
    assert master.end() == 0  # also while there is no worker, or one that is about to crash


def test_a_service_that_cannot_start_is_a_failure_of_the_start(tmp_path):
    broken = tmp_path / "broken"
    broken.touch()
    command = run("--workers", 2, "-y", APP, env={"APP_BROKEN": str(broken)})
    assert command.process.returncode == 1
    last = command.err.splitlines()[-1]
    assert re.search(r"none of the 2 workers started: worker \d: the configuration is broken", last)
    assert command.out.count("the configuration is broken") == 2


def test_a_port_that_is_taken_is_a_failure_of_the_start():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        command = run("--workers", 2, "-y", APP, env={"APP_LISTEN": f"tcp:{number}:interface=127.0.0.1"})
    assert command.process.returncode == 1
    assert "Address already in use" in command.err


def test_two_masters_do_not_share_a_port(workers):
    master = workers(2)
    command = run("--workers", 2, "-y", APP, env={"APP_LISTEN": f"tcp:{master.number}:interface=127.0.0.1"})
    assert command.process.returncode == 1
    assert "Address already in use" in command.err


def test_logs_are_told_apart(workers):
    master = workers(2)
    for slot, pid in master.pids.items():
        assert re.search(rf"^\S+ \[worker {slot}, pid {pid}, app#info\] a line of the log$", master.out, re.MULTILINE)
        assert re.search(
            rf"^\S+ \[worker {slot}, pid {pid}, stdout#info\] a line that is printed$", master.out, re.MULTILINE
        )


def test_logs_are_told_apart_in_json():
    with Command("--workers", 2, "--log-format", "json", "-y", APP) as master:
        pids = {}
        while len(pids) < 2:
            event = json.loads(master.wait_for("is ready").string)
            slot, pid = re.search(r"worker (\d) \(pid (\d+)\)", event["log_flattened"]["who!s:"]).groups()
            pids[int(slot)] = int(pid)
        events = [json.loads(line) for line in master.out.splitlines()]
        for slot, pid in pids.items():
            said = [each for each in events if each.get("worker") == slot and each["pid"] == pid]
            assert "a line of the log" in [each["log_format"] for each in said]
            assert "a line that is printed" in [each.get("log_io") for each in said]
        assert master.end() == 0


def test_workers_end_with_their_master(workers):
    master = workers(2)
    master.kill()
    for pid in master.pids.values():
        wait_for_end(pid)


def test_a_restart_replaces_all_workers_and_cuts_no_connection(workers, tmp_path):
    broken = tmp_path / "broken"
    master = workers(2, APP_BROKEN=str(broken))
    before = dict(master.pids)
    with master.connected() as connection:
        old = asked(connection)
        broken.touch()
        master.send(signal.SIGUSR2)
        master.wait_for(r"SIGUSR2: .*did not become ready: the configuration is broken.*all workers go on as they were")
        assert asked(connection) == old
        assert {master.ask() for _ in range(40)} == {*before.values()}
        broken.unlink()
        master.send(signal.SIGUSR2)
        assert {master.wait_for_worker()[0] for _ in range(2)} == {0, 1}
        master.wait_for("All 2 workers have been replaced")
        assert asked(connection) == old
        while {master.ask() for _ in range(40)} != {*master.pids.values()}:
            pass  # an old one has yet to hear that it is to listen no more
        assert not {*before.values()} & {*master.pids.values()}
    for pid in before.values():
        wait_for_end(pid)  # once nobody is connected to them


def test_all_workers_reload(workers):
    master = workers(2)
    master.send(signal.SIGHUP)
    for _ in range(2):
        master.wait_for(r"\[worker \d, pid \d+, .*\] reloaded in")
    master.wait_for(r"\[torsion.application.runner#info\] reloaded in")


def test_unix_sockets_are_shared_and_removed_at_the_end(workers, tmp_path):
    path = str(tmp_path / "socket")
    master = workers(2, APP_LISTEN=f"unix:{path}:mode=600")
    assert os.stat(path).st_mode & 0o777 == 0o600
    os.kill(master.pids[0], signal.SIGKILL)
    master.wait_for_worker()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(path)
        assert asked(connection) in master.pids.values()
    assert master.end() == 0
    assert os.listdir(tmp_path) == []


def test_datagrams_reach_a_worker_each(workers):
    master = workers(2, APP_UDP="yes")
    number = int(re.search(r"datagrams at (\d+)", master.out)[1])
    answers = set()
    for _ in range(60):  # each from another port, by which the kernel chooses
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(20)
            sender.sendto(b"?", ("127.0.0.1", number))
            answers.add(int(sender.recv(100)))
    assert answers <= {*master.pids.values()}
    if sys.platform.startswith("linux"):
        assert len(answers) == 2


def test_a_stop_before_the_workers_are_ready(workers):
    with Command("--workers", 2, "-y", APP) as command:
        command.wait_for("Starting 2 workers")
        status = command.end()
    assert status in (0, 128 + signal.SIGTERM)


def test_a_number_of_workers_that_cannot_be():
    command = run("--workers", "0", "-y", APP)
    assert command.process.returncode == 2
    assert command.err.count("\n") == 1
    assert "between 1 and 512" in command.err


def test_what_claims_to_be_a_worker_and_is_none():
    command = run("-y", APP, env={"TORSION_WORKER": "0:77:78"})
    assert command.process.returncode == 1
    assert "cannot be a worker" in command.err
    assert command.err.count("\n") == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become another user")
def test_workers_give_up_privileges_which_the_master_keeps_to_listen(workers):
    master = workers(1, "--uid", "65534", APP_LISTEN="tcp:0:interface=127.0.0.1 tcp:873:interface=127.0.0.1")
    assert os.stat(f"/proc/{master.pids[0]}").st_uid == 65534
    os.kill(master.pids[0], signal.SIGKILL)
    master.wait_for_worker()
    with socket.create_connection(("127.0.0.1", 873), timeout=20) as connection:
        assert asked(connection) == master.pids[0]
    assert master.end() == 0


def test_workers_share_a_socket_of_systemd():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        code = (  # the number of the process can be known only by itself
            "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_PID'] = str(os.getpid());"
            "os.execv(sys.executable, [sys.executable, '-m', 'torsion', *sys.argv[2:]])"
        )
        where = listening.getsockname()
        with Command(
            "--workers", 2, "-y", APP,
            command=[sys.executable, "-c", code, str(listening.fileno())],
            pass_fds=[listening.fileno()],
            env={"LISTEN_FDS": "1", "APP_LISTEN": f"tcp:{where[1]}:interface=127.0.0.1"},
        ) as master:  # fmt: skip
            pids = {int(master.wait_for(READY)[2]) for _ in range(2)}
            with socket.create_connection(where, timeout=20) as connection:
                assert asked(connection) in pids
            assert master.end() == 0
        socket.create_connection(where, timeout=20).close()  # it is systemd's, and stays open


def test_tools_reach_a_master_in_the_background(tmp_path):
    pidfile = tmp_path / "pid"
    log = tmp_path / "log"
    started = run("--daemon", "--workers", 2, "--pidfile", pidfile, "-l", log, "-y", APP)
    try:
        assert started.process.returncode == 0, started.said()
        assert started.out + started.err == ""
        for tool, said in (
            ("reload", "reloaded in"),
            ("restart", "has restarted"),
            ("stop", "has stopped, with status 0"),
        ):
            command = run(tool, "--pidfile", pidfile)
            assert command.process.returncode == 0, command.said()
            assert said in command.out
        assert len({*re.findall(r"worker \d \(pid (\d+)\) is ready", log.read_text())}) == 4
        assert not pidfile.exists()
    finally:
        if pidfile.exists():
            os.kill(int(pidfile.read_text()), signal.SIGKILL)
