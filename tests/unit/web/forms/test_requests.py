"""Forms of requests to a site."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.logger import capturedLogs
from torsion.web.http.uploads import readForm
from torsion.web.resource import Resource
from torsion.web.server import Request
from unit.web.talk import Talk

pytest.importorskip("multipart")

FORM = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\n%b\r\n--x--\r\n'
)
HEADERS = {"Content-Type": "multipart/form-data; boundary=x"}


class Uploads(Resource):
    isLeaf = True

    async def render_POST(self, request: Any) -> bytes:
        with await readForm(request) as form:
            [upload] = form.files[b"f"]
            return b"%s %s %d" % (form.fields[b"a"][0], upload.filename.encode(), upload.size)


class Args(Resource):
    isLeaf = True

    def render_POST(self, request: Any) -> bytes:
        return repr(request.args).encode()


class Streaming(Request):
    """Has the body of each request streamed."""

    def headReceived(self) -> None:
        self.streamBody()


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("size", [3, 300_000])
def test_a_renderer_reads_a_form(streams: bool, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk(Uploads(), **({"requestFactory": Streaming} if streams else {}))
    monkeypatch.setattr("torsion.web.http.uploads._current.current_reactor", lambda: talk.clock)
    talk.send("/", "POST", HEADERS, FORM % (b"x" * size))
    talk.clock.advance(0)  # from a large body that is stored, others have their turn in between
    answer = talk.answer()
    assert (answer.code, answer.body) == (200, b"1 f.txt %d" % size)


def test_a_form_that_is_streamed_is_read_before_it_is_complete() -> None:
    talk = Talk(Uploads(), requestFactory=Streaming)
    body = FORM % b"content"
    talk.send("/", "POST", HEADERS | {"Content-Length": str(len(body))})
    for start in range(len(body)):
        assert talk.written() == b""
        talk.channel.dataReceived(body[start : start + 1])
    assert talk.answer().body == b"1 f.txt 7"


def test_a_client_that_leaves_in_the_midst_of_a_form() -> None:
    talk = Talk(Uploads(), requestFactory=Streaming)
    body = FORM % b"content"
    talk.send("/", "POST", HEADERS | {"Content-Length": str(len(body))})
    talk.channel.dataReceived(body[:-30])
    with capturedLogs() as events:
        talk.leave()  # no file is left open, or else there is a warning
    assert [event for event in events if "log_failure" in event] == []


def test_forms_are_args() -> None:
    answer = Talk(Args()).ask("/?a=0", "POST", HEADERS, FORM % b"content")
    assert answer.body == repr({b"a": [b"0", b"1"], b"f": [b"content"]}).encode()


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=y"])
def test_a_form_that_cannot_be_read_is_a_bad_request(kind: str) -> None:
    with capturedLogs():
        answer = Talk(Args()).ask("/", "POST", {"Content-Type": kind, "Connection": "close"}, FORM % b"content")
    assert answer.code == 400


@pytest.mark.parametrize("streams", [False, True])
def test_a_form_that_a_renderer_cannot_read_is_a_bad_request(streams: bool) -> None:
    talk = Talk(Uploads(), **({"requestFactory": Streaming} if streams else {}), parsePOSTFormSubmission=False)
    with capturedLogs() as events:
        answer = talk.ask("/", "POST", HEADERS, b"--x\r\nnone\r\n\r\n" + b"x" * 9999)
    assert answer.code == 400
    assert b"a form cannot be read" in answer.body
    assert [event for event in events if "log_failure" in event] == []
