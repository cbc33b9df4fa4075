"""A resource before which clients must say who they are."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from torsion.cred.checkers import ANONYMOUS, AllowAnonymousAccess, InMemoryUsernamePasswordDatabaseDontUse
from torsion.cred.credentials import IUsernamePassword
from torsion.cred.portal import IRealm, Portal
from torsion.internet.defer import Deferred
from torsion.web.guard import BasicCredentialFactory, DigestCredentialFactory, HTTPAuthSessionWrapper
from torsion.web.guard.wrapper import UnauthorizedResource
from torsion.web.iweb import ICredentialFactory
from torsion.web.resource import EncodingResourceWrapper, IResource, Resource
from torsion.web.server import NOT_DONE_YET, GzipEncoderFactory
from unit.web.talk import Fixed, Talk

ME = {"Authorization": "Basic " + b64encode(b"me:secret").decode()}


@implementer(IRealm)
class Realm:
    """Each has a resource of their own."""

    def __init__(self) -> None:
        self.left: list[Any] = []

    def resource(self, who: Any) -> Any:
        home = Resource()
        home.putChild(b"", Fixed(b"home of " + (who if who is not ANONYMOUS else b"nobody")))
        return home

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
        assert interfaces == (IResource,)
        return IResource, self.resource(avatarId), lambda: self.left.append(avatarId)


class Guarded:
    def __init__(self, *factories: Any, checkers: Any = None) -> None:
        self.realm = Realm()
        if checkers is None:
            checker = InMemoryUsernamePasswordDatabaseDontUse()
            checker.addUser(b"me", b"secret")
            checkers = [checker]
        self.portal = Portal(self.realm, checkers)
        root = Resource()
        self.wrapper = HTTPAuthSessionWrapper(self.portal, factories or [BasicCredentialFactory('he\\r"e')])
        root.putChild(b"in", self.wrapper)
        self.talk = Talk(root)


def test_it_is_a_resource() -> None:
    assert verifyObject(IResource, Guarded().wrapper)
    assert verifyObject(IResource, UnauthorizedResource([]))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic " + b64encode(b"me:wrong").decode()},
        {"Authorization": "Basic " + b64encode(b"you:secret").decode()},
        {"Authorization": "Basic !!"},
        {"Authorization": "Basic"},
        {"Authorization": "Quux me:secret"},
        {"Authorization": " "},
    ],
)
@pytest.mark.parametrize("target", ["/in", "/in/", "/in/deep/below"])
def test_who_does_not_say_it_is_asked(headers: dict[str, str], target: str) -> None:
    answer = Guarded().talk.ask(target, headers=headers)
    assert (answer.code, answer.body) == (401, b"Unauthorized")
    assert answer.one("www-authenticate") == 'basic realm="he\\\\r\\"e"'


def test_head_is_asked_likewise() -> None:
    answer = Guarded().talk.ask("/in/", method="HEAD")
    assert (answer.code, answer.one("www-authenticate") is not None) == (401, True)


def test_each_scheme_is_offered() -> None:
    guarded = Guarded(DigestCredentialFactory(b"sha-256", b"here"), BasicCredentialFactory("here"))
    digest, basic = guarded.talk.ask("/in/").headers["www-authenticate"]
    assert digest.startswith("digest nonce=")
    assert 'algorithm="sha-256"' in digest
    assert basic == 'basic realm="here"'


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC "])
def test_who_says_it_is_at_home(scheme: str) -> None:
    guarded = Guarded()
    headers = {"Authorization": f"{scheme} {b64encode(b'me:secret').decode()}"}
    answer = guarded.talk.ask("/in/", headers=headers)
    assert (answer.code, answer.body) == (200, b"home of me")
    assert guarded.realm.left == [b"me"]


def test_the_wrapper_itself_is_theirs(flush_errors: Any) -> None:
    guarded = Guarded()
    guarded.realm.resource = lambda who: Fixed(b"all of it")
    assert guarded.talk.ask("/in", headers=ME).body == b"all of it"
    assert guarded.talk.ask("/in/a/b", headers=ME).body == b"all of it", "a leaf has what is left"


def test_anonymous() -> None:
    guarded = Guarded(checkers=[AllowAnonymousAccess()])
    assert guarded.talk.ask("/in/").body == b"home of nobody"


def test_a_login_that_takes_its_time() -> None:
    waiting: list[Deferred[bytes]] = []

    class Slow:
        credentialInterfaces = (IUsernamePassword,)

        def requestAvatarId(self, credentials: Any) -> Deferred[bytes]:
            waiting.append(Deferred())
            return waiting[-1]

    guarded = Guarded(checkers=[Slow()])
    guarded.talk.send("/in/", headers=ME)
    assert guarded.talk.written() == b""
    waiting[0].callback(b"me")
    assert guarded.talk.answer().body == b"home of me"


def test_the_user_leaves_with_the_client() -> None:
    guarded = Guarded()
    guarded.realm.resource = lambda who: Fixed(NOT_DONE_YET)
    guarded.talk.send("/in/", headers=ME)
    assert guarded.realm.left == []
    guarded.talk.leave()
    assert guarded.realm.left == [b"me"]


def test_a_logout_that_fails_is_logged(flush_errors: Any) -> None:
    guarded = Guarded()
    guarded.realm.requestAvatar = lambda *args: (IResource, Fixed(b"x"), lambda: 1 / 0)
    assert guarded.talk.ask("/in/", headers=ME).body == b"x"
    flush_errors(ZeroDivisionError)


def test_what_is_encoded_is_encoded_for_users_too() -> None:
    guarded = Guarded()
    guarded.realm.resource = lambda who: EncodingResourceWrapper(Fixed(b"x"), [GzipEncoderFactory()])
    answer = guarded.talk.ask("/in", headers={**ME, "Accept-Encoding": "gzip"})
    assert answer.one("content-encoding") == "gzip"


@implementer(ICredentialFactory)
class Broken:
    scheme = b"basic"

    def getChallenge(self, request: Any) -> dict[str, bytes]:
        return {}

    def decode(self, response: bytes, request: Any) -> Any:
        raise KeyError("of the program's")


def test_a_scheme_that_fails(flush_errors: Any) -> None:
    answer = Guarded(Broken()).talk.ask("/in/", headers=ME)
    assert (answer.code, b"program" in answer.body) == (500, False)
    flush_errors(KeyError)


def test_a_challenge_without_fields() -> None:
    assert Guarded(Broken()).talk.ask("/in/").one("www-authenticate") == "basic"


def test_a_checker_that_fails(flush_errors: Any) -> None:
    class Failing:
        credentialInterfaces = (IUsernamePassword,)

        def requestAvatarId(self, credentials: Any) -> Any:
            raise KeyError("of the program's")

    answer = Guarded(checkers=[Failing()]).talk.ask("/in/", headers=ME)
    assert (answer.code, b"program" in answer.body) == (500, False)
    flush_errors(KeyError)


@pytest.mark.parametrize("resource", [Guarded().wrapper, UnauthorizedResource([])])
def test_nothing_is_put_below(resource: Any) -> None:
    with pytest.raises(NotImplementedError):
        resource.putChild(b"x", Resource())
