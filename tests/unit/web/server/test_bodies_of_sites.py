"""Bodies of requests to a site."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from torsion.logger import capturedLogs
from torsion.web.http import channel
from torsion.web.resource import Resource
from unit.web.talk import Talk


def test_the_site_is_asked_for_a_file_for_the_body(tmp_path: Any) -> None:
    lengths: list[Any] = []

    def file(length: int | None) -> Any:
        lengths.append(length)
        return (tmp_path / "body").open("w+b")

    class Echo(Resource):
        isLeaf = True

        def render_POST(self, request: Any) -> bytes:
            assert request.content.name == str(tmp_path / "body")
            return request.content.read()

    talk = Talk(Echo())
    talk.site.getContentFile = file
    assert talk.ask(method="POST", body=b"12345").body == b"12345"
    assert lengths == [5]


class Full:
    """A file on a disk that is full."""

    name = "full"

    def write(self, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def refuses(length: int | None) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def fails(length: int | None) -> Any:
    raise KeyError(length)


@pytest.mark.parametrize(("file", "code"), [(lambda length: Full(), 507), (refuses, 507), (fails, 500)])
@pytest.mark.parametrize("size", [3, 200_000])
@pytest.mark.parametrize("pure", [False, True])
def test_a_site_that_has_no_place_for_a_body(
    file: Any, code: int, size: int, pure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pure:
        monkeypatch.setattr(channel, "PURE", True)
    talk = Talk(Streaming())
    talk.site.getContentFile = file
    with capturedLogs() as events:
        talk.send(method="POST", body=bytes(size))
    assert talk.written().startswith(b"HTTP/1.1 %d " % code)
    assert not talk.transport.connected
    assert [event for event in events if "log_failure" in event]


def test_forms_are_read_unless_the_site_says_otherwise() -> None:
    class Form(Resource):
        isLeaf = True

        def render_POST(self, request: Any) -> bytes:
            return repr(request.args).encode()

    said = {"Content-Type": "application/x-www-form-urlencoded"}
    assert Talk(Form()).ask(method="POST", headers=said, body=b"a=1").body == b"{b'a': [b'1']}"
    assert Talk(Form(), parsePOSTFormSubmission=False).ask(method="POST", headers=said, body=b"a=1").body == b"{}"


class Streaming(Resource):
    isLeaf = True
    streamsBody = True

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []

    async def render_POST(self, request: Any) -> bytes:
        async for part in request.streamBody():
            self.parts.append(part)
        return b"all"


def post(talk: Talk, *parts: bytes) -> None:
    length = sum(map(len, parts))
    head = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % length
    for part in (head, *parts):
        talk.channel.dataReceived(part)


def test_a_resource_has_the_body_as_it_comes() -> None:
    leaf = Streaming()
    talk = Talk(leaf)
    talk.site.streamsBodies = True
    talk.channel.dataReceived(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n")
    for count, part in enumerate((b"one", b"two"), 1):
        assert talk.written() == b""
        talk.channel.dataReceived(part)
        assert len(leaf.parts) == count
    assert talk.answer().body == b"all"
    assert leaf.parts == [b"one", b"two"]


def test_a_resource_has_the_body_at_once_if_the_site_does_not_look_early() -> None:
    leaf = Streaming()
    talk = Talk(leaf)
    post(talk, b"one", b"two")
    assert (talk.answer().body, b"".join(leaf.parts)) == (b"all", b"onetwo")


def test_other_resources_are_looked_for_once() -> None:
    looked: list[bytes] = []

    class Root(Resource):
        def getChild(self, path: bytes, request: Any) -> Resource:
            looked.append(path)
            return Stored()

    class Stored(Resource):
        def render_POST(self, request: Any) -> bytes:
            return request.content.read()

    talk = Talk(Root())
    talk.site.streamsBodies = True
    post(talk, b"one", b"two")
    assert (talk.answer().body, looked) == (b"onetwo", [b"a"])
    post(talk)
    assert talk.answer().body == b""


def test_what_fails_before_the_body_has_come(flush_errors: Any) -> None:
    class Root(Resource):
        def getChild(self, path: bytes, request: Any) -> Resource:
            raise KeyError

    talk = Talk(Root())
    talk.site.streamsBodies = True
    post(talk, b"one", b"two")
    assert talk.answer().code == 500
    flush_errors(KeyError)
    post(talk, b"three")
    assert talk.answer().code == 500, "the connection goes on"
    flush_errors(KeyError)
