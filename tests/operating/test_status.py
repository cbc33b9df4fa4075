"""The page of status of the real command, as browsers, scrapers, probes, strangers and careless people meet it."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import socket
import stat
import time

import pytest

from operating.command import PATIENCE, Command, run, wait_for_end
from operating.pages import figures, get, say
from torsion.application.status.requests import MAX_HEAD

APP = pathlib.Path(__file__).with_name("status_app.py")
STATUS = r"Status at (\S+)"


def ports(snapshot):
    """Return the numbers of the ports that listen."""
    return [int(each["address"].rpartition(":")[2]) for each in snapshot["listeners"]]


@pytest.fixture(scope="module")
def shop():
    """A running program, where its page is, and its port."""
    with Command("--status", "tcp:0", "-y", APP) as command:
        url = command.wait_for(STATUS)[1]
        command.url = url
        command.number = ports(figures(url))[0]
        yield command
        assert command.end() == 0


def until(url, condition):
    """Ask until a snapshot is as it should be; return it."""
    late = time.monotonic() + PATIENCE
    while time.monotonic() < late:  # an answer may be half a second old
        snapshot = figures(url)
        if condition(snapshot):
            return snapshot
    raise AssertionError(snapshot)


# --- what it tells


def test_what_is_served(shop):
    assert get(shop.url, "/health")[::2] == (200, b"alive\n")
    assert get(shop.url, "/ready")[::2] == (200, b"ready\n")
    status, headers, body = get(shop.url, "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert len(body) == int(headers["Content-Length"])
    assert get(shop.url, "/", "HEAD")[2] == b""
    assert get(shop.url, "/nothing")[0] == 404


def test_the_figures(shop):
    with shop.connect(shop.number) as connection:
        connection.sendall(b"hello")
        assert connection.recv(5) == b"hello"
        here = connection.getsockname()
        snapshot = until(shop.url, lambda each: each["connections"]["open"])
        (row,) = [each for each in snapshot["connections"]["list"] if each["peer"] == f"{here[0]}:{here[1]}"]
        assert (row["read"], row["written"], row["kind"], row["protocol"]) == (
            5,
            5,
            "TCP",
            "__application__.OrderProtocol",
        )
        assert row["listener"].endswith(f":{shop.number}")
    assert snapshot["process"]["pid"] == shop.pid
    assert snapshot["process"]["descriptors"] > 5
    assert snapshot["name"] == "torsion -y status_app.py"
    assert any(each["call"] == "LoopingCall(__application__.Shop.inventory)" for each in snapshot["timers"]["list"])
    assert snapshot["loop"]["lag"]["samples"]


def test_slow_callbacks():
    with Command("--status", "tcp:0", "--slow", "0.05", "-y", APP) as command:
        url = command.wait_for(STATUS)[1]
        assert figures(url)["slow"] == {"threshold": 0.05, "count": 0, "list": []}
        with command.connect(ports(figures(url))[0]) as connection:
            connection.sendall(b"slow")
            command.wait_for(r"OrderProtocol\.dataReceived keeps the event loop, for 0\.\d+ s so far; its stack:")
            assert connection.recv(4) == b"done"
        slow = until(url, lambda each: each["slow"]["count"])["slow"]
        assert slow["list"][0]["call"].endswith("OrderProtocol.dataReceived")
        assert "in reserve" in slow["list"][0]["stack"]
        assert 0.05 <= slow["list"][0]["seconds"] < 5
        assert command.end() == 0


def test_errors(shop):
    with shop.connect(shop.number) as connection:
        connection.sendall(b"fail")
        errors = until(shop.url, lambda each: each["errors"]["count"])["errors"]
    assert errors["by_type"] == {"LookupError": 1}
    assert "in dataReceived" in errors["list"][0]["traceback"]
    assert errors["list"][0]["text"] == "Order 17 cannot be filled"


def test_threads(shop):
    with shop.connect(shop.number) as connection:
        connection.sendall(b"thread")
        assert connection.recv(4) == b"done"
    pool = until(shop.url, lambda each: each["threads"]["pool"])["threads"]["pool"]
    assert pool["maximum"] == 10


def test_prometheus_reads_the_metrics(shop):
    parser = pytest.importorskip(
        "prometheus_client.parser", reason="prometheus-client is in the dependency group 'test'"
    )
    status, headers, body = get(shop.url, "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = {family.name: family for family in parser.text_string_to_metric_families(body.decode())}
    assert found["process_cpu_seconds"].samples[0].value > 0
    assert {each.labels["listener"] for each in found["torsion_accepted_connections"].samples}


# --- who sees it


def test_only_this_machine_sees_it(shop):
    number = int(shop.url.split(":")[2].strip("/"))
    with pytest.raises(ConnectionRefusedError):  # another address of the same machine
        socket.create_connection(("127.0.0.2", number), timeout=5)


def test_an_interface_is_heeded_and_told_of():
    with Command("--status", "tcp:0:interface=0.0.0.0", "echo", "--listen", "tcp:0:interface=127.0.0.1") as command:
        number = int(re.search(r":(\d+)/", command.wait_for(STATUS)[1])[1])
        line = command.wait_for("can see the status")[0] and command.lines[-1]
        assert "Whoever can reach this machine" in line
        assert "#warn" in line
        command.port()
        socket.create_connection(("127.0.0.2", number), timeout=5).close()
        assert command.end() == 0


def test_strangers_pages_cannot_ask(shop):
    for path in ("/", "/status.json", "/metrics"):
        status, _, body = get(shop.url, path, headers={"Host": "evil.example"})
        assert status == 421
        assert b"shop" not in body


def test_a_unix_socket(tmp_path):
    path = str(tmp_path / "status")
    with Command("--status", path, "echo", "--listen", "tcp:0:interface=127.0.0.1") as command:
        command.wait_for(STATUS)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert get(path, "/ready", headers={"Host": "anything"})[::2] == (200, b"ready\n")
        assert figures(path)["process"]["pid"] == command.pid
        assert command.end() == 0
    assert not os.path.exists(path)


# --- what goes wrong


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /status.json HTTP/1.1\r\nHost: localhost\r\nContent-Length: 45\r\n\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), 400),
        (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 2 * MAX_HEAD, 431),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ],
)  # fmt: skip  # a line each
def test_wrong_requests_get_one_answer(shop, sent, status):
    received = say(shop.url, sent)
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert received.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close\r\n" in received


def test_half_a_request(shop):
    assert say(shop.url, b"GET / HT") == b""


def test_a_port_in_use(shop):
    number = shop.url.split(":")[2].strip("/")
    done = run("--status", f"tcp:{number}", "echo", "--listen", "tcp:0:interface=127.0.0.1")
    assert done.process.returncode == 1
    (line,) = done.err.splitlines()
    assert re.search(rf"--status tcp:{number}.* in use", line)


@pytest.mark.parametrize("wrong", ["", "9000", "dance:9000", "tcp:many", "unix:"])
def test_what_is_no_place(wrong):
    done = run("--status", wrong, "echo", "--listen", "tcp:0:interface=127.0.0.1")
    assert done.process.returncode == 2
    assert "--status" in done.err or "status" in done.err
    assert "Traceback" not in done.err
    assert "listening" not in done.out


@pytest.mark.parametrize("wrong", ["0", "-1", "soon", "nan", "0.001"])
def test_what_is_no_time(wrong):
    done = run("--slow", wrong, "echo", "--listen", "tcp:0:interface=127.0.0.1")
    assert done.process.returncode == 2
    assert "Traceback" not in done.err


# --- through the life of a process


def test_while_it_drains():
    with Command("--status", "tcp:0", "--grace", "15", "-y", APP) as command:
        url = command.wait_for(STATUS)[1]
        number = ports(figures(url))[0]
        with command.connect(number) as held:
            held.sendall(b"x")
            held.recv(1)
            command.send(signal.SIGTERM)
            late = time.monotonic() + PATIENCE
            status = 200
            while status == 200 and time.monotonic() < late:
                status, headers, body = get(url, "/ready")
            assert (status, body) == (503, b"draining\n")
            assert headers["Connection"] == "close"
            assert get(url, "/health")[0] == 200
        command.wait()


def test_workers_are_one_page():
    with Command("--status", "tcp:0", "--workers", "2", "-y", APP) as command:
        url = command.wait_for(STATUS)[1]
        for _ in range(2):
            command.wait_for(r"worker \d \(pid \d+\) is ready")
        snapshot = until(url, lambda each: [row["state"] for row in each["workers"]] == ["ready", "ready"])
        assert get(url, "/ready")[0] == 200
        assert snapshot["process"]["pid"] == command.pid
        assert snapshot["connections"]["open"] == 0
        number = ports(snapshot)[0]
        held = [command.connect(number) for _ in range(8)]
        try:
            for each in held:
                each.sendall(b"x")
                each.recv(1)
            snapshot = until(url, lambda each: each["connections"]["open"] == 8)
            assert sum(each["connections"] for each in snapshot["workers"]) == 8
            assert sum(each["accepted"] for each in snapshot["listeners"]) == 8
            held[0].sendall(b"fail")
            errors = until(url, lambda each: each["errors"]["count"])["errors"]
            assert (errors["count"], len(errors["list"])) == (1, 1)  # though the master logs it, too
            assert errors["list"][0]["worker"] in ("0", "1")
        finally:
            for each in held:
                each.close()
        os.kill(snapshot["workers"][0]["pid"], signal.SIGKILL)
        after = until(
            url,
            lambda each: (
                [row["restarts"] for row in each["workers"]] == [1, 0] and each["workers"][0]["state"] == "ready"
            ),
        )
        assert sum(each["accepted"] for each in after["listeners"]) == 8  # counts do not go back
        assert command.end() == 0


@pytest.mark.parametrize("place", ["tcp:0", "{}/status"])
def test_a_restart_leaves_it_where_it_is(place, tmp_path):
    with Command("--status", place.format(tmp_path), "echo", "--listen", "tcp:0:interface=127.0.0.1") as command:
        url = command.wait_for(STATUS)[1]
        command.port()
        before = figures(url)["process"]["pid"]
        command.send(signal.SIGUSR2)
        after = until(url, lambda each: each["process"]["pid"] != before)
        pid = after["process"]["pid"]
        try:
            until(url, lambda each: each["state"] == "ready")
            command.process.wait(PATIENCE)  # its outputs are the successor's, too
            assert figures(url)["process"]["pid"] == pid
        finally:
            os.kill(pid, signal.SIGTERM)
            wait_for_end(pid)
