"""Hashes of passwords by scrypt."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

pytest.importorskip("cryptography", reason="computes the hashes")

from torsion.cred import scrypt
from torsion.cred.checkers import FilePasswordDB, ICredentialsChecker
from torsion.cred.credentials import UsernamePassword
from torsion.cred.error import UnauthorizedLogin
from torsion.internet.defer import Deferred, maybeDeferred

CHEAP = {"log2_cost": 4, "block_size": 1, "lanes": 1}


def b64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def result_of(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addBoth(found.append)
    [only] = found
    return only


def test_the_examples_of_rfc_7914() -> None:
    key = bytes.fromhex(
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830da"
        "c727afb94a83ee6d8360cbdfa2cc0640"
    )
    stored = b"$scrypt$ln=10,r=8,p=16$" + b64(b"NaCl") + b"$" + b64(key)
    assert scrypt.checkPassword(b"password", stored)
    assert not scrypt.checkPassword(b"Password", stored)


def test_a_hash_is_of_its_password_and_of_no_other() -> None:
    stored = scrypt.hashPassword("sécret", **CHEAP)
    assert stored.startswith(b"$scrypt$ln=4,r=1,p=1$")
    assert scrypt.checkPassword("sécret", stored)
    assert scrypt.checkPassword("sécret".encode(), stored)
    assert not scrypt.checkPassword(b"secret", stored)
    assert not scrypt.checkPassword(b"", stored)


def test_no_two_hashes_are_the_same() -> None:
    assert len({scrypt.hashPassword(b"x", **CHEAP) for _ in range(5)}) == 5


def test_what_a_hash_costs_unless_something_else_is_said() -> None:
    assert scrypt.hashPassword(b"x").startswith(b"$scrypt$ln=15,r=8,p=3$")


@pytest.mark.parametrize(
    "stored", [b"", b"secret", b"$scrypt$", b"$scrypt$ln=4,r=1,p=1$$", b"$scrypt$ln=4,r=1,p=1$YQ$YQ", b"$2b$12$abc"]
)
def test_what_is_no_hash(stored: bytes) -> None:
    with pytest.raises(ValueError, match="no hash by scrypt"):
        scrypt.checkPassword(b"x", stored)


def test_a_hash_is_bytes() -> None:
    text: Any = "$scrypt$ln=4,r=1,p=1$YQ$YQ"
    with pytest.raises(TypeError, match="must be bytes, as hashPassword returns it, not str"):
        scrypt.checkPassword(b"x", text)


@pytest.mark.parametrize("costs", [b"ln=99,r=8,p=1", b"ln=19,r=8,p=1", b"ln=18,r=8,p=9", b"ln=1,r=9999,p=9999"])
def test_costs_that_nobody_asked_for_are_not_met(costs: bytes) -> None:
    stored = b"$scrypt$" + costs + b"$" + b64(b"salt") + b"$" + b64(b"k" * 32)
    with pytest.raises(ValueError, match="is not checked"):
        scrypt.checkPassword(b"x", stored)


def test_a_file_of_hashes(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_bytes(b"ana:" + scrypt.hashPassword(b"secret", **CHEAP) + b"\nbea:plain\n")
    checker = FilePasswordDB(str(file), hash=scrypt.hashAs)
    assert result_of(checker.requestAvatarId(UsernamePassword(b"ana", b"secret"))) == b"ana"
    assert result_of(checker.requestAvatarId(UsernamePassword(b"ana", b"x"))).check(UnauthorizedLogin)
    assert result_of(checker.requestAvatarId(UsernamePassword(b"bea", b"plain"))).check(ValueError)


def test_the_checker_computes_elsewhere_and_as_much_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[bytes] = []
    real = scrypt.checkPassword
    monkeypatch.setattr(scrypt, "checkPassword", lambda *pair: (computed.append(pair[1]), real(*pair))[1])
    monkeypatch.setattr(scrypt.hashPassword, "__kwdefaults__", CHEAP)
    ran: list[Any] = []

    def elsewhere(function: Any, *args: Any) -> Deferred[Any]:
        ran.append(args)
        return maybeDeferred(function, *args)

    checker = scrypt.ScryptPasswordChecker({b"ana": scrypt.hashPassword(b"secret")}, elsewhere)
    assert verifyObject(ICredentialsChecker, checker)

    def check(name: bytes, password: bytes) -> Any:
        return result_of(checker.requestAvatarId(UsernamePassword(name, password)))

    assert check(b"ana", b"secret") == b"ana"
    assert check(b"ana", b"x").check(UnauthorizedLogin)
    for _ in range(2):
        assert check(b"nobody", b"secret").check(UnauthorizedLogin)
    assert len(ran) == len(computed) == 4
    assert computed[2] == computed[3] != computed[0]


def test_the_checker_uses_the_reactor_s_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    from torsion.internet import threads

    ran: list[Any] = []
    monkeypatch.setattr(threads, "deferToThread", lambda *args: (ran.append(args), maybeDeferred(*args))[1])
    checker = scrypt.ScryptPasswordChecker({b"ana": scrypt.hashPassword(b"secret", **CHEAP)})
    assert result_of(checker.requestAvatarId(UsernamePassword(b"ana", b"secret"))) == b"ana"
    assert len(ran) == 1
