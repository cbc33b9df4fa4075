"""Checkers from command lines, by plugins."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from torsion.cred import strcred
from torsion.cred.checkers import ANONYMOUS, ICredentialsChecker
from torsion.cred.credentials import (
    Anonymous,
    IAnonymous,
    IUsernameHashedPassword,
    IUsernamePassword,
    UsernamePassword,
)
from torsion.cred.error import UnauthorizedLogin
from torsion.cred.strcred import AuthOptionMixin, ICheckerFactory
from torsion.internet.defer import Deferred
from torsion.plugin import IPlugin
from torsion.plugins.cred_file import invalidFileWarning, theFileCheckerFactory
from torsion.python.usage import Options, UsageError

TYPES = {"anonymous", "file", "memory", "unix"}


def result_of(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addBoth(found.append)
    [only] = found
    return only


def check(checker: Any, *pair: Any) -> Any:
    found = result_of(checker.requestAvatarId(UsernamePassword(*pair)))
    return getattr(found, "type", found)


# --- types ---------------------------------------------------------------------------------------------------------------


def test_all_types_are_found_and_keep_their_promises() -> None:
    found = {factory.authType: factory for factory in strcred.findCheckerFactories()}
    assert found.keys() >= TYPES
    for name in TYPES:
        factory = found[name]
        assert verifyObject(ICheckerFactory, factory)
        assert IPlugin.providedBy(factory)
        assert strcred.findCheckerFactory(name) is factory
        checker = strcred.makeChecker(f"{name}:/a/b" if name == "file" else name)
        assert verifyObject(ICredentialsChecker, checker)
        assert tuple(checker.credentialInterfaces) == tuple(factory.credentialInterfaces)
        assert factory.authHelp.strip()


@pytest.mark.parametrize("description", ["", ":", "nothing", "nothing:x", "Memory"])
def test_a_type_that_there_is_not(description: str) -> None:
    with pytest.raises(strcred.InvalidAuthType):
        strcred.makeChecker(description)


def test_memory() -> None:
    checker = strcred.makeChecker("memory:ana:secret:bea:")
    assert check(checker, b"ana", b"secret") == b"ana"
    assert check(checker, "ana", "secret") == "ana"
    assert check(checker, b"bea", b"") == b"bea"
    assert check(checker, b"ana", b"x") is UnauthorizedLogin
    assert check(strcred.makeChecker("memory"), b"", b"") is UnauthorizedLogin
    with pytest.raises(strcred.InvalidAuthArgumentString, match="U:P"):
        strcred.makeChecker("memory:ana:secret:bea")


def test_anonymous() -> None:
    assert result_of(strcred.makeChecker("anonymous").requestAvatarId(Anonymous())) is ANONYMOUS


def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(theFileCheckerFactory, "errorOutput", printed)
    file = tmp_path / "us:ers"
    checker = strcred.makeChecker(f"file:{file}")
    assert printed.getvalue() == f"{invalidFileWarning}: {file}\n"
    file.write_bytes(b"ana:secret\n")
    assert check(checker, b"ana", b"secret") == b"ana"
    strcred.makeChecker(f"file:{file}")
    assert printed.getvalue().count("\n") == 1
    for description in ("file", "file:", "file:  "):
        with pytest.raises(ValueError, match="requires a filename"):
            strcred.makeChecker(description)


# --- options -------------------------------------------------------------------------------------------------------------


class Everything(AuthOptionMixin, Options):
    pass


class Passwords(AuthOptionMixin, Options):
    supportedInterfaces = (IUsernamePassword,)


def parsed(kind: Any, *arguments: str) -> tuple[Any, str]:
    """Return the options, and what was printed."""
    options = kind()
    options.authOutput = io.StringIO()
    try:
        options.parseOptions(arguments)
    except SystemExit as end:
        assert end.code == 0  # noqa: PT017 - not every command line ends the program
    return options, options.authOutput.getvalue()


def test_checkers_are_collected_by_kind() -> None:
    options, _ = parsed(Everything, "--auth", "memory", "--auth=anonymous", "--auth", "unix")
    memory, anonymous, unix = options["credCheckers"]
    assert options["credInterfaces"] == {
        IUsernamePassword: [memory, unix],
        IUsernameHashedPassword: [memory],
        IAnonymous: [anonymous],
    }


def test_only_kinds_that_the_program_can_use() -> None:
    options, _ = parsed(Passwords, "--auth", "memory")
    assert options["credInterfaces"].keys() == {IUsernamePassword}
    assert Passwords().supportsInterface(IUsernamePassword)
    assert not Passwords().supportsInterface(IAnonymous)
    assert Everything().supportsInterface(IAnonymous)
    with pytest.raises(strcred.UnsupportedInterfaces):
        Passwords().addChecker(strcred.makeChecker("anonymous"))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--auth", "nothing"], "not recognized: nothing; --help-auth"),
        (["--auth", "anonymous"], "not supported: torsion.cred.credentials.IAnonymous"),
        (["--auth", "memory:a"], "Unexpected error: argstring must be in format U:P:..."),
        (["--auth", "file"], "Unexpected error: 'file' requires a filename"),
        (["--help-auth-type", "nothing"], "Invalid auth type: nothing; --help-auth"),
    ],
)
def test_what_is_wrong_on_a_command_line(arguments: list[str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parsed(Passwords, *arguments)


def test_all_types_are_listed() -> None:
    _, printed = parsed(Everything, "--help-auth")
    for factory in strcred.findCheckerFactories():
        assert f"  {factory.authType} " in printed
        assert factory.argStringFormat in printed
    _, printed = parsed(Passwords, "--help-auth")
    assert "memory" in printed
    assert "anonymous" not in printed


def test_one_type_is_explained() -> None:
    _, printed = parsed(Passwords, "--help-auth-type", "memory")
    assert printed.startswith("Usage: --auth memory[:ArgString]\nArgString format: A colon")
    assert "  Knows the users and passwords" in printed
    assert strcred.notSupportedWarning not in printed
    _, printed = parsed(Passwords, "--help-auth-type", "anonymous")
    assert strcred.notSupportedWarning in printed


def test_the_options_are_listed_with_the_others() -> None:
    text = str(Everything())
    for option in ("--auth=", "--help-auth ", "--help-auth-type="):
        assert option in text
