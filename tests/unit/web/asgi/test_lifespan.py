"""The lifespan of an application: told of the beginning and of the end, ready or not, and what hangs or fails there."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.internet.defer import Deferred
from torsion.internet.task import Clock
from torsion.logger import capturedLogs
from torsion.web.asgi import ASGIResource
from torsion.web.asgi.lifespan import LifespanError
from torsion.web.asgi.resource import SHUTDOWN_SECONDS
from torsion.web.server import Site
from unit.web.asgi.test_asgi import Reactor, Runner, hello
from unit.web.talk import Talk


def test_requests_wait_until_the_application_is_ready_and_it_ends_after_them() -> None:
    story: list[Any] = []
    steps: list[Deferred[None]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                assert await receive() == {"type": f"lifespan.{event}"}
                story.append(event)
                if event == "startup":
                    scope["state"]["made"] = "there"
                    steps.append(Deferred())
                    await steps[0]
                await send({"type": f"lifespan.{event}.complete"})
            return
        story.append(scope["state"])
        scope["state"]["mine"] = 1
        steps.append(Deferred())
        await steps[-1]
        await hello(scope, receive, send)
        story.append("answered")

    reactor = Reactor()
    connection = Talk(Site(ASGIResource(application, Runner(), reactor), reactor=Clock()))
    connection.send()
    assert story == []
    reactor.begin[0]()
    gone = Talk(connection.site)
    gone.send()
    gone.leave()
    assert story == ["startup"]
    steps[0].callback(None)
    assert story == ["startup", {"made": "there", "mine": 1}]
    ended: list[Any] = []
    reactor.triggers[0]().addCallback(ended.append)
    assert (story[2:], ended) == ([], [])
    steps[1].callback(None)
    assert connection.answer().body == b"hello"
    assert story[2:] == ["answered", "shutdown"]
    assert ended == [None]
    assert reactor.getDelayedCalls() == []


@pytest.mark.parametrize("ends", [False, True])
def test_a_lifespan_that_breaks_is_logged_unless_the_server_ends(ends: bool, flush_errors: Any) -> None:
    breaks: Deferred[None] = Deferred()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        if ends:
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        await breaks

    reactor = Reactor()
    ASGIResource(application, Runner(), reactor)
    reactor.begin[0]()
    if ends:
        reactor.triggers[0]()
    breaks.errback(RuntimeError())
    if not ends:
        flush_errors(RuntimeError)


def test_applications_without_a_lifespan() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        assert "state" not in scope
        await hello(scope, receive, send)

    reactor = Reactor()
    connection = Talk(Site(ASGIResource(application, Runner(), reactor), reactor=reactor))
    reactor.begin[0]()
    assert connection.ask().body == b"hello"
    ended: list[Any] = []
    reactor.triggers[0]().addCallback(ended.append)
    assert ended == [None]


def test_an_application_that_cannot_start_is_not_asked(flush_errors: Any) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    reactor = Reactor()
    connection = Talk(Site(ASGIResource(application, Runner(), reactor), reactor=reactor))
    connection.send()
    reactor.begin[0]()
    assert connection.answer().code == 503
    assert connection.ask().code == 503
    (failure,) = flush_errors(LifespanError)
    assert "no database" in str(failure.value)


def test_an_application_that_hangs_does_not_keep_the_process() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
        await Deferred()

    reactor = Reactor()
    connection = Talk(Site(ASGIResource(application, Runner(), reactor), reactor=reactor))
    reactor.begin[0]()
    connection.send()
    ended: list[Any] = []
    reactor.triggers[0]().addBoth(ended.append)
    reactor.advance(SHUTDOWN_SECONDS)
    assert ended == []
    reactor.advance(SHUTDOWN_SECONDS)
    assert ended == [None]


def test_an_application_that_still_starts_when_the_server_ends_is_cancelled() -> None:
    """It was told of no beginning that it could end, and who hangs there must not be waited for."""
    story: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        story.append((await receive())["type"])
        try:
            await Deferred()
        finally:
            story.append("cancelled")

    reactor = Reactor()
    resource = ASGIResource(application, Runner(), reactor)
    connection = Talk(Site(resource, reactor=reactor))
    started: list[Any] = []
    resource.whenStarted().addErrback(started.append)
    reactor.begin[0]()
    connection.send()
    with capturedLogs() as events:
        reactor.triggers[0]().addBoth(story.append)
    assert story == ["lifespan.startup", "cancelled", None]
    assert connection.answer().code == 503
    assert started[0].check(LifespanError)
    assert events == []


@pytest.mark.parametrize("fails", [False, True])
def test_who_asks_is_told_when_it_has_started_or_cannot(fails: bool, flush_errors: Any) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if fails:
            await send({"type": "lifespan.startup.failed", "message": "no database"})
        else:
            await send({"type": "lifespan.startup.complete"})
            await receive()

    reactor = Reactor()
    resource = ASGIResource(application, Runner(), reactor)
    told: list[Any] = []
    resource.whenStarted().addBoth(told.append)
    assert told == []
    reactor.begin[0]()
    resource.whenStarted().addBoth(told.append)
    if fails:
        assert [str(each.value) for each in told] == ["no database"] * 2
        flush_errors(LifespanError)
    else:
        assert told == [None, None]


@pytest.mark.parametrize("when", ["before it asks", "when it starts", "when it shuts down"])
def test_what_a_lifespan_raises_is_told_unless_it_knows_nothing_of_lifespans(when: str, flush_errors: Any) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await hello(scope, receive, send)
            return
        assert when != "before it asks"
        await receive()
        if when == "when it starts":
            raise ZeroDivisionError("at the start")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise ZeroDivisionError("at the end")

    reactor = Reactor()
    connection = Talk(Site(ASGIResource(application, Runner(), reactor), reactor=reactor))
    ended: list[Any] = []
    with capturedLogs() as events:
        reactor.begin[0]()
        assert connection.ask().body == b"hello"
        reactor.triggers[0]().addBoth(ended.append)
    assert ended == [None]
    levels = [event["log_level"].name for event in events]
    assert levels == {"before it asks": [], "when it starts": ["warn"], "when it shuts down": ["critical"]}[when]
    if when == "when it shuts down":
        flush_errors(ZeroDivisionError)


@pytest.mark.parametrize("hangs", ["request", "shutdown"])
def test_who_waits_for_the_end_may_give_up(hangs: str) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await Deferred()

    reactor = Reactor()
    resource = ASGIResource(application, Runner(), reactor)
    connection = Talk(Site(resource, reactor=Clock()))
    reactor.begin[0]()
    if hangs == "request":
        connection.send()
    story: list[str] = []
    one = resource.stop().addCallback(lambda _: story.append("given up"))
    reactor.triggers[0]().addCallback(lambda _: story.append("ended"))
    assert story == []
    one.cancel()
    assert sorted(story) == ["ended", "given up"]
    assert reactor.getDelayedCalls() == []
