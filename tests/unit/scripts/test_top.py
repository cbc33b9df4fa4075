"""``torsion top``: its arguments, where figures come from, and what is shown of them in how much room."""

from __future__ import annotations

import json
import re
import threading
from contextlib import closing
from socket import create_server

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.__main__ import main
from torsion.application.status.merge import merge
from torsion.scripts.top import figures, plain, source
from torsion.scripts.top.source import LARGEST, NoAnswer, Source
from torsion.scripts.top.view import SORTS, Cell, Column, Order, Screen, Section, view
from unit.application.status.sample import HOSTILE, sample

WORKERS = merge([sample("0"), sample("1")], master=sample(), missing={"2": "it is starting"})


# --- arguments


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--once", "127.0.0.1:1"], 1, "127.0.0.1:1 does not answer: Connection refused"),
        (["--once", "/nowhere/status"], 1, "/nowhere/status does not answer: No such file or directory"),
        (["--once", "ftp://127.0.0.1/"], 2, "is no URL of a status page"),
        (["--once", "127.0.0.1:99999"], 2, "is no URL"),
        (["--once", "tcp:some"], 2, "'tcp:some' is no URL"),
        (["--once", "http://[::1"], 2, "is no URL"),
        (["--once", ""], 2, "is neither a URL nor the path of a socket"),
        (["--once", "unix:"], 2, "is neither a URL nor the path of a socket"),
        (["--json", "9000"], 2, "--json goes with --once"),
        (["-n", "0", "9000"], 2, "seconds, between 0.1 and 3600"),
        (["-n", "nan", "9000"], 2, "seconds, between 0.1 and 3600"),
        ([], 2, ""),
        (["9000", "9001"], 2, ""),
        (["9000"], 1, "this is no terminal; use --once"),
    ],
)
def test_what_cannot_be_used(arguments, status, words, capsys):
    assert main(["top", *arguments]) == status
    out, err = capsys.readouterr()
    assert words in err
    assert "Traceback" not in out + err


# --- where figures come from


@pytest.fixture
def served():
    """Return a function that serves bytes to one who asks; what was asked is appended to its ``asked``."""
    with closing(create_server(("127.0.0.1", 0))) as server:
        threads = []

        def serve(answer):
            def work():
                connection, _ = server.accept()
                with connection:
                    serve.asked.append(connection.recv(65536))
                    try:
                        connection.sendall(answer)
                    except OSError:  # it has heard enough
                        pass

            threads.append(threading.Thread(target=work))
            threads[-1].start()
            return f"127.0.0.1:{server.getsockname()[1]}"

        serve.asked = []
        yield serve
        for thread in threads:
            thread.join()


def answer(body, status="200 OK"):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_snapshot(served):
    place = served(answer(json.dumps(sample()).encode()))
    assert Source(f"http://{place}/behind/a/proxy/").get()["name"] == "torsion shop"
    assert served.asked[0].startswith(b"GET /behind/a/proxy/status.json HTTP/1.1\r\n")


@pytest.mark.parametrize("description", ["tcp:{}", "tcp:{}:interface=127.0.0.1", "tcp:{}:0.0.0.0", "tcp:port={}"])
def test_the_endpoint_that_status_was_given(served, description):
    port = served(answer(json.dumps(sample()).encode())).rpartition(":")[2]
    assert Source(description.format(port)).get()["name"] == "torsion shop"


@pytest.mark.parametrize(
    ("description", "host", "secure"),
    [
        ("tcp6:9", "::1", False),
        ("tcp:9:interface=\\:\\:", "::1", False),
        ("ssl:9:privateKey=x", "127.0.0.1", True),
        ("tls:/etc/certificates:9:interface=127.0.0.2", "127.0.0.2", True),
    ],
)
def test_other_endpoints(description, host, secure):
    source = Source(description)
    assert (source._host, source._port, source._secure) == (host, 9, secure)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "is no HTTP"),
        (b"", "is no HTTP|does not answer"),
        (
            answer(b"404 Not Found\n\x1b[2JThere is nothing", "404 Not Found"),
            "says: 404 Not Found: \ufffd.2JThere is nothing",
        ),
        (answer(b"", "500 Broken"), "says: 500"),
        (answer(b"<html>"), "no status of torsion"),
        (answer(b"[]"), "no status of torsion"),
        (answer(b"[" * 100_000), "no status of torsion"),
        (answer(b'{"schema": 1}'), "no status of torsion"),
        (answer(json.dumps(sample(schema=99)).encode()), "of another release"),
        (answer(b" " * (LARGEST + 1)), "more than"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "no status of torsion"),
    ],
)
def test_what_is_no_snapshot(served, said, words):
    with pytest.raises(NoAnswer, match=words) as caught:
        Source(served(said)).get()
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("dripping", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["header", "body"])
def test_an_answer_that_never_ends(monkeypatch, dripping):
    """Each byte comes in good time, so that no single step takes too long."""
    monkeypatch.setattr(source, "WHOLE", 0.3)
    ended = threading.Event()

    def drip():
        connection, _ = server.accept()
        with connection:
            connection.sendall(dripping)
            try:
                while not ended.wait(0.01):
                    connection.sendall(b"x")
            except OSError:  # it has heard enough
                pass

    with closing(create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(NoAnswer, match="does not answer: its answer has not ended in "):
                Source(f"127.0.0.1:{server.getsockname()[1]}").get()
        finally:
            ended.set()
            thread.join()


# --- figures


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (figures.count(None), "-"),
        (figures.count(1234567), "1 234 567"),
        (figures.size(None), "-"),
        (figures.size(0), "0 B"),
        (figures.size(1023), "1023 B"),
        (figures.size(1536), "1.5 KiB"),
        (figures.size(200 * 1024 * 1024), "200 MiB"),
        (figures.size(5 * 1024**5), "5120 TiB"),
        (figures.brief(None), "-"),
        (figures.brief(0.0000123), "12 µs"),
        (figures.brief(0.0012), "1.2 ms"),
        (figures.brief(0.25), "250 ms"),
        (figures.brief(1.25), "1.2 s"),
        (figures.brief(75), "1 min 15 s"),
        (figures.long(None), "-"),
        (figures.long(59.9), "59 s"),
        (figures.long(-3600), "-1 h 0 min"),
        (figures.long(90000), "1 d 1 h"),
        (figures.clean("a\x1b[2J\u202eb\n"), "a\ufffd[2J\ufffdb\ufffd"),
    ],
)
def test_figures(text, shown):
    assert text == shown


def test_a_curve():
    assert figures.curve([], 10) == ("", 0.0)
    assert figures.curve([0.0, 0.5, 1.0], 10) == (" ▄█", 1.0)
    bars, highest = figures.curve([0.0] * 99 + [2.0], 10)
    assert (len(bars), bars[-1], highest) == (10, "█", 2.0)
    assert figures.curve([0.0001], 5)[1] == 0.001  # what is nothing looks like nothing


@given(st.lists(st.floats(0, 100), max_size=500), st.integers(1, 200))
def test_a_curve_fits(values, width):
    bars, highest = figures.curve(values, width)
    assert len(bars) <= width
    assert not values or highest >= max(values)


# --- what is shown


def lines(snapshot, width=110, height=None):
    return plain.draw(view(snapshot, None, Order(), width, height), width, colours=False)


@pytest.mark.parametrize("snapshot", [sample(), WORKERS], ids=["one", "workers"])
@pytest.mark.parametrize("width", [20, 40, 80, 110, 300])
@pytest.mark.parametrize("height", [None, 5, 12, 24, 60])
@pytest.mark.parametrize("kind", ["plain", "rich"])
def test_it_fits(snapshot, width, height, kind):
    if kind == "rich":
        pytest.importorskip("rich", reason="rich is in the extra 'console'")
        from torsion.scripts.top.fancy import draw
    else:
        from torsion.scripts.top.plain import draw
    shown = draw(view(snapshot, None, Order(), width, height, [[Cell("q leave")]]), width, colours=True)
    bare = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in shown]
    assert max(map(plain.width_of, bare)) <= width
    assert "\x1b" not in "".join(bare)
    assert bare[0].startswith("torsion shop")
    assert bare[-1].rstrip() == "q leave"
    if height is not None and height >= 24:
        assert len(bare) <= height


def test_hostile_names_stay_on_their_line():
    shown = "\n".join(lines(sample(name=HOSTILE)))
    assert "evil{" not in [line[:5] for line in shown.splitlines()]
    assert "\ufffd" in shown


def test_workers_have_a_table():
    shown = "\n".join(lines(WORKERS))
    assert "Workers  2 of 3 ready" in shown
    assert re.search(r"\n2 +missing: it is starting +- ", shown)
    assert re.search(r"\n0 +ready +4711 +1 h 2 min ", shown)


def test_little_room_is_for_connections():
    shown = lines(sample(), height=12)
    assert any("Connections" in line for line in shown)
    assert not any("Listeners" in line for line in shown)
    assert len(shown) <= 12


def test_the_order():
    rows = sample()["connections"]["list"]
    order = Order()
    seen = []
    for name in SORTS:
        assert order.by == name
        seen.append([row["read"] for row in order.sort(rows)])
        order = order.next()
    assert order == Order()
    assert seen[0] == [row["read"] for row in rows]
    assert seen[SORTS.index("read")] == [400, 300, 200, 100, 0]
    assert [row["read"] for row in Order("read", True).sort(rows)] == [0, 100, 200, 300, 400]


def test_rates_need_two_snapshots():
    later = sample(time=sample()["time"] + 2)
    later["process"]["cpu_user"] += 1
    first = plain.draw(view(later, sample(), Order(), 110, None), 110, colours=False)[1]
    assert "cpu 50%" in first
    assert "cpu -" in lines(later)[1]


def test_columns_give_way_where_there_is_little_room():
    columns = [Column("name", shrinks=True), Column("size", right=True), Column("age", right=True)]
    rows = [[Cell("x" * 50), Cell("12 KiB"), Cell("3 s")]]
    screen = Screen([], [Section([Cell("Table")], columns, rows)], [])
    wide = plain.draw(screen, 80, colours=False)[-1]
    narrow = plain.draw(screen, 30, colours=False)[-1]
    tiny = plain.draw(screen, 14, colours=False)[-1]
    assert wide.startswith("x" * 50)
    assert len(narrow) == 30
    assert narrow.endswith("…  12 KiB  3 s")
    assert tiny == "xxxxx…  12 KiB"


@given(st.text(max_size=30), st.integers(1, 40))
def test_what_is_cut_fits(text, width):
    assert plain.width_of(plain.clip(text, width)) <= width
