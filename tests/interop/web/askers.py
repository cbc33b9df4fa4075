"""Clients as Twisted's guide to them teaches, by the names that both packages have: `askers.py PACKAGE PORT`, of a site of situations.py."""

from __future__ import annotations

import socket
import sys
from http.cookiejar import CookieJar
from importlib import import_module
from io import BytesIO
from typing import Any

from zope.interface import implementer

PACKAGE, PORT = sys.argv[1:]


def of(name: str) -> Any:
    return import_module(f"{PACKAGE}.{name}")


def say(*words: Any) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


reactor = of("internet.reactor")
client, iweb, endpoints = of("web.client"), of("web.iweb"), of("internet.endpoints")
defer, protocol = of("internet.defer"), of("internet.protocol")
Headers = of("web.http_headers").Headers
BASE = f"http://127.0.0.1:{PORT}".encode()


@implementer(iweb.IBodyProducer)
class Text:
    """A body in two pieces, as the guide writes one."""

    def __init__(self, length: Any) -> None:
        self.length = length

    def startProducing(self, consumer: Any) -> Any:
        consumer.write(b"some ")
        consumer.write(b"text")
        return defer.succeed(None)

    def pauseProducing(self) -> None:
        pass

    resumeProducing = stopProducing = pauseProducing


@implementer(iweb.IAgentEndpointFactory)
class Here:
    """Leads wherever it is asked for to the one server."""

    def endpointForURI(self, uri: Any) -> Any:
        say("for", uri.scheme, uri.host, uri.port)
        return endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", int(PORT))


class Begin(protocol.Protocol):
    """Takes the beginning of a body."""

    def __init__(self) -> None:
        self.done = defer.Deferred()
        self.got = b""

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def connectionLost(self, reason: Any) -> None:
        self.done.callback((len(self.got), reason.type.__name__))


async def show(answer: Any) -> None:
    """Print what an answer has, once it comes."""
    try:
        response = await answer
        body = await client.readBody(response)
    except Exception as error:
        reasons = [each.type.__name__ for each in getattr(error, "reasons", None) or ()]
        say("failed", type(error).__name__, getattr(error, "status", None), reasons)
        return
    kept = [response.headers.getRawHeaders(name) for name in ("content-type", "location", "content-encoding")]
    before = response.previousResponse
    say(response.version, response.code, response.phrase, response.length == iweb.UNKNOWN_LENGTH, kept, body)
    say(response.request.method, response.request.absoluteURI.replace(PORT.encode(), b"PORT"), before and before.code)


async def ask() -> None:
    agent = client.Agent(reactor, connectTimeout=5)
    await show(agent.request(b"GET", BASE + b"/path?a=b", Headers({"User-Agent": ["me"], "X-A": ["1", "2"]}), None))
    await show(agent.request(b"GET", BASE + b"/codes?code=404&say=Not%20At%20Home"))
    await show(agent.request(b"HEAD", BASE + b"/calendar/"))
    for producer in (Text(9), Text(iweb.UNKNOWN_LENGTH), client.FileBodyProducer(BytesIO(b"of a file"))):
        await show(agent.request(b"POST", BASE + b"/form", Headers({b"content-type": [b"text/x"]}), producer))
    await show(agent.request(b"POST", BASE + b"/form", None, Text(100)))
    await show(agent.request(b"GET", b"ftp://127.0.0.1/"))
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        await show(agent.request(b"GET", b"http://127.0.0.1:%d/" % nobody.getsockname()[1]))
    await show(client.RedirectAgent(agent).request(b"GET", BASE + b"/moved"))
    await show(client.RedirectAgent(agent, 0).request(b"GET", BASE + b"/moved"))
    await show(client.RedirectAgent(agent).request(b"DELETE", BASE + b"/codes?code=302"))
    await show(client.BrowserLikeRedirectAgent(agent).request(b"GET", BASE + b"/redirect"))
    jar = CookieJar()
    cookies = client.CookieAgent(agent, jar)
    await show(cookies.request(b"GET", BASE + b"/cookies"))
    # A server without TLS cannot set cookies that are secure with us (RFC 6265bis), as it can with Twisted.
    say(sorted((cookie.name, cookie.value) for cookie in jar if not cookie.secure))
    await show(cookies.request(b"GET", BASE + b"/counts"))
    await show(cookies.request(b"GET", BASE + b"/counts?end=1"))
    zipped = client.ContentDecoderAgent(agent, [(b"gzip", client.GzipDecoder)])
    await show(zipped.request(b"GET", BASE + b"/zipped"))
    await show(client.Agent.usingEndpointFactory(reactor, Here()).request(b"GET", b"http://elsewhere.example/path"))
    through = client.ProxyAgent(endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", int(PORT)))
    await show(through.request(b"GET", b"http://elsewhere.example:99/calendar/1"))
    pool = client.HTTPConnectionPool(reactor, persistent=True)
    pool.maxPersistentPerHost = 1
    kept = client.Agent(reactor, pool=pool)
    for _ in range(3):
        await show(kept.request(b"GET", BASE + b"/calendar/"))
    await pool.closeCachedConnections()
    begin = Begin()
    (await agent.request(b"GET", BASE + b"/zipped")).deliverBody(begin)
    say(await begin.done)
    asked = agent.request(b"GET", BASE + b"/left")
    response = await asked
    reading = client.readBody(response)
    reading.cancel()
    await show(defer.maybeDeferred(lambda: reading))
    say("all asked")


defer.ensureDeferred(ask()).addErrback(lambda failure: say(failure.getTraceback())).addBoth(lambda _: reactor.stop())
reactor.run()
