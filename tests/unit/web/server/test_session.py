"""Sessions, and the site that has them."""

from __future__ import annotations

import pytest

from torsion.internet.task import Clock
from torsion.logger import capturedLogs
from torsion.web.resource import Resource
from torsion.web.server import Request, Session, Site
from unit.web.talk import Fixed, Talk


def begun() -> tuple[Clock, Site, Session]:
    clock = Clock()
    site = Site(Resource(), reactor=clock)
    return clock, site, site.makeSession()


def test_a_session_has_a_name_that_nobody_guesses() -> None:
    _, site, session = begun()
    other = site.makeSession()
    assert len(session.uid) == 64
    assert session.uid != other.uid
    assert site.getSession(session.uid) is session
    assert site.counter == 2


@pytest.mark.parametrize("uid", [b"nothing", None])
def test_a_session_that_is_not_there(uid: bytes | None) -> None:
    with pytest.raises(KeyError):
        begun()[1].getSession(uid)


def test_a_session_ends_when_it_is_not_used() -> None:
    clock, site, session = begun()
    clock.advance(Session.sessionTimeout - 1)
    session.touch()
    clock.advance(Session.sessionTimeout - 1)
    assert session.uid in site.sessions
    clock.advance(1)
    assert site.sessions == {}
    assert clock.calls == []


def test_using_it_is_noted() -> None:
    clock, _, session = begun()
    clock.advance(5)
    assert session.lastModified == 0
    session.touch()
    assert session.lastModified == 5


def test_who_wants_to_know_is_told_each_of_them() -> None:
    clock, _, session = begun()
    told: list[int] = []

    def fails() -> None:
        raise KeyError

    session.notifyOnExpire(lambda: told.append(1))
    session.notifyOnExpire(fails)
    session.notifyOnExpire(lambda: told.append(2))
    with capturedLogs() as events:
        session.expire()
    assert told == [1, 2]
    assert [event["log_failure"].type for event in events] == [KeyError]
    assert clock.calls == []


def test_a_session_ends_once() -> None:
    session = begun()[2]
    session.expire()
    with pytest.raises(KeyError):
        session.expire()


def test_a_class_may_last_longer() -> None:
    class Long(Session):
        sessionTimeout = 10_000

    clock = Clock()
    site = Site(Resource(), reactor=clock)
    site.sessionFactory = Long
    site.makeSession()
    clock.advance(9_999)
    assert len(site.sessions) == 1


def test_a_session_with_a_clock_of_its_own() -> None:
    clock = Clock()
    clock.advance(3)
    assert Session(None, b"x", clock).lastModified == 3


def test_a_site_makes_its_requests() -> None:
    class Mine(Request):
        pass

    site = Site(Resource(), Mine, reactor=Clock())
    channel = site.buildProtocol(None)
    assert (channel.requestFactory, channel.site) == (Mine, site)
    assert Site(Resource()).requestFactory is Request


def test_what_a_site_speaks() -> None:
    site = Site(Resource())
    site.http2 = False
    assert site.acceptableProtocols() == [b"http/1.1"]
    site.http2 = lambda channel: None
    assert site.acceptableProtocols() == [b"h2", b"http/1.1"]


def test_there_are_only_so_many_sessions_and_those_end_that_were_not_used_for_longest() -> None:
    clock, site, first = begun()
    site.maxSessions = 3
    second, third = site.makeSession(), site.makeSession()
    ended: list[Session] = []
    for session in (first, second, third):
        session.notifyOnExpire(lambda session=session: ended.append(session))
    first.touch()
    with capturedLogs() as events:
        fourth = site.makeSession()
        assert ended == [second]
        fifth = site.makeSession()
    assert ended == [second, third]
    assert list(site.sessions.values()) == [first, fourth, fifth]
    assert len([event for event in events if "maxSessions" in event["log_format"]]) == 1  # it is told once
    assert len(clock.calls) == 3


def test_as_many_sessions_as_one_likes() -> None:
    site = begun()[1]
    site.maxSessions = None
    for _ in range(10):
        site.makeSession()
    assert len(site.sessions) == 11


def test_a_session_that_cannot_be_ended_goes_all_the_same() -> None:
    class Stubborn(Session):
        def expire(self) -> None:
            raise OSError("not now")

    site = Site(Resource(), reactor=Clock())
    site.sessionFactory, site.maxSessions = Stubborn, 1
    site.makeSession()
    with capturedLogs() as events:
        kept = site.makeSession()
    assert list(site.sessions) == [kept.uid]
    assert [event["log_failure"].type for event in events if "log_failure" in event] == [OSError]


class Visits(Talk):
    """A client of a site whose page says which session it is in."""

    def __init__(self, secure: bool) -> None:
        self.forced = False
        super().__init__(Fixed(lambda request: request.getSession(forceNotSecure=self.forced).uid))
        self.secure(secure)

    def secure(self, secure: bool) -> None:
        """Have the client ask over TLS, or not."""
        site_factory = self.site.requestFactory

        class Asked(site_factory):  # type: ignore[misc,valid-type]  # a class that is given
            def isSecure(self) -> bool:
                return secure

        self.channel.requestFactory = Asked

    def visit(self, cookie: str = "") -> tuple[str, str | None]:
        """Return the name of the session, and the cookie that was set."""
        answer = self.ask(headers={"Cookie": cookie} if cookie else {})
        return answer.body.decode(), answer.one("set-cookie")


def test_the_cookie_of_a_session_is_for_this_host_and_no_script() -> None:
    uid, cookie = Visits(secure=False).visit()
    assert cookie == f"TWISTED_SESSION={uid}; Path=/; HttpOnly; SameSite=lax"
    uid, cookie = Visits(secure=True).visit()
    assert cookie == f"TWISTED_SECURE_SESSION={uid}; Path=/; Secure; HttpOnly; SameSite=lax"


def test_who_has_seen_or_set_the_cookie_of_a_plain_session_knows_none_of_tls() -> None:
    visits = Visits(secure=False)
    plain, _ = visits.visit()
    visits.secure(True)
    safe, cookie = visits.visit(f"TWISTED_SECURE_SESSION={plain}")
    assert safe != plain
    assert cookie is not None  # it has one of its own
    assert visits.visit(f"TWISTED_SECURE_SESSION={safe}") == (safe, None)
    visits.forced = True
    assert visits.visit(f"TWISTED_SESSION={plain}") == (plain, None)
    assert visits.visit(f"TWISTED_SESSION={safe}")[0] != safe


def test_a_session_that_a_program_began_is_of_the_first_kind_that_asks_for_it() -> None:
    visits = Visits(secure=True)
    uid = visits.site.makeSession().uid.decode()
    assert visits.visit(f"TWISTED_SECURE_SESSION={uid}") == (uid, None)
    visits.secure(False)
    assert visits.visit(f"TWISTED_SESSION={uid}")[0] != uid


def test_a_name_that_a_client_makes_up_is_not_taken() -> None:
    visits = Visits(secure=False)
    uid, cookie = visits.visit("TWISTED_SESSION=" + "0" * 64)
    assert uid != "0" * 64
    assert cookie is not None
