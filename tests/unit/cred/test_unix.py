"""Users of a UNIX system."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from torsion.cred import unix
from torsion.cred.checkers import ICredentialsChecker
from torsion.cred.credentials import UsernamePassword
from torsion.cred.error import UnauthorizedLogin
from torsion.cred.unix import UNIXChecker, verifyCryptedPassword
from torsion.internet.defer import Deferred


def hashed(password: str, salt: str = "$6$rounds=1000$saltsalt$") -> str:
    try:
        made = unix._crypt(password, salt)
    except OSError:
        made = None
    if made is None or made.startswith("*"):
        pytest.skip("this system has no crypt, or not this kind of hash")
    return made


def result_of(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addBoth(found.append)
    [only] = found
    return only


def test_a_known_hash() -> None:
    """From the specification of SHA-crypt."""
    stored = "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"
    assert hashed("Hello world!", "$5$rounds=10000$saltstringsaltst") == stored
    assert verifyCryptedPassword(stored, "Hello world!")
    assert not verifyCryptedPassword(stored, "Hello world")


def test_right_and_wrong_as_text_and_bytes() -> None:
    stored = hashed("sécret")
    assert verifyCryptedPassword(stored, "sécret")
    assert verifyCryptedPassword(stored.encode(), "sécret".encode())
    assert not verifyCryptedPassword(stored, "secret")
    assert not verifyCryptedPassword(stored + "x", "sécret")


@pytest.mark.parametrize("stored", ["", "*", "!", "!$6$x$y", "x", "$nothing$", "\0", "$6$\0"])
def test_what_is_no_hash_lets_nobody_in(stored: str) -> None:
    for password in ("", "x", stored, "a\0b"):
        assert not verifyCryptedPassword(stored, password)


def test_without_the_module_the_library_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = hashed("secret")
    monkeypatch.setattr(unix, "_old_module", lambda name: None)
    if unix._crypt("x", "ab") is None:
        pytest.skip("there is no library to ask")
    assert unix._crypt("secret", stored) == stored
    assert verifyCryptedPassword(stored, "secret")
    assert not verifyCryptedPassword("$nothing$", "secret")


def test_where_there_is_neither_nobody_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes.util

    monkeypatch.setattr(unix, "_old_module", lambda name: None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    assert not verifyCryptedPassword("ab", "secret")


# --- the checker ---------------------------------------------------------------------------------------------------------


class Lists:
    """Both lists of the system."""

    def __init__(self, passwd: dict[str, str], shadow: dict[str, str] | Exception) -> None:
        self.passwd, self.shadow = passwd, shadow

    def getpwnam(self, name: str) -> Any:
        return SimpleNamespace(pw_passwd=self.passwd[name])

    def getspnam(self, name: str) -> Any:
        if isinstance(self.shadow, Exception):
            raise self.shadow
        return SimpleNamespace(sp_pwdp=self.shadow[name])


def check(lists: Lists, name: Any, password: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(unix, "verifyCryptedPassword", lambda crypted, password: crypted == f"hash of {password}")
    real = unix._old_module
    monkeypatch.setattr(unix, "_old_module", lambda name: lists if name in ("pwd", "spwd") else real(name))
    found = result_of(UNIXChecker().requestAvatarId(UsernamePassword(name, password)))
    return getattr(found, "type", found)


@pytest.mark.parametrize(
    ("passwd", "shadow", "comes_in"),
    [
        ("hash of secret", "", True),
        ("x", "hash of secret", True),
        ("*", "hash of secret", True),
        ("", "hash of secret", True),
        ("hash of other", "hash of secret", False),
        ("x", "", False),
        ("x", "!hash of secret", False),
        ("x", "*", False),
    ],
)
@pytest.mark.parametrize(("name", "password"), [("ana", "secret"), (b"ana", b"secret")])
def test_the_lists_are_asked(
    passwd: str, shadow: str, comes_in: bool, name: Any, password: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verifyObject(ICredentialsChecker, UNIXChecker())
    found = check(Lists({"ana": passwd}, {"ana": shadow}), name, password, monkeypatch)
    assert found == ("ana" if comes_in else UnauthorizedLogin)


@pytest.mark.parametrize(
    ("name", "password"), [("bea", "secret"), (b"\xff", b"secret"), (b"ana", b"\xff"), (b"ana", b"x")]
)
def test_who_is_not_there(name: Any, password: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(Lists({"ana": "x"}, {"ana": "hash of secret"}), name, password, monkeypatch) is UnauthorizedLogin


@pytest.mark.parametrize("trouble", [PermissionError(), KeyError()])
def test_a_list_that_cannot_be_read_lets_nobody_in(trouble: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(Lists({"ana": "x"}, trouble), "ana", "secret", monkeypatch) is UnauthorizedLogin


def test_without_the_module_the_list_itself_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shadow"
    file.write_bytes(b"root:*:1::::::\nana:hash of secret:1::::::\nb\xffa\n")
    monkeypatch.setattr(unix, "_SHADOW", file)
    monkeypatch.setattr(unix, "_old_module", lambda name: None)
    monkeypatch.setattr(unix, "verifyCryptedPassword", lambda crypted, password: crypted == f"hash of {password}")

    def check(name: str, password: str) -> Any:
        return result_of(UNIXChecker().requestAvatarId(UsernamePassword(name, password)))

    assert check("ana", "secret") == "ana"
    assert check("ana", "x").check(UnauthorizedLogin)
    assert check("root", "").check(UnauthorizedLogin)
    assert check("nobody", "").check(UnauthorizedLogin)
    file.unlink()
    assert check("ana", "secret").check(UnauthorizedLogin)


def test_the_old_modules_are_found_without_a_warning() -> None:
    for name in ("pwd", "spwd", "crypt"):
        found = unix._old_module(name)
        assert found is None or found.__name__ == name
