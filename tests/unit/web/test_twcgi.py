"""Programs behind CGI: what they are told, and what is made of what they say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from torsion.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from torsion.internet.task import Clock
from torsion.logger import LogLevel, capturedLogs
from torsion.python.failure import Failure
from torsion.web.resource import Resource
from torsion.web.twcgi import KILLED, MOST_ERRORS, MOST_HEADERS, CGIDirectory, CGIScript, FilteredScript
from unit.web.talk import Talk, read_answer


class Process:
    """A process that is none."""

    def __init__(self, proto: Any, program: str, arguments: list[str], env: dict[str, str], folder: str | None) -> None:
        self.proto, self.program, self.arguments, self.env, self.folder = proto, program, arguments, env, folder
        self.taken = b""
        self.input_open = True
        self.producer: Any = None
        self.calls: list[str] = []
        self.gone = False

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert not streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        self.taken += data

    def closeStdin(self) -> None:
        self.input_open = False

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def loseConnection(self) -> None:
        self.calls.append("lose")

    def signalProcess(self, name: str) -> None:
        if self.gone:
            raise ProcessExitedAlready
        self.calls.append(name)

    def end(self, reason: Exception | None = None) -> None:
        self.gone = True
        self.proto.processEnded(Failure(ProcessDone(0) if reason is None else reason))


class Reactor:
    def __init__(self) -> None:
        self.processes: list[Process] = []

    def spawnProcess(self, proto: Any, program: str, arguments: list[str], env: dict[str, str], folder: Any) -> None:
        process = Process(proto, program, arguments, env, folder)
        self.processes.append(process)
        proto.makeConnection(process)


class Run:
    """A request, and the process that answers it."""

    def __init__(self, target: str = "/script", method: str = "GET", kind: Any = CGIScript, **keywords: Any) -> None:
        self.reactor = Reactor()
        root = Resource()
        root.putChild(b"script", kind("/srv/cgi/script", reactor=self.reactor))
        self.talk = Talk(root)
        self.talk.send(target, method, **keywords)
        self.process = self.reactor.processes[0]

    @property
    def env(self) -> dict[str, str]:
        return self.process.env

    def say(self, *parts: bytes) -> None:
        for part in parts:
            self.process.proto.outReceived(part)

    def answer(self) -> Any:
        self.process.end()
        return self.talk.answer()


# What they are told


def test_the_environment() -> None:
    run = Run("/script/a%20b/c?d=e&f", headers={"X-Some-Thing": "1", "Cookie": "a=b"})
    expected = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "Torsion/0.1.0",
        "SERVER_NAME": "example.com",
        "SERVER_PORT": "12345",
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/script",
        "SCRIPT_FILENAME": "/srv/cgi/script",
        "PATH_INFO": "/a b/c",
        "QUERY_STRING": "d=e&f",
        "REQUEST_URI": "/script/a%20b/c?d=e&f",
        "REMOTE_ADDR": "192.168.1.1",
        "HTTP_HOST": "example.com",
        "HTTP_X_SOME_THING": "1",
        "HTTP_COOKIE": "a=b",
    }
    assert {key: run.env.get(key) for key in expected} == expected
    assert "HTTPS" not in run.env
    assert "CONTENT_LENGTH" not in run.env
    assert (run.process.program, run.process.arguments) == ("/srv/cgi/script", ["/srv/cgi/script"])
    assert run.process.folder == "/srv/cgi"
    run.talk.leave()


def test_an_underscore_does_not_pass_for_a_hyphen() -> None:
    run = Run(headers={"X-Forwarded-For": "192.0.2.1", "X_Forwarded_For": "127.0.0.1", "Content_Length": "99"})
    assert run.env["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert "CONTENT_LENGTH" not in run.env
    run.talk.leave()


def test_programs_are_not_given_a_proxy() -> None:
    run = Run(headers={"Proxy": "http://evil.example"})
    assert "HTTP_PROXY" not in set(run.env) - set(os.environ)
    run.talk.leave()


def test_this_environment_is_below_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERY_STRING", "ours")
    monkeypatch.setenv("OF_THE_SERVER", "1")
    run = Run("/script?a=b")
    assert (run.env["QUERY_STRING"], run.env["OF_THE_SERVER"]) == ("a=b", "1")
    run.talk.leave()


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("a+b%20c", ["a", "b c"]),
        ("", []),
        ("a=b", []),
        ("-s", []),
        ("a+%2Ds", []),
        ("a%00b", []),
    ],
)
def test_words_are_arguments_but_never_options(query: str, arguments: list[str]) -> None:
    run = Run("/script?" + query)
    assert run.process.arguments[1:] == arguments
    run.talk.leave()


def test_an_interpreter() -> None:
    class Perl(FilteredScript):
        filter = "/usr/bin/perl"

    run = Run("/script?word", kind=Perl)
    assert (run.process.program, run.process.arguments) == (
        "/usr/bin/perl",
        ["/usr/bin/perl", "/srv/cgi/script", "word"],
    )
    run.talk.leave()


@pytest.mark.parametrize("body", [b"", b"short", bytes(300_000)])
def test_the_body_is_the_input(body: bytes) -> None:
    run = Run(method="POST", body=body, headers={"Content-Type": "text/x"})
    steps = 0
    while run.process.producer is not None:
        run.process.producer.resumeProducing()
        steps += 1
    assert run.process.taken == body
    assert not run.process.input_open
    assert steps == len(body) // (64 * 1024) + (2 if len(body) % (64 * 1024) else 1)
    assert run.env["CONTENT_TYPE"] == "text/x"
    assert run.env.get("CONTENT_LENGTH") == (str(len(body)) if body else None)
    run.talk.leave()


def test_a_body_in_chunks_has_a_length() -> None:
    reactor = Reactor()
    script = CGIScript("/srv/script", reactor=reactor)
    talk = Talk(script)
    talk.channel.dataReceived(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    assert reactor.processes[0].env["CONTENT_LENGTH"] == "3"
    talk.leave()


# What they say


@pytest.mark.parametrize("cut", [1, 5, 10_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_what_a_script_says(cut: int, end: bytes) -> None:
    said = end.join([b"Content-Type: text/x", b"X-A: 1", b"X-A: 2", b"Status: 404 Not here", b"", b"body\n\nmore"])
    run = Run()
    run.say(*(said[start : start + cut] for start in range(0, len(said), cut)))
    answer = run.answer()
    assert (answer.code, answer.one("content-type"), answer.headers["x-a"]) == (404, "text/x", ["1", "2"])
    assert (answer.body, answer.complete) == (b"body\n\nmore", True)


def test_a_script_that_says_its_length() -> None:
    run = Run()
    run.say(b"Content-Length: 2\n\nok")
    answer = run.answer()
    assert (answer.one("content-length"), answer.body) == ("2", b"ok")


def test_a_script_that_says_nothing_of_its_body() -> None:
    run = Run()
    run.say(b"\n\nbody")
    assert run.answer().body == b"\nbody"


@pytest.mark.parametrize(("status", "code"), [(b"", 302), (b"Status: 307 Other\n", 307)])
def test_a_script_that_redirects(status: bytes, code: int) -> None:
    run = Run()
    run.say(status + b"Location: /there\n\n")
    answer = run.answer()
    assert (answer.code, answer.one("location")) == (code, "/there")


def test_what_is_not_a_scripts_to_say() -> None:
    run = Run()
    run.say(b"Server: mine\nDate: then\nTransfer-Encoding: chunked\nConnection: close\nX-A: 1\n\nx")
    answer = run.answer()
    assert (answer.one("server"), answer.one("x-a")) == ("Torsion/0.1.0", "1")
    assert answer.one("date") != "then"
    assert answer.headers["transfer-encoding"] == ["chunked"], "ours"
    assert "connection" not in answer.headers


@pytest.mark.parametrize("line", [b"XYZ", b"X Y: 1", b": 1", b"Status: fine", b"Status: 101 Switching"])
def test_lines_that_are_no_fields(line: bytes) -> None:
    run = Run()
    with capturedLogs() as events:
        run.say(line + b"\nX-A: 1\n\nx")
    answer = run.answer()
    assert (answer.code, answer.one("x-a"), answer.body) == (200, "1", b"x")
    assert [event["header"] for event in events if "header" in event] == [line]


def test_a_script_that_ends_before_its_head() -> None:
    run = Run()
    run.say(b"X-A: 1\n")
    with capturedLogs() as events:
        answer = run.answer()
    assert (answer.code, answer.complete) == (500, True)
    assert [event["head"] for event in events if "head" in event] == [b"X-A: 1\n"]


def test_a_script_that_says_something_else() -> None:
    run = Run()
    run.say(b"x" * MOST_HEADERS, b"x")
    assert run.talk.answer().code == 500
    assert run.process.calls == ["lose", "TERM"]
    run.say(b"more")
    run.process.end()
    assert run.talk.written() == b""


def test_a_script_that_fails_says_why_in_the_log() -> None:
    run = Run()
    run.say(b"X-A: 1\n\nx")
    run.process.proto.errReceived(b"e" * MOST_ERRORS)
    run.process.proto.errReceived(b"more")
    with capturedLogs() as events:
        run.process.end(ProcessTerminated(3))
    assert run.talk.answer().complete
    logged = [event for event in events if event["log_level"] is LogLevel.error]
    assert [event["code"] for event in logged if "code" in event] == [3]
    assert [len(event["text"]) for event in logged if "text" in event] == [MOST_ERRORS]


def test_a_client_that_leaves_ends_the_script() -> None:
    run = Run()
    run.say(b"X-A: 1\n\nx")
    run.talk.leave()
    assert run.process.calls == ["lose", "TERM"]
    run.say(b"more")
    run.process.end()


def test_a_client_that_leaves_a_script_that_has_ended() -> None:
    run = Run()
    run.process.gone = True
    run.talk.leave()
    assert run.process.calls == ["lose"]
    run.process.end()


@pytest.mark.parametrize("heeds", [True, False])
def test_a_script_that_does_not_end_is_killed(heeds: bool) -> None:
    run = Run()
    clock = run.process.proto.clock = Clock()
    run.talk.leave()
    clock.advance(KILLED - 1)
    assert run.process.calls == ["lose", "TERM"]
    if heeds:
        run.process.end(ProcessTerminated(signal=15))
        assert clock.getDelayedCalls() == []
    else:
        clock.advance(1)
        assert run.process.calls == ["lose", "TERM", "KILL"]
        run.process.end(ProcessTerminated(signal=9))


def test_a_script_that_is_killed_amid_its_response(flush_errors: Any) -> None:
    """Its client must see that something is missing."""
    run = Run()
    with capturedLogs() as events:
        run.process.proto.outReceived(b"Content-Type: text/plain\n\nhalf of")
        run.process.end(ProcessTerminated(signal=9))
    answer = read_answer(run.talk.written())[0]
    assert (answer.code, answer.body, answer.complete) == (200, b"half of", False)
    assert not run.talk.transport.connected
    assert 9 in [event.get("signal") for event in events]
    flush_errors(ProcessTerminated)


def test_a_slow_client_holds_the_script_back() -> None:
    run = Run()
    run.say(b"X-A: 1\n\nx")
    run.talk.channel.pauseProducing()
    run.talk.channel.resumeProducing()
    assert run.process.calls == ["pause", "resume"]
    assert not read_answer(run.talk.written())[0].complete
    run.talk.leave()


# Folders


@pytest.mark.parametrize(
    ("target", "code"),
    [("/", 404), ("/deep", 404), ("/gone", 404), ("/..%2Fsecret", 404), ("/a%00b", 404)],
)
def test_what_is_no_script_in_a_folder(tmp_path: Path, target: str, code: int) -> None:
    folder = tmp_path / "cgi"
    (folder / "deep").mkdir(parents=True)
    (tmp_path / "secret").write_text("")
    assert Talk(CGIDirectory(str(folder))).ask(target).code == code


@pytest.mark.parametrize("path", [b"script", "script"])
def test_a_script_in_a_folder(tmp_path: Path, path: Any) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "script").write_text("")
    folder = CGIDirectory(os.fsencode(tmp_path)).getChild("deep", None)
    assert isinstance(folder, CGIDirectory)
    script = folder.getChild(path, None)
    assert isinstance(script, CGIScript)
    assert script.filename == str(tmp_path / "deep" / "script")
