"""Files and folders over a connection: what is sent, what is not, and what a client has already."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from torsion.internet.task import Cooperator
from torsion.logger import capturedLogs
from torsion.web.static import File
from torsion.web.static.data import with_slash
from torsion.web.static.kept import Keeper
from torsion.web.static.producers import NoRangeStaticProducer
from torsion.web.static.ranges import MOST_RANGES
from unit.web.talk import Answer, Talk

LONG_AGO = 1_000_000_000


def put(path: Path, content: bytes, when: float = LONG_AGO) -> Path:
    path.write_bytes(content)
    os.utime(path, (when, when))
    return path


class Turning(Talk):
    """A client, and a site whose files are sent in the turns of its clock."""

    def ask(self, target: str = "/", method: str = "GET", headers: Any = (), body: bytes = b"") -> Answer:
        self.send(target, method, headers, body)
        self.clock.pump([0.001] * 5)
        return self.answer(method == "HEAD")


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    folder = tmp_path / "site"
    folder.mkdir()
    put(tmp_path / "secret.txt", b"secret")
    put(folder / "a.txt", b"0123456789")
    (folder / "sub").mkdir()
    talk = Turning(File(str(folder)))
    turns = Cooperator(scheduler=lambda step: talk.clock.callLater(0.001, step))
    monkeypatch.setattr("torsion.internet.protocol.producers.cooperate", turns.cooperate)
    return talk


def test_a_file_is_sent_with_what_is_known_of_it(talk: Talk) -> None:
    answer = talk.ask("/a.txt")
    assert (answer.code, answer.body, answer.complete) == (200, b"0123456789", True)
    assert answer.one("content-type") == "text/plain"
    assert answer.one("content-length") == "10"
    assert answer.one("accept-ranges") == "bytes"
    assert answer.one("last-modified") == "Sun, 09 Sep 2001 01:46:40 GMT"
    etag = answer.one("etag")
    assert etag is not None
    head = talk.ask("/a.txt", "HEAD")
    assert (head.one("content-length"), head.one("etag")) == ("10", etag)


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/sub/../../secret.txt",
        "/%00",
        "/a.txt%00",
        "/a.txt/",
        "/a.txt/b",
        "/none",
        "/" + "n" * 300,
    ],
)
def test_what_is_not_there_or_leads_elsewhere_is_not_found(talk: Talk, target: str) -> None:
    assert talk.ask(target).code == 404


def test_a_name_that_is_no_text_is_not_found_and_logged(talk: Talk) -> None:
    with capturedLogs() as events:
        assert talk.ask("/%ff").code == 404
    assert any("log_failure" in event and event["log_failure"].check(UnicodeDecodeError) for event in events)


def test_links_are_followed_within_the_folder_only(talk: Talk, tmp_path: Path) -> None:
    (tmp_path / "site" / "in").symlink_to("a.txt")
    (tmp_path / "site" / "out").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "site" / "away").symlink_to(tmp_path)
    (tmp_path / "site" / "nowhere").symlink_to("none")
    (tmp_path / "site" / "loop").symlink_to("loop")
    assert talk.ask("/in").body == b"0123456789"
    for target in ("/out", "/away/secret.txt", "/away/", "/nowhere", "/loop"):
        assert talk.ask(target).code == 404
    page = talk.ask("/").body
    assert (b'href="in"' in page, b'href="out"' in page) == (True, False)
    talk.site.resource.followLinks = True
    assert talk.ask("/out").body == b"secret"
    assert talk.ask("/away/secret.txt").body == b"secret"


def test_what_is_no_file_is_not_waited_for(talk: Talk, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "site" / "pipe")
    assert talk.ask("/pipe").code == 403


@pytest.mark.parametrize(
    ("asked", "code", "body", "where"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=4-2", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
        ("bytes=1_0-", 200, b"0123456789", None),
        ("bytes=" + "9" * 5000 + "-", 200, b"0123456789", None),
        ("bytes=" + ",".join(["0-0"] * (MOST_RANGES + 1)), 200, b"0123456789", None),
        ("bytes=0-,0-", 200, b"0123456789", None),
    ],
)
def test_parts(talk: Talk, asked: str, code: int, body: bytes, where: str | None) -> None:
    answer = talk.ask("/a.txt", headers={"Range": asked})
    assert answer.code == code
    assert answer.one("content-range") == where
    if code != 200:
        assert answer.one("content-length") == str(len(body))


def test_several_parts(talk: Talk) -> None:
    answer = talk.ask("/a.txt", headers={"Range": "bytes=0-1,8-"})
    kind = answer.one("content-type")
    assert kind is not None
    assert kind.startswith("multipart/byteranges; boundary=")
    assert answer.code == 206


def etag(talk: Talk) -> str:
    value = talk.ask("/a.txt").one("etag")
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"If-None-Match": "{etag}"}, 304),
        ({"If-None-Match": "W/{etag}"}, 304),
        ({"If-None-Match": '"x", {etag}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-None-Match": '"x"', "If-Modified-Since": "Sun, 09 Sep 2001 01:46:40 GMT"}, 200),
        ({"If-Modified-Since": "Sun, 09 Sep 2001 01:46:40 GMT"}, 304),
        ({"If-Modified-Since": "Sun, 09 Sep 2001 01:46:39 GMT"}, 200),
        ({"If-Modified-Since": "soon"}, 200),
        ({"If-Match": '"x"'}, 412),
        ({"If-Match": "{etag}"}, 200),
        ({"If-Unmodified-Since": "Sun, 09 Sep 2001 01:46:39 GMT"}, 412),
        ({"If-Unmodified-Since": "Sun, 09 Sep 2001 01:46:40 GMT"}, 200),
    ],
)
def test_conditions(talk: Talk, headers: dict[str, str], code: int) -> None:
    tag = etag(talk)
    answer = talk.ask("/a.txt", headers={name: value.replace("{etag}", tag) for name, value in headers.items()})
    assert answer.code == code
    if code == 304:
        assert answer.one("etag") == tag


@pytest.mark.parametrize(
    ("condition", "code"),
    [("{etag}", 206), ('"x"', 200), ("Sun, 09 Sep 2001 01:46:40 GMT", 206), ("Sun, 09 Sep 2001 01:46:41 GMT", 200)],
)
def test_a_part_of_another_version_is_not_sent(talk: Talk, condition: str, code: int) -> None:
    value = condition.replace("{etag}", etag(talk))
    assert talk.ask("/a.txt", headers={"Range": "bytes=0-0", "If-Range": value}).code == code


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("gzip, br", "br", b"brotli"),
        ("gzip", "gzip", b"gzipped"),
        ("br;q=0, gzip", "gzip", b"gzipped"),
        ("identity", None, b"0123456789"),
        (None, None, b"0123456789"),
    ],
)
def test_a_compressed_sibling_is_sent_to_who_accepts_it(
    talk: Talk, tmp_path: Path, accepted: str | None, coding: str | None, body: bytes
) -> None:
    put(tmp_path / "site" / "a.txt.br", b"brotli")
    put(tmp_path / "site" / "a.txt.gz", b"gzipped")
    put(tmp_path / "site" / "a.txt.zst", b"older", LONG_AGO - 1)
    answer = talk.ask("/a.txt", headers={"Accept-Encoding": accepted} if accepted else {})
    assert (answer.one("content-encoding"), answer.body) == (coding, body)
    assert (answer.one("vary"), answer.one("content-type")) == ("Accept-Encoding", "text/plain")


def test_a_folder(talk: Talk, tmp_path: Path) -> None:
    assert talk.ask("/sub?x=1").one("location") == "/sub/?x=1"
    put(tmp_path / "site" / "sub" / "<b>.txt", b"x")
    answer = talk.ask("/sub/?sort=-size")
    assert b'href="%3Cb%3E.txt"><bdi>&lt;b&gt;.txt</bdi></a>' in answer.body
    policy = answer.one("content-security-policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    put(tmp_path / "site" / "sub" / "index.html", b"index")
    assert talk.ask("/sub/").body == b"index"


def test_a_redirection_names_no_other_host() -> None:
    assert with_slash(b"//evil.example/..") == b"/evil.example/../"
    assert with_slash(b"/a?b=/c") == b"/a/?b=/c"


def test_a_file_that_changes_is_sent_as_it_is_now(talk: Talk, tmp_path: Path) -> None:
    assert talk.ask("/a.txt").body == b"0123456789"
    put(tmp_path / "site" / "a.txt", b"other")
    assert talk.ask("/a.txt").body == b"other"


def test_contents_are_kept_as_long_as_the_file_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torsion.web.static.kept.JUST_NOW", -1)
    keeper = Keeper(80)
    paths = [put(tmp_path / str(number), b"x" * 10) for number in range(9)]
    for path in paths:
        keeper.put(str(path), path.stat(), path.read_bytes())
    assert keeper.size == 80
    assert keeper.get(str(paths[0]), paths[0].stat()) is None
    content = keeper.get(str(paths[8]), paths[8].stat())
    assert content is not None
    assert content.data == b"x" * 10
    put(paths[8], b"y" * 10, LONG_AGO + 1)
    assert keeper.get(str(paths[8]), paths[8].stat()) is None
    assert keeper.size == 70


@pytest.mark.parametrize(("name", "value", "code"), [("IF-None-Match", "*", 304), ("range", "bytes=1-2", 206)])
def test_what_is_kept_is_told_of_as_at_first_and_conditions_are_heeded(
    talk: Talk, name: str, value: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torsion.web.static.kept.JUST_NOW", -1)
    first, *others = (talk.ask("/a.txt") for _ in range(3))
    assert first.code == 200
    assert {"etag", "last-modified", "content-type"} <= set(first.headers)
    for other in others:
        del other.headers["date"]
        assert other.headers.items() <= first.headers.items()
        assert other.headers.keys() == first.headers.keys() - {"date"}
        assert other.body == first.body
    assert talk.ask("/a.txt", headers={name: value}).code == code


def test_what_is_changed_just_now_is_not_kept(tmp_path: Path) -> None:
    keeper = Keeper()
    path = put(tmp_path / "new", b"x")
    keeper.put(str(path), path.stat(), b"x")
    assert keeper.size == 0


class Shrinking:
    """A file that has fewer bytes than it said."""

    name = "shrinking"

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int) -> bytes:
        data, self.data = self.data[:size], self.data[size:]
        return data

    def seek(self, place: int) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def test_a_file_that_shrinks_breaks_the_connection_off() -> None:
    file: Any = Shrinking(b"01234")

    class Request:
        lost = finished = False

        def write(self, data: bytes) -> None:
            pass

        def unregisterProducer(self) -> None:
            pass

        def loseConnection(self) -> None:
            self.lost = True

        def finish(self) -> None:
            self.finished = True

    request = Request()
    producer = NoRangeStaticProducer(request, file)
    producer.size = 10
    producer.resumeProducing()
    producer.resumeProducing()
    assert (request.lost, request.finished, file.closed) == (True, False, True)
