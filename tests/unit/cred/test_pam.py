"""Users of a system with PAM: the real library, with settings of our own."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from torsion.cred import pam
from torsion.cred.checkers import ICredentialsChecker
from torsion.cred.credentials import IUsernamePassword, UsernamePassword
from torsion.cred.error import UnauthorizedLogin
from torsion.internet.defer import Deferred, maybeDeferred


def result_of(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addBoth(found.append)
    [only] = found
    return getattr(only, "type", only)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with settings for some services; skip where the library takes none."""
    try:
        libraries = pam._Libraries()
    except NotImplementedError:
        pytest.skip("this system has no PAM")
    if libraries.start_in is None:
        pytest.skip("this system's PAM has its settings in one place only")
    script = tmp_path / "check"
    # pam_exec hands the password to its standard input, with a NUL behind it, and the name over in a variable.
    script.write_text(
        f"#!{sys.executable} -SE\n"
        "import os, sys\n"
        "right = sys.stdin.buffer.read().rstrip(b'\\0') == b's\\xc3\\xa9cret'\n"
        "sys.exit(0 if right and os.environ['PAM_USER'] == 'ana' else 1)\n"
    )
    script.chmod(0o755)
    services = {
        "open": "auth required pam_permit.so\naccount required pam_permit.so\n",
        "closed": "auth required pam_deny.so\naccount required pam_permit.so\n",
        "expired": "auth required pam_permit.so\naccount required pam_deny.so\n",
        "script": f"auth required pam_exec.so quiet expose_authtok {script}\naccount required pam_permit.so\n",
        "broken": "auth required pam_nothing_of_that_name.so\n",
    }
    settings = tmp_path / "pam.d"
    settings.mkdir()
    for name, text in services.items():
        (settings / name).write_text(text)
    return settings


def check(folder: Path, service: str, name: Any, password: Any) -> Any:
    checker = pam.PluggableAuthenticationModulesChecker(service, maybeDeferred, folder=str(folder))
    assert verifyObject(ICredentialsChecker, checker)
    assert checker.credentialInterfaces == (IUsernamePassword,)
    return result_of(checker.requestAvatarId(UsernamePassword(name, password)))


@pytest.mark.parametrize(
    ("service", "comes_in"), [("open", True), ("closed", False), ("expired", False), ("broken", False), ("none", False)]
)
def test_the_service_s_settings_count(folder: Path, service: str, comes_in: bool) -> None:
    assert check(folder, service, b"ana", b"x") == (b"ana" if comes_in else UnauthorizedLogin)


@pytest.mark.parametrize(
    ("name", "password", "comes_in"),
    [
        ("ana", "sécret", True),
        (b"ana", "sécret".encode(), True),
        (b"ana", b"secret", False),
        (b"ana", b"", False),
        (b"bea", "sécret".encode(), False),
        (b"", b"x", False),
        (b"ana", "sécret".encode() + b"\0", False),
        (b"ana\0", "sécret".encode(), False),
    ],
)
def test_name_and_password_are_handed_on(folder: Path, name: Any, password: Any, comes_in: bool) -> None:
    assert check(folder, "script", name, password) == (name if comes_in else UnauthorizedLogin)


def test_many_at_a_time_and_one_after_the_other(folder: Path) -> None:
    from torsion.python.threadpool import ThreadPool

    pool = ThreadPool(0, 4)
    pool.start()
    told: list[Any] = []

    def elsewhere(function: Any, *args: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        pool.callInThreadWithCallback(lambda success, result: told.append((success, result)), function, *args)
        return done

    checker = pam.PluggableAuthenticationModulesChecker("open", elsewhere, folder=str(folder))
    for number in range(40):
        checker.requestAvatarId(UsernamePassword(b"user%d" % number, b"x"))
    pool.stop()
    assert told == [(True, True)] * 40


def test_it_is_asked_in_a_thread_of_the_reactor_s(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torsion.internet import threads

    ran: list[Any] = []
    monkeypatch.setattr(threads, "deferToThread", lambda *args: (ran.append(args), maybeDeferred(*args))[1])
    checker = pam.PluggableAuthenticationModulesChecker("open", folder=str(folder))
    assert result_of(checker.requestAvatarId(UsernamePassword(b"ana", b"x"))) == b"ana"
    assert len(ran) == 1


def test_a_system_without_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pam, "_LIBRARIES", ("libnothing.so.0",))
    with pytest.raises(NotImplementedError, match="no PAM"):
        pam.PluggableAuthenticationModulesChecker()


def test_an_older_library_has_its_settings_in_one_place(folder: Path) -> None:
    libraries = pam._Libraries()
    libraries.start_in = None
    with pytest.raises(NotImplementedError, match="one place"):
        pam._is_right(libraries, b"open", b"/", b"ana", b"x")
    asked: list[Any] = []
    libraries.start = lambda *args: asked.append(args) or 1
    assert not pam._is_right(libraries, b"open", None, b"ana", b"x")
    assert [args[:2] for args in asked] == [(b"open", b"ana")]


def test_answers_are_in_memory_that_the_library_frees(folder: Path) -> None:
    libraries = pam._Libraries()
    conversation = libraries.answering(b"ana", b"secret")
    texts = [pam._Message(style, None) for style in (1, 2, 3, 4)]
    messages = (ctypes.POINTER(pam._Message) * 4)(*(ctypes.pointer(text) for text in texts))
    answers = ctypes.c_void_p()
    assert conversation.converse(4, messages, ctypes.byref(answers), None) == 0
    assert answers.value is not None
    found = (pam._Response * 4).from_address(answers.value)
    assert [ctypes.string_at(each.text) if each.text else None for each in found] == [b"secret", b"ana", None, None]
    for address in (found[0].text, found[1].text, answers.value):
        libraries.free(address)
    libraries.calloc = lambda *_: None
    assert libraries.answering(b"ana", b"secret").converse(4, messages, ctypes.byref(answers), None) != 0
