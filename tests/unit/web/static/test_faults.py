"""What is odd in a folder that is served: hidden, unreadable, changing while it is sent, no file at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from torsion.internet.task import Cooperator
from torsion.web.static import File
from torsion.web.static.sending import PIECE, WHOLE
from unit.web.talk import Talk, read_answer

SIZE = 3 * max(PIECE, WHOLE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "large").write_bytes(b"x" * SIZE)
    return folder


@pytest.fixture
def talk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    talk = Talk(File(str(folder)))
    turns = Cooperator(scheduler=lambda step: talk.clock.callLater(0.001, step))
    monkeypatch.setattr("torsion.internet.protocol.producers.cooperate", turns.cooperate)
    return talk


# --- names that begin with a dot ------------------------------------------------------------------------------------------


def names(folder: Path) -> None:
    (folder / ".env").write_bytes(b"password")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_bytes(b"password")
    (folder / ".well-known").mkdir()
    (folder / ".well-known" / "security.txt").write_bytes(b"ask us")


def test_hidden_files_are_served_as_twisted_does(talk: Talk, folder: Path) -> None:
    names(folder)
    assert talk.ask("/.env").body == b"password"
    assert b'href=".git/"' in talk.ask("/").body


def test_hidden_files_are_not_there_if_they_are_not_to_be(talk: Talk, folder: Path) -> None:
    names(folder)
    talk.site.resource.hidden = False
    for target in (
        "/.env",
        "/.git/config",
        "/.git/",
        "/%2egit/config",
        "/%2Eenv",
        "/.git%2fconfig",
        "/./.env",
        "/large%2f..%2f.env",
    ):
        assert talk.ask(target).code == 404, target
    page = talk.ask("/").body
    assert b".env" not in page
    assert b".git" not in page
    assert b'href=".well-known/"' in page
    assert talk.ask("/.well-known/security.txt").body == b"ask us"
    (folder / "sub").mkdir()
    (folder / "sub" / ".env").write_bytes(b"password")
    assert talk.ask("/sub/.env").code == 404
    assert b".env" not in talk.ask("/sub/").body
    assert talk.site.resource.listNames() == [".well-known", "large", "sub"]


# --- files that change while they are sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [{}, {"Range": "bytes=5-"}, {"Range": f"bytes=0-9,{SIZE - 10}-"}])
def test_a_file_that_becomes_shorter_has_the_connection_broken_off(talk: Talk, folder: Path, asked: Any) -> None:
    talk.send("/large", headers=asked)
    os.truncate(folder / "large", PIECE // 2 if not asked else 7)
    talk.clock.pump([0.001] * 9)
    written = talk.written()
    assert written == b"" or not read_answer(written)[0].complete  # the client sees that something is missing
    assert not talk.transport.connected


def test_a_file_that_grows_is_sent_as_long_as_it_was(talk: Talk, folder: Path) -> None:
    talk.send("/large")
    with (folder / "large").open("ab") as file:
        file.write(b"y" * SIZE)
    talk.clock.pump([0.001] * 9)
    answer = talk.answer()
    assert (answer.complete, answer.body) == (True, b"x" * SIZE)
    assert talk.transport.connected


def test_a_file_that_is_replaced_is_sent_to_its_end(talk: Talk, folder: Path) -> None:
    talk.send("/large")
    (folder / "new").write_bytes(b"y")
    (folder / "new").replace(folder / "large")
    talk.clock.pump([0.001] * 9)
    assert talk.answer().body == b"x" * SIZE
    assert talk.ask("/large").body == b"y"


# --- what cannot be read, and is no file -----------------------------------------------------------------------------------


def test_what_may_not_be_read_is_forbidden(folder: Path) -> None:
    class Closed(File):
        def openForReading(self) -> Any:
            raise PermissionError(13, "Permission denied", self.path)

    answer = Talk(Closed(str(folder))).ask("/large")
    assert answer.code == 403
    assert str(folder).encode() not in answer.body


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_and_folders_without_rights(talk: Talk, folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "a").write_bytes(b"a")
    (folder / "large").chmod(0)
    (folder / "mine").chmod(0)
    try:
        assert [talk.ask(target).code for target in ("/large", "/mine/a", "/mine/")] == [403, 403, 403]
    finally:
        (folder / "mine").chmod(0o700)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_pipes_sockets_and_devices_are_not_waited_for(talk: Talk, folder: Path, method: str) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "terminal").symlink_to("/dev/tty")
    talk.site.resource.followLinks = True
    assert [talk.ask(target, method).code for target in ("/pipe", "/zero", "/terminal")] == [403, 403, 403]


@pytest.mark.parametrize(
    "target",
    [
        "/" + "n" * 255 + ".txt",
        "/" + "/".join(["n" * 200] * 40),
        "/" + "a/" * 5000,
        "/large/" * 500,
        "/%00",
        "/large%00.txt",
        "/%ff%fe",
        "/%c0%ae%c0%ae/large",
        "/%2e%2e/site/large",
        "/..%2fsite%2flarge",
        "/..%5csite",
        "/%2fetc%2fpasswd",
        "//etc/passwd",
        "/../../etc/passwd",
        "/.%2e/.%2e/etc/passwd",
        "/large%2f..%2flarge",
        "/%252e%252e/large",
        "/~root",
        "/con%0d%0aSet-Cookie:%20a=1",
    ],
)
def test_names_that_lead_nowhere(talk: Talk, target: str) -> None:
    answer = talk.ask(target)
    assert answer.code == 404
    assert answer.one("set-cookie") is None


def test_a_name_that_is_no_text_is_listed_and_leads_nowhere(talk: Talk, folder: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system wants text")
    answer = talk.ask("/")
    assert answer.code == 200
    answer.body.decode("utf-8")
    assert talk.ask("/%ff").code == 404
