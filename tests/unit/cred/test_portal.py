"""Portals: the checker is asked first, the realm after it, and neither can hurt the portal."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import Interface, implementer
from zope.interface.verify import verifyObject

from torsion.cred.checkers import (
    ANONYMOUS,
    AllowAnonymousAccess,
    ICredentialsChecker,
    InMemoryUsernamePasswordDatabaseDontUse,
)
from torsion.cred.credentials import (
    Anonymous,
    ICredentials,
    IUsernameHashedPassword,
    IUsernamePassword,
    UsernamePassword,
)
from torsion.cred.error import (
    LoginDenied,
    LoginFailed,
    Unauthorized,
    UnauthorizedLogin,
    UnhandledCredentials,
)
from torsion.cred.portal import IRealm, Portal
from torsion.internet.defer import Deferred, fail
from torsion.python.failure import Failure


def result_of(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addBoth(found.append)
    return found[0] if found else None


class IShell(Interface):
    pass


@implementer(IRealm)
class Realm:
    def __init__(self) -> None:
        self.asked: list[Any] = []

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
        self.asked.append((avatarId, mind, interfaces))
        return interfaces[0], f"avatar of {avatarId!r}", lambda: self.asked.append("gone")


def login(portal: Portal, credentials: Any) -> Any:
    return result_of(portal.login(credentials, "mind", IShell))


@pytest.fixture
def realm() -> Realm:
    return Realm()


@pytest.fixture
def portal(realm: Realm) -> Portal:
    return Portal(realm, [InMemoryUsernamePasswordDatabaseDontUse(ana=b"secret"), AllowAnonymousAccess()])


def test_the_right_password_leads_to_an_avatar(portal: Portal, realm: Realm) -> None:
    assert verifyObject(IRealm, realm)
    interface, avatar, logout = login(portal, UsernamePassword(b"ana", b"secret"))
    assert (interface, avatar) == (IShell, "avatar of b'ana'")
    logout()
    assert realm.asked == [(b"ana", "mind", (IShell,)), "gone"]


@pytest.mark.parametrize(
    ("name", "password"),
    [(b"ana", b"Secret"), (b"bea", b"secret"), ("ana", b"secret"), (b"ana", "secret"), (None, None)],
)
def test_wrong_credentials_do_not_reach_the_realm(portal: Portal, realm: Realm, name: Any, password: Any) -> None:
    failure = login(portal, UsernamePassword(name, password))
    assert failure.check(UnauthorizedLogin)
    assert realm.asked == []


def test_the_two_ways_to_be_wrong_look_alike(portal: Portal) -> None:
    texts = {login(portal, UsernamePassword(name, b"x")).getErrorMessage() for name in (b"ana", b"nobody")}
    assert len(texts) == 1


def test_nobody_is_a_user_too(portal: Portal, realm: Realm) -> None:
    login(portal, Anonymous())
    assert realm.asked == [(ANONYMOUS, "mind", (IShell,))]


def test_credentials_that_nobody_knows() -> None:
    failure = login(Portal(Realm()), Anonymous())
    assert failure.check(UnhandledCredentials)
    assert failure.getErrorMessage() == "No checker for torsion.cred.credentials.IAnonymous"
    assert "object, which is no credentials" in login(Portal(Realm()), object()).getErrorMessage()


def test_what_is_no_checker_is_refused() -> None:
    with pytest.raises(TypeError, match="'users' is no checker: it has no credentialInterfaces"):
        Portal(Realm(), ["users"])


def test_derived_credentials_are_known(portal: Portal) -> None:
    class IToken(IUsernamePassword):
        pass

    @implementer(IToken)
    class Token(UsernamePassword):
        pass

    assert login(portal, Token(b"ana", b"secret"))[0] is IShell


def test_the_latest_checker_for_a_kind_counts(portal: Portal) -> None:
    other = InMemoryUsernamePasswordDatabaseDontUse(bea=b"x")
    portal.registerChecker(other, IUsernamePassword)
    assert login(portal, UsernamePassword(b"bea", b"x"))[0] is IShell
    assert login(portal, UsernamePassword(b"ana", b"secret")).check(UnauthorizedLogin)
    assert portal.checkers[IUsernameHashedPassword] is not other
    assert IUsernamePassword in portal.listCredentialsInterfaces()


class IWish(ICredentials):
    pass


@implementer(IWish)
class Wish:
    pass


@implementer(ICredentialsChecker)
class Odd:
    credentialInterfaces = (IWish,)

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def requestAvatarId(self, credentials: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_checker_may_answer_at_once_or_late_or_raise(realm: Realm) -> None:
    assert login(Portal(realm, [Odd("at once")]), Wish())[1] == "avatar of 'at once'"
    late: Deferred[Any] = Deferred()
    coming = Portal(realm, [Odd(late)]).login(Wish(), None, IShell)
    assert result_of(coming) is None
    late.callback("late")
    assert realm.asked[-1] == ("late", None, (IShell,))
    assert login(Portal(realm, [Odd(ZeroDivisionError())]), Wish()).check(ZeroDivisionError)
    assert login(Portal(realm, [Odd(fail(LoginDenied("closed")))]), Wish()).check(LoginDenied)


def test_a_realm_may_refuse() -> None:
    class Closed(Realm):
        def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
            raise NotImplementedError("nothing for you")

    failure = login(Portal(Closed(), [AllowAnonymousAccess()]), Anonymous())
    assert isinstance(failure, Failure)
    assert failure.check(NotImplementedError)


def test_errors_can_be_caught_by_kind() -> None:
    for error in (UnauthorizedLogin, UnhandledCredentials, LoginDenied):
        assert issubclass(error, LoginFailed)
    assert issubclass(UnauthorizedLogin, Unauthorized)
    assert not issubclass(LoginDenied, Unauthorized)
