"""Checkers of passwords in memory and in files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from torsion.cred import checkers
from torsion.cred.checkers import (
    ANONYMOUS,
    AllowAnonymousAccess,
    FilePasswordDB,
    ICredentialsChecker,
    InMemoryUsernamePasswordDatabaseDontUse,
)
from torsion.cred.credentials import (
    Anonymous,
    CramMD5Credentials,
    IAnonymous,
    IUsernameHashedPassword,
    IUsernamePassword,
    UsernamePassword,
)
from torsion.cred.error import UnauthorizedLogin
from torsion.internet.defer import Deferred, succeed
from torsion.logger import capturedLogs


def result_of(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addBoth(found.append)
    [only] = found
    return only


def check(checker: Any, name: Any, password: Any) -> Any:
    """Return the name that *checker* gives, or the class of the error."""
    found = result_of(checker.requestAvatarId(UsernamePassword(name, password)))
    return getattr(found, "type", found)


def test_anonymous() -> None:
    checker = AllowAnonymousAccess()
    assert verifyObject(ICredentialsChecker, checker)
    assert checker.credentialInterfaces == (IAnonymous,)
    assert result_of(checker.requestAvatarId(Anonymous())) is ANONYMOUS


def test_in_memory() -> None:
    checker = InMemoryUsernamePasswordDatabaseDontUse(ana=b"secret")
    checker.addUser(b"bea", b"")
    assert verifyObject(ICredentialsChecker, checker)
    assert checker.credentialInterfaces == (IUsernamePassword, IUsernameHashedPassword)
    assert check(checker, b"ana", b"secret") == b"ana"
    assert check(checker, b"bea", b"") == b"bea"
    for wrong in [(b"ana", b"x"), (b"nobody", b""), (b"nobody", None), (None, None)]:
        assert check(checker, *wrong) is UnauthorizedLogin


def test_an_answer_to_a_challenge_before_it_was_given() -> None:
    checker = InMemoryUsernamePasswordDatabaseDontUse(ana=b"secret")
    assert result_of(checker.requestAvatarId(CramMD5Credentials(b"host"))).check(UnauthorizedLogin)


def test_credentials_may_take_their_time() -> None:
    late: Deferred[bool] = Deferred()

    class Slow(UsernamePassword):
        def checkPassword(self, password: Any) -> Any:
            return late

    coming = InMemoryUsernamePasswordDatabaseDontUse(ana=b"x").requestAvatarId(Slow(b"ana", None))
    late.callback(True)
    assert result_of(coming) == b"ana"


# --- files ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "users"
    path.write_bytes(b"ana:secret\nBea:pass word:1000\r\n\nno fields\nana:another\n::\n")
    return path


@pytest.mark.parametrize("cache", [False, True])
def test_a_file(file: Path, cache: bool) -> None:
    checker = FilePasswordDB(str(file), cache=cache)
    assert verifyObject(ICredentialsChecker, checker)
    assert checker.credentialInterfaces == (IUsernamePassword, IUsernameHashedPassword)
    for _ in range(2):
        assert checker.getUser(b"ana") == (b"ana", b"secret")
        assert check(checker, b"ana", b"secret") == b"ana"
        assert check(checker, b"Bea", b"pass word") == b"Bea"
        for wrong in [
            (b"ana", b"another"),
            (b"bea", b"pass word"),
            (b"no fields", b""),
            ("ana", b"secret"),
            (None, b""),
        ]:
            assert check(checker, *wrong) is UnauthorizedLogin
    with pytest.raises(KeyError):
        checker.getUser(b"ANA")


@pytest.mark.parametrize("cache", [False, True])
def test_other_files(tmp_path: Path, cache: bool) -> None:
    path = tmp_path / "users"
    path.write_bytes(b"secret dingle dongle Ana\n")
    checker = FilePasswordDB(str(path), b" ", 3, 0, False, cache=cache)
    assert checker.getUser(b"ANA") == (b"ana", b"secret")
    assert check(checker, b"aNa", b"secret") == b"ana"
    assert check(checker, None, b"secret") is UnauthorizedLogin


@pytest.mark.parametrize("cache", [False, True])
def test_changes_to_the_file_are_seen(file: Path, cache: bool) -> None:
    checker = FilePasswordDB(str(file), cache=cache)
    assert check(checker, b"ana", b"secret") == b"ana"
    state = file.stat()
    file.write_bytes(b"ana:SECRET\n")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert check(checker, b"ana", b"secret") is UnauthorizedLogin
    assert check(checker, b"ana", b"SECRET") == b"ana"


def test_the_file_in_memory_is_read_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checker = FilePasswordDB(str(file), cache=True)
    read: list[Path] = []
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (read.append(path), real(path))[1])
    for _ in range(3):
        checker.getUser(b"ana")
    assert read == [file]


@pytest.mark.parametrize("cache", [False, True])
def test_without_the_file_nobody_comes_in_and_the_log_says_why(tmp_path: Path, file: Path, cache: bool) -> None:
    checker = FilePasswordDB(str(file), cache=cache)
    assert check(checker, b"ana", b"secret") == b"ana"
    file.unlink()
    with capturedLogs() as logged:
        assert check(checker, b"ana", b"secret") is UnauthorizedLogin
    assert str(logged[0]["error"]).endswith("users'")
    with pytest.raises(UnauthorizedLogin):
        checker.getUser(b"ana")


def test_hashed_passwords(file: Path) -> None:
    asked: list[Any] = []

    def hash(name: Any, password: Any, stored: bytes) -> Any:
        asked.append((name, password, stored))
        return password[::-1] if password != b"late" else succeed(b"secret")

    checker = FilePasswordDB(str(file), hash=hash)
    assert checker.credentialInterfaces == (IUsernamePassword,)
    assert check(checker, b"ana", b"terces") == b"ana"
    assert check(checker, b"ana", b"late") == b"ana"
    assert check(checker, b"ana", b"secret") is UnauthorizedLogin
    assert check(checker, b"nobody", b"secret") is UnauthorizedLogin
    assert asked[0] == (b"ana", b"terces", b"secret")
    answered = CramMD5Credentials(b"host")
    answered.setResponse(b"ana 00")
    assert result_of(checker.requestAvatarId(answered)).check(UnauthorizedLogin)
    assert len(asked) == 3


def test_a_hash_that_raises_lets_nobody_in(file: Path) -> None:
    checker = FilePasswordDB(str(file), hash=lambda *_: 1 // 0)
    assert check(checker, b"ana", b"secret") is ZeroDivisionError


def test_the_old_name() -> None:
    assert checkers.OnDiskUsernamePasswordDatabase is FilePasswordDB
