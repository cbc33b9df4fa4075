"""Sessions, and the site that has them."""

from __future__ import annotations

import pytest

from torsion.internet.task import Clock
from torsion.logger import capturedLogs
from torsion.web.resource import Resource
from torsion.web.server import Request, Session, Site


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
    assert site.acceptableProtocols() == [b"http/1.1"]
    site.http2 = lambda channel: None
    assert site.acceptableProtocols() == [b"h2", b"http/1.1"]
